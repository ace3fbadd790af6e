//! `drop_constraint`: a foreign key of another table that refers to the column that is to go.

use super::{Ddl, Described, Undo, add_constraint};
use crate::plan::{
    compiled::Plan,
    document::PhaseName,
    ident::{Ident, TableName},
};
use crate::statement::part::Part;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropConstraint {
    pub table: TableName,
    pub name: Ident,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<TableName>,
}

impl Described for DropConstraint {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        std::iter::once(&self.table)
            .chain(&self.references)
            .collect()
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }
}

impl Ddl for DropConstraint {
    fn parts(&self, _: &Plan) -> Vec<Part> {
        let references = self.references.as_ref();
        vec![add_constraint::drop_constraint(
            &self.table,
            &self.name,
            references,
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }
}

//! `set_comment`: on a table or on a column.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{Commented, DdlUnit};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sets or removes a comment on a table or a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetComment {
    pub table: TableName,
    /// Without it: the table itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Ident>,
    /// Without it, the comment is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

impl SetComment {
    fn part(&self, text: Option<&String>) -> DdlUnit {
        let on = match &self.column {
            Some(column) => Commented::Column(self.table.clone(), column.clone()),
            None => Commented::Table(self.table.clone()),
        };
        on.part(text.cloned())
    }
}

impl Described for SetComment {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        match &self.column {
            Some(column) => format!("{}.{column}", self.table),
            None => self.table.to_string(),
        }
    }
}

impl Ddl for SetComment {
    fn needs(&self) -> Vec<&Ident> {
        self.column.iter().collect()
    }

    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        vec![self.part(self.comment.as_ref())]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![self.part(self.previous.as_ref())])
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

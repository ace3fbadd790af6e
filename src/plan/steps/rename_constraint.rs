//! `rename_constraint`: a catalog change; an index that serves the constraint is renamed with it.

use super::{Ddl, Described, Undo};
use crate::plan::{
    compiled::Plan,
    document::PhaseName,
    ident::{Ident, TableName},
};
use crate::statement::part::{Goal, Lock, Part, Statement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameConstraint {
    pub table: TableName,
    pub from: Ident,
    pub to: Ident,
}

fn rename(table: &TableName, from: &Ident, to: &Ident) -> Part {
    let statement = Statement::new(format!(
        "ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}"
    ));
    Part::locking(
        Goal::ConstraintRenamed {
            table: table.clone(),
            from: from.clone(),
            to: to.clone(),
        },
        vec![statement.lock(table, Lock::AccessExclusiveLock)],
    )
}

impl Described for RenameConstraint {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.from)
    }
}

impl Ddl for RenameConstraint {
    fn parts(&self, _: &Plan) -> Vec<Part> {
        vec![rename(&self.table, &self.from, &self.to)]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![rename(&self.table, &self.to, &self.from)])
    }
}

//! `rename_constraint`: a catalog change; an index that serves the constraint is renamed with it.

use super::{Ddl, Described, NewName, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Renames a constraint, and the index that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameConstraint {
    pub table: TableName,
    pub from: Ident,
    pub to: Ident,
    /// On a partitioned table, the constraints of partitions keep their names. A CHECK has the same name on all of
    /// them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
}

fn rename(table: &TableName, from: &Ident, to: &Ident, alone: bool) -> DdlUnit {
    let statement = Statement::new(format!(
        "ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}"
    ));
    let statement = if alone {
        statement.lock_only(table, Lock::AccessExclusiveLock)
    } else {
        statement.lock(table, Lock::AccessExclusiveLock)
    };
    DdlUnit::locking(
        Goal::ConstraintRenamed {
            table: table.clone(),
            from: from.clone(),
            to: to.clone(),
        },
        vec![statement],
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
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        vec![rename(&self.table, &self.from, &self.to, self.alone)]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![rename(&self.table, &self.to, &self.from, self.alone)])
    }

    fn new_names(&self) -> Vec<NewName> {
        vec![NewName::Constraint {
            table: self.table.clone(),
            from: self.from.clone(),
            name: TableName {
                schema: self.table.schema.clone(),
                name: self.to.clone(),
            },
        }]
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

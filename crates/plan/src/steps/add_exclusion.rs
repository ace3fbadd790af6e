//! `add_exclusion`: PostgreSQL has no NOT VALID for it. The table is read under a lock that lets nobody in: for small ones.

use super::add_constraint;
use super::{Ddl, Described, NewName, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Adds an exclusion constraint. PostgreSQL reads the table under a lock that blocks everybody, so this is for small
/// tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddExclusion {
    pub table: TableName,
    pub name: Ident,
    /// `EXCLUDE USING gist (vehicle_id WITH =, during WITH &&)`
    pub definition: String,
}

impl Described for AddExclusion {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Enforce]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }
}

impl Ddl for AddExclusion {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self {
            table,
            name,
            definition,
        } = self;
        let add = Statement::new(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
        ));
        vec![DdlUnit::locking(
            Goal::Constraint {
                table: table.clone(),
                name: name.clone(),
                validated: true,
            },
            vec![add.lock(table, Lock::AccessExclusiveLock).scans()],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![add_constraint::drop_constraint(
            &self.table,
            &self.name,
            None,
        )])
    }

    fn new_names(&self) -> Vec<NewName> {
        vec![NewName::index(&self.table, &self.name)]
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

//! `take_place`: the old column is dropped and the new one takes its name, as one.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops the old column and gives its name to the new one, as one change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakePlace {
    pub table: TableName,
    /// The column that is dropped in the end.
    pub column: Ident,
    /// The column that has its name afterwards.
    pub by: Ident,
}

impl Described for TakePlace {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
}

impl Ddl for TakePlace {
    fn needs(&self) -> Vec<&Ident> {
        vec![&self.column, &self.by]
    }

    fn claims(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    /// One part, whose goal is about the name that goes for good: seen from outside, a column of the old name is there
    /// before and after.
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self { table, column, by } = self;
        let alter = |what: String| {
            Statement::new(format!("ALTER TABLE {table} {what}"))
                .lock(table, Lock::AccessExclusiveLock)
        };
        vec![DdlUnit::locking(
            Goal::NoColumn {
                table: table.clone(),
                column: by.clone(),
            },
            vec![
                alter(format!("DROP COLUMN {column}")),
                alter(format!("RENAME COLUMN {by} TO {column}")),
            ],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn note(&self) -> Option<String> {
        Some(format!(
            "the column then has another type and another position: a prepared statement that returns {0} fails once with \"cached plan must not change result type\" in drivers that do not prepare again, and an INSERT that names no columns means others",
            self.column
        ))
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

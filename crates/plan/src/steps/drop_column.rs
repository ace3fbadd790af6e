//! `drop_column`: never CASCADE. What still depends on the column makes it fail, and nothing has changed.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::{Cost, Loss};
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops a column without CASCADE. If something depends on it, the step fails and nothing has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropColumn {
    pub table: TableName,
    /// By its name in the plan. If the plan retires it first, the retired column is dropped.
    pub column: Ident,
}

impl Described for DropColumn {
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

impl Ddl for DropColumn {
    fn needs(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn claims(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn parts(&self, plan: &Plan) -> Vec<DdlUnit> {
        let column = self.dropped(plan);
        vec![DdlUnit::locking(
            Goal::NoColumn {
                table: self.table.clone(),
                column: column.clone(),
            },
            vec![
                Statement::new(format!("ALTER TABLE {} DROP COLUMN {column}", self.table))
                    .lock(&self.table, Lock::AccessExclusiveLock),
            ],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    /// It is for good. A column that others are computed from has its values there.
    fn cost(&self, plan: &Plan) -> Cost {
        let Self { table, column } = self;
        let in_sync = plan.sync(table).is_some() || plan.link(table).is_some();
        if in_sync {
            return Cost::default();
        }
        Cost::of(Loss::of_values(table, column, &self.dropped(plan)))
    }
}

impl DropColumn {
    /// Its name by then.
    fn dropped(&self, plan: &Plan) -> Ident {
        plan.retired(&self.table)
            .into_iter()
            .find(|retire| retire.column == self.column)
            .map_or_else(|| self.column.clone(), |retire| retire.aside())
    }
}

//! `set_default`: for rows that are inserted from now on. Existing rows keep what they have.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sets the default for rows that are inserted from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDefault {
    pub table: TableName,
    pub column: Ident,
    pub default: String,
    /// As the server writes it. The undo restores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// `SET DEFAULT` or, without one, `DROP DEFAULT`.
pub fn statement(table: &TableName, column: &Ident, default: Option<&str>) -> Statement {
    let what = match default {
        Some(default) => format!("SET DEFAULT {default}"),
        None => "DROP DEFAULT".to_owned(),
    };
    Statement::new(format!("ALTER TABLE {table} ALTER COLUMN {column} {what}"))
        .lock(table, Lock::AccessExclusiveLock)
}

/// Back to this default, as the server writes it, or to none.
pub fn restore(table: &TableName, column: &Ident, default: Option<&str>) -> DdlUnit {
    DdlUnit::locking(
        Goal::DefaultIs {
            table: table.clone(),
            column: column.clone(),
            default: default.map(str::to_owned),
        },
        vec![statement(table, column, default)],
    )
}

impl Described for SetDefault {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand, PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
}

impl Ddl for SetDefault {
    fn needs(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        vec![DdlUnit::locking(
            Goal::DefaultIsNot {
                table: self.table.clone(),
                column: self.column.clone(),
                previous: self.previous.clone(),
            },
            vec![statement(&self.table, &self.column, Some(&self.default))],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        let previous = self.previous.as_deref();
        Undo::Parts(vec![restore(&self.table, &self.column, previous)])
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

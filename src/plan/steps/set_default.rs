//! `set_default`: the old column's default passes to the new one, in the transaction that drops the old one.

use super::{Ddl, Described, Undo};
use crate::plan::{
    compiled::Plan,
    document::PhaseName,
    ident::{Ident, TableName},
};
use crate::statement::part::{Goal, Lock, Part, Statement};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetDefault {
    pub table: TableName,
    pub column: Ident,
    pub default: String,
}

impl Described for SetDefault {
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

impl Ddl for SetDefault {
    fn parts(&self, _: &Plan) -> Vec<Part> {
        vec![Part::locking(
            Goal::Default {
                table: self.table.clone(),
                column: self.column.clone(),
            },
            vec![
                Statement::new(format!(
                    "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}",
                    self.table, self.column, self.default
                ))
                .lock(&self.table, Lock::AccessExclusiveLock),
            ],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }
}

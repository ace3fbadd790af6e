//! `rename_object`: an index or constraint takes the name of the one that went with the old column.

use crate::plan::ident::{Ident, TableName};
use crate::statement::part::{Goal, Lock, Part, Statement};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameObject {
    pub table: TableName,
    pub kind: ObjectKind,
    pub from: Ident,
    pub to: Ident,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    Index,
    Constraint,
}

impl RenameObject {
    pub fn part(&self) -> Part {
        let Self {
            table, from, to, ..
        } = self;
        match self.kind {
            ObjectKind::Index => Part::locking(
                Goal::NoIndex {
                    table: table.clone(),
                    name: from.clone(),
                },
                vec![
                    Statement::new(format!(
                        "ALTER INDEX {}.{from} RENAME TO {to}",
                        table.schema
                    ))
                    .lock(table, Lock::ShareUpdateExclusiveLock),
                ],
            ),
            ObjectKind::Constraint => Part::locking(
                Goal::NoConstraint {
                    table: table.clone(),
                    name: from.clone(),
                },
                vec![
                    Statement::new(format!(
                        "ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}"
                    ))
                    .lock(table, Lock::AccessExclusiveLock),
                ],
            ),
        }
    }
}

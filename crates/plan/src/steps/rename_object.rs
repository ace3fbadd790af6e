//! `rename_object`: an index or constraint takes the name of the one that went with the old column.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{
    ddl_unit::{Commented, DdlUnit, Goal, Statement},
    foreign_key::Checked,
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gives an index or constraint the name of the one that was dropped with the old column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameObject {
    pub table: TableName,
    pub kind: ObjectKind,
    pub from: Ident,
    pub to: Ident,
    /// The comment of the former object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// For a constraint: that of the index of the former constraint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_comment: Option<String>,
    /// For an index: the table is marked as clustered on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clustered: bool,
    /// For a foreign key that was checked at the end of transactions until then: when it is checked afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<Checked>,
    /// For an index: the statistics targets of the former index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<KeyStatistics>,
}

/// The statistics target of an index key that is an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyStatistics {
    /// Number of the key, counted from 1.
    pub key: i16,
    pub target: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    Index,
    Constraint,
}

impl Described for RenameObject {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    /// A constraint and an index may have one name: only the constraint's is said with its table's.
    fn subject(&self) -> String {
        match self.kind {
            ObjectKind::Index => format!("{}.{}", self.table.schema, self.from),
            ObjectKind::Constraint => format!("{}.{}", self.table, self.from),
        }
    }
}

impl Ddl for RenameObject {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let mut part = self.rename();
        let Self { table, to, .. } = self;
        if let Some(comment) = &self.comment {
            let on = match self.kind {
                ObjectKind::Index => Commented::Index(table.clone(), to.clone()),
                ObjectKind::Constraint => Commented::Constraint(table.clone(), to.clone()),
            };
            part.statements.push(on.statement(Some(comment)));
        }
        if let Some(comment) = &self.index_comment {
            let index = Commented::Index(table.clone(), to.clone());
            part.statements.push(index.statement(Some(comment)));
        }
        part.statements
            .extend(self.statistics.iter().map(|KeyStatistics { key, target }| {
                let schema = &table.schema;
                Statement::new(format!(
                    "ALTER INDEX {schema}.{to} ALTER COLUMN {key} SET STATISTICS {target}"
                ))
            }));
        if self.clustered {
            part.statements.push(
                Statement::new(format!("ALTER TABLE {table} CLUSTER ON {to}"))
                    .lock(table, Lock::ShareUpdateExclusiveLock),
            );
        }
        if let Some(checked) = self.checked {
            let when = checked.as_str();
            part.statements.push(
                Statement::new(format!("ALTER TABLE {table} ALTER CONSTRAINT {to} {when}"))
                    .lock(table, Lock::AccessExclusiveLock),
            );
        }
        vec![part]
    }

    fn note(&self) -> Option<String> {
        (self.checked == Some(Checked::InitiallyImmediate)).then(|| {
            format!(
                "if a transaction ran SET CONSTRAINTS {0} DEFERRED before this and writes afterwards, the constraint is checked at once, and the transaction may fail with 23503, once",
                self.to
            )
        })
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

impl RenameObject {
    fn rename(&self) -> DdlUnit {
        let Self {
            table, from, to, ..
        } = self;
        match self.kind {
            ObjectKind::Index => DdlUnit::locking(
                Goal::NoIndex {
                    table: table.clone(),
                    name: from.clone(),
                },
                vec![Statement::new(format!(
                    "ALTER INDEX {}.{from} RENAME TO {to}",
                    table.schema
                ))],
            ),
            ObjectKind::Constraint => DdlUnit::locking(
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

//! `swap_primary_key`: a unique index that is there becomes the primary key in the old one's place, under its name.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{
    ddl_unit::{Commented, DdlUnit, Goal, Statement},
    literal,
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes an existing unique index the primary key, under the name of the old one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapPrimaryKey {
    pub table: TableName,
    /// The primary key's name, old and new.
    pub name: Ident,
    /// A unique index over columns that are all NOT NULL. Otherwise PostgreSQL would scan the table under the lock.
    pub index: Ident,
    /// `DEFERRABLE INITIALLY DEFERRED`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferring: Option<String>,
    /// The comment of the former object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// That of the former index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_comment: Option<String>,
    /// The table is marked as clustered on the index.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clustered: bool,
}

impl Described for SwapPrimaryKey {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }
}

impl Ddl for SwapPrimaryKey {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self {
            table, name, index, ..
        } = self;
        let deferring = self
            .deferring
            .as_ref()
            .map_or(String::new(), |text| format!(" {text}"));
        let alter = |what: String| {
            Statement::new(format!("ALTER TABLE {table} {what}"))
                .lock(table, Lock::AccessExclusiveLock)
        };
        let mut statements = vec![
            alter(format!("DROP CONSTRAINT {name}")),
            alter(format!(
                "ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {index}{deferring}"
            )),
        ];
        if let Some(comment) = &self.comment {
            let comment = literal::text(comment);
            statements.push(Statement::new(format!(
                "COMMENT ON CONSTRAINT {name} ON {table} IS {comment}"
            )));
        }
        if let Some(comment) = &self.index_comment {
            let index = Commented::Index(table.clone(), name.clone());
            statements.push(index.statement(Some(comment)));
        }
        if self.clustered {
            statements.push(alter(format!("CLUSTER ON {name}")));
        }
        vec![DdlUnit::locking(
            // The index has the constraint's name from then on.
            Goal::NoIndex {
                table: table.clone(),
                name: index.clone(),
            },
            statements,
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

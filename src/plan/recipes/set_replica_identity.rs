//! `set_replica_identity`: what logical replication says of a row that is changed or deleted.

use super::{
    Change, drop_index,
    relation::{self, Errors, Fit},
};
use crate::plan::{
    document::{PhaseDocument, PhaseName},
    error::Path,
    facts::{Facts, Index, Table},
    ident::{Ident, TableName},
    steps::{Step, set_replica_identity::SetReplicaIdentity as SetReplicaIdentityStep},
};
use crate::statement::part::ReplicaIdentity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReplicaIdentity {
    pub table: TableName,
    /// Left out with `index`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// A unique index over NOT NULL columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Ident>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The primary key.
    Default,
    /// All columns as they were: every change is logged with the whole old row.
    Full,
    /// Updates and deletes cannot be published.
    Nothing,
}

impl SetReplicaIdentity {
    /// A row without a value could not be told from another. What an index only includes may be NULL.
    fn check_required(&self, table: &Table, index: &Index, at: &Path) -> Result<(), Errors> {
        let nullable = index.columns.iter().find(|name| {
            let column = table.column(name);
            column.is_some_and(|column| !column.not_null)
        });
        match nullable.filter(|_| !index.using.contains(" INCLUDE (")) {
            None => Ok(()),
            Some(column) => relation::refuse(
                &at.key("index"),
                format!("{column} may be NULL, and is in {}", index.name),
                "make it required first: set_not_null",
            ),
        }
    }
}

impl Change for SetReplicaIdentity {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
        let identity = match (self.identity, &self.index) {
            (Some(Identity::Default), None) => ReplicaIdentity::Default,
            (Some(Identity::Full), None) => ReplicaIdentity::Full,
            (Some(Identity::Nothing), None) => ReplicaIdentity::Nothing,
            (None, Some(name)) => {
                let index = drop_index::index(&self.table, table, name, at)?;
                if !index.unique || index.using.contains(" WHERE ") {
                    let message = format!("{name} is not a unique index over all rows");
                    let help = "a replica identity tells every row from every other";
                    return relation::refuse(&at.key("index"), message, help);
                }
                self.check_required(table, index, at)?;
                ReplicaIdentity::Index(name.clone())
            }
            (Some(_), Some(_)) | (None, None) => {
                let help = "say `identity: full`, `default` or `nothing`, or `index: NAME`";
                return relation::refuse(at, "one of `identity` and `index` is wanted", help);
            }
        };
        let step = SetReplicaIdentityStep {
            table: self.table.clone(),
            identity,
            previous: table.replica_identity.clone(),
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}

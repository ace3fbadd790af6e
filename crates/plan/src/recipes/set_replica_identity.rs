//! `set_replica_identity`: what logical replication says of a row that is changed or deleted.

use super::named::{Named, Naming, What};
use super::{
    Change, drop_index,
    relation::{self, Errors, Fit},
};
use crate::sqlgen::ddl_unit::ReplicaIdentity;
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::{Facts, Index, Table},
    steps::{Step, set_replica_identity::SetReplicaIdentity as SetReplicaIdentityStep},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReplicaIdentity {
    pub table: TableName,
    /// Not used with `index`.
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
    /// All columns. Every change writes the whole old row to WAL.
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

    /// The index to be, where one is named.
    fn named<'a>(&self, table: &'a Table, at: &Path) -> Result<Option<&'a Index>, Errors> {
        let Some(name) = &self.index else {
            return Ok(None);
        };
        let index = drop_index::index(&self.table, table, name, at)?;
        if !index.unique || index.using.contains(" WHERE ") {
            let message = format!("{name} is not a unique index over all rows");
            let help = "a replica identity tells every row from every other";
            return relation::refuse(&at.key("index"), message, help);
        }
        self.check_required(table, index, at)?;
        Ok(Some(index))
    }

    fn of_table(&self, table: &Table, at: &Path) -> Result<ReplicaIdentity, Errors> {
        match (self.identity, self.named(table, at)?) {
            (Some(Identity::Default), None) => Ok(ReplicaIdentity::Default),
            (Some(Identity::Full), None) => Ok(ReplicaIdentity::Full),
            (Some(Identity::Nothing), None) => Ok(ReplicaIdentity::Nothing),
            (None, Some(index)) => Ok(ReplicaIdentity::Index(index.name.clone())),
            (Some(_), Some(_)) | (None, None) => {
                let help = "say `identity: full`, `default` or `nothing`, or `index: NAME`";
                relation::refuse(at, "one of `identity` and `index` is wanted", help)
            }
        }
    }

    /// A partition's rows are logged by its own identity: PostgreSQL hands none down.
    fn of_partitions(
        &self,
        facts: &Facts,
        table: &Table,
        identity: &ReplicaIdentity,
        at: &Path,
    ) -> Result<Vec<Step>, Errors> {
        let named = self.named(table, at)?;
        let parts: Vec<_> = named
            .into_iter()
            .flat_map(|index| drop_index::parts(facts, table, index))
            .collect();
        let mut steps = Vec::new();
        for (partition, own) in relation::partitions(facts, table) {
            let part = parts.iter().find(|(found, ..)| *found == partition);
            let identity = match (named, part) {
                (None, _) => identity.clone(),
                (Some(_), Some((_, _, index))) => ReplicaIdentity::Index(index.name.clone()),
                (Some(index), None) => {
                    let message = format!("{} has no part of {}", partition.table, index.name);
                    let help = "an index that does not cover every partition cannot identify all rows: drop_index, then add_index";
                    return relation::refuse(&at.key("index"), message, help);
                }
            };
            steps.push(Step::from(SetReplicaIdentityStep {
                table: partition.table.clone(),
                identity,
                previous: own.replica_identity.clone(),
                partition_of: Some(self.table.clone()),
            }));
        }
        Ok(steps)
    }
}

impl Change for SetReplicaIdentity {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn contradictions(&self, at: &Path) -> Errors {
        if self.identity.is_some() != self.index.is_some() {
            return Errors::new();
        }
        let help = "say `identity: full`, `default` or `nothing`, or `index: NAME`";
        vec![PlanError::at(at.clone(), "one of `identity` and `index` is wanted").help(help)]
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let naming =
            Naming::of(&self.table).and(What::OfTable("replica identity"), at.key("table"));
        match &self.index {
            Some(index) => naming.and(What::TakesObject(index), at.key("index")),
            None => naming,
        }
        .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        relation::no_foreign_partition(table, at)?;
        let identity = self.of_table(table, at)?;
        let mut steps = vec![Step::from(SetReplicaIdentityStep {
            table: self.table.clone(),
            identity: identity.clone(),
            previous: table.replica_identity.clone(),
            partition_of: None,
        })];
        steps.extend(self.of_partitions(facts, table, &identity, at)?);
        Ok(vec![relation::phase(PhaseName::Expand, steps)])
    }
}

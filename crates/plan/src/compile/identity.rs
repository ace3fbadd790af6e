//! Published tables whose rows cannot be told apart: PostgreSQL refuses to update and delete them.

use super::Compiler;
use crate::{
    facts::Table,
    sqlgen::ddl_unit::ReplicaIdentity,
    steps::{Step, drop_constraint::DropConstraint, set_replica_identity::SetReplicaIdentity},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::TableName,
};

const HELP: &str = "give it one first: ALTER TABLE … REPLICA IDENTITY FULL, or the recipe set_replica_identity; a primary key is one too";

impl Compiler<'_> {
    /// The plan's own writes would fail.
    pub(super) fn check_identity(&mut self, place: &Path, name: &TableName, table: &Table) {
        let mut steps = self.phases.iter().flat_map(|placed| &placed.phase.steps);
        let is_updated = steps.any(|step| match step {
            Step::Fill(step) => step.table == *name,
            Step::SyncTables(step) => step.from == *name || step.to == *name,
            _ => false,
        });
        let is_given = self.phases.iter().flat_map(|placed| &placed.phase.steps).any(
            |step| matches!(step, Step::SetReplicaIdentity(step) if step.table == *name && step.identity != ReplicaIdentity::Nothing),
        );
        if is_updated && !is_given && !table.published_without_identity.is_empty() {
            let message = format!(
                "{name} is published ({}) and has no replica identity: PostgreSQL refuses to update and delete its rows",
                table.published_without_identity.join(", ")
            );
            self.problem(PlanError::at(place.clone(), message).help(HELP));
        }
    }

    /// From this step on the application's writes would fail.
    pub(super) fn check_takes_identity(&mut self, path: &Path, step: &Step) {
        let (name, takes) = match step {
            Step::SetReplicaIdentity(step) => (&step.table, self.identity_ends(step)),
            Step::DropConstraint(step) => (&step.table, self.identity_goes(step)),
            _ => return,
        };
        let Some(table) = self.table(name).filter(|_| takes) else {
            return;
        };
        if table.published_changes.is_empty() {
            return;
        }
        let message = format!(
            "{name} is published ({}): without a replica identity PostgreSQL refuses to update and delete its rows",
            table.published_changes.join(", ")
        );
        self.problem(PlanError::at(path.clone(), message).help(
            "take it out of the publication first (ALTER PUBLICATION … DROP TABLE), or give it another replica identity",
        ));
    }

    fn identity_ends(&self, step: &SetReplicaIdentity) -> bool {
        match step.identity {
            ReplicaIdentity::Nothing => true,
            ReplicaIdentity::Default => self
                .table(&step.table)
                .is_some_and(|table| !table.indexes.iter().any(|index| index.primary)),
            ReplicaIdentity::Full | ReplicaIdentity::Index(_) => false,
        }
    }

    fn identity_goes(&self, step: &DropConstraint) -> bool {
        let Some(table) = self.table(&step.table) else {
            return false;
        };
        let mut served = table
            .indexes
            .iter()
            .filter(|index| index.constraint.as_ref() == Some(&step.name));
        served.any(|index| {
            index.replica_identity
                || index.primary && table.replica_identity == ReplicaIdentity::Default
        })
    }
}

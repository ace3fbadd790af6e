//! What a partition has of its own on a column that goes: refused by name, or said.

use super::Compiler;
use crate::{facts::OwnOfPartition, steps::Step};
use crossfade_model::{
    error::PlanError,
    ident::{Ident, TableName},
};

const PART: &str = "drop it before the change, and create it on the new column of that partition after `backfill` (CREATE INDEX CONCURRENTLY; ALTER TABLE … ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT)";
const SETTING: &str = "set it on the whole table, or remove it from the partition before the change and set it on the new column afterwards";

impl Compiler<'_> {
    /// PostgreSQL drops it with the column, and says nothing.
    pub(super) fn check_own_of_partitions(&mut self) {
        for (name, column) in self.dropped_columns() {
            let Some(table) = self.table(&name) else {
                continue;
            };
            let is_replaced = self.is_replaced(&name);
            let own = table.own_of_partitions.iter();
            let own: Vec<&OwnOfPartition> = own
                .filter(|own| own.column == column && !self.is_carried_on(own))
                .filter(|own| is_replaced || own.part.is_some())
                .collect();
            let place = self.place(&name);
            for own in own {
                let OwnOfPartition {
                    partition, what, ..
                } = own;
                let message = format!(
                    "the partition {partition}: {what} would be dropped with {name}.{column}"
                );
                let error = PlanError::at(place.clone(), message);
                let keeps_it = own.part.as_ref().is_some_and(|part| {
                    // Another table that refers to it keeps the column from being dropped.
                    part.table != *partition
                });
                self.problem(match &own.part {
                    Some(_) if is_replaced => error.help(PART),
                    Some(_) if keeps_it => error.help("drop it first"),
                    Some(_) => error.warning().help(
                        "until `contract` a rollback keeps it; then it is gone with the column",
                    ),
                    None => error.help(SETTING),
                });
            }
        }
    }

    /// Other columns take the place of those of this table.
    fn is_replaced(&self, table: &TableName) -> bool {
        let mut steps = self.steps();
        steps.any(|step| matches!(step, Step::SyncColumns(sync) if sync.table == *table))
    }

    /// What the plan builds takes its name.
    fn is_carried_on(&self, own: &OwnOfPartition) -> bool {
        let Some(part) = &own.part else { return false };
        let wanted: (&TableName, &Ident) = (&part.table, &part.name);
        let mut steps = self.steps();
        steps.any(|step| match step {
            Step::RenameObject(step) => (&step.table, &step.to) == wanted,
            _ => false,
        })
    }
}

//! Tables that another product keeps, or writes to: refused by name where the plan would not reach the rows.

use super::Compiler;
use crate::{facts::Table, product::Reach, steps::Step};
use crossfade_model::{
    error::{Path, PlanError},
    ident::TableName,
};

impl Compiler<'_> {
    pub(super) fn check_products(&mut self, place: &Path, name: &TableName, table: &Table) {
        let problems: Vec<PlanError> = table
            .products
            .iter()
            .filter_map(|product| {
                let problem =
                    PlanError::at(place.clone(), format!("{name} {}", product.sentence()))
                        .help(product.help());
                match product.reach() {
                    Reach::RowsElsewhere => self.needs_rows(name).then_some(problem),
                    Reach::PastTriggers => self.needs_triggers(name).then_some(problem),
                    Reach::SentOn => self.added.contains_key(name).then(|| problem.warning()),
                    Reach::Unknown => self.needs_rows(name).then(|| problem.warning()),
                }
            })
            .collect();
        for problem in problems {
            self.problem(problem);
        }
    }

    /// It walks the table, or has triggers on it.
    fn needs_rows(&self, name: &TableName) -> bool {
        let mut steps = self.steps();
        let walks = steps.any(|step| {
            matches!(step, Step::Fill(_) | Step::Match(_)) && step.tables().contains(&name)
        });
        walks || self.needs_triggers(name)
    }

    pub(super) fn needs_triggers(&self, name: &TableName) -> bool {
        let mut steps = self.steps();
        steps.any(|step| match step {
            Step::SyncColumns(sync) => sync.table == *name,
            Step::SyncTables(sync) => sync.from == *name || sync.to == *name,
            _ => false,
        })
    }
}

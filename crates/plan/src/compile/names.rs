//! Names that the plan gives to new objects of a schema: whether something else has them. PostgreSQL would say so in the middle of a
//! run.

use super::{Compiler, explicit};
use crate::{
    document::Document,
    facts::{Facts, Holder},
    steps::{NewName, Sorted, Step},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::TableName,
};

/// The names that are to be looked for.
pub fn new_names(document: &Document, facts: &Facts) -> Vec<TableName> {
    let phases = explicit(document, facts).unwrap_or_default();
    let steps = phases.iter().flat_map(|placed| &placed.phase.steps);
    let mut names: Vec<TableName> = steps
        .flat_map(given)
        .map(|given| given.name().clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn given(step: &Step) -> Vec<NewName> {
    match step.sorted() {
        Sorted::Ddl(step) => step.ddl().new_names(),
        Sorted::SyncColumns(_)
        | Sorted::SyncTables(_)
        | Sorted::Fill(_)
        | Sorted::Match(_)
        | Sorted::Query(_) => Vec::new(),
    }
}

/// Whether the server would refuse the name. What is there already and is just what the step makes is found by the step.
fn is_taken(given: &NewName, holder: &Holder, facts: &Facts) -> bool {
    match given {
        NewName::Index { table, .. } => {
            holder.is_relation && holder.index_of.as_ref() != Some(table)
        }
        NewName::Table(_) => !holder.is_table,
        NewName::Renamed(_) => true,
        NewName::Enum(_) => holder.is_type && !holder.is_enum,
        NewName::Constraint { table, from, .. } => {
            let indexes = facts
                .table(table)
                .into_iter()
                .flat_map(|table| &table.indexes);
            let mut served = indexes.filter(|index| index.constraint.as_ref() == Some(from));
            holder.is_relation && served.next().is_some()
        }
    }
}

impl Compiler<'_> {
    pub(super) fn check_names(&mut self) {
        for placed in self.phases {
            for (path, step) in placed.placed_steps() {
                for given in given(step) {
                    let holders = self.facts.holders.get(given.name());
                    let taken = holders.into_iter().flatten();
                    let taken = taken
                        .into_iter()
                        .find(|holder| is_taken(&given, holder, self.facts));
                    if let Some(holder) = taken {
                        self.problem(refusal(path.clone(), &given, holder));
                    }
                }
            }
        }
    }
}

fn refusal(path: Path, given: &NewName, holder: &Holder) -> PlanError {
    let TableName { schema, name } = given.name();
    PlanError::at(
        path,
        format!("the schema {schema} has {} {name} already", holder.what),
    )
    .help("choose another name, or rename what has it")
}

//! Plans that are looked at together: no two may have one name, or be in each other's way.

use super::{claims, compiled::Plan, document::Document, steps::Sorted};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use std::collections::BTreeSet;

/// A plan beside others.
pub struct Planned<'a> {
    /// What its file is called.
    pub file: &'a str,
    pub document: &'a Document,
    /// Where it was compiled: then it is known which columns it reads, too.
    pub plan: Option<&'a Plan>,
    /// A run of it is active or completed: the other is told apart from that by what the database has recorded.
    pub is_registered: bool,
}

/// What is wrong with one plan beside those that come before it.
pub fn conflicts(plan: &Planned<'_>, earlier: &[Planned<'_>]) -> Vec<PlanError> {
    let mut errors = Vec::new();
    for other in earlier {
        let name = &plan.document.name;
        if *name == other.document.name {
            let at = Path::root().key("name");
            let message = format!("{} has the name {name} too", other.file);
            errors.push(
                PlanError::at(at, message)
                    .help("a run has the name of its plan: give one of them another name"),
            );
            continue;
        }
        if plan.is_registered || other.is_registered {
            continue;
        }
        let met = met(plan, other);
        if !met.is_empty() {
            let message = format!(
                "{name} and {} of {} are about the same: {}",
                other.document.name,
                other.file,
                met.join(", ")
            );
            errors.push(PlanError::at(place_of(plan.document), message).on_key().help(
                "two runs cannot change one column at the same time. When the first run has completed, check and start the second",
            ));
        }
    }
    errors
}

fn met(plan: &Planned<'_>, other: &Planned<'_>) -> Vec<String> {
    if let (Some(plan), Some(other)) = (plan.plan, other.plan) {
        return claims::met(plan, other);
    }
    let (ours, theirs) = (changed(plan.document), changed(other.document));
    let both = ours.intersection(&theirs);
    both.map(|(table, column)| format!("{table}.{column} (both change it)"))
        .collect()
}

/// The columns that a document says it changes, which may not be all of them.
fn changed(document: &Document) -> BTreeSet<(TableName, Ident)> {
    let mut changed = BTreeSet::new();
    let mut add = |table: &TableName, column: &Ident| {
        changed.insert((table.clone(), column.clone()));
    };
    for (at, recipe) in document.recipes() {
        for named in recipe.named(&at) {
            if let Some(column) = named.what.column().filter(|_| named.what.changes_column()) {
                add(named.table, column);
            }
        }
    }
    let phases = document.phases.iter().flatten();
    for step in phases.flat_map(|phase| &phase.steps) {
        if let Sorted::Ddl(step) = step.sorted() {
            let step = step.ddl();
            let Some(table) = step.tables().first().copied() else {
                continue;
            };
            for column in step.claims().into_iter().chain(step.needs()) {
                add(table, column);
            }
        }
    }
    changed
}

/// Where a document says what it changes.
pub fn place_of(document: &Document) -> Path {
    match document.recipes().as_slice() {
        [] => Path::root().key("phases"),
        [(at, recipe)] => at.key(recipe.name()),
        _ => Path::root().key("changes"),
    }
}

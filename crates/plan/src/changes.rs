//! Several changes of one plan, made as one: their phases are put together by name, and what they do to one table shares
//! its triggers, its backfill, its comparison and its place in `contract`.

mod beside;
mod contradictions;
mod foreseen;
mod merge;

use super::{
    compile::Placed,
    document::PhaseDocument,
    facts::Facts,
    recipes::{Named, Recipe, Replacement},
    sqlgen::rename::names_column,
    steps::{Sorted, Step},
};
pub(crate) use contradictions::contradictions;
use crossfade_model::error::{Path, PlanError};
pub(crate) use foreseen::given;
use std::borrow::Cow;

type Errors = Vec<PlanError>;

/// So many changes one plan has at most: each is held against each other.
const CHANGES_MAX: usize = 50;
/// `contract` locks them all at once.
const TABLES_MAX: usize = 20;

/// One change with what it names.
pub(crate) struct Part<'a> {
    pub recipe: &'a Recipe,
    /// Where its words stand: `changes[0].rename_column`.
    pub at: Path,
    pub named: Vec<Named<'a>>,
}

/// Changes that compile into phases together: those that replace columns of one table, or a single one.
struct Unit {
    /// By their numbers.
    parts: Vec<usize>,
    phases: Vec<PhaseDocument>,
}

fn parts<'a>(changes: &'a [Recipe]) -> Vec<Part<'a>> {
    let part = |(number, recipe): (usize, &'a Recipe)| {
        let at = Path::root().key("changes").index(number);
        Part {
            named: recipe.named(&at),
            at: at.key(recipe.name()),
            recipe,
        }
    };
    changes.iter().enumerate().map(part).collect()
}

/// The explicit phases of all changes, or every error of all of them.
pub(crate) fn phases(changes: &[Recipe], facts: &Facts) -> Result<Vec<Placed>, Errors> {
    let mut errors = contradictions(changes);
    for (number, recipe) in changes.iter().enumerate() {
        errors.extend(recipe.contradictions(&Path::root().key("changes").index(number)));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let parts = parts(changes);
    let given = given(changes, facts);
    let units = units(&parts, &given)?;
    if units.len() > 1 || parts.len() > 1 {
        let errors = beside::errors(&parts, &units, facts);
        if !errors.is_empty() {
            return Err(errors);
        }
    }
    Ok(merge::merged(&parts, units))
}

fn units(parts: &[Part<'_>], given: &[Cow<'_, Facts>]) -> Result<Vec<Unit>, Errors> {
    /// What is to become a unit, in the order of the changes.
    enum Found<'a> {
        Replaces(Vec<usize>, Replacement<'a>),
        Alone(usize, Vec<PhaseDocument>),
    }
    let mut found: Vec<Found<'_>> = Vec::new();
    let mut errors = Errors::new();
    for (number, (part, facts)) in parts.iter().zip(given).enumerate() {
        let at = Path::root().key("changes").index(number);
        let replacement = match part.recipe.replacement(facts, &at) {
            Ok(replacement) => replacement,
            Err(more) => {
                errors.extend(more);
                continue;
            }
        };
        let Some(replacement) = replacement else {
            match part.recipe.phases(facts, &at) {
                Ok(phases) => found.push(Found::Alone(number, phases)),
                Err(more) => errors.extend(more),
            }
            continue;
        };
        errors.extend(replacement.refusals(&part.at));
        let same = found.iter_mut().find_map(|other| match other {
            Found::Replaces(numbers, other) if other.table_name == replacement.table_name => {
                Some((numbers, other))
            }
            Found::Replaces(..) | Found::Alone(..) => None,
        });
        match same {
            Some((numbers, other)) => {
                numbers.push(number);
                other.join(replacement);
            }
            None => found.push(Found::Replaces(vec![number], replacement)),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let unit = |found| match found {
        Found::Replaces(parts, replacement) => Unit {
            parts,
            phases: replacement.as_phases(),
        },
        Found::Alone(number, phases) => Unit {
            parts: vec![number],
            phases,
        },
    };
    Ok(found.into_iter().map(unit).collect())
}

impl Unit {
    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.phases.iter().flat_map(|phase| &phase.steps)
    }

    /// The number of the change that a step is about, by the columns that it names.
    fn part_of(&self, step: &Step, parts: &[Part<'_>]) -> usize {
        let first = self.parts.first().copied().unwrap_or_default();
        let Sorted::Ddl(ddl) = step.sorted() else {
            return first;
        };
        let ddl = ddl.ddl();
        let columns: Vec<_> = ddl.claims().into_iter().chain(ddl.needs()).collect();
        let text = match step {
            Step::CreateIndex(create) => &create.using,
            Step::AddConstraint(add) => &add.definition,
            _ => "",
        };
        let is_about = |number: &&usize| {
            let named = parts.get(**number).map_or(&[][..], |part| &part.named);
            named.iter().any(|named| {
                let is_it = |column| columns.contains(&column) || names_column(text, column);
                Some(named.table) == step.table() && named.what.column().is_some_and(is_it)
            })
        };
        self.parts.iter().find(is_about).copied().unwrap_or(first)
    }
}

//! The phases of all units as one plan's: by name and in order, with one sync, fill, match and `drop_sync` for a table.

use super::{Part, Unit};
use crate::{
    compile::Placed,
    document::{PhaseDocument, PhaseName},
    steps::{
        Step, add_column::AddColumn, fill::FillStep, rows_match::MatchStep,
        sync_columns::SyncColumns,
    },
};
use crossfade_model::error::Path;

pub(super) fn merged(parts: &[Part<'_>], units: Vec<Unit>) -> Vec<Placed> {
    let mut names: Vec<PhaseName> = units
        .iter()
        .flat_map(|unit| unit.phases.iter().map(|phase| phase.phase))
        .collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| one_phase(name, parts, &units))
        .collect()
}

fn one_phase(name: PhaseName, parts: &[Part<'_>], units: &[Unit]) -> Placed {
    let mut steps: Vec<(Path, Step)> = Vec::new();
    for unit in units {
        let phases = unit.phases.iter().filter(|phase| phase.phase == name);
        for step in phases.flat_map(|phase| &phase.steps) {
            let part = unit.part_of(step, parts);
            let at = parts.get(part).map_or(Path::root(), |part| part.at.clone());
            if !steps.iter_mut().any(|(_, other)| joins(other, step)) {
                let step = told_apart(step, &steps, unit, parts);
                steps.push((at, step));
            }
        }
    }
    if units.len() > 1 {
        steps.sort_by_key(|(_, step)| turn(step, units));
    }
    let (places, steps) = steps.into_iter().unzip();
    Placed {
        at: Path::root().key("changes"),
        phase: PhaseDocument {
            phase: name,
            gate: crate::document::Gate::default(),
            steps,
        },
        steps: places,
    }
}

/// Which steps of a phase come first, whatever the order of the changes.
fn turn(step: &Step, units: &[Unit]) -> u8 {
    let is_filled_by_triggers = |add: &AddColumn| {
        let mut steps = units.iter().flat_map(Unit::steps);
        steps.any(|other| match other {
            Step::SyncColumns(sync) => {
                sync.table == add.table && sync.forward.contains_key(&add.column)
            }
            _ => false,
        })
    };
    match step {
        // While a trigger's condition names a column, PostgreSQL does not drop it.
        Step::DropSync(_) => 0,
        // A rollback to `expand` adds columns that triggers fill again, behind all others.
        Step::AddColumn(add) if !is_filled_by_triggers(add) => 1,
        Step::AddColumn(_) => 2,
        _ => 3,
    }
}

/// Makes `step` a part of `other`, if both do the same to one table.
fn joins(other: &mut Step, step: &Step) -> bool {
    match (other, step) {
        (
            Step::SyncColumns(SyncColumns {
                table,
                forward,
                backward,
                on_unconvertible,
            }),
            Step::SyncColumns(more),
        ) if *table == more.table && *on_unconvertible == more.on_unconvertible => {
            forward.extend(more.forward.clone());
            backward.extend(more.backward.clone());
            true
        }
        (
            Step::Fill(FillStep {
                table,
                set,
                from: None,
            }),
            Step::Fill(more),
        ) if *table == more.table && more.from.is_none() => {
            set.extend(more.set.clone());
            true
        }
        (
            Step::Match(MatchStep {
                table,
                columns,
                backward,
                from: None,
            }),
            Step::Match(more),
        ) if *table == more.table && more.from.is_none() => {
            columns.extend(more.columns.clone());
            backward.extend(more.backward.clone());
            true
        }
        (Step::DropSync(other), Step::DropSync(more)) => other.table == more.table,
        _ => false,
    }
}

/// Queries about two tables may have one name, as a recipe does not say of which table it asks.
fn told_apart(step: &Step, steps: &[(Path, Step)], unit: &Unit, parts: &[Part<'_>]) -> Step {
    let Step::Query(query) = step else {
        return step.clone();
    };
    let is_taken = steps.iter().any(|(_, other)| other.id() == step.id());
    let part = unit.parts.first().and_then(|number| parts.get(*number));
    let named = part.and_then(|part| part.named.first());
    match named.filter(|_| is_taken) {
        Some(named) => {
            let mut query = query.clone();
            query.name = format!("{} ({})", query.name, named.table);
            Step::Query(query)
        }
        None => step.clone(),
    }
}

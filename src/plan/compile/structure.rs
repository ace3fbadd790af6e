//! What can be said of a plan without a database: its form, its order, and where a step may stand.

use super::{analysis, explicit};
use crate::plan::{
    document::{Document, Gate, PhaseDocument, PhaseName},
    error::{Path, PlanError},
    facts::Facts,
};
use std::collections::BTreeSet;

/// What can be said of a document without a database.
pub fn check_structure(document: &Document) -> Vec<PlanError> {
    let mut errors = check_form(document);
    errors.extend(analysis::errors(document, &Facts::default()));
    errors
}

/// The same without a judgement of the author's own statements, which depends on what is known of their tables.
pub fn check_form(document: &Document) -> Vec<PlanError> {
    let mut errors = Vec::new();
    if document.change.is_some() == document.phases.is_some() {
        errors.extend(
            explicit(document, &Facts::default())
                .err()
                .into_iter()
                .flatten(),
        );
    }
    for (at, limit) in [
        ("lock_timeout", document.settings.lock_timeout),
        ("statement_timeout", document.settings.statement_timeout),
    ] {
        if limit.millis() == 0 {
            let path = Path::root().key("settings").key(at);
            errors.push(PlanError::at(
                path,
                format!("`{at}` cannot be 0: that would be no limit at all"),
            ));
        }
    }
    if let Some(phases) = &document.phases {
        let located: Vec<(Path, PhaseDocument)> = phases
            .iter()
            .enumerate()
            .map(|(number, phase)| (Path::root().key("phases").index(number), phase.clone()))
            .collect();
        errors.extend(check_phases(&located));
        errors.extend(check_gates(document, &located));
        errors.extend(same_names(document, phases));
    }
    errors
}

/// A phase's gate is what stands there and what `gates` adds: what is asked in both must be told apart by its name.
fn same_names(document: &Document, phases: &[PhaseDocument]) -> Vec<PlanError> {
    let mut errors = Vec::new();
    for phase in phases {
        let Some(added) = document.gates.get(&phase.phase) else {
            continue;
        };
        let name = |gate: &Gate, key: &str| match key {
            "query" => gate.query.as_ref().map(|query| query.name.clone()),
            _ => gate.http.as_ref().map(|endpoint| endpoint.name.clone()),
        };
        for key in ["query", "http"] {
            let (here, there) = (name(&phase.gate, key), name(added, key));
            if let Some(twice) = here.filter(|here| Some(here) == there.as_ref()) {
                let path = Path::root().key("gates").key(phase.phase.as_str()).key(key);
                errors.push(PlanError::at(
                    path.key("name"),
                    format!("the gate of {} has a {key} `{twice}` already", phase.phase),
                ));
            }
        }
    }
    errors
}

/// A gate of a phase that is not there would never be asked for.
pub(super) fn check_gates(document: &Document, phases: &[(Path, PhaseDocument)]) -> Vec<PlanError> {
    let names: Vec<&str> = phases
        .iter()
        .map(|(_, phase)| phase.phase.as_str())
        .collect();
    let is_missing = |phase: &&PhaseName| !names.contains(&phase.as_str());
    document
        .gates
        .keys()
        .filter(is_missing)
        .map(|phase| {
            let path = Path::root().key("gates").key(phase.as_str());
            PlanError::at(path, format!("the plan has no phase {phase}"))
                .on_key()
                .help(format!("its phases are {}", names.join(", ")))
        })
        .collect()
}

fn check_phases(phases: &[(Path, PhaseDocument)]) -> Vec<PlanError> {
    let mut errors = Vec::new();
    let mut steps = BTreeSet::new();
    let mut last: Option<PhaseName> = None;
    for (at, phase) in phases {
        let name = phase.phase;
        if phases
            .iter()
            .take_while(|(path, _)| path != at)
            .any(|(_, p)| p.phase == name)
        {
            errors.push(PlanError::at(
                at.key("phase"),
                format!("the phase {name} is there twice"),
            ));
        } else if let Some(last) = last.filter(|last| name != PhaseName::Sql && *last > name) {
            let order = PhaseName::STANDARD.map(PhaseName::as_str).join(", ");
            errors.push(
                PlanError::at(at.key("phase"), format!("{name} cannot come after {last}"))
                    .help(format!("the order is {order}; `sql` may stand anywhere")),
            );
        }
        if name != PhaseName::Sql {
            last = Some(last.map_or(name, |last| last.max(name)));
        }
        for (number, step) in phase.steps.iter().enumerate() {
            let path = at.key("steps").index(number).key(step.kind());
            if !steps.insert(step.id()) {
                errors.push(
                    PlanError::at(
                        path.clone(),
                        format!("the step {} is there twice", step.id()),
                    )
                    .on_key(),
                );
            }
            if !step.described().phases().contains(&name) {
                let right: Vec<&str> = step
                    .described()
                    .phases()
                    .iter()
                    .map(|phase| phase.as_str())
                    .collect();
                errors.push(
                    PlanError::at(path, format!("{} cannot be a step of {name}", step.kind()))
                        .on_key()
                        .help(format!("it belongs in {}", right.join(" or "))),
                );
            }
        }
    }
    errors
}

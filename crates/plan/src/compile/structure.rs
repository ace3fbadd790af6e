//! What can be said of a plan without a database: its form, its order, and where a step may stand.

use super::{Placed, analysis, explicit};
use crate::changes;
use crate::sqlgen::script;
use crate::{
    document::{Document, Gate, PhaseDocument, PhaseName},
    facts::Facts,
    steps::Step,
};
use crossfade_model::error::{Path, PlanError};
use serde_json::Value;
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
    let forms = [
        document.change.is_some(),
        document.changes.is_some(),
        document.phases.is_some(),
    ];
    if forms.iter().filter(|given| **given).count() != 1 {
        errors.extend(
            explicit(document, &Facts::default())
                .err()
                .into_iter()
                .flatten(),
        );
    }
    for (at, recipe) in document.recipes() {
        errors.extend(recipe.contradictions(&at));
    }
    if let Some(recipes) = &document.changes {
        errors.extend(changes::contradictions(recipes));
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
    for (word, range) in document.settings.pacing.out_of_range() {
        let path = Path::root().key("settings").key("pacing").key(word);
        errors.push(PlanError::at(path, format!("`{word}` is {range}")));
    }
    errors.extend(begun_by_nobody(document));
    if let Some(phases) = &document.phases {
        let located: Vec<Placed> = phases
            .iter()
            .enumerate()
            .map(|(number, phase)| Placed::written(number, phase))
            .collect();
        errors.extend(check_phases(&located));
        errors.extend(check_gates(document, &located));
        errors.extend(same_names(document, phases));
    }
    errors.extend(more_than_one_piece(document));
    errors
}

/// Under these words stands SQL that becomes part of a statement.
const PIECES: [&str; 18] = [
    "backward",
    "check",
    "columns",
    "condition",
    "default",
    "definition",
    "exclude",
    "expressions",
    "forward",
    "include",
    "options",
    "order_by",
    "previous",
    "set",
    "type",
    "using",
    "where",
    "with",
];
/// Whole statements and queries, which are looked at by themselves; and texts that are none.
const NO_PIECES: [&str; 4] = ["comment", "query", "settings", "sql"];

/// SQL that would leave the place where it is put: the server would refuse some of it, and without one all of it passes.
fn more_than_one_piece(document: &Document) -> Vec<PlanError> {
    let mut errors = Vec::new();
    let Ok(whole) = serde_json::to_value(document) else {
        return errors;
    };
    for key in ["change", "changes", "phases"] {
        if let Some(value) = whole.get(key) {
            pieces(value, &Path::root().key(key), None, &mut errors);
        }
    }
    errors
}

/// `word`: the one of `PIECES` that this stands under.
fn pieces(value: &Value, at: &Path, word: Option<&str>, errors: &mut Vec<PlanError>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map
                .iter()
                .filter(|(key, _)| !NO_PIECES.contains(&key.as_str()))
            {
                let own = PIECES.contains(&key.as_str()).then_some(key.as_str());
                pieces(value, &at.key(key), own.or(word), errors);
            }
        }
        Value::Array(list) => {
            for (number, value) in list.iter().enumerate() {
                pieces(value, &at.index(number), word, errors);
            }
        }
        Value::String(text) => {
            if let (Some(word), Some(why)) = (word, script::unbalanced(text)) {
                let message = format!("`{word}` {why}");
                errors.push(PlanError::at(at.clone(), message).help(
                    "this text becomes part of one statement. Put statements of your own into a `sql` step",
                ));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
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
pub(super) fn check_gates(document: &Document, phases: &[Placed]) -> Vec<PlanError> {
    let names: Vec<&str> = phases
        .iter()
        .map(|placed| placed.phase.phase.as_str())
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

/// In `gates`, and in the gates of phases that are written out.
fn begun_by_nobody(document: &Document) -> Vec<PlanError> {
    let added = document.gates.iter().map(|(phase, gate)| {
        let path = Path::root().key("gates").key(phase.as_str());
        (*phase, gate, path)
    });
    let written = document.phases.iter().flatten().enumerate();
    let stated = written.map(|(number, phase)| {
        let path = Path::root().key("phases").index(number).key("gate");
        (phase.phase, &phase.gate, path)
    });
    added
        .chain(stated)
        .filter_map(|(phase, gate, path)| not_by_itself(phase, gate, &path))
        .collect()
}

/// What cannot be undone is begun by a person.
pub fn not_by_itself(phase: PhaseName, gate: &Gate, path: &Path) -> Option<PlanError> {
    let is_auto = phase == PhaseName::Contract && gate.auto == Some(true);
    is_auto.then(|| {
        PlanError::at(
            path.key("auto"),
            "contract drops what was old, and never begins by itself",
        )
        .on_key()
    })
}

fn check_phases(phases: &[Placed]) -> Vec<PlanError> {
    let mut errors = Vec::new();
    let mut steps = BTreeSet::new();
    let mut last: Option<PhaseName> = None;
    for Placed { at, phase, .. } in phases {
        let name = phase.phase;
        if phases
            .iter()
            .take_while(|other| other.at != *at)
            .any(|other| other.phase.phase == name)
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
            if let Some(message) = says_the_same_twice(step) {
                errors.push(PlanError::at(path.key("to"), message).help("name another one"));
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

/// What a step would do to a thing and itself.
fn says_the_same_twice(step: &Step) -> Option<&'static str> {
    const NAME: &str = "the new name is the old one";
    match step {
        Step::RenameConstraint(step) => (step.from == step.to).then_some(NAME),
        Step::RenameObject(step) => (step.from == step.to).then_some(NAME),
        Step::SyncTables(step) => (step.from == step.to).then_some("`to` is the table itself"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::read::read_document;

    fn refused(plan: &str) -> Vec<(String, String)> {
        let text = format!("version: 1\nname: a\n{plan}\n");
        let errors = read_document(&text).err().unwrap_or_default().into_iter();
        errors
            .map(|error| (error.path.to_string(), error.message))
            .collect()
    }

    #[test]
    fn a_step_that_names_one_thing_twice_is_refused_without_a_database() {
        let steps = [
            (
                "expand",
                "rename_constraint: {table: public.t, from: c, to: c}",
                "the new name is the old one",
            ),
            (
                "dual_write",
                "sync_tables: {from: public.t, to: public.t, parent: to, by: {id: id}, forward: {}, backward: {}}",
                "`to` is the table itself",
            ),
        ];
        for (phase, step, expected) in steps {
            let found = refused(&format!(
                "phases:\n  - phase: {phase}\n    steps:\n      - {step}"
            ));
            let found_one = found
                .iter()
                .any(|(at, what)| at.ends_with(".to") && what == expected);
            assert!(found_one, "{step}: {found:?}");
        }
    }

    #[test]
    fn what_would_leave_its_place_in_a_statement_is_refused_without_a_database() {
        let column = "change:\n  add_column: {table: public.t, column: c, ";
        let step = "phases:\n  - phase: expand\n    steps:\n      - ";
        for (plan, place, why) in [
            (
                format!("{column}type: 'int; drop table x'}}"),
                "change.add_column.type",
                "`type` has a `;`: one query or expression is wanted, not statements",
            ),
            (
                format!("{column}type: int, default: '1); drop table x; select (1'}}"),
                "change.add_column.default",
                "`default` closes a parenthesis that it has not opened",
            ),
            (
                format!("{column}type: int, forward: \"a || 'b\"}}"),
                "change.add_column.forward",
                "`forward` has a quote that is not closed",
            ),
            (
                format!("{step}create_index: {{table: public.t, name: i, using: 'btree (a); select 1'}}"),
                "phases[0].steps[0].create_index.using",
                "`using` has a `;`: one query or expression is wanted, not statements",
            ),
            (
                "change:\n  transform_columns:\n    table: public.t\n    from: [a]\n    to: {b: {type: 'text;'}}\n    forward: {b: a}\n    backward: {a: 'b;'}".to_owned(),
                "change.transform_columns.to.b.type",
                "`type` has a `;`: one query or expression is wanted, not statements",
            ),
        ] {
            let found = refused(&plan);
            let found_one = found.iter().any(|(at, what)| at == place && what == why);
            assert!(found_one, "{plan}: {found:?}");
        }
        for plan in [
            format!("{column}type: 'numeric(10,2)', default: \"';'\", comment: 'a; b)'}}"),
            "change:\n  sql: {name: a, forward: 'SELECT 1; SELECT 2', done_when: select true, irreversible: true}".to_owned(),
        ] {
            assert_eq!(refused(&plan), [], "{plan}");
        }
    }
}

//! What somebody has put by hand in the place of what a run made, or on it. Going back neither takes that away nor overwrites it
//! without a word: how each object stood before a step, and how the step left it, is recorded, and what is neither is refused by name.

use super::{EngineError, names::names_now, toll};
use crate::database::{catalog, observe};
use crate::store::marks::{self, Marks, Stood};
use crossfade_decisions::lifecycle::{snapshot::Snapshot, transition::State};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{
    ddl_unit::{Commented, DdlUnit},
    objects::{self, Dropped, DroppedKind, Object, Touched, ViewAspect},
};
use crossfade_plan::{
    compiled::{Action, Phase, Plan, PlannedStep, StepId},
    document::PhaseName,
    steps::{DdlStep, Undo, Work, add_column::AddColumn},
};
use crossfade_sql::lexer::significant;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::GenericClient;

/// So much of a definition is shown.
const SHOWN_CHARS: usize = 200;

/// How all that a step is about stands now, by the names of the plan.
pub async fn marks_of(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    step: &PlannedStep,
) -> Result<Marks, EngineError> {
    let plan = &snapshot.plan;
    let mut marks = Marks::default();
    for touched in touched_by(plan, &step.action) {
        if let Some(definition) = definition(client, snapshot, &touched).await? {
            marks.objects.insert(touched.object.to_string(), definition);
        }
    }
    if makes_unnamed(&step.action) {
        let steps = plan
            .steps()
            .filter(|(phase, _)| phase.name != PhaseName::Contract);
        let dropped: Vec<Dropped> = steps
            .flat_map(|(_, step)| dropped_by(snapshot, &step.action))
            .collect();
        let found = catalog::dependents_of_dropped(client, &plan.name, &dropped).await?;
        marks.dependents = Some(found.into_iter().map(|one| one.identity).collect());
    }
    Ok(marks)
}

/// The plan does not name all that its statements make.
fn makes_unnamed(action: &Action) -> bool {
    matches!(
        action,
        Action::Ddl(DdlStep::CreateTable(_) | DdlStep::Sql(_))
    )
}

fn touched_by(plan: &Plan, action: &Action) -> Vec<Touched> {
    let Action::Ddl(_) = action else {
        return Vec::new();
    };
    let mut parts: Vec<DdlUnit> = match action.work(plan) {
        Work::Parts(parts) => parts,
        Work::Fill(..) | Work::Match(_) | Work::Query(_) => Vec::new(),
    };
    if let Undo::Parts(undo) = action.undo(plan) {
        parts.extend(undo);
    }
    objects::touched(&parts)
}

/// What undoing it drops, by the names that columns have now.
fn dropped_by(snapshot: &Snapshot, action: &Action) -> Vec<Dropped> {
    let Undo::Parts(undo) = action.undo(&snapshot.plan) else {
        return Vec::new();
    };
    let mut dropped = objects::dropped(&undo);
    for one in &mut dropped {
        if let (DroppedKind::Column, Some(column)) = (one.kind, &one.sub) {
            let table = TableName {
                schema: one.schema.clone(),
                name: one.name.clone(),
            };
            one.sub = Some(names_now(snapshot, &table).of(column).clone());
        }
    }
    dropped
}

fn table_of(object: &Object) -> &TableName {
    match object {
        Object::Index(table, _)
        | Object::Constraint(table, _)
        | Object::Default(table, _)
        | Object::ReplicaIdentity(table)
        | Object::Column(table, _)
        | Object::View(_, table, _)
        | Object::Comment(
            Commented::Table(table)
            | Commented::Column(table, _)
            | Commented::Index(table, _)
            | Commented::Constraint(table, _),
        ) => table,
    }
}

/// As the server writes it, but for columns that the run itself has renamed.
async fn definition(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    touched: &Touched,
) -> Result<Option<String>, EngineError> {
    let table = table_of(&touched.object);
    let names = names_now(snapshot, table);
    let found = observe::definition(client, touched, |column| names.of(column).clone()).await?;
    let renamed = renamed(snapshot, table);
    Ok(found.map(|text| match &touched.object {
        Object::Comment(_) => text,
        _ => with_planned_names(&text, &renamed),
    }))
}

/// The columns of the table that have another name now, with that of the plan.
fn renamed(snapshot: &Snapshot, table: &TableName) -> BTreeMap<String, Ident> {
    let names = names_now(snapshot, table);
    let retired = snapshot
        .plan
        .steps()
        .filter_map(|(_, step)| match &step.action {
            Action::Ddl(DdlStep::RetireColumn(retire)) if retire.table == *table => Some(retire),
            _ => None,
        });
    retired
        .flat_map(|retire| [Some(&retire.column), retire.replace_with.as_ref()])
        .flatten()
        .filter(|column| names.of(column) != *column)
        .map(|column| (names.of(column).to_string(), column.clone()))
        .collect()
}

fn with_planned_names(text: &str, renamed: &BTreeMap<String, Ident>) -> String {
    let mut changed = text.to_owned();
    for token in significant(text).into_iter().rev() {
        if let Some(planned) = renamed.get(token.text(text)) {
            changed.replace_range(token.range, &planned.to_string());
        }
    }
    changed
}

/// What is neither as these steps have left it, nor as it was before them. `stood`: of all steps of the run, as several may be about
/// one object.
pub async fn replaced<'a>(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    stood: &BTreeMap<StepId, Stood>,
    steps: impl Iterator<Item = &'a PlannedStep>,
) -> Result<Vec<String>, EngineError> {
    let mut told = Vec::new();
    for step in steps {
        let Some(after) = stood.get(&step.id).and_then(|stood| stood.after.as_ref()) else {
            continue;
        };
        for touched in touched_by(&snapshot.plan, &step.action) {
            let name = touched.object.to_string();
            let now = definition(client, snapshot, &touched).await?;
            let as_left = after.objects.get(&name);
            let is_known = match &touched.object {
                // Of a view less is something, too: the table has more.
                Object::View(..) => {
                    now.as_ref() == as_left || !is_view(client, snapshot, &touched).await?
                }
                // What is not there is not taken away.
                _ => {
                    let all = stood.values();
                    let marks = all.flat_map(|one| [&one.before, &one.after]).flatten();
                    let mut known = marks.map(|marks| marks.objects.get(&name));
                    now.is_none() || known.any(|known| known == now.as_ref())
                }
            };
            if is_known {
                continue;
            }
            let as_left = as_left.map(String::as_str);
            let sentence = sentence(&touched.object, as_left, now.as_deref());
            if !told.contains(&sentence) {
                told.push(sentence);
            }
        }
    }
    Ok(told)
}

async fn is_view(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    touched: &Touched,
) -> Result<bool, EngineError> {
    let Object::View(_, table, base) = &touched.object else {
        return Ok(false);
    };
    let query = Touched {
        object: Object::View(ViewAspect::Query, table.clone(), base.clone()),
        partition: None,
    };
    Ok(definition(client, snapshot, &query).await?.is_some())
}

fn sentence(object: &Object, made: Option<&str>, now: Option<&str>) -> String {
    let shown = |definition: Option<&str>| match definition {
        Some(text) => format!("`{}`", text.chars().take(SHOWN_CHARS).collect::<String>()),
        None => "none".to_owned(),
    };
    let is = match object {
        Object::View(ViewAspect::Privileges | ViewAspect::Comments | ViewAspect::Defaults, ..) => {
            "are"
        }
        _ => "is",
    };
    format!(
        "{object} {is} now {}, and this run has left {}. {}",
        shown(now),
        shown(made),
        object.advice(made)
    )
}

/// Refuses to undo steps of which somebody has replaced what they made.
pub async fn require_own<'a>(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    steps: impl Iterator<Item = &'a PlannedStep>,
) -> Result<(), EngineError> {
    let stood = marks::of_run(client, snapshot.run_id).await?;
    let told = replaced(client, snapshot, &stood, steps).await?;
    if told.is_empty() {
        return Ok(());
    }
    Err(EngineError::Refused(format!(
        "going back would drop or overwrite objects that somebody put in place of those of the run: {}. Then run the rollback again. Nothing has changed",
        told.join("; ")
    )))
}

/// What somebody has set on the views that this phase drops, and what depends on them. The views stand in for tables, which stay.
pub async fn on_views_of(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    phase: &Phase,
) -> Result<Vec<String>, EngineError> {
    let plan = &snapshot.plan;
    let dropped: Vec<&TableName> = phase
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Ddl(DdlStep::DropAlias(drop)) => Some(&drop.table),
            _ => None,
        })
        .collect();
    if dropped.is_empty() {
        return Ok(Vec::new());
    }
    let made: Vec<&PlannedStep> = plan
        .steps()
        .map(|(_, step)| step)
        .filter(|step| match &step.action {
            Action::Ddl(DdlStep::AliasTable(alias)) => dropped.contains(&&alias.table),
            _ => false,
        })
        .collect();
    let stood = marks::of_run(client, snapshot.run_id).await?;
    let mut told = replaced(client, snapshot, &stood, made.iter().copied()).await?;
    let views: Vec<Dropped> = made
        .iter()
        .flat_map(|step| dropped_by(snapshot, &step.action))
        .collect();
    let found = catalog::dependents_of_dropped(client, &plan.name, &views).await?;
    told.extend(found.into_iter().map(|one| {
        let object = one.object;
        format!("{object} depends on it. Drop that, or make it over the table")
    }));
    Ok(told)
}

/// What depends on what going back over these phases drops, or would go with it, and is not the run's own.
pub async fn hanging(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    phases: &[PhaseName],
) -> Result<Vec<String>, EngineError> {
    let plan = &snapshot.plan;
    // Back to the end of `expand`, the columns that triggers fill are emptied by being made anew.
    let anew = |add: &AddColumn| {
        phases.contains(&PhaseName::DualWrite)
            && plan.sync(&add.table).is_some_and(|sync| {
                let mut targets = sync.forward.iter().map(|one| &one.target.name);
                targets.any(|target| *target == add.column)
            })
    };
    let reversed = plan.steps().filter(|(phase, step)| {
        let goes = match &step.action {
            Action::Ddl(DdlStep::AddColumn(add)) => anew(add),
            _ => false,
        };
        (goes || phases.contains(&phase.name))
            && phase.name != PhaseName::Contract
            && snapshot.step_state(&step.id).has_begun()
            && toll::is_its_own(snapshot, step)
    });
    let stood = marks::of_run(client, snapshot.run_id).await?;
    let (mut dropped, mut own) = (Vec::new(), BTreeSet::new());
    let mut parts_are_known = true;
    for (_, step) in reversed {
        let state = snapshot.step_state(&step.id);
        if !toll::may_stand(client, plan, step, state).await? {
            continue;
        }
        dropped.extend(dropped_by(snapshot, &step.action));
        if !makes_unnamed(&step.action) || state == State::Reverted {
            continue;
        }
        let made = stood.get(&step.id).and_then(Stood::made);
        match (made, &step.action) {
            (Some(made), _) => own.extend(made),
            // What hangs there may be theirs, and go with them.
            (None, Action::Ddl(DdlStep::Sql(_))) => return Ok(Vec::new()),
            (None, _) => parts_are_known = false,
        }
    }
    let found = catalog::dependents_of_dropped(client, &plan.name, &dropped).await?;
    Ok(found
        .into_iter()
        .filter(|one| !own.contains(&one.identity) && (parts_are_known || !one.is_of_table))
        .map(|one| match dropped.get(one.on) {
            Some(on) => format!("{} (on {on})", one.object),
            None => one.object,
        })
        .collect())
}

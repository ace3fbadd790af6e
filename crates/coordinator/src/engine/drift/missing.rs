//! Columns and tables that the functions name, and that are not there under that name: somebody has dropped or renamed them,
//! and what the application writes fails, or is on one side only.

use super::{InForce, called_now, is_contracted, standing, syncs};
use crate::database::{catalog, observe};
use crossfade_decisions::lifecycle::{
    gate::OutOfStep,
    snapshot::Snapshot,
    transition::{RunState, State},
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{
    group::groups,
    sync::{Names, Objects, key_in_use},
    table_pair,
};
use crossfade_plan::{
    compiled::{Action, Assignment, StepId, Sync},
    document::PhaseName,
    steps::{DdlStep, retire_table},
    table_pair::{Side, TablePair},
};
use tokio_postgres::GenericClient;

/// What is not there of what the syncs in force name. Tables are told by `of`.
pub async fn columns(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Vec<OutOfStep>, tokio_postgres::Error> {
    let run = &snapshot.plan.name;
    let mut wrong = Vec::new();
    // Of a run that is done, `from_under_kept` tells.
    if snapshot.state == RunState::Completed {
        return Ok(wrong);
    }
    for (id, sync) in syncs(snapshot) {
        if snapshot.step_state(id) != State::Completed || is_over(client, snapshot, &sync).await? {
            continue;
        }
        let missing = columns_of(client, snapshot, &sync).await?;
        if missing.is_empty() {
            continue;
        }
        let list = missing.join(", ");
        let is_next = snapshot.current_phase().map(|phase| phase.name) == Some(PhaseName::Retire);
        if is_next && retired_by_hand(client, snapshot, &sync).await? {
            wrong.push(OutOfStep::RetiredByHand(format!(
                "{list} already has the name that `retire` would give it, but the trigger functions still use the old name, so writes of the application fail. `crossfade advance {run} --to retire` completes what was begun by hand. `crossfade rollback {run}` drops the triggers, and the application can write again"
            )));
        } else {
            wrong.push(OutOfStep::Columns(format!(
                "{list} no longer exists: somebody dropped or renamed it, and writes of the application may fail. If it was renamed, rename it back. Otherwise run `crossfade rollback {run}`, which drops the triggers, so that the application can write again, and drops no column"
            )));
        }
    }
    Ok(wrong)
}

/// Whether somebody's change of tables or columns has left the triggers without what they name: going back can only end them.
pub async fn is_broken(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<bool, tokio_postgres::Error> {
    for (id, sync) in syncs(snapshot) {
        if !matches!(
            snapshot.step_state(id),
            State::Completed | State::Failed | State::Running
        ) || is_over(client, snapshot, &sync).await?
        {
            continue;
        }
        for (tables, ..) in sync.installed(snapshot) {
            if standing(client, &tables).await?.is_none() {
                return Ok(true);
            }
        }
        if !columns_of(client, snapshot, &sync).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `contract` has dropped it with all that it names, which may not be recorded yet.
async fn is_over(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    sync: &InForce<'_>,
) -> Result<bool, tokio_postgres::Error> {
    let has_begun = snapshot.phase_state(PhaseName::Contract).has_begun();
    Ok(has_begun && is_contracted(client, snapshot, &sync.dropped(snapshot)).await?)
}

/// By the names that they have now. A step of `retire` that was begun may have been done, and not recorded: then either name is
/// right.
async fn columns_of(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    sync: &InForce<'_>,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let recorded = names_when(snapshot, sync, |id| {
        snapshot.step_state(id) == State::Completed
    });
    let missing = named(client, sync, &recorded).await?;
    if missing.is_empty() {
        return Ok(missing);
    }
    let begun = names_when(snapshot, sync, |id| snapshot.step_state(id).has_begun());
    if begun != recorded && named(client, sync, &begun).await?.is_empty() {
        return Ok(Vec::new());
    }
    Ok(missing)
}

/// The names where these steps of `retire` are done.
fn names_when(snapshot: &Snapshot, sync: &InForce<'_>, is_done: impl Fn(&StepId) -> bool) -> Names {
    let plan = &snapshot.plan;
    let done: Vec<&DdlStep> = plan
        .steps()
        .filter(|(_, step)| is_done(&step.id))
        .filter_map(|(_, step)| match &step.action {
            Action::Ddl(ddl) => Some(ddl),
            _ => None,
        })
        .collect();
    match sync {
        InForce::Within(sync) => Names::retired(done.iter().filter_map(|step| match step {
            DdlStep::RetireColumn(retire) if retire.table == sync.table => Some(retire),
            _ => None,
        })),
        InForce::Across(both) => table_pair::names_when(plan, both, |step| done.contains(&step)),
    }
}

/// Those of the tables that are there; one that is not is told by itself.
async fn named(
    client: &impl GenericClient,
    sync: &InForce<'_>,
    names: &Names,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let wanted = match sync {
        InForce::Within(sync) => vec![(sync.table.clone(), within(sync, names))],
        InForce::Across(both) => across(both, names),
    };
    let mut missing = Vec::new();
    for (table, columns) in wanted {
        let there = catalog::columns_of(client, &table).await?;
        if there.is_empty() {
            missing.extend(stands_aside(client, sync, &table).await?);
            continue;
        }
        let gone = columns
            .iter()
            .filter(|column| !there.iter().any(|one| one.name == **column));
        missing.extend(gone.map(|column| format!("{table}.{column}")));
    }
    let types = types_not_there(client, types_named(sync)).await?;
    missing.extend(types.iter().map(|name| format!("type {name}")));
    Ok(missing)
}

/// The types that the functions name: of the variables that an expression reads, of what may be NULL, and of defaults.
fn types_named<'a>(sync: &'a InForce<'_>) -> Vec<&'a str> {
    let of = |assignments: Vec<&'a Assignment>| {
        let columns = assignments
            .into_iter()
            .flat_map(|one| one.reads.iter().chain([&one.target]));
        columns.map(|column| column.type_name.as_str())
    };
    match sync {
        InForce::Within(sync) => {
            let all = || sync.forward.iter().chain(&sync.backward);
            let has_default = |one: &Assignment| {
                let columns = one.reads.iter().chain([&one.target]);
                columns
                    .into_iter()
                    .any(|column| sync.old_defaults.contains_key(&column.name))
            };
            of(all()
                .filter(|one| one.conversion.can_fail() || has_default(one))
                .collect())
            .collect()
        }
        InForce::Across(both) => {
            let all = both.to_parent.iter().chain(&both.to_child).collect();
            let key = both.by.iter().map(|pair| pair.parent.type_name.as_str());
            of(all).chain(key).collect()
        }
    }
}

/// An extension or a type that somebody renamed, or put into another schema.
async fn types_not_there(
    client: &impl GenericClient,
    types: Vec<&str>,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let sql = "SELECT DISTINCT t FROM pg_catalog.unnest($1::text[]) AS t WHERE pg_catalog.to_regtype(t) IS NULL ORDER BY t";
    let rows = client.query(sql, &[&types]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// A table that is not there under the one of its two names that it should have, and is under the other.
async fn stands_aside(
    client: &impl GenericClient,
    sync: &InForce<'_>,
    table: &TableName,
) -> Result<Option<String>, tokio_postgres::Error> {
    let InForce::Across(both) = sync else {
        return Ok(None);
    };
    let names = [both.child.clone(), retire_table::aside(&both.child)];
    let is_other = names.contains(table) && standing(client, &names).await?.is_some();
    Ok(is_other.then(|| table.to_string()))
}

fn within(sync: &Sync, names: &Names) -> Vec<Ident> {
    let mut columns = of_both_sides(sync, names);
    let key = key_in_use(sync).iter();
    columns.extend(key.map(|column| names.of(&column.name).clone()));
    columns.sort();
    columns.dedup();
    columns
}

fn of_both_sides(sync: &Sync, names: &Names) -> Vec<Ident> {
    let groups = groups(&sync.forward, &sync.backward);
    let sides = groups
        .iter()
        .flat_map(|group| [group.old_side(), group.new_side()].concat());
    let mut columns: Vec<Ident> = sides.map(|column| names.of(&column.name).clone()).collect();
    columns.sort();
    columns.dedup();
    columns
}

fn across(both: &TablePair, names: &Names) -> Vec<(TableName, Vec<Ident>)> {
    let parent = both.columns(Side::Parent).into_iter();
    let child = both.columns(Side::Child).into_iter();
    vec![
        (
            both.parent.clone(),
            parent.map(|one| names.of(&one.name).clone()).collect(),
        ),
        (
            names.child(&both.child).clone(),
            child.map(|one| names.of_child(&one.name).clone()).collect(),
        ),
    ]
}

/// Everything has the name that it has after some of the steps of `retire` that are not done.
async fn retired_by_hand(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    sync: &InForce<'_>,
) -> Result<bool, tokio_postgres::Error> {
    let retire = snapshot.plan.phase(PhaseName::Retire);
    let steps: Vec<&StepId> = retire
        .into_iter()
        .flat_map(|phase| &phase.steps)
        .map(|step| &step.id)
        .collect();
    for count in 1..=steps.len() {
        let names = names_when(snapshot, sync, |id| steps[..count].contains(&id));
        if named(client, sync, &names).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A column that has another name than the run knows, or whose table has: the triggers follow a rename.
pub struct Renamed {
    pub table: TableName,
    /// What the table is called now.
    pub table_now: TableName,
    /// In the plan.
    pub planned: Ident,
    pub known: Ident,
    pub now: Ident,
}

/// Those that can be told: one is not there, and the conditions name one that the run does not know.
pub async fn renamed(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Vec<Renamed>, tokio_postgres::Error> {
    let mut found = Vec::new();
    for (_, sync) in syncs(snapshot) {
        let InForce::Within(one) = &sync else {
            continue;
        };
        let names = names_when(snapshot, &sync, |id| {
            snapshot.step_state(id) == State::Completed
        });
        let known = within(one, &names);
        let there = catalog::columns_of(client, &one.table).await?;
        let function = Objects::of(&snapshot.plan.name, &one.table).function;
        let planned = within(one, &Names::as_planned());
        if there.is_empty() {
            let other = called_now(client, &function).await?;
            found.extend(
                other
                    .into_iter()
                    .flat_map(|other| planned.iter().map(move |planned| (other.clone(), planned)))
                    .map(|(table_now, planned)| Renamed {
                        table: one.table.clone(),
                        table_now,
                        planned: planned.clone(),
                        known: names.of(planned).clone(),
                        now: names.of(planned).clone(),
                    }),
            );
            continue;
        }
        let gone: Vec<&Ident> = known
            .iter()
            .filter(|column| !there.iter().any(|one| one.name == **column))
            .collect();
        let strange: Vec<Ident> = observe::named_by_triggers(client, &function, &one.table)
            .await?
            .into_iter()
            .filter(|column| !known.contains(column))
            .filter(|column| !one.key.iter().any(|key| names.of(&key.name) == column))
            .collect();
        if let ([known], [now]) = (gone.as_slice(), strange.as_slice())
            && let Some(planned) = planned
                .into_iter()
                .find(|planned| names.of(planned) == *known)
        {
            found.push(Renamed {
                table: one.table.clone(),
                table_now: one.table.clone(),
                planned,
                known: (*known).clone(),
                now: now.clone(),
            });
        }
    }
    Ok(found)
}

/// In words, what somebody's change has left of the run's tables and columns.
pub async fn told(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut told = Vec::new();
    let renamed = renamed(client, snapshot).await?;
    for (_, sync) in syncs(snapshot) {
        for (tables, function, _) in sync.installed(snapshot) {
            let (None, Some(table)) = (standing(client, &tables).await?, tables.first()) else {
                continue;
            };
            told.push(match called_now(client, &function).await? {
                Some(other) => format!(
                    "{table} was renamed to {other}, and keeps the columns that the run added"
                ),
                None => format!("{table} is not there any more"),
            });
        }
        let missing = columns_of(client, snapshot, &sync).await?;
        told.extend(missing.into_iter().map(|column| {
            let other = renamed
                .iter()
                .find(|one| format!("{}.{}", one.table, one.known) == column);
            match other {
                Some(other) => format!("{column} is called {} now", other.now),
                None => format!("{column} was dropped or renamed by hand"),
            }
        }));
    }
    told.dedup();
    Ok(told)
}

/// What somebody has taken from under triggers that stay when the run is done: writes of the application fail.
pub async fn from_under_kept(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Vec<String>, tokio_postgres::Error> {
    if snapshot.state != RunState::Completed {
        return Ok(Vec::new());
    }
    let standing = catalog::standing(client).await?;
    let mut broken = Vec::new();
    for (_, sync) in syncs(snapshot) {
        let names = names_when(snapshot, &sync, |id| {
            snapshot.step_state(id) == State::Completed
        });
        for (_, function, _) in sync.installed(snapshot) {
            let Some(now) = standing.iter().find(|one| one.function == function) else {
                continue;
            };
            let wanted = match &sync {
                // It finds its table under any name, and its key is nothing to it by now.
                InForce::Within(one) if !now.names_table => {
                    vec![(now.table.clone(), of_both_sides(one, &names))]
                }
                InForce::Within(one) => vec![(one.table.clone(), within(one, &names))],
                InForce::Across(both) => across(both, &names),
            };
            let mut gone = Vec::new();
            for (table, columns) in wanted {
                let there = catalog::columns_of(client, &table).await?;
                if there.is_empty() {
                    gone.push(table.to_string());
                    continue;
                }
                let is_there = |column: &Ident| there.iter().any(|one| one.name == *column);
                let columns = columns.iter().filter(|column| !is_there(column));
                gone.extend(columns.map(|column| format!("{table}.{column}")));
            }
            if gone.is_empty() {
                continue;
            }
            let drops = now.triggers.iter();
            let drops = drops.map(|trigger| format!("DROP TRIGGER {trigger} ON {};", now.table));
            broken.push(format!(
                "the triggers that remain on {} use {}, which somebody dropped or renamed, so writes of the application may fail. Rename it back, or drop the triggers; the columns keep their values: {}",
                now.table,
                gone.join(", "),
                drops.collect::<Vec<_>>().join(" ")
            ));
        }
    }
    broken.dedup();
    Ok(broken)
}

/// The step of a sync and its functions, whatever is left of them.
pub fn ends(snapshot: &Snapshot) -> Vec<(StepId, Vec<Ident>)> {
    syncs(snapshot)
        .into_iter()
        .filter(|(id, _)| snapshot.step_state(id) != State::Pending)
        .map(|(id, sync)| {
            let functions = sync.installed(snapshot).into_iter();
            (
                id.clone(),
                functions.map(|(_, function, _)| function).collect(),
            )
        })
        .collect()
}

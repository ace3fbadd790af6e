//! What somebody has changed by hand under an active run: the triggers that keep both sides in step.

mod missing;
mod one_sided;
mod watch;

use super::names::names_now;
use crate::database::{
    catalog,
    observe::{self, Observed},
    sessions,
};
use crossfade_decisions::lifecycle::{
    gate::{self, OutOfStep},
    snapshot::Snapshot,
    standing::{Standing, Touched, attached},
    transition::{RunState, State},
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{
    ddl_unit::{DdlUnit, Goal},
    order,
    sync::{self, Filling, Objects, put_in_place, uninstall},
    table_pair,
};
use crossfade_plan::{
    compiled::{Action, Plan, StepId, Sync},
    document::PhaseName,
    facts::ChangingTrigger,
    steps::retire_table,
    table_pair::{Side, TablePair},
};
pub use missing::{ends, from_under_kept, is_broken, renamed, told};
pub use one_sided::check_nothing_one_sided;
use tokio_postgres::GenericClient;
pub use watch::out_of_place;

/// What keeps two sides in step: within a table, or across two.
enum InForce<'a> {
    Within(&'a Sync),
    Across(&'a TablePair),
}

/// The syncs that are to be in place at this point of the run.
fn in_force(snapshot: &Snapshot) -> Vec<(&StepId, InForce<'_>)> {
    if snapshot.state != RunState::Active {
        return Vec::new();
    }
    let mut syncs = syncs(snapshot);
    syncs.retain(|(id, _)| snapshot.step_state(id) == State::Completed);
    syncs
}

fn syncs(snapshot: &Snapshot) -> Vec<(&StepId, InForce<'_>)> {
    snapshot
        .plan
        .steps()
        .filter_map(|(_, step)| match &step.action {
            Action::SyncColumns(sync) => Some((&step.id, InForce::Within(sync))),
            Action::SyncTables(link) => Some((&step.id, InForce::Across(link))),
            _ => None,
        })
        .collect()
}

impl InForce<'_> {
    /// Nothing of it is there.
    fn dropped(&self, snapshot: &Snapshot) -> Goal {
        let plan = &snapshot.plan;
        match self {
            Self::Within(sync) => uninstall(plan, &sync.table).goal,
            Self::Across(both) => {
                table_pair::uninstall(plan, both, &names_now(snapshot, &both.parent)).goal
            }
        }
    }

    /// Each table with the function and the triggers that must be on it. One that is retired may have either name: a crash
    /// can come between the renaming and its record.
    fn installed(&self, snapshot: &Snapshot) -> Vec<(Vec<TableName>, Ident, Vec<Ident>)> {
        let plan = &snapshot.plan;
        match self {
            Self::Within(sync) => {
                let objects = Objects::of(&plan.name, &sync.table);
                let triggers = sync::triggers(plan).to_vec();
                vec![(vec![sync.table.clone()], objects.function, triggers)]
            }
            Self::Across(both) => {
                let objects = table_pair::Objects::of(&plan.name, both);
                let on = |side, tables: Vec<TableName>| {
                    let triggers = table_pair::triggers(plan, both).into_iter();
                    let triggers = triggers.filter(|(_, on)| *on == side).map(|(name, _)| name);
                    (tables, objects.function(side), triggers.collect())
                };
                let child = vec![both.child.clone(), retire_table::aside(&both.child)];
                vec![
                    on(Side::Parent, vec![both.parent.clone()]),
                    on(Side::Child, child),
                ]
            }
        }
    }

    /// What puts it back, as it should be by now.
    fn part(&self, snapshot: &Snapshot) -> DdlUnit {
        let plan = &snapshot.plan;
        match self {
            Self::Within(sync) => {
                let filled = plan.steps().any(|(_, step)| {
                    matches!(&step.action, Action::Fill(fill) if fill.table == sync.table)
                        && snapshot.step_state(&step.id) == State::Completed
                });
                let filling = if filled { Filling::No } else { Filling::Yes };
                put_in_place(plan, sync, filling, &names_now(snapshot, &sync.table))
            }
            Self::Across(both) => {
                table_pair::put_in_place(plan, both, &names_now(snapshot, &both.parent))
            }
        }
    }
}

/// What a gate waits for: what is wrong with the triggers, and that rows are compared where somebody changed them. Rows
/// cannot be compared before they are filled, and filling overwrites none that has a value.
pub async fn of_gate(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Vec<OutOfStep>, tokio_postgres::Error> {
    let mut wrong = of(client, snapshot).await?;
    let touched = touched(client, snapshot).await?;
    // What is out of place comes first: rows are compared when it is put right.
    if is_filled(snapshot) && wrong.is_empty() {
        wrong.extend(touched.map(|touched| gate::touched(&snapshot.plan.name, &touched)));
    }
    Ok(wrong)
}

/// What somebody changed since rows were last compared, noted or not.
pub async fn touched(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Option<Touched>, tokio_postgres::Error> {
    if snapshot.state != RunState::Active {
        return Ok(None);
    }
    let (_, changes) = seen(client, &snapshot.stood).await?;
    let earlier = snapshot.touched.clone();
    Ok(match changes.is_empty() {
        true => earlier,
        false => Some(Touched::with(earlier, snapshot.now, &changes)),
    })
}

/// Another look: how the triggers stand by now, and what somebody changed since `before`.
async fn seen(
    client: &impl GenericClient,
    before: &Standing,
) -> Result<(Standing, Vec<String>), tokio_postgres::Error> {
    let now = observe::stands(client, &before.functions()).await?;
    let (seen, mut changes) = before.seen(&now);
    for trigger in before.come(&now) {
        if observe::came_with_rows(client, trigger).await? {
            changes.push(attached(&trigger.table));
        }
    }
    Ok((seen, changes))
}

/// Every row has been filled, or there is nothing that fills them: they can be compared.
pub fn is_filled(snapshot: &Snapshot) -> bool {
    snapshot.has_completed(PhaseName::Backfill)
        || snapshot.plan.phase(PhaseName::Backfill).is_none()
}

/// What is wrong with the triggers; nothing where all is well.
pub async fn of(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Vec<OutOfStep>, tokio_postgres::Error> {
    let mut wrong = Vec::new();
    let mut lost = Vec::new();
    let contracting = snapshot.phase_state(PhaseName::Contract).has_begun();
    for (_, sync) in in_force(snapshot) {
        // `contract` drops all of it in one transaction, which may be committed and not recorded yet.
        if contracting && is_contracted(client, snapshot, &sync.dropped(snapshot)).await? {
            continue;
        }
        for (tables, function, triggers) in sync.installed(snapshot) {
            let Some(table) = standing(client, &tables).await? else {
                lost.extend(tables.into_iter().next().map(|table| (table, function)));
                continue;
            };
            let triggers: Vec<&Ident> = triggers.iter().collect();
            let found = observe::out_of_place(client, table, &function, &triggers).await?;
            wrong.extend(found.into_iter().map(OutOfStep::Triggers));
        }
        if let InForce::Within(sync) = sync {
            wrong.extend(firing_later(client, &snapshot.plan, sync).await?);
        }
    }
    wrong.extend(sessions(client, snapshot).await?.map(OutOfStep::Sessions));
    let missing = missing::columns(client, snapshot).await?;
    let now = observe::stands(client, &snapshot.stood.functions()).await?;
    // What the functions name by hand is for `retire` to put right.
    if !missing
        .iter()
        .any(|one| matches!(one, OutOfStep::RetiredByHand(_)))
    {
        let replaced = snapshot.stood.seen(&now).0.replaced().into_iter();
        wrong.extend(replaced.map(OutOfStep::Triggers));
    }
    wrong.extend(missing);
    if lost.is_empty() {
        return Ok(wrong);
    }
    let run = &snapshot.plan.name;
    let all_are_dropped = !all_dropped(client, snapshot).await?.is_empty();
    for (table, function) in lost {
        let what = match called_now(client, &function).await? {
            Some(other) => format!(
                "{table} was renamed to {other}. Rename it back, or run `crossfade rollback {run}`, which drops the triggers and nothing else"
            ),
            None if all_are_dropped => {
                format!("{table} was dropped. `crossfade rollback {run}` ends the run")
            }
            None => format!(
                "{table} was dropped, and the run cannot continue without it. `crossfade rollback {run}` drops the triggers and nothing else. The other table may have the only copy of the values that is left"
            ),
        };
        wrong.push(OutOfStep::Table(what));
    }
    Ok(wrong)
}

/// Sessions whose writes to the tables that are kept in step would fire no trigger.
async fn sessions(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Option<String>, tokio_postgres::Error> {
    if in_force(snapshot).is_empty() {
        return Ok(None);
    }
    let found = sessions::past_triggers(client, &snapshot.plan.synced_tables()).await?;
    Ok((!found.is_empty()).then(|| {
        let list = found.join("; ");
        format!("triggers do not fire in some sessions, so their writes reach one side only: {list}. Open sessions keep the setting until they reconnect")
    }))
}

/// Whether the transaction of `contract` has been committed. What somebody else has dropped the run still knows.
pub async fn is_contracted(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    dropped: &Goal,
) -> Result<bool, tokio_postgres::Error> {
    let known = |function: &Ident| snapshot.stood.0.contains_key(function.as_str());
    let is_known = match dropped {
        Goal::Sync { function, .. } => known(function),
        Goal::TablesInStep { functions, .. } => functions.iter().any(known),
        _ => false,
    };
    Ok(!is_known && observe::observe(client, dropped).await? == Observed::Holds)
}

/// Triggers of the application that came since the plan was compiled, and may change what ours have copied.
async fn firing_later(
    client: &impl GenericClient,
    plan: &Plan,
    sync: &Sync,
) -> Result<Vec<OutOfStep>, tokio_postgres::Error> {
    let found = catalog::changing_triggers_of(client, &sync.table).await?;
    let later = found.into_iter();
    let later = later.filter(|one| order::is_after(&one.name, plan));
    let [ours, _] = sync::triggers(plan);
    Ok(later
        .map(|ChangingTrigger { table, name }| {
            OutOfStep::Order(format!(
                "the trigger {name} of {table} fires after the triggers that keep both sides in step, and may change what they have copied. Rename it: ALTER TRIGGER {name} ON {table} RENAME TO a name that sorts before {ours}. `crossfade verify {}` finds the rows that already differ",
                plan.name
            ))
        })
        .collect())
}

/// The tables that are kept in step, where every one of them has been dropped: there is nothing left to keep, to compare
/// or to take back. Empty where any is there, be it under another name.
pub async fn all_dropped(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Vec<TableName>, tokio_postgres::Error> {
    let mut dropped = Vec::new();
    // A rollback that is under way may have ended them already.
    let begun = |id: &StepId| snapshot.step_state(id) != State::Pending;
    for (_, sync) in syncs(snapshot).into_iter().filter(|(id, _)| begun(id)) {
        for (tables, function, _) in sync.installed(snapshot) {
            if standing(client, &tables).await?.is_some()
                || called_now(client, &function).await?.is_some()
            {
                return Ok(Vec::new());
            }
            dropped.extend(tables);
        }
    }
    Ok(dropped)
}

/// The table whose triggers call this function of ours, whatever it is called.
async fn called_now(
    client: &impl GenericClient,
    function: &Ident,
) -> Result<Option<TableName>, tokio_postgres::Error> {
    let standing = catalog::standing(client).await?;
    let found = standing.into_iter().find(|one| one.function == *function);
    Ok(found.map(|one| one.table))
}

/// The triggers as they stood at a moment: what was compared since is in step for as long as nobody touches them.
pub struct TriggerSnapshot {
    functions: Vec<Ident>,
    mark: String,
}

impl TriggerSnapshot {
    pub async fn now(
        client: &impl GenericClient,
        snapshot: &Snapshot,
    ) -> Result<Self, tokio_postgres::Error> {
        let functions: Vec<Ident> = in_force(snapshot)
            .iter()
            .flat_map(|(_, sync)| sync.installed(snapshot))
            .map(|(_, function, _)| function)
            .collect();
        let mark = mark(client, &functions).await?;
        Ok(Self { functions, mark })
    }

    /// That nobody has touched them, as a condition of a message. Asked with the tables locked, that is so until its end.
    pub fn holds(&self) -> String {
        let names: Vec<&str> = self.functions.iter().map(Ident::as_str).collect();
        observe::still_stands(&names, &self.mark)
    }
}

async fn mark(
    client: &impl GenericClient,
    functions: &[Ident],
) -> Result<String, tokio_postgres::Error> {
    let names: Vec<&str> = functions.iter().map(Ident::as_str).collect();
    observe::standing(client, &names).await
}

/// The one of these names that there is a table of.
async fn standing<'a>(
    client: &impl GenericClient,
    names: &'a [TableName],
) -> Result<Option<&'a TableName>, tokio_postgres::Error> {
    for name in names {
        let table = name.clone();
        if observe::observe(client, &Goal::Table { table }).await? == Observed::Holds {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

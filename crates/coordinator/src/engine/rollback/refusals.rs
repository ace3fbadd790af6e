//! What a rollback would do, what it would cost, and why it would be refused, before anything is recorded. The rollback itself asks
//! this, and so does whoever only wants to see it: a preview, and an order.

use super::{end_of_sync, freeing::only_frees};
use crate::database::{
    catalog,
    observe::{Observed, observe},
};
use crate::engine::{EngineError, by_hand, drift, toll};
use crate::store::writes;
use crossfade_decisions::lifecycle::{
    gate::out_of_step,
    next::{check_rollback_target, to_reverse, units},
    snapshot::{RollbackTarget, Snapshot},
    toll::Toll,
    transition::RunState,
};
use crossfade_model::ident::TableName;
use crossfade_plan::sqlgen::{
    ddl_unit::{Goal, ReplicaIdentity},
    objects,
};
use crossfade_plan::{
    compiled::{Action, PlannedStep},
    document::PhaseName,
    steps::{DdlStep, Undo, Work, sync_columns, sync_tables},
};
use crossfade_postgres::connect::Session;
use std::time::Duration;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// How long new-version writers are listened for before the new column is taken away.
const LISTEN: Duration = Duration::from_millis(1_500);

const CONTRACTED: &str =
    "`contract` has completed and dropped the old side. The only way back is a backup";

/// A rollback, as far as it can be told before it begins.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// Those that it reverses, newest first.
    pub phases: Vec<PhaseName>,
    /// A completed run is taken up again.
    pub reopens: bool,
    /// It is not one that is under way already.
    pub begins: bool,
    /// It only drops the triggers, as somebody has dropped what they name.
    pub frees: bool,
    /// What the application would lose, and the rows that are in the way.
    pub toll: Toll,
    /// Why it is refused, whatever may be lost.
    pub refused: Option<String>,
}

/// Reads only, and takes no lock that anybody waits for.
pub async fn foresee(
    session: &mut Session,
    snapshot: &Snapshot,
    target: RollbackTarget,
    stop: &CancellationToken,
) -> Result<Foreseen, EngineError> {
    let mut foreseen = Foreseen {
        phases: Vec::new(),
        reopens: false,
        begins: snapshot.rolling_back != Some(target),
        frees: false,
        toll: Toll::default(),
        refused: None,
    };
    match look(session, snapshot, target, stop, &mut foreseen).await {
        Ok(()) => {}
        Err(EngineError::Refused(why)) => foreseen.refused = Some(why),
        Err(error) => return Err(error),
    }
    Ok(foreseen)
}

async fn look(
    session: &mut Session,
    snapshot: &Snapshot,
    target: RollbackTarget,
    stop: &CancellationToken,
    foreseen: &mut Foreseen,
) -> Result<(), EngineError> {
    foreseen.reopens = may_go_back(snapshot, target)?;
    foreseen.phases = to_reverse(snapshot, target);
    foreseen.frees = only_frees(&**session, snapshot, target).await?;
    // No column and no table goes then.
    if !foreseen.frees {
        foreseen.toll = toll::look(session, snapshot, &foreseen.phases).await?;
    }
    if foreseen.begins && foreseen.frees {
        check_not_contracted(session, snapshot).await?;
    } else if foreseen.begins {
        check_can_go_back(session, snapshot, target, &foreseen.phases, stop).await?;
    }
    Ok(())
}

/// Refuses before anything is changed.
async fn check_can_go_back(
    session: &mut Session,
    snapshot: &Snapshot,
    target: RollbackTarget,
    phases: &[PhaseName],
    stop: &CancellationToken,
) -> Result<(), EngineError> {
    let client: &Client = session;
    let are_dropped =
        target == RollbackTarget::Start && !drift::all_dropped(client, snapshot).await?.is_empty();
    if phases.contains(&PhaseName::Contract) && !are_dropped {
        check_not_contracted(client, snapshot).await?;
    }
    check_reversible(client, snapshot, phases).await?;
    let has_sync = phases.contains(&PhaseName::DualWrite) && !are_dropped;
    if has_sync && matches!(target, RollbackTarget::Phase(_)) {
        check_can_be_emptied(snapshot)?;
    }
    check_nothing_hangs(client, snapshot, phases).await?;
    by_hand::require_own(client, snapshot, toll::reversed(snapshot, phases)).await?;
    // What was changed by hand of the dual writes may keep the application from writing: going back frees it, whatever else is in
    // the way, and so it does where a table is gone.
    if !are_dropped && drift::of(client, snapshot).await?.is_empty() {
        check_undos(client, snapshot, phases).await?;
    }
    if !has_sync {
        return Ok(());
    }
    let wrong = drift::of(client, snapshot).await?;
    if !wrong.is_empty() {
        let what = out_of_step(snapshot.plan.name.as_str(), &wrong);
        return Err(EngineError::Refused(what));
    }
    drift::check_nothing_one_sided(session, snapshot).await?;
    check_nobody_writes(session, snapshot, stop).await
}

/// Back at the end of `expand`, the new columns are empty.
fn check_can_be_emptied(snapshot: &Snapshot) -> Result<(), EngineError> {
    let plan = &snapshot.plan;
    let is_its_own = |step: &PlannedStep| toll::is_its_own(snapshot, step);
    let stays = plan
        .syncs()
        .any(|sync| sync_columns::undo_to_expand(plan, sync, is_its_own).is_none())
        || plan
            .links()
            .any(|link| sync_tables::undo_to_expand(plan, link, is_its_own).is_none());
    if stays {
        return Err(EngineError::Refused(
            "the new columns cannot be emptied on their own, and without triggers their values would become stale: roll back to the start".to_owned(),
        ));
    }
    Ok(())
}

/// A new-version writer that is still there would fail without its column.
async fn check_nobody_writes(
    client: &Client,
    snapshot: &Snapshot,
    stop: &CancellationToken,
) -> Result<(), EngineError> {
    let plan = &snapshot.plan;
    let before = writes::count_writes(client, plan, writes::Side::New).await?;
    if before.unwrap_or(0) == 0 {
        return Ok(());
    }
    tokio::select! {
        () = tokio::time::sleep(LISTEN) => {}
        () = stop.cancelled() => {}
    }
    let after = writes::count_writes(client, plan, writes::Side::New).await?;
    if let (Some(before), Some(after)) = (before, after)
        && after > before
    {
        return Err(EngineError::Refused(format!(
            "the new version is still writing ({} writes in the last {} s). Take it out of service first: without the new column its statements would fail",
            after - before,
            LISTEN.as_secs_f32()
        )));
    }
    Ok(())
}

/// A step outside `contract` that its author said cannot be taken back: known before anything is reversed.
async fn check_reversible(
    client: &Client,
    snapshot: &Snapshot,
    phases: &[PhaseName],
) -> Result<(), EngineError> {
    let plan = &snapshot.plan;
    for (phase, step) in plan.steps() {
        let state = snapshot.step_state(&step.id);
        let is_reversed =
            phases.contains(&phase.name) && phase.name != PhaseName::Contract && state.has_begun();
        if !is_reversed
            || !toll::is_its_own(snapshot, step)
            || step.action.undo(plan) != Undo::Irreversible
            || !toll::may_stand(client, plan, step, state).await?
        {
            continue;
        }
        let last = phases.first() == Some(&phase.name);
        let instead = if last {
            "keep what it did".to_owned()
        } else {
            format!(
                "keep what it did, or go back to where {} had ended: `--to {}`",
                phase.name, phase.name
            )
        };
        return Err(EngineError::Refused(format!(
            "{} cannot be taken back: {instead}",
            step.id
        )));
    }
    Ok(())
}

/// What was put on anything that goes would keep it from being dropped, half way back, or go with it.
async fn check_nothing_hangs(
    client: &Client,
    snapshot: &Snapshot,
    phases: &[PhaseName],
) -> Result<(), EngineError> {
    let hanging = by_hand::hanging(client, snapshot, phases).await?;
    if hanging.is_empty() {
        return Ok(());
    }
    Err(EngineError::Refused(format!(
        "other objects depend on what the rollback drops: {}. Drop them, or create them on the old side, and run the rollback again. Nothing has changed",
        hanging.join(", ")
    )))
}

/// What the catalog shows of the steps: a column that must stay NOT NULL, or an identity in the place of a default; and of the one
/// that is undone first, something else under a name. Of the others the catalog shows what is under their names now, and not when
/// they are undone.
async fn check_undos(
    client: &Client,
    snapshot: &Snapshot,
    phases: &[PhaseName],
) -> Result<(), EngineError> {
    let plan = &snapshot.plan;
    let planned = phases.iter().filter_map(|phase| plan.phase(*phase));
    let newest_first = planned.flat_map(|phase| {
        let steps: Vec<&PlannedStep> = units(phase).into_iter().flatten().collect();
        steps.into_iter().rev()
    });
    // Constraints and indexes that are gone by then, or no replica identity any more.
    let mut undone: Vec<String> = Vec::new();
    let mut is_first = true;
    for step in newest_first {
        let state = snapshot.step_state(&step.id);
        if !state.has_begun()
            || !toll::is_its_own(snapshot, step)
            || !toll::may_stand(client, plan, step, state).await?
        {
            continue;
        }
        let Undo::Parts(parts) = step.action.undo(plan) else {
            continue;
        };
        if end_of_sync(snapshot, &step.action).is_some() {
            // What ends the dual writes is not told by the goals of parts.
            is_first = false;
            continue;
        }
        for part in &parts {
            let why = match (observe(client, &part.goal).await?, part.goal.itself()) {
                (Observed::Conflict(what), _) if is_first => Some(what),
                (Observed::Missing, Goal::Nullable { table, column, .. }) => {
                    let needed = catalog::needs_not_null(client, table, column, &undone).await?;
                    needed.map(|why| format!("{table}.{column} {why}"))
                }
                (Observed::Missing, Goal::Index { table, name, .. }) if is_first => {
                    let name = TableName {
                        schema: table.schema.clone(),
                        name: name.clone(),
                    };
                    let is_taken = catalog::is_relation(client, &name).await?;
                    is_taken.then(|| format!("something else is called {name}"))
                }
                (Observed::Missing, Goal::DefaultIs { table, column, .. }) => {
                    let columns = catalog::columns_of(client, table).await?;
                    let now = columns.iter().find(|one| one.name == *column);
                    now.and_then(|now| now.identity.as_ref())
                        .map(|_| format!("{table}.{column} is an identity column"))
                }
                (
                    Observed::Missing,
                    Goal::ReplicaIdentity {
                        table,
                        identity: ReplicaIdentity::Index(index),
                    },
                ) if is_first => {
                    let there = catalog::has_index(client, table, index).await?;
                    (!there).then(|| format!("{table} has no index {index} any more"))
                }
                _ => None,
            };
            if let Some(why) = why {
                return Err(EngineError::Refused(format!(
                    "{} cannot be undone: {why}. Change that, and run it again; nothing has changed",
                    step.id
                )));
            }
        }
        is_first = false;
        let dropped = objects::dropped(&parts).into_iter();
        undone.extend(dropped.map(|one| one.sub.unwrap_or(one.name).as_str().to_owned()));
        if let Action::Ddl(DdlStep::SetReplicaIdentity(set)) = &step.action
            && let ReplicaIdentity::Index(index) = &set.identity
        {
            undone.push(index.as_str().to_owned());
        }
    }
    Ok(())
}

/// `contract` is one transaction: either nothing of it is there, or all.
async fn check_not_contracted(client: &Client, snapshot: &Snapshot) -> Result<(), EngineError> {
    if !snapshot.phase_state(PhaseName::Contract).has_begun() {
        return Ok(());
    }
    let Some(phase) = snapshot.plan.phase(PhaseName::Contract) else {
        return Ok(());
    };
    let is_end = |step: &PlannedStep| matches!(step.action, Action::Ddl(DdlStep::DropSync(_)));
    let has_sync = phase.steps.iter().any(is_end);
    for step in &phase.steps {
        let Work::Parts(parts) = step.action.work(&snapshot.plan) else {
            continue;
        };
        for part in &parts {
            let is_there = match &step.action {
                // What somebody else has dropped the run still knows.
                Action::Ddl(DdlStep::DropSync(_)) => {
                    drift::is_contracted(client, snapshot, &part.goal).await?
                }
                Action::Ddl(DdlStep::DropColumn(_) | DdlStep::DropAlias(_)) if !has_sync => {
                    observe(client, &part.goal).await? == Observed::Holds
                }
                _ => false,
            };
            if is_there {
                return Err(EngineError::Refused(CONTRACTED.to_owned()));
            }
        }
    }
    Ok(())
}

/// Whether it is a completed run that is taken up again; an error where there is no way back.
fn may_go_back(snapshot: &Snapshot, target: RollbackTarget) -> Result<bool, EngineError> {
    check_rollback_target(snapshot, target).map_err(EngineError::Refused)?;
    if let RollbackTarget::Phase(phase) = target
        && !snapshot.has_completed(phase)
    {
        return Err(EngineError::Refused(format!(
            "{phase} has not been completed: there is no such place to go back to"
        )));
    }
    Ok(snapshot.state == RunState::Completed)
}

//! Counts what going back would cost, before anything is recorded: each question is bounded, reads only, and takes no lock
//! that anybody waits for.

use super::{EngineError, quarantine};
use crate::database::{
    catalog,
    observe::{Observed, observe},
};
use crossfade_decisions::lifecycle::{
    snapshot::Snapshot,
    toll::{Count, InTheWay, Lost, Toll},
    transition::State,
};
use crossfade_plan::sqlgen::{
    cost::{Cost, Loss, Obstacle, Thing},
    ddl_unit::Goal,
    literal,
    session::as_the_application,
};
use crossfade_plan::{
    compiled::{Action, Plan, PlannedStep},
    document::PhaseName,
    steps::{DdlStep, Undo, Work},
};
use crossfade_postgres::{
    connect::Session,
    sqlstate::{self, ErrorClass, classify},
};
use std::collections::BTreeSet;
use tokio_postgres::{GenericClient, Row};

/// For one question, without a lock that anybody waits for.
const LOOK_MS: u64 = 5_000;
/// For one question under the lock, while the application waits.
pub const LOCKED_LOOK_MS: u64 = 100;
const LOCK_MS: u64 = 1_000;
/// So many rows are counted.
const ROWS_MAX: i64 = 1_000;
/// So many of those in the way are named.
const KEYS_MAX: usize = 3;

/// The steps of these phases that something may stand of, and that made it themselves.
pub fn reversed<'a>(
    snapshot: &'a Snapshot,
    phases: &'a [PhaseName],
) -> impl Iterator<Item = &'a PlannedStep> {
    let plan = &snapshot.plan;
    plan.steps()
        .filter(|(phase, step)| {
            phases.contains(&phase.name)
                && phase.name != PhaseName::Contract
                && snapshot.step_state(&step.id).has_begun()
                && is_its_own(snapshot, step)
        })
        .map(|(_, step)| step)
}

/// What the step's undo takes away is of its own making, and was not there before it.
pub fn is_its_own(snapshot: &Snapshot, step: &PlannedStep) -> bool {
    let record = snapshot.steps.get(&step.id);
    let found = record.and_then(|record| record.found.as_deref());
    !step
        .action
        .was_there(&snapshot.plan, found.unwrap_or_default())
}

/// All that a rollback of this plan can take away.
pub fn things(plan: &Plan) -> BTreeSet<Thing> {
    let mut things: BTreeSet<Thing> = plan
        .steps()
        .filter(|(phase, _)| phase.name != PhaseName::Contract)
        .flat_map(|(_, step)| step.action.cost(plan).losses)
        .map(|loss| loss.of)
        .collect();
    things.extend(quarantine::things(plan));
    things
}

/// What going back over these phases would cost by now.
pub async fn look(
    session: &mut Session,
    snapshot: &Snapshot,
    phases: &[PhaseName],
) -> Result<Toll, EngineError> {
    let mut toll = Toll::default();
    for step in reversed(snapshot, phases) {
        let state = snapshot.step_state(&step.id);
        if !may_stand(&**session, &snapshot.plan, step, state).await? {
            continue;
        }
        let Cost { losses, obstacles } = step.action.cost(&snapshot.plan);
        for loss in losses {
            if is_at_stake(session, snapshot, &loss).await? {
                let count = count(session, snapshot, &loss).await?;
                let Loss { of, what, .. } = loss;
                let noted = false;
                toll.lost.push(Lost {
                    of,
                    what,
                    count,
                    noted,
                });
            }
        }
        for obstacle in obstacles {
            toll.in_the_way
                .extend(in_the_way(session, snapshot, &obstacle).await?);
        }
    }
    if phases.contains(&PhaseName::DualWrite) {
        let kept =
            quarantine::only_on_the_new_side(&**session, snapshot.run_id, &snapshot.plan).await?;
        toll.lost.extend(kept);
    }
    Ok(toll)
}

/// What was counted and is to be looked at again under the lock that takes it away.
pub async fn guarded(
    session: &Session,
    snapshot: &Snapshot,
    step: &PlannedStep,
    discards: &BTreeSet<String>,
) -> Result<Vec<Loss>, EngineError> {
    let mut guarded = Vec::new();
    for loss in step.action.cost(&snapshot.plan).losses {
        if !discards.contains(&loss.of.to_string()) && is_at_stake(session, snapshot, &loss).await?
        {
            guarded.push(loss);
        }
    }
    Ok(guarded)
}

/// What `contract` drops for good that has no successor.
pub async fn for_good(
    session: &mut Session,
    snapshot: &Snapshot,
) -> Result<Vec<Lost>, EngineError> {
    let mut dropped = Vec::new();
    let contract = snapshot.plan.phase(PhaseName::Contract);
    for step in contract.map_or(&[][..], |phase| &phase.steps) {
        for loss in step.action.cost(&snapshot.plan).losses {
            let by_its_name = unless_retired(snapshot, &loss);
            let count = count(session, snapshot, by_its_name.as_ref().unwrap_or(&loss)).await?;
            let Loss { of, what, .. } = loss;
            let noted = false;
            dropped.push(Lost {
                of,
                what,
                count,
                noted,
            });
        }
    }
    Ok(dropped)
}

/// A column that is to be dropped has its own name until `retire`.
fn unless_retired(snapshot: &Snapshot, loss: &Loss) -> Option<Loss> {
    let Thing::Column(table, dropped) = &loss.of else {
        return None;
    };
    let mut steps = snapshot.plan.steps();
    steps.find_map(|(_, step)| match &step.action {
        Action::Ddl(DdlStep::RetireColumn(retire)) => {
            let is_of_it = retire.table == *table && retire.aside() == *dropped;
            let is_done = snapshot.step_state(&step.id) == State::Completed;
            (is_of_it && !is_done).then(|| Loss::of_values(table, &retire.column, &retire.column))
        }
        _ => None,
    })
}

/// Whether anything of a step can be there. A step that found something else under its names has changed nothing:
/// what stands there is not the run's, and taking the step back would take that away.
pub async fn may_stand(
    client: &impl GenericClient,
    plan: &Plan,
    step: &PlannedStep,
    state: State,
) -> Result<bool, EngineError> {
    let Work::Parts(parts) = step.action.work(plan) else {
        return Ok(true);
    };
    if state == State::Completed {
        return Ok(true);
    }
    let mut holds = false;
    for part in &parts {
        match observe(client, &part.goal).await? {
            Observed::Conflict(_) if excludes_ours(&part.goal, state) => return Ok(false),
            Observed::Missing => {}
            Observed::Holds | Observed::InvalidIndex | Observed::Conflict(_) => holds = true,
        }
    }
    Ok(holds || step.action.undo(plan) != Undo::Irreversible)
}

/// Whether something else in the place of this goal says that the step has not been done. After a rename both names may
/// be taken, the old one by somebody else: that is looked at by whoever mends it.
fn excludes_ours(goal: &Goal, state: State) -> bool {
    match goal.itself() {
        Goal::Column { .. }
        | Goal::Index { .. }
        | Goal::PartitionedIndex { .. }
        | Goal::Table { .. }
        | Goal::Enum { .. } => true,
        // An answer that cannot be had says nothing after a crash.
        Goal::Asked { .. } => state == State::Failed,
        _ => false,
    }
}

async fn is_at_stake(
    session: &Session,
    snapshot: &Snapshot,
    loss: &Loss,
) -> Result<bool, EngineError> {
    if is_kept_in_step(snapshot, loss) {
        return Ok(false);
    }
    let gone = match &loss.of {
        Thing::Column(table, column) => Goal::NoColumn {
            table: table.clone(),
            column: column.clone(),
        },
        Thing::Table(table) => Goal::NoTable {
            table: table.clone(),
        },
    };
    Ok(observe(&**session, &gone).await? != Observed::Holds)
}

/// Triggers have computed these values from the other side since they were installed. What a rollback that is under way
/// has left of them after the triggers is no loss either.
fn is_kept_in_step(snapshot: &Snapshot, loss: &Loss) -> bool {
    let about = |action: &Action| match action {
        Action::SyncColumns(sync) => sync.table == *loss.of.table(),
        Action::SyncTables(link) => {
            link.parent == *loss.of.table() || link.child == *loss.of.table()
        }
        Action::Ddl(_) | Action::Fill(_) | Action::Match(_) | Action::Query(_) => false,
    };
    let mut syncs = snapshot
        .plan
        .steps()
        .filter(|(_, step)| about(&step.action));
    loss.kept_in_step
        && syncs.any(|(_, step)| match snapshot.step_state(&step.id) {
            State::Pending => false,
            State::Reverted => snapshot.rolling_back.is_some(),
            State::Running | State::Failed | State::Completed | State::Reverting => true,
        })
}

async fn count(
    session: &mut Session,
    snapshot: &Snapshot,
    loss: &Loss,
) -> Result<Count, EngineError> {
    let question = loss.count(snapshot.run_id, ROWS_MAX);
    Ok(match ask(session, &snapshot.plan, &question).await? {
        Err(why) => {
            // Where one is soon found, it is known that there are some.
            let some = ask(session, &snapshot.plan, &loss.count(snapshot.run_id, 0)).await?;
            match some
                .ok()
                .and_then(|rows| rows.first().map(|row| row.get::<_, i64>(0)))
            {
                Some(rows) if rows > 0 => Count::AtLeast(rows),
                _ => Count::Unknown(why),
            }
        }
        Ok(rows) => match rows.first().map_or(0, |row| row.get::<_, i64>(0)) {
            rows if rows > ROWS_MAX => Count::AtLeast(ROWS_MAX),
            rows => Count::Rows(rows),
        },
    })
}

/// `None`: nothing is, or it could not be told: then the server looks at every row when the condition is put back, and what
/// has been put back of it by then is taken away again.
async fn in_the_way(
    session: &mut Session,
    snapshot: &Snapshot,
    obstacle: &Obstacle,
) -> Result<Option<InTheWay>, EngineError> {
    let key = catalog::key_of(&**session, &obstacle.table).await?;
    let question = obstacle.keys(&key, KEYS_MAX);
    let Ok(rows) = ask(session, &snapshot.plan, &question).await? else {
        return Ok(None);
    };
    let keys: Vec<Option<String>> = rows.iter().map(|row| row.get(0)).collect();
    Ok((!keys.is_empty()).then(|| InTheWay {
        condition: obstacle.condition.clone(),
        more: keys.len() > KEYS_MAX,
        keys: keys.into_iter().take(KEYS_MAX).collect(),
    }))
}

/// Those that are in the way of what this step puts back.
pub async fn obstacles(
    session: &mut Session,
    snapshot: &Snapshot,
    step: &PlannedStep,
) -> Result<Toll, EngineError> {
    let mut toll = Toll::default();
    for obstacle in step.action.cost(&snapshot.plan).obstacles {
        toll.in_the_way
            .extend(in_the_way(session, snapshot, &obstacle).await?);
    }
    Ok(toll)
}

/// One question, in a transaction of its own that can change nothing and ends soon. The inner error: why there is no answer.
async fn ask(
    session: &mut Session,
    plan: &Plan,
    question: &str,
) -> Result<Result<Vec<Row>, String>, EngineError> {
    let settings: Vec<String> = plan
        .session
        .iter()
        .map(|(name, value)| format!("SET LOCAL {name} = {};", literal::text(value)))
        .collect();
    let transaction = session.build_transaction().read_only(true).start().await?;
    transaction
        .batch_execute(&format!(
            "SET LOCAL statement_timeout = {LOOK_MS}; SET LOCAL lock_timeout = {LOCK_MS}; {} {}",
            settings.concat(),
            as_the_application(plan)
        ))
        .await?;
    let answer = transaction.query(question, &[]).await;
    match answer {
        Err(error) if classify(&error) == ErrorClass::ConnectionLost => Err(error.into()),
        Err(error) => {
            transaction.rollback().await?;
            Ok(Err(sqlstate::message(&error)))
        }
        Ok(rows) => {
            transaction.rollback().await?;
            Ok(Ok(rows))
        }
    }
}

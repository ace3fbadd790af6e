//! `status`: where a run stands and what it waits for.

mod lock;

use super::{AcceptedCheck, ServiceError};
use crate::engine::{
    EngineError, drift,
    readings::{self, Patience},
};
use crate::store::{
    StoreError,
    amendments::{self, AmendmentRecord},
    history, lease,
    orders::{self, OrderRecord, ServerRecord},
    runs,
    tunings::{self, TuningRecord},
    walks, workers, writes,
};
use crossfade_decisions::lifecycle::{
    gate::{self, ConditionStatus, Readings},
    next::{Next, Wait, next},
    snapshot::{Pause, Snapshot},
    standing::Touched,
    transition::{RunState, State},
};
use crossfade_decisions::progress::{self, Account, Moment};
use crossfade_plan::{
    compiled::{Action, Phase, Plan},
    document::PhaseName,
};
use crossfade_postgres::connect::Session;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Status {
    pub run: String,
    pub state: String,
    pub plan_fingerprint: String,
    pub waiting: Vec<Waiting>,
    pub paused: Option<Paused>,
    /// A freeze of the database; null: none is in force.
    pub frozen: Option<Paused>,
    pub lease: Option<LeaseStatus>,
    /// The newest order, open or not; null: there was none.
    pub order: Option<OrderRecord>,
    /// The `crossfade serve` that was seen last in this database; null: there was none.
    pub server: Option<ServerRecord>,
    pub phases: Vec<PhaseStatus>,
    /// Gates and limits that are others than the plan's, the oldest change first.
    pub amendments: Vec<AmendmentRecord>,
    /// Checks that had failed as the run was started, and were accepted.
    pub accepted_checks: Vec<AcceptedCheck>,
    pub backfill: Option<Backfill>,
    pub verification: Option<Verification>,
    pub old_writes: WriteStatus,
    pub new_writes: WriteStatus,
    /// Inserts that gave the new columns no value, of which it could not be told whether they meant NULL: the rows have what
    /// follows from the old columns' defaults.
    pub untold_writes: i64,
    pub quarantined: i64,
    /// Rows in quarantine that were accepted as they are.
    pub accepted: i64,
    /// What somebody changed of the triggers that keep both sides in step, until all rows were compared; null: nothing.
    pub sync_touched: Option<Touched>,
    /// What is wrong with them at this moment.
    pub out_of_step: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Waiting {
    pub kind: String,
    pub detail: String,
    pub until: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Paused {
    pub by: String,
    pub reason: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

impl From<&Pause> for Paused {
    fn from(pause: &Pause) -> Self {
        Self {
            by: pause.by.clone(),
            reason: pause.reason.clone(),
            since: pause.since,
            until: pause.until,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LeaseStatus {
    pub holder: String,
    pub epoch: i64,
    pub heartbeat_age_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PhaseStatus {
    pub phase: PhaseName,
    /// The same, under the word that it had first.
    pub name: PhaseName,
    pub state: State,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub gate: Vec<GateCondition>,
    pub steps: Vec<StepStatus>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GateCondition {
    pub kind: String,
    pub holds: bool,
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StepStatus {
    pub step: String,
    pub kind: String,
    pub state: State,
    pub attempts: i32,
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Backfill {
    pub table: String,
    pub blocks_total: i64,
    pub blocks_done: i64,
    pub rows_changed: i64,
    pub rows_quarantined: i64,
    pub rows_per_second: f64,
    /// From the shortest to the longest; null for the first minute.
    pub eta_seconds: Option<(u64, u64)>,
    /// The table's size now against that when the backfill began; null where it was empty.
    pub table_growth: Option<f64>,
    /// How often the table was vacuumed as the walk went.
    pub vacuums: i32,
    /// Somebody drives it, nothing holds it back, and for minutes it has made no progress.
    pub is_stuck: bool,
    pub pace: PaceStatus,
    /// What the last minutes went into; null before there is anything to say, and when it has ended.
    pub account: Option<Account>,
    /// The moments of the last minutes, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<Vec<SampleStatus>>,
}

/// A moment of the walk, for plots.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SampleStatus {
    pub age_seconds: f64,
    pub blocks_done: i64,
    pub rows_changed: i64,
    pub delay_ms: i32,
    pub workers: i32,
    pub reasons: Vec<String>,
}

/// How much is told of a backfill's last minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Account,
    Samples,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PaceStatus {
    /// By the rows per block so far.
    pub batch_rows: i64,
    pub delay_ms: i32,
    pub workers: i64,
    pub reasons: Vec<String>,
    /// Limits that somebody changed while the run goes on.
    pub tuned: Vec<TuningRecord>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Verification {
    pub rows_checked: i64,
    pub rows_different: i64,
    /// In quarantine, and accepted as they are.
    pub rows_accepted: i64,
    pub finished_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct WriteStatus {
    pub total: i64,
    /// At the latest.
    pub last_seen: Option<Timestamp>,
}

/// What waits for nobody but one who runs the next command.
const OPERATOR: &str = "operator";

/// A gate's query may take this long when somebody only looks.
const LOOK_TIMEOUT: &str = "SET statement_timeout = '2s'; SET lock_timeout = '50ms'";

pub(super) async fn read(
    session: &mut Session,
    run: &str,
    detail: Detail,
) -> Result<Status, ServiceError> {
    let run_id = runs::id_of(&**session, run).await?;
    session.batch_execute(LOOK_TIMEOUT).await?;
    let mut snapshot = runs::snapshot(&**session, run_id).await?;
    // Each look counts for `old_writes_quiet`; one who may not write here, or would have to wait, only reads.
    if snapshot.state == RunState::Active
        && writes::sight_writes(&**session, run_id, &snapshot.plan)
            .await
            .is_ok_and(|noted| noted)
    {
        snapshot = runs::snapshot(&**session, run_id).await?;
    }
    let current = conditions_now(session, &snapshot).await?;
    let lease = lease::read(&**session, run_id).await?;
    let driven = lease.as_ref().is_some_and(lease::LeaseRecord::is_held);
    let backfill = backfill(session, &snapshot, driven, detail).await?;
    let mut waiting = waiting(run, &next(&snapshot, &current));
    if driven {
        // Whoever drives it goes on by himself.
        waiting.retain(|waiting| waiting.kind != OPERATOR);
        waiting.extend(lock::waited_for(&**session, &snapshot).await?);
    }
    Ok(Status {
        run: run.to_owned(),
        state: snapshot.state.as_str().to_owned(),
        plan_fingerprint: snapshot.fingerprint.clone(),
        waiting,
        paused: snapshot.paused().map(Paused::from),
        frozen: snapshot.freeze.as_ref().map(Paused::from),
        lease: lease
            .filter(lease::LeaseRecord::is_held)
            .map(|record| LeaseStatus {
                holder: record.holder,
                epoch: record.epoch,
                heartbeat_age_ms: record.heartbeat_age_ms,
            }),
        order: orders::newest(&**session, run_id).await?,
        server: orders::last_server(&**session).await?,
        phases: snapshot
            .plan
            .phases
            .iter()
            .map(|phase| phase_status(&snapshot, phase, &current))
            .collect(),
        amendments: amendments::of_run(&**session, run_id).await?,
        accepted_checks: accepted_checks(session, run_id).await?,
        backfill,
        verification: snapshot.verification.as_ref().map(|found| Verification {
            rows_checked: found.rows_checked,
            rows_different: found.rows_different,
            rows_accepted: found.rows_accepted,
            finished_at: found.finished_at,
        }),
        old_writes: WriteStatus {
            total: snapshot.old_writes.total,
            last_seen: snapshot
                .old_writes
                .quiet_since
                .filter(|_| snapshot.old_writes.total > 0),
        },
        new_writes: WriteStatus {
            total: snapshot.new_writes.total,
            last_seen: snapshot
                .new_writes
                .quiet_since
                .filter(|_| snapshot.new_writes.total > 0),
        },
        untold_writes: snapshot.untold_writes,
        quarantined: snapshot.quarantined,
        accepted: snapshot.accepted,
        sync_touched: drift::touched(&**session, &snapshot).await?,
        out_of_step: drift::of(&**session, &snapshot)
            .await?
            .iter()
            .map(ToString::to_string)
            .chain(drift::from_under_kept(&**session, &snapshot).await?)
            .collect(),
    })
}

async fn accepted_checks(
    session: &Session,
    run_id: i64,
) -> Result<Vec<AcceptedCheck>, ServiceError> {
    let Some(accepted) = history::accepted_checks(&**session, run_id).await? else {
        return Ok(Vec::new());
    };
    let corrupt = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
    Ok(serde_json::from_value(accepted).map_err(corrupt)?)
}

/// The conditions of the phase that comes next, if its gate is still to be passed.
pub(super) async fn conditions_now(
    session: &mut Session,
    snapshot: &Snapshot,
) -> Result<Vec<ConditionStatus>, ServiceError> {
    match snapshot.current_phase() {
        Some(phase)
            if snapshot.state == RunState::Active
                && !snapshot.phase_state(phase.name).has_begun() =>
        {
            let readings = readings::readings(session, snapshot, phase, Patience::look()).await?;
            Ok(gate::evaluate(phase, snapshot, &readings))
        }
        _ => Ok(Vec::new()),
    }
}

fn phase_status(snapshot: &Snapshot, phase: &Phase, current: &[ConditionStatus]) -> PhaseStatus {
    let record = snapshot.phases.get(&phase.name);
    let state = snapshot.phase_state(phase.name);
    let is_current = snapshot
        .current_phase()
        .is_some_and(|other| other.name == phase.name);
    let conditions: Vec<ConditionStatus> = if is_current && !current.is_empty() {
        current.to_vec()
    } else if state.has_begun() {
        Vec::new()
    } else {
        gate::evaluate(phase, snapshot, &Readings::default())
    };
    PhaseStatus {
        phase: phase.name,
        name: phase.name,
        state,
        started_at: record.and_then(|record| record.started_at),
        finished_at: record.and_then(|record| record.finished_at),
        gate: conditions
            .into_iter()
            .map(|condition| GateCondition {
                kind: condition.kind.to_owned(),
                holds: condition.holds,
                detail: condition.detail,
            })
            .collect(),
        steps: phase
            .steps
            .iter()
            .map(|step| {
                let record = snapshot.steps.get(&step.id);
                StepStatus {
                    step: step.id.to_string(),
                    kind: step.action.kind().to_owned(),
                    state: snapshot.step_state(&step.id),
                    attempts: record.map_or(0, |record| record.attempts),
                    error: record.and_then(|record| record.error.clone()),
                }
            })
            .collect(),
    }
}

/// Every reason why the run does not go on by itself.
fn waiting(run: &str, next: &Next) -> Vec<Waiting> {
    let one = |kind: &str, detail: String, until| {
        vec![Waiting {
            kind: kind.to_owned(),
            detail,
            until,
        }]
    };
    match next {
        Next::Wait(Wait::Gate(_, conditions)) => conditions
            .iter()
            .map(|condition| Waiting {
                kind: condition.kind.to_owned(),
                detail: condition.detail.clone(),
                until: condition.until,
            })
            .collect(),
        Next::Wait(Wait::Paused(pause)) => one(
            "paused",
            format!("by {}: {}", pause.by, pause.reason),
            pause.until,
        ),
        Next::Wait(Wait::Frozen(freeze)) => one(
            "frozen",
            format!("by {}: {}", freeze.by, freeze.reason),
            freeze.until,
        ),
        Next::Wait(Wait::RollingBack(_, target)) => one(
            "rolling_back",
            format!(
                "a rollback to {target} has begun: `crossfade rollback {run}{}` continues it",
                target.option()
            ),
            None,
        ),
        Next::StartPhase(phase) => one(
            OPERATOR,
            format!("the gate of {phase} is open: `crossfade advance {run}` runs it"),
            None,
        ),
        Next::Run(_) | Next::FinishPhase(_) | Next::FinishRun | Next::Finished(_) => Vec::new(),
    }
}

fn fill_steps(plan: &Plan) -> impl Iterator<Item = &str> {
    plan.steps()
        .filter(|(_, step)| matches!(step.action, Action::Fill(_)))
        .map(|(_, step)| step.id.0.as_str())
}

/// The backfill that is under way, or the last one.
async fn backfill(
    session: &Session,
    snapshot: &Snapshot,
    driven: bool,
    detail: Detail,
) -> Result<Option<Backfill>, ServiceError> {
    let mut newest = None;
    let tuned = tunings::in_force(&**session, snapshot.run_id).await?;
    let workers = workers::alive(&**session, snapshot.run_id).await?;
    for step in fill_steps(&snapshot.plan) {
        let Some(walk) = walks::load(&**session, snapshot.run_id, step).await? else {
            continue;
        };
        let totals = walks::totals(&**session, snapshot.run_id, step).await?;
        let moments = walks::moments(&**session, snapshot.run_id, step).await?;
        let points: Vec<_> = moments.iter().map(|moment| moment.point).collect();
        let estimate = progress::estimate(&points, totals.blocks_total - totals.blocks_done);
        let rows_changed = walk.rows_before + totals.rows_changed;
        let rows_per_block = totals
            .rows_changed
            .checked_div(totals.blocks_done.max(1))
            .unwrap_or(0);
        // Not known while somebody has the table locked.
        let blocks_now = match walks::blocks_now(&**session, &walk)
            .await
            .map_err(EngineError::from)
        {
            Err(error) if error.is_lock_not_had() => None,
            blocks => Some(blocks?),
        };
        let found = Backfill {
            table_growth: blocks_now
                .filter(|_| walk.blocks_before > 0)
                .map(|blocks| blocks as f64 / walk.blocks_before as f64),
            vacuums: walk.vacuums,
            is_stuck: driven && !walk.finished && progress::is_stuck(&moments),
            table: walk.table_name.clone(),
            blocks_total: totals.blocks_total,
            blocks_done: totals.blocks_done,
            rows_changed,
            rows_quarantined: walk.rows_quarantined,
            rows_per_second: if walk.finished || !driven {
                0.0
            } else {
                estimate.rows_per_second
            },
            eta_seconds: estimate.seconds_left.filter(|_| !walk.finished && driven),
            pace: PaceStatus {
                batch_rows: i64::from(walk.batch_blocks) * rows_per_block.max(1),
                delay_ms: walk.delay_ms,
                workers: if walk.finished { 0 } else { workers },
                // Of a driver that is gone they are no news.
                reasons: if driven { walk.reasons } else { Vec::new() },
                tuned: tuned.clone(),
            },
            account: progress::account(&moments, driven).filter(|_| !walk.finished),
            samples: (detail == Detail::Samples).then(|| moments.iter().map(sample).collect()),
        };
        let under_way = !walk.finished;
        newest = Some(found);
        if under_way {
            break;
        }
    }
    Ok(newest)
}

fn sample(moment: &Moment) -> SampleStatus {
    SampleStatus {
        age_seconds: moment.point.age_seconds,
        blocks_done: moment.point.blocks_done,
        rows_changed: moment.point.rows_changed,
        delay_ms: moment.delay_ms,
        workers: moment.workers,
        reasons: moment.reasons.clone(),
    }
}

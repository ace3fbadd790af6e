//! DDL under traffic: observed first, with a lock timeout, tried again with growing pauses, never in front of the
//! application for long.

use super::{
    EngineError,
    drift::TriggerSnapshot,
    failpoint::{self, Midway},
    notice::Notice,
    quarantine,
    session::Driver,
    statement_failed, vital,
};
use crate::database::{
    activity::{self, Blocker},
    observe::{Observed, observe},
};
use crate::store::{
    StoreError, history,
    lease::{self, Lease, MayGoOn},
    quarantine::none_backward,
};
use crossfade_decisions::lifecycle::toll::Toll;
use crossfade_model::ident::TableName;
use crossfade_model::lock::Lock;
use crossfade_plan::compiled::{Plan, StepId};
use crossfade_plan::sqlgen::{
    ddl_unit::{DdlUnit, Goal, How, Reach},
    message::{IDLE_TIMEOUT_MS, Message, Refusal},
    session,
};
use crossfade_plan::steps::create_index;
use crossfade_postgres::sqlstate::{ErrorClass, classify};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use tokio_postgres::GenericClient;

/// Whether the parts were run, or their goals were there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Ran,
    WasThere,
    Interrupted,
    Paused,
}

const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A transaction older than this on the table is waited for without queueing behind it.
const LONG_TRANSACTION: Duration = Duration::from_secs(1);
const TIDY_UP_MS: u64 = 1_000;
/// A look at how far a long statement is.
const TELL_WITHIN: Duration = Duration::from_secs(5);
/// The second and further tables of a transaction: the first ones are locked meanwhile.
const FURTHER_LOCK_TIMEOUT_MS: u64 = 10;

/// Runs the parts of one step. The last goal speaks for the step: where it holds, nothing is left to do.
pub async fn run_parts(
    driver: &mut Driver,
    plan: &Plan,
    step: &StepId,
    parts: &[DdlUnit],
) -> Result<Reached, EngineError> {
    run_parts_if(driver, plan, step, parts, None).await
}

/// The same with what must be so for those that run under locks.
pub async fn run_parts_if(
    driver: &mut Driver,
    plan: &Plan,
    step: &StepId,
    parts: &[DdlUnit],
    only_if: Option<OnlyIf<'_>>,
) -> Result<Reached, EngineError> {
    let groups: Vec<Vec<&DdlUnit>> = grouped(parts);
    let Some(last) = groups.last() else {
        return Ok(Reached::WasThere);
    };
    let mut is_reached = true;
    for part in last {
        is_reached &= observed(driver, step, &part.goal).await? == Observed::Holds;
    }
    if is_reached {
        return Ok(Reached::WasThere);
    }
    for (number, group) in groups.iter().enumerate() {
        let place = format!("{step} part {}", number + 1);
        let reached = match group.as_slice() {
            [part] if part.how != How::Locking => {
                run_long(driver, plan, step, &place, part).await?
            }
            together => run_together(driver, plan, step, &place, together, only_if).await?,
        };
        match reached {
            Reached::Ran | Reached::WasThere => {}
            Reached::Interrupted | Reached::Paused => return Ok(reached),
        }
    }
    Ok(Reached::Ran)
}

/// The parts that share a transaction, in their order.
fn grouped(parts: &[DdlUnit]) -> Vec<Vec<&DdlUnit>> {
    let mut groups: Vec<Vec<&DdlUnit>> = Vec::new();
    let mut is_open = false;
    for part in parts {
        match groups.last_mut().filter(|_| is_open) {
            Some(group) => group.push(part),
            None => groups.push(vec![part]),
        }
        is_open = part.with_next;
    }
    groups
}

async fn observed(driver: &Driver, step: &StepId, goal: &Goal) -> Result<Observed, EngineError> {
    match observe(&*driver.work, goal).await? {
        Observed::Conflict(what) => Err(EngineError::Conflict {
            step: step.clone(),
            what: match goal.itself() {
                Goal::IndexWhole { .. } | Goal::PartitionsRefer { .. } => what,
                _ => format!("{what}. Nothing has changed: make room or roll back"),
            },
        }),
        other => Ok(other),
    }
}

/// What must be so once the tables are locked, or nothing is run.
#[derive(Clone, Copy)]
pub enum OnlyIf<'a> {
    /// The triggers stand as they stood then. Else it ends with `SyncChanged`.
    Stands(&'a TriggerSnapshot),
    /// The new version has written nothing that going back would lose, but for what may go: its transactions may have ended
    /// while the lock was waited for. Else it ends with `Refused`.
    NothingIsLost(&'a BTreeSet<String>),
}

/// Parts that share one transaction under `lock_timeout`. Those whose goal holds are left out.
pub async fn run_together(
    driver: &mut Driver,
    plan: &Plan,
    step: &StepId,
    place: &str,
    parts: &[&DdlUnit],
    only_if: Option<OnlyIf<'_>>,
) -> Result<Reached, EngineError> {
    let mut waiting = Patience::new(plan);
    loop {
        let mut left = Vec::new();
        for part in parts {
            if observed(driver, step, &part.goal).await? != Observed::Holds {
                left.push(*part);
            }
        }
        if left.is_empty() {
            return Ok(Reached::WasThere);
        }
        if driver.stop.is_cancelled() {
            return Ok(Reached::Interrupted);
        }
        if driver.may_go_on().await? == MayGoOn::Paused {
            return Ok(Reached::Paused);
        }
        let locks = with_partitions(driver, strongest(&left)).await?;
        let holders = long_holders(driver, &locks).await?;
        let blockers = if holders.is_empty() {
            failpoint::pass(|| format!("{place}: before its effect"));
            match attempt(driver, plan, &left, &locks, place, only_if).await {
                Ok(()) => {
                    failpoint::pass(|| format!("{place}: after its effect"));
                    return Ok(Reached::Ran);
                }
                Err(Failed::Blocked(blockers)) => blockers,
                Err(Failed::NotDone(why)) => {
                    return Err(EngineError::Conflict {
                        step: step.clone(),
                        what: format!("{why}. It was rolled back: nothing has changed"),
                    });
                }
                Err(Failed::SyncChanged) => {
                    return Err(EngineError::SyncChanged { step: step.clone() });
                }
                Err(Failed::WouldLose) => {
                    would_lose(driver, plan, only_if).await?;
                    // Mended in between: tried again.
                    Vec::new()
                }
                Err(Failed::Other(error)) => return Err(at_step(step, error)),
                Err(Failed::Store(error)) => return Err(error.into()),
            }
        } else {
            holders
        };
        waiting.blocked(driver, step, blockers).await?;
    }
}

/// A refusal that names what would be lost, where there still is something.
async fn would_lose(
    driver: &Driver,
    plan: &Plan,
    only_if: Option<OnlyIf<'_>>,
) -> Result<(), EngineError> {
    let Some(OnlyIf::NothingIsLost(discards)) = only_if else {
        return Ok(());
    };
    let toll = Toll {
        lost: quarantine::only_on_the_new_side(&*driver.work, driver.lease.run_id, plan).await?,
        in_the_way: Vec::new(),
    };
    let command = format!("crossfade rollback {}", plan.name);
    match toll.refusal(discards, &command) {
        Some(what) => Err(EngineError::Refused(what)),
        None => Ok(()),
    }
}

enum Failed {
    Blocked(Vec<Blocker>),
    /// Rolled back, as its author's question says that it has not been done.
    NotDone(String),
    /// Rolled back, as the triggers do not stand as they stood.
    SyncChanged,
    /// Rolled back, as going back would lose what the new version wrote.
    WouldLose,
    Store(StoreError),
    Other(tokio_postgres::Error),
}

fn at_step(step: &StepId, error: tokio_postgres::Error) -> EngineError {
    EngineError::Statement {
        step: step.clone(),
        error,
    }
}

/// The strongest lock on each table, in the order of first use, and how far one reaches.
fn strongest(parts: &[&DdlUnit]) -> Vec<(TableName, Lock, Reach)> {
    let mut order = Vec::new();
    let mut locks: BTreeMap<TableName, (Lock, Reach)> = BTreeMap::new();
    for taken in parts
        .iter()
        .flat_map(|part| &part.statements)
        .flat_map(|statement| &statement.locks)
    {
        if !locks.contains_key(&taken.table) {
            order.push(taken.table.clone());
        }
        let entry = locks.entry(taken.table.clone());
        let (lock, reach) = entry.or_insert((taken.lock, taken.reach));
        *lock = (*lock).max(taken.lock);
        *reach = (*reach).max(taken.reach);
    }
    order
        .into_iter()
        .filter_map(|table| {
            let (lock, reach) = *locks.get(&table)?;
            Some((table, lock, reach))
        })
        .collect()
}

/// A lock on a partitioned table is one on each of its partitions, but for `ONLY`: they are taken one by one before the
/// statement asks for them, each with its own short limit.
async fn with_partitions(
    driver: &Driver,
    locks: Vec<(TableName, Lock, Reach)>,
) -> Result<Vec<(TableName, Lock)>, EngineError> {
    let mut all = Vec::new();
    for (table, lock, reach) in locks {
        let partitions = match reach {
            Reach::WithPartitions => activity::partitions_of(&*driver.work, &table).await?,
            Reach::Alone => Vec::new(),
        };
        all.push((table, lock));
        all.extend(partitions.into_iter().map(|partition| (partition, lock)));
    }
    Ok(all)
}

async fn long_holders(
    driver: &Driver,
    locks: &[(TableName, Lock)],
) -> Result<Vec<Blocker>, EngineError> {
    let strong = |wanted: Lock| -> Vec<TableName> {
        locks
            .iter()
            .filter(|(_, lock)| *lock == wanted)
            .map(|(table, _)| table.clone())
            .collect()
    };
    let client = driver.onlooker().await?;
    let mut holders = Vec::new();
    for (lock, name) in [
        (Lock::AccessExclusiveLock, "AccessExclusiveLock"),
        (Lock::ShareRowExclusiveLock, "ShareRowExclusiveLock"),
    ] {
        let tables = strong(lock);
        if !tables.is_empty() {
            holders.extend(
                activity::long_holders(
                    &**client,
                    &tables,
                    name,
                    LONG_TRANSACTION,
                    driver.autovacuum_gives_way,
                )
                .await?,
            );
        }
    }
    Ok(holders)
}

/// One attempt, in one transaction that is one message. While it waits for its lock another connection sees who holds it.
async fn attempt(
    driver: &mut Driver,
    plan: &Plan,
    parts: &[&DdlUnit],
    locks: &[(TableName, Lock)],
    place: &str,
    only_if: Option<OnlyIf<'_>>,
) -> Result<(), Failed> {
    let timeout = plan.settings.lock_timeout.duration();
    let pid = driver.work_pid;
    let watcher = driver.onlooker().await.ok();
    let lease = driver.lease;
    let watching = async {
        let mut seen = Vec::new();
        let Some(client) = watcher else {
            return std::future::pending::<Vec<Blocker>>().await;
        };
        // Twice within the timeout: once may be just before the wait begins.
        for _ in 0..64 {
            tokio::time::sleep(timeout / 3).await;
            if let Ok(blockers) = activity::blockers_of(&**client, pid).await
                && !blockers.is_empty()
            {
                seen = blockers;
                break;
            }
        }
        seen
    };
    let midway = failpoint::midway(|| format!("{place}: in its effect"));
    let may_go = match only_if {
        Some(OnlyIf::NothingIsLost(discards)) => {
            quarantine::may_go(&*driver.work, lease.run_id, plan, discards)
                .await
                .map_err(Failed::Store)?
        }
        Some(OnlyIf::Stands(_)) | None => Vec::new(),
    };
    let text = message(plan, lease, parts, locks, (only_if, &may_go), midway).text();
    let working = midway.around(driver.work.batch_execute(&text));
    tokio::pin!(working, watching);
    let (result, seen) = tokio::select! {
        result = &mut working => (result, Vec::new()),
        seen = &mut watching => ((&mut working).await, seen),
    };
    result.map_err(|error| failed(error, seen))
}

/// All of an attempt: the fence, the locks, what must be so under them, the statements, and what must be so after them. Each
/// way to the server and back that there was in between would be time for which the application waits for the locks.
fn message(
    plan: &Plan,
    lease: Lease,
    parts: &[&DdlUnit],
    locks: &[(TableName, Lock)],
    (only_if, may_go): (Option<OnlyIf<'_>>, &[(String, String)]),
    midway: Midway,
) -> Message {
    let mut message = Message::default();
    message.run(format!(
        "SET LOCAL idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}"
    ));
    let timeout = plan.settings.lock_timeout.millis();
    message.run(format!("SET LOCAL lock_timeout = {timeout}"));
    message.demand(&lease::fenced(lease), Refusal::LeaseLost);
    if locks.len() > 1 || only_if.is_some() {
        for (number, (table, lock)) in locks.iter().enumerate() {
            if number == 1 {
                message.run(format!(
                    "SET LOCAL lock_timeout = {FURTHER_LOCK_TIMEOUT_MS}"
                ));
            }
            // The comment tells it from the application's where statements are counted.
            message.run(format!(
                "LOCK TABLE ONLY {table} /* crossfade_lock */ IN {} MODE",
                lock.as_str()
            ));
        }
    }
    match only_if {
        Some(OnlyIf::Stands(stood)) => message.demand(&stood.holds(), Refusal::SyncChanged),
        Some(OnlyIf::NothingIsLost(_)) => {
            message.demand(&none_backward(lease.run_id, may_go), Refusal::WouldLose);
        }
        None => {}
    }
    // Event triggers, defaults, and what the author has written.
    message.run(session::as_the_application(plan));
    for statement in parts.iter().flat_map(|part| &part.statements) {
        message.run(&statement.sql);
    }
    // Else they would be run again after a crash, and never be taken back.
    for part in parts {
        if let Goal::Asked {
            path,
            question,
            answer: true,
        } = &part.goal
        {
            message.run(format!("SET LOCAL search_path = {path}"));
            message.demand_yes(question);
        }
    }
    if let Some(statement) = midway.statement() {
        message.run(statement);
    }
    message
}

fn failed(error: tokio_postgres::Error, seen: Vec<Blocker>) -> Failed {
    let state = error.code().map_or("", |state| state.code());
    match Refusal::from_sqlstate(state) {
        Some(Refusal::LeaseLost) => Failed::Store(StoreError::LeaseLost),
        Some(Refusal::SyncChanged) => Failed::SyncChanged,
        Some(Refusal::WouldLose) => Failed::WouldLose,
        Some(Refusal::NotDone) => Failed::NotDone(NOT_DONE.to_owned()),
        Some(Refusal::Unanswered) => {
            let why = error.as_db_error().map_or("", |error| error.message());
            Failed::NotDone(format!(
                "its statements were run, and then `done_when` cannot be answered: {}",
                why.replace('\n', " ")
            ))
        }
        Some(Refusal::Paused | Refusal::ClaimLost | Refusal::Rewritten) | None => {
            match classify(&error) {
                ErrorClass::LockNotHad => Failed::Blocked(seen),
                _ => Failed::Other(error),
            }
        }
    }
}

const NOT_DONE: &str = "its statements were run, and `done_when` is not true after them";

/// What its author asks must be answered with yes after the statements: else they would be run again after a crash, and
/// never be taken back.
async fn not_done<C: GenericClient>(
    client: &C,
    goal: &Goal,
) -> Result<Option<String>, tokio_postgres::Error> {
    let Goal::Asked { answer: true, .. } = goal else {
        return Ok(None);
    };
    Ok(match observe(client, goal).await? {
        Observed::Holds => None,
        Observed::Conflict(why) => Some(format!("its statements were run, and then {why}")),
        Observed::Missing | Observed::InvalidIndex => Some(NOT_DONE.to_owned()),
    })
}

/// How long is left to try, and what to do about whom we wait for.
pub(super) struct Patience {
    began: Instant,
    attempts: u32,
    pause: Duration,
    attempts_max: u32,
    wait_max: Duration,
    end_idle: Option<Duration>,
    last: Vec<Blocker>,
}

impl Patience {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            began: Instant::now(),
            attempts: 0,
            pause: PAUSE_FIRST,
            attempts_max: plan.settings.lock_attempts_max,
            wait_max: plan.settings.lock_wait_max.duration(),
            end_idle: plan.settings.end_idle_blockers.map(|age| age.duration()),
            last: Vec::new(),
        }
    }

    /// Notes who is waited for, and waits; an error when attempts or time have run out.
    pub(super) async fn blocked(
        &mut self,
        driver: &mut Driver,
        step: &StepId,
        blockers: Vec<Blocker>,
    ) -> Result<(), EngineError> {
        self.attempts += 1;
        if !blockers.is_empty() {
            let changed = self
                .last
                .iter()
                .map(|b| b.pid)
                .ne(blockers.iter().map(|b| b.pid));
            self.last = blockers.clone();
            if changed {
                note_blockers(driver, step, self.attempts, &blockers).await?;
            }
        }
        if self.attempts >= self.attempts_max || self.began.elapsed() >= self.wait_max {
            return Err(EngineError::LockNotHad {
                step: step.clone(),
                attempts: self.attempts,
                waited_ms: self.began.elapsed().as_millis(),
                blockers: std::mem::take(&mut self.last),
            });
        }
        if let Some(age) = self.end_idle {
            self.end_idle_ones(driver, step, age).await?;
        }
        let jittered = self.pause.mul_f64(0.75 + fastrand::f64() / 2.0);
        driver.reporter.notice(Notice::Blocked {
            step: step.clone(),
            attempt: self.attempts,
            blockers,
            retry_in: jittered,
        });
        driver.sleep_while_active(jittered).await?;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }

    async fn end_idle_ones(
        &self,
        driver: &Driver,
        step: &StepId,
        age: Duration,
    ) -> Result<(), EngineError> {
        let client = driver.onlooker().await?;
        for blocker in &self.last {
            if activity::end_idle(&**client, blocker.pid, age).await? {
                driver.reporter.notice(Notice::EndedBlocker {
                    step: step.clone(),
                    pid: blocker.pid,
                });
            }
        }
        Ok(())
    }
}

async fn note_blockers(
    driver: &mut Driver,
    step: &StepId,
    attempt: u32,
    blockers: &[Blocker],
) -> Result<(), EngineError> {
    let detail = json!({"step": step.0, "attempt": attempt, "blockers": blockers});
    let transaction = driver.work.transaction().await?;
    lease::fence(&transaction, driver.lease).await?;
    history::record(&transaction, driver.lease.run_id, "blocked", &detail).await?;
    transaction.commit().await?;
    Ok(())
}

/// `CONCURRENTLY` and VALIDATE: they wait for old transactions without making the application queue, so they have no
/// `lock_timeout`, but tell how far they are and whom they wait for.
async fn run_long(
    driver: &mut Driver,
    plan: &Plan,
    step: &StepId,
    place: &str,
    part: &DdlUnit,
) -> Result<Reached, EngineError> {
    let mut waiting = Patience::new(plan);
    loop {
        match observed(driver, step, &part.goal).await? {
            Observed::Holds => return Ok(Reached::WasThere),
            Observed::InvalidIndex => match drop_invalid(driver, plan, step, &part.goal).await {
                Ok(()) => {}
                Err(error) if was_interrupted(driver, &error) => return Ok(Reached::Interrupted),
                Err(error) => return Err(at_step(step, error)),
            },
            Observed::Missing | Observed::Conflict(_) => {}
        }
        if driver.stop.is_cancelled() {
            return Ok(Reached::Interrupted);
        }
        if driver.may_go_on().await? == MayGoOn::Paused {
            return Ok(Reached::Paused);
        }
        failpoint::pass(|| format!("{place}: before its effect"));
        let began = Instant::now();
        let error = match execute_watched(driver, plan, step, part).await {
            Ok(()) => {
                failpoint::pass(|| format!("{place}: after its effect"));
                return match not_done(&*driver.work, &part.goal).await? {
                    None => Ok(Reached::Ran),
                    Some(why) => Err(EngineError::Conflict {
                        step: step.clone(),
                        what: format!("{why}. Check what they did, and undo it by hand"),
                    }),
                };
            }
            Err(error) => error,
        };
        if matches!(
            observed(driver, step, &part.goal).await,
            Ok(Observed::InvalidIndex)
        ) {
            match drop_invalid(driver, plan, step, &part.goal).await {
                Ok(()) => {}
                // What made the build wait makes the drop wait too.
                Err(error) if was_interrupted(driver, &error) => tracing::warn!(
                    %step, "an unfinished index remains, because a transaction still holds a lock on the table. The next advance or rollback drops it"
                ),
                Err(error) => return Err(at_step(step, error)),
            }
        }
        match classify(&error) {
            ErrorClass::LockNotHad => waiting.blocked(driver, step, Vec::new()).await?,
            ErrorClass::Cancelled if driver.stop.is_cancelled() => return Ok(Reached::Interrupted),
            _ => {
                let limit = match part.how {
                    How::Scanning => plan.settings.statement_timeout.duration(),
                    How::Concurrently | How::Locking => Duration::ZERO,
                };
                return Err(statement_failed(step, error, began, limit));
            }
        }
    }
}

fn was_interrupted(driver: &Driver, error: &tokio_postgres::Error) -> bool {
    driver.stop.is_cancelled() && classify(error) == ErrorClass::Cancelled
}

/// An INVALID index is of no use and costs every write: it goes at once. Where a transaction holds the table this waits
/// for it, but not after Ctrl-C.
async fn drop_invalid(
    driver: &Driver,
    plan: &Plan,
    step: &StepId,
    goal: &Goal,
) -> Result<(), tokio_postgres::Error> {
    match goal.itself() {
        Goal::Index { table, name, .. } => {
            let part = create_index::drop_index(table, name);
            execute_watched(driver, plan, step, &part).await
        }
        _ => Ok(()),
    }
}

async fn execute_watched(
    driver: &Driver,
    plan: &Plan,
    step: &StepId,
    part: &DdlUnit,
) -> Result<(), tokio_postgres::Error> {
    // After Ctrl-C only what tidies up is run, and not for long.
    let mut cancelled = driver.stop.is_cancelled();
    let timeout = match part.how {
        _ if cancelled => TIDY_UP_MS,
        How::Scanning => plan.settings.statement_timeout.millis(),
        How::Concurrently | How::Locking => 0,
    };
    driver
        .work
        .batch_execute(&format!(
            "SET statement_timeout = {timeout}; SET search_path = {}",
            session::path(plan)
        ))
        .await?;
    let working = async {
        for statement in &part.statements {
            driver.work.batch_execute(&statement.sql).await?;
        }
        Ok(())
    };
    tokio::pin!(working);
    let result = loop {
        tokio::select! {
            result = &mut working => break result,
            () = driver.stop.cancelled(), if !cancelled => {
                cancelled = true;
                if let Err(error) = driver.work.canceller().cancel().await {
                    tracing::warn!(%error, "the statement could not be cancelled");
                }
            }
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                let told = vital::within(TELL_WITHIN, async {
                    tell_progress(driver, step).await;
                    Ok::<_, EngineError>(())
                });
                // Best effort: the heartbeat tells whether the database is still there.
                if let Err(error) = told.await {
                    tracing::debug!(%error, "how far a statement is could not be told");
                }
            }
        }
    };
    driver
        .work
        .batch_execute(&format!(
            "SET statement_timeout = 0; SET search_path = {}",
            session::OWN_PATH
        ))
        .await?;
    result
}

/// Best effort: the build goes on whether or not it can be watched.
async fn tell_progress(driver: &Driver, step: &StepId) {
    let Ok(client) = driver.onlooker().await else {
        return;
    };
    if let Ok(Some((phase, done, total, waits_for))) =
        activity::index_build(&**client, driver.work_pid).await
    {
        driver.reporter.notice(Notice::IndexProgress {
            step: step.clone(),
            phase,
            done,
            total,
            waits_for,
        });
    }
}

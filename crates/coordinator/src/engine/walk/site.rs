//! What the workers of one process share: the work itself, the pace, and whether to go on.

use super::Work;
use crate::database::activity::Blocker;
use crate::engine::{EngineError, notice::Notice, worker_context::WorkerContext};
use crate::store::walks::Walk;
use crossfade_decisions::pacing::{Batch, Breaker, Outcome, Pace, Recent};
use crossfade_plan::sqlgen::session;
use crossfade_plan::{
    compiled::{Plan, StepId},
    document::Pacing,
};
use deadpool_postgres::Object;
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether the pace has changed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub struct Site<'a> {
    hands: WorkerContext,
    pub plan: &'a Plan,
    pub step: &'a StepId,
    pub work: Work<'a>,
    /// The pass that is under way.
    pub walk: Walk,
    /// The workers are to end at their next batch.
    pub halt: CancellationToken,
    batches: AtomicU64,
    /// That this process has done.
    blocks: AtomicU64,
    batch_ended: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    /// The batches that the size of the next one follows.
    recent: Recent,
    breaker: Breaker,
    limits: Pacing,
    /// The sessions that work here, and their workers' numbers.
    sessions: Vec<(i32, i64)>,
    /// Who was last seen to hold rows that a batch waited for.
    blockers: Vec<Blocker>,
    /// Segments that wait for a worker, when it was last looked.
    free: i64,
}

impl std::ops::Deref for Site<'_> {
    type Target = WorkerContext;
    fn deref(&self) -> &WorkerContext {
        &self.hands
    }
}

impl<'a> Site<'a> {
    pub fn new(
        hands: WorkerContext,
        plan: &'a Plan,
        step: &'a StepId,
        work: Work<'a>,
        walk: Walk,
    ) -> Self {
        let batch_blocks = walk.batch_blocks.unsigned_abs().max(1);
        let pace = Pace::free(batch_blocks, plan.settings.pacing.workers);
        Self {
            plan,
            step,
            work,
            walk,
            halt: hands.stop.child_token(),
            hands,
            batches: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
            batch_ended: Notify::new(),
            state: Mutex::new(State {
                pace,
                recent: Recent::default(),
                breaker: Breaker::default(),
                limits: plan.settings.pacing.clone(),
                sessions: Vec::new(),
                blockers: Vec::new(),
                free: 0,
            }),
        }
    }

    /// A panic elsewhere leaves plain values, which are good to go on with.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn pace(&self) -> Pace {
        self.state().pace.clone()
    }

    /// All of the pace but the size of a batch, which batches that ended meanwhile have changed.
    pub fn set_pace(&self, pace: Pace) {
        let state = &mut *self.state();
        let batch_blocks = state.pace.batch_blocks;
        state.pace = Pace {
            batch_blocks,
            ..pace
        };
    }

    pub fn limits(&self) -> Pacing {
        self.state().limits.clone()
    }

    pub fn set_limits(&self, limits: Pacing) {
        self.state().limits = limits;
    }

    /// A batch was done.
    pub fn count(&self, blocks: u32) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.blocks.fetch_add(u64::from(blocks), Ordering::Relaxed);
        self.batch_ended.notify_waiters();
    }

    /// Until the workers of this process have done so many blocks more, but no longer than `at_most`; or at once when
    /// they are to end.
    pub async fn until_done(&self, blocks: u64, at_most: Duration) {
        let upto = self.blocks.load(Ordering::Relaxed).saturating_add(blocks);
        let done = async {
            loop {
                // Before the look, so that what ends in between is not missed.
                let ended = self.batch_ended.notified();
                if self.blocks.load(Ordering::Relaxed) >= upto {
                    break;
                }
                ended.await;
            }
        };
        tokio::select! {
            () = done => {}
            () = self.sleep(at_most) => {}
        }
    }

    /// The batches that this process has done.
    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// The size of the batches to come follows this one.
    pub fn measured(&self, batch: Batch) {
        let state = &mut *self.state();
        let blocks = state.pace.batch_blocks;
        state.pace.batch_blocks = state.recent.resize(&state.limits, blocks, batch);
    }

    pub fn note(&self, outcome: Outcome) {
        self.state().breaker.note(outcome);
    }

    /// Why going on does no good, until somebody has looked.
    pub fn broken(&self) -> Option<String> {
        let state = &*self.state();
        state.breaker.reason(state.limits.failed_batches_percent)
    }

    pub fn join(&self, pid: i32, worker: i64) {
        self.state().sessions.push((pid, worker));
    }

    pub fn part(&self, worker: i64) {
        self.state().sessions.retain(|(_, other)| *other != worker);
    }

    pub fn pids(&self) -> Vec<i32> {
        self.state().sessions.iter().map(|(pid, _)| *pid).collect()
    }

    pub fn workers(&self) -> Vec<i64> {
        let sessions = &self.state().sessions;
        sessions.iter().map(|(_, worker)| *worker).collect()
    }

    pub fn saw(&self, blockers: Vec<Blocker>) {
        self.state().blockers = blockers;
    }

    pub fn take_blockers(&self) -> Vec<Blocker> {
        std::mem::take(&mut self.state().blockers)
    }

    pub fn set_free(&self, segments: i64) {
        self.state().free = segments;
    }

    /// Once: whoever is hired for them is not to be hired twice.
    pub fn take_free(&self) -> i64 {
        std::mem::take(&mut self.state().free)
    }

    pub fn has_lost_lease(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    pub fn notice(&self, notice: Notice) {
        self.reporter.notice(notice);
    }

    /// A session set up as every worker's is, so that all compute the same.
    pub async fn session(&self) -> Result<Object, EngineError> {
        let session = self.pool.get().await?;
        session
            .batch_execute(&session::conversions(self.plan))
            .await?;
        Ok(session)
    }

    /// Waits until a batch may begin, or until `stopped` is worth another look; the pace as it stands then. It may change
    /// while we wait: a longer delay is kept to, and a shorter one lets go.
    pub async fn turn(&self) -> Pace {
        let began = Instant::now();
        loop {
            let pace = self.pace();
            let left = pace.delay.saturating_sub(began.elapsed());
            if left.is_zero() || self.halt.is_cancelled() {
                return pace;
            }
            self.sleep(left.min(LOOK_EVERY)).await;
        }
    }

    /// Sleeps, or returns at once when the workers are to end.
    pub async fn sleep(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.halt.cancelled() => {}
        }
    }
}

//! Looks on while workers work: what the database suffers, how far they are, and that their claims stay alive.

use super::{Work, site::Site};
use crate::engine::{
    EngineError,
    notice::{Notice, WalkProgress},
};
use crate::pacing::{self, Pace};
use crate::plan::tuning::{self, Tuning};
use crate::progress;
use crate::store::{
    StoreError,
    tunings::{self, TuningRecord},
    walks, workers,
};
use crate::target::activity;
use deadpool_postgres::Object;
use std::{
    cell::Cell,
    convert::Infallible,
    time::{Duration, Instant},
};

/// How often the database is looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_millis(500);
const POINT_EVERY: Duration = Duration::from_secs(2);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Whether this process drives the run, and so keeps its records, or helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Drives,
    Helps,
}

pub struct Watch<'a> {
    session: Object,
    role: Role,
    /// Other sessions of this process whose locks are ours.
    pids: &'a [i32],
    rate: Cell<(Instant, i64)>,
}

/// When each thing was done last.
#[derive(Default)]
struct Clock {
    sampled: Option<Instant>,
    told: Option<Instant>,
    pointed: Option<Instant>,
    beaten: Option<Instant>,
}

fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let due = last.is_none_or(|at| at.elapsed() >= every);
    if due {
        *last = Some(Instant::now());
    }
    due
}

impl<'a> Watch<'a> {
    pub async fn begin(site: &Site<'_>, role: Role, pids: &'a [i32]) -> Result<Self, EngineError> {
        let session = site.session().await?;
        let watch = Self {
            session,
            role,
            pids,
            rate: Cell::new((Instant::now(), 0)),
        };
        watch.tune(site).await?;
        Ok(watch)
    }

    /// Segments of the pass that are not done, and those that wait for a worker.
    pub async fn left(&self, site: &Site<'_>) -> Result<(i64, i64), EngineError> {
        Ok(walks::left(&**self.session, &site.walk).await?)
    }

    /// Until it fails, or is dropped.
    pub async fn look_on(&self, site: &Site<'_>) -> EngineError {
        match self.look_for_ever(site).await {
            Err(error) => error,
        }
    }

    async fn look_for_ever(&self, site: &Site<'_>) -> Result<Infallible, EngineError> {
        let mut clock = Clock::default();
        loop {
            if site.has_lost_lease() {
                return Err(StoreError::LeaseLost.into());
            }
            if is_due(&mut clock.beaten, HEARTBEAT_EVERY) {
                workers::heartbeat(&**self.session, &site.workers()).await?;
            }
            if site.pace().stopped || is_due(&mut clock.sampled, SAMPLE_EVERY) {
                self.tune(site).await?;
                self.sample(site).await?;
            }
            if self.role == Role::Drives && is_due(&mut clock.pointed, POINT_EVERY) {
                walks::note_point(&**self.session, site.lease, &site.step.0).await?;
            }
            if is_due(&mut clock.told, TELL_EVERY) {
                self.tell(site).await?;
            }
            let (_, free) = self.left(site).await?;
            site.set_free(free);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The limits that somebody changed while this goes on; back to the plan's when that expires.
    async fn tune(&self, site: &Site<'_>) -> Result<(), EngineError> {
        let in_force = tunings::in_force(&**self.session, site.lease.run_id).await?;
        let all: Vec<Tuning> = in_force.iter().map(TuningRecord::tuning).collect();
        match tuning::tuned(&site.plan.settings.pacing, &all) {
            Ok(limits) => site.set_limits(limits),
            Err(why) => tracing::warn!(%why, "a limit in crossfade.tunings is none"),
        }
        Ok(())
    }

    /// The next decision on the pace.
    async fn sample(&self, site: &Site<'_>) -> Result<(), EngineError> {
        let mut pids = site.pids();
        pids.extend(self.pids);
        let sample = activity::sample(&**self.session, &pids).await?;
        let before = site.pace();
        let pace = pacing::decide(&site.limits(), &before, &sample);
        if self.role == Role::Drives {
            walks::note_pace(&**self.session, site.lease, &site.step.0, &pace).await?;
        }
        // Batches that ended meanwhile have changed the size.
        let batch_blocks = site.pace().batch_blocks;
        site.set_pace(Pace {
            batch_blocks,
            ..pace
        });
        Ok(())
    }

    /// Tells how far the walk is.
    pub async fn tell(&self, site: &Site<'_>) -> Result<(), EngineError> {
        let (run_id, step) = (site.lease.run_id, &site.step.0);
        let totals = walks::totals(&**self.session, run_id, step).await?;
        let points = walks::points(&**self.session, run_id, step).await?;
        let estimate = progress::estimate(&points, totals.blocks_total - totals.blocks_done);
        let rows = match site.work {
            Work::Fill(_) => site.walk.rows_before + totals.rows_changed,
            Work::Compare { .. } => totals.rows_read,
        };
        let (since, rows_then) = self.rate.get();
        let seconds = since.elapsed().as_secs_f64().max(0.001);
        self.rate.set((Instant::now(), rows));
        site.notice(Notice::WalkProgress(WalkProgress {
            step: site.step.clone(),
            table: site.walk.table_name.clone(),
            pass: site.walk.pass,
            blocks_done: totals.blocks_done,
            blocks_total: totals.blocks_total,
            rows,
            rows_per_second: (rows - rows_then).max(0) as f64 / seconds,
            seconds_left: estimate.seconds_left,
            reasons: site.pace().reasons,
        }));
        Ok(())
    }

    /// What is told and kept at the end of a pass.
    pub async fn end(&self, site: &Site<'_>) -> Result<(), EngineError> {
        if self.role == Role::Drives {
            walks::note_point(&**self.session, site.lease, &site.step.0).await?;
        }
        self.tell(site).await
    }
}

//! Looks on while workers work: what the database suffers, how far they are, and that their claims stay alive.

use super::{Work, gauges::Gauges, site::Site};
use crate::engine::{
    EngineError, drift,
    notice::{Notice, WalkProgress},
    vital,
};
use crate::store::{
    StoreError,
    tunings::{self, TuningRecord},
    walks::{self, Totals},
    workers,
};
use crossfade_decisions::lifecycle::gate::out_of_step;
use crossfade_decisions::pacing;
use crossfade_decisions::progress::{self, Tally};
use crossfade_plan::tuning::{self, Tuning};
use deadpool_postgres::Object;
use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    time::{Duration, Instant},
};

/// How often the pace is noted where it stays the same.
const NOTE_EVERY: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_millis(500);
const POINT_EVERY: Duration = Duration::from_secs(2);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOK_AT_TRIGGERS_EVERY: Duration = Duration::from_secs(2);

/// Whether this process drives the run, and so keeps its records, or helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Drives,
    Helps,
}

pub struct Watch<'a> {
    session: Object,
    role: Role,
    gauges: Gauges<'a>,
    rate: Cell<(Instant, i64)>,
    /// What the time since the last point went into, and until when that was told.
    tally: RefCell<(Instant, Tally)>,
}

/// When each thing was done last.
#[derive(Default)]
struct Clock {
    noted: Option<Instant>,
    told: Option<Instant>,
    pointed: Option<Instant>,
    beaten: Option<Instant>,
    looked: Option<Instant>,
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
        // What was done before this process came is not its speed.
        let totals = walks::totals(&**session, site.lease.run_id, &site.step.0).await?;
        let rows = rows_done(site, &totals);
        let watch = Self {
            session,
            role,
            gauges: Gauges::new(pids),
            rate: Cell::new((Instant::now(), rows)),
            tally: RefCell::new((Instant::now(), Tally::default())),
        };
        watch.tune(site).await?;
        // No batch before it is known what the database suffers already.
        watch.gauges.read(site).await;
        watch.decide(site);
        Ok(watch)
    }

    /// Segments of the pass that are not done, and those that wait for a worker.
    pub async fn left(&self, site: &Site<'_>) -> Result<(i64, i64), EngineError> {
        vital::answered(walks::left(&**self.session, &site.walk)).await
    }

    /// Until it fails, or is dropped.
    pub async fn look_on(&self, site: &Site<'_>) -> EngineError {
        tokio::select! {
            error = self.look_for_ever(site) => match error {
                Err(error) => error,
            },
            never = self.gauges.read_for_ever(site) => match never {},
        }
    }

    async fn look_for_ever(&self, site: &Site<'_>) -> Result<Infallible, EngineError> {
        let mut clock = Clock::default();
        loop {
            vital::answered(self.look_once(site, &mut clock)).await?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn look_once(&self, site: &Site<'_>, clock: &mut Clock) -> Result<(), EngineError> {
        if site.has_lost_lease() {
            return Err(StoreError::LeaseLost.into());
        }
        if is_due(&mut clock.beaten, HEARTBEAT_EVERY) {
            workers::heartbeat(&**self.session, &site.workers()).await?;
        }
        let has_changed = self.decide(site);
        let is_due_to_note = is_due(&mut clock.noted, NOTE_EVERY);
        if is_due_to_note {
            self.tune(site).await?;
        }
        if self.role == Role::Drives && (has_changed || is_due_to_note) {
            let pace = site.pace();
            walks::note_pace(&**self.session, site.lease, &site.step.0, &pace).await?;
        }
        if is_due(&mut clock.looked, LOOK_AT_TRIGGERS_EVERY) {
            self.look_at_triggers(site).await?;
        }
        if is_due(&mut clock.pointed, POINT_EVERY) {
            self.point(site).await?;
        }
        if is_due(&mut clock.told, TELL_EVERY) {
            self.tell(site).await?;
        }
        let (_, free) = self.left(site).await?;
        site.set_free(free);
        Ok(())
    }

    /// A fill stops at once where a trigger is missing or disabled. What is in place again is noted at the end of the pass.
    async fn look_at_triggers(&self, site: &Site<'_>) -> Result<(), EngineError> {
        if self.role == Role::Helps || !site.work.needs_sync(site.plan) {
            return Ok(());
        }
        let wrong = drift::out_of_place(&**self.session, site.lease.run_id).await?;
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(EngineError::Refused(out_of_step(&site.plan.name, &wrong))),
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

    /// The next decision on the pace; whether it is another one than before.
    fn decide(&self, site: &Site<'_>) -> bool {
        let before = site.pace();
        {
            let (since, tally) = &mut *self.tally.borrow_mut();
            tally.add(since.elapsed(), &before);
            *since = Instant::now();
        }
        let (sample, now) = (self.gauges.sample(), self.gauges.now());
        let pace = pacing::decide(&site.limits(), &before, &sample, now);
        let has_changed = pace != before;
        site.set_pace(pace);
        has_changed
    }

    /// A moment of the walk, with what the time since the one before went into.
    async fn point(&self, site: &Site<'_>) -> Result<(), EngineError> {
        if self.role == Role::Helps {
            return Ok(());
        }
        let tally = std::mem::take(&mut self.tally.borrow_mut().1);
        let (pace, step) = (site.pace(), &site.step.0);
        walks::note_point(&**self.session, site.lease, step, &pace, &tally).await?;
        Ok(())
    }

    /// Tells how far the walk is.
    pub async fn tell(&self, site: &Site<'_>) -> Result<(), EngineError> {
        let (run_id, step) = (site.lease.run_id, &site.step.0);
        let totals = walks::totals(&**self.session, run_id, step).await?;
        let points = walks::points(&**self.session, run_id, step).await?;
        let estimate = progress::estimate(&points, totals.blocks_total - totals.blocks_done);
        let rows = rows_done(site, &totals);
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
            reasons: site
                .pace()
                .reasons
                .iter()
                .map(ToString::to_string)
                .collect(),
        }));
        Ok(())
    }

    /// What is told and kept at the end of a pass. The next one begins with batches of the size that this one came to.
    pub async fn end(&self, site: &Site<'_>) -> Result<(), EngineError> {
        vital::answered(async {
            walks::note_pace(&**self.session, site.lease, &site.step.0, &site.pace()).await?;
            self.point(site).await?;
            self.tell(site).await
        })
        .await
    }
}

/// Changed by a fill, in all its passes; read by a comparison.
fn rows_done(site: &Site<'_>, totals: &Totals) -> i64 {
    match site.work {
        Work::Fill(_) => site.walk.rows_before + totals.rows_changed,
        Work::Compare { .. } => totals.rows_read,
    }
}

//! A walk over a table's blocks in batches: the backfill and the comparison. Each batch is one transaction that also
//! moves the checkpoint, so that what is done twice after a crash is at most one batch, and nothing is left out.

mod trouble;

use super::{
    EngineError,
    ddl::Patience,
    failpoint,
    notice::{Notice, WalkProgress},
    session::Driver,
};
use crate::pacing::{self, BATCH_BLOCKS_FIRST, Batch, Pace, Sample};
use crate::plan::{
    compiled::{Fill, Match, Plan, StepId},
    ident::TableName,
};
use crate::progress;
use crate::statement::{
    rows::Truth,
    sync::{self, Names},
};
use crate::store::{
    StoreError,
    lease::{self, MayGoOn},
    walks::{self, Done, NewWalk, Segment, Totals, Walk},
};
use crate::target::{
    SESSION,
    activity::{self, Blocker},
    batch::{self, Range},
};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, Transaction};

/// What is done to each range.
#[derive(Clone)]
pub enum Work<'a> {
    Fill(&'a Fill),
    Compare {
        matching: &'a Match,
        names: Names,
        /// Differing rows are made to agree with this side, and compared again.
        repair: Option<Truth>,
    },
}

/// Where a walk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Where the last one was interrupted.
    Checkpoint,
    /// Anew: what was seen some time ago does not count.
    Beginning,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Walked {
    /// To the end: what it counted, and the first differing rows.
    Finished(Totals, Vec<Value>),
    Paused,
    Interrupted,
}

/// After that many passes that still found rows something keeps writing behind the triggers' back.
const PASSES_MAX: i32 = 10;
const EXAMPLES_MAX: usize = 10;
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_millis(500);
const POINT_EVERY: Duration = Duration::from_secs(2);
/// How long a batch waits at most for a row that somebody else has locked, while it holds other rows itself.
const ROW_LOCK_TIMEOUT: Duration = Duration::from_millis(250);

impl Work<'_> {
    fn table(&self) -> &TableName {
        match self {
            Self::Fill(fill) => &fill.table,
            Self::Compare { matching, .. } => &matching.table,
        }
    }

    async fn range(
        &self,
        client: &Transaction<'_>,
        range: Range,
    ) -> Result<Done, tokio_postgres::Error> {
        match self {
            Self::Fill(fill) => {
                let changed = batch::fill(client, fill, range).await?;
                Ok(Done {
                    rows_changed: i64::try_from(changed).unwrap_or(i64::MAX),
                    ..Done::default()
                })
            }
            Self::Compare {
                matching,
                names,
                repair,
            } => {
                let (mut checked, mut different) =
                    batch::compare(client, matching, names, range).await?;
                let mut repaired = 0;
                if let (Some(truth), true) = (repair, different > 0) {
                    repaired = batch::repair(client, matching, names, *truth, range).await?;
                }
                if different > 0 {
                    // A mismatch is read again before it is declared.
                    (checked, different) = batch::compare(client, matching, names, range).await?;
                }
                Ok(Done {
                    rows_read: checked,
                    rows_changed: i64::try_from(repaired).unwrap_or(i64::MAX),
                    rows_different: different,
                })
            }
        }
    }
}

/// The state of one walk in this process.
struct Walker<'a> {
    driver: &'a mut Driver,
    plan: &'a Plan,
    step: &'a StepId,
    work: Work<'a>,
    client: deadpool_postgres::Object,
    watcher: deadpool_postgres::Object,
    pids: Vec<i32>,
    /// The session of `client`.
    pid: i32,
    /// Who was last seen to hold rows that a batch waited for.
    blockers: Vec<Blocker>,
    skip_triggers: bool,
    pace: Pace,
    /// The batch that a failing conversion is being hunted down with.
    hunting: Option<u32>,
    tries: u32,
    skipped: bool,
    examples: Vec<Value>,
    sampled: Option<Instant>,
    told: Option<Instant>,
    pointed: Option<Instant>,
    rate: (Instant, i64),
}

enum Batched {
    Done(Done),
    Paused,
    /// The table was rewritten: every address is void.
    Rewritten,
    Failed(tokio_postgres::Error),
}

/// Walks the whole table, from the checkpoint where there is one, until a pass finds nothing left.
pub async fn walk(
    driver: &mut Driver,
    plan: &Plan,
    step: &StepId,
    work: Work<'_>,
    from: From,
) -> Result<Walked, EngineError> {
    let client = driver.pool.get().await?;
    let watcher = driver.pool.get().await?;
    for session in [&client, &watcher] {
        session.batch_execute(SESSION).await?;
        session.batch_execute(&sync::session(plan)).await?;
    }
    let pid = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await?
        .get(0);
    let pids = vec![driver.work_pid, pid];
    let skip_triggers = client
        .batch_execute("SET session_replication_role = replica; RESET session_replication_role")
        .await
        .is_ok();
    let walk = open(driver, step, work.table(), from).await?;
    let mut walker = Walker {
        pace: Pace {
            batch_blocks: walk.batch_blocks.unsigned_abs().max(1),
            delay: Duration::ZERO,
            stopped: false,
            reasons: walk.reasons.clone(),
        },
        driver,
        plan,
        step,
        work,
        client,
        watcher,
        pids,
        pid,
        blockers: Vec::new(),
        skip_triggers,
        hunting: None,
        tries: 0,
        skipped: false,
        examples: Vec::new(),
        sampled: None,
        told: None,
        pointed: None,
        rate: (Instant::now(), 0),
    };
    walker.run(walk).await
}

/// The walk that was interrupted, or a new one. The size is taken now, after the triggers are committed: rows beyond it
/// were written with the triggers in place.
async fn open(
    driver: &mut Driver,
    step: &StepId,
    table: &TableName,
    from: From,
) -> Result<Walk, EngineError> {
    let run_id = driver.lease.run_id;
    if let Some(walk) = walks::load(&*driver.work, run_id, &step.0).await?
        && !walk.finished
        && from == From::Checkpoint
    {
        let now = batch::storage(&*driver.work, table).await?;
        if now.is_some_and(|(oid, filenode, _)| oid == walk.relation && filenode == walk.filenode) {
            return Ok(walk);
        }
        driver
            .reporter
            .notice(Notice::WalkRestarted { step: step.clone() });
        return begin(driver, step, table, Some(&walk), walk.pass).await;
    }
    begin(driver, step, table, None, 1).await
}

async fn begin(
    driver: &mut Driver,
    step: &StepId,
    table: &TableName,
    before: Option<&Walk>,
    pass: i32,
) -> Result<Walk, EngineError> {
    let run_id = driver.lease.run_id;
    let Some((relation, filenode, blocks)) = batch::storage(&*driver.work, table).await? else {
        return Err(EngineError::Conflict {
            step: step.clone(),
            what: format!("the table {table} is gone"),
        });
    };
    let changed = walks::totals(&*driver.work, run_id, &step.0)
        .await?
        .rows_changed;
    // As it stands now: rows went into quarantine since it was begun.
    let before = match before {
        Some(_) => walks::load(&*driver.work, run_id, &step.0).await?,
        None => None,
    };
    let table_name = table.to_string();
    let new = NewWalk {
        step: &step.0,
        table_name: &table_name,
        relation,
        filenode,
        blocks,
        pass,
        batch_blocks: before
            .as_ref()
            .map_or(BATCH_BLOCKS_FIRST as i32, |walk| walk.batch_blocks),
        rows_before: before.as_ref().map_or(0, |walk| walk.rows_before + changed),
        rows_quarantined: before.as_ref().map_or(0, |walk| walk.rows_quarantined),
    };
    driver
        .record(
            &format!("{step} pass {pass}"),
            async |transaction, lease| walks::begin(transaction, lease, &new).await,
        )
        .await?;
    walks::load(&*driver.work, run_id, &step.0)
        .await?
        .ok_or_else(|| StoreError::Corrupt(format!("the walk of {step} is not there")).into())
}

impl Walker<'_> {
    async fn run(&mut self, mut walk: Walk) -> Result<Walked, EngineError> {
        let mut patience = Patience::new(self.plan);
        let mut passes = 0;
        loop {
            while let Some(segment) =
                walks::next_segment(&**self.client, self.run_id(), &self.step.0).await?
            {
                match self.segment(segment).await? {
                    None => {}
                    Some(Batched::Rewritten) => {
                        self.driver.reporter.notice(Notice::WalkRestarted {
                            step: self.step.clone(),
                        });
                        walk = begin(
                            self.driver,
                            self.step,
                            self.work.table(),
                            Some(&walk),
                            walk.pass,
                        )
                        .await?;
                        self.examples.clear();
                    }
                    Some(Batched::Paused) => return Ok(Walked::Paused),
                    Some(Batched::Done(_) | Batched::Failed(_)) => return Ok(Walked::Interrupted),
                }
            }
            self.tell(&walk, true).await?;
            let totals = walks::totals(&**self.client, self.run_id(), &self.step.0).await?;
            let found_nothing = totals.rows_changed == 0 && !self.skipped;
            if found_nothing || matches!(self.work, Work::Compare { .. }) {
                let totals = Totals {
                    rows_changed: totals.rows_changed + walk.rows_before,
                    ..totals
                };
                return Ok(Walked::Finished(totals, std::mem::take(&mut self.examples)));
            }
            if self.skipped {
                // Somebody holds rows for long: waited for as for a lock on the table.
                if totals.rows_changed == 0 {
                    let blockers = std::mem::take(&mut self.blockers);
                    patience.blocked(self.driver, self.step, blockers).await?;
                }
                if self.driver.stop.is_cancelled() {
                    return Ok(Walked::Interrupted);
                }
            } else {
                passes += 1;
            }
            if passes >= PASSES_MAX {
                return Err(EngineError::Conflict {
                    step: self.step.clone(),
                    what: format!(
                        "after {PASSES_MAX} passes there are still rows to fill: something writes to {} with triggers disabled",
                        self.work.table()
                    ),
                });
            }
            self.skipped = false;
            walk = begin(
                self.driver,
                self.step,
                self.work.table(),
                Some(&walk),
                walk.pass + 1,
            )
            .await?;
        }
    }

    fn run_id(&self) -> i64 {
        self.driver.lease.run_id
    }

    /// Batch after batch to the segment's end. `None`: done; otherwise why not (`Done` stands for an interrupt).
    async fn segment(&mut self, mut segment: Segment) -> Result<Option<Batched>, EngineError> {
        while segment.next_block < segment.end_block {
            if self.driver.stop.is_cancelled() {
                return Ok(Some(Batched::Done(Done::default())));
            }
            if self.driver.has_lost_lease() {
                return Err(StoreError::LeaseLost.into());
            }
            self.keep_pace(None).await?;
            if !self.pace.delay.is_zero() {
                self.driver.sleep(self.pace.delay).await;
            }
            if self.pace.stopped {
                if self.driver.may_go_on().await? == MayGoOn::Paused {
                    return Ok(Some(Batched::Paused));
                }
                continue;
            }
            let blocks = i64::from(self.pace.batch_blocks);
            let next = (segment.next_block + blocks).min(segment.end_block);
            let began = Instant::now();
            match self.batch(segment, next).await? {
                Batched::Done(done) => {
                    let took = Batch {
                        duration: began.elapsed(),
                        blocks: u32::try_from(next - segment.next_block).unwrap_or(u32::MAX),
                        rows_changed: done.rows_changed.unsigned_abs(),
                    };
                    segment.next_block = next;
                    self.after(done, took).await?;
                }
                Batched::Failed(error) => {
                    if let Some(next) = self.failed(segment, next, error).await? {
                        segment.next_block = next;
                    }
                    if self.too_many_quarantined().await? {
                        return Ok(Some(Batched::Paused));
                    }
                }
                stopped @ (Batched::Paused | Batched::Rewritten) => return Ok(Some(stopped)),
            }
        }
        Ok(None)
    }

    async fn after(&mut self, done: Done, took: Batch) -> Result<(), EngineError> {
        self.tries = 0;
        match self.hunting {
            // While a bad row is hunted the small batches say nothing about the pace.
            Some(blocks) => {
                self.pace.batch_blocks = (self.pace.batch_blocks * 2).min(blocks);
                if self.pace.batch_blocks >= blocks {
                    self.hunting = None;
                }
            }
            None => self.keep_pace(Some(took)).await?,
        }
        if let (Work::Compare { .. }, true) = (&self.work, done.rows_different > 0) {
            tracing::debug!(step = %self.step, different = done.rows_different, "rows differ");
        }
        let Some(walk) = walks::load(&**self.client, self.run_id(), &self.step.0).await? else {
            return Ok(());
        };
        self.tell(&walk, false).await
    }

    /// The next decision; the database is looked at every second only.
    async fn keep_pace(&mut self, batch: Option<Batch>) -> Result<(), EngineError> {
        let due = self.sampled.is_none_or(|at| at.elapsed() >= SAMPLE_EVERY) || self.pace.stopped;
        if batch.is_none() && !due {
            return Ok(());
        }
        let mut sample = Sample::default();
        if due {
            sample = activity::sample(&**self.watcher, &self.pids).await?;
            self.sampled = Some(Instant::now());
        }
        sample.batch = batch;
        let before = self.pace.clone();
        let mut pace = pacing::decide(&self.plan.settings.pacing, &before, &sample);
        if !due {
            // Not looked at: what held it back goes on holding it.
            pace.delay = before.delay;
            pace.reasons.clone_from(&before.reasons);
        }
        if due {
            let delay_ms = i32::try_from(pace.delay.as_millis()).unwrap_or(i32::MAX);
            walks::note_pace(
                &**self.watcher,
                self.driver.lease,
                &self.step.0,
                pace.batch_blocks.cast_signed(),
                delay_ms,
                &pace.reasons,
            )
            .await?;
        }
        self.pace = pace;
        Ok(())
    }

    /// One batch, one transaction: the rows, the checkpoint and the fence commit together. That makes
    /// `synchronous_commit = off` safe: losing both is losing nothing.
    async fn batch(&mut self, segment: Segment, next: i64) -> Result<Batched, EngineError> {
        let place = self.place();
        let (lease, step, work) = (self.driver.lease, &self.step.0, self.work.clone());
        let setup = self.setup();
        let row_lock_timeout = self.row_lock_timeout();
        let (watcher, pid) = (&self.watcher, self.pid);
        let client: &mut Client = &mut self.client;
        let transaction = client.transaction().await?;
        transaction.batch_execute(&setup).await?;
        if lease::fence(&transaction, lease).await? == MayGoOn::Paused {
            transaction.rollback().await?;
            return Ok(Batched::Paused);
        }
        failpoint::pass(|| format!("{place}: before its effect"));
        let range = Range::blocks(segment.next_block, next);
        let (result, blockers) = watched(
            work.range(&transaction, range),
            watcher,
            pid,
            row_lock_timeout / 2,
        )
        .await;
        let done = match result {
            Ok(done) => done,
            Err(error) => {
                if !blockers.is_empty() {
                    self.blockers = blockers;
                }
                transaction.rollback().await.or_else(|rollback| {
                    // A broken connection cannot roll back; the server does.
                    if rollback.is_closed() {
                        Ok(())
                    } else {
                        Err(rollback)
                    }
                })?;
                return Ok(Batched::Failed(error));
            }
        };
        failpoint::pass(|| format!("{place}: in its effect"));
        if let (
            Work::Compare {
                matching, names, ..
            },
            true,
        ) = (&work, done.rows_different > 0)
        {
            let missing = EXAMPLES_MAX.saturating_sub(self.examples.len());
            let rows =
                batch::different_rows(&transaction, matching, names, range, missing as i64).await?;
            for (key, values) in rows {
                self.examples
                    .push(example(key, values, self.plan.settings.show_values));
            }
        }
        if !walks::checkpoint(&transaction, lease, step, segment, next, done).await? {
            transaction.rollback().await?;
            return Ok(Batched::Rewritten);
        }
        transaction.commit().await?;
        failpoint::pass(|| format!("{place}: after its effect"));
        Ok(Batched::Done(done))
    }

    /// What the rows of a batch that waits keep others waiting for.
    fn row_lock_timeout(&self) -> Duration {
        self.plan
            .settings
            .lock_timeout
            .duration()
            .min(ROW_LOCK_TIMEOUT)
    }

    fn place(&self) -> String {
        format!("{} batch", self.step)
    }

    fn setup(&self) -> String {
        let timeout = self.plan.settings.statement_timeout.millis();
        let row_lock_timeout = self.row_lock_timeout().as_millis();
        let mut setup = format!(
            "SET LOCAL lock_timeout = {row_lock_timeout}; SET LOCAL statement_timeout = {timeout}; SET LOCAL synchronous_commit = off;"
        );
        // The application's triggers stay out: `updated_at` is not bumped, and our own trigger is not fired.
        setup.push_str(if self.skip_triggers {
            "SET LOCAL session_replication_role = replica;"
        } else {
            "SET LOCAL crossfade.filling = 'on';"
        });
        setup
    }

    async fn tell(&mut self, walk: &Walk, at_the_end: bool) -> Result<(), EngineError> {
        if !at_the_end && self.told.is_some_and(|at| at.elapsed() < TELL_EVERY) {
            return Ok(());
        }
        let run_id = self.run_id();
        if at_the_end || self.pointed.is_none_or(|at| at.elapsed() >= POINT_EVERY) {
            walks::note_point(&**self.watcher, self.driver.lease, &self.step.0).await?;
            self.pointed = Some(Instant::now());
        }
        let totals = walks::totals(&**self.watcher, run_id, &self.step.0).await?;
        let points = walks::points(&**self.watcher, run_id, &self.step.0).await?;
        let estimate = progress::estimate(&points, totals.blocks_total - totals.blocks_done);
        let rows = match self.work {
            Work::Fill(_) => walk.rows_before + totals.rows_changed,
            Work::Compare { .. } => totals.rows_read,
        };
        let seconds = self.rate.0.elapsed().as_secs_f64().max(0.001);
        let rate = (rows - self.rate.1).max(0) as f64 / seconds;
        self.driver
            .reporter
            .notice(Notice::WalkProgress(WalkProgress {
                step: self.step.clone(),
                table: walk.table_name.clone(),
                pass: walk.pass,
                blocks_done: totals.blocks_done,
                blocks_total: totals.blocks_total,
                rows,
                rows_per_second: rate,
                seconds_left: estimate.seconds_left,
                reasons: self.pace.reasons.clone(),
            }));
        self.rate = (Instant::now(), rows);
        self.told = Some(Instant::now());
        Ok(())
    }
}

/// What a statement gave, and who was seen to block the session `pid` where it took longer than `after`.
async fn watched<T>(
    statement: impl Future<Output = T>,
    watcher: &Client,
    pid: i32,
    after: Duration,
) -> (T, Vec<Blocker>) {
    tokio::pin!(statement);
    tokio::select! {
        result = &mut statement => return (result, Vec::new()),
        () = tokio::time::sleep(after) => {}
    }
    let (result, blockers) = tokio::join!(statement, activity::blockers_of(watcher, pid));
    (result, blockers.unwrap_or_default())
}

fn example(key: Value, values: Value, show_values: bool) -> Value {
    if show_values {
        serde_json::json!({"key": key, "values": values})
    } else {
        serde_json::json!({"key": key})
    }
}

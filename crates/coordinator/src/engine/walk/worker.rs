//! One worker: claims a segment, does it batch by batch, and claims the next. Each batch is one transaction.

use super::{
    Work,
    site::Site,
    trouble::{Each, Passed},
    write::{Noted, Writing},
};
use crate::database::{
    activity::{self, Blocker},
    batch::{self, Range},
};
use crate::engine::{EngineError, failpoint, vital};
use crate::store::{
    StoreError, lease,
    walks::{self, Segment},
    workers,
};
use crossfade_decisions::pacing::{Batch, Outcome, losses::Care};
use crossfade_model::ident::TableName;
use crossfade_plan::compiled::Fill;
use crossfade_plan::sqlgen::session;
use deadpool_postgres::Object;
use std::time::{Duration, Instant};

/// How long a batch waits at most for a row that somebody else has locked, while it holds other rows itself.
const ROW_LOCK_TIMEOUT: Duration = Duration::from_millis(250);
const LEAVE_WITHIN: Duration = Duration::from_secs(3);
const LOOK_WITHIN: Duration = Duration::from_secs(3);

/// Why a worker stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    NothingLeft,
    /// The pace allows fewer workers.
    Dismissed,
    Paused,
    /// It was told to, at the end of its batch.
    Halted,
    Rewritten,
}

pub(super) enum Batched {
    Done(Batch),
    /// Row by row, which says nothing about the pace.
    Apart,
    Paused,
    Rewritten,
    ClaimLost,
    /// A row of Crossfade's own tables.
    Locked,
    Failed(tokio_postgres::Error),
}

pub(super) struct Worker<'a> {
    pub site: &'a Site<'a>,
    pub client: Object,
    pub number: i64,
    pid: i32,
    skip_triggers: bool,
    /// The table that the segment is of has rules.
    pub has_rules: bool,
    /// A session was lost in this segment: batches are flushed as they commit. Where the server crashes again, the
    /// checkpoint then says where, instead of where it stood before what had not been flushed.
    lost_here: bool,
    /// The batch that a failing conversion, or a row that somebody holds, is being hunted down with.
    pub hunting: Option<u32>,
    pub tries: u32,
    /// The end of the batch that was taken apart last: what fails before it has been counted.
    pub apart_to: i64,
    /// The end of the one that was counted as failed last.
    pub counted_to: i64,
    place: u32,
    pub batch_began: Instant,
}

impl<'a> Worker<'a> {
    /// Works until there is nothing left to claim, or a reason to stop. `place`: the workers with the highest ones go
    /// first when the pace allows fewer.
    pub async fn run(site: &'a Site<'a>, place: u32) -> Result<End, EngineError> {
        let client = site.session().await?;
        let pid = client
            .query_one("SELECT pg_backend_pid()", &[])
            .await?
            .get(0);
        let skip_triggers = !site.work.is_held_by_foreign_keys(&**client).await?
            && client
                .batch_execute(
                    "SET session_replication_role = replica; RESET session_replication_role",
                )
                .await
                .is_ok();
        let number = workers::register(&**client, site.lease.run_id, &site.holder).await?;
        site.join(pid, number);
        let mut worker = Worker {
            site,
            client,
            number,
            pid,
            skip_triggers,
            has_rules: false,
            hunting: None,
            tries: 0,
            apart_to: 0,
            counted_to: 0,
            lost_here: false,
            place,
            batch_began: Instant::now(),
        };
        let end = worker.work().await;
        site.part(number);
        // A session that is broken leaves by itself, and counts as lost; but for one that the server did not wait for, as this
        // process was too slow.
        let was_slow = matches!(&end, Err(error) if error.is_idle_timeout());
        let left = vital::within(LEAVE_WITHIN, async {
            match was_slow {
                true => workers::leave(&**site.session().await?, number).await?,
                false => workers::leave(&**worker.client, number).await?,
            }
            Ok::<_, EngineError>(())
        });
        if let Err(error) = left.await {
            tracing::debug!(%error, "a worker left without saying so");
        }
        end
    }

    async fn work(&mut self) -> Result<End, EngineError> {
        let mut storage = None;
        loop {
            if let Some(end) = self.told_to_end()? {
                return Ok(end);
            }
            let claimed = {
                let site = self.site;
                workers::count_losses(&**self.client, site.lease.run_id).await?;
                walks::claim(&self.client, site.lease, &site.walk, self.number).await?
            };
            let Some(segment) = claimed else {
                // Without the lease nothing can be claimed, whatever is left.
                if !lease::is_current(&**self.client, self.site.lease).await? {
                    return Err(StoreError::LeaseLost.into());
                }
                return Ok(End::NothingLeft);
            };
            // The server keeps prepared statements for as long as they are not let go, and a table may have ten thousand
            // partitions, each with statements of its own.
            if segment.storage != storage {
                self.client.statement_cache.clear();
                storage.clone_from(&segment.storage);
                self.has_rules = self.writes_past_rules(storage.as_ref()).await?;
            }
            if let Some(end) = self.segment(segment).await? {
                return Ok(end);
            }
        }
    }

    async fn writes_past_rules(&self, storage: Option<&TableName>) -> Result<bool, EngineError> {
        let (Work::Fill(fill), Some(storage)) = (&self.site.work, storage) else {
            return Ok(false);
        };
        let mut tables = vec![storage];
        tables.extend(
            fill.link
                .iter()
                .flat_map(|both| [&both.parent, &both.child]),
        );
        Ok(batch::has_rules(&**self.client, &tables).await?)
    }

    fn told_to_end(&self) -> Result<Option<End>, EngineError> {
        if self.site.has_lost_lease() {
            return Err(StoreError::LeaseLost.into());
        }
        if self.site.halt.is_cancelled() {
            return Ok(Some(End::Halted));
        }
        let is_surplus = self.place >= self.site.pace().workers.max(1);
        Ok(is_surplus.then_some(End::Dismissed))
    }

    /// Batch after batch to the segment's end. `Some`: it stops before.
    async fn segment(&mut self, mut segment: Segment) -> Result<Option<End>, EngineError> {
        (self.apart_to, self.counted_to) = (0, 0);
        self.lost_here = segment.losses.count > 0;
        if self.is_hopeless(&segment).await? {
            return Ok(Some(End::Paused));
        }
        self.site.sleep(segment.losses.pause()).await;
        while segment.next_block < segment.end_block {
            if let Some(end) = self.told_to_end()? {
                let (run_id, step) = (self.site.lease.run_id, &self.site.step.0);
                walks::release(&**self.client, run_id, step, &segment).await?;
                return Ok(Some(end));
            }
            let pace = self.site.turn().await;
            if pace.stopped {
                if self.is_paused().await? {
                    return Ok(Some(End::Paused));
                }
                continue;
            }
            let blocks = i64::from(self.hunting.unwrap_or(pace.batch_blocks).max(1));
            let blocks = segment.losses.batch(segment.next_block, blocks);
            let next = (segment.next_block + blocks).min(segment.end_block);
            self.batch_began = Instant::now();
            let batched = match segment.losses.care(segment.next_block) {
                Care::Rows => self.row_by_row(&segment, next, Each::Noted).await,
                Care::Block | Care::Usual => self.batch(&segment, next).await,
            };
            let batched = match batched {
                // Of our own tables. What was done of the batch is rolled back.
                Err(error) if error.is_lock_not_had() => Batched::Locked,
                other => other?,
            };
            match batched {
                Batched::Done(took) => {
                    segment.next_block = next;
                    self.after(took);
                }
                Batched::Apart => segment.next_block = next,
                Batched::Failed(error) => {
                    match self.failed(&segment, next, error).await? {
                        Passed::Yes => segment.next_block = next,
                        Passed::No => {}
                        Passed::TableGone => return Ok(Some(End::Rewritten)),
                        Passed::RunPaused => return Ok(Some(End::Paused)),
                        Passed::ClaimLost => return Ok(None),
                    }
                    if self.gives_up().await? {
                        return Ok(Some(End::Paused));
                    }
                }
                Batched::Locked => {
                    if self.lock_not_had(&segment, next).await? {
                        segment.next_block = next;
                    }
                }
                Batched::Paused => return Ok(Some(End::Paused)),
                Batched::Rewritten => return Ok(Some(End::Rewritten)),
                // It was stopped for long, and another worker goes on with the segment.
                Batched::ClaimLost => return Ok(None),
            }
        }
        Ok(None)
    }

    async fn is_paused(&self) -> Result<bool, EngineError> {
        let fence = crate::store::lease::fence(&**self.client, self.site.lease).await?;
        Ok(fence == crate::store::lease::MayGoOn::Paused)
    }

    fn after(&mut self, took: Batch) {
        self.tries = 0;
        self.site.count(took.blocks);
        match self.hunting {
            // While a bad row is hunted the small batches say nothing about the pace.
            Some(blocks) => {
                let larger = blocks.saturating_mul(2);
                self.hunting = (larger < self.site.pace().batch_blocks).then_some(larger);
            }
            None => {
                self.site.note(Outcome::Done);
                self.site.measured(took);
            }
        }
    }

    /// One batch, one transaction: the rows, the checkpoint and the fence commit together. That makes
    /// `synchronous_commit = off` safe: losing both loses nothing.
    async fn batch(&mut self, segment: &Segment, next: i64) -> Result<Batched, EngineError> {
        let Some(storage) = &segment.storage else {
            return Ok(Batched::Rewritten);
        };
        match &self.site.work {
            Work::Fill(fill) => self.fill_batch(segment, storage, fill, next).await,
            Work::Compare { .. } => self.compare_batch(segment, storage, next).await,
        }
    }

    async fn fill_batch(
        &self,
        segment: &Segment,
        storage: &TableName,
        fill: &Fill,
        next: i64,
    ) -> Result<Batched, EngineError> {
        let began = Instant::now();
        let site = self.site;
        let place = format!("{} batch", site.step);
        failpoint::pass(|| format!("{place}: before its effect"));
        let at = Range::blocks(segment.next_block, next).of(storage);
        let noted = Noted { next, counts: true };
        let midway = failpoint::midway(|| format!("{place}: in its effect"));
        let writing = Writing::fill(fill, storage);
        let (wrote, blockers) = watched(
            self.write(segment, at, &writing, noted, midway),
            site,
            self.pid,
            self.row_lock_timeout() / 2,
        )
        .await;
        let wrote = match wrote {
            Ok(wrote) => wrote,
            Err(error) => {
                if !blockers.is_empty() {
                    site.saw(blockers);
                }
                return error.batched();
            }
        };
        failpoint::pass(|| format!("{place}: after its effect"));
        Ok(Batched::Done(Batch {
            duration: began.elapsed(),
            blocks: u32::try_from(next - segment.next_block).unwrap_or(u32::MAX),
            rows_changed: wrote.rows.unsigned_abs(),
            wal_bytes: wrote.wal_bytes.unsigned_abs(),
        }))
    }

    /// What the rows of a batch that waits keep others waiting for.
    fn row_lock_timeout(&self) -> Duration {
        let settings = &self.site.plan.settings;
        settings.lock_timeout.duration().min(ROW_LOCK_TIMEOUT)
    }

    /// What a transaction of a batch begins with.
    pub(super) fn setup(&self) -> String {
        let timeout = self.site.plan.settings.statement_timeout.millis();
        let row_lock_timeout = self.row_lock_timeout().as_millis();
        let mut setup = format!(
            "SET LOCAL lock_timeout = {row_lock_timeout}; SET LOCAL statement_timeout = {timeout};"
        );
        setup.push_str(match self.lost_here {
            true => "SET LOCAL synchronous_commit = local;",
            false => "SET LOCAL synchronous_commit = off;",
        });
        // The application's triggers stay out: `updated_at` is not bumped, and our own trigger is not fired.
        setup.push_str(if self.skip_triggers {
            "SET LOCAL session_replication_role = replica;"
        } else {
            "SET LOCAL crossfade.filling = 'on';"
        });
        // Constraints, index expressions and triggers find there what they find in the application's sessions. What is ours
        // names every schema.
        setup.push_str(&session::as_the_application(self.site.plan));
        setup
    }
}

/// What a statement gave, and who was seen to block the session `pid` where it took longer than `after`.
async fn watched<T>(
    statement: impl Future<Output = T>,
    site: &Site<'_>,
    pid: i32,
    after: Duration,
) -> (T, Vec<Blocker>) {
    tokio::pin!(statement);
    tokio::select! {
        result = &mut statement => return (result, Vec::new()),
        () = tokio::time::sleep(after) => {}
    }
    let look = vital::within(LOOK_WITHIN, async {
        let watcher = site.session().await?;
        Ok::<_, EngineError>(activity::blockers_of(&**watcher, pid).await?)
    });
    let (result, blockers) = tokio::join!(statement, look);
    (result, blockers.unwrap_or_default())
}

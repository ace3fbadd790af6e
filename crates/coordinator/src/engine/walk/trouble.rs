//! What becomes of a batch that failed: smaller, later, or row by row with the bad one in quarantine.

use super::{
    Work,
    compare::Note,
    example,
    worker::{Batched, Worker},
    write::{NotWritten, Noted, Writing},
};
use crate::database::batch::{self, Place, Range};
use crate::engine::{
    EngineError,
    failpoint::{self, Midway},
    notice::Notice,
    statement_failed,
};
use crate::store::{
    StoreError, lease,
    pauses::{self, Breadth},
    quarantine::{self, NewEntry},
    walks::{self, Done, EXAMPLES_MAX, Segment},
};
use crossfade_decisions::pacing::Outcome;
use crossfade_plan::compiled::{Assignment, ColumnRef, Fill};
use crossfade_plan::sqlgen::{group::groups, message::Refusal};
use crossfade_postgres::sqlstate::{self, ErrorClass, classify};
use serde_json::Value;
use std::time::Duration;
use tokio_postgres::{Client, GenericClient, error::SqlState};

/// So often a single block is tried before it is left for the next pass.
const BLOCK_TRIES_MAX: u32 = 5;

/// Whether a batch that failed is behind us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Yes,
    No,
    /// Neither, and nothing else is to be tried.
    RunPaused,
    /// The table that it was of, a partition, has been dropped, or rewritten.
    TableGone,
    /// Another worker goes on with the segment.
    ClaimLost,
}

/// How rows are done one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Each {
    AsItComes,
    /// Noted before it is tried, as it may end the server's process.
    Noted,
}

impl From<bool> for Passed {
    fn from(passed: bool) -> Self {
        if passed { Self::Yes } else { Self::No }
    }
}

impl Worker<'_> {
    /// What to do about a batch that failed: smaller, later, or row by row.
    pub(super) async fn failed(
        &mut self,
        segment: &Segment,
        next: i64,
        error: tokio_postgres::Error,
    ) -> Result<Passed, EngineError> {
        let single = next - segment.next_block <= 1;
        match classify(&error) {
            ErrorClass::Conversion if single => {
                self.take_apart(segment);
                let batched = match self.row_by_row(segment, next, Each::AsItComes).await {
                    Err(error) if error.is_lock_not_had() => Batched::Locked,
                    other => other?,
                };
                self.passed(segment, next, batched).await
            }
            ErrorClass::Conversion => {
                self.take_apart(segment);
                self.halve(next - segment.next_block);
                Ok(Passed::No)
            }
            ErrorClass::LockNotHad => {
                let skipped = self.lock_not_had(segment, next).await?;
                Ok(Passed::from(skipped))
            }
            ErrorClass::Privilege => Err(self.not_allowed(segment, error).await?),
            // A partition was dropped; or a function that the expression calls names what is not there.
            ErrorClass::MissingSchema => {
                match walks::is_current(&**self.client, &self.site.walk).await? {
                    false => Ok(Passed::TableGone),
                    true => Err(EngineError::Statement {
                        step: self.site.step.clone(),
                        error,
                    }),
                }
            }
            // Every batch would fail, and each leaves dead rows behind: somebody must make room first.
            ErrorClass::Resources if error.code() == Some(&SqlState::DISK_FULL) => {
                let reason = format!("the server has no room left: {}", sqlstate::message(&error));
                self.pause(&reason).await?;
                Ok(Passed::RunPaused)
            }
            _ => Err(self.broken_off(error)),
        }
    }

    fn broken_off(&self, error: tokio_postgres::Error) -> EngineError {
        let limit = self.site.plan.settings.statement_timeout.duration();
        statement_failed(self.site.step, error, self.batch_began, limit)
    }

    /// What became of a block that was done row by row.
    async fn passed(
        &mut self,
        segment: &Segment,
        next: i64,
        batched: Batched,
    ) -> Result<Passed, EngineError> {
        match batched {
            Batched::Done(_) | Batched::Apart => Ok(Passed::Yes),
            Batched::Paused => Ok(Passed::RunPaused),
            Batched::Rewritten => Ok(Passed::TableGone),
            Batched::ClaimLost => Ok(Passed::ClaimLost),
            Batched::Locked => Ok(Passed::from(self.lock_not_had(segment, next).await?)),
            Batched::Failed(error) => match classify(&error) {
                ErrorClass::LockNotHad => Ok(Passed::from(self.lock_not_had(segment, next).await?)),
                _ => Err(self.broken_off(error)),
            },
        }
    }

    /// Waits, for less; `true` where the block was left for the next pass.
    pub(super) async fn lock_not_had(
        &mut self,
        segment: &Segment,
        next: i64,
    ) -> Result<bool, EngineError> {
        let blocks = next - segment.next_block;
        self.tries += 1;
        self.halve(blocks);
        if blocks <= 1 && self.tries >= BLOCK_TRIES_MAX && matches!(self.site.work, Work::Fill(_)) {
            self.tries = 0;
            return self.skip(segment, next).await;
        }
        self.site
            .sleep(Duration::from_millis(20) * self.tries.min(50))
            .await;
        Ok(false)
    }

    /// A right that was there when the run was started and is not any more. Of row security the server says what its policy
    /// is called, and not what to do.
    async fn not_allowed(
        &self,
        segment: &Segment,
        error: tokio_postgres::Error,
    ) -> Result<EngineError, EngineError> {
        let step = self.site.step.clone();
        let hidden = match &segment.storage {
            Some(storage) => batch::rows_hidden_from(&**self.client, storage).await?,
            None => None,
        };
        Ok(match (hidden, &segment.storage) {
            (Some(role), Some(storage)) => EngineError::Conflict {
                step,
                what: format!(
                    "row security hides rows of {storage} from {role}, and the backfill must reach every row. Run ALTER ROLE {role} BYPASSRLS. Then `advance` continues"
                ),
            },
            _ => EngineError::Statement { step, error },
        })
    }

    /// A batch counts once as failed, however many pieces of it fail.
    fn take_apart(&mut self, segment: &Segment) {
        if segment.next_block >= self.apart_to {
            let blocks = i64::from(self.site.pace().batch_blocks);
            self.apart_to = segment.next_block + blocks.max(1);
        }
    }

    /// Rows went into quarantine. A later pass, which finds the same rows again, has not failed by them.
    fn count_failed(&mut self) {
        if self.counted_to != self.apart_to {
            self.counted_to = self.apart_to;
            self.site.note(Outcome::TakenApart);
        }
    }

    /// This worker's batches only: the others have no trouble.
    fn halve(&mut self, blocks: i64) {
        self.hunting = Some(u32::try_from(blocks / 2).unwrap_or(1).max(1));
    }

    /// Leaves a block whose rows are locked for the next pass.
    async fn skip(&mut self, segment: &Segment, next: i64) -> Result<bool, EngineError> {
        let done = Done {
            blocks_skipped: next - segment.next_block,
            ..Done::default()
        };
        match self.close(segment, next, &done, &[]).await {
            Ok(_) => Ok(true),
            Err(NotWritten::Failed(error)) if classify(&error) == ErrorClass::LockNotHad => {
                Ok(false)
            }
            Err(other) => {
                // The next batch finds what it is.
                other.batched()?;
                Ok(false)
            }
        }
    }

    /// A block row by row. What cannot be converted is noted, and the rest is done: each row is a transaction, so that none is
    /// locked for longer than it takes.
    pub(super) async fn row_by_row(
        &mut self,
        segment: &Segment,
        next: i64,
        each: Each,
    ) -> Result<Batched, EngineError> {
        let Some(storage) = &segment.storage else {
            return Ok(Batched::Rewritten);
        };
        let at = Range::blocks(segment.next_block, next).of(storage);
        let mut done = Done::default();
        let mut unfit = Vec::new();
        for tid in batch::addresses(&**self.client, at).await? {
            let Some(row) = Range::row(&tid) else {
                continue;
            };
            if each == Each::Noted {
                let (lease, step) = (self.site.lease, &self.site.step.0);
                walks::note_try(&**self.client, lease, step, segment, &tid).await?;
            }
            if let Err(error) = self
                .row(segment, row.of(storage), &mut done, &mut unfit)
                .await
            {
                return error.batched();
            }
        }
        let noted = match self.close(segment, next, &done, &unfit).await {
            Ok(noted) => noted,
            Err(error) => return error.batched(),
        };
        if noted > 0 {
            self.count_failed();
            self.site.notice(Notice::Quarantined {
                step: self.site.step.clone(),
                rows: noted,
            });
        }
        Ok(Batched::Apart)
    }

    /// One row by itself: what it counts, and what of it cannot be converted.
    async fn row<'b>(
        &mut self,
        segment: &Segment,
        row: Place<'b>,
        done: &mut Done,
        unfit: &mut Vec<Unfit<'b>>,
    ) -> Result<(), NotWritten>
    where
        Self: 'b,
    {
        let site = self.site;
        match &site.work {
            Work::Fill(fill) => self.fill_row(segment, row, fill, unfit).await,
            Work::Compare { matching, .. } => match self.compare(segment, row, Note::Nowhere).await
            {
                Ok((one, _)) => {
                    done.rows_read += one.rows_read;
                    done.rows_changed += one.rows_changed;
                    done.rows_different += one.rows_different;
                    done.examples.extend(one.examples);
                    done.examples.truncate(EXAMPLES_MAX);
                    Ok(())
                }
                Err(NotWritten::Failed(error)) if classify(&error) == ErrorClass::Conversion => {
                    done.rows_read += 1;
                    done.rows_different += 1;
                    let key = batch::row_key(&**self.client, &matching.key, row).await?;
                    if let Some(key) = key.filter(|_| done.examples.len() < EXAMPLES_MAX) {
                        let error = Value::String(sqlstate::message(&error));
                        let show_values = site.plan.settings.show_values;
                        done.examples.push(example(key.shown(), error, show_values));
                    }
                    Ok(())
                }
                Err(other) => Err(other),
            },
        }
    }

    /// A row, and where that fails group by group: those that convert are filled.
    async fn fill_row<'b>(
        &self,
        segment: &Segment,
        row: Place<'b>,
        fill: &'b Fill,
        unfit: &mut Vec<Unfit<'b>>,
    ) -> Result<(), NotWritten> {
        let stays = |counts| Noted {
            next: segment.next_block,
            counts,
        };
        let (writing, midway) = (Writing::fill(fill, row.storage), Midway::default());
        let error = match self
            .write(segment, row, &writing, stays(true), midway)
            .await
        {
            Err(NotWritten::Failed(error)) if classify(&error) == ErrorClass::Conversion => error,
            other => return other.map(drop),
        };
        // One expression alone needs no second look.
        if let [only] = fill.set.as_slice() {
            unfit.push(Unfit {
                row,
                fill,
                assignment: only,
                error,
            });
            return Ok(());
        }
        let mut counts = true;
        for group in groups(&fill.set, &[]) {
            let writing = Writing::group(fill, row.storage, &group);
            let error = match self
                .write(segment, row, &writing, stays(counts), midway)
                .await
            {
                Ok(wrote) => {
                    counts &= wrote.rows == 0;
                    continue;
                }
                Err(NotWritten::Failed(error)) if classify(&error) == ErrorClass::Conversion => {
                    error
                }
                Err(other) => return Err(other),
            };
            let before = unfit.len();
            for assignment in &group.forward {
                match self.try_one(fill, row, assignment).await {
                    Ok(()) => {}
                    Err(error) if classify(&error) == ErrorClass::Conversion => {
                        unfit.push(Unfit {
                            row,
                            fill,
                            assignment,
                            error,
                        });
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            // A constraint over several of them.
            if let (true, [assignment, ..]) = (unfit.len() == before, group.forward.as_slice()) {
                unfit.push(Unfit {
                    row,
                    fill,
                    assignment,
                    error,
                });
            }
        }
        Ok(())
    }

    /// Notes what was done otherwise, and moves the checkpoint. How many entries of the quarantine are new.
    async fn close(
        &mut self,
        segment: &Segment,
        next: i64,
        done: &Done,
        unfit: &[Unfit<'_>],
    ) -> Result<i64, NotWritten> {
        let setup = self.setup();
        let (lease, step) = (self.site.lease, &self.site.step.0);
        let enter = walks::prepare_enter(&self.client).await?;
        let transaction = self.client.transaction().await?;
        transaction.batch_execute(&setup).await?;
        walks::enter(&*transaction, &enter, lease, step, segment).await?;
        let mut noted = 0;
        for one in unfit {
            noted += one.note(&*transaction, lease.run_id).await?;
        }
        walks::add_quarantined(&*transaction, lease, step, noted).await?;
        let moved = walks::checkpoint(&transaction, lease, step, segment, next, done).await?;
        if moved.is_none() {
            return Err(NotWritten::Refused(Refusal::Rewritten));
        }
        transaction.commit().await?;
        Ok(noted)
    }

    /// Pauses the run when the expression plainly does not fit the data: by the rows in quarantine, or by how many of a
    /// backfill's last batches failed.
    pub(super) async fn gives_up(&mut self) -> Result<bool, EngineError> {
        let lease = self.site.lease;
        let limit = i64::from(self.site.plan.settings.quarantine_max);
        let reason = if quarantine::count(&**self.client, lease.run_id).await? >= limit {
            format!("{limit} rows are in quarantine: the expression does not fit the data")
        } else {
            match (&self.site.work, self.site.broken()) {
                (Work::Fill(_), Some(why)) => format!(
                    "{why}. `crossfade quarantine list {0}` shows the rows. After `crossfade tune {0} failed_batches_percent=0` the backfill continues regardless",
                    self.site.plan.name
                ),
                _ => return Ok(false),
            }
        };
        self.pause(&reason).await?;
        Ok(true)
    }

    /// Pauses the run on its own account, behind the fence.
    pub(super) async fn pause(&mut self, reason: &str) -> Result<(), EngineError> {
        let lease = self.site.lease;
        let place = format!("{} pauses", self.site.step);
        let client: &mut Client = &mut self.client;
        failpoint::pass(|| format!("{place}: before its record"));
        let transaction = client.transaction().await?;
        lease::fence(&transaction, lease).await?;
        pauses::pause(&transaction, lease.run_id, reason, None, Breadth::One).await?;
        transaction.commit().await?;
        failpoint::pass(|| format!("{place}: after its record"));
        Ok(())
    }
}

/// A value that could not be converted.
struct Unfit<'a> {
    row: Place<'a>,
    fill: &'a Fill,
    assignment: &'a Assignment,
    error: tokio_postgres::Error,
}

impl Unfit<'_> {
    /// Notes the values of the row; how many entries are new.
    async fn note(&self, client: &impl GenericClient, run_id: i64) -> Result<i64, StoreError> {
        let reads: Vec<&ColumnRef> = self.assignment.reads.iter().collect();
        let image = batch::row_image(client, self.fill, &reads, self.row).await?;
        let Some((row_key, row_values)) = image else {
            return Ok(0);
        };
        let entry = NewEntry {
            table_name: &self.fill.table.to_string(),
            column_name: self.assignment.target.name.as_str(),
            row_key,
            row_values,
            sqlstate: self.error.code().map_or("XX000", |state| state.code()),
            error: &sqlstate::message(&self.error),
        };
        Ok(i64::from(quarantine::add(client, run_id, &entry).await?))
    }
}

//! What becomes of a batch that failed: smaller, later, or row by row with the bad one in quarantine.

use super::{
    Work, example, note_beside,
    worker::{Worker, enter},
};
use crate::engine::{EngineError, failpoint, notice::Notice};
use crate::pacing::Outcome;
use crate::plan::compiled::{Assignment, ColumnRef, Fill};
use crate::postgres::sqlstate::{self, ErrorClass, classify};
use crate::store::{
    lease,
    quarantine::{self, NewEntry},
    runs::{self, Breadth},
    walks::{self, Done, EXAMPLES_MAX, Entry, Segment},
};
use crate::target::batch::{self, Place, Range};
use serde_json::Value;
use std::time::Duration;
use tokio_postgres::{Client, Transaction, error::SqlState};

/// So often a single block is tried before it is left for the next pass.
const BLOCK_TRIES_MAX: u32 = 5;

/// Whether a batch that failed is behind us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Yes,
    No,
    /// Neither, and nothing else is to be tried.
    RunPaused,
    /// The table that it was of, a partition, has been dropped.
    TableGone,
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
                let done = match self.row_by_row(segment, next).await {
                    Err(error) if error.is_lock_not_had() => {
                        self.lock_not_had(segment, next).await?
                    }
                    other => other?,
                };
                Ok(Passed::from(done))
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
            _ => Err(EngineError::Statement {
                step: self.site.step.clone(),
                error,
            }),
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
                    "row security hides rows of {storage} from {role}, and none is to be left out: ALTER ROLE {role} BYPASSRLS; then `advance` goes on"
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
        let (lease, step, setup) = (self.site.lease, &self.site.step.0, self.setup());
        let transaction = self.client.transaction().await?;
        match enter(&transaction, &setup, lease, step, segment).await {
            Ok(Entry::Open { .. }) => {}
            Ok(_) => return Ok(false),
            Err(error) if error.is_lock_not_had() => return Ok(false),
            Err(error) => return Err(error),
        }
        let done = Done {
            blocks_skipped: next - segment.next_block,
            ..Done::default()
        };
        let moved = walks::checkpoint(&transaction, lease, step, segment, next, &done).await?;
        transaction.commit().await?;
        Ok(moved.is_some())
    }

    /// A block with a row that cannot be converted: the rest is done, that row is noted.
    async fn row_by_row(&mut self, segment: &Segment, next: i64) -> Result<bool, EngineError> {
        let site = self.site;
        let (lease, step, work, plan) = (site.lease, &site.step.0, &site.work, site.plan);
        let setup = self.setup();
        let Some(storage) = &segment.storage else {
            return Ok(false);
        };
        let at = Range::blocks(segment.next_block, next).of(storage);
        let mut transaction = self.client.transaction().await?;
        if !matches!(
            enter(&transaction, &setup, lease, step, segment).await?,
            Entry::Open { .. }
        ) {
            return Ok(false);
        }
        let mut done = Done::default();
        let mut noted = 0;
        for tid in batch::addresses(&*transaction, at).await? {
            let Some(row) = Range::row(&tid) else {
                continue;
            };
            let row = row.of(storage);
            let savepoint = transaction.savepoint("crossfade_row").await?;
            match work.range(&savepoint, row).await {
                Ok(one) => {
                    savepoint.commit().await?;
                    done.rows_read += one.rows_read;
                    done.rows_changed += one.rows_changed;
                    done.rows_different += one.rows_different;
                }
                Err(error) if classify(&error) == ErrorClass::Conversion => {
                    savepoint.rollback().await?;
                    match work {
                        Work::Fill(fill) => {
                            let parts = batch::fill_parts(&*transaction, fill, row, error).await;
                            let (changed, failed) =
                                parts.map_err(|error| EngineError::Statement {
                                    step: self.site.step.clone(),
                                    error,
                                })?;
                            done.rows_changed += i64::from(changed > 0);
                            for (assignment, error) in failed {
                                let run_id = lease.run_id;
                                noted += note(&transaction, run_id, fill, assignment, row, &error)
                                    .await?;
                            }
                        }
                        Work::Compare { matching, .. } => {
                            done.rows_read += 1;
                            done.rows_different += 1;
                            let key = batch::row_key(&*transaction, &matching.key, row).await?;
                            if let Some(key) = key.filter(|_| done.examples.len() < EXAMPLES_MAX) {
                                let error = Value::String(sqlstate::message(&error));
                                done.examples.push(example(
                                    key.shown(),
                                    error,
                                    plan.settings.show_values,
                                ));
                            }
                        }
                    }
                }
                Err(error) => {
                    return Err(EngineError::Statement {
                        step: self.site.step.clone(),
                        error,
                    });
                }
            }
        }
        note_beside(&transaction, lease.run_id, work, &done).await?;
        walks::add_quarantined(&*transaction, lease, step, noted).await?;
        let moved = walks::checkpoint(&transaction, lease, step, segment, next, &done).await?;
        if moved.is_none() {
            return Ok(false);
        }
        transaction.commit().await?;
        if noted > 0 {
            self.count_failed();
            site.notice(Notice::Quarantined {
                step: self.site.step.clone(),
                rows: noted,
            });
        }
        Ok(true)
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
                    "{why}. `crossfade quarantine list {0}` shows the rows; after `crossfade tune {0} failed_batches_percent=0` it goes on regardless",
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
        runs::pause(&transaction, lease.run_id, reason, None, Breadth::One).await?;
        transaction.commit().await?;
        failpoint::pass(|| format!("{place}: after its record"));
        Ok(())
    }
}

/// Notes the values of a row that could not be converted; how many entries are new.
async fn note(
    transaction: &Transaction<'_>,
    run_id: i64,
    fill: &Fill,
    assignment: &Assignment,
    row: Place<'_>,
    error: &tokio_postgres::Error,
) -> Result<i64, EngineError> {
    let reads: Vec<&ColumnRef> = assignment.reads.iter().collect();
    let image = batch::row_image(transaction, fill, &reads, row).await?;
    let Some((row_key, row_values)) = image else {
        return Ok(0);
    };
    let entry = NewEntry {
        table_name: &fill.table.to_string(),
        column_name: assignment.target.name.as_str(),
        row_key,
        row_values,
        sqlstate: error.code().map_or("XX000", |state| state.code()),
        error: &sqlstate::message(error),
    };
    Ok(i64::from(
        quarantine::add(transaction, run_id, &entry).await?,
    ))
}

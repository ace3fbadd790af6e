//! A batch of a comparison: it reads, and holds no row. What a repair writes is sent in one go, between two readings.

use super::{
    Work, example,
    worker::{Batched, Worker},
    write::NotWritten,
};
use crate::database::batch::{self, Place, Range};
use crate::engine::{EngineError, failpoint};
use crate::store::walks::{self, Done, EXAMPLES_MAX, Segment};
use crossfade_decisions::pacing::Batch;
use crossfade_model::ident::TableName;
use crossfade_plan::compiled::Match;
use crossfade_plan::sqlgen::{message::Refusal, rows, sync::Names};
use crossfade_postgres::sqlstate::{ErrorClass, classify};
use std::time::Instant;

/// Where a comparison is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// The segment's checkpoint moves here.
    Checkpoint(i64),
    /// By the caller.
    Nowhere,
}

impl Worker<'_> {
    pub(super) async fn compare_batch(
        &mut self,
        segment: &Segment,
        storage: &TableName,
        next: i64,
    ) -> Result<Batched, EngineError> {
        let began = Instant::now();
        let place = format!("{} batch", self.site.step);
        failpoint::pass(|| format!("{place}: before its effect"));
        let at = Range::blocks(segment.next_block, next).of(storage);
        let compared = self.compare(segment, at, Note::Checkpoint(next)).await;
        let (done, wal_bytes) = match compared {
            Ok(compared) => compared,
            Err(error) => return error.batched(),
        };
        failpoint::pass(|| format!("{place}: after its effect"));
        Ok(Batched::Done(Batch {
            duration: began.elapsed(),
            blocks: u32::try_from(next - segment.next_block).unwrap_or(u32::MAX),
            rows_changed: done.rows_changed.unsigned_abs(),
            wal_bytes: wal_bytes.unsigned_abs(),
        }))
    }

    /// Compares a range, after a repair where one is asked for and rows differ. What it found, and the log that was written.
    pub(super) async fn compare(
        &mut self,
        segment: &Segment,
        at: Place<'_>,
        note: Note,
    ) -> Result<(Done, i64), NotWritten> {
        let site = self.site;
        let Work::Compare {
            matching,
            names,
            repair,
        } = &site.work
        else {
            return Ok((Done::default(), 0));
        };
        let mut repaired = 0;
        if let Some(repair) = repair {
            let (_, different) = self.look(segment, at, matching, names).await?;
            if different > 0 {
                let statement = rows::repair(matching, at.storage, names, repair);
                let written = site.work.repaired().map(|(table, _)| table);
                let written = written.unwrap_or(&matching.table);
                let midway = failpoint::midway(|| format!("{} batch: in its repair", site.step));
                repaired = self
                    .repair(segment, at, &statement, written, different, midway)
                    .await?;
            }
        }
        self.read(segment, at, note, repaired).await
    }

    /// A look alone: how many rows were read, and how many differ.
    async fn look(
        &mut self,
        segment: &Segment,
        at: Place<'_>,
        matching: &Match,
        names: &Names,
    ) -> Result<(i64, i64), NotWritten> {
        let setup = self.setup();
        let (lease, step) = (self.site.lease, &self.site.step.0);
        let enter = walks::prepare_enter(&self.client).await?;
        let transaction = self.client.transaction().await?;
        transaction.batch_execute(&setup).await?;
        walks::enter(&*transaction, &enter, lease, step, segment).await?;
        let found = batch::compare(&transaction, matching, names, at).await?;
        transaction.rollback().await?;
        Ok(found)
    }

    async fn read(
        &mut self,
        segment: &Segment,
        at: Place<'_>,
        note: Note,
        repaired: i64,
    ) -> Result<(Done, i64), NotWritten> {
        let setup = self.setup();
        let site = self.site;
        let (lease, step) = (site.lease, &site.step.0);
        let Work::Compare {
            matching, names, ..
        } = &site.work
        else {
            return Ok((Done::default(), 0));
        };
        let enter = walks::prepare_enter(&self.client).await?;
        let transaction = self.client.transaction().await?;
        let (set_up, entered) = tokio::join!(
            biased;
            transaction.batch_execute(&setup),
            walks::enter(&*transaction, &enter, lease, step, segment)
        );
        set_up?;
        let wal_before = entered?;
        let compared = batch::compare(&transaction, matching, names, at).await;
        let (mut checked, mut different) = match compared {
            Ok(found) => found,
            Err(error) => {
                // A broken connection cannot roll back; the server does.
                if let Err(second) = transaction.rollback().await
                    && classify(&second) != ErrorClass::ConnectionLost
                {
                    return Err(second.into());
                }
                return Err(error.into());
            }
        };
        if different > 0 {
            // A mismatch is read again before it is declared.
            (checked, different) = batch::compare(&transaction, matching, names, at).await?;
        }
        let mut done = Done {
            rows_read: checked,
            rows_changed: repaired,
            rows_different: different,
            ..Done::default()
        };
        if different > 0 {
            let limit = EXAMPLES_MAX as i64;
            let rows = batch::different_rows(&*transaction, matching, names, at, limit).await?;
            let show_values = site.plan.settings.show_values;
            let rows = rows.into_iter();
            done.examples = rows
                .map(|(key, values)| example(key, values, show_values))
                .collect();
        }
        let Note::Checkpoint(next) = note else {
            transaction.rollback().await?;
            return Ok((done, 0));
        };
        failpoint::pass(|| format!("{} batch: in its effect", site.step));
        let wal_after = walks::checkpoint(&transaction, lease, step, segment, next, &done).await?;
        let Some(wal_after) = wal_after else {
            transaction.rollback().await?;
            return Err(NotWritten::Refused(Refusal::Rewritten));
        };
        transaction.commit().await?;
        Ok((done, wal_after.saturating_sub(wal_before)))
    }
}

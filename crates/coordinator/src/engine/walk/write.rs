//! What a batch writes, sent in one go: whoever waits for its rows waits for the server only, however far away we are and
//! whatever becomes of us.

use super::worker::{Batched, Worker};
use crate::database::batch::Place;
use crate::engine::{EngineError, failpoint::Midway};
use crate::store::{
    StoreError, moved,
    walks::{self, Segment},
};
use crossfade_model::ident::TableName;
use crossfade_plan::compiled::{Assignment, Fill};
use crossfade_plan::sqlgen::{
    group::Group,
    message::{IDLE_TIMEOUT_MS, Refusal},
    rows,
    table_pair::rows as pair,
};
use tokio_postgres::{Error, types::ToSql};

/// What was written, and where the server's log stood before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrote {
    pub rows: i64,
    pub wal_bytes: i64,
}

/// Statements that take a range of rows as `$1` and `$2`.
pub(super) struct Writing {
    /// Locks the rows before they are read.
    lock: Option<String>,
    write: String,
}

impl Writing {
    pub fn fill(fill: &Fill, storage: &TableName) -> Self {
        Self::new(fill, storage, rows::fill(fill, storage))
    }

    pub fn group(fill: &Fill, storage: &TableName, group: &Group<'_>) -> Self {
        Self::new(fill, storage, rows::fill_group(fill, storage, group))
    }

    fn new(fill: &Fill, storage: &TableName, write: String) -> Self {
        Self {
            lock: fill.link.as_ref().map(|both| pair::lock(both, storage)),
            write,
        }
    }
}

/// Why nothing was written.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// By the fence.
    Refused(Refusal),
    Failed(Error),
    Store(StoreError),
}

impl From<StoreError> for NotWritten {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => error.into(),
            other => Self::Store(other),
        }
    }
}

impl From<Error> for NotWritten {
    fn from(error: Error) -> Self {
        let state = error.code().map_or("", |state| state.code());
        match Refusal::from_sqlstate(state) {
            Some(refusal) => Self::Refused(refusal),
            None => Self::Failed(error),
        }
    }
}

impl NotWritten {
    /// What becomes of the batch.
    pub fn batched(self) -> Result<Batched, EngineError> {
        match self {
            Self::Failed(error) => Ok(Batched::Failed(error)),
            Self::Store(error) => Err(error.into()),
            Self::Refused(Refusal::Paused) => Ok(Batched::Paused),
            Self::Refused(Refusal::ClaimLost) => Ok(Batched::ClaimLost),
            Self::Refused(Refusal::Rewritten) => Ok(Batched::Rewritten),
            Self::Refused(Refusal::LeaseLost) => Err(StoreError::LeaseLost.into()),
            Self::Refused(
                other @ (Refusal::SyncChanged
                | Refusal::WouldLose
                | Refusal::NotDone
                | Refusal::Unanswered),
            ) => Err(StoreError::Corrupt(format!("a batch was refused: {other:?}")).into()),
        }
    }
}

/// What is to be noted of a write, in its own transaction.
pub(super) struct Noted {
    /// The segment's checkpoint afterwards. It may be the one before.
    pub next: i64,
    /// The rows count, but for those that were counted for another group.
    pub counts: bool,
}

impl Worker<'_> {
    /// Begins a transaction that is sent in one go.
    fn begin(&self) -> String {
        format!("BEGIN; {}", self.setup())
    }

    /// Right before rows are locked: from here on a client that stopped while it sent the rest is not waited for.
    fn hurry() -> String {
        format!("SET LOCAL idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}")
    }

    /// The fence, the rows, the checkpoint and COMMIT in one go. What fails ends the transaction, and nothing after it is done.
    pub(super) async fn write(
        &self,
        segment: &Segment,
        at: Place<'_>,
        writing: &Writing,
        noted: Noted,
        midway: Midway,
    ) -> Result<Wrote, NotWritten> {
        let (client, lease, step) = (&self.client, self.site.lease, &self.site.step.0);
        // Before the transaction begins: each of them is a way to the server and back.
        let enter = walks::prepare_enter(client).await?;
        let lock = match &writing.lock {
            Some(lock) => Some(client.prepare_cached(lock).await?),
            None => None,
        };
        let write = match self.has_rules {
            true => walks::with_checkpoint_past_rules(),
            false => walks::with_checkpoint(&writing.write),
        };
        let write = client.prepare_cached(&write).await?;
        let (from, to) = at.bounds();
        let counted = i64::from(noted.counts);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![
            &from,
            &to,
            &lease.run_id,
            step,
            &segment.number,
            &segment.next_block,
            &noted.next,
            &counted,
        ];
        if self.has_rules {
            parameters.push(&writing.write);
        }
        let (begin, hurry) = (self.begin(), Self::hurry());
        let sent = async {
            tokio::join!(
                biased;
                client.batch_execute(&begin),
                walks::enter(&***client, &enter, lease, step, segment),
                client.batch_execute(&hurry),
                async {
                    match &lock {
                        Some(lock) => client.execute(lock, &[&from, &to]).await.map(drop),
                        None => Ok(()),
                    }
                },
                client.query_one(&write, &parameters),
                async {
                    match midway.statement() {
                        Some(statement) => client.batch_execute(statement).await,
                        None => Ok(()),
                    }
                },
                client.batch_execute("COMMIT"),
            )
        };
        let (begun, entered, hurried, locked, wrote, passed, committed) = midway.around(sent).await;
        begun?;
        let wal_before = entered?;
        hurried?;
        locked?;
        let row = wrote?;
        passed?;
        committed?;
        let wal_after: i64 = row.get(1);
        Ok(Wrote {
            rows: row.get(0),
            wal_bytes: wal_after.saturating_sub(wal_before),
        })
    }

    /// A repair of a range that `different` rows of were found to differ in. What it moves is noted before it is known exactly:
    /// other runs only ask whether anything was.
    pub(super) async fn repair(
        &self,
        segment: &Segment,
        at: Place<'_>,
        repair: &str,
        written: &TableName,
        different: i64,
        midway: Midway,
    ) -> Result<i64, NotWritten> {
        let (client, lease, step) = (&self.client, self.site.lease, &self.site.step.0);
        let enter = walks::prepare_enter(client).await?;
        let note = client.prepare_cached(moved::ADD).await?;
        let repair = client.prepare_cached(repair).await?;
        let (from, to) = at.bounds();
        let (schema, name) = (written.schema.as_str(), written.name.as_str());
        let noting: [&(dyn ToSql + Sync); 4] = [&lease.run_id, &schema, &name, &different];
        let range: [&(dyn ToSql + Sync); 2] = [&from, &to];
        let (begin, hurry) = (self.begin(), Self::hurry());
        let sent = async {
            tokio::join!(
                biased;
                client.batch_execute(&begin),
                walks::enter(&***client, &enter, lease, step, segment),
                client.batch_execute(&hurry),
                client.execute(&note, &noting),
                client.execute(&repair, &range),
                async {
                    match midway.statement() {
                        Some(statement) => client.batch_execute(statement).await,
                        None => Ok(()),
                    }
                },
                client.batch_execute("COMMIT"),
            )
        };
        let (begun, entered, hurried, noted, repaired, passed, committed) =
            midway.around(sent).await;
        begun?;
        entered?;
        hurried?;
        noted?;
        let rows = repaired?;
        passed?;
        committed?;
        Ok(i64::try_from(rows).unwrap_or(i64::MAX))
    }

    /// What one assignment says to a row, which is left as it is.
    pub(super) async fn try_one(
        &self,
        fill: &Fill,
        at: Place<'_>,
        assignment: &Assignment,
    ) -> Result<(), Error> {
        let client = &self.client;
        let one = client
            .prepare_cached(&rows::fill_one(fill, at.storage, assignment))
            .await?;
        let (from, to) = at.bounds();
        let range: [&(dyn ToSql + Sync); 2] = [&from, &to];
        let begin = self.begin();
        let (begun, tried, ended) = tokio::join!(
            biased;
            client.batch_execute(&begin),
            client.execute(&one, &range),
            client.batch_execute("ROLLBACK"),
        );
        begun?;
        tried?;
        ended
    }
}

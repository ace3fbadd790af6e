//! `quarantine`: what is in it, another try, and accepting rows as they are.

use super::{Service, ServiceError, tokens::Doing};
use crate::engine::notice::Reporter;
pub use crate::engine::quarantine::{Retried, StillQuarantined};
use crate::store::{quarantine, runs};
use jiff::Timestamp;
pub use quarantine::{Accepted, Entry, Which};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tokio_postgres::GenericClient;
use tokio_util::sync::CancellationToken;

/// A run's quarantine, oldest entries first, those that were accepted last.
#[derive(Clone, Debug)]
pub struct Quarantine {
    pub entries: Vec<Entry>,
    /// That hold the gates, and that were accepted; more than are shown, perhaps.
    pub holding: i64,
    pub accepted: i64,
    /// The plan lets values appear in reports.
    pub show_values: bool,
}

impl Quarantine {
    /// What `quarantine list --format json` prints.
    pub fn listed(&self, run: &str, with_values: bool) -> QuarantineListing {
        let listed = |entry: &Entry| ListedEntry::of(entry, with_values);
        QuarantineListing {
            run: run.to_owned(),
            holding: self.holding,
            accepted: self.accepted,
            entries: self.entries.iter().map(listed).collect(),
        }
    }
}

/// What `quarantine list --format json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct QuarantineListing {
    pub run: String,
    /// Rows that keep gates closed, and rows that were accepted; more than are listed, perhaps.
    pub holding: i64,
    pub accepted: i64,
    pub entries: Vec<ListedEntry>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Forward,
    Backward,
}

/// A row in quarantine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ListedEntry {
    pub id: i64,
    pub table: String,
    pub column: String,
    pub direction: Direction,
    /// The columns of its key.
    pub key: Value,
    /// Null where values are not shown.
    pub values: Option<Value>,
    pub sqlstate: String,
    pub error: String,
    pub noted_at: Timestamp,
    pub accepted: Option<Accepted>,
}

impl ListedEntry {
    fn of(entry: &Entry, with_values: bool) -> Self {
        Self {
            id: entry.id,
            table: entry.table_name.clone(),
            column: entry.column_name.clone(),
            direction: if entry.backward {
                Direction::Backward
            } else {
                Direction::Forward
            },
            key: entry.row_key.shown(),
            values: with_values.then(|| entry.row_values.shown()),
            sqlstate: entry.sqlstate.clone(),
            error: said(&entry.sqlstate, &entry.error, with_values),
            noted_at: entry.noted_at,
            accepted: entry.accepted.clone(),
        }
    }
}

/// The server's message has the value in it, mostly: what may not be shown is replaced by what its code means.
pub fn said(sqlstate: &str, error: &str, with_values: bool) -> String {
    if with_values {
        error.to_owned()
    } else {
        format!("SQLSTATE {sqlstate}; --values shows the value and the error")
    }
}

impl Service {
    /// At most `limit` entries behind the first `skip`.
    pub async fn quarantine(
        &self,
        run: &str,
        skip: u32,
        limit: u32,
    ) -> Result<Quarantine, ServiceError> {
        let session = self.installed("status").await?;
        let run_id = runs::id_of(&*session, run).await?;
        let snapshot = runs::snapshot(&*session, run_id).await?;
        Ok(Quarantine {
            entries: quarantine::load(&*session, run_id, (skip.into(), limit.into())).await?,
            holding: snapshot.quarantined,
            accepted: snapshot.accepted,
            show_values: snapshot.plan.settings.show_values,
        })
    }

    /// Tries conversions again. Takes the lease: nobody else may be at work on these rows. The second value: the plan lets
    /// values appear in reports.
    pub async fn retry_quarantine(
        &self,
        run: &str,
        which: &Which,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
    ) -> Result<(Retried, bool), ServiceError> {
        let session = self.installed("quarantine").await?;
        let snapshot = self.active(&*session, run).await?;
        check_known(&*session, run, snapshot.run_id, which).await?;
        let retried = self
            .driving(run, reporter, stop, async |driver| {
                driver.retry_quarantine(which).await
            })
            .await?;
        Ok((retried, snapshot.plan.settings.show_values))
    }

    /// Accepts rows as they are: they hold no gate from now on. The ids of those that were not accepted before.
    pub async fn accept_quarantined(
        &self,
        run: &str,
        which: &Which,
        reason: &str,
    ) -> Result<Vec<i64>, ServiceError> {
        let mut session = self.installed("quarantine").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        let snapshot = self.held_active(&transaction, run).await?;
        check_known(&transaction, run, snapshot.run_id, which).await?;
        let accepted = quarantine::accept(&transaction, snapshot.run_id, which, reason).await?;
        transaction.commit().await?;
        Ok(accepted)
    }
}

async fn check_known(
    client: &impl GenericClient,
    run: &str,
    run_id: i64,
    which: &Which,
) -> Result<(), ServiceError> {
    let Which::Ids(ids) = which else {
        return Ok(());
    };
    let known = quarantine::known(client, run_id, ids).await?;
    let unknown: Vec<String> = ids
        .iter()
        .filter(|id| !known.contains(id))
        .map(i64::to_string)
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(ServiceError::Refused(format!(
        "no row of {run} is in quarantine under {}; `crossfade quarantine list {run}` shows those that are",
        unknown.join(", ")
    )))
}

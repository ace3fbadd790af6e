//! Readings of the checks: each in a read-only transaction of its own that takes seconds at most, so that one that cannot be read keeps
//! back no other, and none waits behind a lock.

mod backup;
mod server;
mod tables;

pub use backup::{age_of, asked};
pub use server::{
    archiver, autovacuum, event_triggers, installed, may_create_schema, settings, slots, standbys,
    transactions, wraparound,
};
pub use tables::{autovacuum_of, constraints, horizons, indexes, special};

use super::Result;
use crossfade_decisions::doctor::Reading;
use crossfade_postgres::sqlstate;
use std::time::Duration;
use tokio_postgres::{Client, Transaction};

/// For a reading of the server's own.
pub const BRIEFLY: Duration = Duration::from_secs(5);
/// For a query of the operator's.
pub const PATIENTLY: Duration = Duration::from_secs(30);

/// What was read within this time, or why it could not be.
pub async fn bounded<T>(
    client: &mut Client,
    limit: Duration,
    read: impl AsyncFnOnce(&Transaction<'_>) -> Result<T>,
) -> Reading<T> {
    within(client, limit, read)
        .await
        .map_err(|error| sqlstate::message(&error))
}

async fn within<T>(
    client: &mut Client,
    limit: Duration,
    read: impl AsyncFnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    let limit_ms = limit.as_millis();
    transaction
        .batch_execute(&format!(
            "SET LOCAL statement_timeout = {limit_ms}; SET LOCAL lock_timeout = '1s'"
        ))
        .await?;
    let read = read(&transaction).await?;
    transaction.rollback().await?;
    Ok(read)
}

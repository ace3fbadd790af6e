//! The user's tables, and nothing else. The transaction is the caller's.

pub mod activity;
pub mod batch;
pub mod catalog;
pub mod expression;
pub mod narrowing;
pub mod observe;
pub mod readings;
pub mod references;
pub mod statistics;
pub mod vacuum;

use crate::postgres::sqlstate::{ErrorClass, classify};
use tokio_postgres::{Client, Error};

/// What every session of ours is set to: nothing relies on `search_path`, no row is silently hidden, and a driver that
/// stops in a transaction is ended by the server instead of holding locks.
const SESSION: &str = "\
    SET statement_timeout = 0; SET lock_timeout = 0; \
    SET search_path = pg_catalog, pg_temp; SET row_security = off; SET idle_in_transaction_session_timeout = '10s'; SET default_transaction_isolation = 'read committed'; \
    SET client_min_messages = warning";
/// The database's or the role's own `statement_timeout` holds until ours is set, on a busy machine for that long.
const ATTEMPTS: u32 = 5;

/// Sets a session up, first thing after it is had.
pub async fn set_up(client: &Client) -> Result<()> {
    for _ in 1..ATTEMPTS {
        match client.batch_execute(SESSION).await {
            Err(error) if classify(&error) == ErrorClass::Cancelled => {}
            other => return other,
        }
    }
    client.batch_execute(SESSION).await
}

/// The whole of a failed statement, for callers that only pass it on.
pub type Result<T> = std::result::Result<T, Error>;

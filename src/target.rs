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

use tokio_postgres::Error;

/// What every session of ours is set to: nothing relies on `search_path`, no row is silently hidden, and a driver that
/// stops in a transaction is ended by the server instead of holding locks.
pub const SESSION: &str = "\
    SET statement_timeout = 0; SET lock_timeout = 0; \
    SET search_path = pg_catalog, pg_temp; SET row_security = off; SET idle_in_transaction_session_timeout = '10s'; SET default_transaction_isolation = 'read committed'; \
    SET client_min_messages = warning";

/// The whole of a failed statement, for callers that only pass it on.
pub type Result<T> = std::result::Result<T, Error>;

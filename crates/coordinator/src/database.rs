//! The user's tables, and nothing else. The transaction is the caller's.

pub mod activity;
pub mod batch;
pub mod catalog;
pub mod doctor;
pub mod expression;
pub mod narrowing;
pub mod observe;
pub mod products;
pub mod readings;
pub mod references;
pub mod resolve;
pub mod search_path;
pub mod sessions;
pub mod statistics;
pub mod vacuum;

use tokio_postgres::Error;

/// What every session of ours begins with: nothing relies on `search_path`, no row is silently hidden, and a driver that
/// stops in a transaction is ended by the server instead of holding locks. Whatever the database or the role is set to.
pub const SESSION: [(&str, &str); 7] = [
    ("search_path", "pg_catalog, pg_temp"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("row_security", "off"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("default_transaction_isolation", "read committed"),
    ("client_min_messages", "warning"),
];

/// The whole of a failed statement, for callers that only pass it on.
pub type Result<T> = std::result::Result<T, Error>;

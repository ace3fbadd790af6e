//! Why traffic did not start.

use super::shape::Version;

/// Why traffic did not start. What fails later is an error of the application, counted in the [`Report`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{clients} clients per version: there must be 1 to {max}")]
    Clients { clients: usize, max: usize },
    #[error("the connection string of the traffic cannot be read")]
    Url { source: tokio_postgres::Error },
    #[error("the traffic could not connect")]
    Connect { source: tokio_postgres::Error },
    #[error("the traffic could not read {what} from the table {table}")]
    Read {
        what: &'static str,
        table: String,
        source: tokio_postgres::Error,
    },
    #[error("the table {table} has no column {column} for the {version} version to write")]
    NoColumn {
        table: String,
        column: String,
        version: Version,
    },
    #[error("the column {column} of the table {table} is said to have a default and has none")]
    NoDefault { table: String, column: String },
    #[error(
        "the table {table} has rows of an earlier traffic with the same seed (license_plate {prefix}…)"
    )]
    KeysTaken { table: String, prefix: String },
    #[error("a statement of the {version} version could not be prepared: {statement}")]
    Prepare {
        version: Version,
        statement: String,
        source: tokio_postgres::Error,
    },
}

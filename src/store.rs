//! Crossfade's own tables, and nothing else. The transaction is the caller's.

pub mod history;
pub mod lease;
pub mod moved;
pub mod quarantine;
pub mod references;
pub mod runs;
pub mod schema;
pub mod standing;
pub mod tunings;
pub mod verification;
pub mod walks;
pub mod workers;

use crate::postgres::sqlstate;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("Crossfade's tables are not in this database: run `crossfade init`")]
    NotInstalled,
    #[error(
        "Crossfade's tables are of version {found}, and this program knows {known}: run `crossfade init` to upgrade them"
    )]
    Older { found: i32, known: i32 },
    #[error(
        "Crossfade's tables are of version {found}, and this program knows only {known}: use the newer program that wrote them"
    )]
    Newer { found: i32, known: i32 },
    #[error("there is no run named {0}; `crossfade status` lists them")]
    NoRun(String),
    #[error(
        "the run {name} already exists ({state}); `crossfade status {name}` shows it. Choose another name for another plan"
    )]
    NameTaken { name: String, state: String },
    #[error(
        "{table}.{column} is being changed by the active run {run}: finish it or roll it back first"
    )]
    Conflict {
        table: String,
        column: String,
        run: String,
    },
    #[error(
        "the run {run} is driven by {holder} (heartbeat {heartbeat_age_ms} ms ago): wait for it to end, or end it"
    )]
    LeaseHeld {
        run: String,
        holder: String,
        heartbeat_age_ms: i64,
    },
    #[error("the lease of the run was taken by another driver; nothing was written since")]
    LeaseLost,
    #[error("what is recorded of the run cannot be read: {0}")]
    Corrupt(String),
    #[error("this role may not use Crossfade's tables: {}. GRANT it USAGE and CREATE ON SCHEMA crossfade, SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN it, and EXECUTE ON ALL FUNCTIONS IN it", sqlstate::message(.0))]
    Privilege(#[source] tokio_postgres::Error),
    /// To read them is not enough to drive a run: the triggers' functions and counters are made in the same schema.
    #[error(
        "the role {role} may not use Crossfade's tables. To let it run plans: GRANT USAGE, CREATE ON SCHEMA crossfade TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {role}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {role};"
    )]
    NoRights { role: String },
    #[error("{}", sqlstate::message(.0))]
    Database(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use sqlstate::ErrorClass;
        match sqlstate::classify(&error) {
            ErrorClass::MissingSchema => Self::NotInstalled,
            ErrorClass::Privilege => Self::Privilege(error),
            _ => Self::Database(error),
        }
    }
}

/// Who acts, as far as this machine knows: `user@host`.
pub fn os_user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten()
        .map_or_else(|| nix::unistd::geteuid().to_string(), |user| user.name);
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|host| host.into_string().ok())
        .unwrap_or_else(|| "unknown".to_owned());
    format!("{user}@{host}")
}

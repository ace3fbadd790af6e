//! Crossfade's own tables, and nothing else. The transaction is the caller's.

pub mod amendments;
pub mod answers;
pub mod approvals;
pub mod freezes;
pub mod history;
pub mod lease;
pub mod marks;
pub mod messages;
pub mod moved;
pub mod orders;
pub mod pauses;
pub mod quarantine;
pub mod references;
pub mod rights;
pub mod rollbacks;
pub mod runs;
pub mod schema;
pub mod standing;
pub mod timeline;
pub mod tokens;
pub mod tunings;
pub mod verification;
pub mod walks;
pub mod workers;
pub mod writes;

use crossfade_model::printable::is_deceptive;
use crossfade_postgres::sqlstate;
use tokio_postgres::error::{DbError, SqlState};

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
    #[error("there is no run named {name}; {}`crossfade status` lists them", meant(.nearest.as_deref()))]
    NoRun {
        name: String,
        /// The run that was probably meant.
        nearest: Option<String>,
    },
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
        "the run {run} is driven by {holder} (heartbeat {heartbeat_age_ms} ms ago): wait for it to end, or end it. If that is a `crossfade serve`, `crossfade cancel {run}` ends its order"
    )]
    LeaseHeld {
        run: String,
        holder: String,
        heartbeat_age_ms: i64,
    },
    #[error("another driver took the lease of the run; nothing was written since")]
    LeaseLost,
    #[error(
        "the database has not answered for {seconds} s, although the connection is open: something between may have dropped it"
    )]
    Silent { seconds: u64 },
    #[error(
        "{server} is on timeline {found}, and {newer} of the same cluster on timeline {known}: it is the former primary, and what is written there will be lost. Take it out of service, or name the new primary in the connection string"
    )]
    OldPrimary {
        server: String,
        found: i32,
        newer: String,
        known: i32,
    },
    #[error("what is recorded of the run cannot be read: {0}")]
    Corrupt(String),
    #[error("this role may not do that with Crossfade's tables: {}. To look and to approve, a role needs USAGE ON SCHEMA crossfade, SELECT ON ALL TABLES IN it, and EXECUTE ON FUNCTION crossfade.approve where it was revoked from PUBLIC. Only a role that drives runs also needs CREATE ON the schema, INSERT, UPDATE, DELETE ON ALL TABLES and EXECUTE ON ALL FUNCTIONS IN it", sqlstate::message(.0))]
    Privilege(#[source] tokio_postgres::Error),
    /// A further GRANT would change nothing for a role that does not inherit.
    #[error(
        "the role {role} may not do that, but {enter} may, and {login} is a member of it. Run ALTER ROLE {login} SET role = {enter}; or add options=-c%20role%3D{enter} to the URL"
    )]
    NotEntered {
        role: String,
        login: String,
        enter: String,
    },
    #[error(
        "the role {role} may not look at Crossfade's tables. To let it only look and approve: GRANT USAGE ON SCHEMA crossfade TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {role};"
    )]
    NoRightsToLook { role: String },
    #[error(
        "the role {role} may not approve. To let it only approve: GRANT EXECUTE ON FUNCTION crossfade.approve TO {role};"
    )]
    NoRightsToApprove { role: String },
    /// To read them is not enough to drive a run: the triggers' functions and counters are made in the same schema.
    #[error(
        "the role {role} may not use Crossfade's tables. To let it run plans: GRANT USAGE, CREATE ON SCHEMA crossfade TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {role}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {role};"
    )]
    NoRights { role: String },
    /// What a function of these tables said to one who may not, or asked for what cannot be.
    #[error("{0}")]
    Refused(String),
    #[error("a request with this Idempotency-Key was carried out before")]
    Asked,
    #[error("the token is not valid: it was revoked, or it has expired")]
    TokenOver,
    #[error("{}", sqlstate::message(.0))]
    Database(tokio_postgres::Error),
}

impl StoreError {
    /// Of a function that says itself why it refuses.
    fn refusal(error: tokio_postgres::Error) -> Self {
        let of_ours = [
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::UNDEFINED_OBJECT,
            SqlState::INVALID_PARAMETER_VALUE,
            SqlState::NO_DATA_FOUND,
        ];
        match error.as_db_error() {
            Some(said) if of_ours.contains(said.code()) => Self::refused(&error),
            _ => error.into(),
        }
    }

    fn refused(error: &tokio_postgres::Error) -> Self {
        let said = error.as_db_error();
        let hint = said
            .and_then(DbError::hint)
            .map_or(String::new(), |hint| format!(". {hint}"));
        Self::Refused(format!("{}{hint}", sqlstate::message(error)))
    }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |run| format!("did you mean `{run}`? "))
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use sqlstate::ErrorClass;
        if error.code().is_some_and(|code| code.code() == TOKEN_OVER) {
            return Self::TokenOver;
        }
        if error
            .code()
            .is_some_and(|code| code.code() == TOO_MANY_KEYS)
        {
            return Self::refused(&error);
        }
        match sqlstate::classify(&error) {
            ErrorClass::MissingSchema => Self::NotInstalled,
            ErrorClass::Privilege => Self::Privilege(error),
            _ => Self::Database(error),
        }
    }
}

/// What `crossfade.actor` raises.
const TOKEN_OVER: &str = "CF001";
/// What `crossfade.claim_key` raises.
const TOO_MANY_KEYS: &str = "CF030";

/// The longest that is recorded, in characters; `crossfade.record` takes 300.
const OS_USER_MAX: usize = 200;

/// As `crossfade.record` takes it.
fn claimed(os_user: &str) -> String {
    let plain = |letter: char| if is_deceptive(letter) { '?' } else { letter };
    os_user.chars().map(plain).take(OS_USER_MAX).collect()
}

/// Who acts, as far as this machine knows: `user@host`. A claim of this program, which the server cannot prove.
pub fn os_user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten()
        .map_or_else(|| nix::unistd::geteuid().to_string(), |user| user.name);
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|host| host.into_string().ok())
        .unwrap_or_else(|| "unknown".to_owned());
    claimed(&format!("{user}@{host}"))
}

//! Which database to talk to, and the connections to it.

mod attempt;
mod carrier;
mod certificate;
mod endpoint;
mod error;
mod failure;
mod keywords;
mod parameters;
mod passfile;
mod pool;
mod resolve;
mod service;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod tls;
mod url;
mod watch;

use std::fmt;
use std::sync::Arc;

use deadpool_postgres::{Pool, PoolError};

pub use error::{ConnectError, Failure, Origin};
pub use session::{Canceller, Session};

use attempt::Attempt;
use resolve::Surroundings;
use settings::Settings;

/// Finds the target: `--database-url`, else `CROSSFADE_DATABASE_URL`, else `DATABASE_URL`, as a URL or
/// as key=value pairs. What that leaves out comes from the service file, then libpq's PG* variables,
/// then libpq's defaults. Passwords left out come from the password file.
///
/// `environment` reads a variable (HOME too). Files are read here; nothing is connected to.
pub fn resolve(
    url_flag: Option<&str>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Target, ConnectError> {
    let surroundings = Surroundings::new(environment);
    let parameters = resolve::parameters(url_flag, &surroundings)?;
    let settings = Arc::new(Settings::new(&parameters, &surroundings)?);
    Ok(Target { settings })
}

/// A database, and how to get there.
#[derive(Clone)]
pub struct Target {
    settings: Arc<Settings>,
}

impl Target {
    /// The target as a URL without its password, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        self.settings.describe()
    }

    /// The hosts of the target, each as a target of its own.
    #[must_use]
    pub fn hosts(&self) -> Vec<Self> {
        let alone = |endpoint| Self {
            settings: Arc::new(self.settings.with_endpoint(endpoint)),
        };
        self.settings.endpoints.iter().map(alone).collect()
    }

    /// The database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.settings.database
    }

    /// The same target, whose sessions begin with these settings; they outweigh `options` of the connection string. They
    /// are given as the connection is made: a SET would stay behind where a pooler gives the server's session to another
    /// client. A pooler refuses such settings, or drops them, which is looked for.
    #[must_use]
    pub fn with_session(&self, session: &[(&str, &str)]) -> Self {
        Self {
            settings: Arc::new(self.settings.with_session(session)),
        }
    }

    /// Opens one dedicated connection: for DDL, the lease, and whatever keeps state in its session.
    pub async fn connect(&self, application_name: &str) -> Result<Session, ConnectError> {
        let tls = self.settings.tls.connector()?;
        let attempt = Attempt {
            settings: &self.settings,
            tls: &tls,
            application_name,
        };
        let opened = attempt.open().await?;
        let limit = self.settings.connect_timeout;
        let session = Session::new(opened, self.describe(), limit);
        let looked = self.settings.look_for_pooler(&session);
        let pid = match limit {
            None => looked.await?,
            Some(limit) => match tokio::time::timeout(limit, looked).await {
                Ok(looked) => looked?,
                Err(_elapsed) => {
                    return Err(ConnectError::TimedOut {
                        target: self.describe(),
                        limit_ms: limit.as_millis(),
                    });
                }
            },
        };
        session.set_pid(pid);
        Ok(session)
    }

    /// A pool of at most `size` connections, opened when they are first needed. What the last user left
    /// in a session (SET, advisory locks, temporary tables) is discarded. See [`Target::pool_error`].
    pub fn pool(&self, application_name: &str, size: usize) -> Result<Pool, ConnectError> {
        let tls = self.settings.tls.connector()?;
        pool::build(&self.settings, tls, application_name, size)
    }

    /// Says of an error of this target's pool what happened and what to do.
    #[must_use]
    pub fn pool_error(&self, error: PoolError) -> ConnectError {
        pool::explain(&self.settings, error)
    }
}

/// Shows no password.
impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Target")
            .field(&self.describe())
            .finish()
    }
}

//! Decides which connection string holds, and fills what it leaves out: service file, then PG* variables.

use std::path::PathBuf;

use nix::unistd::{User, geteuid};

use super::error::{ConnectError, Origin};
use super::parameters::Parameters;
use super::{keywords, service, url};

/// libpq's variables and the parameters they stand for. The rest of libpq's (PGTZ, PGDATESTYLE …)
/// change how a session behaves; the engine decides that itself.
const VARIABLES: [(&str, &str); 18] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
    ("PGOPTIONS", "options"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGAPPNAME", "application_name"),
];

/// The process's surroundings, as far as they say where the database is.
pub(super) struct Surroundings<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { environment }
    }

    /// A variable that is set to something.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    /// A path in the user's home folder.
    pub(super) fn in_home(&self, path: &str) -> Option<PathBuf> {
        self.variable("HOME")
            .map(|home| PathBuf::from(home).join(path))
    }

    /// The operating system's name for the user, as libpq takes it for the database user.
    pub(super) fn user_name() -> Result<String, ConnectError> {
        match User::from_uid(geteuid()) {
            Ok(Some(user)) => Ok(user.name),
            Ok(None) | Err(_) => Err(ConnectError::UserUnknown),
        }
    }
}

/// All parameters, from the strongest source to the weakest.
pub(super) fn parameters(
    url_flag: Option<&str>,
    surroundings: &Surroundings<'_>,
) -> Result<Parameters, ConnectError> {
    let mut parameters = match connection_string(url_flag, surroundings) {
        Some((text, origin)) => parse(text.trim(), &origin)?,
        None => Parameters::default(),
    };
    service::fill(&mut parameters, surroundings)?;
    for (variable, parameter) in VARIABLES {
        if let Some(value) = surroundings.variable(variable) {
            parameters.fill(parameter, value, &Origin::Variable(variable))?;
        }
    }
    Ok(parameters)
}

fn connection_string(
    url_flag: Option<&str>,
    surroundings: &Surroundings<'_>,
) -> Option<(String, Origin)> {
    if let Some(url) = url_flag {
        return Some((url.to_owned(), Origin::Flag));
    }
    ["CROSSFADE_DATABASE_URL", "DATABASE_URL"]
        .into_iter()
        .find_map(|name| Some((surroundings.variable(name)?, Origin::Variable(name))))
}

fn parse(text: &str, origin: &Origin) -> Result<Parameters, ConnectError> {
    // `--database-url "$UNSET"` must not fall through to another database.
    if text.is_empty() {
        return Err(ConnectError::BadUrl {
            origin: origin.clone(),
            problem: "it is empty".to_owned(),
        });
    }
    match url::is_url(text) {
        true => url::parse(text, origin),
        false => keywords::parse(text, origin),
    }
}

//! The parameters as typed settings, checked and with their defaults.

use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, TargetSessionAttrs};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::endpoint::{self, Endpoint, Place};
use super::error::ConnectError;
use super::failure::failure_of;
use super::parameters::Parameters;
use super::passfile::Passfile;
use super::resolve::Surroundings;
use super::tls::{Encryption, TlsSettings};

const CONNECT_TIMEOUT_SECONDS: u64 = 10;
/// A peer that vanished is noticed after about a minute: a lease must not be held by a dead connection.
const KEEPALIVES_IDLE_SECONDS: u64 = 30;
const KEEPALIVES_INTERVAL_SECONDS: u64 = 10;
const KEEPALIVES_COUNT: u32 = 3;
const TCP_USER_TIMEOUT_MS: u64 = 60_000;
/// What a session is recognized by: no server knows this setting, so that it has it from us or not at all.
const RECOGNIZED_BY: &str = "crossfade.session";

/// Everything that is needed to connect.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) order: HostOrder,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) options: Option<String>,
    /// What a session is to begin with, as the server shows it.
    begins_with: Vec<(String, String)>,
    pub(super) tls: TlsSettings,
    /// For each address; nothing means no limit, as in libpq.
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keepalive: Option<Keepalive>,
    /// Zero leaves it to the system.
    pub(super) tcp_user_timeout: Duration,
    pub(super) session_attributes: TargetSessionAttrs,
    pub(super) channel_binding: ChannelBinding,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HostOrder {
    AsWritten,
    Random,
}

#[derive(Clone, Copy)]
pub(super) struct Keepalive {
    pub(super) idle: Duration,
    pub(super) interval: Duration,
    pub(super) count: u32,
}

impl Settings {
    pub(super) fn new(
        parameters: &Parameters,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, ConnectError> {
        let user = match parameters.text("user") {
            Some(user) => user.to_owned(),
            None => Surroundings::user_name()?,
        };
        let database = parameters.text("dbname").unwrap_or(&user).to_owned();
        let mut endpoints = endpoint::endpoints(parameters)?;
        give_passwords(&mut endpoints, &user, &database, parameters, surroundings);
        Ok(Self {
            endpoints,
            order: host_order(parameters)?,
            options: parameters.text("options").map(str::to_owned),
            begins_with: Vec::new(),
            tls: TlsSettings::new(parameters, surroundings)?,
            connect_timeout: connect_timeout(parameters)?,
            keepalive: keepalive(parameters)?,
            tcp_user_timeout: tcp_user_timeout(parameters)?,
            session_attributes: session_attributes(parameters)?,
            channel_binding: channel_binding(parameters)?,
            user,
            database,
        })
    }

    /// One of the hosts alone.
    pub(super) fn with_endpoint(&self, endpoint: &Endpoint) -> Self {
        Self {
            endpoints: vec![endpoint.clone()],
            ..self.clone()
        }
    }

    /// For another connection to the very server of one that there is, and as secure.
    pub(super) fn pinned(
        &self,
        endpoint: &Endpoint,
        address: Option<IpAddr>,
        encrypted: bool,
    ) -> Self {
        let mut settings = self.with_endpoint(endpoint);
        for endpoint in &mut settings.endpoints {
            if let (Place::Host(name), Some(address)) = (&endpoint.place, address) {
                let name = name.clone();
                endpoint.place = Place::Address { name, address };
            }
        }
        settings.tls.encryption = match encrypted {
            true => Encryption::Always,
            false => Encryption::Never,
        };
        settings
    }

    /// The server takes the last of what is given twice. One setting more says nothing but a word that nobody else knows:
    /// a database or a role may by chance, or by an administrator's advice, be set to all the others.
    pub(super) fn with_session(&self, session: &[(&str, &str)]) -> Self {
        let word = format!("{:032x}", fastrand::u128(..));
        let begins_with: Vec<(String, String)> = session
            .iter()
            .copied()
            .chain([(RECOGNIZED_BY, word.as_str())])
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut options = self.options.clone().unwrap_or_default();
        for (name, value) in &begins_with {
            let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
            options.push_str(&format!(" -c {name}={value}"));
        }
        Self {
            options: Some(options),
            begins_with,
            ..self.clone()
        }
    }

    /// An error where the settings that the session was to begin with do not hold: a pooler has dropped them, or has given
    /// us a session of the server's that somebody else began. One that gives each of its clients a session of its own, and
    /// hands on what it is to begin with, is as good as the server itself, and is not told from it. Gives the server's process,
    /// as the number that a connection begins with may be the pooler's.
    pub(super) async fn look_for_pooler(
        &self,
        client: &Client,
    ) -> Result<Option<i32>, ConnectError> {
        let failed = |source| ConnectError::Failed {
            failure: failure_of(&source),
            target: self.describe(),
            source,
        };
        let mut asked = vec!["pg_catalog.pg_backend_pid()".to_owned()];
        for (name, _) in &self.begins_with {
            asked.push(format!("pg_catalog.current_setting('{name}', true)"));
        }
        // A simple query: a pooler may not know of prepared ones.
        let messages = client
            .simple_query(&format!("SELECT {}", asked.join(", ")))
            .await
            .map_err(failed)?;
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let mut settings = (1..).zip(&self.begins_with);
        match row {
            Some(row) if settings.all(|(place, (_, value))| row.get(place) == Some(value)) => {
                Ok(row.get(0).and_then(|pid| pid.parse().ok()))
            }
            _ => Err(ConnectError::Pooled {
                target: self.describe(),
            }),
        }
    }

    /// The target as a URL without its password.
    pub(super) fn describe(&self) -> String {
        let places: Vec<String> = self.endpoints.iter().map(Endpoint::in_url).collect();
        self.describe_with(&places.join(","))
    }

    /// The same, with one host only.
    pub(super) fn describe_endpoint(&self, endpoint: &Endpoint) -> String {
        self.describe_with(&endpoint.in_url())
    }

    fn describe_with(&self, places: &str) -> String {
        format!(
            "postgresql://{}@{places}/{}",
            endpoint::encode(&self.user),
            endpoint::encode(&self.database)
        )
    }
}

fn give_passwords(
    endpoints: &mut [Endpoint],
    user: &str,
    database: &str,
    parameters: &Parameters,
    surroundings: &Surroundings<'_>,
) {
    if let Some(password) = parameters.text("password") {
        for endpoint in endpoints {
            endpoint.password = Some(password.to_owned());
        }
        return;
    }
    let path = parameters.text("passfile").map(Into::into);
    let passfile = Passfile::read(path.or_else(|| surroundings.in_home(".pgpass")));
    for endpoint in endpoints {
        endpoint.password = passfile.password(&endpoint.account(user, database));
    }
}

fn host_order(parameters: &Parameters) -> Result<HostOrder, ConnectError> {
    match parameters.text("load_balance_hosts") {
        None | Some("disable") => Ok(HostOrder::AsWritten),
        Some("random") => Ok(HostOrder::Random),
        Some(_) => Err(parameters.bad("load_balance_hosts", "must be disable or random")),
    }
}

fn session_attributes(parameters: &Parameters) -> Result<TargetSessionAttrs, ConnectError> {
    match parameters.text("target_session_attrs") {
        None | Some("any") => Ok(TargetSessionAttrs::Any),
        Some("read-write") => Ok(TargetSessionAttrs::ReadWrite),
        Some("read-only") => Ok(TargetSessionAttrs::ReadOnly),
        Some("primary" | "standby" | "prefer-standby") => Err(parameters.bad(
            "target_session_attrs",
            "is supported as any, read-write and read-only only",
        )),
        Some(_) => Err(parameters.bad(
            "target_session_attrs",
            "must be any, read-write or read-only",
        )),
    }
}

fn channel_binding(parameters: &Parameters) -> Result<ChannelBinding, ConnectError> {
    match parameters.text("channel_binding") {
        None | Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("disable") => Ok(ChannelBinding::Disable),
        Some("require") => Ok(ChannelBinding::Require),
        Some(_) => Err(parameters.bad("channel_binding", "must be disable, prefer or require")),
    }
}

fn connect_timeout(parameters: &Parameters) -> Result<Option<Duration>, ConnectError> {
    let seconds = number(parameters, "connect_timeout", "seconds")?;
    match seconds.unwrap_or(CONNECT_TIMEOUT_SECONDS) {
        0 => Ok(None),
        seconds => Ok(Some(Duration::from_secs(seconds))),
    }
}

fn tcp_user_timeout(parameters: &Parameters) -> Result<Duration, ConnectError> {
    // Milliseconds as in libpq; tokio-postgres' own parser takes this for seconds.
    let milliseconds = number(parameters, "tcp_user_timeout", "milliseconds")?;
    Ok(Duration::from_millis(
        milliseconds.unwrap_or(TCP_USER_TIMEOUT_MS),
    ))
}

fn keepalive(parameters: &Parameters) -> Result<Option<Keepalive>, ConnectError> {
    if number(parameters, "keepalives", "as 0 or 1")? == Some(0) {
        return Ok(None);
    }
    let seconds = |name, default| {
        number(parameters, name, "seconds")
            .map(|given| given.filter(|seconds| *seconds > 0).unwrap_or(default))
            .map(Duration::from_secs)
    };
    let count = match number(parameters, "keepalives_count", "probes")? {
        Some(count) => Some(count),
        None => number(parameters, "keepalives_retries", "probes")?,
    };
    Ok(Some(Keepalive {
        idle: seconds("keepalives_idle", KEEPALIVES_IDLE_SECONDS)?,
        interval: seconds("keepalives_interval", KEEPALIVES_INTERVAL_SECONDS)?,
        count: count
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| *count > 0)
            .unwrap_or(KEEPALIVES_COUNT),
    }))
}

/// A whole number. Negative means the same as 0 in libpq. The limit keeps timers from overflowing.
fn number(
    parameters: &Parameters,
    name: &'static str,
    unit: &str,
) -> Result<Option<u64>, ConnectError> {
    let Some(text) = parameters.text(name) else {
        return Ok(None);
    };
    match text.trim().parse::<i32>() {
        Ok(number) => Ok(Some(u64::try_from(number).unwrap_or(0))),
        Err(_) => Err(parameters.bad(name, format!("must be a whole number ({unit})"))),
    }
}

/// An address of `hostaddr`.
pub(super) fn address(parameters: &Parameters, text: &str) -> Result<IpAddr, ConnectError> {
    text.parse()
        .map_err(|_| parameters.bad("hostaddr", "must hold numeric IP addresses"))
}

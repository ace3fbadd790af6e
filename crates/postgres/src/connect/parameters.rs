//! Connection parameters by name, each with where it was written: which are known, which are refused.

use std::collections::BTreeMap;

use super::error::{ConnectError, Origin};

/// What we act on. `application_name` is accepted and then replaced by the caller's.
const SUPPORTED: [&str; 30] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "passfile",
    "password",
    "port",
    "service",
    "servicefile",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
    // The following are accepted with one of `HARMLESS` only.
    "client_encoding",
    "gssencmode",
    "sslsni",
];

/// Values that say what happens anyway; any other value asks for something that we do not do.
const HARMLESS: [(&str, &[&str]); 3] = [
    ("client_encoding", &["auto", "utf8", "utf-8", "unicode"]),
    ("gssencmode", &["disable", "prefer"]),
    ("sslsni", &["1"]),
];

/// Parameters of libpq (PostgreSQL 18) that we do not support.
const UNSUPPORTED: [&str; 25] = [
    "authtype",
    "gssdelegation",
    "gsslib",
    "krbsrvname",
    "max_protocol_version",
    "min_protocol_version",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_issuer",
    "oauth_scope",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "scram_client_key",
    "scram_server_key",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkeylogfile",
    "sslpassword",
    "tty",
];

/// One value and where it was written. No `Debug`: it may be a password.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) value: String,
    pub(super) origin: Origin,
}

/// The parameters found so far.
#[derive(Clone, Default)]
pub(super) struct Parameters {
    by_name: BTreeMap<&'static str, Setting>,
}

impl Parameters {
    /// Sets a parameter; a later one of the same connection string wins, as in libpq.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: String,
        origin: &Origin,
    ) -> Result<(), ConnectError> {
        let known = known_name(name, &value, origin)?;
        let origin = origin.clone();
        self.by_name.insert(known, Setting { value, origin });
        Ok(())
    }

    /// Sets a parameter that no stronger source has set.
    pub(super) fn fill(
        &mut self,
        name: &str,
        value: String,
        origin: &Origin,
    ) -> Result<(), ConnectError> {
        let known = known_name(name, &value, origin)?;
        self.by_name.entry(known).or_insert_with(|| Setting {
            value,
            origin: origin.clone(),
        });
        Ok(())
    }

    /// The value; an empty one means the default, though it keeps weaker sources from filling in.
    pub(super) fn get(&self, name: &str) -> Option<&Setting> {
        self.by_name
            .get(name)
            .filter(|setting| !setting.value.is_empty())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|setting| setting.value.as_str())
    }

    /// The error for a value that cannot be. `problem` must not quote the value: a password with
    /// an unencoded `/` or `:` ends up in any parameter.
    pub(super) fn bad(&self, parameter: &str, problem: impl Into<String>) -> ConnectError {
        ConnectError::BadParameter {
            origin: self
                .by_name
                .get(parameter)
                .map_or(Origin::Default, |setting| setting.origin.clone()),
            parameter: parameter.to_owned(),
            problem: problem.into(),
        }
    }
}

fn known_name(name: &str, value: &str, origin: &Origin) -> Result<&'static str, ConnectError> {
    if let Some(known) = SUPPORTED.into_iter().find(|known| *known == name) {
        let harmless = HARMLESS.iter().find(|(harmless, _)| *harmless == name);
        return match harmless {
            Some((_, values)) if !values.contains(&value.to_ascii_lowercase().as_str()) => {
                Err(ConnectError::BadParameter {
                    origin: origin.clone(),
                    parameter: name.to_owned(),
                    problem: format!("is supported as {} only; remove it", values.join(" or ")),
                })
            }
            _ => Ok(known),
        };
    }
    if UNSUPPORTED.contains(&name) {
        return Err(ConnectError::UnsupportedParameter {
            origin: origin.clone(),
            parameter: name.to_owned(),
        });
    }
    Err(ConnectError::UnknownParameter {
        origin: origin.clone(),
        parameter: printable_name(name),
    })
}

/// What is no word is not shown: it is more likely a piece of a password than a parameter's name.
fn printable_name(name: &str) -> String {
    let is_word = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    if is_word {
        format!("\"{name}\"")
    } else {
        "of that name (not shown: it may be part of a password)".to_owned()
    }
}

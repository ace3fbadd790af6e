//! Why there is no connection: what happened, to which database, and what to do next.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::sqlstate::{ErrorClass, classify};

/// Where a connection parameter was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The option `--database-url`.
    Flag,
    /// An environment variable.
    Variable(&'static str),
    /// A section of a service file.
    Service { service: String, path: PathBuf },
    /// A rule of ours: nobody wrote it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("--database-url"),
            Self::Variable(name) => formatter.write_str(name),
            Self::Service { service, path } => {
                write!(formatter, "service \"{service}\" in {}", path.display())
            }
            Self::Default => formatter.write_str("the default settings"),
        }
    }
}

/// Every way to end without a connection. `Display` never shows a password nor repeats its `source`.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The connection string as a whole cannot be read. Never quotes it: it may hold a password.
    #[error(
        "{origin} is no PostgreSQL connection string: {problem}; write postgresql://user@host:port/database or key=value pairs"
    )]
    BadUrl { origin: Origin, problem: String },
    #[error("{origin}: the connection parameter {parameter} {problem}")]
    BadParameter {
        origin: Origin,
        parameter: String,
        problem: String,
    },
    #[error("{origin}: there is no connection parameter {parameter}; correct or remove it")]
    UnknownParameter { origin: Origin, parameter: String },
    #[error(
        "{origin}: libpq knows the connection parameter {parameter}, but Crossfade does not support it; remove it"
    )]
    UnsupportedParameter { origin: Origin, parameter: String },
    #[error("there is no service \"{service}\" in {searched}; add it there or correct the name")]
    ServiceNotFound { service: String, searched: String },
    #[error("cannot read the {purpose} {}; check the path and its permissions", path.display())]
    FileUnreadable {
        purpose: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the {purpose} {} cannot be used: {problem}", path.display())]
    BadFile {
        purpose: &'static str,
        path: PathBuf,
        problem: String,
    },
    #[error("the operating system knows no name for this user; give the database user explicitly")]
    UserUnknown,
    #[error("TLS cannot be set up ({purpose}); check sslmode, sslrootcert, sslcert and sslkey")]
    TlsSetup {
        purpose: &'static str,
        source: rustls::Error,
    },
    #[error("host {host} not found: {target}; correct the host name or the name service")]
    HostNotFound {
        host: String,
        target: String,
        source: std::io::Error,
    },
    #[error(
        "no answer within {limit_ms} ms: {target}; check host, port and firewall, or raise connect_timeout"
    )]
    TimedOut { target: String, limit_ms: u128 },
    #[error("{}: {target}; {}", failure.happened(), failure.advice())]
    Failed {
        failure: Failure,
        target: String,
        source: tokio_postgres::Error,
    },
    /// What the session was to begin with was dropped on the way.
    #[error(
        "{}: {target}; {}", Failure::Pooled.happened(), Failure::Pooled.advice()
    )]
    Pooled { target: String },
    /// Several hosts, and none took the connection; `source` is the last one's error.
    #[error("no host took the connection: {target}; before the last: {earlier}")]
    NoneReachable {
        target: String,
        earlier: String,
        source: Box<ConnectError>,
    },
    #[error("the running statement could not be cancelled: {target}; it runs to its end")]
    CancelFailed {
        target: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "no pooled connection became free within {limit_ms} ms: {target}; lower the number of workers"
    )]
    PoolExhausted { target: String, limit_ms: u128 },
    #[error("the connection pool is closed: {target}; Crossfade is shutting down")]
    PoolClosed { target: String },
    #[error("the connection pool could not be used: {target}")]
    PoolFailed {
        target: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ConnectError {
    /// Whether the same attempt may succeed a little later, with nothing changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::HostNotFound { .. } | Self::TimedOut { .. } | Self::PoolExhausted { .. } => true,
            Self::Failed { failure, .. } => {
                failure.is_connectivity() || *failure == Failure::TooManyConnections
            }
            Self::NoneReachable { source, .. } => source.is_retryable(),
            Self::BadUrl { .. }
            | Self::BadParameter { .. }
            | Self::UnknownParameter { .. }
            | Self::UnsupportedParameter { .. }
            | Self::ServiceNotFound { .. }
            | Self::FileUnreadable { .. }
            | Self::BadFile { .. }
            | Self::UserUnknown
            | Self::TlsSetup { .. }
            | Self::Pooled { .. }
            | Self::CancelFailed { .. }
            | Self::PoolClosed { .. }
            | Self::PoolFailed { .. } => false,
        }
    }

    /// As in libpq, another host is tried when this one could not be talked to, but not when it
    /// refused us: a wrong password must not be tried on every host.
    pub(super) fn lets_the_next_host_try(&self) -> bool {
        match self {
            Self::HostNotFound { .. } | Self::TimedOut { .. } => true,
            Self::Failed { failure, .. } => {
                failure.is_connectivity() || *failure == Failure::WrongServerRole
            }
            _ => false,
        }
    }
}

/// What became of one attempt that reached, or tried to reach, a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    Refused,
    SocketMissing,
    Unreachable,
    Dropped,
    NotReady,
    WrongServerRole,
    PasswordRefused,
    PasswordMissing,
    AccessRefused,
    AuthenticationFailed,
    DatabaseMissing,
    TooManyConnections,
    Pooled,
    TlsRefused,
    TlsNeeded,
    CertificateUntrusted,
    CertificateWrongName,
    CertificateExpired,
    CertificateUnusable,
    TlsFailed,
    Other,
}

impl Failure {
    fn is_connectivity(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::SocketMissing
                | Self::Unreachable
                | Self::Dropped
                | Self::NotReady
        )
    }

    fn happened(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::SocketMissing => "no server listens on this Unix socket",
            Self::Unreachable => "the server cannot be reached",
            Self::Dropped => "the server dropped the connection",
            Self::NotReady => "the server takes no connections now",
            Self::WrongServerRole => "the server does not fit target_session_attrs",
            Self::PasswordRefused => "the password was refused",
            Self::PasswordMissing => "the server asks for a password and none was given",
            Self::AccessRefused => "the server does not let this user in",
            Self::AuthenticationFailed => "authentication failed",
            Self::DatabaseMissing => "the database does not exist",
            Self::TooManyConnections => "the server has no connection left",
            Self::Pooled => "a connection pooler is between here and the server",
            Self::TlsRefused => "the server does not offer TLS",
            Self::TlsNeeded => "the server does not let this user in without TLS",
            Self::CertificateUntrusted => "no trusted authority signed the server's certificate",
            Self::CertificateWrongName => "the server's certificate is for another host name",
            Self::CertificateExpired => "the server's certificate is not valid today",
            Self::CertificateUnusable => "the server's certificate cannot be used",
            Self::TlsFailed => "the TLS handshake failed",
            Self::Other => "the connection could not be made",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Refused => "start the server, or correct host and port",
            Self::SocketMissing => "start the server, or give the host",
            Self::Unreachable => "check host, port, network and socket permissions",
            Self::Dropped => "look into the server's log, then try again",
            Self::NotReady => "it is starting, stopping or recovering: try again shortly",
            Self::WrongServerRole => "connect to the primary, or change target_session_attrs",
            Self::PasswordRefused => "correct the password or the user",
            Self::PasswordMissing => {
                "put it into PGPASSWORD or ~/.pgpass (readable by you only), or into the URL"
            }
            Self::AccessRefused => "create the role with LOGIN, or add it to pg_hba.conf",
            Self::AuthenticationFailed => {
                "use scram-sha-256, md5, certificate or trust, and check channel_binding"
            }
            Self::DatabaseMissing => "create it, or correct the name",
            Self::TooManyConnections => {
                "close other connections, raise max_connections, or use fewer workers"
            }
            Self::Pooled => {
                "connect to the server itself: what sessions are set to would reach the application's, or be lost"
            }
            Self::TlsRefused => "turn TLS on in the server, or use sslmode=disable",
            Self::TlsNeeded => "use sslmode=require or verify-full, or see pg_hba.conf",
            Self::CertificateUntrusted => "give the authority's certificate as sslrootcert",
            Self::CertificateWrongName => {
                "connect by a name in its subjectAltName, or use sslmode=verify-ca"
            }
            Self::CertificateExpired => "renew it, or correct the clock",
            Self::CertificateUnusable => {
                "issue a new one: X.509 version 3, with a subjectAltName, and not a CA itself"
            }
            Self::TlsFailed => "check that both sides speak TLS 1.2 or newer, and sslcert",
            Self::Other => "look into the server's log",
        }
    }
}

impl ConnectError {
    /// Nobody answered, or the server takes nobody at the moment: the same may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::PoolExhausted { .. } => true,
            Self::Failed {
                failure: Failure::Pooled,
                ..
            } => false,
            Self::Failed { source, .. } => matches!(
                classify(source),
                ErrorClass::ConnectionLost | ErrorClass::Resources
            ),
            Self::NoneReachable { source, .. } => source.is_passing(),
            _ => false,
        }
    }
}

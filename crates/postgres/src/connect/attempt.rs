//! Tries the hosts of a target one after the other until one takes the connection.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::path::PathBuf;

use tokio::net::{UnixStream, lookup_host};
use tokio_postgres::config::{SslMode, SslNegotiation, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::carrier::{Carrier, Connector, Security};
use super::endpoint::{Endpoint, Place};
use super::error::{ConnectError, Failure};
use super::failure::failure_of;
use super::settings::{HostOrder, Settings};
use super::tls::Encryption;
use super::watch::{Prober, Watch};

/// PostgreSQL cuts names to NAMEDATALEN - 1 bytes; cut here, it does not say so in a NOTICE.
const APPLICATION_NAME_BYTES_MAX: usize = 63;

/// What does the talking on a connection.
pub(super) enum Wire {
    Network(Connection<Socket, Carrier>),
    Local(Connection<UnixStream, Carrier>),
}

impl Wire {
    /// Drives the connection until the server says something on its own; nothing at its end.
    pub(super) async fn next_message(&mut self) -> Option<Result<AsyncMessage, Error>> {
        poll_fn(|context| match self {
            Self::Network(connection) => connection.poll_message(context),
            Self::Local(connection) => connection.poll_message(context),
        })
        .await
    }
}

/// A connection, and all that is needed to watch it and to cancel its statements.
pub(super) struct Opened {
    pub(super) client: Client,
    pub(super) wire: Wire,
    pub(super) connector: Connector,
    /// Where tokio-postgres does not know itself where to send a cancel request.
    pub(super) socket: Option<PathBuf>,
    pub(super) prober: Prober,
}

/// One try to connect. We loop over hosts and addresses ourselves: sockets cannot do TLS while
/// hosts must, each host may have its own password, and the limit of time covers the handshake too.
pub(super) struct Attempt<'a> {
    pub(super) settings: &'a Settings,
    pub(super) tls: &'a MakeRustlsConnect,
    pub(super) application_name: &'a str,
}

impl Attempt<'_> {
    pub(super) async fn open(&self) -> Result<Opened, ConnectError> {
        let mut order: Vec<&Endpoint> = self.settings.endpoints.iter().collect();
        if self.settings.order == HostOrder::Random {
            fastrand::shuffle(&mut order);
        }
        let mut failures = Vec::with_capacity(order.len());
        for endpoint in order {
            match self.open_endpoint(endpoint).await {
                Ok(opened) => return Ok(opened),
                Err(error) if error.lets_the_next_host_try() => failures.push(error),
                Err(error) => return Err(error),
            }
        }
        Err(self.none_reachable(failures))
    }

    async fn open_endpoint(&self, endpoint: &Endpoint) -> Result<Opened, ConnectError> {
        let mut last = None;
        for address in self.addresses(endpoint).await? {
            match self.open_address(endpoint, address).await {
                Err(error) if error.lets_the_next_host_try() => last = Some(error),
                result => return result,
            }
        }
        // `addresses` never returns an empty list.
        Err(last.unwrap_or_else(|| self.timed_out(endpoint)))
    }

    /// Where to connect to; nothing stands for a Unix socket.
    async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<Option<IpAddr>>, ConnectError> {
        let name = match &endpoint.place {
            Place::Socket(_) => return Ok(vec![None]),
            Place::Address { address, .. } => return Ok(vec![Some(*address)]),
            Place::Host(name) => name,
        };
        let not_found = |source| ConnectError::HostNotFound {
            host: name.clone(),
            target: self.settings.describe_endpoint(endpoint),
            source,
        };
        let found = self
            .timed(endpoint, async {
                lookup_host((name.as_str(), endpoint.port))
                    .await
                    .map_err(not_found)
            })
            .await?;
        let addresses: Vec<_> = found.map(|address| Some(address.ip())).collect();
        match addresses.is_empty() {
            true => Err(not_found(std::io::ErrorKind::NotFound.into())),
            false => Ok(addresses),
        }
    }

    async fn open_address(
        &self,
        endpoint: &Endpoint,
        address: Option<IpAddr>,
    ) -> Result<Opened, ConnectError> {
        let encryption = match endpoint.place {
            // PostgreSQL does not do TLS over Unix sockets, and libpq ignores sslmode there.
            Place::Socket(_) => Encryption::Never,
            Place::Host(_) | Place::Address { .. } => self.settings.tls.encryption,
        };
        let first = self
            .open_once(endpoint, address, encryption != Encryption::Never)
            .await;
        match first {
            // As libpq's `prefer`: a server without TLS, a broken handshake, or a rule in pg_hba.conf against TLS.
            Err(first) if encryption == Encryption::IfPossible && is_about_tls(&first) => {
                let second = self.open_once(endpoint, address, false).await;
                second.map_err(|second| match &first {
                    ConnectError::Failed {
                        failure: Failure::TlsRefused,
                        ..
                    } => second,
                    _ => first,
                })
            }
            other => other,
        }
    }

    async fn open_once(
        &self,
        endpoint: &Endpoint,
        address: Option<IpAddr>,
        encrypted: bool,
    ) -> Result<Opened, ConnectError> {
        let security = Security {
            tls: self.tls.clone(),
            encrypted,
        };
        let connector = Connector {
            security: security.clone(),
            watch: Watch::new(),
        };
        let config = self.config(endpoint, address, encrypted);
        let (client, wire, socket) = self
            .timed(endpoint, async {
                self.connect(endpoint, config, connector.clone())
                    .await
                    .map_err(|source| ConnectError::Failed {
                        failure: failure_of(&source),
                        target: self.settings.describe_endpoint(endpoint),
                        source,
                    })
            })
            .await?;
        let settings = self.settings.pinned(endpoint, address, encrypted);
        Ok(Opened {
            client,
            wire,
            connector,
            socket,
            prober: Prober { settings, security },
        })
    }

    async fn connect(
        &self,
        endpoint: &Endpoint,
        mut config: Config,
        mut connector: Connector,
    ) -> Result<(Client, Wire, Option<PathBuf>), Error> {
        if let Place::Socket(directory) = &endpoint.place {
            let path = directory.join(format!(".s.PGSQL.{}", endpoint.port));
            if self.settings.session_attributes == TargetSessionAttrs::Any
                && let Ok(stream) = UnixStream::connect(&path).await
            {
                let Ok(tls) = MakeTlsConnect::<UnixStream>::make_tls_connect(&mut connector, "");
                let (client, connection) = config.connect_raw(stream, tls).await?;
                return Ok((client, Wire::Local(connection), Some(path)));
            }
            // tokio-postgres says what is wrong with the socket, and asks for the attributes. It hands no socket of that
            // kind out, so that the connection is not watched.
            config.ssl_mode(SslMode::Disable);
        }
        let (client, connection) = config.connect(connector).await?;
        Ok((client, Wire::Network(connection), None))
    }

    fn config(&self, endpoint: &Endpoint, address: Option<IpAddr>, encrypted: bool) -> Config {
        let settings = self.settings;
        let mut config = Config::new();
        config
            .user(&settings.user)
            .dbname(&settings.database)
            .application_name(application_name(self.application_name))
            .port(endpoint.port)
            // Without TLS our connector takes the socket as it is: nothing is negotiated.
            .ssl_mode(SslMode::Require)
            .ssl_negotiation(match encrypted {
                true => settings.tls.negotiation,
                false => SslNegotiation::Direct,
            })
            .target_session_attrs(settings.session_attributes)
            .channel_binding(settings.channel_binding)
            .keepalives(settings.keepalive.is_some());
        match &endpoint.place {
            Place::Socket(directory) => config.host_path(directory),
            Place::Host(name) | Place::Address { name, .. } => config.host(name),
        };
        if let Some(address) = address {
            config.hostaddr(address);
        }
        if let Some(options) = &settings.options {
            config.options(options);
        }
        if let Some(password) = &endpoint.password {
            config.password(password);
        }
        if let Some(keepalive) = settings.keepalive {
            config
                .keepalives_idle(keepalive.idle)
                .keepalives_interval(keepalive.interval)
                .keepalives_retries(keepalive.count);
        }
        if !settings.tcp_user_timeout.is_zero() {
            config.tcp_user_timeout(settings.tcp_user_timeout);
        }
        config
    }

    async fn timed<T>(
        &self,
        endpoint: &Endpoint,
        work: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        match self.settings.connect_timeout {
            None => work.await,
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(result) => result,
                Err(_elapsed) => Err(self.timed_out(endpoint)),
            },
        }
    }

    fn timed_out(&self, endpoint: &Endpoint) -> ConnectError {
        ConnectError::TimedOut {
            target: self.settings.describe_endpoint(endpoint),
            limit_ms: self
                .settings
                .connect_timeout
                .unwrap_or_default()
                .as_millis(),
        }
    }

    fn none_reachable(&self, mut failures: Vec<ConnectError>) -> ConnectError {
        let target = self.settings.describe();
        let Some(last) = failures.pop() else {
            let limit_ms = 0; // No endpoint: `endpoints` always gives one.
            return ConnectError::TimedOut { target, limit_ms };
        };
        if failures.is_empty() {
            return last;
        }
        let earlier: Vec<String> = failures.iter().map(ToString::to_string).collect();
        ConnectError::NoneReachable {
            target,
            earlier: earlier.join(" · "),
            source: Box::new(last),
        }
    }
}

fn is_about_tls(error: &ConnectError) -> bool {
    let ConnectError::Failed { failure, .. } = error else {
        return false;
    };
    matches!(
        failure,
        Failure::TlsRefused
            | Failure::TlsFailed
            | Failure::CertificateUnusable
            | Failure::AccessRefused
    )
}

fn application_name(name: &str) -> &str {
    let mut end = name.len().min(APPLICATION_NAME_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn application_names_are_cut_between_characters() {
        assert_eq!(application_name("crossfade"), "crossfade");
        assert_eq!(application_name(&"a".repeat(80)).len(), 63);
        assert_eq!(application_name(&"ä".repeat(40)).len(), 62);
    }
}

//! A pool of connections to one target, made the same way as a dedicated one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use deadpool_postgres::{
    Connect, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::attempt::Attempt;
use super::error::ConnectError;
use super::failure::failure_of;
use super::session::converse;
use super::settings::Settings;

/// `Fast` would hand one user's SET and advisory locks to the next. Not `Clean`: RESET ALL leaves the role, and older servers leave it
/// at the login's own, not at the one that the session began with.
const CLEAN: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; UNLISTEN *; \
    SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES;";
const WAIT: Duration = Duration::from_secs(30);
const RECYCLE: Duration = Duration::from_secs(5);
/// Looking a host's name up, and a name's second address (IPv4 and IPv6), each have the limit of one try.
const LIMITS_PER_HOST: u32 = 3;

pub(super) fn build(
    settings: &Arc<Settings>,
    tls: MakeRustlsConnect,
    application_name: &str,
    size: usize,
) -> Result<Pool, ConnectError> {
    let opener = Opener {
        settings: Arc::clone(settings),
        tls,
        application_name: application_name.to_owned(),
    };
    let manager_config = ManagerConfig {
        recycling_method: RecyclingMethod::Custom(CLEAN.to_owned()),
    };
    let hosts = u32::try_from(settings.endpoints.len()).unwrap_or(u32::MAX);
    let create = settings
        .connect_timeout
        .map(|limit| limit.saturating_mul(hosts.saturating_mul(LIMITS_PER_HOST)));
    let manager = Manager::from_connect(Config::new(), opener, manager_config);
    Pool::builder(manager)
        .max_size(size.max(1))
        .wait_timeout(Some(WAIT))
        .create_timeout(create)
        .recycle_timeout(Some(RECYCLE))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| ConnectError::PoolFailed {
            target: settings.describe(),
            source: Box::new(error),
        })
}

/// What `Pool::get` says, as one of our errors.
pub(super) fn explain(settings: &Settings, error: PoolError) -> ConnectError {
    let target = settings.describe();
    match error {
        PoolError::Backend(error) => explain_backend(target, error),
        PoolError::Timeout(TimeoutType::Wait) => ConnectError::PoolExhausted {
            target,
            limit_ms: WAIT.as_millis(),
        },
        PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => ConnectError::TimedOut {
            target,
            limit_ms: settings.connect_timeout.unwrap_or(RECYCLE).as_millis(),
        },
        PoolError::Closed => ConnectError::PoolClosed { target },
        error @ (PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_)) => {
            ConnectError::PoolFailed {
                target,
                source: Box::new(error),
            }
        }
    }
}

fn explain_backend(target: String, error: Error) -> ConnectError {
    let failure = failure_of(&error);
    if !is_carrier(&error) {
        return ConnectError::Failed {
            failure,
            target,
            source: error,
        };
    }
    let carried = error
        .into_source()
        .and_then(|source| source.downcast::<io::Error>().ok())
        .and_then(|source| source.into_inner())
        .unwrap_or_else(|| "the connection's error was lost".into());
    match carried.downcast::<ConnectError>() {
        Ok(error) => *error,
        Err(source) => ConnectError::PoolFailed { target, source },
    }
}

fn is_carrier(error: &Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::get_ref)
        .is_some_and(|inner| inner.is::<ConnectError>())
}

struct Opener {
    settings: Arc<Settings>,
    tls: MakeRustlsConnect,
    application_name: String,
}

type Opening<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

impl Connect for Opener {
    fn connect(&self, _config: &Config) -> Opening<'_> {
        Box::pin(async move {
            let attempt = Attempt {
                settings: &self.settings,
                tls: &self.tls,
                application_name: &self.application_name,
            };
            let opened = match attempt.open().await {
                Ok(opened) => opened,
                Err(ConnectError::Failed { source, .. }) => return Err(source),
                Err(error) => return Err(carrier(error).await?),
            };
            let target = self.settings.describe();
            let (client, wire, prober) = (opened.client, opened.wire, opened.prober);
            let watch = opened.connector.watch;
            let own = watch.clone();
            let task = tokio::spawn(async move { converse(wire, &target, &own, &prober).await });
            match self.settings.look_for_pooler(&client).await {
                Ok(pid) => {
                    watch.set_pid(pid);
                    Ok((client, task))
                }
                Err(ConnectError::Failed { source, .. }) => Err(source),
                Err(error) => Err(carrier(error).await?),
            }
        })
    }
}

/// deadpool wants an error of tokio-postgres, which only that crate can make: it makes one from the
/// error of the stream that it is to use, and ours has nothing but an error to give.
async fn carrier(error: ConnectError) -> Result<Error, Error> {
    let stream = BrokenStream(Some(error));
    let mut config = Config::new();
    config.user("none");
    match config.connect_raw(stream, NoTls).await {
        Ok(_) => Err(Error::__private_api_timeout()),
        Err(error) => Ok(error),
    }
}

struct BrokenStream(Option<ConnectError>);

impl BrokenStream {
    fn error(&mut self) -> io::Error {
        match self.0.take() {
            Some(error) => io::Error::other(error),
            None => io::ErrorKind::BrokenPipe.into(),
        }
    }
}

impl AsyncRead for BrokenStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(self.error()))
    }
}

impl AsyncWrite for BrokenStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        _bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(self.error()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

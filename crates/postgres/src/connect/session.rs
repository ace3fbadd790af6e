//! One dedicated connection, with the task that drives it and the means to cancel its statement.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, CancelToken, Client};

use super::attempt::{Opened, Wire};
use super::carrier::Connector;
use super::error::ConnectError;
use super::watch::{Prober, Watch, silence, watched};

/// How long a connection may take to say goodbye before it is cut.
const GOODBYE: Duration = Duration::from_secs(2);
/// A cancel request may take that long where connecting has no limit: it is best effort, and its sender has other things to do.
const CANCEL_WITHIN: Duration = Duration::from_secs(10);

/// A connection of its own. Dropping it closes the connection, and with it locks and temporary state;
/// a statement that still runs is cut off after two seconds (cancel it first to stop it at once).
pub struct Session {
    pub client: Client,
    watch: Watch,
    canceller: Canceller,
    closing: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Session {
    pub(super) fn new(opened: Opened, target: String, limit: Option<Duration>) -> Self {
        let watch = opened.connector.watch.clone();
        let canceller = Canceller {
            token: opened.client.cancel_token(),
            connector: opened.connector,
            socket: opened.socket,
            target: target.clone(),
            limit: limit.unwrap_or(CANCEL_WITHIN),
        };
        let (closing, closed) = oneshot::channel();
        let prober = opened.prober;
        let task = tokio::spawn(drive(opened.wire, target, watch.clone(), prober, closed));
        Self {
            client: opened.client,
            watch,
            canceller,
            closing: Some(closing),
            task: Some(task),
        }
    }

    /// The server's process for this session, by which another connection asks about it.
    pub(super) fn set_pid(&self, pid: Option<i32>) {
        self.watch.set_pid(pid);
    }

    /// What cancels this session's running statement, from any task.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Closes the connection and waits until it is closed, two seconds at most.
    pub async fn close(mut self) {
        let task = self.task.take();
        drop(self);
        // An error here is a panic or the runtime's end: closed either way.
        if let Some(Err(error)) = match task {
            Some(task) => Some(task.await),
            None => None,
        } {
            tracing::debug!(%error, "connection task ended early");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(closing) = self.closing.take() {
            // The task has gone already if this fails.
            let _ = closing.send(());
        }
    }
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("target", &self.canceller.target)
            .finish_non_exhaustive()
    }
}

/// Cancels whatever statement a session runs, over a connection of its own with the same TLS.
#[derive(Clone)]
pub struct Canceller {
    token: CancelToken,
    connector: Connector,
    socket: Option<PathBuf>,
    target: String,
    limit: Duration,
}

impl Canceller {
    /// Asks the server to cancel the running statement, which then ends with SQLSTATE 57014.
    /// The server does not say whether it found one: a statement that had just ended is not an error.
    pub async fn cancel(&self) -> Result<(), ConnectError> {
        let asked = tokio::time::timeout(self.limit, self.ask()).await;
        let result = asked.map_err(|_elapsed| ConnectError::TimedOut {
            target: self.target.clone(),
            limit_ms: self.limit.as_millis(),
        })?;
        result.map_err(|source| ConnectError::CancelFailed {
            target: self.target.clone(),
            source,
        })
    }

    async fn ask(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut connector = Connector {
            // Not that of the session: this says nothing of whether the session is alive.
            watch: Watch::new(),
            ..self.connector.clone()
        };
        match &self.socket {
            Some(path) => {
                let stream = UnixStream::connect(path).await?;
                let Ok(tls) = MakeTlsConnect::<UnixStream>::make_tls_connect(&mut connector, "");
                self.token.cancel_query_raw(stream, tls).await?;
            }
            None => self.token.cancel_query(connector).await?,
        }
        Ok(())
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Canceller")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

async fn drive(
    wire: Wire,
    target: String,
    watch: Watch,
    prober: Prober,
    closed: oneshot::Receiver<()>,
) {
    let conversation = converse(wire, &target, &watch, &prober);
    tokio::pin!(conversation);
    tokio::select! {
        () = &mut conversation => return,
        _ = closed => {}
    }
    // The client is gone, so the connection ends by itself with a proper goodbye, which keeps the
    // server's log clean; but not while a statement runs or the network is down.
    if tokio::time::timeout(GOODBYE, conversation).await.is_err() {
        tracing::debug!(%target, "connection cut: it did not end by itself");
    }
}

/// Drives the connection to its end, which comes as well when the server does not answer any more.
pub(super) async fn converse(wire: Wire, target: &str, watch: &Watch, prober: &Prober) {
    watched(listen(wire, target, watch), watch, prober).await;
}

/// What the server says on its own goes to the log.
async fn listen(mut wire: Wire, target: &str, watch: &Watch) {
    while let Some(message) = wire.next_message().await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => tracing::debug!(
                %target,
                severity = notice.severity(),
                code = notice.code().code(),
                "{}",
                notice.message()
            ),
            Ok(_) => {}
            Err(error) => {
                // An idle session learns only here why it ended (an administrator's command, say).
                let reason = match watch.is_given_up() {
                    true => silence(),
                    false => crate::sqlstate::message(&error),
                };
                tracing::warn!(%target, "connection lost: {reason}");
                return;
            }
        }
    }
}

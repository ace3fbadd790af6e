//! One dedicated connection, with the task that drives it and the means to cancel its statement.

use std::fmt;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, CancelToken, Client};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::attempt::Wire;
use super::error::ConnectError;

/// How long a connection may take to say goodbye before it is cut.
const GOODBYE: Duration = Duration::from_secs(2);

/// A connection of its own. Dropping it closes the connection, and with it locks and temporary state;
/// a statement that still runs is cut off after two seconds (cancel it first to stop it at once).
pub struct Session {
    pub client: Client,
    canceller: Canceller,
    closing: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Session {
    pub(super) fn new(client: Client, wire: Wire, connection: ConnectionContext) -> Self {
        let canceller = Canceller::new(&client, connection);
        let (closing, closed) = oneshot::channel();
        let task = tokio::spawn(drive(wire, canceller.target.clone(), closed));
        Self {
            client,
            canceller,
            closing: Some(closing),
            task: Some(task),
        }
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

/// What a connection of a target shares with its canceller.
pub(super) struct ConnectionContext {
    pub(super) tls: MakeRustlsConnect,
    pub(super) target: String,
    pub(super) limit: Option<Duration>,
}

/// Cancels whatever statement a session runs, over a connection of its own with the same TLS.
#[derive(Clone)]
pub struct Canceller {
    token: CancelToken,
    tls: MakeRustlsConnect,
    target: String,
    limit: Option<Duration>,
}

impl Canceller {
    pub(super) fn new(client: &Client, connection: ConnectionContext) -> Self {
        Self {
            token: client.cancel_token(),
            tls: connection.tls,
            target: connection.target,
            limit: connection.limit,
        }
    }

    /// Asks the server to cancel the running statement, which then ends with SQLSTATE 57014.
    /// The server does not say whether it found one: a statement that had just ended is not an error.
    pub async fn cancel(&self) -> Result<(), ConnectError> {
        let work = self.token.cancel_query(self.tls.clone());
        let result = match self.limit {
            None => work.await,
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(result) => result,
                Err(_elapsed) => {
                    return Err(ConnectError::TimedOut {
                        target: self.target.clone(),
                        limit_ms: limit.as_millis(),
                    });
                }
            },
        };
        result.map_err(|source| ConnectError::CancelFailed {
            target: self.target.clone(),
            source,
        })
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

async fn drive(wire: Wire, target: String, closed: oneshot::Receiver<()>) {
    let conversation = converse(wire, &target);
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

/// Drives the connection to its end. What the server says on its own goes to the log.
pub(super) async fn converse(mut wire: Wire, target: &str) {
    while let Some(message) = poll_fn(|context| wire.poll_message(context)).await {
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
                let reason = crate::postgres::sqlstate::message(&error);
                tracing::warn!(%target, "connection lost: {reason}");
                return;
            }
        }
    }
}

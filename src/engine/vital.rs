//! Whether the database still answers. A peer that is gone behind something that acknowledges for it is not noticed by TCP:
//! what is to be answered soon has a deadline, and of what may take long it is looked whether the server is at it.

use super::EngineError;
use crate::store::StoreError;
use crate::target::activity;
use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_postgres::GenericClient;
use tokio_util::sync::CancellationToken;

/// A statement that is not to take long.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A look at the server.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// The server has nothing to do for a session that waits for it.
const IDLE_MAX: Duration = Duration::from_secs(15);
/// How often it is looked whether the server is at a long statement, and so often in a row it must not be.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const LOOKS_MAX: u32 = 3;

/// What `future` gives, or an error when it takes too long: for statements that never take long on a server that answers.
pub async fn answered<T, E>(future: impl Future<Output = Result<T, E>>) -> Result<T, EngineError>
where
    EngineError: From<E>,
{
    within(ANSWER_WITHIN, future).await
}

pub async fn within<T, E>(
    limit: Duration,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, EngineError>
where
    EngineError: From<E>,
{
    match tokio::time::timeout(limit, future).await {
        Ok(result) => Ok(result?),
        Err(_elapsed) => Err(silent(limit)),
    }
}

fn silent(limit: Duration) -> EngineError {
    StoreError::Silent {
        seconds: limit.as_secs(),
    }
    .into()
}

/// What `working` gives, for as long as the server is at something for the session `pid`, as another session `looker` sees.
pub async fn alive<T, C>(
    working: impl Future<Output = Result<T, EngineError>>,
    pid: i32,
    looker: impl AsyncFn() -> Result<C, EngineError>,
) -> Result<T, EngineError>
where
    C: std::ops::Deref,
    C::Target: std::ops::Deref<Target = tokio_postgres::Client>,
{
    tokio::pin!(working);
    let mut idle = 0;
    loop {
        tokio::select! {
            result = &mut working => return result,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let look = within(LOOK_WITHIN, async {
            let client = looker().await?;
            Ok::<_, EngineError>(activity::idle_for(&**client, pid).await?)
        });
        // It goes on while it is looked.
        let looked = tokio::select! {
            result = &mut working => return result,
            looked = look => looked,
        };
        idle = match looked {
            Ok(None) => 0,
            Ok(Some(since)) if since < LOOK_EVERY => 0,
            Ok(Some(_)) | Err(_) => idle + 1,
        };
        if idle >= LOOKS_MAX {
            return Err(silent(LOOK_EVERY * LOOKS_MAX));
        }
    }
}

/// What is known of a driver's connections, by its heartbeat.
#[derive(Debug)]
pub struct Vital {
    gone: CancellationToken,
    resting: AtomicU32,
    rested: Mutex<Instant>,
}

impl Default for Vital {
    fn default() -> Self {
        Self {
            gone: CancellationToken::new(),
            resting: AtomicU32::new(0),
            rested: Mutex::new(Instant::now()),
        }
    }
}

impl Vital {
    /// Until the database does not answer.
    pub async fn failed(&self) -> EngineError {
        self.gone.cancelled().await;
        silent(IDLE_MAX)
    }

    pub fn fail(&self) {
        self.gone.cancel();
    }

    /// While this lives the driver waits for something else than its own session.
    pub fn rest(self: &Arc<Self>) -> Rest {
        self.resting.fetch_add(1, Ordering::SeqCst);
        Rest(self.clone())
    }

    /// Looks whether the server is at something for the session that the driver waits for.
    pub async fn look(&self, client: &impl GenericClient, pid: i32) -> Result<(), StoreError> {
        let since = *self.rested.lock().unwrap_or_else(PoisonError::into_inner);
        if self.resting.load(Ordering::SeqCst) > 0 || since.elapsed() < IDLE_MAX {
            return Ok(());
        }
        match activity::idle_for(client, pid).await? {
            Some(idle) if idle >= IDLE_MAX => Err(StoreError::Silent {
                seconds: IDLE_MAX.as_secs(),
            }),
            _ => Ok(()),
        }
    }
}

/// See [`Vital::rest`].
pub struct Rest(Arc<Vital>);

impl Drop for Rest {
    fn drop(&mut self) {
        *self.0.rested.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.resting.fetch_sub(1, Ordering::SeqCst);
    }
}

//! Going on by itself after the database went away: everything is in the database, so a new driver finds its place.

use super::{Access, Service, ServiceError, check_server};
use crate::engine::{
    EngineError,
    notice::{Notice, Reporter},
    session::{Driver, HEARTBEAT_WITHIN},
    vital,
};
use crate::store::{StoreError, lease, os_user, timeline::Server};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(10);
/// A server that is away for longer than this is somebody's business.
const AWAY_MAX: Duration = Duration::from_secs(10 * 60);
/// So often in one command somebody may cancel a statement of ours (`pg_cancel_backend`) before that is an error.
const CANCELLED_MAX: u32 = 10;
/// A look at who has the lease, on a connection of its own.
const LOOK_WITHIN: Duration = Duration::from_secs(15);

impl Service {
    /// What `act` gives, done again by a new driver where the database went away in the middle. The first connection
    /// is not waited for: whoever types a command wants to know at once that nobody answers.
    pub(super) async fn driving<T>(
        &self,
        run: &str,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
        act: impl AsyncFn(&mut Driver) -> Result<T, EngineError>,
    ) -> Result<T, ServiceError> {
        let mut driver = self
            .driver(run, reporter.clone(), stop.clone(), None)
            .await?;
        let mut cancelled = 0;
        loop {
            let vital = driver.vital();
            let server = driver.server;
            let result = tokio::select! {
                result = act(&mut driver) => result,
                error = vital.failed(HEARTBEAT_WITHIN) => Err(error),
            };
            let interrupted = match self.ended(driver, result).await {
                Ok(done) => return Ok(done),
                Err(error) if error.is_passing() => error,
                Err(error) if error.is_cancelled() && cancelled < CANCELLED_MAX => {
                    cancelled += 1;
                    error
                }
                Err(error) if error.is_read_only() && self.takes_no_writes().await => error,
                Err(error) => return Err(ServiceError::Engine(error)),
            };
            driver = self
                .driver_again(run, &reporter, &stop, server, interrupted.into())
                .await?;
        }
    }

    async fn driver_again(
        &self,
        run: &str,
        reporter: &Arc<dyn Reporter>,
        stop: &CancellationToken,
        known: Option<Server>,
        mut error: ServiceError,
    ) -> Result<Driver, ServiceError> {
        let away_since = Instant::now();
        let mut pause = RETRY_FIRST;
        let interrupted = |error: &ServiceError| Err(ServiceError::Interrupted(error.to_string()));
        loop {
            if stop.is_cancelled() {
                return interrupted(&error);
            }
            if away_since.elapsed() > AWAY_MAX {
                return Err(error);
            }
            let (why, retry_in) = (error.to_string(), pause);
            reporter.notice(match &error {
                ServiceError::Engine(error) if error.is_cancelled() => {
                    Notice::Cancelled { why, retry_in }
                }
                _ => Notice::Away { why, retry_in },
            });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return interrupted(&error),
            }
            pause = (pause * 2).min(RETRY_MAX);
            let again = tokio::select! {
                again = self.driver(run, reporter.clone(), stop.clone(), known) => again,
                // What was opened by then is closed, and a lease without its session is nobody's.
                () = stop.cancelled() => return interrupted(&error),
            };
            match again {
                Err(again) if is_passing(&again) || is_us(&again) => error = again,
                other => return other,
            }
        }
    }

    /// Whether it is the server: a transaction of ours that only reads says the same of what an author's function writes.
    async fn takes_no_writes(&self) -> bool {
        let looked = vital::within(LOOK_WITHIN, async {
            let session = self.target.connect("crossfade lease").await?;
            Ok::<_, EngineError>(check_server(&session, Access::Write).await.is_err())
        });
        looked.await.unwrap_or(true)
    }

    /// Gives the lease back. Where another driver has taken it, that is the error, whatever it looked like: its taker
    /// ends the sessions of the one before.
    async fn ended<T>(
        &self,
        driver: Driver,
        result: Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let lease = driver.lease;
        let looked = vital::within(LOOK_WITHIN, async {
            let session = self.target.connect("crossfade lease").await?;
            Ok::<_, EngineError>(lease::is_current(&*session, lease).await?)
        });
        if result.is_err() && matches!(looked.await, Ok(false)) {
            return Err(StoreError::LeaseLost.into());
        }
        let cut_off = driver.end().await;
        match result {
            // Nobody has taken it: a heartbeat was not answered in time, or its session was cut.
            Err(EngineError::Store(StoreError::LeaseLost)) => {
                let seconds = HEARTBEAT_WITHIN.as_secs();
                Err(cut_off.unwrap_or(StoreError::Silent { seconds }).into())
            }
            other => other,
        }
    }
}

/// After a failover the address may be that of a server that takes no writes yet, or no more.
fn is_passing(error: &ServiceError) -> bool {
    match error {
        ServiceError::Engine(error) => error.is_passing() || error.is_cancelled(),
        ServiceError::ReadOnly(_) => true,
        _ => false,
    }
}

/// Our own session of before, which the server has not missed yet.
fn is_us(error: &ServiceError) -> bool {
    let us = format!("{} pid {}", os_user(), std::process::id());
    matches!(error, ServiceError::Engine(EngineError::Store(StoreError::LeaseHeld { holder, .. })) if *holder == us)
}

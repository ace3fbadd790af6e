//! Going on by itself after the database went away: everything is in the database, so a new driver finds its place.

use super::{Service, ServiceError};
use crate::engine::{
    EngineError,
    notice::{Notice, Reporter},
    session::Driver,
};
use crate::store::{StoreError, lease, os_user};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(10);
/// A server that is away for longer than this is somebody's business.
const AWAY_MAX: Duration = Duration::from_secs(10 * 60);

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
        let mut driver = self.driver(run, reporter.clone(), stop.clone()).await?;
        loop {
            let result = act(&mut driver).await;
            let interrupted = match self.ended(driver, result).await {
                Err(ServiceError::Engine(error)) if is_passing(&error) => error,
                other => return other,
            };
            driver = self
                .driver_again(run, &reporter, &stop, interrupted)
                .await?;
        }
    }

    async fn driver_again(
        &self,
        run: &str,
        reporter: &Arc<dyn Reporter>,
        stop: &CancellationToken,
        mut error: EngineError,
    ) -> Result<Driver, ServiceError> {
        let away_since = Instant::now();
        let mut pause = RETRY_FIRST;
        loop {
            if away_since.elapsed() > AWAY_MAX || stop.is_cancelled() {
                return Err(error.into());
            }
            reporter.notice(Notice::Away {
                why: error.to_string(),
                retry_in: pause,
            });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return Err(error.into()),
            }
            pause = (pause * 2).min(RETRY_MAX);
            match self.driver(run, reporter.clone(), stop.clone()).await {
                Err(ServiceError::Engine(again)) if is_passing(&again) || is_us(&again) => {
                    error = again;
                }
                other => return other,
            }
        }
    }

    /// Gives the lease back. Where another driver has taken it, that is the error, whatever it looked like: its taker
    /// ends the sessions of the one before.
    async fn ended<T>(
        &self,
        driver: Driver,
        result: Result<T, EngineError>,
    ) -> Result<T, ServiceError> {
        if result.is_err()
            && let Ok(session) = self.session("lease").await
            && !lease::is_current(&*session, driver.lease)
                .await
                .unwrap_or(true)
        {
            return Err(StoreError::LeaseLost.into());
        }
        let cut_off = driver.end().await;
        match result {
            // Nobody has taken it: its own session was cut.
            Err(EngineError::Store(StoreError::LeaseLost)) => Err(cut_off
                .map_or(EngineError::Store(StoreError::LeaseLost), EngineError::from)
                .into()),
            other => Ok(other?),
        }
    }
}

fn is_passing(error: &EngineError) -> bool {
    error.is_passing()
}

/// Our own session of before, which the server has not missed yet.
fn is_us(error: &EngineError) -> bool {
    let us = format!("{} pid {}", os_user(), std::process::id());
    matches!(error, EngineError::Store(StoreError::LeaseHeld { holder, .. }) if *holder == us)
}

//! Deadlines for what never takes long on a server that answers. Of what may take long, a connection asks by itself whether the
//! server is at it (`postgres::connect::watch`).

use super::EngineError;
use crate::store::StoreError;
use std::{future::Future, time::Duration};
use tokio_util::sync::CancellationToken;

/// A statement that is not to take long.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

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

/// Whether the database still answers a driver, by its heartbeat.
#[derive(Debug, Default)]
pub struct Vital {
    gone: CancellationToken,
}

impl Vital {
    /// Until a heartbeat is not answered within `limit`.
    pub async fn failed(&self, limit: Duration) -> EngineError {
        self.gone.cancelled().await;
        silent(limit)
    }

    pub fn fail(&self) {
        self.gone.cancel();
    }
}

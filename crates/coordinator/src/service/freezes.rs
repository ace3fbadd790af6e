//! Freezing a database: nothing begins, backfills rest, and going back and looking stay possible.

use super::{Service, ServiceError, tokens::Doing};
use crate::store::freezes;
use crossfade_decisions::lifecycle::snapshot::Pause;
use jiff::Timestamp;

impl Service {
    /// Takes effect at the next batch of whoever drives a run.
    pub async fn freeze(&self, reason: &str, until: Option<Timestamp>) -> Result<(), ServiceError> {
        let mut session = self.installed("freeze").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        freezes::place(&transaction, reason, until, None).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends every freeze in force. Those that it ended.
    pub async fn unfreeze(&self) -> Result<Vec<Pause>, ServiceError> {
        let mut session = self.installed("unfreeze").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        let ended = freezes::end(&transaction).await?;
        transaction.commit().await?;
        Ok(ended)
    }

    /// The freeze in force that ends last.
    pub async fn frozen(&self) -> Result<Option<Pause>, ServiceError> {
        let session = self.installed("status").await?;
        Ok(freezes::in_force(&*session).await?)
    }
}

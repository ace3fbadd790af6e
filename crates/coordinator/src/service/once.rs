//! Requests that are carried out once, however often they are sent: by their key.

use super::{Service, ServiceError};
use crate::store::{
    StoreError,
    answers::{self, Kept, Once},
    tokens,
};
use tokio_postgres::Transaction;

impl Service {
    /// The same service, for this request. What it writes is written once: a second time is refused.
    pub fn once(&self, once: Once) -> Self {
        Self {
            once: Some(once),
            ..self.clone()
        }
    }

    /// Notes in the transaction that writes that the request was carried out.
    pub(super) async fn claim(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        match &self.once {
            Some(once) if !answers::claim(transaction, once).await? => Err(StoreError::Asked),
            Some(_) | None => Ok(()),
        }
    }

    /// What the request was answered; `None`: it was not sent before, or has no key.
    pub async fn kept_answer(&self) -> Result<Option<Kept>, ServiceError> {
        let Some(once) = &self.once else {
            return Ok(None);
        };
        let mut session = self.installed("status").await?;
        let transaction = session.transaction().await?;
        self.present(&transaction).await?;
        Ok(answers::kept(&transaction, once).await?)
    }

    /// What whoever sends the request again is to be answered.
    pub async fn keep_answer(&self, status: u16, body: &str) -> Result<(), ServiceError> {
        let Some(once) = &self.once else {
            return Ok(());
        };
        let mut session = self.installed("status").await?;
        let transaction = session.transaction().await?;
        self.present(&transaction).await?;
        answers::keep(&transaction, once, status, body).await?;
        Ok(transaction.commit().await?)
    }

    async fn present(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        match &self.acts_for {
            Some(secret) => tokens::act_for(transaction, secret, self.proxy_user.as_deref()).await,
            None => Ok(()),
        }
    }
}

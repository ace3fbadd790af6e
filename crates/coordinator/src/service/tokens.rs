//! Tokens, and acting for their holders.

use super::{Service, ServiceError};
use crate::store::tokens;
use crossfade_decisions::lifecycle::snapshot::Snapshot;
use jiff::Timestamp;
pub use tokens::{Can, Holder, Secret, TokenRecord};
use tokio_postgres::{GenericClient, Transaction};

/// A browser has to sign in again after so many hours.
const SIGN_IN_HOURS: i32 = 12;

/// What somebody does by a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Operate,
    /// As a member of the role that the server is connected as.
    Order,
    Start,
    Approve,
}

/// A token that was made a moment ago.
#[derive(Clone, Debug)]
pub struct CreatedToken {
    pub id: i64,
    /// It is not kept anywhere.
    pub secret: Secret,
}

impl Service {
    /// The same service, on behalf of the secret's holder: what it records names the holder's role and the token, and it does
    /// what that role may do. It drives no run.
    pub fn acting_for(&self, secret: Secret) -> Self {
        Self {
            acts_for: Some(secret),
            ..self.clone()
        }
    }

    /// The same service; what it records by a token names this user of a proxy, too.
    pub fn for_user(&self, user: &str) -> Self {
        Self {
            proxy_user: Some(user.to_owned()),
            ..self.clone()
        }
    }

    /// As the role that is connected only.
    pub(super) fn not_by_token(&self) -> Result<(), ServiceError> {
        if self.acts_for.is_none() {
            return Ok(());
        }
        let why = "this is done as the role that is connected, and not by a token: place an order";
        Err(ServiceError::Forbidden(why.to_owned()))
    }

    /// For the session's own role, unless another is named.
    pub async fn create_token(
        &self,
        role: Option<&str>,
        can: &[Can],
        expires_at: Option<Timestamp>,
    ) -> Result<CreatedToken, ServiceError> {
        self.not_by_token()?;
        let session = self.installed("token").await?;
        let secret = new_secret()?;
        let id = tokens::create(&*session, role, can, &secret, expires_at).await?;
        Ok(CreatedToken { id, secret })
    }

    pub async fn tokens(&self) -> Result<Vec<TokenRecord>, ServiceError> {
        let session = self.installed("token").await?;
        Ok(tokens::list(&*session).await?)
    }

    /// Its sign-ins end with it. `false`: it had been revoked.
    pub async fn revoke_token(&self, token: i64) -> Result<bool, ServiceError> {
        self.not_by_token()?;
        let session = self.installed("token").await?;
        Ok(tokens::revoke(&*session, token).await?)
    }

    /// Whose token or sign-in this is; `None`: nobody's, or it is over.
    pub async fn holder_of(&self, secret: &Secret) -> Result<Option<Holder>, ServiceError> {
        let session = self.installed("status").await?;
        Ok(tokens::holder(&*session, secret).await?)
    }

    /// The secret of a new sign-in; `None`: the token is not valid.
    pub async fn sign_in(&self, token: &Secret) -> Result<Option<Secret>, ServiceError> {
        let session = self.installed("status").await?;
        let secret = new_secret()?;
        let is_valid = tokens::sign_in(&*session, token, &secret, SIGN_IN_HOURS).await?;
        Ok(is_valid.then_some(secret))
    }

    pub async fn sign_out(&self, sign_in: &Secret) -> Result<(), ServiceError> {
        let session = self.installed("status").await?;
        Ok(tokens::sign_out(&*session, sign_in).await?)
    }

    /// What is written from here on is the holder's, who must have the right to do it.
    pub(super) async fn act(
        &self,
        transaction: &Transaction<'_>,
        what: Doing,
    ) -> Result<(), ServiceError> {
        let Some(secret) = &self.acts_for else {
            return Ok(());
        };
        self.require(transaction, what).await?;
        tokens::act_for(transaction, secret, self.proxy_user.as_deref()).await?;
        Ok(self.claim(transaction).await?)
    }

    /// The holder, if the service acts for one, must have the right to do it.
    pub(super) async fn require(
        &self,
        client: &impl GenericClient,
        what: Doing,
    ) -> Result<(), ServiceError> {
        let Some(secret) = &self.acts_for else {
            return Ok(());
        };
        let holder = tokens::holder(client, secret).await?;
        let holder = holder.ok_or(crate::store::StoreError::TokenOver)?;
        let (may, verb) = match what {
            Doing::Operate => (holder.may_operate, "do this"),
            Doing::Order => (
                holder.may_start,
                "place orders, which are carried out as the role of the server,",
            ),
            Doing::Start => (
                holder.may_start,
                "check or start plans, which are evaluated as the role of the server,",
            ),
            Doing::Approve => (holder.may_approve, "approve"),
        };
        if !may {
            return Err(ServiceError::Forbidden(format!(
                "{} may not {verb} by token {}: the token does not allow it, or the role lacks the right",
                holder.role, holder.token
            )));
        }
        Ok(())
    }

    /// Whether the actor's approval counts. The role that started the run does not approve it.
    pub(super) async fn counts(
        transaction: &Transaction<'_>,
        snapshot: &Snapshot,
    ) -> Result<bool, ServiceError> {
        let row = transaction
            .query_one("SELECT crossfade.actor_role()", &[])
            .await?;
        Ok(row.get::<_, String>(0) != snapshot.started_by)
    }
}

fn new_secret() -> Result<Secret, ServiceError> {
    Secret::random()
        .map_err(|error| ServiceError::Refused(format!("could not get random bytes: {error}")))
}

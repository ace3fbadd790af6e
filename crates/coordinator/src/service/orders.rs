//! Orders: what a server is asked to do with a run.

use super::{Service, ServiceError};
use crate::{
    engine::EngineError,
    store::{
        orders::{self, End, OrderRecord, ServerRecord},
        runs,
    },
};
use crossfade_decisions::{
    keeper::Wish,
    lifecycle::{next::check_rollback_target, transition::RunState},
};
use crossfade_plan::document::PhaseName;

/// An order that was placed.
#[derive(Clone, Debug)]
pub struct Placed {
    pub id: i64,
    /// The server that was seen last.
    pub server: Option<ServerRecord>,
}

impl Service {
    /// Places an order, which a server carries out. `phase`: `advance` goes to the end of it; without one, to the end of the
    /// phase that is under way or comes next.
    pub async fn order_advance(
        &self,
        run: &str,
        to: Option<PhaseName>,
        at_gate: super::AtGate,
    ) -> Result<Placed, ServiceError> {
        let to = match to {
            Some(phase) => phase,
            None => self.current_phase(run).await?.ok_or_else(|| {
                ServiceError::Refused(format!("the run {run} has no phase left to run"))
            })?,
        };
        self.order(run, &Wish::Advance { to, at_gate }).await
    }

    pub async fn order(&self, run: &str, wish: &Wish) -> Result<Placed, ServiceError> {
        let mut session = self.installed("order").await?;
        let transaction = session.transaction().await?;
        let run_id = runs::id_of(&transaction, run).await?;
        runs::hold(&transaction, run_id).await?;
        let snapshot = runs::snapshot(&transaction, run_id).await?;
        match wish {
            Wish::RollBack { to, .. } => {
                check_rollback_target(&snapshot, *to).map_err(ServiceError::Refused)?;
            }
            _ if snapshot.state != RunState::Active => {
                return Err(ServiceError::Refused(format!(
                    "the run {run} is {}",
                    snapshot.state.as_str()
                )));
            }
            Wish::Advance { to, .. } if snapshot.plan.phase(*to).is_none() => {
                return Err(EngineError::no_phase(&snapshot.plan, *to).into());
            }
            Wish::Advance { .. } | Wish::Verify | Wish::Repair => {}
        }
        let Some(id) = orders::place(&transaction, run_id, wish).await? else {
            let open = orders::newest(&transaction, run_id).await?;
            let open = open.map_or_else(|| "an order".to_owned(), |order| order.in_words());
            return Err(ServiceError::Refused(format!(
                "an order of {run} is open already: {open}. `crossfade cancel {run}` ends it"
            )));
        };
        let server = orders::last_server(&transaction).await?;
        transaction.commit().await?;
        Ok(Placed { id, server })
    }

    /// Whether a server is connected to this database.
    pub async fn is_served(&self) -> Result<bool, ServiceError> {
        let session = self.installed("status").await?;
        let server = orders::last_server(&*session).await?;
        Ok(server.is_some_and(|server| server.is_alive))
    }

    /// Ends the open order of the run. A server that carries it out stops at its next batch. `None`: no order is open.
    pub async fn cancel(&self, run: &str) -> Result<Option<OrderRecord>, ServiceError> {
        let mut session = self.installed("cancel").await?;
        let run_id = runs::id_of(&*session, run).await?;
        let Some(open) = orders::newest(&*session, run_id).await? else {
            return Ok(None);
        };
        let cancelled = orders::end(&mut session, open.id, End::Cancelled, None).await?;
        Ok(cancelled.then_some(open))
    }
}

//! Orders: what a server is asked to do with a run.

use super::{Service, ServiceError, tokens::Doing};
use crate::{
    engine::EngineError,
    store::{
        orders::{self, By, End, OrderRecord, ServerRecord},
        pauses, runs,
    },
};
use crossfade_decisions::{
    keeper::Wish,
    lifecycle::{next::check_rollback_target, snapshot::Snapshot, transition::RunState},
};

/// An order that was placed.
#[derive(Clone, Debug)]
pub struct Placed {
    pub id: i64,
    /// The server that was seen last.
    pub server: Option<ServerRecord>,
}

impl Service {
    /// Places an order, which a server carries out.
    pub async fn order(&self, run: &str, wish: &Wish) -> Result<Placed, ServiceError> {
        let mut session = self.installed("order").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Order).await?;
        let run_id = runs::id_of(&transaction, run).await?;
        pauses::hold(&transaction, run_id).await?;
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
        let newest = orders::newest(&transaction, run_id).await?;
        // Whoever goes back waits for nobody: what was ordered before would go forward.
        if matches!(wish, Wish::RollBack { .. })
            && newest.is_some_and(|order| order.is_open() && order.action != "rollback")
        {
            orders::supersede(&transaction, run_id, None, "somebody ordered to go back").await?;
        }
        orders::supersede_comparison(&transaction, run_id).await?;
        let Some(id) = orders::place(&transaction, run_id, wish, By::Somebody).await? else {
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

    /// The open order of the run, where a server is connected that carries it out.
    pub async fn served_order(&self, run: &str) -> Result<Option<OrderRecord>, ServiceError> {
        let session = self.installed("status").await?;
        let server = orders::last_server(&*session).await?;
        if !server.is_some_and(|server| server.is_alive) {
            return Ok(None);
        }
        let run_id = runs::id_of(&*session, run).await?;
        let newest = orders::newest(&*session, run_id).await?;
        Ok(newest.filter(OrderRecord::is_open))
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
        self.require(&*session, Doing::Operate).await?;
        let run_id = runs::id_of(&*session, run).await?;
        let Some(open) = orders::newest(&*session, run_id).await? else {
            return Ok(None);
        };
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        let cancelled = orders::end(&transaction, open.id, End::Cancelled, None).await?;
        transaction.commit().await?;
        Ok(cancelled.then_some(open))
    }
}

/// Going forward by hand while somebody has ordered to go back would be undone, whenever a server comes.
pub(super) fn refuse_to_undo(
    snapshot: &Snapshot,
    order: Option<OrderRecord>,
) -> Result<(), ServiceError> {
    match order.filter(|order| order.is_open() && order.action == "rollback") {
        None => Ok(()),
        Some(order) => Err(ServiceError::Refused(format!(
            "an order of {run} is open: {}. `crossfade cancel {run}` ends it",
            order.in_words(),
            run = snapshot.plan.name
        ))),
    }
}

//! Placing an order, and cancelling the open one.

use super::{
    acting,
    body::{Body, Run},
    document::Operation,
};
use crate::{
    failure::{Failure, Problem},
    offer,
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State, http::StatusCode};
use crossfade_coordinator::service::{AtGate, ServerRecord, ServiceError};
use crossfade_decisions::{keeper::Wish, lifecycle::snapshot::RollbackTarget};
use crossfade_plan::document::PhaseName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    Advance {
        /// The last phase to run; null: the one that comes next.
        #[serde(default)]
        phase: Option<PhaseName>,
        #[serde(default)]
        waits_at_gates: bool,
    },
    Rollback {
        /// The last phase that stays; null: none.
        #[serde(default)]
        phase: Option<PhaseName>,
        /// The columns and tables whose values may go.
        #[serde(default)]
        discards: BTreeSet<String>,
    },
    // Not without braces: of such a variant, serde ignores fields that are not known.
    Verify {},
    Repair {},
}

#[derive(Serialize, JsonSchema)]
pub struct PlacedOrder {
    /// Its number.
    order: i64,
    run: String,
    /// The `crossfade serve` that was seen last in this database; null: there was none.
    server: Option<ServerRecord>,
}

#[derive(Serialize, JsonSchema)]
pub struct Cancelled {
    run: String,
    /// The order's number; null: none was open.
    cancelled: Option<i64>,
}

pub fn operations() -> Vec<Operation> {
    let place = Operation::post("/runs/{run}/orders", place, "Place an order")
        .body::<Order>()
        .answers::<PlacedOrder>(201);
    let cancel = Operation::delete("/runs/{run}/order", cancel, "Cancel the open order")
        .answers::<Cancelled>(200);
    vec![place, cancel]
}

pub async fn place(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(order): Body<Order>,
) -> Result<(StatusCode, Json<PlacedOrder>), Problem> {
    let service = acting(&site, &caller)?;
    let wish = match order {
        Order::Verify {} => Wish::Verify,
        Order::Repair {} => Wish::Repair,
        Order::Advance {
            phase,
            waits_at_gates,
        } => {
            let to = match phase {
                Some(phase) => Some(phase),
                None => site.service.current_phase(&run).await?,
            };
            let none = || {
                Failure::from(ServiceError::Refused(format!(
                    "the run {run} has no phase left to run"
                )))
            };
            Wish::Advance {
                to: to.ok_or_else(none)?,
                at_gate: if waits_at_gates {
                    AtGate::Wait
                } else {
                    AtGate::Return
                },
            }
        }
        Order::Rollback { phase, discards } => {
            let to = phase.map_or(RollbackTarget::Start, RollbackTarget::Phase);
            offer::require(&caller.0, &site, offer::Needs::Order)?;
            let preview = site.service.preview_rollback(&run, to).await?;
            let command = format!("crossfade rollback {run}{}", to.option());
            if !preview.under_way
                && let Some(why) = preview.refusal(&discards, &command)
            {
                return Err(ServiceError::Refused(why).into());
            }
            Wish::RollBack { to, discards }
        }
    };
    let placed = service.order(&run, &wish).await?;
    let placed = PlacedOrder {
        order: placed.id,
        run,
        server: placed.server,
    };
    Ok((StatusCode::CREATED, Json(placed)))
}

pub async fn cancel(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
) -> Result<Json<Cancelled>, Problem> {
    let cancelled = acting(&site, &caller)?.cancel(&run).await?;
    let cancelled = cancelled.map(|order| order.id);
    Ok(Json(Cancelled { run, cancelled }))
}

//! Placing an order, and cancelling the open one.

use super::{
    acting,
    body::{Body, Run},
};
use crate::{
    failure::{Failure, Problem},
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State, http::StatusCode};
use crossfade_coordinator::service::{AtGate, ServiceError};
use crossfade_decisions::{keeper::Wish, lifecycle::snapshot::RollbackTarget};
use crossfade_plan::document::PhaseName;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[derive(Debug, Deserialize)]
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
    Verify,
    Repair,
}

pub async fn place(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(order): Body<Order>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let service = acting(&site, &caller)?;
    let wish = match order {
        Order::Verify => Wish::Verify,
        Order::Repair => Wish::Repair,
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
    let value = json!({"order": placed.id, "run": run, "server": placed.server});
    Ok((StatusCode::CREATED, Json(value)))
}

pub async fn cancel(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
) -> Result<Json<Value>, Problem> {
    let cancelled = acting(&site, &caller)?.cancel(&run).await?;
    Ok(Json(
        json!({"run": run, "cancelled": cancelled.map(|order| order.id)}),
    ))
}

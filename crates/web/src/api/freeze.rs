//! The freeze of the database.

use super::{acting, body::Body};
use crate::{
    act::{pause::not_over, reason},
    failure::Problem,
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State};
use crossfade_decisions::lifecycle::snapshot::Pause;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    reason: String,
    until: Option<Timestamp>,
}

fn shown(freeze: &Pause) -> Value {
    json!({"by": freeze.by, "reason": freeze.reason, "since": freeze.since, "until": freeze.until})
}

pub async fn look(State(site): State<Shared>, _caller: Caller) -> Result<Json<Value>, Problem> {
    let frozen = site.looker.frozen().await?;
    Ok(Json(json!({"frozen": frozen.as_ref().map(shown)})))
}

pub async fn freeze(
    State(site): State<Shared>,
    caller: Caller,
    Body(freeze): Body<Freeze>,
) -> Result<Json<Value>, Problem> {
    let reason = reason(&freeze.reason)?;
    not_over(freeze.until)?;
    let service = acting(&site, &caller)?;
    service.freeze(reason, freeze.until).await?;
    let frozen = site.looker.frozen().await?;
    Ok(Json(json!({"frozen": frozen.as_ref().map(shown)})))
}

pub async fn unfreeze(State(site): State<Shared>, caller: Caller) -> Result<Json<Value>, Problem> {
    let ended = acting(&site, &caller)?.unfreeze().await?;
    let ended: Vec<Value> = ended.iter().map(shown).collect();
    Ok(Json(json!({"ended": ended})))
}

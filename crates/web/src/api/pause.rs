//! Pausing a run, and ending the pause.

use super::{
    acting,
    body::{Body, Run},
};
use crate::{
    act::{pause::not_over, reason},
    failure::Problem,
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    reason: String,
    until: Option<Timestamp>,
}

pub async fn pause(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(pause): Body<Pause>,
) -> Result<Json<Value>, Problem> {
    let reason = reason(&pause.reason)?;
    not_over(pause.until)?;
    let replaced = acting(&site, &caller)?
        .pause(&run, reason, pause.until)
        .await?;
    let replaced = replaced
        .map(|before| json!({"by": before.by, "reason": before.reason, "until": before.until}));
    Ok(Json(
        json!({"run": run, "until": pause.until, "replaced": replaced}),
    ))
}

/// `under_way`: the phase that goes on with the next order.
pub async fn resume(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
) -> Result<Json<Value>, Problem> {
    let (resumed, under_way) = acting(&site, &caller)?.resume(&run).await?;
    Ok(Json(
        json!({"run": run, "resumed": resumed, "under_way": under_way}),
    ))
}

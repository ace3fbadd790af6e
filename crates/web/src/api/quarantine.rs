//! Rows whose value the other side cannot take, and accepting them as they are.

use super::{
    acting,
    body::{Body, Run},
};
use crate::{
    act::reason,
    failure::{Failure, Problem},
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State};
use crossfade_coordinator::service::quarantine::Which;
use serde::Deserialize;
use serde_json::{Value, json};

const ENTRIES_MAX: u32 = 1_000;

/// As `crossfade quarantine list RUN --format json`.
pub async fn list(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
) -> Result<Json<Value>, Problem> {
    if !caller.0.may_see_rows() {
        let why = "rows are shown to roles that may read crossfade.quarantine";
        return Err(Failure::Forbidden(why.to_owned()).into());
    }
    let found = site.service.quarantine(&run, ENTRIES_MAX).await?;
    Ok(Json(found.in_json(&run, found.show_values)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    ids: Vec<i64>,
    reason: String,
}

pub async fn accept(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(accept): Body<Accept>,
) -> Result<Json<Value>, Problem> {
    let reason = reason(&accept.reason)?;
    let service = acting(&site, &caller)?;
    let which = Which::Ids(accept.ids);
    let accepted = service.accept_quarantined(&run, &which, reason).await?;
    Ok(Json(
        json!({"run": run, "accepted": accepted, "reason": reason}),
    ))
}

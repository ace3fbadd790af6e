//! Changing the limits of a backfill while it runs.

use super::{
    acting,
    body::{Body, Run},
};
use crate::{
    act::{pause::not_over, reason},
    failure::{Failure, Problem},
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tunings {
    /// Null gives a limit back to the plan.
    limits: BTreeMap<String, Option<String>>,
    reason: String,
    until: Option<Timestamp>,
}

pub async fn tune(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(tunings): Body<Tunings>,
) -> Result<Json<Value>, Problem> {
    let reason = reason(&tunings.reason)?;
    let changes: Vec<(String, Option<String>)> = tunings.limits.into_iter().collect();
    not_over(tunings.until)?;
    if changes.is_empty() {
        return Err(Failure::Malformed("`limits` is empty".to_owned()).into());
    }
    let service = acting(&site, &caller)?;
    let tuned = service.tune(&run, &changes, reason, tunings.until).await?;
    Ok(Json(json!({"run": run, "tuned": tuned})))
}

//! Changing the limits of a backfill while it runs.

use super::{
    acting,
    body::{Body, Run},
    document::Operation,
};
use crate::{
    act::{pause::not_over, reason},
    failure::{Failure, Problem},
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State};
use crossfade_coordinator::service::TuningRecord;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tunings {
    /// Null gives a limit back to the plan.
    limits: BTreeMap<String, Option<String>>,
    #[schemars(length(min = 1, max = 1_000))]
    reason: String,
    /// Null: until the run ends.
    until: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
pub struct Tuned {
    run: String,
    /// The limits in force.
    tuned: Vec<TuningRecord>,
}

pub fn operations() -> Vec<Operation> {
    let tune = Operation::put(
        "/runs/{run}/tunings",
        tune,
        "Change the limits of a backfill",
    )
    .body::<Tunings>()
    .answers::<Tuned>(200);
    vec![tune]
}

pub async fn tune(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(tunings): Body<Tunings>,
) -> Result<Json<Tuned>, Problem> {
    let reason = reason(&tunings.reason)?;
    let changes: Vec<(String, Option<String>)> = tunings.limits.into_iter().collect();
    not_over(tunings.until)?;
    if changes.is_empty() {
        return Err(Failure::Malformed("`limits` is empty".to_owned()).into());
    }
    let service = acting(&site, &caller)?;
    let tuned = service.tune(&run, &changes, reason, tunings.until).await?;
    Ok(Json(Tuned { run, tuned }))
}

//! Pausing a run, and ending the pause.

use super::{
    acting,
    body::{Body, Run},
    document::Operation,
};
use crate::{
    act::{pause::not_over, reason},
    failure::Problem,
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State};
use crossfade_coordinator::service::Paused;
use crossfade_plan::document::PhaseName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    #[schemars(length(min = 1, max = 1_000))]
    reason: String,
    /// Null: until somebody resumes it.
    until: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
pub struct PausedNow {
    run: String,
    until: Option<Timestamp>,
    /// The pause before; null: the run was not paused.
    replaced: Option<Paused>,
}

#[derive(Serialize, JsonSchema)]
pub struct Resumed {
    run: String,
    /// False: it was not paused.
    resumed: bool,
    /// The phase that goes on with the next order.
    under_way: Option<PhaseName>,
}

pub fn operations() -> Vec<Operation> {
    const PATH: &str = "/runs/{run}/pause";
    let pause = Operation::put(PATH, pause, "Pause a run")
        .body::<Pause>()
        .answers::<PausedNow>(200);
    let resume = Operation::delete(PATH, resume, "End the pause of a run").answers::<Resumed>(200);
    vec![pause, resume]
}

pub async fn pause(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(pause): Body<Pause>,
) -> Result<Json<PausedNow>, Problem> {
    let reason = reason(&pause.reason)?;
    not_over(pause.until)?;
    let replaced = acting(&site, &caller)?
        .pause(&run, reason, pause.until)
        .await?;
    Ok(Json(PausedNow {
        run,
        until: pause.until,
        replaced: replaced.as_ref().map(Paused::from),
    }))
}

pub async fn resume(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
) -> Result<Json<Resumed>, Problem> {
    let (resumed, under_way) = acting(&site, &caller)?.resume(&run).await?;
    Ok(Json(Resumed {
        run,
        resumed,
        under_way,
    }))
}

//! Approving a phase, as the role that the token stands for.

use super::{
    acting,
    body::{Body, Run},
};
use crate::{failure::Problem, site::Shared, visitor::Caller};
use axum::{Json, extract::State};
use crossfade_plan::document::PhaseName;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    phase: PhaseName,
    comment: Option<String>,
}

/// `recorded`: the role had not approved it before. `counts`: it did not start the run.
pub async fn approve(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(approval): Body<Approval>,
) -> Result<Json<Value>, Problem> {
    let service = acting(&site, &caller)?;
    let comment = approval.comment.as_deref();
    let (recorded, counts) = service.approve(&run, approval.phase, comment).await?;
    Ok(Json(
        json!({"run": run, "phase": approval.phase, "recorded": recorded, "counts": counts}),
    ))
}

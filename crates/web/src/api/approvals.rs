//! Approving a phase, as the role that the token stands for.

use super::{
    acting,
    body::{Body, Run},
    document::Operation,
};
use crate::{failure::Problem, site::Shared, visitor::Caller};
use axum::{Json, extract::State};
use crossfade_plan::document::PhaseName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    phase: PhaseName,
    comment: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Approved {
    run: String,
    phase: PhaseName,
    /// The role had not approved it before.
    recorded: bool,
    /// The role did not start the run.
    counts: bool,
}

pub fn operations() -> Vec<Operation> {
    let approve = Operation::post("/runs/{run}/approvals", approve, "Approve a phase")
        .body::<Approval>()
        .answers::<Approved>(200);
    vec![approve]
}

pub async fn approve(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(approval): Body<Approval>,
) -> Result<Json<Approved>, Problem> {
    let service = acting(&site, &caller)?;
    let comment = approval.comment.as_deref();
    let (recorded, counts) = service.approve(&run, approval.phase, comment).await?;
    Ok(Json(Approved {
        run,
        phase: approval.phase,
        recorded,
        counts,
    }))
}

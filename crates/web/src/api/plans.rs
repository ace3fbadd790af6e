//! Checking a plan, and starting one. A plan is sent as its author wrote it.

use super::{acting, body::Body, document::Operation};
use crate::{
    failure::{Failure, Problem},
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State, http::StatusCode};
use crossfade_coordinator::service::{Checked, ServiceError};
use crossfade_model::error::render;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const FILE: &str = "plan";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Plan")]
pub struct Sent {
    /// The YAML of the plan, as its author wrote it.
    plan: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StartedRun")]
pub struct StartedNow {
    run: String,
    /// A run of the same plan existed, and nothing was changed.
    started_before: bool,
    warnings: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CheckedPlan")]
pub struct CheckedNow {
    /// Always true: what does not fit is a problem.
    fits: bool,
    /// The run of the same plan, where there is one.
    run: Option<String>,
    warnings: Vec<String>,
}

pub fn operations() -> Vec<Operation> {
    let start = Operation::post("/runs", start, "Start a plan")
        .body::<Sent>()
        .answers::<StartedNow>(200)
        .answers::<StartedNow>(201);
    let check = Operation::post("/plans/check", check, "Check a plan against the database")
        .body::<Sent>()
        .answers::<CheckedNow>(200);
    vec![start, check]
}

/// What a plan says is evaluated as the role that the server is connected as.
fn require_start(caller: &Caller) -> Result<(), Problem> {
    if caller
        .0
        .holder
        .as_ref()
        .is_some_and(|holder| holder.may_start)
    {
        return Ok(());
    }
    let why = "to check and start plans, a token must be for operating, and its role a member of the one that the server is connected as";
    Err(Failure::Forbidden(why.to_owned()).into())
}

pub async fn start(
    State(site): State<Shared>,
    caller: Caller,
    Body(sent): Body<Sent>,
) -> Result<(StatusCode, Json<StartedNow>), Problem> {
    let service = acting(&site, &caller)?;
    require_start(&caller)?;
    let started = service.start(FILE, &sent.plan, &[]).await?;
    let code = match started.before {
        Some(_) => StatusCode::OK,
        None => StatusCode::CREATED,
    };
    let warnings: Vec<String> = started
        .warnings
        .iter()
        .map(|warning| warning.message.clone())
        .collect();
    let started = StartedNow {
        run: started.run.to_string(),
        started_before: started.before.is_some(),
        warnings,
    };
    Ok((code, Json(started)))
}

pub async fn check(
    State(site): State<Shared>,
    caller: Caller,
    Body(sent): Body<Sent>,
) -> Result<Json<CheckedNow>, Problem> {
    require_start(&caller)?;
    match acting(&site, &caller)?.check(&sent.plan).await? {
        Ok(Checked::Registered(run)) => Ok(Json(CheckedNow {
            fits: true,
            run: Some(run.name),
            warnings: Vec::new(),
        })),
        Ok(Checked::Fits(compiled)) => {
            let warnings: Vec<String> = compiled
                .warnings
                .iter()
                .map(|warning| warning.message.clone())
                .collect();
            Ok(Json(CheckedNow {
                fits: true,
                run: None,
                warnings,
            }))
        }
        Err(errors) => Err(ServiceError::Plan(render(FILE, &sent.plan, &errors)).into()),
    }
}

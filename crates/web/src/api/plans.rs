//! Checking a plan, and starting one. A plan is sent as its author wrote it.

use super::{acting, body::Body};
use crate::{
    failure::{Failure, Problem},
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State, http::StatusCode};
use crossfade_coordinator::service::{Checked, ServiceError};
use crossfade_model::error::render;
use serde::Deserialize;
use serde_json::{Value, json};

const FILE: &str = "plan";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    plan: String,
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
) -> Result<(StatusCode, Json<Value>), Problem> {
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
    let value = json!({"run": started.run, "started_before": started.before.is_some(), "warnings": warnings});
    Ok((code, Json(value)))
}

pub async fn check(
    State(site): State<Shared>,
    caller: Caller,
    Body(sent): Body<Sent>,
) -> Result<Json<Value>, Problem> {
    require_start(&caller)?;
    match acting(&site, &caller)?.check(&sent.plan).await? {
        Ok(Checked::Registered(run)) => {
            Ok(Json(json!({"fits": true, "run": run.name, "warnings": []})))
        }
        Ok(Checked::Fits(compiled)) => {
            let warnings: Vec<String> = compiled
                .warnings
                .iter()
                .map(|warning| warning.message.clone())
                .collect();
            Ok(Json(
                json!({"fits": true, "run": null, "warnings": warnings}),
            ))
        }
        Err(errors) => Err(ServiceError::Plan(render(FILE, &sent.plan, &errors)).into()),
    }
}

//! Runs, and what comes next in one.

use super::body::Run;
use crate::{failure::Problem, site::Shared, visitor::Caller};
use axum::{Json, extract::State};
use crossfade_coordinator::service::{Report, Status, list_in_json};
use serde_json::Value;

/// As `crossfade status --format json`.
pub async fn list(State(site): State<Shared>, _caller: Caller) -> Result<Json<Value>, Problem> {
    Ok(Json(list_in_json(&site.looker.runs().await?)))
}

/// As `crossfade status RUN --samples --format json`.
pub async fn status(
    State(site): State<Shared>,
    _caller: Caller,
    Run(run): Run,
) -> Result<Json<Status>, Problem> {
    Ok(Json(site.looker.status(&run).await?))
}

/// As `crossfade report RUN --format json`.
pub async fn report(
    State(site): State<Shared>,
    _caller: Caller,
    Run(run): Run,
) -> Result<Json<Report>, Problem> {
    Ok(Json(site.service.report(&run).await?))
}

/// As `crossfade advance RUN --dry-run --format json`.
pub async fn next(
    State(site): State<Shared>,
    _caller: Caller,
    Run(run): Run,
) -> Result<Json<Value>, Problem> {
    let preview = site.service.preview(&run).await?;
    let drops = site.service.drops_of(&run, &preview).await?;
    Ok(Json(preview.in_json(&run, &drops)))
}

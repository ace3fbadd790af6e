//! For load balancers and for applications: whether the process lives, whether it can work, and where the migrations are.

use crate::{failure::Problem, site::Shared, visitor::Caller};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use crossfade_coordinator::service::ErrorKind;
use serde_json::{Value, json};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/health/migrations", get(migrations))
}

/// The process answers.
async fn alive() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// The database answers, and has the tables that this program knows.
async fn ready(State(site): State<Shared>) -> (StatusCode, Json<Value>) {
    match site.looker.ready().await {
        Ok(()) => (StatusCode::OK, Json(json!({"status": "ok"}))),
        // Nobody has signed in: what is wrong is in the log of the server.
        Err(error) => {
            let why = match error.kind() {
                ErrorKind::NotReady => "the tables are not those that this server knows",
                _ => "the database does not answer",
            };
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({"status": "unavailable", "why": why})),
            )
        }
    }
}

/// Each run in one line, for an application to show.
async fn migrations(State(site): State<Shared>, _caller: Caller) -> Result<Json<Value>, Problem> {
    let runs = match site.looker.runs().await {
        Ok(runs) => runs,
        Err(error) if error.kind() == ErrorKind::Away => {
            return Ok(Json(json!({"database_connected": false, "runs": null})));
        }
        Err(error) => return Err(error.into()),
    };
    let runs: Vec<Value> = runs
        .iter()
        .map(|run| {
            let line = &run.line;
            let fingerprint = run.status.as_ref().map(|status| &status.plan_fingerprint);
            json!({"run": line.name, "status": line.state, "phase": line.phase, "plan": fingerprint,
                   "started_at": line.started_at, "completed_at": line.finished_at})
        })
        .collect();
    Ok(Json(json!({"database_connected": true, "runs": runs})))
}

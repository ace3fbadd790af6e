//! The API: the documents that `--format json` prints, and the acts of the page, for programs that hold a token.

mod approvals;
mod body;
mod document;
mod events;
mod freeze;
mod health;
mod once;
mod orders;
mod pause;
mod plans;
mod quarantine;
mod runs;
mod tunings;

use crate::{failure::Failure, failure::Problem, metrics, site::Shared, visitor::Caller};
use axum::{
    Router,
    http::{Method, Uri, header},
    middleware,
    response::IntoResponse,
};
use crossfade_coordinator::service::Service;
use document::Operation;
use std::sync::OnceLock;

const PREFIX: &str = "/api/v1";

/// Beneath the prefix.
fn operations() -> Vec<Operation> {
    let itself = Operation::get("/openapi.json", description, "This document")
        .for_everybody()
        .answers::<serde_json::Map<String, serde_json::Value>>(200);
    [
        runs::operations(),
        plans::operations(),
        events::operations(),
        orders::operations(),
        approvals::operations(),
        pause::operations(),
        freeze::operations(),
        tunings::operations(),
        quarantine::operations(),
        vec![itself],
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Beside it: for load balancers, monitors and applications.
fn operations_beside() -> Vec<Operation> {
    let metrics = Operation::get("/metrics", metrics::page, "Metrics")
        .answers_text(200, "application/openmetrics-text");
    health::operations().into_iter().chain([metrics]).collect()
}

pub fn routes(site: &Shared) -> Router<Shared> {
    let resources = document::router(operations())
        .fallback(missing)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(site.clone(), once::once));
    document::router(operations_beside()).nest(PREFIX, resources)
}

/// The OpenAPI document. It is the same for everybody, and tells nothing of the database.
async fn description() -> impl IntoResponse {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let text = DOCUMENT.get_or_init(|| {
        document::document(&[(PREFIX, operations()), ("", operations_beside())]).to_string()
    });
    ([(header::CONTENT_TYPE, "application/json")], text.as_str())
}

async fn missing(uri: Uri) -> Problem {
    Failure::NotFound(format!("there is no resource {}", uri.path())).into()
}

async fn not_allowed(method: Method, uri: Uri) -> Problem {
    let mut problem: Problem =
        Failure::Malformed(format!("{} does not take {method}", uri.path())).into();
    problem.set_status(axum::http::StatusCode::METHOD_NOT_ALLOWED);
    problem
}

/// The service that acts for the caller.
fn acting(site: &Shared, caller: &Caller) -> Result<Service, Problem> {
    Ok(caller.0.service(site)?)
}

//! The API: the documents that `--format json` prints, and the acts of the page, for programs that hold a token.

mod approvals;
mod body;
mod events;
mod freeze;
pub mod health;
mod orders;
mod pause;
mod plans;
mod quarantine;
mod runs;
mod tunings;

use crate::{failure::Failure, failure::Problem, site::Shared, visitor::Caller};
use axum::{
    Router,
    http::{Method, Uri},
    routing::{get, post, put},
};
use crossfade_coordinator::service::Service;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/runs", get(runs::list).post(plans::start))
        .route("/runs/{run}", get(runs::status))
        .route("/runs/{run}/report", get(runs::report))
        .route("/runs/{run}/next", get(runs::next))
        .route("/runs/{run}/events", get(events::page))
        .route("/runs/{run}/events/live", get(events::live))
        .route("/runs/{run}/orders", post(orders::place))
        .route("/runs/{run}/order", axum::routing::delete(orders::cancel))
        .route("/runs/{run}/approvals", post(approvals::approve))
        .route("/runs/{run}/pause", put(pause::pause).delete(pause::resume))
        .route("/runs/{run}/tunings", put(tunings::tune))
        .route("/runs/{run}/quarantine", get(quarantine::list))
        .route("/runs/{run}/quarantine/accepted", post(quarantine::accept))
        .route(
            "/freeze",
            get(freeze::look)
                .put(freeze::freeze)
                .delete(freeze::unfreeze),
        )
        .route("/plans/check", post(plans::check))
        .fallback(missing)
        .method_not_allowed_fallback(not_allowed)
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

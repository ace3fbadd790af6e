//! The pages. Each is one file; they act by forms, and without a script.

mod assets;
mod history;
mod layout;
mod plot;
mod quarantine;
mod report;
pub mod run;
pub mod runs;
mod sign_in;
mod start;
pub mod words;

pub use layout::{away_part, failed, missing, shell};

use crate::{live, site::Shared};
use axum::{
    Router,
    routing::{get, post},
};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(runs::page))
        .route("/live", get(live::runs))
        .route("/history", get(history::all))
        .route("/start", get(start::form).post(start::start))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/runs/{run}", get(run::page))
        .route("/runs/{run}/live", get(live::run))
        .route("/runs/{run}/report", get(report::page))
        .route("/runs/{run}/history", get(history::of_run))
        .route(
            "/runs/{run}/quarantine",
            get(quarantine::page).post(quarantine::accept),
        )
        .route("/assets/{file}", get(assets::asset))
}

//! Runs, and what comes next in one.

use super::{
    body::{Asked, Paging, Run},
    document::Operation,
};
use crate::{failure::Problem, site::Shared, visitor::Caller};
use axum::{Json, extract::State};
use crossfade_coordinator::service::{ListedRun, Report, Status, WhatComesNext};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
pub struct Runs {
    /// The newest first.
    runs: Vec<ListedRun>,
    /// The `skip` of the next page; null: there is none.
    next: Option<u32>,
}

pub fn operations() -> Vec<Operation> {
    let list = Operation::get("/runs", list, "All runs")
        .query::<Paging>()
        .answers::<Runs>(200);
    let status = Operation::get("/runs/{run}", status, "Where a run stands").answers::<Status>(200);
    let report =
        Operation::get("/runs/{run}/report", report, "What a run did").answers::<Report>(200);
    let next = Operation::get("/runs/{run}/next", next, "What comes next in a run")
        .answers::<WhatComesNext>(200);
    vec![list, status, report, next]
}

/// As `crossfade status --format json`, by pages.
pub async fn list(
    State(site): State<Shared>,
    Caller(visitor): Caller,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Runs>, Problem> {
    let paging = paging.checked()?;
    let all = visitor.sight().runs(&site.looker.runs().await?);
    let runs: Vec<ListedRun> = all
        .iter()
        .skip(paging.skip as usize)
        .take(paging.limit as usize)
        .map(ListedRun::of)
        .collect();
    let next = paging.next(runs.len());
    Ok(Json(Runs { runs, next }))
}

/// As `crossfade status RUN --samples --format json`.
pub async fn status(
    State(site): State<Shared>,
    Caller(visitor): Caller,
    Run(run): Run,
) -> Result<Json<Status>, Problem> {
    let status = site.looker.status(&run).await?;
    Ok(Json(visitor.sight().status(status)))
}

/// As `crossfade report RUN --format json`.
pub async fn report(
    State(site): State<Shared>,
    Caller(visitor): Caller,
    Run(run): Run,
) -> Result<Json<Report>, Problem> {
    visitor.known()?;
    Ok(Json(site.service.report(&run).await?))
}

/// As `crossfade advance RUN --dry-run --format json`.
pub async fn next(
    State(site): State<Shared>,
    Caller(visitor): Caller,
    Run(run): Run,
) -> Result<Json<WhatComesNext>, Problem> {
    visitor.known()?;
    let preview = site.service.preview(&run).await?;
    let drops = site.service.drops_of(&run, &preview).await?;
    Ok(Json(preview.told(&run, drops)))
}

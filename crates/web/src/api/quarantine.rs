//! Rows whose value the other side cannot take, and accepting them as they are.

use super::{
    acting,
    body::{Asked, Body, Paging, Run},
    document::Operation,
};
use crate::{
    act::reason,
    failure::{Failure, Problem},
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State};
use crossfade_coordinator::service::quarantine::{ListedEntry, Which};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, JsonSchema)]
pub struct QuarantinedRows {
    run: String,
    /// Rows that keep gates closed, and rows that were accepted, on all pages.
    holding: i64,
    accepted: i64,
    entries: Vec<ListedEntry>,
    /// The `skip` of the next page; null: there is none.
    next: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
pub struct AcceptedRows {
    run: String,
    /// The ids of those that had not been accepted before.
    accepted: Vec<i64>,
    reason: String,
}

pub fn operations() -> Vec<Operation> {
    let list = Operation::get(
        "/runs/{run}/quarantine",
        list,
        "Rows whose value the other side cannot take",
    )
    .query::<Paging>()
    .answers::<QuarantinedRows>(200);
    let accept = Operation::post(
        "/runs/{run}/quarantine/accepted",
        accept,
        "Accept rows as they are",
    )
    .body::<Accept>()
    .answers::<AcceptedRows>(200);
    vec![list, accept]
}

/// As `crossfade quarantine list RUN --format json`, by pages.
pub async fn list(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Asked(paging): Asked<Paging>,
) -> Result<Json<QuarantinedRows>, Problem> {
    let paging = paging.checked()?;
    if !caller.0.may_see_rows() {
        let why = "rows are shown to roles that may read crossfade.quarantine";
        return Err(Failure::Forbidden(why.to_owned()).into());
    }
    let found = site
        .service
        .quarantine(&run, paging.skip, paging.limit)
        .await?;
    let listing = found.listed(&run, found.show_values);
    Ok(Json(QuarantinedRows {
        run,
        holding: listing.holding,
        accepted: listing.accepted,
        next: paging.next(listing.entries.len()),
        entries: listing.entries,
    }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    ids: Vec<i64>,
    #[schemars(length(min = 1, max = 1_000))]
    reason: String,
}

pub async fn accept(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Body(accept): Body<Accept>,
) -> Result<Json<AcceptedRows>, Problem> {
    let reason = reason(&accept.reason)?;
    let service = acting(&site, &caller)?;
    let which = Which::Ids(accept.ids);
    let accepted = service.accept_quarantined(&run, &which, reason).await?;
    Ok(Json(AcceptedRows {
        run,
        accepted,
        reason: reason.to_owned(),
    }))
}

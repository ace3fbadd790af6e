//! The freeze of the database.

use super::{acting, body::Body, document::Operation};
use crate::{
    act::{pause::not_over, reason},
    failure::Problem,
    site::Shared,
    visitor::Caller,
};
use axum::{Json, extract::State};
use crossfade_coordinator::service::Paused;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    #[schemars(length(min = 1, max = 1_000))]
    reason: String,
    /// Null: until somebody ends it.
    until: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
pub struct Frozen {
    /// Of several freezes, the one that ends last; null: none is in force.
    frozen: Option<Paused>,
}

#[derive(Serialize, JsonSchema)]
pub struct Unfrozen {
    ended: Vec<Paused>,
}

pub fn operations() -> Vec<Operation> {
    const PATH: &str = "/freeze";
    let look = Operation::get(PATH, look, "The freeze of the database").answers::<Frozen>(200);
    let freeze = Operation::put(PATH, freeze, "Freeze the database")
        .body::<Freeze>()
        .answers::<Frozen>(200);
    let unfreeze =
        Operation::delete(PATH, unfreeze, "End every freeze in force").answers::<Unfrozen>(200);
    vec![look, freeze, unfreeze]
}

async fn in_force(site: &Shared) -> Result<Json<Frozen>, Problem> {
    let frozen = site.looker.frozen().await?;
    let frozen = frozen.as_ref().map(Paused::from);
    Ok(Json(Frozen { frozen }))
}

pub async fn look(State(site): State<Shared>, _caller: Caller) -> Result<Json<Frozen>, Problem> {
    in_force(&site).await
}

pub async fn freeze(
    State(site): State<Shared>,
    caller: Caller,
    Body(freeze): Body<Freeze>,
) -> Result<Json<Frozen>, Problem> {
    let reason = reason(&freeze.reason)?;
    not_over(freeze.until)?;
    let service = acting(&site, &caller)?;
    service.freeze(reason, freeze.until).await?;
    in_force(&site).await
}

pub async fn unfreeze(
    State(site): State<Shared>,
    caller: Caller,
) -> Result<Json<Unfrozen>, Problem> {
    let ended = acting(&site, &caller)?.unfreeze().await?;
    let ended = ended.iter().map(Paused::from).collect();
    Ok(Json(Unfrozen { ended }))
}

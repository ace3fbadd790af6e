//! Cancelling the open order of a run.

use super::{Ask, checked_form, done};
use crate::{failure::Failure, offer, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Sent {
    form: String,
}

pub async fn form(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
) -> Result<Markup, Failure> {
    let status = visitor.sight().status(site.looker.status(&run).await?);
    let offers = offer::offers(&status, &visitor, &site);
    let off = offers.into_iter().find(|offer| offer.path == "cancel");
    let order = status.order.as_ref().filter(|order| order.is_open());
    let ask = Ask {
        run: &run,
        title: "Cancel the order".to_owned(),
        what: html! {
            @if let Some(order) = order { p { "Order " (order.id) ": " (order.in_words()) } }
            p { "Whoever carries it out stops at the next batch. What was done stays done." }
        },
        undo: html! { p { "Place the order again: it continues where this one stopped." } },
        command: format!("crossfade cancel {run}"),
        fields: html! {},
        button: "Cancel the order",
        is_dangerous: false,
        off: off.and_then(|offer| offer.off),
    };
    Ok(ask.page(&site, &visitor))
}

pub async fn act(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    checked_form(&visitor, &sent.form)?;
    let cancelled = visitor.service(&site)?.cancel(&run).await?;
    let word = if cancelled.is_some() {
        "cancelled"
    } else {
        "none-open"
    };
    Ok(done(&run, word))
}

//! Comparing every row now, and repairing what differs if that is asked for.

use super::{Ask, checked_form, done};
use crate::{failure::Failure, offer, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use crossfade_decisions::keeper::Wish;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Sent {
    form: String,
    repair: Option<String>,
}

pub async fn form(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
) -> Result<Markup, Failure> {
    let status = visitor.sight().status(site.looker.status(&run).await?);
    let offers = offer::offers(&status, &visitor, &site);
    let off = offers.into_iter().find(|offer| offer.path == "verify");
    let ask = Ask {
        run: &run,
        title: "Verify".to_owned(),
        what: html! { p { "Every row of the old and the new side is compared, in paced batches." } },
        undo: html! {
            p { "Comparing changes nothing. Repairing writes the side that reads are not on, from the other one: before " code { "switch_reads" } " the new side, after it the old side. What it overwrites cannot be brought back." }
        },
        command: format!("crossfade verify {run} --detach"),
        fields: html! {
            label.check {
                input type="checkbox" name="repair" value="yes";
                " Repair rows that differ, from the side that reads are on"
            }
        },
        button: "Place the order",
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
    let wish = if sent.repair.is_some() {
        Wish::Repair
    } else {
        Wish::Verify
    };
    visitor.service(&site)?.order(&run, &wish).await?;
    Ok(done(&run, "ordered"))
}

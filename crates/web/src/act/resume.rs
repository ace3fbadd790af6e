//! Ending a pause. What was under way goes on, if it was ordered.

use super::{Ask, checked_form, done};
use crate::{failure::Failure, offer, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use crossfade_coordinator::service::AtGate;
use crossfade_decisions::{keeper::Wish, lifecycle::transition::State as PhaseState};
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
    let off = offers.into_iter().find(|offer| offer.path == "resume");
    let off = match off {
        Some(offer) => offer.off,
        None => Some("the run is not paused".to_owned()),
    };
    let ask = Ask {
        run: &run,
        title: "Resume".to_owned(),
        what: html! {
            @if let Some(paused) = &status.paused {
                p { "It was paused by " (paused.by) ": " (paused.reason) }
            }
            p { "The pause ends. A phase that is under way continues at its checkpoint." }
        },
        undo: html! { p { "Pause it again." } },
        command: format!("crossfade resume {run} --detach"),
        fields: html! {},
        button: "Resume",
        is_dangerous: false,
        off,
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
    let service = visitor.service(&site)?;
    let (resumed, under_way) = service.resume(&run).await?;
    // As `crossfade resume` does: a phase that was begun by hand and is driven by nobody goes on by an order.
    let status = visitor.sight().status(site.looker.status(&run).await?);
    let is_free =
        status.lease.is_none() && !status.order.as_ref().is_some_and(|order| order.is_open());
    let goes_forward = status
        .current_phase()
        .is_some_and(|phase| matches!(phase.state, PhaseState::Running | PhaseState::Failed));
    if let Some(to) = under_way.filter(|_| is_free && goes_forward) {
        let wish = Wish::Advance {
            to,
            at_gate: AtGate::Return,
        };
        service.order(&run, &wish).await?;
    }
    Ok(done(&run, if resumed { "resumed" } else { "not-paused" }))
}

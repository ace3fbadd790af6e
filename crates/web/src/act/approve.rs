//! Approving a phase, as the role that the token stands for.

use super::{Ask, checked_form, done};
use crate::{failure::Failure, offer, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use crossfade_decisions::lifecycle::transition::State as PhaseState;
use crossfade_plan::document::PhaseName;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Sent {
    form: String,
    phase: PhaseName,
    #[serde(default)]
    comment: String,
}

pub async fn form(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
) -> Result<Markup, Failure> {
    let status = visitor.sight().status(site.looker.status(&run).await?);
    let open: Vec<_> = status
        .phases
        .iter()
        .filter(|phase| matches!(phase.state, PhaseState::Pending | PhaseState::Reverted))
        .collect();
    let wants = |phase: &&&crossfade_coordinator::service::PhaseStatus| {
        phase
            .gate
            .iter()
            .any(|condition| condition.kind == "approvals" && !condition.holds)
    };
    let wanted = open.iter().find(wants).or(open.first());
    let wanted = wanted.map(|phase| phase.phase);
    let offers = offer::offers(&status, &visitor, &site);
    let off = offers.into_iter().find(|offer| offer.path == "approve");
    let off = off.and_then(|offer| offer.off);
    let off = off.or_else(|| {
        open.is_empty()
            .then(|| "no phase is left to approve".to_owned())
    });
    let role = visitor
        .holder
        .as_ref()
        .map_or("", |holder| holder.role.as_str());
    let ask = Ask {
        run: &run,
        title: "Approve".to_owned(),
        what: html! {
            p { "Your approval is recorded for the role " strong { (role) } ". It counts once, whether you give it here or by " code { "psql" } ", and not for a run that you started." }
        },
        undo: html! { p { "An approval stays in the history. A rollback that undoes the phase before voids it. Nothing runs by an approval alone." } },
        command: format!(
            "crossfade approve {run} {}",
            wanted.map_or("PHASE", PhaseName::as_str)
        ),
        fields: html! {
            label for="phase" { "Phase" }
            select #phase name="phase" {
                @for phase in &open {
                    option value=(phase.phase) selected[wanted == Some(phase.phase)] { (phase.phase) }
                }
            }
            label for="comment" { "Comment, which is recorded" }
            input #comment name="comment" maxlength="1000";
        },
        button: "Approve",
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
    let comment = sent.comment.trim();
    let comment = (!comment.is_empty()).then_some(comment);
    let service = visitor.service(&site)?;
    let (recorded, counts) = service.approve(&run, sent.phase, comment).await?;
    let word = match (recorded, counts) {
        (false, _) => "approved-before",
        (true, true) => "approved",
        (true, false) => "approved-own",
    };
    Ok(done(&run, word))
}

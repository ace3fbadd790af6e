//! Going back: to the end of a phase, or to the start. What would be lost is named, and has to be given up by name.

use super::{Ask, check_name, checked_form, done, name_field};
use crate::{failure::Failure, offer, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::Response,
};
use crossfade_coordinator::service::{RollbackPreview, ServiceError};
use crossfade_decisions::{
    keeper::Wish,
    lifecycle::{snapshot::RollbackTarget, transition::State as PhaseState},
};
use crossfade_plan::document::PhaseName;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeSet;

const START: &str = "start";

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    to: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Sent {
    form: String,
    to: String,
    /// What may be lost, one a line.
    #[serde(default)]
    discard: String,
    #[serde(default)]
    name: String,
}

fn target(to: &str) -> Result<RollbackTarget, Failure> {
    if to == START {
        return Ok(RollbackTarget::Start);
    }
    let phase: PhaseName = to.parse().map_err(Failure::Malformed)?;
    Ok(RollbackTarget::Phase(phase))
}

pub async fn form(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Failure> {
    let status = visitor.sight().status(site.looker.status(&run).await?);
    let to = asked.to.unwrap_or_else(|| START.to_owned());
    let wanted = target(&to)?;
    // It counts rows, so it is for those who could go on with it.
    let preview = match offer::missing_right(&visitor, &site, offer::Needs::Order) {
        Some(why) => Err(why),
        None => match site.service.preview_rollback(&run, wanted).await {
            Ok(preview) => Ok(preview),
            Err(ServiceError::Refused(why)) => Err(why),
            Err(error) => return Err(error.into()),
        },
    };
    let offers = offer::offers(&status, &visitor, &site);
    let off = offers.into_iter().find(|offer| offer.path == "rollback");
    let off = off
        .and_then(|offer| offer.off)
        .or_else(|| preview.as_ref().err().cloned());
    let begun: Vec<PhaseName> = status
        .phases
        .iter()
        .filter(|phase| phase.state == PhaseState::Completed)
        .map(|phase| phase.phase)
        .collect();
    let command = format!("crossfade rollback {run}{} --detach", wanted.option());
    let in_the_way = preview
        .as_ref()
        .ok()
        .and_then(|preview| preview.in_the_way(&command));
    let ask = Ask {
        run: &run,
        title: "Roll back".to_owned(),
        what: html! {
            form.inline method="get" {
                label for="target" { "Back to" }
                select #target name="to" {
                    option value=(START) selected[to == START] { "the start" }
                    @for phase in begun.iter().rev().skip(1) {
                        option value=(phase) selected[to == phase.as_str()] { "the end of " (phase) }
                    }
                }
                button { "Show" }
            }
            @if let Ok(preview) = &preview { (what(preview, wanted)) }
            @if let Some(order) = status.order.as_ref().filter(|order| order.is_open()) {
                p.notice.warn { "It ends order " (order.id) ": " (order.in_words()) }
            }
            @if let Some(why) = &in_the_way { p.notice.bad { (why) } }
        },
        undo: html! {
            @match wanted {
                RollbackTarget::Start => p { "The run ends. Start its plan again: every phase is run again." },
                RollbackTarget::Phase(_) => p { "Advance again: the phases are run again, and the table is filled again." },
            }
            p { "Values that are lost cannot be brought back." }
        },
        command,
        fields: html! {
            input type="hidden" name="to" value=(to);
            @if let Ok(preview) = &preview { (discards(preview)) }
            (name_field(&run))
        },
        button: "Roll back",
        is_dangerous: true,
        off,
    };
    Ok(ask.page(&site, &visitor))
}

fn what(preview: &RollbackPreview, to: RollbackTarget) -> Markup {
    let phases: Vec<&str> = preview.phases.iter().map(|phase| phase.as_str()).collect();
    html! {
        @match (phases.as_slice(), to) {
            ([], RollbackTarget::Start) => p { "Nothing has been run: the run ends." },
            ([], RollbackTarget::Phase(phase)) => p { "Nothing has been run after " (phase) "." },
            (phases, _) => p { "It undoes " strong { (phases.join(", then ")) } ". The application keeps running." },
        }
        @if let Some(pause) = &preview.pause {
            p.notice.warn { "It ends the pause by " (pause.by) ": " (pause.reason) }
        }
    }
}

fn discards(preview: &RollbackPreview) -> Markup {
    let things: BTreeSet<String> = preview
        .toll
        .lost()
        .map(|lost| lost.of.to_string())
        .collect();
    html! {
        @if !things.is_empty() {
            section.notice.bad {
                h2 { "What the application has written, and would lose" }
                ul { @for lost in preview.toll.lost() { li { (lost.sentence()) } } }
                label for="discard" { "Keep those values elsewhere first, or type what may be lost, one a line: "
                    @for thing in &things { code { (thing) } " " } }
                textarea #discard name="discard" rows=(things.len().min(6)) spellcheck="false" {}
            }
        }
    }
}

pub async fn act(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    checked_form(&visitor, &sent.form)?;
    check_name(&run, &sent.name)?;
    let to = target(&sent.to)?;
    let discards: BTreeSet<String> = sent
        .discard
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let service = visitor.service(&site)?;
    offer::require(&visitor, &site, offer::Needs::Order)?;
    let preview = site.service.preview_rollback(&run, to).await?;
    // As the command line does: refused before it is ordered.
    let command = format!("crossfade rollback {run}{}", to.option());
    if !preview.under_way
        && let Some(why) = preview.refusal(&discards, &command)
    {
        return Err(ServiceError::Refused(why).into());
    }
    service
        .order(&run, &Wish::RollBack { to, discards })
        .await?;
    Ok(done(&run, "ordered"))
}

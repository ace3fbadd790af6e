//! Advancing: an order to run phases, up to one of them.

use super::{Ask, check_name, checked_form, done, name_field};
use crate::{failure::Failure, offer, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::Response,
};
use crossfade_coordinator::service::{AtGate, Preview, Status};
use crossfade_decisions::{keeper::Wish, lifecycle::transition::State as PhaseState};
use crossfade_plan::document::PhaseName;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// The last phase to run.
    pub to: Option<PhaseName>,
}

#[derive(Debug, Deserialize)]
pub struct Sent {
    form: String,
    to: PhaseName,
    waits: Option<String>,
    #[serde(default)]
    name: String,
}

pub async fn form(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Markup, Failure> {
    let status = visitor.sight().status(site.looker.status(&run).await?);
    visitor.known()?;
    let preview = site.service.preview(&run).await?;
    let left: Vec<PhaseName> = status
        .phases
        .iter()
        .filter(|phase| phase.state != PhaseState::Completed)
        .map(|phase| phase.phase)
        .collect();
    let next = left.first().copied();
    let to = asked.to.filter(|to| left.contains(to)).or(next);
    let is_last = to == Some(PhaseName::Contract);
    let drops = match is_last {
        true => site.service.drops_for_good(&run).await?,
        false => Vec::new(),
    };
    let offers = offer::offers(&status, &visitor, &site);
    let off = offers.into_iter().find(|offer| offer.path == "advance");
    let until = to.and_then(|to| left.iter().position(|phase| *phase == to));
    let runs = left.iter().take(until.map_or(0, |last| last + 1));
    let runs: Vec<&str> = runs.map(|phase| phase.as_str()).collect();
    let phase = to.map_or(String::new(), |to| to.to_string());
    let ask = Ask {
        run: &run,
        title: if is_last {
            "Run contract".to_owned()
        } else {
            "Advance".to_owned()
        },
        what: html! {
            (what(&status, &preview, &runs, is_last))
            @if !drops.is_empty() {
                section.notice.bad {
                    h2 { "Dropped for good" }
                    ul { @for drop in &drops { li { (drop) } } }
                }
            }
        },
        undo: html! {
            @if is_last { p { strong { "contract cannot be undone." } " Until it has begun, the run can be rolled back." } }
            @else { p { "Roll back: " code { "crossfade rollback " (run) } ", to the end of any phase or to the start. Both sides are kept in step until then." } }
        },
        command: format!("crossfade advance {run} --to {phase} --detach"),
        fields: fields(&run, &left, to, is_last),
        button: if is_last {
            "Run contract"
        } else {
            "Place the order"
        },
        is_dangerous: is_last,
        off: off.and_then(|offer| offer.off),
    };
    Ok(ask.page(&site, &visitor))
}

fn fields(run: &str, left: &[PhaseName], to: Option<PhaseName>, is_last: bool) -> Markup {
    html! {
        @if is_last {
            input type="hidden" name="to" value="contract";
            (name_field(run))
        } @else {
            label for="to" { "Up to and including" }
            select #to name="to" {
                @for phase in left.iter().filter(|phase| **phase != PhaseName::Contract) {
                    option value=(phase) selected[to == Some(*phase)] { (phase) }
                }
            }
        }
        label.check {
            input type="checkbox" name="waits" value="yes";
            " Wait at closed gates. Otherwise the order stops at one."
        }
        @if !is_last && left.len() > 1 && left.last() == Some(&PhaseName::Contract) {
            p.small { a href="?to=contract" { "Up to contract" } ", which cannot be undone." }
        }
    }
}

fn what(status: &Status, preview: &Preview, left: &[&str], is_last: bool) -> Markup {
    let statements = preview.statements();
    let next = preview
        .phase
        .map_or(String::new(), |phase| phase.to_string());
    html! {
        @if left.len() > 1 { p { "It runs " strong { (left.join(", then ")) } "." } }
        @if is_last { p { "The old side is dropped. Old versions of the application must not run any more." } }
        @if let Some(frozen) = &status.frozen {
            p.notice.warn { "The database is frozen by " (frozen.by) ": " (frozen.reason) ". The order waits for the end of the freeze." }
        }
        @if let Some(paused) = &status.paused {
            p.notice.warn { "The run is paused by " (paused.by) ": " (paused.reason) ". The order waits for the end of the pause." }
        }
        @if !preview.conditions.is_empty() {
            h2 { "Gate of " (next) }
            ul.gate {
                @for condition in &preview.conditions {
                    li class=(if condition.holds { "holds" } else { "closed" }) {
                        span.mark aria-hidden="true" { (if condition.holds { "✓" } else { "✗" }) }
                        span { strong { (condition.kind.replace('_', " ")) } ": " (condition.detail) }
                    }
                }
            }
        }
        @if !statements.is_empty() {
            details {
                summary { "What " (next) " runs (" (statements.len()) ")" }
                pre { @for statement in &statements { (statement) "\n" } }
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
    if sent.to == PhaseName::Contract {
        check_name(&run, &sent.name)?;
    }
    let at_gate = if sent.waits.is_some() {
        AtGate::Wait
    } else {
        AtGate::Return
    };
    let wish = Wish::Advance {
        to: sent.to,
        at_gate,
    };
    visitor.service(&site)?.order(&run, &wish).await?;
    Ok(done(&run, "ordered"))
}

//! One run: where it stands, what it waits for, what it did, and what may be done with it.

use super::{
    history, plot, shell,
    words::{ago, moment, number, prose, state_class, state_word, took},
};
use crate::{
    failure::Failure,
    live::Part,
    offer::{Offer, offers},
    sight::Sight,
    site::{Shared, Site},
    visitor::{Looking, Visitor},
};
use axum::extract::{Path, Query, State};
use crossfade_coordinator::service::{
    Backfill, HistoryEvent, OrderRecord, PhaseStatus, RunRecord, Status, WriteStatus, nobody_serves,
};
use crossfade_decisions::{
    lifecycle::transition::State as PhaseState,
    progress::{self, time_left},
};
use maud::{Markup, html};
use serde::Deserialize;

const EVENTS_SHOWN: u32 = 20;

#[derive(Debug, Default, Deserialize)]
pub struct Told {
    /// What the last action has done.
    #[serde(default)]
    pub did: String,
}

pub async fn page(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
    Query(told): Query<Told>,
) -> Result<Markup, Failure> {
    let sight = visitor.sight();
    let status = sight.status(site.looker.status(&run).await?);
    let record = site.service.registered(&run).await?;
    let part = part_of(&site, &status, sight).await?;
    let did = crate::act::did(&told.did);
    let main = html! {
        @if let Some(did) = did {
            p.notice.good role="status" { (did) }
        }
        h1 { (run) }
        div #live-top { (part.top) }
        div #actions data-mark=(part.mark) { (actions(&status, &visitor, &site)) }
        div #live { (part.html) }
        (plan(&record))
    };
    let live = format!("/runs/{run}/live");
    Ok(shell(&site, &visitor, &run, Some(&live), &main))
}

pub async fn part(site: &Site, run: &str, sight: Sight) -> Result<Part, Failure> {
    let status = sight.status(site.looker.status(run).await?);
    part_of(site, &status, sight).await
}

async fn part_of(site: &Site, status: &Status, sight: Sight) -> Result<Part, Failure> {
    let events = match sight {
        Sight::Whole => {
            let looked = site.looker.events_before(&status.run, None, EVENTS_SHOWN);
            Some(looked.await?)
        }
        Sight::Public => None,
    };
    Ok(Part {
        top: top(status),
        html: shown(status, events.as_deref()),
        mark: mark(status),
    })
}

/// Two moments with the same mark offer the same actions.
fn mark(status: &Status) -> String {
    let phase = status
        .current_phase()
        .map(|phase| (phase.phase, phase.state));
    let order = status.order.as_ref().filter(|order| order.is_open());
    let kinds: String = status.waiting.iter().map(|one| one.kind.as_str()).collect();
    format!(
        "{} {phase:?} {:?} {} {} {kinds}",
        status.state,
        order.map(|order| order.id),
        status.paused.is_some(),
        status.lease.is_some()
    )
}

fn actions(status: &Status, visitor: &Visitor, site: &Site) -> Markup {
    html! {
        section aria-label="Actions" {
            div.actions {
                @for offer in offers(status, visitor, site) { (button(&status.run, &offer)) }
            }
        }
    }
}

fn button(run: &str, offer: &Offer) -> Markup {
    let class = match (offer.is_main, offer.is_dangerous) {
        (_, true) => "button danger",
        (true, _) => "button main",
        _ => "button",
    };
    html! {
        @match &offer.off {
            None => a class=(class) href=(format!("/runs/{run}/{}", offer.path)) { (offer.label) },
            Some(why) => {
                // A disabled button cannot be reached by keyboard: the reason must be.
                span class={ (class) " off" } role="button" aria-disabled="true" tabindex="0" title=(why) {
                    (offer.label) span.hidden { " – not possible: " (why) }
                }
            }
        }
    }
}

/// How it stands, in a word and a row.
fn top(status: &Status) -> Markup {
    let (standing, why) = status.standing();
    let is_active = status.state == "active";
    html! {
        section aria-label="How it stands" {
            div.run-head {
                @if is_active { (super::runs::badge(standing)) }
                @else { span.badge data-standing=(status.state) { (status.state.replace('_', " ")) } }
                @if status.is_stuck() { span.badge.stuck { "stuck" } }
                @if is_active && !why.is_empty() { span.why { (prose(&why)) } }
            }
            (rail(status))
        }
    }
}

fn shown(status: &Status, events: Option<&[HistoryEvent]>) -> Markup {
    html! {
        @if let Some(order) = status.order.as_ref().filter(|order| is_news(order, status)) { (order_part(order, status)) }
        @if let Some(paused) = &status.paused {
            section.notice.warn {
                h2 { "Paused" }
                p { "By " (paused.by) ", " (ago(paused.since)) @if let Some(until) = paused.until { ", until " (moment(until)) } ": " (paused.reason) }
            }
        }
        @if let Some(frozen) = &status.frozen {
            section.notice.warn {
                h2 { "Frozen" }
                p { "The database is frozen by " (frozen.by) ", " (ago(frozen.since)) @if let Some(until) = frozen.until { ", until " (moment(until)) } ": " (frozen.reason) }
            }
        }
        @for wrong in &status.out_of_step {
            p.notice.bad role="alert" { "Out of step: " (wrong) }
        }
        @if let Some(touched) = &status.sync_touched {
            section.notice.bad {
                h2 { "Triggers were changed by hand" }
                p { "Since " (moment(touched.at)) ", and rows were not compared after that: " (touched.what.join("; ")) }
            }
        }
        (waiting(status))
        @if let Some(phase) = status.current_phase() { (gate(phase)) }
        @if let Some(backfill) = &status.backfill { (backfill_part(status, backfill)) }
        (checks(status))
        (phases(status))
        section aria-labelledby="history" {
            h2 #history { "History" }
            @match events {
                Some(events) => (history::table(events.iter().map(|event| (None, event)))),
                None => p { "The history is shown to those who have signed in." },
            }
            p { a href=(format!("/runs/{}/history", status.run)) { "The whole history" } " · " a href=(format!("/runs/{}/report", status.run)) { "Report" } }
        }
    }
}

/// The phases in a row.
pub fn rail(status: &Status) -> Markup {
    let current = status.current_phase().map(|phase| phase.phase);
    html! {
        ol.rail aria-label="Phases" {
            @for phase in &status.phases {
                li class=(state_class(phase.state)) aria-current=[(current == Some(phase.phase) && status.state == "active").then_some("step")] {
                    span.dot aria-hidden="true" {}
                    span { (phase.phase) span.hidden { ": " (state_word(phase.state)) } }
                }
            }
        }
    }
}

fn order_part(order: &OrderRecord, status: &Status) -> Markup {
    let by = status.lease.as_ref().map(|lease| lease.holder.as_str());
    html! {
        section.card {
            h2 { "Order " (order.id) }
            p { (order.in_words()) ", " (ago(order.placed_at)) }
            @if order.is_open() {
                @match (by, nobody_serves(status.server.as_ref())) {
                    (Some(holder), _) if order.taken_by.as_deref() == Some(holder) => p { "Carried out by " (holder) }
                    (_, Some(nobody)) => p.warn { "It waits: " (nobody) }
                    _ if status.paused.is_some() => p { "It waits for the end of the pause." }
                    _ => p { "It waits to be tried again, or for its turn." }
                }
            } @else {
                p { (order.state) @if let Some(at) = order.ended_at { ", " (ago(at)) } @if let Some(outcome) = &order.outcome { ": " (outcome) } }
            }
        }
    }
}

/// An order that is done, or that something was begun after, says nothing that the rest of the page does not.
fn is_news(order: &OrderRecord, status: &Status) -> bool {
    let is_over = |ended| {
        let mut began = status.phases.iter().filter_map(|phase| phase.started_at);
        began.any(|at| at > ended)
    };
    order.is_open() || order.state != "done" && !order.ended_at.is_some_and(is_over)
}

/// But for what the page says elsewhere: the pause, the gate, and that somebody may advance it.
fn waiting(status: &Status) -> Markup {
    let of_gate = |kind: &str| {
        status
            .current_phase()
            .is_some_and(|phase| phase.gate.iter().any(|one| one.kind == kind))
    };
    let told = |kind: &str| ["operator", "paused", "frozen"].contains(&kind) || of_gate(kind);
    let waiting: Vec<_> = status
        .waiting
        .iter()
        .filter(|one| !told(&one.kind))
        .collect();
    html! {
        @if !waiting.is_empty() {
            section.card aria-labelledby="waiting" {
                h2 #waiting { "Waits for" }
                ul {
                    @for one in &waiting {
                        li { strong { (one.kind.replace('_', " ")) } ": " (prose(&one.detail))
                            @if let Some(until) = one.until { " (until " (moment(until)) ")" } }
                    }
                }
            }
        }
    }
}

fn gate(phase: &PhaseStatus) -> Markup {
    html! {
        @if !phase.gate.is_empty() {
            section.card aria-labelledby="gate" {
                h2 #gate { "Gate of " (phase.phase) }
                ul.gate {
                    @for condition in &phase.gate {
                        li class=(if condition.holds { "holds" } else { "closed" }) {
                            span.mark aria-hidden="true" { (if condition.holds { "✓" } else { "✗" }) }
                            span { strong { (condition.kind.replace('_', " ")) } span.hidden { (if condition.holds { " holds" } else { " does not hold" }) } ": " (condition.detail) }
                        }
                    }
                }
            }
        }
    }
}

fn backfill_part(status: &Status, backfill: &Backfill) -> Markup {
    let percent = progress::percent(backfill.blocks_done, backfill.blocks_total);
    let is_running = status.percent().is_some();
    html! {
        section.card aria-labelledby="backfill" {
            h2 #backfill { "Backfill of " (backfill.table) }
            div.progress {
                progress max="100" value=(percent) aria-label="Backfill" {}
                span { (percent) " %" }
            }
            dl {
                dt { "Rows changed" } dd { (number(backfill.rows_changed)) }
                @if is_running && backfill.pace.workers > 0 {
                    dt { "Speed" } dd { (format!("{:.0}", backfill.rows_per_second)) " rows/s" }
                    dt { "Time left" } dd { (time_left(backfill.eta_seconds)) }
                    dt { "Workers" } dd { (backfill.pace.workers) }
                    dt { "Batches" } dd { "about " (backfill.pace.batch_rows) " rows" }
                    dt { "Held back" } dd { @if backfill.pace.reasons.is_empty() { "no" } @else { (backfill.pace.reasons.join("; ")) } }
                }
                @if let Some(growth) = backfill.table_growth {
                    dt { "Size" } dd { (format!("{growth:.2}")) " times that before" @if backfill.vacuums > 0 { ", vacuumed " (backfill.vacuums) " times" } }
                }
                @for tuning in &backfill.pace.tuned {
                    dt { "Limit" } dd { code { (tuning.key) "=" (tuning.value) } " by " (tuning.by)
                        @if let Some(until) = tuning.until { " until " (moment(until)) } ": " (tuning.reason) }
                }
            }
            @if is_running && let Some(samples) = &backfill.samples { (plot::plot(samples)) }
        }
    }
}

fn checks(status: &Status) -> Markup {
    let in_quarantine = status.quarantined + status.accepted;
    let has_writes = status.old_writes.last_seen.is_some() || status.new_writes.last_seen.is_some();
    html! {
        @if status.verification.is_some() || in_quarantine > 0 || has_writes || status.untold_writes > 0 {
            section.card aria-labelledby="checks" {
                h2 #checks { "Both sides" }
                dl {
                    @if let Some(found) = &status.verification {
                        dt { "Verified" }
                        dd class=(if found.rows_different == 0 { "" } else { "bad" }) {
                            (number(found.rows_checked)) " rows, " (number(found.rows_different)) " differ, " (ago(found.finished_at))
                        }
                    }
                    @if in_quarantine > 0 {
                        dt { "Quarantine" }
                        dd { a href=(format!("/runs/{}/quarantine", status.run)) {
                            (number(status.quarantined)) " rows" @if status.accepted > 0 { ", " (number(status.accepted)) " more accepted as they are" } } }
                    }
                    (writes("Old version", &status.old_writes))
                    (writes("New version", &status.new_writes))
                    @if status.untold_writes > 0 {
                        dt { "Unclear inserts" }
                        dd { (number(status.untold_writes)) " that may have meant NULL in a new column" }
                    }
                }
            }
        }
    }
}

fn writes(which: &str, writes: &WriteStatus) -> Markup {
    html! {
        @if let Some(last) = writes.last_seen {
            dt { (which) }
            dd { (number(writes.total)) " writes, the last seen " (ago(last)) }
        }
    }
}

fn phases(status: &Status) -> Markup {
    html! {
        section aria-labelledby="phases" {
            h2 #phases { "Phases" }
            table {
                thead { tr { th { "Phase" } th { "State" } th { "Began" } th { "Took" } } }
                tbody {
                    @for phase in &status.phases {
                        tr {
                            td { (phase.phase) }
                            td { span class={ "state " (state_class(phase.state)) } { (state_word(phase.state)) } }
                            td { @if let Some(at) = phase.started_at { (moment(at)) } }
                            td { @if let (Some(from), Some(to)) = (phase.started_at, phase.finished_at) { (took(from, to)) } }
                        }
                        @for step in phase.steps.iter().filter(|step| step.state == PhaseState::Failed || step.error.is_some()) {
                            tr { td colspan="4" { p.bad { strong { (step.step) } " " (state_word(step.state)) ": " (step.error.as_deref().unwrap_or("no error was recorded")) } } }
                        }
                    }
                }
            }
        }
    }
}

fn plan(record: &RunRecord) -> Markup {
    html! {
        section aria-labelledby="plan" {
            h2 #plan { "Plan" }
            p.small { "Started by " (record.started_by) ", " (moment(record.started_at)) }
            details { summary { "The plan as its author wrote it" } pre { (record.document) } }
        }
    }
}

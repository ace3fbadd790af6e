//! The report of a run: for the meeting afterwards, and for the file.

use super::{shell, words::moment};
use crate::{failure::Failure, site::Shared, visitor::Looking};
use axum::extract::{Path, State};
use crossfade_coordinator::service::{Report, span};
use maud::{Markup, html};

pub async fn page(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
) -> Result<Markup, Failure> {
    visitor.known()?;
    let report = site.service.report(&run).await?;
    let main = html! {
        h1 { "Report of " a href=(format!("/runs/{run}")) { (run) } }
        dl {
            dt { "State" } dd { (report.state.replace('_', " ")) }
            @for (what, value) in report.facts() { dt { (what) } dd { (value) } }
        }
        (durations(&report))
        section aria-labelledby="timeline" {
            h2 #timeline { "Timeline" }
            table.history {
                thead { tr { th { "When" } th { "Who" } th { "What" } } }
                tbody {
                    @for entry in &report.timeline {
                        tr { td { time datetime=(entry.at) { (entry.at) } } td { (entry.by) } td { (entry.what) } }
                    }
                }
            }
        }
        p.small { "As Markdown: " code { "crossfade report " (run) } }
    };
    Ok(shell(
        &site,
        &visitor,
        &format!("Report of {run}"),
        None,
        &main,
    ))
}

/// A bar for each phase: how long it waited, and how long it took.
fn durations(report: &Report) -> Markup {
    let longest = report
        .phases
        .iter()
        .flat_map(|phase| [phase.seconds, phase.waited_seconds])
        .flatten()
        .fold(1.0, f64::max);
    let bar = |seconds: Option<f64>, class: &str| {
        html! {
            @if let Some(seconds) = seconds {
                svg.bar viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
                    rect class=(class) x="0" y="1" height="8" width=(format!("{:.2}", (100.0 * seconds / longest).max(0.3))) {}
                }
                (span(Some(seconds)))
            }
        }
    };
    html! {
        section aria-labelledby="durations" {
            h2 #durations { "Phases" }
            table {
                thead { tr { th { "Phase" } th { "State" } th { "Began" } th { "Waited before" } th { "Took" } } }
                tbody {
                    @for phase in &report.phases {
                        tr {
                            td { (phase.phase) }
                            td { (phase.state) }
                            td { @if let Some(at) = phase.started_at { (moment(at)) } }
                            td { (bar(phase.waited_seconds, "waited")) }
                            td { (bar(phase.seconds, "took")) }
                        }
                    }
                }
            }
        }
    }
}

//! All runs: those that need somebody first, those that have ended below.

use super::{
    shell,
    words::{ago, moment, prose},
};
use crate::{
    act::freeze,
    failure::Failure,
    live::Part,
    sight::Sight,
    site::{Shared, Site},
    visitor::Looking,
};
use axum::extract::{Query, State};
use crossfade_coordinator::service::{RunSummary, Standing, Status, nobody_serves};
use maud::{Markup, html};
use serde::Deserialize;

/// So many that have ended are shown on a page.
const ENDED_MAX: usize = 50;

#[derive(Debug, Default, Deserialize)]
pub struct Search {
    /// What the name of a run that has ended contains.
    #[serde(default)]
    pub q: String,
    /// So many of them were shown before.
    #[serde(default)]
    pub skip: usize,
}

pub async fn page(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Query(search): Query<Search>,
) -> Result<Markup, Failure> {
    let runs = visitor.sight().runs(&site.looker.runs().await?);
    let main = html! {
        h1 { "Runs" }
        div #live-top { (freeze::notice(&runs)) }
        div #live { (active(&runs)) }
        (ended(&runs, &search))
    };
    Ok(shell(&site, &visitor, "Runs", Some("/live"), &main))
}

pub async fn part(site: &Site, sight: Sight) -> Result<Part, Failure> {
    let runs = sight.runs(&site.looker.runs().await?);
    Ok(Part {
        top: freeze::notice(&runs),
        html: active(&runs),
        mark: String::new(),
    })
}

fn active(runs: &[RunSummary]) -> Markup {
    let mut rows: Vec<(Standing, String, &Status)> = runs
        .iter()
        .filter_map(|run| {
            let status = run.status.as_ref()?;
            let (standing, why) = status.standing();
            Some((standing, why, status))
        })
        .collect();
    rows.sort_by_key(|(standing, ..)| *standing);
    let unread: Vec<&RunSummary> = runs
        .iter()
        .filter(|run| run.status.is_none() && run.line.state == "active")
        .collect();
    html! {
        @if rows.is_empty() && unread.is_empty() {
            p.empty { "No run is active. " a href="/start" { "Start a plan" } ", or type " code { "crossfade start PLAN" } "." }
        } @else {
            ul.runs {
                @for (standing, why, status) in &rows {
                    li { (row(*standing, why, status)) }
                }
                @for run in &unread {
                    li { article.run {
                        h2 { a href=(format!("/runs/{}", run.line.name)) { (run.line.name) } }
                        p.why { "Its state cannot be read at this moment: somebody may have its table locked." }
                    } }
                }
            }
        }
    }
}

fn row(standing: Standing, why: &str, status: &Status) -> Markup {
    let order = status.order.as_ref().filter(|order| order.is_open());
    html! {
        article.run data-standing=(standing.as_str()) {
            div.run-head {
                h2 { a href=(format!("/runs/{}", status.run)) { (status.run) } }
                (badge(standing))
                @if status.is_stuck() {
                    span.badge.stuck { "stuck" }
                }
            }
            (super::run::rail(status))
            @if let Some(percent) = status.percent() {
                div.progress {
                    progress max="100" value=(percent) aria-label={ "Backfill of " (status.run) } {}
                    span { (percent) " %" }
                }
            }
            p.why { (prose(why)) }
            @if let Some(order) = order {
                p.small { "Order " (order.id) ": " (order.in_words()) ", " (ago(order.placed_at))
                    @if let Some(nobody) = nobody_serves(status.server.as_ref()) { ". " (nobody) }
                }
            }
        }
    }
}

pub fn badge(standing: Standing) -> Markup {
    html! { span.badge data-standing=(standing.as_str()) { (standing.as_str()) } }
}

/// As a value in an address.
fn encoded(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    text.bytes()
        .map(|byte| match is_plain(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

fn ended(runs: &[RunSummary], search: &Search) -> Markup {
    let wanted = search.q.to_lowercase();
    let ended: Vec<&RunSummary> = runs
        .iter()
        .filter(|run| run.line.state != "active" && run.line.name.to_lowercase().contains(&wanted))
        .collect();
    let shown: Vec<&&RunSummary> = ended.iter().skip(search.skip).take(ENDED_MAX).collect();
    let next = search.skip + shown.len();
    html! {
        section aria-labelledby="ended" {
            h2 #ended { "Ended" }
            form.search method="get" action="/" role="search" {
                label for="q" { "Name" }
                input #q type="search" name="q" value=(search.q);
                button { "Search" }
            }
            @if shown.is_empty() {
                p.empty { "None" @if !search.q.is_empty() { " with " q { (search.q) } " in its name" } "." }
            } @else {
                table {
                    thead { tr { th { "Run" } th { "State" } th { "Ended" } th { "Started" } } }
                    tbody {
                        @for run in &shown {
                            tr {
                                td { a href=(format!("/runs/{}", run.line.name)) { (run.line.name) } }
                                td { (run.line.state.replace('_', " ")) }
                                td { @if let Some(at) = run.line.finished_at { (moment(at)) } }
                                td { (moment(run.line.started_at)) }
                            }
                        }
                    }
                }
            }
            @if next < ended.len() {
                p { a href=(format!("/?skip={next}&q={}", encoded(&search.q))) { "Older runs" } }
            }
        }
    }
}

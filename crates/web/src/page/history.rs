//! The audit log: of one run, or the latest events of all.

use super::shell;
use crate::{failure::Failure, site::Shared, visitor::Looking};
use axum::extract::{Path, Query, State};
use crossfade_coordinator::service::HistoryEvent;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

const EVENTS_MAX: u32 = 200;

#[derive(Debug, Default, Deserialize)]
pub struct Place {
    /// The events before this number.
    pub before: Option<i64>,
}

pub async fn of_run(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
    Query(place): Query<Place>,
) -> Result<Markup, Failure> {
    visitor.known()?;
    let events = site
        .looker
        .events_before(&run, place.before, EVENTS_MAX)
        .await?;
    let oldest = events
        .last()
        .map(|event| event.number)
        .filter(|number| *number > 1);
    let main = html! {
        h1 { "History of " a href=(format!("/runs/{run}")) { (run) } }
        p.small { code { "crossfade history " (run) " --verify" } " says whether it can be believed." }
        (table(events.iter().map(|event| (None, event))))
        @if let Some(oldest) = oldest {
            p { a href=(format!("?before={oldest}")) { "Older events" } }
        }
    };
    Ok(shell(
        &site,
        &visitor,
        &format!("History of {run}"),
        None,
        &main,
    ))
}

pub async fn all(State(site): State<Shared>, Looking(visitor): Looking) -> Result<Markup, Failure> {
    visitor.known()?;
    let events = site.service.history_of_all(EVENTS_MAX).await?;
    let main = html! {
        h1 { "History" }
        p.small { "The latest " (EVENTS_MAX) " events of all runs. " code { "crossfade history --limit N" } " shows more." }
        (table(events.iter().rev().map(|(run, event)| (Some(run.as_str()), event))))
    };
    Ok(shell(&site, &visitor, "History", None, &main))
}

/// The events in the order given; with the run's name where there are several.
pub fn table<'a>(events: impl Iterator<Item = (Option<&'a str>, &'a HistoryEvent)>) -> Markup {
    html! {
        table.history {
            thead { tr { th { "When" } th { "Who" } th { "What" } } }
            tbody {
                @for (run, event) in events {
                    tr {
                        td { time datetime=(event.at) { (short(&event.at)) } }
                        td { (event.role) span.small { " " (event.os_user) } }
                        td {
                            @if let Some(run) = run { a href=(format!("/runs/{run}")) { (run) } " " }
                            strong { (event.kind) } " " (detail(&event.detail))
                        }
                    }
                }
            }
        }
    }
}

/// To the second.
fn short(at: &str) -> String {
    let second = at.get(..19).unwrap_or(at);
    format!("{} UTC", second.replace('T', " "))
}

/// What has a value, as `key value`.
fn detail(detail: &Value) -> Markup {
    let Value::Object(map) = detail else {
        return html! { (text(detail)) };
    };
    let told = map
        .iter()
        .filter(|(_, value)| !(value.is_null() || value.as_array().is_some_and(Vec::is_empty)));
    html! {
        @for (key, value) in told {
            span.detail { span.small { (key.replace('_', " ")) } " " (text(value)) }
            " "
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

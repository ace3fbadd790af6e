//! Pausing a run, with a reason, until somebody resumes it or a time has passed.

use super::{Ask, checked_form, done, reason};
use crate::{failure::Failure, offer, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use crossfade_plan::span::{Span, SpanError};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Sent {
    form: String,
    reason: String,
    /// A span such as `2h`; empty: until somebody resumes it.
    #[serde(default)]
    span: String,
}

pub async fn form(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
) -> Result<Markup, Failure> {
    let status = visitor.sight().status(site.looker.status(&run).await?);
    let offers = offer::offers(&status, &visitor, &site);
    let off = offers.into_iter().find(|offer| offer.path == "pause");
    let ask = Ask {
        run: &run,
        title: "Pause".to_owned(),
        what: html! {
            p { "Whoever drives the run stops at its next batch. Both sides are kept in step as before, and the checkpoint stays." }
        },
        undo: html! { p { "Resume: " code { "crossfade resume " (run) } ". It continues at the checkpoint." } },
        command: format!("crossfade pause {run} --reason TEXT --for 2h"),
        fields: html! {
            label for="reason" { "Reason, which is recorded and shown" }
            input #reason name="reason" required maxlength="1000";
            label for="span" { "For how long, such as 2h. Empty: until somebody resumes it" }
            input #span name="span" placeholder="2h";
        },
        button: "Pause",
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
    let reason = reason(&sent.reason)?;
    let until = end_of(&sent.span)?;
    visitor.service(&site)?.pause(&run, reason, until).await?;
    Ok(done(&run, "paused"))
}

/// Of a program: a time that is over would do nothing.
pub fn not_over(until: Option<Timestamp>) -> Result<Option<Timestamp>, Failure> {
    match until.filter(|until| *until <= Timestamp::now()) {
        Some(over) => Err(Failure::Malformed(format!(
            "`until` is over already: {over}"
        ))),
        None => Ok(until),
    }
}

/// The moment at which something ends that begins now; `None` for an empty text.
pub fn end_of(span: &str) -> Result<Option<Timestamp>, Failure> {
    let span = span.trim();
    if span.is_empty() {
        return Ok(None);
    }
    let span: Span = span
        .parse()
        .map_err(|error: SpanError| Failure::Malformed(error.to_string()))?;
    let wrong = |error: jiff::Error| Failure::Malformed(format!("{span} cannot be used: {error}"));
    if span.duration().is_zero() {
        return Err(Failure::Malformed(
            "give a time that is longer than nothing".to_owned(),
        ));
    }
    let length = SignedDuration::try_from(span.duration()).map_err(wrong)?;
    Ok(Some(Timestamp::now().checked_add(length).map_err(wrong)?))
}

//! Changing the limits of a backfill while it runs.

use super::{Ask, checked_form, done, pause::end_of, reason};
use crate::{failure::Failure, offer, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Sent {
    form: String,
    /// One `KEY=VALUE` a line.
    limits: String,
    reason: String,
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
    let off = offers.into_iter().find(|offer| offer.path == "tune");
    let tuned = status
        .backfill
        .iter()
        .flat_map(|backfill| &backfill.pace.tuned);
    let ask = Ask {
        run: &run,
        title: "Limits".to_owned(),
        what: html! {
            p { "The backfill goes by these limits within a second, instead of those of its plan." }
            @for one in tuned { p { code { (one.key) "=" (one.value) } " by " (one.by) ": " (one.reason) } }
        },
        undo: html! { p { code { "KEY=plan" } " gives a limit back to the plan." } },
        command: format!("crossfade tune {run} workers=2 batch_target=50ms --reason TEXT --for 1h"),
        fields: html! {
            label for="limits" { "Limits, one a line, such as " code { "workers=2" } }
            textarea #limits name="limits" rows="3" spellcheck="false" required {}
            label for="reason" { "Reason, which is recorded and shown" }
            input #reason name="reason" required maxlength="1000";
            label for="span" { "For how long, such as 1h. Empty: until somebody changes it" }
            input #span name="span";
        },
        button: "Change",
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
    let changes = changes(&sent.limits)?;
    let until = end_of(&sent.span)?;
    let service = visitor.service(&site)?;
    service.tune(&run, &changes, reason, until).await?;
    Ok(done(&run, "tuned"))
}

/// A limit without a value is given back to the plan.
pub fn changes(text: &str) -> Result<Vec<(String, Option<String>)>, Failure> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(change).collect()
}

fn change(line: &str) -> Result<(String, Option<String>), Failure> {
    let wrong = || Failure::Malformed(format!("write a limit as KEY=VALUE, and not {line:?}"));
    let (key, value) = line.split_once('=').ok_or_else(wrong)?;
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || value.is_empty() {
        return Err(wrong());
    }
    Ok((key.to_owned(), (value != "plan").then(|| value.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_limit_or_gives_one_back() {
        let read = changes("workers=2\n\n  batch_target = plan \n").unwrap();
        let limit = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(
            read,
            [limit("workers", Some("2")), limit("batch_target", None)]
        );
        assert!(changes("workers").is_err());
        assert!(changes("=2").is_err());
    }
}

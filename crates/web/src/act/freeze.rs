//! Freezing the database, with a reason, and ending that.

use super::{checked_form, pause::end_of, reason};
use crate::{failure::Failure, page::shell, page::words, site::Shared, visitor::Looking};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use crossfade_coordinator::service::RunSummary;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Sent {
    form: String,
    #[serde(default)]
    reason: String,
    /// A span such as `12h`; empty: until somebody ends it.
    #[serde(default)]
    span: String,
}

pub async fn form(
    State(site): State<Shared>,
    Looking(visitor): Looking,
) -> Result<Markup, Failure> {
    let frozen = site.looker.frozen().await?;
    let off = crate::offer::missing_right(&visitor, &site, crate::offer::Needs::Operate);
    let token = html! { input type="hidden" name="form" value=(visitor.form_token()); };
    let main = html! {
        h1 { "Freeze" }
        section aria-label="What will happen" {
            p { "While the database is frozen, no phase begins and backfills rest, in every run. Both sides are kept in step as before. Going back and looking stay possible." }
        }
        @if let Some(frozen) = &frozen {
            p.notice.warn { "The database is frozen" (frozen) }
        }
        @if let Some(off) = &off {
            p.notice.warn { "Not possible: " (off) "." }
        } @else if frozen.is_some() {
            form.ask method="post" action="/unfreeze" {
                (token)
                div.actions { button.main { "End the freeze" } a.button href="/" { "Back" } }
            }
        } @else {
            form.ask method="post" {
                (token)
                label for="reason" { "Reason, which is recorded and shown" }
                input #reason name="reason" required maxlength="1000";
                label for="span" { "For how long, such as 12h. Empty: until somebody ends it" }
                input #span name="span" placeholder="12h";
                div.actions { button.main { "Freeze" } a.button href="/" { "Back" } }
            }
        }
        p.small { "The same on the command line:" }
        pre.command { @if frozen.is_some() { "crossfade unfreeze" } @else { "crossfade freeze --reason TEXT --for 12h" } }
    };
    Ok(shell(&site, &visitor, "Freeze", None, &main))
}

pub async fn freeze(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    checked_form(&visitor, &sent.form)?;
    let reason = reason(&sent.reason)?;
    let until = end_of(&sent.span)?;
    visitor.service(&site)?.freeze(reason, until).await?;
    Ok(Redirect::to("/").into_response())
}

pub async fn unfreeze(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Form(sent): Form<Sent>,
) -> Result<Response, Failure> {
    checked_form(&visitor, &sent.form)?;
    visitor.service(&site)?.unfreeze().await?;
    Ok(Redirect::to("/").into_response())
}

/// Above the runs; nothing where none of them is held by a freeze.
pub fn notice(runs: &[RunSummary]) -> Markup {
    let frozen = runs
        .iter()
        .find_map(|run| run.status.as_ref()?.frozen.as_ref());
    html! {
        @if let Some(frozen) = frozen {
            section.notice.warn {
                h2 { "Frozen" }
                p {
                    "By " (frozen.by) ", " (words::ago(frozen.since))
                    @if let Some(until) = frozen.until { ", until " (words::moment(until)) } ": " (frozen.reason) ". "
                    a href="/freeze" { "End it" }
                }
            }
        }
    }
}

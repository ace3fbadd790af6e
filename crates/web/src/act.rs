//! What people do with a run. Each is one file: a page that says what will happen and how it is undone, and the form that does it.

mod advance;
mod approve;
mod cancel;
pub mod freeze;
pub mod pause;
mod resume;
mod rollback;
mod tune;
mod verify;

use crate::{
    failure::Failure,
    page::shell,
    site::{Shared, Site},
    visitor::Visitor,
};
use axum::{
    Router,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use maud::{Markup, html};

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/runs/{run}/advance", get(advance::form).post(advance::act))
        .route("/runs/{run}/approve", get(approve::form).post(approve::act))
        .route("/runs/{run}/pause", get(pause::form).post(pause::act))
        .route("/freeze", get(freeze::form).post(freeze::freeze))
        .route("/unfreeze", get(freeze::form).post(freeze::unfreeze))
        .route("/runs/{run}/resume", get(resume::form).post(resume::act))
        .route("/runs/{run}/verify", get(verify::form).post(verify::act))
        .route("/runs/{run}/tune", get(tune::form).post(tune::act))
        .route("/runs/{run}/cancel", get(cancel::form).post(cancel::act))
        .route(
            "/runs/{run}/rollback",
            get(rollback::form).post(rollback::act),
        )
}

/// The form was sent by the page, and not by another site in this browser.
pub fn checked_form(visitor: &Visitor, sent: &str) -> Result<(), Failure> {
    if visitor.secret().is_none() {
        return Err(Failure::SignIn);
    }
    if sent == visitor.form_token() {
        return Ok(());
    }
    Err(Failure::Forbidden(
        "this form belongs to another sign-in: reload the page and submit it again".to_owned(),
    ))
}

/// What others will read.
pub fn reason(text: &str) -> Result<&str, Failure> {
    const CHARACTERS_MAX: usize = 1_000;
    let text = text.trim();
    if text.is_empty() {
        let why = "give a reason: whoever finds the run like this reads it";
        return Err(Failure::Malformed(why.to_owned()));
    }
    if text.chars().count() > CHARACTERS_MAX {
        let why = format!("a reason has at most {CHARACTERS_MAX} characters");
        return Err(Failure::Malformed(why));
    }
    Ok(text)
}

/// What a page says after an action. The word stands in its address, so that no text of others does.
pub fn did(word: &str) -> Option<&'static str> {
    Some(match word {
        "started" => {
            "The run is registered. Nothing has changed in your tables yet: advance it when you want to."
        }
        "ordered" => "The order is placed.",
        "approved" => "Your approval is recorded.",
        "approved-own" => {
            "Your approval is recorded. It does not count for a gate, as you started this run."
        }
        "approved-before" => "You have already approved this phase.",
        "paused" => "The run is paused: its driver stops at the next batch.",
        "resumed" => "The pause has ended.",
        "not-paused" => "The run was not paused.",
        "tuned" => "The limits are changed, and in force within a second.",
        "cancelled" => "The order is cancelled: its driver stops at the next batch.",
        "none-open" => "No order was open.",
        _ => return None,
    })
}

/// Back to the run's page, which says what was done.
fn done(run: &str, word: &str) -> Response {
    Redirect::to(&format!("/runs/{run}?did={word}")).into_response()
}

/// A page that asks before something is done.
struct Ask<'a> {
    run: &'a str,
    title: String,
    /// What will happen.
    what: Markup,
    /// How it is undone.
    undo: Markup,
    /// The command that does the same.
    command: String,
    fields: Markup,
    button: &'a str,
    is_dangerous: bool,
    /// Why it cannot be done now.
    off: Option<String>,
}

impl Ask<'_> {
    fn page(&self, site: &Site, visitor: &Visitor) -> Markup {
        let main = html! {
            h1 { (self.title) ": " a href=(format!("/runs/{}", self.run)) { (self.run) } }
            section aria-label="What will happen" { (self.what) }
            @if let Some(off) = &self.off {
                p.notice.warn { "Not possible: " (off) "." }
            } @else {
                form.ask method="post" {
                    input type="hidden" name="form" value=(visitor.form_token());
                    (self.fields)
                    div.actions {
                        button class=(if self.is_dangerous { "danger" } else { "main" }) { (self.button) }
                        a.button href=(format!("/runs/{}", self.run)) { "Back" }
                    }
                }
            }
            section.card {
                h2 { "How to undo it" }
                (self.undo)
            }
            p.small { "The same on the command line:" }
            pre.command { (self.command) }
        };
        shell(
            site,
            visitor,
            &format!("{}: {}", self.title, self.run),
            None,
            &main,
        )
    }
}

/// The field into which the run's name is typed before what cannot be undone.
fn name_field(run: &str) -> Markup {
    html! {
        label for="name" { "Type the run's name, " code { (run) } ", to go on" }
        input #name name="name" autocomplete="off" spellcheck="false" required;
    }
}

fn check_name(run: &str, typed: &str) -> Result<(), Failure> {
    if typed.trim() == run {
        return Ok(());
    }
    Err(Failure::Malformed(
        "that is not the run's name: nothing was done".to_owned(),
    ))
}

//! Starting a plan: first what it would do, then the run.

use super::shell;
use crate::{
    act::checked_form,
    failure::Failure,
    site::{Shared, Site},
    visitor::{Looking, Visitor},
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use crossfade_coordinator::service::{Checked, ErrorKind, ServiceError};
use crossfade_model::error::{PlanError, render};
use crossfade_plan::explain::Explanation;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Start {
    form: String,
    plan: String,
    /// `check` or `start`.
    what: String,
}

const FILE: &str = "plan";

pub async fn form(State(site): State<Shared>, Looking(visitor): Looking) -> Markup {
    shown(&site, &visitor, "", &html! {})
}

fn shown(site: &Site, visitor: &Visitor, plan: &str, found: &Markup) -> Markup {
    let may = visitor
        .holder
        .as_ref()
        .is_some_and(|holder| holder.may_start)
        && !site.settings.read_only;
    let main = html! {
        h1 { "Start a plan" }
        (found)
        @if may {
            form method="post" action="/start" {
                input type="hidden" name="form" value=(visitor.form_token());
                label for="plan" { "The plan" }
                textarea #plan name="plan" rows="16" spellcheck="false" required { (plan) }
                div.actions {
                    button.main name="what" value="check" { "Check" }
                    button name="what" value="start" { "Start" }
                }
            }
            p.small { "Starting registers a run and claims its columns. It changes nothing in your tables: each phase is run when you say so. The same as " code { "crossfade start PLAN" } "." }
        } @else {
            p { "To start a plan, sign in with a token for operating, of a role that is a member of the server's role." }
        }
    };
    shell(site, visitor, "Start a plan", None, &main)
}

pub async fn start(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Form(start): Form<Start>,
) -> Result<Response, Failure> {
    checked_form(&visitor, &start.form)?;
    let service = visitor.service(&site)?;
    // A browser sends a text's lines with two characters at their ends.
    let plan = start.plan.replace("\r\n", "\n");
    let may = visitor
        .holder
        .as_ref()
        .is_some_and(|holder| holder.may_start);
    if !may {
        // To check a plan, the server evaluates what its author wrote.
        return Err(Failure::Forbidden("to start plans, a token must be for operating, and its role a member of the one that the server is connected as".to_owned()));
    }
    let refused = |text: &str| {
        let found = html! { section.notice.bad role="alert" { h2 { "The plan has errors" } pre.message { (text) } } };
        shown(&site, &visitor, &plan, &found)
    };
    if start.what == "start" {
        return match service.start(FILE, &plan, &[]).await {
            Ok(started) => {
                let to = format!("/runs/{}?did=started", started.run);
                Ok(Redirect::to(&to).into_response())
            }
            Err(error) if is_of_plan(&error) => Ok(refused(&error.to_string()).into_response()),
            Err(error) => Err(error.into()),
        };
    }
    let found = match service.check(&plan).await? {
        Err(errors) => return Ok(refused(&render(FILE, &plan, &errors)).into_response()),
        Ok(Checked::Registered(run)) => html! {
            p.notice.good { "This plan was " (run.sentence()) ". " a href=(format!("/runs/{}", run.name)) { "The run" } }
        },
        Ok(Checked::Fits(compiled)) => {
            let explanation = service.explain(FILE, &plan).await?;
            fits(&compiled.warnings, &plan, &explanation)
        }
    };
    Ok(shown(&site, &visitor, &plan, &found).into_response())
}

fn is_of_plan(error: &ServiceError) -> bool {
    matches!(error.kind(), ErrorKind::Plan | ErrorKind::Refused)
}

fn fits(warnings: &[PlanError], plan: &str, explanation: &Explanation) -> Markup {
    html! {
        p.notice.good role="status" { "The plan fits the database. Nothing was started yet." }
        @if !warnings.is_empty() {
            section.notice.warn { h2 { "Warnings" } pre.message { (render(FILE, plan, warnings)) } }
        }
        section aria-labelledby="explained" {
            h2 #explained { "What it would do" }
            @for phase in &explanation.phases {
                details {
                    summary { strong { (phase.phase) } }
                    @for step in &phase.steps {
                        h3 { (step.step) }
                        pre { @for statement in &step.statements { (statement.sql) "\n" } }
                    }
                }
            }
        }
    }
}

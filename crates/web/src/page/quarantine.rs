//! Rows whose value the other side cannot take, and accepting them as they are.

use super::{shell, words::moment};
use crate::{
    act::{checked_form, reason},
    failure::Failure,
    offer,
    site::Shared,
    visitor::Looking,
};
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use crossfade_coordinator::service::quarantine::{Entry, Which};
use maud::{Markup, html};
use serde::Deserialize;

const ENTRIES_MAX: u32 = 200;

pub async fn page(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
) -> Result<Markup, Failure> {
    if !visitor.may_see_rows() {
        return Err(Failure::Forbidden(
            "rows are shown to roles that may read crossfade.quarantine, who have signed in"
                .to_owned(),
        ));
    }
    let found = site.service.quarantine(&run, 0, ENTRIES_MAX).await?;
    let off = offer::missing_right(&visitor, &site, offer::Needs::Operate);
    let main = html! {
        h1 { "Quarantine of " a href=(format!("/runs/{run}")) { (run) } }
        p { (found.holding) " rows keep gates closed, " (found.accepted) " were accepted as they are." }
        table {
            thead { tr { th { "Row" } th { "Column" } th { "Why" } th { "Noted" } th { "Accept" } } }
            tbody { @for entry in &found.entries { (row(&run, entry, found.show_values, off.is_none(), &visitor.form_token())) } }
        }
        @if let Some(off) = &off { p.small { "Accepting is not possible: " (off) "." } }
        p.small { code { "crossfade quarantine retry " (run) } " tries the conversions again, after you corrected what they depend on." }
    };
    Ok(shell(
        &site,
        &visitor,
        &format!("Quarantine of {run}"),
        None,
        &main,
    ))
}

fn row(run: &str, entry: &Entry, with_values: bool, may_accept: bool, form: &str) -> Markup {
    html! {
        tr {
            td { (entry.row_key) @if with_values { " " span.small { (entry.row_values) } } }
            td { (entry.table_name) "." (entry.column_name) }
            td { @if with_values { (entry.error) } @else { "SQLSTATE " (entry.sqlstate) } }
            td { (moment(entry.noted_at)) }
            td {
                @match &entry.accepted {
                    Some(accepted) => { "by " (accepted.by) ": " (accepted.reason) }
                    None if may_accept => {
                        form.inline method="post" action=(format!("/runs/{run}/quarantine")) {
                            input type="hidden" name="form" value=(form);
                            input type="hidden" name="id" value=(entry.id);
                            label.hidden for=(format!("reason-{}", entry.id)) { "Why the row may stay as it is" }
                            input id=(format!("reason-{}", entry.id)) name="reason" placeholder="Why it may stay" required;
                            button { "Accept" }
                        }
                    }
                    None => {}
                }
            }
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct Accept {
    form: String,
    id: i64,
    reason: String,
}

pub async fn accept(
    State(site): State<Shared>,
    Looking(visitor): Looking,
    Path(run): Path<String>,
    Form(accept): Form<Accept>,
) -> Result<Response, Failure> {
    checked_form(&visitor, &accept.form)?;
    let reason = reason(&accept.reason)?;
    let service = visitor.service(&site)?;
    let which = Which::Ids(vec![accept.id]);
    service.accept_quarantined(&run, &which, reason).await?;
    Ok(Redirect::to(&format!("/runs/{run}/quarantine")).into_response())
}

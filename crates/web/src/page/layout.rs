//! What every page has around it, and the pages of errors.

use crate::{failure::Failure, live::Part, site::Site, visitor::Visitor};
use axum::{
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

/// A whole page. `live`: the address of what changes by itself on it.
pub fn shell(
    site: &Site,
    visitor: &Visitor,
    title: &str,
    live: Option<&str>,
    main: &Markup,
) -> Markup {
    bare(
        title,
        live,
        &html! {
            nav aria-label="Crossfade" {
                a.brand href="/" { "Crossfade" }
                @if visitor.holder.is_some() || site.settings.public_read {
                    span.database title="The database" { (site.settings.database) }
                }
                a href="/" { "Runs" }
                a href="/history" { "History" }
                a href="/start" { "Start a plan" }
                a href="/freeze" { "Freeze" }
                span.spacer {}
                @match (&visitor.holder, &visitor.proxy_user) {
                    (Some(holder), Some(user)) => span { (user) " as " (holder.role) },
                    (Some(holder), None) => {
                        form.sign-out method="post" action="/sign-out" {
                            input type="hidden" name="form" value=(visitor.form_token());
                            span { (holder.role) }
                            button { "Sign out" }
                        }
                    }
                    (None, _) => a href="/sign-in" { "Sign in" }
                }
            }
        },
        main,
    )
}

fn bare(title: &str, live: Option<&str>, header: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Crossfade" }
                link rel="stylesheet" href="/assets/style.css";
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                script src="/assets/live.js" defer {}
            }
            body data-live=[live] {
                a.skip href="#main" { "Skip to content" }
                header { (header) }
                main #main { (main) }
                div #connection role="status" aria-live="polite" {}
            }
        }
    }
}

/// An error as a page of its own. It asks nothing of the database.
pub fn failed(failure: &Failure) -> Markup {
    let is_away = failure.is_away();
    bare(
        failure.title(),
        None,
        &html! { nav aria-label="Crossfade" { a.brand href="/" { "Crossfade" } } },
        &html! {
            h1 { (failure.title()) }
            pre.message { (failure.detail()) }
            @if is_away {
                p { "Nothing is lost: orders stay where they are, and the server continues when the database answers again." }
                p { a href="" { "Try again" } }
            } @else {
                p { a href="/" { "All runs" } }
            }
        },
    )
}

/// What stands in a live page while the database is away.
pub fn away_part(failure: &Failure) -> Part {
    let html = html! {
        section.notice.bad role="alert" {
            h2 { (failure.title()) }
            pre.message { (failure.detail()) }
            @if failure.is_away() {
                p { "This page comes back by itself. Orders stay where they are." }
            }
        }
    };
    Part {
        top: html,
        html: html! {},
        mark: "away".to_owned(),
    }
}

pub async fn missing(uri: Uri) -> Response {
    let failure = Failure::NotFound(format!("there is no page {}", uri.path()));
    if uri.path().starts_with("/api/") {
        return crate::failure::Problem::from(failure).into_response();
    }
    (StatusCode::NOT_FOUND, failed(&failure)).into_response()
}

//! Signing in with a token, and out.

use super::layout::shell;
use crate::{
    failure::Failure,
    site::Shared,
    visitor::{Visitor, cookie},
};
use axum::{
    Form,
    extract::{ConnectInfo, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use crossfade_coordinator::service::Secret;
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct SignIn {
    token: String,
}

#[derive(Deserialize)]
pub struct SignOut {
    form: String,
}

pub async fn form(State(site): State<Shared>, visitor: Visitor) -> Markup {
    shown(&site, &visitor, None)
}

fn shown(site: &Shared, visitor: &Visitor, wrong: Option<&str>) -> Markup {
    let main = html! {
        h1 { "Sign in" }
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        form.narrow method="post" action="/sign-in" {
            label for="token" { "Token" }
            input #token type="password" name="token" required autocomplete="current-password" autofocus;
            button.main { "Sign in" }
        }
        p.small {
            "A token stands for your database role. Make one with " code { "crossfade token create --can view,operate" }
            ", connected as that role."
        }
    };
    shell(site, visitor, "Sign in", None, &main)
}

pub async fn sign_in(
    State(site): State<Shared>,
    ConnectInfo(from): ConnectInfo<crate::door::Visitor>,
    visitor: Visitor,
    Form(sign_in): Form<SignIn>,
) -> Result<Response, Failure> {
    let address = from.0.ip();
    let secret = match Secret::of(sign_in.token.trim()) {
        Some(token) => site.service.sign_in(&token).await?,
        None => None,
    };
    let Some(secret) = secret else {
        // A right token always enters: nobody can lock others out.
        if !site.attempts.may_try(address) {
            return Err(Failure::TooMany);
        }
        site.attempts.failed(address);
        tracing::warn!(%address, "somebody failed to sign in");
        let wrong = "this token is not valid: it is mistyped, was revoked, or has expired";
        let page = shown(&site, &visitor, Some(wrong));
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    let mut response = Redirect::to("/").into_response();
    if let Some(cookie) = cookie(&site, Some(&secret)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

pub async fn sign_out(
    State(site): State<Shared>,
    visitor: Visitor,
    Form(form): Form<SignOut>,
) -> Result<Response, Failure> {
    if let Some(secret) = visitor
        .secret()
        .filter(|_| form.form == visitor.form_token())
    {
        site.service.sign_out(secret).await?;
    }
    let mut response = Redirect::to("/sign-in").into_response();
    if let Some(cookie) = cookie(&site, None) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

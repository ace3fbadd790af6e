//! `token create|list|revoke`: what people sign in with on the page, and programs on the API.

use super::{Context, pause};
use crate::cli::{
    args::{Token, TokenCreate},
    exit::Exit,
    printer::Text,
};
use crossfade_coordinator::service::{Can, TokenRecord};
use serde_json::json;
use std::collections::BTreeSet;

pub async fn run(context: &Context<'_>, token: &Token) -> anyhow::Result<Exit> {
    match token {
        Token::Create(words) => create(context, words).await,
        Token::List(words) => list(context, words.all).await,
        Token::Revoke(words) => revoke(context, words.id).await,
    }
}

async fn create(context: &Context<'_>, words: &TokenCreate) -> anyhow::Result<Exit> {
    let can: BTreeSet<Can> = words.can.iter().map(|can| Can::from(*can)).collect();
    let can: Vec<Can> = can.into_iter().collect();
    let expires_at = pause::until(words.expires, None)?;
    let created = context
        .service()?
        .create_token(words.role.as_deref(), &can, expires_at)
        .await?;
    let secret = created.secret.reveal();
    let value = json!({"id": created.id, "token": secret, "can": can, "expires_at": expires_at});
    context.printer.message(format!(
        "token {}: keep it like a password. It is not shown again; `crossfade token revoke {}` ends it",
        created.id, created.id
    ));
    context.printer.result(&value, || Text::of(secret))?;
    Ok(Exit::Done)
}

async fn list(context: &Context<'_>, all: bool) -> anyhow::Result<Exit> {
    let mut tokens = context.service()?.tokens().await?;
    tokens.retain(|token| all || token.is_valid);
    context.printer.result(&json!({"tokens": tokens}), || {
        if tokens.is_empty() {
            return Text::of("there is no valid token; `crossfade token create` makes one");
        }
        let mut text = Text::new();
        for token in &tokens {
            text.line(in_words(token));
        }
        text
    })?;
    Ok(Exit::Done)
}

fn in_words(token: &TokenRecord) -> String {
    let end = match (&token.revoked_by, token.revoked_at, token.expires_at) {
        (Some(by), Some(at), _) => format!("; revoked by {by} at {at:.0}"),
        (_, _, Some(at)) if token.is_valid => format!("; until {at:.0}"),
        (_, _, Some(at)) => format!("; expired at {at:.0}"),
        _ if token.is_valid => String::new(),
        _ => "; its role is gone".to_owned(),
    };
    format!(
        "{:>4}  {}: {}; made by {} at {:.0}{end}",
        token.id,
        token.role,
        token.can.join(", "),
        token.created_by,
        token.created_at
    )
}

async fn revoke(context: &Context<'_>, id: i64) -> anyhow::Result<Exit> {
    let revoked = context.service()?.revoke_token(id).await?;
    context
        .printer
        .result(&json!({"id": id, "revoked": revoked}), || {
            if revoked {
                format!("revoked token {id}, and signed out who had signed in with it")
            } else {
                format!("token {id} had been revoked already")
            }
        })?;
    Ok(Exit::Done)
}

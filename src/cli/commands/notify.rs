//! `notify test|list`: whether receivers take messages, and how the messages of a database stand.

use super::Context;
use crate::{
    cli::{
        args::{Notify, NotifyTest},
        exit::{Exit, UsageError},
        printer::Text,
    },
    configuration::Configuration,
};
use crossfade_coordinator::service::{Message, Receiver, ReceiverRecord, SEND_WITHIN};
use crossfade_decisions::messages::Topic;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

pub async fn run(context: &Context<'_>, notify: &Notify) -> anyhow::Result<Exit> {
    match notify {
        Notify::Test(words) => test(context, words).await,
        Notify::List => list(context).await,
    }
}

async fn test(context: &Context<'_>, words: &NotifyTest) -> anyhow::Result<Exit> {
    let configuration = Configuration::load(words.configuration.file.as_deref())?;
    let receivers = chosen(configuration.receivers()?, &words.receivers)?;
    let mut results = Vec::new();
    for receiver in receivers {
        let message = message(configuration.page());
        let sent = tokio::time::timeout(SEND_WITHIN, receiver.send(&message)).await;
        let why = match sent {
            Ok(Ok(())) => None,
            Ok(Err(not)) => Some(not.why),
            Err(_elapsed) => Some(format!("no answer within {} s", SEND_WITHIN.as_secs())),
        };
        results.push((receiver.name().to_owned(), why));
    }
    let value: Vec<_> = results
        .iter()
        .map(|(receiver, why)| json!({"receiver": receiver, "delivered": why.is_none(), "error": why}))
        .collect();
    context.printer.result(&json!({"receivers": value}), || {
        let mut text = Text::new();
        for (receiver, why) in &results {
            text.line(match why {
                None => format!("{receiver}: delivered"),
                Some(why) => format!("{receiver}: not delivered: {why}"),
            });
        }
        text
    })?;
    match results.iter().all(|(_, why)| why.is_none()) {
        true => Ok(Exit::Done),
        false => Ok(Exit::Error),
    }
}

fn chosen(
    receivers: Vec<Arc<dyn Receiver>>,
    names: &[String],
) -> Result<Vec<Arc<dyn Receiver>>, UsageError> {
    if receivers.is_empty() {
        let why = "the configuration has no receivers: write them below `notify:` in crossfade.yaml, or name the file with --config";
        return Err(UsageError(why.to_owned()));
    }
    let is_there = |name: &&String| receivers.iter().any(|one| one.name() == **name);
    if let Some(name) = names.iter().find(|name| !is_there(name)) {
        let known: Vec<&str> = receivers.iter().map(|one| one.name()).collect();
        let why = format!(
            "the configuration has no receiver {name}. It has: {}",
            known.join(", ")
        );
        return Err(UsageError(why));
    }
    let is_chosen = |receiver: &Arc<dyn Receiver>| {
        names.is_empty() || names.iter().any(|name| name == receiver.name())
    };
    Ok(receivers.into_iter().filter(is_chosen).collect())
}

fn message(page: Option<&str>) -> Message {
    let now = Timestamp::now();
    Message {
        id: format!("msg_test_{}", now.as_microsecond()),
        topic: Topic::Test,
        at: now.to_string(),
        database: "no database".to_owned(),
        run: "no-run".to_owned(),
        event: 0,
        by: "crossfade notify test".to_owned(),
        summary: "a test message of Crossfade: nothing has happened".to_owned(),
        link: page.map(str::to_owned),
        detail: Value::Null,
        report: None,
    }
}

async fn list(context: &Context<'_>) -> anyhow::Result<Exit> {
    let receivers = context.service()?.receivers().await?;
    context
        .printer
        .result(&json!({"receivers": receivers}), || {
            if receivers.is_empty() {
                return Text::of("no server of this database had a receiver");
            }
            let mut text = Text::new();
            for receiver in &receivers {
                text.line(in_words(receiver));
            }
            text
        })?;
    Ok(Exit::Done)
}

fn in_words(record: &ReceiverRecord) -> String {
    let ReceiverRecord {
        receiver,
        waiting,
        delivered,
        given_up,
        error,
        last_delivered_at,
    } = record;
    let last = last_delivered_at.map_or(String::new(), |at| format!(", the last at {at:.0}"));
    let error = error
        .as_deref()
        .map_or(String::new(), |error| format!(": {error}"));
    format!(
        "{receiver}: {delivered} delivered{last}; {waiting} waiting, {given_up} given up{error}"
    )
}

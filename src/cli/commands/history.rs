//! `history`: the audit log of a run.

use super::Context;
use crate::cli::{args, exit::Exit, printer::Text};
use crossfade_coordinator::service::{History, HistoryCheck, HistoryEvent, Service};
use serde_json::json;

pub async fn run(context: &Context<'_>, asked: &args::History) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let Some(run) = &asked.run else {
        return all(context, &service, asked.limit).await;
    };
    let history = service.history(run, asked.earlier, asked.verify).await?;
    let check = history.check.as_ref();
    let head = check.map(|check| {
        json!({"count": check.head.count, "hash": check.head.hash, "not_kept_before": check.head.not_kept_before})
    });
    let value = json!({
        "run": run, "events": history.events, "chain_intact": check.map(HistoryCheck::is_intact),
        "first_broken": check.and_then(|check| check.first_broken), "findings": check.map(|check| &check.findings),
        "head": head, "earlier_runs": history.earlier,
    });
    context
        .printer
        .result(&value, || in_words(&history, asked))?;
    Ok(if check.is_some_and(|check| !check.is_intact()) {
        Exit::Error
    } else {
        Exit::Done
    })
}

async fn all(context: &Context<'_>, service: &Service, limit: u32) -> anyhow::Result<Exit> {
    let events = service.history_of_all(limit).await?;
    let value: Vec<_> = events
        .iter()
        .map(|(run, event)| {
            let mut value = json!(event);
            value["run"] = json!(run);
            value
        })
        .collect();
    let width = events.iter().map(|(run, _)| run.len()).max().unwrap_or(0);
    context.printer.result(&json!({"events": value}), || {
        if events.is_empty() {
            return Text::of("nothing has been recorded yet");
        }
        let mut text = Text::new();
        for (run, event) in &events {
            text.line(format_args!("{run:<width$} {}", event_in_words(event)));
        }
        if u32::try_from(events.len()).is_ok_and(|shown| shown == limit) {
            text.line(format_args!(
                "these are the latest {limit}; `--limit` shows more"
            ));
        }
        text
    })?;
    Ok(Exit::Done)
}

fn in_words(history: &History, asked: &args::History) -> Text {
    let mut text = Text::new();
    for event in &history.events {
        text.line(event_in_words(event));
    }
    if let Some(check) = &history.check {
        check_in_words(check, history.events.len(), &mut text);
    }
    if history.earlier > 0 {
        text.line(format_args!(
            "{} earlier runs had this name: `--earlier {}` shows the one before",
            history.earlier,
            asked.earlier + 1
        ));
    }
    text
}

/// The role is the server's word; the operating-system user beside it is what the program said.
fn event_in_words(event: &HistoryEvent) -> String {
    let detail = match &event.detail {
        serde_json::Value::Object(map) if map.is_empty() => String::new(),
        detail => format!("  {detail}"),
    };
    format!(
        "{:>4}  {}  {} ({})  {}{detail}",
        event.number,
        event.at,
        role(&event.role),
        event.os_user,
        event.kind
    )
}

/// A role may be called `alice (root@db)`: in quotes it is told from one that is called `alice`.
fn role(name: &str) -> String {
    let is_plain =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '@' | '$');
    if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

fn check_in_words(check: &HistoryCheck, events: usize, text: &mut Text) {
    if let Some(number) = check.first_broken {
        text.line(format_args!(
            "the chain is broken at event {number}: it was changed, or an event before it was removed"
        ));
    }
    for finding in &check.findings {
        text.line(format_args!("not as recorded: {finding}"));
    }
    let head = &check.head;
    if check.is_intact() {
        text.line(format_args!(
            "the chain of {events} events is intact and agrees with the state of the run. Its head is {}",
            head.hash
        ));
    }
    if head.not_kept_before > 0 {
        text.line(format_args!(
            "count and head exist only since an upgrade, when there were {} events. Whether an event was removed before that is unknown",
            head.not_kept_before
        ));
    }
}

//! `pause`: takes effect at the next batch of whoever drives the run, and survives every restart.

use super::Context;
use crate::cli::{args::Pause, exit::Exit, exit::UsageError, moment, printer::Text};
use crossfade_coordinator::service::PausedRun;
use crossfade_plan::span::Span;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub async fn run(context: &Context<'_>, pause: &Pause) -> anyhow::Result<Exit> {
    let until = until(pause.for_span, pause.until)?;
    if pause.reason.trim().is_empty() {
        return Err(UsageError(
            "--reason is what those will read who find the run paused: say why".to_owned(),
        )
        .into());
    }
    let service = context.service()?;
    let shown = until.map_or(String::new(), |until| {
        format!(" until {}", moment::in_words(until))
    });
    let Some(run) = &pause.run else {
        let runs = service.pause_all(&pause.reason, until).await?;
        let done = format!("paused{shown}");
        return each(
            context,
            &runs,
            "paused",
            &done,
            "`crossfade resume --all --detach` continues",
        );
    };
    let replaced = service.pause(run, &pause.reason, until).await?;
    let status = service.status(run).await?;
    context.printer.result(&status, || {
        let replaces = replaced.as_ref().map_or(String::new(), |before| {
            let ended = before.until.map_or("without an end".to_owned(), |until| {
                format!("until {until:.0}")
            });
            format!(
                ". This replaces the pause by {} {ended}: {}",
                before.by, before.reason
            )
        });
        format!("paused {run}{shown}; `crossfade resume {run}` continues{replaces}")
    })?;
    Ok(Exit::Done)
}

/// The moment that `--for` or `--until` means; `None`: until somebody says otherwise.
pub(super) fn until(
    for_span: Option<Span>,
    until: Option<Timestamp>,
) -> anyhow::Result<Option<Timestamp>> {
    let until = match for_span {
        Some(span) => {
            let span = SignedDuration::try_from(span.duration())?;
            Some(Timestamp::now().checked_add(span)?)
        }
        None => until,
    };
    if let Some(over) = until.filter(|until| *until <= Timestamp::now()) {
        let over = moment::in_words(over);
        return Err(UsageError(format!("{over} is over already: give a later time")).into());
    }
    Ok(until)
}

/// One line for each run that `--all` found.
pub(super) fn each(
    context: &Context<'_>,
    runs: &[PausedRun],
    key: &str,
    done: &str,
    next: &str,
) -> anyhow::Result<Exit> {
    let value: Vec<Value> = runs
        .iter()
        .map(|one| json!({"run": one.run, key: one.left.is_none(), "left": one.left}))
        .collect();
    context.printer.result(&json!({ "runs": value }), || {
        if runs.is_empty() {
            return Text::of("there is no active run");
        }
        let mut text = Text::new();
        for one in runs {
            let left = one.left.as_deref().unwrap_or(done);
            text.line(format_args!("{}: {left}", one.run));
        }
        text.line(next);
        text
    })?;
    Ok(Exit::Done)
}

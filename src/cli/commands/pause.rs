//! `pause`: takes effect at the next batch of whoever drives the run, and survives every restart.

use super::Context;
use crate::cli::{args::Pause, exit::Exit, exit::UsageError};
use crate::plan::span::Span;
use jiff::{SignedDuration, Timestamp};

pub async fn run(context: &Context<'_>, pause: &Pause) -> anyhow::Result<Exit> {
    let until = until(pause.for_span, pause.until)?;
    if pause.reason.trim().is_empty() {
        return Err(UsageError(
            "--reason is what those will read who find the run paused: say why".to_owned(),
        )
        .into());
    }
    let service = context.service()?;
    service.pause(&pause.run, &pause.reason, until).await?;
    let status = service.status(&pause.run).await?;
    context.printer.result(&status, || {
        let until = until.map_or(String::new(), |until| format!(" until {until:.0}"));
        format!(
            "paused {}{until}; `crossfade resume {}` goes on",
            pause.run, pause.run
        )
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
    if until.is_some_and(|until| until <= Timestamp::now()) {
        return Err(UsageError("that moment is over already".to_owned()).into());
    }
    Ok(until)
}

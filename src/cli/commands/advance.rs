//! `advance`: runs the next phase, or goes on with the one under way.

use super::{Context, order};
use crate::cli::{
    args::Advance,
    exit::{self, Exit},
    printer::{Text, one_line},
    reporter,
};
use crossfade_coordinator::service::{AtGate, Outcome, Service, ServiceError, Until};
use crossfade_decisions::keeper::Wish;
use crossfade_decisions::lifecycle::next::Next;
use crossfade_plan::document::PhaseName;
use std::time::Duration;

pub async fn run(context: &Context<'_>, advance: &Advance) -> anyhow::Result<Exit> {
    let service = context.service()?;
    if advance.dry_run {
        return dry_run(context, &service, &advance.run).await;
    }
    let until = advance.to.map_or(Until::OnePhase, Until::Phase);
    // Settled before anybody is asked: what is ordered is what was asked about.
    let to = match advance.to {
        Some(phase) => Some(phase),
        None => service.current_phase(&advance.run).await?,
    };
    if to == Some(PhaseName::Contract) {
        let lost = service.drops_for_good(&advance.run).await?;
        let lost = match lost.is_empty() {
            true => String::new(),
            false => format!(" It takes away: {}.", lost.join("; ")),
        };
        let what = format!(
            "`contract` of {} drops what is old. It cannot be undone.{lost}",
            advance.run
        );
        if advance.yes && !lost.is_empty() {
            context.printer.message(&what);
        }
        context.confirm(&advance.run, &what, advance.yes)?;
    }
    let at_gate = if advance.wait {
        AtGate::Wait
    } else {
        AtGate::Return
    };
    if advance.detach {
        let Some(to) = to else {
            let why = format!("the run {} has no phase left to run", advance.run);
            return Err(ServiceError::Refused(why).into());
        };
        let wish = Wish::Advance { to, at_gate };
        let placed = service.order(&advance.run, &wish).await?;
        return order::placed(context, &service, &advance.run, &placed).await;
    }
    go(context, &service, &advance.run, until, at_gate).await
}

/// Also what `resume` goes on with.
pub async fn go(
    context: &Context<'_>,
    service: &Service,
    run: &str,
    until: Until,
    at_gate: AtGate,
) -> anyhow::Result<Exit> {
    let stop = context.stop()?;
    let outcome = service
        .advance(run, until, at_gate, context.reporter(run), stop)
        .await;
    if context.printer.is_json() {
        // The one document is the run's status, whatever the outcome; an error is told on stderr and by the exit code. The
        // result is that of the work, whether or not its status can be read afterwards.
        let status = looked(async { Ok(service.status(run).await?) }).await;
        match (outcome, status) {
            (Ok(outcome), Ok(status)) => {
                context.printer.result(&status, String::new)?;
                return Ok(exit::of_outcome(&outcome));
            }
            (Err(error), Ok(status)) => {
                let error = anyhow::Error::from(error);
                context.printer.message(format!("error: {error}"));
                context.printer.result(&status, String::new)?;
                return Ok(exit::of_error(&error));
            }
            (Err(error), Err(_)) => return Err(error.into()),
            (Ok(outcome), Err(error)) => {
                let said = format!("the work is done, and its status could not be read: {error}");
                context.printer.message(said);
                return Ok(exit::of_outcome(&outcome));
            }
        }
    }
    let outcome = outcome?;
    match &outcome {
        Outcome::Done => {
            let next = looked(what_next(service, run)).await;
            context.printer.message(next.unwrap_or_else(|error| {
                format!(
                    "done, but the next step could not be read ({error}). `crossfade status {run}` shows it"
                )
            }));
        }
        Outcome::Waiting(wait) => context
            .printer
            .message(one_line(&reporter::reason(wait))),
        Outcome::Interrupted => context.printer.message(format!(
            "interrupted: the last batch was finished or rolled back. `crossfade advance {run}` continues from there"
        )),
    }
    Ok(exit::of_outcome(&outcome))
}

/// A look afterwards is worth so much time.
const LOOK_WITHIN: Duration = Duration::from_secs(60);

async fn looked<T>(look: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match tokio::time::timeout(LOOK_WITHIN, look).await {
        Ok(result) => result,
        Err(_elapsed) => Err(anyhow::anyhow!("no answer within {LOOK_WITHIN:?}")),
    }
}

/// What the operator can do now, and how to go back.
pub async fn what_next(service: &Service, run: &str) -> anyhow::Result<String> {
    let preview = service.preview(run).await?;
    Ok(match (&preview.next, preview.phase) {
        (Next::Finished(state), _) => format!("the run is {}", state.as_str()),
        (Next::Wait(wait), _) => format!("next: {}", one_line(&reporter::reason(wait))),
        (_, Some(PhaseName::Contract)) => format!(
            "next: crossfade advance {run}   (runs contract, which cannot be undone; `crossfade rollback {run}` goes back)"
        ),
        (_, Some(phase)) => format!(
            "next: crossfade advance {run}   (runs {phase}; `crossfade rollback {run}` goes back)"
        ),
        (_, None) => String::new(),
    })
}

async fn dry_run(context: &Context<'_>, service: &Service, run: &str) -> anyhow::Result<Exit> {
    let preview = service.preview(run).await?;
    let held = preview.held();
    let statements = preview.statements();
    let drops = service.drops_of(run, &preview).await?;
    let value = preview.told(run, drops);
    context.printer.result(&value, || {
        let mut text = match preview.phase {
            Some(phase) => Text::of(format_args!("next: {phase}")),
            None => Text::of("nothing is left to do"),
        };
        if let Some(why) = &held {
            text.line(format_args!("  would not continue: {why}"));
        }
        for condition in &preview.conditions {
            let mark = if condition.holds { "open  " } else { "closed" };
            text.line(format_args!(
                "  gate {mark} {}: {}",
                condition.kind, condition.detail
            ));
        }
        for statement in &statements {
            // Its further lines cannot be taken for ours.
            for (number, line) in statement.lines().enumerate() {
                let margin = if number == 0 { "  " } else { "  | " };
                let _ = writeln!(text, "{margin}{line}");
            }
        }
        text
    })?;
    Ok(match preview.next {
        Next::Wait(wait) => exit::of_outcome(&Outcome::Waiting(wait)),
        _ => Exit::Done,
    })
}

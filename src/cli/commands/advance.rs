//! `advance`: runs the next phase, or goes on with the one under way.

use super::Context;
use crate::cli::{
    args::Advance,
    exit::{self, Exit},
    reporter,
};
use crate::lifecycle::next::{Next, Wait};
use crate::plan::document::PhaseName;
use crate::service::{AtGate, Outcome, Service, Until};
use serde_json::json;
use std::fmt::Write as _;

pub async fn run(context: &Context<'_>, advance: &Advance) -> anyhow::Result<Exit> {
    let service = context.service()?;
    if advance.dry_run {
        return dry_run(context, &service, &advance.run).await;
    }
    let until = advance.to.map_or(Until::OnePhase, Until::Phase);
    let drops = match advance.to {
        Some(phase) => phase == PhaseName::Contract,
        None => service.current_phase(&advance.run).await? == Some(PhaseName::Contract),
    };
    if drops {
        let what = format!(
            "`contract` of {} drops what is old. It cannot be undone.",
            advance.run
        );
        context.confirm(&advance.run, &what, advance.yes)?;
    }
    let at_gate = if advance.wait {
        AtGate::Wait
    } else {
        AtGate::Return
    };
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
        .advance(run, until, at_gate, context.reporter(), stop)
        .await;
    if context.printer.is_json() {
        // The one document is the run's status, whatever the outcome; an error is told on stderr and by the exit code.
        let status = service.status(run).await;
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
            (Ok(_), Err(error)) => return Err(error.into()),
        }
    }
    let outcome = outcome?;
    match &outcome {
        Outcome::Done => {
            let next = what_next(service, run).await?;
            context.printer.message(next);
        }
        Outcome::Waiting(wait) => context.printer.message(reporter::reason(wait)),
        Outcome::Interrupted => context.printer.message(format!(
            "interrupted: the last batch was finished or rolled back; `crossfade advance {run}` goes on from there"
        )),
    }
    Ok(exit::of_outcome(&outcome))
}

/// What the operator can do now, and how to go back.
pub async fn what_next(service: &Service, run: &str) -> anyhow::Result<String> {
    let preview = service.preview(run).await?;
    Ok(match (&preview.next, preview.phase) {
        (Next::Finished(state), _) => format!("the run is {}", state.as_str()),
        (Next::Wait(wait), _) => format!("next: {}", reporter::reason(wait)),
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
    let conditions: Vec<_> = preview
        .conditions
        .iter()
        .map(|condition| json!({"kind": condition.kind, "holds": condition.holds, "detail": condition.detail, "until": condition.until}))
        .collect();
    // A closed gate is among the conditions.
    let held = match &preview.next {
        Next::Wait(wait @ (Wait::Paused(_) | Wait::RollingBack(_))) => Some(reporter::reason(wait)),
        _ => None,
    };
    let statements = preview.statements();
    let value = json!({"run": run, "phase": preview.phase, "waiting": held, "gate": conditions, "statements": statements});
    context.printer.result(&value, || {
        let mut text = match preview.phase {
            Some(phase) => format!("next: {phase}\n"),
            None => "nothing is left to do\n".to_owned(),
        };
        if let Some(why) = &held {
            let _ = writeln!(text, "  would not go on: {why}");
        }
        for condition in &preview.conditions {
            let mark = if condition.holds { "open  " } else { "closed" };
            let _ = writeln!(
                text,
                "  gate {mark} {}: {}",
                condition.kind, condition.detail
            );
        }
        for statement in &statements {
            let _ = writeln!(text, "  {statement}");
        }
        text
    })?;
    Ok(match preview.next {
        Next::Wait(wait) => exit::of_outcome(&Outcome::Waiting(wait)),
        _ => Exit::Done,
    })
}

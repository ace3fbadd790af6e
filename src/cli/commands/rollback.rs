//! `rollback`: the reverse of each completed step, newest first.

use super::{Context, advance, order};
use crate::cli::{
    args::Rollback,
    exit::{self, Exit},
    printer::{Text, one_line},
    reporter,
};
use crossfade_coordinator::service::{Outcome, RollbackPreview};
use crossfade_decisions::keeper::Wish;
use crossfade_decisions::lifecycle::{snapshot::RollbackTarget, toll::Lost};
use serde_json::json;
use std::{collections::BTreeSet, fmt::Write as _};

pub async fn run(context: &Context<'_>, rollback: &Rollback) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let target = rollback
        .to
        .map_or(RollbackTarget::Start, RollbackTarget::Phase);
    let discards: BTreeSet<String> = rollback.discard.iter().cloned().collect();
    let preview = service.preview_rollback(&rollback.run, target).await?;
    // A refused rollback that is under way is abandoned. Only the holder of the lease may do that.
    if rollback.dry_run {
        return dry_run(context, rollback, &preview, &discards);
    }
    if !preview.under_way && refused(context, rollback, &preview, &discards)? {
        return Ok(Exit::Error);
    }
    let list = preview.phases.iter().map(|phase| phase.as_str());
    let list: Vec<&str> = list.collect();
    let mut what = match (list.as_slice(), rollback.to) {
        ([], None) => format!(
            "Rollback of {}: nothing has been run; the run ends.",
            rollback.run
        ),
        ([], Some(phase)) => format!(
            "Rollback of {}: nothing has been run after {phase}.",
            rollback.run
        ),
        (phases, _) => format!(
            "Rollback of {} undoes {}.",
            rollback.run,
            phases.join(", then ")
        ),
    };
    let lost: Vec<String> = preview.toll.lost().map(Lost::sentence).collect();
    if !lost.is_empty() {
        let _ = write!(what, " This takes away: {}.", lost.join("; "));
    }
    if let Some(pause) = preview.pause {
        let _ = write!(
            what,
            " It ends the pause by {}: {}.",
            one_line(&pause.by),
            one_line(&pause.reason)
        );
    }
    context.confirm(&rollback.run, &what, rollback.yes)?;
    if rollback.detach {
        let wish = Wish::RollBack {
            to: target,
            discards,
        };
        let placed = service.order(&rollback.run, &wish).await?;
        return order::placed(context, &service, &rollback.run, &placed).await;
    }
    let stop = context.stop()?;
    let outcome = service
        .roll_back(
            &rollback.run,
            target,
            &discards,
            context.reporter(&rollback.run),
            stop,
        )
        .await?;
    match &outcome {
        Outcome::Done => context
            .printer
            .message(advance::what_next(&service, &rollback.run).await?),
        Outcome::Waiting(wait) => context.printer.message(format!(
            "{}, since the rollback began. `crossfade rollback {run}{}` ends the pause and continues it",
            one_line(&reporter::reason(wait)),
            target.option(),
            run = rollback.run,
        )),
        Outcome::Interrupted => context.printer.message(format!(
            "interrupted: `crossfade rollback {}{}` continues it",
            rollback.run,
            target.option()
        )),
    }
    if context.printer.is_json() {
        let status = service.status(&rollback.run).await?;
        context.printer.result(&status, String::new)?;
    }
    Ok(exit::of_outcome(&outcome))
}

/// What the rollback would do, and why it would be refused.
fn dry_run(
    context: &Context<'_>,
    rollback: &Rollback,
    preview: &RollbackPreview,
    discards: &BTreeSet<String>,
) -> anyhow::Result<Exit> {
    let why = refusal(rollback, preview, discards);
    let mut value = preview.toll.to_json();
    value["run"] = json!(rollback.run);
    value["phases"] = json!(preview.phases);
    value["ends_pause"] = json!(preview.pause.as_ref().map(|pause| &pause.reason));
    value["refused"] = json!(why);
    context.printer.result(&value, || {
        let mut text = Text::new();
        for phase in &preview.phases {
            text.line(format_args!("would undo {phase}"));
        }
        if preview.phases.is_empty() {
            text.line(format_args!("would undo no phase"));
        }
        for lost in preview.toll.lost() {
            text.line(format_args!("would take away {}", lost.sentence()));
        }
        if let Some(pause) = &preview.pause {
            text.line(format_args!(
                "would end the pause by {}: {}",
                one_line(&pause.by),
                one_line(&pause.reason)
            ));
        }
        if let Some(why) = &why {
            text.line(format_args!("would be refused: {why}"));
        }
        text
    })?;
    Ok(match why {
        Some(_) => Exit::Error,
        None => Exit::Done,
    })
}

/// Why it is refused; `None`: it is not.
fn refusal(
    rollback: &Rollback,
    preview: &RollbackPreview,
    discards: &BTreeSet<String>,
) -> Option<String> {
    let to = rollback
        .to
        .map_or(RollbackTarget::Start, RollbackTarget::Phase);
    let command = format!("crossfade rollback {}{}", rollback.run, to.option());
    preview.refusal(discards, &command)
}

/// What would be lost without a word, or is in the way, is said before anybody is asked anything.
fn refused(
    context: &Context<'_>,
    rollback: &Rollback,
    preview: &RollbackPreview,
    discards: &BTreeSet<String>,
) -> anyhow::Result<bool> {
    let Some(why) = refusal(rollback, preview, discards) else {
        return Ok(false);
    };
    context.printer.message(format!("error: {why}"));
    if context.printer.is_json() {
        let mut value = preview.toll.to_json();
        value["error"] = json!(why);
        context.printer.result(&value, String::new)?;
    }
    Ok(true)
}

//! `rollback`: the reverse of each completed step, newest first.

use super::{Context, advance};
use crate::cli::{
    args::Rollback,
    exit::{self, Exit},
    reporter,
};
use crate::lifecycle::snapshot::RollbackTarget;
use crate::service::Outcome;
use std::fmt::Write as _;

pub async fn run(context: &Context<'_>, rollback: &Rollback) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let target = rollback
        .to
        .map_or(RollbackTarget::Start, RollbackTarget::Phase);
    let (phases, pause) = service.preview_rollback(&rollback.run, target).await?;
    let list: Vec<&str> = phases.iter().map(|phase| phase.as_str()).collect();
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
    if let Some(pause) = pause {
        let _ = write!(
            what,
            " It ends the pause by {}: {}.",
            pause.by, pause.reason
        );
    }
    context.confirm(&rollback.run, &what, rollback.yes)?;
    let stop = context.stop()?;
    let outcome = service
        .roll_back(&rollback.run, target, context.reporter(), stop)
        .await?;
    match &outcome {
        Outcome::Done => context
            .printer
            .message(advance::what_next(&service, &rollback.run).await?),
        Outcome::Waiting(wait) => context.printer.message(format!(
            "{}. A rollback ends a pause of this run; one of all runs is made this run's own by `crossfade pause {run} --reason …`, and then `crossfade rollback {run}{}` ends it",
            reporter::reason(wait),
            target.option(),
            run = rollback.run,
        )),
        Outcome::Interrupted => context.printer.message(format!(
            "interrupted: `crossfade rollback {}{}` goes on with it",
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

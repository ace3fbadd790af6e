//! `work`: helps with the segments of a run that another process drives.

use super::Context;
use crate::cli::{args::Work, exit::Exit};
use crossfade_coordinator::service::Help;
use serde_json::json;

pub async fn run(context: &Context<'_>, work: &Work) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let help = service
        .help(&work.run, context.reporter(&work.run), context.stop()?)
        .await?;
    let (batches, exit) = match help {
        Help::NothingToDo { batches } => (batches, Exit::Done),
        Help::Interrupted { batches } => (batches, Exit::Interrupted),
    };
    let result = json!({"run": work.run, "batches": batches});
    context.printer.result(&result, || match help {
        Help::NothingToDo { batches: 0 } => format!(
            "{} has nothing to help with: no backfill and no verification is under way",
            work.run
        ),
        Help::NothingToDo { .. } | Help::Interrupted { .. } => {
            format!("did {batches} batches of {}", work.run)
        }
    })?;
    Ok(exit)
}

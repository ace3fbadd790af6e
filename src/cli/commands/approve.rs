//! `approve`: records an approval by the role that connects.

use super::Context;
use crate::cli::{args::Approve, exit::Exit};
use serde_json::json;

pub async fn run(context: &Context<'_>, approve: &Approve) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let (recorded, counts) = service
        .approve(&approve.run, approve.phase, approve.comment.as_deref())
        .await?;
    if !counts {
        context.printer.message(
            "warning: this role started the run, and its approval does not count for the run's gates",
        );
    }
    let value =
        json!({"run": approve.run, "phase": approve.phase, "recorded": recorded, "counts": counts});
    context.printer.result(&value, || {
        if recorded {
            format!("approved {} of {}", approve.phase, approve.run)
        } else {
            format!(
                "this role had approved {} of {} already",
                approve.phase, approve.run
            )
        }
    })?;
    Ok(Exit::Done)
}

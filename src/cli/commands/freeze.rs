//! `freeze`: nothing begins in the database until its time is over or somebody ends it.

use super::{Context, pause::until};
use crate::cli::{args::Freeze, exit::Exit, exit::UsageError, moment};
use serde_json::json;

pub async fn run(context: &Context<'_>, freeze: &Freeze) -> anyhow::Result<Exit> {
    let until = until(freeze.for_span, freeze.until)?;
    if freeze.reason.trim().is_empty() {
        let why = "--reason is what those will read who find the database frozen: say why";
        return Err(UsageError(why.to_owned()).into());
    }
    let service = context.service()?;
    service.freeze(&freeze.reason, until).await?;
    let frozen = service.frozen().await?;
    let value = json!({"frozen": frozen.as_ref().map(|one| json!({"by": one.by, "reason": one.reason, "since": one.since, "until": one.until}))});
    let shown = until.map_or(String::new(), |until| {
        format!(" until {}", moment::in_words(until))
    });
    context.printer.result(&value, || {
        format!(
            "frozen{shown}: no phase begins, and backfills rest. Going back stays possible. `crossfade unfreeze` ends it"
        )
    })?;
    Ok(Exit::Done)
}

//! `unfreeze`: ends the freeze of the database.

use super::Context;
use crate::cli::{exit::Exit, printer::Text};
use serde_json::json;

pub async fn run(context: &Context<'_>) -> anyhow::Result<Exit> {
    let ended = context.service()?.unfreeze().await?;
    let value: Vec<_> = ended
        .iter()
        .map(|one| json!({"by": one.by, "reason": one.reason, "since": one.since, "until": one.until}))
        .collect();
    context.printer.result(&json!({ "ended": value }), || {
        if ended.is_empty() {
            return Text::of("the database was not frozen");
        }
        let mut text = Text::new();
        for freeze in &ended {
            text.line(format_args!("ended the freeze{freeze}"));
        }
        text.line("servers continue open orders; `crossfade advance RUN` continues a run");
        text
    })?;
    Ok(Exit::Done)
}

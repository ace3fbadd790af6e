//! `history`: the audit log of a run.

use super::Context;
use crate::cli::{args::History, exit::Exit};
use serde_json::json;
use std::fmt::Write as _;

pub async fn run(context: &Context<'_>, history: &History) -> anyhow::Result<Exit> {
    let recorded = context
        .service()?
        .history(&history.run, history.earlier)
        .await?;
    let (events, broken) = (&recorded.events, recorded.first_broken);
    let intact = history.verify.then_some(broken.is_none());
    let value = json!({"run": history.run, "events": events, "chain_intact": intact, "first_broken": broken.filter(|_| history.verify), "earlier_runs": recorded.earlier});
    context.printer.result(&value, || {
        let mut text = String::new();
        for event in events {
            let detail = match &event.detail {
                serde_json::Value::Object(map) if map.is_empty() => String::new(),
                detail => format!("  {detail}"),
            };
            let _ = writeln!(text, "{:>4}  {}  {} ({})  {}{detail}", event.number, event.at, event.role, event.os_user, event.kind);
        }
        if history.verify {
            let _ = match broken {
                None => writeln!(text, "the chain of {} events is intact", events.len()),
                Some(number) => writeln!(text, "the chain is broken at event {number}: it was changed, or one before it was removed"),
            };
        }
        if recorded.earlier > 0 {
            let _ = writeln!(
                text,
                "{} earlier runs had this name: `--earlier {}` shows the one before",
                recorded.earlier,
                history.earlier + 1
            );
        }
        text
    })?;
    Ok(if history.verify && broken.is_some() {
        Exit::Error
    } else {
        Exit::Done
    })
}

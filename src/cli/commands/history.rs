//! `history`: the audit log of a run.

use super::Context;
use crate::cli::{args::History, exit::Exit};
use serde_json::json;
use std::fmt::Write as _;

pub async fn run(context: &Context<'_>, history: &History) -> anyhow::Result<Exit> {
    let (events, broken) = context.service()?.history(&history.run).await?;
    let intact = history.verify.then_some(broken.is_none());
    let value = json!({"run": history.run, "events": events, "chain_intact": intact, "first_broken": broken.filter(|_| history.verify)});
    context.printer.result(&value, || {
        let mut text = String::new();
        for event in &events {
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
        text
    })?;
    Ok(if history.verify && broken.is_some() {
        Exit::Error
    } else {
        Exit::Done
    })
}

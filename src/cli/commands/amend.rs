//! `amend`: changes gates and limits of a run that goes on, with the reason.

use super::{Context, read_plan};
use crate::cli::{args::Amend, exit::Exit, exit::UsageError, printer::Text};
use crossfade_coordinator::service::AmendmentChange;
use serde_json::{Value, json};

pub async fn run(context: &Context<'_>, amend: &Amend) -> anyhow::Result<Exit> {
    if amend.reason.trim().is_empty() {
        return Err(UsageError("--reason is what the audit log keeps: say why".to_owned()).into());
    }
    let (file, text) = read_plan(&amend.gates)?;
    let service = context.service()?;
    let amended = service
        .amend(&amend.run, (&file, &text), &amend.reason)
        .await?;
    let value = json!({"run": amend.run, "changes": amended.changes, "approvals_void": amended.approvals_void});
    context.printer.result(&value, || {
        let mut text = Text::new();
        for change in &amended.changes {
            text.line(format_args!("{}", in_words(change)));
        }
        for void in &amended.approvals_void {
            text.line(format_args!(
                "the approval of {} by {} no longer counts: the gate is weaker than the one that was approved",
                void.phase, void.role
            ));
        }
        text
    })?;
    Ok(Exit::Done)
}

fn in_words(change: &AmendmentChange) -> String {
    let phase = change
        .phase
        .map_or(String::new(), |phase| format!("{phase}: "));
    format!(
        "{phase}{} {} -> {}",
        change.word,
        shown(&change.before),
        shown(&change.after)
    )
}

/// The same of what was recorded.
pub fn recorded_in_words(change: &Value) -> String {
    let text = |key: &str| shown(change.get(key).unwrap_or(&Value::Null));
    let phase = match change.get("phase").and_then(Value::as_str) {
        Some(phase) => format!("{phase}: "),
        None => String::new(),
    };
    format!(
        "{phase}{} {} -> {}",
        text("word"),
        text("before"),
        text("after")
    )
}

/// Text without quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

//! `check`: parses and compiles plans, and reports every error of each at once.

use super::{Context, read_plan};
use crate::cli::{args::Check, exit::Exit};
use crate::plan::error::{PlanError, locate_all, render};
use crate::service::read_document;
use serde_json::json;

pub async fn run(context: &Context<'_>, check: &Check) -> anyhow::Result<Exit> {
    let mut results = Vec::new();
    let mut rendered = String::new();
    let mut failed = false;
    for path in &check.plans {
        let (file, text) = read_plan(path)?;
        let (errors, note) = if check.offline {
            (
                read_document(&text).err().unwrap_or_default(),
                "checked without a database",
            )
        } else {
            match context.service()?.check(&text).await? {
                Ok(Some(compiled)) => (compiled.warnings, "fits the database"),
                Ok(None) => (Vec::new(), "is the plan of the active run of its name"),
                Err(errors) => (errors, ""),
            }
        };
        let ok = !errors.iter().any(PlanError::is_error);
        failed |= !ok;
        if !errors.is_empty() {
            rendered.push_str(&render(&file, &text, &errors));
        }
        if ok {
            rendered.push_str(&format!("{file}: ok, {note}\n"));
        }
        results
            .push(json!({"file": file, "ok": ok, "problems": locate_all(&file, &text, &errors)}));
    }
    if failed && !context.printer.is_json() {
        context.printer.message(rendered.trim_end());
    } else {
        context
            .printer
            .result(&json!({"plans": results}), || rendered)?;
    }
    Ok(if failed { Exit::Error } else { Exit::Done })
}

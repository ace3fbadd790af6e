//! Plans: each by itself, and all of one check beside each other.

use super::{Context, FileChecked, Source, problem::Problem, sql::not_looked_at};
use crate::cli::{args::Check, printer::one_line};
use crossfade_coordinator::service::{Checked, RunRecord};
use crossfade_model::error::{PlanError, locate_all, render};
use crossfade_plan::read::{decoded, read_document};
use crossfade_plan::{
    compiled::Plan,
    document::Document,
    together::{Planned, conflicts},
};
use serde_json::json;
use std::path::Path;

/// What is known of one plan before it is put beside the others.
struct One<'a> {
    source: &'a Source,
    document: Option<Document>,
    plan: Option<Plan>,
    /// Of it, active or completed.
    run: Option<RunRecord>,
    errors: Vec<PlanError>,
    note: String,
}

/// One for each plan.
pub async fn check(
    context: &Context<'_>,
    check: &Check,
    sources: &[&Source],
) -> anyhow::Result<Vec<FileChecked>> {
    let mut all = Vec::new();
    for source in sources {
        all.push(of_one(context, source, check).await?);
    }
    let mut earlier: Vec<Planned<'_>> = Vec::new();
    let mut together = Vec::new();
    for one in &all {
        let Some(document) = &one.document else {
            together.push(Vec::new());
            continue;
        };
        let planned = Planned {
            file: &one.source.file,
            document,
            plan: one.plan.as_ref(),
            is_registered: one.run.is_some(),
        };
        together.push(conflicts(&planned, &earlier));
        earlier.push(planned);
    }
    drop(earlier);
    let pairs = all.into_iter().zip(together);
    Ok(pairs
        .map(|(mut one, conflicts)| {
            one.errors.extend(conflicts);
            one.checked()
        })
        .collect())
}

async fn of_one<'a>(
    context: &Context<'_>,
    source: &'a Source,
    check: &Check,
) -> anyhow::Result<One<'a>> {
    let mut one = One {
        source,
        document: decoded(&source.text),
        plan: None,
        run: None,
        errors: Vec::new(),
        note: String::new(),
    };
    if check.offline {
        "checked without a database".clone_into(&mut one.note);
        one.errors = read_document(&source.text).err().unwrap_or_default();
        return Ok(one);
    }
    match context.service()?.check(&source.text).await? {
        Ok(Checked::Fits(compiled)) => {
            "fits the database".clone_into(&mut one.note);
            one.errors = compiled.warnings;
            one.plan = Some(compiled.plan);
        }
        Ok(Checked::Registered(run)) => {
            one.note = format!("already {}", run.sentence());
            one.run = Some(run);
        }
        Err(errors) => one.errors = errors,
    }
    Ok(one)
}

impl One<'_> {
    fn checked(self) -> FileChecked {
        let file = &self.source.file;
        let ok = !self.errors.iter().any(PlanError::is_error);
        let located = locate_all(file, &self.source.text, &self.errors);
        let mut shown = render(file, &self.source.text, &self.errors);
        let path = self
            .plan
            .as_ref()
            .and_then(|plan| plan.search_path.as_ref());
        if ok {
            // A reason that somebody gave for a pause can be in it.
            shown.push_str(&one_line(&format!("{file}: ok, {}", self.note)));
            shown.push('\n');
            if let Some(path) = path {
                let from = &path.from;
                shown.push_str(&format!(
                    "  names without a schema are looked for in {path} ({from})\n"
                ));
            }
        }
        let mut result = json!({"file": file, "ok": ok, "problems": located});
        if let Some(path) = path {
            result["search_path"] = json!({"schemas": path.schemas, "from": path.from});
        }
        if let Some(run) = &self.run {
            result["run"] = json!({
                "run": run.name, "state": run.state.as_str(), "standing": run.standing, "started_by": run.started_by,
                "started_at": run.started_at, "finished_at": run.finished_at
            });
        }
        FileChecked {
            result,
            text: shown,
            problems: located.into_iter().map(Problem::of_plan).collect(),
            ok,
            is_sql: false,
        }
    }
}

/// One problem for the file, and the others go on.
pub fn unreadable(path: &Path, why: &str) -> FileChecked {
    not_looked_at(path, why, None)
}

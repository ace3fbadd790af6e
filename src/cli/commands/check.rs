//! `check`: what is wrong with plans, and what is dangerous in files of SQL; everything of each at once.

mod github;
mod problem;
mod sarif;

use super::{Context, read_plan};
use crate::cli::{
    args::{Check, Format},
    exit::Exit,
    printer::Text,
};
use crossfade_model::error::{PlanError, Severity, Shown, locate_all, render, render_all};
use crossfade_plan::read::read_document;
use crossfade_sql::{self, Finding, rules::RULES};
use problem::Problem;
use serde_json::{Value, json};
use std::path::Path;

/// What was found in one file.
struct Checked {
    /// For JSON.
    result: Value,
    text: String,
    problems: Vec<Problem>,
    ok: bool,
}

pub async fn run(context: &Context<'_>, check: &Check) -> anyhow::Result<Exit> {
    if check.rules {
        return list_rules(context);
    }
    let (mut plans, mut sql): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let (mut problems, mut rendered) = (Vec::new(), String::new());
    let mut ok = true;
    for path in &check.files {
        let checked = if is_sql(path) {
            of_sql(path, check)
        } else {
            of_plan(context, path, check).await?
        };
        ok &= checked.ok;
        rendered.push_str(&checked.text);
        problems.extend(checked.problems);
        let results = if is_sql(path) { &mut sql } else { &mut plans };
        results.push(checked.result);
    }
    match context.printer.format() {
        Format::Text | Format::Markdown if !ok => context.printer.block(&rendered),
        Format::Text | Format::Markdown | Format::Json => {
            let mut result = json!({"plans": plans});
            if !sql.is_empty() {
                result["sql"] = Value::from(sql);
            }
            context.printer.result(&result, || rendered)?;
        }
        Format::Sarif => {
            let report = serde_json::to_string_pretty(&sarif::report(&problems))?;
            context.printer.result(&(), || Text::document(report))?;
        }
        Format::Github => context
            .printer
            .result(&(), || github::annotations(&problems))?,
    }
    Ok(if ok { Exit::Done } else { Exit::Error })
}

fn is_sql(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

/// One finding for the file, and the others go on.
fn unreadable(path: &Path, error: &anyhow::Error) -> Checked {
    let file = path.display().to_string();
    let finding = Finding {
        rule: if is_sql(path) {
            crossfade_sql::rules::unclassified::RULE.name
        } else {
            problem::OF_PLANS
        },
        severity: Severity::Error,
        message: format!("{error:#}"),
        help: "it was not looked at".to_owned(),
        range: 0..0,
        line: 1,
        column: 1,
        length: 1,
    };
    let shown = Shown {
        severity: finding.severity,
        rule: is_sql(path).then_some(finding.rule),
        position: None,
        message: &finding.message,
        help: Some(&finding.help),
    };
    let found = if is_sql(path) { "findings" } else { "problems" };
    Checked {
        result: json!({"file": file, "ok": false, found: [finding]}),
        text: render_all(&file, "", &[shown]),
        problems: vec![Problem::of_sql(&file, finding.clone())],
        ok: false,
    }
}

async fn of_plan(context: &Context<'_>, path: &Path, check: &Check) -> anyhow::Result<Checked> {
    let (file, text) = match read_plan(path) {
        Ok(read) => read,
        Err(error) => return Ok(unreadable(path, &error)),
    };
    let mut path_of_names = None;
    let (errors, note) = if check.offline {
        (
            read_document(&text).err().unwrap_or_default(),
            "checked without a database",
        )
    } else {
        match context.service()?.check(&text).await? {
            Ok(Some(compiled)) => {
                path_of_names = compiled.plan.search_path;
                (compiled.warnings, "fits the database")
            }
            Ok(None) => (Vec::new(), "is the plan of the active run of its name"),
            Err(errors) => (errors, ""),
        }
    };
    let ok = !errors.iter().any(PlanError::is_error);
    let located = locate_all(&file, &text, &errors);
    let mut shown = render(&file, &text, &errors);
    if ok {
        shown.push_str(&format!("{file}: ok, {note}\n"));
        if let Some(path) = &path_of_names {
            let from = &path.from;
            shown.push_str(&format!(
                "  names without a schema are looked for in {path} ({from})\n"
            ));
        }
    }
    let mut result = json!({"file": file, "ok": ok, "problems": located});
    if let Some(path) = &path_of_names {
        result["search_path"] = json!({"schemas": path.schemas, "from": path.from});
    }
    Ok(Checked {
        result,
        text: shown,
        problems: located.into_iter().map(Problem::of_plan).collect(),
        ok,
    })
}

fn of_sql(path: &Path, check: &Check) -> Checked {
    let (file, text) = match read_plan(path) {
        Ok(read) => read,
        Err(error) => return unreadable(path, &error),
    };
    let known = crossfade_sql::Context {
        in_transaction: check.in_transaction,
        timeouts_set: check.timeouts_set,
        ..crossfade_sql::Context::default()
    };
    let findings = crossfade_sql::lint(&text, &known);
    let ok = !findings.iter().any(Finding::is_error);
    let shown: Vec<Shown<'_>> = findings
        .iter()
        .map(|finding| Shown {
            severity: finding.severity,
            rule: Some(finding.rule),
            position: Some(finding.position()),
            message: &finding.message,
            help: Some(&finding.help),
        })
        .collect();
    let mut rendered = render_all(&file, &text, &shown);
    if ok {
        let note = match findings.len() {
            0 => "no rule is broken".to_owned(),
            warnings => format!("warnings: {warnings}"),
        };
        rendered.push_str(&format!("{file}: ok, {note}\n"));
    }
    Checked {
        result: json!({"file": file, "ok": ok, "findings": findings}),
        text: rendered,
        problems: findings
            .into_iter()
            .map(|finding| Problem::of_sql(&file, finding))
            .collect(),
        ok,
    }
}

fn list_rules(context: &Context<'_>) -> anyhow::Result<Exit> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| json!({"rule": rule.name, "severity": rule.severity, "summary": rule.summary}))
        .collect();
    context.printer.result(&json!({"rules": rules}), || {
        let lines = RULES.iter().map(|rule| {
            format!(
                "{:28} {:8} {}\n",
                rule.name,
                rule.severity.to_string(),
                rule.summary
            )
        });
        lines.collect::<String>()
    })?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// What a developer waits for at each save.
    const CHECK_MAX: Duration = Duration::from_millis(20);
    /// Without optimization, on a machine that has other things to do.
    const DEBUG_FACTOR: u32 = if cfg!(debug_assertions) { 10 } else { 1 };
    const RUNS: usize = 5;

    fn plans(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                plans(&path, found);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                found.push(path);
            }
        }
    }

    fn once(path: &Path) -> Duration {
        let began = Instant::now();
        let (file, text) = read_plan(path).unwrap();
        let errors = read_document(&text).err().unwrap_or_default();
        let shown = render(&file, &text, &errors);
        assert!(locate_all(&file, &text, &errors).is_empty(), "{shown}");
        began.elapsed()
    }

    #[test]
    fn every_plan_here_is_checked_in_20_ms() {
        let mut paths = Vec::new();
        plans(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("plans"),
            &mut paths,
        );
        assert!(paths.len() > 40, "{}", paths.len());
        for path in paths {
            let mut times: Vec<Duration> = (0..RUNS).map(|_| once(&path)).collect();
            times.sort();
            let median = times[RUNS / 2];
            assert!(
                median <= CHECK_MAX * DEBUG_FACTOR,
                "{}: {median:?}",
                path.display()
            );
        }
    }
}

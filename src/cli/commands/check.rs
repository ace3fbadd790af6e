//! `check`: what is wrong with plans, and what is dangerous in files of SQL; everything of each at once.

mod files;
mod github;
mod plans;
mod problem;
mod sarif;
mod sql;

use super::{Context, read_plan};
use crate::cli::{
    args::{Check, Format},
    exit::Exit,
    printer::Text,
};
use crossfade_sql::rules::RULES;
use problem::Problem;
use serde_json::{Value, json};

/// What was found in one file.
struct FileChecked {
    /// For JSON.
    result: Value,
    text: String,
    problems: Vec<Problem>,
    ok: bool,
    is_sql: bool,
}

/// The text of a file and how to call it.
struct Source {
    file: String,
    text: String,
    /// Of SQL: it undoes what another file does.
    goes_back: bool,
}

/// By their order on the command line, before anything is said of any.
enum Read {
    Plan(Source),
    Sql(Source),
    Failed(FileChecked),
}

pub async fn run(context: &Context<'_>, check: &Check) -> anyhow::Result<Exit> {
    if check.rules {
        return list_rules(context);
    }
    let named = files::named(&check.files).into_iter();
    let read: Vec<Read> = named.map(read).collect();
    let only = |wanted: fn(&Read) -> Option<&Source>| read.iter().filter_map(wanted).collect();
    let plan_sources: Vec<&Source> = only(|read| match read {
        Read::Plan(source) => Some(source),
        Read::Sql(_) | Read::Failed(_) => None,
    });
    let sql_sources: Vec<&Source> = only(|read| match read {
        Read::Sql(source) => Some(source),
        Read::Plan(_) | Read::Failed(_) => None,
    });
    let mut plans = plans::check(context, check, &plan_sources)
        .await?
        .into_iter();
    let (sql, database) = sql::check(context, check, &sql_sources).await?;
    let mut sql = sql.into_iter();
    let in_order = read.into_iter().filter_map(|read| match read {
        Read::Plan(_) => plans.next(),
        Read::Sql(_) => sql.next(),
        Read::Failed(checked) => Some(checked),
    });
    report(context, in_order.collect(), database)
}

fn report(
    context: &Context<'_>,
    all: Vec<FileChecked>,
    database: Option<String>,
) -> anyhow::Result<Exit> {
    let (mut plans, mut sql): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let (mut problems, mut rendered) = (Vec::new(), String::new());
    let mut ok = true;
    for checked in all {
        ok &= checked.ok;
        rendered.push_str(&checked.text);
        problems.extend(checked.problems);
        let results = if checked.is_sql { &mut sql } else { &mut plans };
        results.push(checked.result);
    }
    match context.printer.format() {
        Format::Text | Format::Markdown if !ok => context.printer.block(&rendered),
        Format::Text | Format::Markdown | Format::Json => {
            let mut result = json!({"plans": plans});
            if !sql.is_empty() {
                result["sql"] = Value::from(sql);
            }
            if let Some(database) = database {
                result["sql_database"] = Value::from(database);
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

fn read(named: files::Named) -> Read {
    let path = match named {
        Ok(path) => path,
        Err((directory, why)) => return Read::Failed(plans::unreadable(&directory, &why)),
    };
    let is_sql = files::is_sql(&path);
    match read_plan(&path) {
        Ok((file, text)) => {
            let source = Source {
                goes_back: is_sql && files::goes_back(&path),
                file,
                text,
            };
            if is_sql {
                Read::Sql(source)
            } else {
                Read::Plan(source)
            }
        }
        Err(error) => {
            let why = format!("{error:#}");
            Read::Failed(if is_sql {
                sql::unreadable(&path, &why)
            } else {
                plans::unreadable(&path, &why)
            })
        }
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
    use crossfade_model::error::{locate_all, render};
    use crossfade_plan::read::read_document;
    use std::path::Path;
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

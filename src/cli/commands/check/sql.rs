//! Files of SQL: one history in the order in which they are given, by what the database knows where one is named.

use super::{Context, FileChecked, Source, problem::Problem};
use crate::cli::args::Check;
use crossfade_model::error::{Severity, Shown, render_all};
use crossfade_sql::{self, File, Finding, rules};
use serde_json::json;
use std::path::Path;

/// One for each file, and the database whose catalog was read.
pub async fn check(
    context: &Context<'_>,
    check: &Check,
    sources: &[&Source],
) -> anyhow::Result<(Vec<FileChecked>, Option<String>)> {
    let mut known = crossfade_sql::Context {
        in_transaction: check.in_transaction,
        timeouts_set: check.timeouts_set,
        ..crossfade_sql::Context::default()
    };
    let mut database = None;
    let is_asked = context.arguments.database_url.is_some() && !check.offline;
    if is_asked && !sources.is_empty() {
        let service = context.service()?;
        let texts: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
        let found = service.known_to_sql(&texts).await?;
        known.catalog = found.catalog;
        known.search_path = found.search_path;
        database = Some(service.describe());
    }
    let files: Vec<File<'_>> = sources
        .iter()
        .map(|source| File {
            text: &source.text,
            goes_back: source.goes_back,
        })
        .collect();
    let found = crossfade_sql::lint_history(&files, &known);
    let of_one = |(source, findings): (&&Source, Vec<Finding>)| {
        of_file(source, findings, database.as_deref())
    };
    let checked = sources.iter().zip(found).map(of_one).collect();
    Ok((checked, database))
}

fn of_file(source: &Source, findings: Vec<Finding>, database: Option<&str>) -> FileChecked {
    let file = &source.file;
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
    let mut rendered = render_all(file, &source.text, &shown);
    if ok {
        let note = match findings.len() {
            0 => "no rule is broken".to_owned(),
            warnings => format!("warnings: {warnings}"),
        };
        let known = database.map_or(String::new(), |database| {
            format!(", with the tables of {database}")
        });
        rendered.push_str(&format!("{file}: ok, {note}{known}\n"));
    }
    FileChecked {
        result: json!({"file": file, "ok": ok, "findings": findings}),
        text: rendered,
        problems: findings
            .into_iter()
            .map(|finding| Problem::of_sql(file, finding))
            .collect(),
        ok,
        is_sql: true,
    }
}

/// One finding for the file, and the others go on.
pub fn unreadable(path: &Path, why: &str) -> FileChecked {
    not_looked_at(path, why, Some(rules::unclassified::RULE.name))
}

/// `rule`: the one that reports name for a file of SQL.
pub fn not_looked_at(path: &Path, why: &str, rule: Option<&'static str>) -> FileChecked {
    let file = path.display().to_string();
    let finding = Finding {
        rule: rule.unwrap_or(super::problem::OF_PLANS),
        severity: Severity::Error,
        message: why.to_owned(),
        help: "it was not looked at".to_owned(),
        range: 0..0,
        line: 1,
        column: 1,
        length: 1,
    };
    let shown = Shown {
        severity: finding.severity,
        rule,
        position: None,
        message: &finding.message,
        help: Some(&finding.help),
    };
    let found = if rule.is_some() {
        "findings"
    } else {
        "problems"
    };
    FileChecked {
        result: json!({"file": file, "ok": false, found: [finding]}),
        text: render_all(&file, "", &[shown]),
        problems: vec![Problem::of_sql(&file, finding.clone())],
        ok: false,
        is_sql: rule.is_some(),
    }
}

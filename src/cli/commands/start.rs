//! `start`: registers a run. Runs nothing. Of the same plan a second time it says where the run stands.

use super::{Context, doctor, read_plan};
use crate::cli::{
    args::Start,
    exit::{Exit, UsageError},
    printer::Text,
};
use crate::configuration::Configuration;
use crossfade_coordinator::service::{
    Acceptance, CheckFinding, RunRecord, Started, Status, Verdict,
};
use crossfade_model::error::render;

pub async fn run(context: &Context<'_>, start: &Start) -> anyhow::Result<Exit> {
    let accepted = accepted(start)?;
    let (file, text) = read_plan(&start.plan)?;
    let configuration = Configuration::load(start.configuration.file.as_deref())?;
    let service = context.service()?.with_checks(configuration.checks());
    let Started {
        run,
        warnings,
        findings,
        before,
    } = service.start(&file, &text, &accepted).await?;
    if !warnings.is_empty() {
        context.printer.block(&render(&file, &text, &warnings));
    }
    tell(context, &findings, &accepted, before.is_some());
    let status = service.status(&run).await?;
    let mut value = serde_json::to_value(&status)?;
    value["started_before"] = before.is_some().into();
    value["checks"] = serde_json::to_value(&findings)?;
    context.printer.result(&value, || match &before {
        None => Text::from(format!(
            "started {run}: nothing has been run yet\nnext: crossfade advance {run}"
        )),
        Some(before) => in_words(before, &status),
    })?;
    Ok(Exit::Done)
}

fn accepted(start: &Start) -> anyhow::Result<Vec<Acceptance>> {
    if start.accept.len() != start.reason.len() {
        let why = "each --accept needs a --reason of its own, in the same order";
        return Err(UsageError(why.to_owned()).into());
    }
    if start.reason.iter().any(|reason| reason.trim().is_empty()) {
        return Err(UsageError("--reason is empty: say why".to_owned()).into());
    }
    let pairs = start.accept.iter().zip(&start.reason);
    Ok(pairs
        .map(|(check, reason)| Acceptance {
            check: *check,
            reason: reason.clone(),
        })
        .collect())
}

/// Warnings, and what was accepted. What is not known is for `doctor`.
fn tell(
    context: &Context<'_>,
    findings: &[CheckFinding],
    accepted: &[Acceptance],
    was_there: bool,
) {
    for finding in findings {
        match finding.verdict {
            Verdict::Warning => {
                let line = doctor::sentence(finding);
                context.printer.message(format!("warning: {line}"));
            }
            Verdict::Failed => {
                let line = doctor::sentence(finding);
                context.printer.message(format!("accepted: {line}"));
            }
            Verdict::Passed | Verdict::Unknown => {}
        }
    }
    let is_needed = |one: &&Acceptance| {
        let mut failed = findings.iter().filter(|finding| finding.has_failed());
        failed.any(|finding| finding.check == one.check)
    };
    for one in accepted.iter().filter(|one| !is_needed(one)) {
        let why = match was_there {
            true => "the run was there already",
            false => "it did not fail",
        };
        context
            .printer
            .message(format!("the check {} was not accepted: {why}", one.check));
    }
}

/// Of a run that was there already.
fn in_words(before: &RunRecord, status: &Status) -> Text {
    let mut text = Text::of(format_args!(
        "nothing to start: this plan was {}",
        before.sentence()
    ));
    for waiting in &status.waiting {
        text.line(format_args!(
            "waiting for {}: {}",
            waiting.kind, waiting.detail
        ));
    }
    text.line(format_args!("next: {}", next(status)));
    text
}

fn next(status: &Status) -> String {
    let run = &status.run;
    if status.state != "active" {
        return format!("nothing; crossfade history {run} shows what was done");
    }
    if let Some(lease) = &status.lease {
        return format!(
            "nothing, as {} drives it; crossfade status {run} shows its progress",
            lease.holder
        );
    }
    let is_rolling_back =
        |waiting: &crossfade_coordinator::service::Waiting| waiting.kind == "rolling_back";
    if status.waiting.iter().any(is_rolling_back) {
        return "the rollback, as above".to_owned();
    }
    if status.paused.is_some() {
        return format!("crossfade resume {run}");
    }
    format!("crossfade advance {run}")
}

//! `start`: registers a run. Runs nothing. Of the same plan a second time it says where the run stands.

use super::{Context, read_plan};
use crate::cli::{args::PlanFile, exit::Exit, printer::Text};
use crossfade_coordinator::service::{RunRecord, Started, Status};
use crossfade_model::error::render;

pub async fn run(context: &Context<'_>, start: &PlanFile) -> anyhow::Result<Exit> {
    let (file, text) = read_plan(&start.plan)?;
    let service = context.service()?;
    let Started {
        run,
        warnings,
        before,
    } = service.start(&file, &text).await?;
    if !warnings.is_empty() {
        context.printer.block(&render(&file, &text, &warnings));
    }
    let status = service.status(&run).await?;
    let mut value = serde_json::to_value(&status)?;
    value["started_before"] = before.is_some().into();
    context.printer.result(&value, || match &before {
        None => Text::from(format!(
            "started {run}: nothing has been run yet\nnext: crossfade advance {run}"
        )),
        Some(before) => in_words(before, &status),
    })?;
    Ok(Exit::Done)
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

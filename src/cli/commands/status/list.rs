//! `status` without a run: all of them, those that need somebody first.

use super::super::Context;
use crate::cli::{
    exit::Exit,
    printer::{Paint, Text, one_line},
};
use crossfade_coordinator::service::{self, RunSummary, Service, Standing, Status};

/// So many runs that have ended are listed, unless all are asked for.
const ENDED_MAX: usize = 10;

pub async fn show(context: &Context<'_>, service: &Service, all: bool) -> anyhow::Result<Exit> {
    let runs = service.list().await?;
    let value = service::RunListing::of(&runs);
    context.printer.result(&value, || in_words(&runs, all))?;
    Ok(Exit::Done)
}

fn paint(standing: Standing) -> Paint {
    match standing {
        Standing::Failed | Standing::Stopped => Paint::Red,
        Standing::RollingBack
        | Standing::Paused
        | Standing::Frozen
        | Standing::Blocked
        | Standing::Waiting => Paint::Yellow,
        Standing::Ready | Standing::Running => Paint::Green,
    }
}

fn in_words(runs: &[RunSummary], all: bool) -> Text {
    let frozen = runs
        .iter()
        .find_map(|run| run.status.as_ref()?.frozen.as_ref());
    if runs.is_empty() {
        return Text::of("there is no run; `crossfade start PLAN` registers one");
    }
    let width = runs
        .iter()
        .map(|run| run.line.name.len())
        .max()
        .unwrap_or(0);
    let mut active: Vec<(Standing, String, &RunSummary)> = runs
        .iter()
        .filter_map(|run| {
            let (standing, why) = run.status.as_ref()?.standing();
            Some((standing, why, run))
        })
        .collect();
    active.sort_by_key(|(standing, ..)| *standing);
    let mut text = Text::new();
    if let Some(frozen) = frozen {
        let until = frozen
            .until
            .map_or(String::new(), |until| format!(" until {until:.0}"));
        text.line(format_args!(
            "the database is frozen{until} by {}: {}",
            frozen.by, frozen.reason
        ));
    }
    for (standing, why, run) in &active {
        let done = run.status.as_ref().and_then(Status::percent);
        let done = done.map_or(String::new(), |percent| format!("{percent} %"));
        let after = format!(
            "  {:<12}  {done:>5}  {}",
            run.line.phase.as_deref().unwrap_or("-"),
            one_line(why),
        );
        let state = format!("{:<12}", standing.as_str());
        let before = format_args!("{:<width$}  ", run.line.name);
        text.line_with(before, (paint(*standing), &state), after);
    }
    let ended: Vec<&RunSummary> = runs.iter().filter(|run| run.status.is_none()).collect();
    let shown = if all { ended.len() } else { ENDED_MAX };
    for run in ended.iter().take(shown) {
        let at = run
            .line
            .finished_at
            .map_or(String::new(), |at| format!("at {at:.0}"));
        text.line(format_args!(
            "{:<width$}  {:<12}  {at}",
            run.line.name, run.line.state
        ));
    }
    if ended.len() > shown {
        text.line(format_args!(
            "{} more have ended: `crossfade status --all` lists them",
            ended.len() - shown
        ));
    }
    text
}

//! `status` without a run: all of them, those that need somebody first.

use super::super::{Context, order::nobody_serves};
use crate::cli::{
    exit::Exit,
    printer::{Text, one_line},
    reporter::time_left,
};
use crossfade_coordinator::service::{PhaseStatus, RunSummary, Service, Status};
use crossfade_decisions::{lifecycle::transition::State, progress};
use crossfade_plan::document::PhaseName;
use serde_json::json;

/// So many runs that have ended are listed, unless all are asked for.
const ENDED_MAX: usize = 10;

pub async fn show(context: &Context<'_>, service: &Service, all: bool) -> anyhow::Result<Exit> {
    let runs = service.list().await?;
    let value: Vec<_> = runs.iter().map(in_json).collect();
    context
        .printer
        .result(&json!({"runs": value}), || in_words(&runs, all))?;
    Ok(Exit::Done)
}

fn in_json(run: &RunSummary) -> serde_json::Value {
    let line = &run.line;
    let mut value = json!({
        "run": line.name, "state": line.state, "phase": line.phase, "started_at": line.started_at, "finished_at": line.finished_at,
    });
    if let Some(status) = &run.status {
        let (standing, why) = standing(status);
        value["standing"] = json!(standing.as_str());
        value["why"] = json!(why);
        value["percent"] = json!(percent(status));
    }
    value
}

/// What an active run does, those first that need somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Failed,
    Stopped,
    RollingBack,
    Paused,
    Blocked,
    Waiting,
    Ready,
    Running,
}

impl Standing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::RollingBack => "rolling back",
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
        }
    }
}

/// How the run stands, and why or what to type.
fn standing(status: &Status) -> (Standing, String) {
    let run = &status.run;
    let waiting = |kind: &str| status.waiting.iter().find(|one| one.kind == kind);
    if let Some(paused) = &status.paused {
        let until = paused
            .until
            .map_or(String::new(), |until| format!(" until {until:.0}"));
        return (
            Standing::Paused,
            format!("by {}{until}: {}", paused.by, paused.reason),
        );
    }
    if let Some(lock) = waiting("lock") {
        return (Standing::Blocked, lock.detail.clone());
    }
    if status.lease.is_none()
        && let Some(rolling_back) = waiting("rolling_back")
    {
        return (Standing::RollingBack, rolling_back.detail.clone());
    }
    if let Some(found) = left_alone(status) {
        return found;
    }
    if waiting("operator").is_some() {
        let phase = current(status).map_or("the next phase", |phase| phase.phase.as_str());
        return (
            Standing::Ready,
            format!("`crossfade advance {run}` runs {phase}"),
        );
    }
    if !status.waiting.is_empty() && waiting("rolling_back").is_none() {
        let list: Vec<String> = status
            .waiting
            .iter()
            .map(|one| format!("{}: {}", one.kind, one.detail))
            .collect();
        return (Standing::Waiting, list.join("; "));
    }
    if status.lease.is_some() {
        return (Standing::Running, pace(status));
    }
    (
        Standing::Stopped,
        format!("nobody drives it: `crossfade advance {run}` goes on"),
    )
}

/// Nobody is at it: an order that ended otherwise than it should, or waits for a server; a step that failed.
fn left_alone(status: &Status) -> Option<(Standing, String)> {
    if status.lease.is_some() {
        return None;
    }
    let failed = current(status)
        .into_iter()
        .flat_map(|phase| &phase.steps)
        .find(|step| step.state == State::Failed);
    if let Some(step) = failed {
        let error = step.error.as_deref().unwrap_or("no error was recorded");
        return Some((Standing::Failed, format!("{}: {error}", step.step)));
    }
    let order = status.order.as_ref()?;
    let why = order.outcome.as_deref().unwrap_or_default();
    if order.is_open() {
        let no_server = nobody_serves(status.server.as_ref()).map(|_| "for a `crossfade serve`");
        let what = no_server.unwrap_or("to be tried again, or for its turn");
        return Some((
            Standing::Waiting,
            format!("order {} waits {what}", order.id),
        ));
    }
    // Of what was begun since then it says nothing.
    let is_news = |ended| {
        status
            .phases
            .iter()
            .all(|phase| phase.started_at.is_none_or(|at| at < ended))
    };
    let ended = order.ended_at.filter(|ended| is_news(*ended));
    (order.state == "failed" && ended.is_some())
        .then(|| (Standing::Failed, format!("order {}: {why}", order.id)))
}

fn current(status: &Status) -> Option<&PhaseStatus> {
    status
        .phases
        .iter()
        .find(|phase| phase.state != State::Completed)
}

/// Of a backfill that is under way.
fn percent(status: &Status) -> Option<u8> {
    let backfill = status.backfill.as_ref()?;
    let is_running = current(status).is_some_and(|phase| phase.phase == PhaseName::Backfill);
    is_running.then(|| progress::percent(backfill.blocks_done, backfill.blocks_total))
}

fn pace(status: &Status) -> String {
    match (&status.backfill, percent(status)) {
        (Some(backfill), Some(_)) if backfill.pace.reasons.is_empty() => {
            time_left(backfill.eta_seconds)
        }
        (Some(backfill), Some(_)) => format!(
            "{}; held back: {}",
            time_left(backfill.eta_seconds),
            backfill.pace.reasons.join("; ")
        ),
        _ => status
            .lease
            .as_ref()
            .map_or(String::new(), |lease| format!("driven by {}", lease.holder)),
    }
}

fn in_words(runs: &[RunSummary], all: bool) -> Text {
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
            let (standing, why) = standing(run.status.as_ref()?);
            Some((standing, why, run))
        })
        .collect();
    active.sort_by_key(|(standing, ..)| *standing);
    let mut text = Text::new();
    for (standing, why, run) in &active {
        let done = run.status.as_ref().and_then(percent);
        let done = done.map_or(String::new(), |percent| format!("{percent} %"));
        text.line(format_args!(
            "{:<width$}  {:<12}  {:<12}  {done:>5}  {}",
            run.line.name,
            standing.as_str(),
            run.line.phase.as_deref().unwrap_or("-"),
            one_line(why),
        ));
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

//! How each active run stands, in a word, and why or what to type: those first that need somebody.

use super::{PhaseStatus, RunSummary, ServerRecord, Status};
use crossfade_decisions::{
    lifecycle::transition::State,
    progress::{self, time_left},
};
use crossfade_plan::document::PhaseName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What an active run does, those first that need somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Failed,
    Stopped,
    #[serde(rename = "rolling back")]
    RollingBack,
    Paused,
    Frozen,
    Blocked,
    Waiting,
    Ready,
    Running,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::RollingBack => "rolling back",
            Self::Paused => "paused",
            Self::Frozen => "frozen",
            Self::Blocked => "blocked",
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
        }
    }
}

impl Status {
    /// How the run stands, and why or what to type.
    pub fn standing(&self) -> (Standing, String) {
        let status = self;
        let run = &self.run;
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
        if let Some(frozen) = waiting("frozen") {
            return (Standing::Frozen, frozen.detail.clone());
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
            let phase = status
                .current_phase()
                .map_or("the next phase", |phase| phase.phase.as_str());
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
            format!("nobody drives it: `crossfade advance {run}` continues"),
        )
    }

    /// The phase that is under way or comes next.
    pub fn current_phase(&self) -> Option<&PhaseStatus> {
        self.phases
            .iter()
            .find(|phase| phase.state != State::Completed)
    }

    /// The backfill goes on and makes no progress, for no reason that is known.
    pub fn is_stuck(&self) -> bool {
        self.percent().is_some()
            && self
                .backfill
                .as_ref()
                .is_some_and(|backfill| backfill.is_stuck)
    }

    /// Of a backfill that is under way.
    pub fn percent(&self) -> Option<u8> {
        let backfill = self.backfill.as_ref()?;
        let is_running = self
            .current_phase()
            .is_some_and(|phase| phase.phase == PhaseName::Backfill);
        is_running.then(|| progress::percent(backfill.blocks_done, backfill.blocks_total))
    }
}

/// Nobody is at it: an order that ended otherwise than it should, or waits for a server; a step that failed.
fn left_alone(status: &Status) -> Option<(Standing, String)> {
    if status.lease.is_some() {
        return None;
    }
    let failed = status
        .current_phase()
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

fn pace(status: &Status) -> String {
    match (&status.backfill, status.percent()) {
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

/// Why nothing happens with an order; `None`: a server is there.
pub fn nobody_serves(server: Option<&ServerRecord>) -> Option<String> {
    match server {
        Some(server) if server.is_alive => None,
        Some(server) => Some(format!(
            "no `crossfade serve` is connected to this database. The last one was seen at {:.0}: {}",
            server.last_seen, server.holder
        )),
        None => Some(
            "no `crossfade serve` has been connected to this database: start one, or the order stays open"
                .to_owned(),
        ),
    }
}

/// What `status --format json` prints without a run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunListing {
    pub runs: Vec<ListedRun>,
}

impl RunListing {
    pub fn of(runs: &[RunSummary]) -> Self {
        Self {
            runs: runs.iter().map(ListedRun::of).collect(),
        }
    }
}

/// A run in one line. How it stands is known of an active run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ListedRun {
    pub run: String,
    pub state: String,
    /// The phase that is under way or comes next; null where none is left.
    pub phase: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// What it stands like this for, or what to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Of a backfill that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Option<u8>>,
}

impl ListedRun {
    pub fn of(run: &RunSummary) -> Self {
        let line = &run.line;
        let standing = run.status.as_ref().map(Status::standing);
        let (standing, why) = standing.unzip();
        Self {
            run: line.name.clone(),
            state: line.state.clone(),
            phase: line.phase.clone(),
            started_at: line.started_at,
            finished_at: line.finished_at,
            standing,
            why,
            percent: run.status.as_ref().map(Status::percent),
        }
    }
}

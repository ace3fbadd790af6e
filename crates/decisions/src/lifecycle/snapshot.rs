//! A run as it is recorded, at one moment: all that deciding needs.

use super::{
    standing::{Standing, Touched},
    transition::{RunState, State},
};
use crossfade_plan::{
    compiled::{Phase, Plan, StepId},
    document::PhaseName,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, fmt};

#[derive(Clone, Debug)]
pub struct Snapshot {
    pub run_id: i64,
    pub plan: Plan,
    pub fingerprint: String,
    pub state: RunState,
    pub started_by: String,
    /// By the database's clock.
    pub now: Timestamp,
    pub pause: Option<Pause>,
    /// Of the whole database.
    pub freeze: Option<Pause>,
    /// Where a rollback that has begun leads.
    pub rolling_back: Option<RollbackTarget>,
    /// It only drops the triggers, as somebody has dropped or renamed what they name.
    pub frees: bool,
    pub phases: BTreeMap<PhaseName, PhaseRecord>,
    pub steps: BTreeMap<StepId, StepRecord>,
    pub approvals: Vec<Approval>,
    /// Rows that hold the gates.
    pub quarantined: i64,
    /// Rows in quarantine that somebody has accepted as they are.
    pub accepted: i64,
    /// The newest finished verification of every `match` step, if each has one.
    pub verification: Option<VerificationRecord>,
    /// When the write counters were last seen to change.
    pub old_writes: Writes,
    pub new_writes: Writes,
    /// Inserts that gave the new side no value, of which it could not be told whether they meant NULL.
    pub untold_writes: i64,
    /// How the functions and triggers stood that keep both sides in step.
    pub stood: Standing,
    /// What somebody changed of them since all rows were last compared.
    pub touched: Option<Touched>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub by: String,
    pub reason: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

impl fmt::Display for Pause {
    /// ` until 2026-12-01T06:00:00Z by ann since …: why`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        write!(f, " by {} since {}: {}", self.by, self.since, self.reason)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollbackTarget {
    /// Where this phase had ended.
    Phase(PhaseName),
    Start,
}

impl RollbackTarget {
    /// What `crossfade rollback RUN` is told to go there.
    pub fn option(self) -> String {
        match self {
            Self::Phase(phase) => format!(" --to {phase}"),
            Self::Start => String::new(),
        }
    }
}

impl fmt::Display for RollbackTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase(phase) => write!(f, "where {phase} had ended"),
            Self::Start => f.write_str("the start"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseRecord {
    pub state: State,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    pub state: State,
    pub attempts: i32,
    pub error: Option<String>,
    /// The parts whose goals held before the step was first run; `None`: nobody has looked.
    pub found: Option<Vec<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub phase: PhaseName,
    pub role: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationRecord {
    pub rows_checked: i64,
    pub rows_different: i64,
    pub rows_accepted: i64,
    pub finished_at: Timestamp,
}

/// A write counter: how far it is and since when it has been there, as far as anybody looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    pub total: i64,
    /// When it was first seen at `total`: the last write happened before.
    pub quiet_since: Option<Timestamp>,
}

impl Snapshot {
    pub fn phase_state(&self, phase: PhaseName) -> State {
        self.phases
            .get(&phase)
            .map_or(State::Pending, |record| record.state)
    }

    pub fn step_state(&self, step: &StepId) -> State {
        self.steps
            .get(step)
            .map_or(State::Pending, |record| record.state)
    }

    /// The phase that is under way or comes next; `None` when all are completed.
    pub fn current_phase(&self) -> Option<&Phase> {
        self.plan
            .phases
            .iter()
            .find(|phase| self.phase_state(phase.name) != State::Completed)
    }

    /// The pause in force.
    pub fn paused(&self) -> Option<&Pause> {
        self.pause
            .as_ref()
            .filter(|pause| pause.until.is_none_or(|until| self.now < until))
    }

    /// Whether `phase` has been completed.
    pub fn has_completed(&self, phase: PhaseName) -> bool {
        self.phase_state(phase) == State::Completed
    }
}

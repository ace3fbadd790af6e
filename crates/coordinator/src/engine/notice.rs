//! What the engine tells while it works. Faces decide how it looks.

use crate::database::activity::Blocker;
use crossfade_decisions::lifecycle::{next::Wait, snapshot::Pause};
use crossfade_plan::{compiled::StepId, document::PhaseName};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Of a run whose plan has this fingerprint.
    Drives {
        fingerprint: String,
    },
    PhaseStarted(PhaseName),
    PhaseFinished(PhaseName),
    PhaseReversed(PhaseName),
    StepStarted(StepId),
    StepFinished(StepId),
    /// The catalog showed the effect already.
    StepFound(StepId),
    StepReversed(StepId),
    /// It had not got as far as to change anything.
    StepHadChangedNothing(StepId),
    /// What it does was there before it, and stays.
    StepLeavesWhatItFound(StepId),
    /// A lock could not be acquired, or is not requested yet, as another session holds the table for long.
    Blocked {
        step: StepId,
        attempt: u32,
        blockers: Vec<Blocker>,
        retry_in: Duration,
    },
    EndedBlocker {
        step: StepId,
        pid: i32,
    },
    IndexProgress {
        step: StepId,
        phase: String,
        done: i64,
        total: i64,
        waits_for: Option<i32>,
    },
    WalkProgress(WalkProgress),
    /// The walk began again: the table was rewritten.
    WalkRestarted {
        step: StepId,
    },
    /// The triggers were touched while the rows were compared: what was seen does not count.
    LooksAgain {
        step: StepId,
    },
    /// The next pass does not begin yet.
    WalkWaits {
        step: StepId,
        why: String,
    },
    /// A process that only helps has found this step to help with.
    Helping {
        step: StepId,
    },
    /// Somebody has cancelled a statement of ours: tried again.
    Cancelled {
        why: String,
        retry_in: Duration,
    },
    /// The database went away in the middle, or has no room for us: tried again.
    Away {
        why: String,
        retry_in: Duration,
    },
    /// The triggers were not in place, and are again. What was wrong with them.
    SyncPutBack(Vec<String>),
    /// Somebody changed the triggers by hand, whether or not they are in place by now. What was changed.
    SyncTouched(Vec<String>),
    /// A rollback has ended the triggers of tables or columns that somebody has dropped or renamed, and drops nothing. Which.
    Freed(Vec<String>),
    /// What such a rollback leaves as it is.
    Left(Vec<String>),
    Quarantined {
        step: StepId,
        rows: i64,
    },
    /// By a rollback.
    PauseEnded(Pause),
    /// A gate that `--wait` waits for.
    Waiting(Wait),
    RunFinished,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WalkProgress {
    pub step: StepId,
    pub table: String,
    pub pass: i32,
    pub blocks_done: i64,
    pub blocks_total: i64,
    /// Changed by a fill, read by a match.
    pub rows: i64,
    pub rows_per_second: f64,
    pub seconds_left: Option<(u64, u64)>,
    pub reasons: Vec<String>,
}

pub trait Reporter: Send + Sync {
    fn notice(&self, notice: Notice);
}

/// Tells nobody.
pub struct Silent;

impl Reporter for Silent {
    fn notice(&self, _: Notice) {}
}

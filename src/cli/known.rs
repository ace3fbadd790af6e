//! What is known of a run beside a notice's words, for logs that programs read.

use super::stderr::Level;
use crossfade_coordinator::notice::Notice;
use crossfade_plan::{compiled::StepId, document::PhaseName};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Where the run is, by the notices so far.
#[derive(Default)]
pub struct Known {
    fingerprint: Option<String>,
    phase: Option<(PhaseName, Instant)>,
    step: Option<(StepId, Instant)>,
}

impl Known {
    /// Notes what the notice says, and gives all that is known with it: `run`, `fingerprint`, `phase`, `step`, `action`, and
    /// `duration_ms` of what has ended.
    pub fn note(&mut self, run: &str, notice: &Notice) -> Map<String, Value> {
        let mut duration = None;
        match notice {
            Notice::Drives { fingerprint } => self.fingerprint = Some(fingerprint.clone()),
            Notice::PhaseStarted(phase) => self.phase = Some((*phase, Instant::now())),
            Notice::StepStarted(step) => self.step = Some((step.clone(), Instant::now())),
            Notice::StepFinished(_) | Notice::StepFound(_) => {
                duration = self.step.as_ref().map(|(_, since)| since.elapsed());
            }
            Notice::PhaseFinished(_) => {
                duration = self.phase.as_ref().map(|(_, since)| since.elapsed());
            }
            _ => {}
        }
        let mut known = Map::new();
        known.insert("run".to_owned(), json!(run));
        let mut put = |key: &str, value: Option<Value>| {
            known.extend(value.map(|value| (key.to_owned(), value)));
        };
        put(
            "fingerprint",
            self.fingerprint.as_ref().map(|one| json!(one)),
        );
        let phase = phase_of(notice).or(self.phase.as_ref().map(|(phase, _)| *phase));
        put("phase", phase.map(|phase| json!(phase)));
        let step = step_of(notice).or(self.step.as_ref().map(|(step, _)| step));
        put("step", step.map(|step| json!(step)));
        put("action", Some(json!(action(notice))));
        let milliseconds = duration.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        put("duration_ms", milliseconds.map(|took| json!(took)));
        match notice {
            Notice::StepFinished(_) => self.step = None,
            Notice::PhaseFinished(_) => (self.phase, self.step) = (None, None),
            _ => {}
        }
        known
    }
}

fn phase_of(notice: &Notice) -> Option<PhaseName> {
    match notice {
        Notice::PhaseStarted(phase)
        | Notice::PhaseFinished(phase)
        | Notice::PhaseReversed(phase) => Some(*phase),
        _ => None,
    }
}

fn step_of(notice: &Notice) -> Option<&StepId> {
    match notice {
        Notice::StepStarted(step)
        | Notice::StepFinished(step)
        | Notice::StepFound(step)
        | Notice::StepReversed(step)
        | Notice::StepHadChangedNothing(step)
        | Notice::StepLeavesWhatItFound(step)
        | Notice::Blocked { step, .. }
        | Notice::EndedBlocker { step, .. }
        | Notice::IndexProgress { step, .. }
        | Notice::WalkRestarted { step }
        | Notice::LooksAgain { step }
        | Notice::WalkWaits { step, .. }
        | Notice::Helping { step }
        | Notice::Quarantined { step, .. } => Some(step),
        Notice::WalkProgress(progress) => Some(&progress.step),
        _ => None,
    }
}

/// What happens, in one word.
fn action(notice: &Notice) -> &'static str {
    match notice {
        Notice::Drives { .. } => "drives",
        Notice::PhaseStarted(_) => "phase_started",
        Notice::PhaseFinished(_) => "phase_finished",
        Notice::PhaseReversed(_) => "phase_undone",
        Notice::StepStarted(_) => "step_started",
        Notice::StepFinished(_) => "step_finished",
        Notice::StepFound(_) => "step_found",
        Notice::StepReversed(_) => "step_undone",
        Notice::StepHadChangedNothing(_) | Notice::StepLeavesWhatItFound(_) => "step_left",
        Notice::Blocked { .. } => "blocked",
        Notice::EndedBlocker { .. } => "ended_blocker",
        Notice::IndexProgress { .. } => "index_progress",
        Notice::WalkProgress(_) => "progress",
        Notice::WalkRestarted { .. } => "restarted",
        Notice::LooksAgain { .. } => "looks_again",
        Notice::WalkWaits { .. } | Notice::Waiting(_) => "waiting",
        Notice::Helping { .. } => "helping",
        Notice::Cancelled { .. } => "cancelled",
        Notice::Away { .. } => "away",
        Notice::SyncPutBack(_) => "sync_put_back",
        Notice::SyncTouched(_) => "sync_touched",
        Notice::Freed(_) => "freed",
        Notice::Left(_) => "left",
        Notice::Quarantined { .. } => "quarantined",
        Notice::PauseEnded(_) => "pause_ended",
        Notice::RunFinished => "run_finished",
    }
}

pub fn level(notice: &Notice) -> Level {
    match notice {
        Notice::Blocked { .. }
        | Notice::EndedBlocker { .. }
        | Notice::Cancelled { .. }
        | Notice::Away { .. }
        | Notice::SyncTouched(_)
        | Notice::Quarantined { .. } => Level::Warn,
        _ => Level::Info,
    }
}

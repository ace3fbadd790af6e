//! `next(snapshot, gate) -> what to do`: every wait has a reason that an operator can read.

use super::{
    gate::ConditionStatus,
    snapshot::{Pause, RollbackTarget, Snapshot},
    transition::{RunState, State},
};
use crossfade_plan::{
    compiled::{Phase, PlannedStep, StepId},
    document::{PhaseName, RunName},
};
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The gate is open: the phase may be started.
    StartPhase(PhaseName),
    /// These steps, as one: more than one only where they share a transaction.
    Run(Vec<StepId>),
    FinishPhase(PhaseName),
    FinishRun,
    Wait(Wait),
    Finished(RunState),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    Paused(Pause),
    /// Nothing begins in this database.
    Frozen(Pause),
    /// The conditions that do not hold.
    Gate(PhaseName, Vec<ConditionStatus>),
    /// A rollback has begun and has not ended.
    RollingBack(RunName, RollbackTarget),
}

impl fmt::Display for Wait {
    /// On one line, if what people wrote is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused(pause) => write!(f, "paused{pause}"),
            Self::Frozen(freeze) => write!(f, "the database is frozen{freeze}"),
            Self::Gate(phase, conditions) => {
                let list: Vec<String> = conditions
                    .iter()
                    .map(|condition| {
                        let until = condition
                            .until
                            .map_or(String::new(), |until| format!(" (until {until})"));
                        format!("{}: {}{until}", condition.kind, condition.detail)
                    })
                    .collect();
                write!(f, "the gate of {phase} is closed: {}", list.join("; "))
            }
            Self::RollingBack(run, target) => write!(
                f,
                "a rollback to {target} has begun: `crossfade rollback {run}{}` continues it",
                target.option()
            ),
        }
    }
}

/// `gate`: the conditions of the current phase, evaluated.
pub fn next(snapshot: &Snapshot, gate: &[ConditionStatus]) -> Next {
    if snapshot.state != RunState::Active {
        return Next::Finished(snapshot.state);
    }
    if let Some(target) = snapshot.rolling_back {
        return Next::Wait(Wait::RollingBack(snapshot.plan.name.clone(), target));
    }
    if let Some(pause) = snapshot.paused() {
        return Next::Wait(Wait::Paused(pause.clone()));
    }
    if let Some(freeze) = &snapshot.freeze {
        return Next::Wait(Wait::Frozen(freeze.clone()));
    }
    let Some(phase) = snapshot.current_phase() else {
        return Next::FinishRun;
    };
    match snapshot.phase_state(phase.name) {
        State::Pending | State::Reverted => {
            let closed: Vec<ConditionStatus> = gate
                .iter()
                .filter(|condition| !condition.holds)
                .cloned()
                .collect();
            if closed.is_empty() {
                Next::StartPhase(phase.name)
            } else {
                Next::Wait(Wait::Gate(phase.name, closed))
            }
        }
        State::Running | State::Failed | State::Completed | State::Reverting => {
            let unit = units(phase).into_iter().find(|unit| {
                unit.iter()
                    .any(|step| snapshot.step_state(&step.id) != State::Completed)
            });
            match unit {
                Some(unit) => Next::Run(unit.iter().map(|step| step.id.clone()).collect()),
                None => Next::FinishPhase(phase.name),
            }
        }
    }
}

/// The steps that stand or fall together. In `contract` all do: after the triggers are dropped an insert would miss
/// the default or violate the old column's NOT NULL, so no moment may lie between its statements.
pub fn units(phase: &Phase) -> Vec<Vec<&PlannedStep>> {
    if phase.steps.is_empty() {
        return Vec::new();
    }
    match phase.name {
        PhaseName::Contract => vec![phase.steps.iter().collect()],
        PhaseName::Expand
        | PhaseName::DualWrite
        | PhaseName::Backfill
        | PhaseName::Verify
        | PhaseName::Enforce
        | PhaseName::SwitchReads
        | PhaseName::Retire
        | PhaseName::Sql => phase.steps.iter().map(|step| vec![step]).collect(),
    }
}

const CONTRACTED: &str =
    "`contract` has completed and dropped the old side. The only way back is a backup";

/// Whether a rollback can lead there. One that is under way can be led further back; what is nearer it may have passed. The
/// error says so to whoever asked.
pub fn check_rollback_target(snapshot: &Snapshot, asked: RollbackTarget) -> Result<(), String> {
    match snapshot.state {
        RunState::RolledBack => return Err("the run is rolled back already".to_owned()),
        // Without a `contract` the plan took nothing away.
        RunState::Completed if snapshot.plan.phase(PhaseName::Contract).is_some() => {
            return Err(CONTRACTED.to_owned());
        }
        RunState::Completed | RunState::Active => {}
    }
    if let RollbackTarget::Phase(phase) = asked
        && snapshot.plan.phase(phase).is_none()
    {
        let phases = snapshot.plan.phases.iter().map(|phase| phase.name.as_str());
        return Err(format!(
            "the plan of {} has no phase {phase}; its phases are {}",
            snapshot.plan.name,
            phases.collect::<Vec<_>>().join(", ")
        ));
    }
    if let RollbackTarget::Phase(phase) = asked
        && snapshot.rolling_back.is_none()
        && !snapshot.has_completed(phase)
    {
        return Err(format!(
            "{phase} has not been completed: there is no such place to go back to"
        ));
    }
    let place = |target| match target {
        RollbackTarget::Start => None,
        RollbackTarget::Phase(phase) => snapshot.plan.position(phase),
    };
    match snapshot.rolling_back {
        Some(under_way) if place(asked) > place(under_way) => Err(format!(
            "a rollback to {under_way} is in progress and has passed {asked}. `crossfade rollback {run}{}` continues it, and `crossfade advance {run}` goes forward again",
            under_way.option(),
            run = snapshot.plan.name,
        )),
        Some(_) | None => Ok(()),
    }
}

/// The phases that a rollback to `target` reverses, newest first.
pub fn to_reverse(snapshot: &Snapshot, target: RollbackTarget) -> Vec<PhaseName> {
    snapshot
        .plan
        .phases
        .iter()
        .rev()
        .map(|phase| phase.name)
        .take_while(|phase| match target {
            RollbackTarget::Start => true,
            RollbackTarget::Phase(kept) => *phase != kept,
        })
        .filter(|phase| snapshot.phase_state(*phase).has_begun())
        .collect()
}

//! Whether a release of the application may run beside a run as it stands: for a pipeline that deploys, or that goes back.

use super::{
    snapshot::Snapshot,
    transition::{RunState, State},
};
use crossfade_plan::{compiled::Plan, document::PhaseName};

/// What a release of the application needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// What was there before the run.
    Old,
    /// What the run makes, with a value in every row.
    New,
    /// What the run makes. It writes, and does not rely on rows that others wrote.
    NewWriter,
}

/// `Err`: why it may not run, and what changes that.
pub type Verdict = Result<(), String>;

/// Whether that release may run at this moment.
pub fn may_run(snapshot: &Snapshot, release: Release) -> Verdict {
    match release {
        Release::Old => may_run_old(snapshot),
        Release::New => may_run_new(snapshot, before_the_switch(&snapshot.plan)),
        Release::NewWriter => {
            let synced = snapshot.plan.phase(PhaseName::DualWrite).is_some();
            let phases = if synced {
                vec![PhaseName::Expand, PhaseName::DualWrite]
            } else {
                before_the_switch(&snapshot.plan)
            };
            may_run_new(snapshot, phases)
        }
    }
}

/// The phases after which the new shape is complete: rows are filled and compared, indexes and constraints are there.
fn before_the_switch(plan: &Plan) -> Vec<PhaseName> {
    let switches = |phase: &PhaseName| {
        matches!(
            phase,
            PhaseName::SwitchReads | PhaseName::Retire | PhaseName::Contract
        )
    };
    let phases = plan.phases.iter().map(|phase| phase.name);
    phases.take_while(|phase| !switches(phase)).collect()
}

/// The phase that takes the old shape away: a name, or with a constraint the freedom to break it.
fn end_of_the_old(plan: &Plan) -> Option<PhaseName> {
    let removes = [PhaseName::Retire, PhaseName::Contract];
    let has = |phase: &PhaseName| plan.phase(*phase).is_some_and(|one| !one.steps.is_empty());
    let constrains = plan.phase(PhaseName::DualWrite).is_none();
    let enforces = Some(PhaseName::Enforce).filter(|phase| constrains && has(phase));
    enforces.or_else(|| removes.into_iter().find(has))
}

fn may_run_old(snapshot: &Snapshot) -> Verdict {
    let run = &snapshot.plan.name;
    let Some(phase) = end_of_the_old(&snapshot.plan) else {
        return Ok(());
    };
    if snapshot.state == RunState::RolledBack {
        return Ok(());
    }
    match snapshot.phase_state(phase) {
        State::Pending | State::Reverted => Ok(()),
        State::Reverting => Err(format!("{phase} of {run} is being undone")),
        State::Running | State::Failed | State::Completed => {
            let contracted = snapshot.phase_state(PhaseName::Contract).has_begun();
            Err(match previous(&snapshot.plan, phase) {
                _ if contracted => format!(
                    "contract of {run} has begun: what the old release uses is dropped for good"
                ),
                Some(before) => format!(
                    "{phase} of {run} has begun. `crossfade rollback {run} --to {before}` undoes it"
                ),
                None => {
                    format!("{phase} of {run} has begun. `crossfade rollback {run}` undoes it")
                }
            })
        }
    }
}

fn previous(plan: &Plan, phase: PhaseName) -> Option<PhaseName> {
    let before = plan.phases.iter().map(|one| one.name);
    before.take_while(|one| *one != phase).last()
}

fn may_run_new(snapshot: &Snapshot, phases: Vec<PhaseName>) -> Verdict {
    let run = &snapshot.plan.name;
    if snapshot.state == RunState::RolledBack {
        return Err(format!("the run {run} is rolled back"));
    }
    if let Some(target) = snapshot.rolling_back {
        return Err(format!("a rollback of {run} to {target} is in progress"));
    }
    let is_left = |phase: &PhaseName| {
        snapshot.plan.phase(*phase).is_some() && !snapshot.has_completed(*phase)
    };
    if let Some(phase) = phases.iter().find(|phase| is_left(phase)) {
        let state = snapshot.phase_state(*phase);
        let last = phases.last().unwrap_or(phase);
        return Err(format!(
            "{phase} of {run} is {state}. `crossfade advance {run} --to {last}` completes what the new release needs"
        ));
    }
    if snapshot.state == RunState::Active && snapshot.touched.is_some() {
        return Err(format!(
            "somebody changed the triggers that keep both sides in step, and rows have not been compared since. `crossfade verify {run}` compares them"
        ));
    }
    let different = snapshot
        .verification
        .as_ref()
        .map_or(0, |found| found.rows_different);
    if snapshot.state == RunState::Active && different > 0 {
        return Err(format!(
            "{different} rows differed when {run} compared them last. `crossfade verify {run}` names them"
        ));
    }
    Ok(())
}

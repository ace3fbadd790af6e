//! Going back: the reverse of each completed step, newest first. What it would cost the application is counted before
//! anything is recorded, and values are dropped only if the person names them with `--discard`.

mod freeing;
mod refusals;
pub use refusals::{Foreseen, foresee};

use super::{
    EngineError, Outcome, by_hand,
    ddl::{self, OnlyIf, Reached},
    drift, failpoint,
    notice::Notice,
    session::Driver,
    toll,
};
use crate::store::{approvals, orders, pauses, quarantine, rollbacks, runs, walks};
use crossfade_decisions::lifecycle::{
    next::{Wait, units},
    snapshot::{Pause, RollbackTarget, Snapshot},
    toll::misnamed,
    transition::{Event, RunState, State},
};
use crossfade_model::ident::TableName;
use crossfade_plan::sqlgen::{
    cost::WOULD_LOSE,
    ddl_unit::{DdlUnit, Goal, How, Statement},
};
use crossfade_plan::{
    compiled::{Action, PlannedStep, StepId},
    document::PhaseName,
    steps::{Undo, Work, add_constraint, attach_index, create_index, sync_columns, sync_tables},
};
use crossfade_postgres::sqlstate::{self, ErrorClass};
use std::collections::BTreeSet;

impl Driver {
    /// Back to where `target` had ended, or to the start. `discards`: what may go with it, as `Thing`s are written.
    pub async fn roll_back(
        &mut self,
        target: RollbackTarget,
        discards: &BTreeSet<String>,
    ) -> Result<Outcome, EngineError> {
        let (snapshot, _) = self.look().await?;
        let foreseen = foresee(&mut self.work, &snapshot, target, &self.stop).await?;
        if let Some(wrong) = misnamed(discards, &toll::things(&snapshot.plan)) {
            return Err(EngineError::Refused(wrong));
        }
        let Foreseen {
            phases,
            reopens,
            begins,
            frees,
            toll,
            refused,
        } = foreseen;
        if let Some(why) = refused {
            return Err(EngineError::Refused(why));
        }
        let undoes = !phases.is_empty() || snapshot.rolling_back.is_some();
        let command = format!("crossfade rollback {}{}", self.run, target.option());
        if let Some(why) = toll.refusal(discards, &command) {
            return Err(self.given_up(snapshot.rolling_back, why).await?);
        }
        let pause = snapshot.paused();
        let said = toll.discarded(discards);
        if (undoes || target == RollbackTarget::Start)
            && (begins || pause.is_some() || !said.is_empty())
        {
            let order = self.order;
            self.record("rollback begin", async |transaction, lease| {
                // What was ordered before would take the run forward again.
                orders::supersede(transaction, lease.run_id, order, "a rollback began").await?;
                if pause.is_some() {
                    let why = format!("a rollback to {target}");
                    pauses::resume(transaction, lease.run_id, Some(&why)).await?;
                }
                if reopens {
                    runs::reopen(transaction, lease, &snapshot.plan).await?;
                }
                if begins || !said.is_empty() {
                    rollbacks::begin(transaction, lease, target, &said).await?;
                }
                Ok(())
            })
            .await?;
            if let Some(pause) = pause {
                self.reporter.notice(Notice::PauseEnded(pause.clone()));
            }
        }
        if frees && let Some(outcome) = self.freed(&snapshot).await? {
            return Ok(outcome);
        }
        for phase in phases {
            match self.reverse_phase(phase, discards).await {
                Ok(None) => {}
                Ok(Some(outcome)) => return Ok(outcome),
                Err(EngineError::Refused(why)) => {
                    return Err(self.given_up(Some(target), why).await?);
                }
                Err(error) => return Err(error),
            }
        }
        self.record("rollback end", async |transaction, lease| {
            rollbacks::end(transaction, lease).await?;
            match target {
                RollbackTarget::Start => {
                    quarantine::clear(transaction, lease.run_id).await?;
                    runs::finish(transaction, lease, RunState::RolledBack).await
                }
                // Who approved had not seen what made somebody go back.
                RollbackTarget::Phase(phase) if undoes => {
                    approvals::void_approvals(transaction, lease.run_id, phase).await
                }
                RollbackTarget::Phase(_) => Ok(()),
            }
        })
        .await?;
        Ok(Outcome::Done)
    }

    /// Refused on the way: the run is not left between going back, which it cannot, and coming forward, which it may not.
    async fn given_up(
        &mut self,
        under_way: Option<RollbackTarget>,
        why: String,
    ) -> Result<EngineError, EngineError> {
        if under_way.is_none() {
            return Ok(EngineError::Refused(why));
        }
        self.record("rollback given up", async |transaction, lease| {
            rollbacks::give_up(transaction, lease, &why).await
        })
        .await?;
        Ok(EngineError::Refused(format!(
            "{why}. The rollback has ended here. `crossfade advance {}` goes forward again",
            self.run
        )))
    }

    /// Ends what keeps the application from writing, before anything else. `Some`: it was stopped.
    async fn freed(&mut self, snapshot: &Snapshot) -> Result<Option<Outcome>, EngineError> {
        loop {
            match self.free(snapshot).await? {
                Reached::Ran | Reached::WasThere => {
                    self.drop_counters(&snapshot.plan).await?;
                    return Ok(None);
                }
                Reached::Interrupted => return Ok(Some(Outcome::Interrupted)),
                Reached::Paused => {
                    if let Some(pause) = self.pause().await? {
                        return Ok(Some(Outcome::Waiting(Wait::Paused(pause))));
                    }
                }
            }
        }
    }

    async fn reverse_phase(
        &mut self,
        phase: PhaseName,
        discards: &BTreeSet<String>,
    ) -> Result<Option<Outcome>, EngineError> {
        let snapshot = runs::snapshot(&*self.work, self.lease.run_id).await?;
        let Some(planned) = snapshot.plan.phase(phase) else {
            return Ok(None);
        };
        self.record(
            &format!("phase {phase} revert"),
            async |transaction, lease| {
                runs::phase_event(transaction, lease, phase, Event::Revert).await
            },
        )
        .await?;
        let steps: Vec<StepId> = units(planned)
            .into_iter()
            .rev()
            .flat_map(|unit| {
                unit.into_iter()
                    .rev()
                    .map(|step| step.id.clone())
                    .collect::<Vec<_>>()
            })
            .collect();
        for step in steps {
            if self.stop.is_cancelled() {
                return Ok(Some(Outcome::Interrupted));
            }
            if let Some(outcome) = self.reverse_step(&snapshot, &step, discards).await? {
                return Ok(Some(outcome));
            }
        }
        self.record(
            &format!("phase {phase} reverted"),
            async |transaction, lease| {
                runs::phase_event(transaction, lease, phase, Event::FinishReverting).await
            },
        )
        .await?;
        self.reporter.notice(Notice::PhaseReversed(phase));
        Ok(None)
    }

    async fn pause(&self) -> Result<Option<Pause>, EngineError> {
        let snapshot = runs::snapshot(&*self.work, self.lease.run_id).await?;
        Ok(snapshot.paused().cloned())
    }

    async fn reverse_step(
        &mut self,
        snapshot: &Snapshot,
        id: &StepId,
        discards: &BTreeSet<String>,
    ) -> Result<Option<Outcome>, EngineError> {
        let state = snapshot.step_state(id);
        if !state.has_begun() {
            return Ok(None);
        }
        let plan = &snapshot.plan;
        let Some((phase, step)) = plan.steps().find(|(_, step)| step.id == *id) else {
            return Ok(None);
        };
        self.name_step(id).await?;
        self.record(&format!("{id} revert"), async |transaction, lease| {
            runs::step_event(transaction, lease, id, Event::Revert, None).await
        })
        .await?;
        let own = toll::is_its_own(snapshot, step);
        let stands = own && toll::may_stand(&*self.work, plan, step, state).await?;
        let dropped = drift::all_dropped(&*self.work, snapshot).await?;
        if stands && !snapshot.frees {
            // Somebody may have put something else there since the rollback began.
            by_hand::require_own(&*self.work, snapshot, std::iter::once(step)).await?;
        }
        // Looked at again with the lock held, in the transaction that takes it away.
        let guarded_losses = toll::guarded(&self.work, snapshot, step, discards).await?;
        let guards: Vec<Statement> = guarded_losses
            .iter()
            .flat_map(|loss| loss.guard(snapshot.run_id, toll::LOCKED_LOOK_MS))
            .map(Statement::new)
            .collect();
        let end = end_of_sync(snapshot, &step.action).map(|end| guarded(end, &guards));
        loop {
            let reached = match (&end, step.action.undo(plan)) {
                _ if snapshot.frees => self.reverse_freely(snapshot, step).await?,
                _ if !stands => Reached::WasThere,
                (end, undo) if !dropped.is_empty() => {
                    let parts = without(end.as_ref(), undo, &dropped);
                    ddl::run_parts(self, plan, id, &parts).await?
                }
                (Some(end), _) => {
                    let place = format!("{id} part 1");
                    let only_if = Some(OnlyIf::NothingIsLost(discards));
                    ddl::run_together(self, plan, id, &place, &[end], only_if)
                        .await
                        .map_err(refusal)?
                }
                (None, Undo::Nothing) => Reached::WasThere,
                (None, Undo::Irreversible)
                    if phase.name == PhaseName::Contract && state != State::Completed =>
                {
                    Reached::WasThere
                }
                (None, Undo::Irreversible) => {
                    return Err(EngineError::Refused(format!("{id} cannot be undone")));
                }
                // In its own loop: the newest effect goes first, and each is observed by itself.
                (None, Undo::Parts(mut parts)) => {
                    if parts.first().is_some_and(|part| part.how == How::Locking) {
                        let first = parts.remove(0);
                        parts.insert(0, guarded(first, &guards));
                    }
                    match ddl::run_parts(self, plan, id, &parts).await {
                        Err(error) if is_violation(&error) => {
                            return Err(self.take_back(snapshot, step, &parts, error).await?);
                        }
                        other => other.map_err(refusal)?,
                    }
                }
            };
            match reached {
                Reached::Ran | Reached::WasThere => break,
                Reached::Interrupted => return Ok(Some(Outcome::Interrupted)),
                // Somebody's, since it began. One that has ended meanwhile is over.
                Reached::Paused => {
                    if let Some(pause) = self.pause().await? {
                        return Ok(Some(Outcome::Waiting(Wait::Paused(pause))));
                    }
                }
            }
        }
        failpoint::pass(|| format!("{id}: reverted"));
        self.record(&format!("{id} reverted"), async |transaction, lease| {
            walks::forget(transaction, lease, &id.0).await?;
            runs::step_event(transaction, lease, id, Event::FinishReverting, None).await
        })
        .await?;
        self.reporter.notice(match (own, stands) {
            (false, _) => Notice::StepLeavesWhatItFound(id.clone()),
            (true, true) => Notice::StepReversed(id.clone()),
            (true, false) => Notice::StepHadChangedNothing(id.clone()),
        });
        Ok(None)
    }

    /// Rows break what was being put back: what of it is in force already would make writes fail, and is taken away again.
    async fn take_back(
        &mut self,
        snapshot: &Snapshot,
        step: &PlannedStep,
        undo: &[DdlUnit],
        error: EngineError,
    ) -> Result<EngineError, EngineError> {
        let plan = &snapshot.plan;
        if step.action.cost(plan).obstacles.is_empty() {
            return Ok(EngineError::Refused(error.to_string()));
        }
        let mut parts = Vec::new();
        if let Work::Parts(forward) = step.action.work(plan) {
            parts.push(forward);
        }
        let counters = undo.iter().rev().filter_map(counter);
        parts.extend(counters.map(|part| vec![part]));
        for parts in parts {
            ddl::run_parts(self, plan, &step.id, &parts).await?;
        }
        let found = toll::obstacles(&mut self.work, snapshot, step).await?;
        let named = found.refusal(&BTreeSet::new(), "");
        Ok(EngineError::Refused(
            named.unwrap_or_else(|| error.to_string()),
        ))
    }
}

/// The statements come first, once the part's locks are held.
fn guarded(mut part: DdlUnit, guards: &[Statement]) -> DdlUnit {
    part.statements.splice(0..0, guards.iter().cloned());
    part
}

/// What would be the same the next time is a refusal: a guard's error, whatever the server does not allow, and what stands under a
/// name. The rollback is given up then, or it and `advance` would name each other for ever. What may pass is tried again.
fn refusal(error: EngineError) -> EngineError {
    match &error {
        EngineError::Conflict { .. } => EngineError::Refused(error.to_string()),
        EngineError::Statement { error: cause, .. } => {
            let Some(server) = cause.as_db_error() else {
                return error;
            };
            let code = server.code().code();
            if code == WOULD_LOSE {
                return EngineError::Refused(server.message().to_owned());
            }
            // Ours: a lease that is lost, say.
            if code.starts_with("CF") {
                return error;
            }
            match sqlstate::classify(cause) {
                ErrorClass::ConnectionLost
                | ErrorClass::LockNotHad
                | ErrorClass::ReadOnly
                | ErrorClass::Cancelled
                | ErrorClass::Resources => error,
                ErrorClass::Conversion
                | ErrorClass::Privilege
                | ErrorClass::MissingSchema
                | ErrorClass::Other => EngineError::Refused(error.to_string()),
            }
        }
        _ => error,
    }
}

/// A row breaks a constraint.
fn is_violation(error: &EngineError) -> bool {
    match error {
        EngineError::Statement { error, .. } => error
            .code()
            .is_some_and(|state| state.code().starts_with("23")),
        _ => false,
    }
}

/// What takes away again what a part has put back.
fn counter(part: &DdlUnit) -> Option<DdlUnit> {
    match part.goal.itself() {
        Goal::Constraint { table, name, .. } => {
            Some(add_constraint::drop_constraint(table, name, None))
        }
        Goal::Index { table, name, .. } => Some(create_index::drop_index(table, name)),
        Goal::PartitionedIndex { table, name } => Some(attach_index::drop_partitioned(table, name)),
        _ => None,
    }
}

/// What is left to do of a step where these tables have been dropped: of the end of the dual writes, the functions.
fn without(end: Option<&DdlUnit>, undo: Undo, dropped: &[TableName]) -> Vec<DdlUnit> {
    let is_about = |statement: &Statement| {
        let mut locks = statement.locks.iter();
        locks.any(|lock| dropped.contains(&lock.table))
    };
    match (end, undo) {
        (Some(end), _) => {
            let mut end = end.clone();
            end.statements.retain(|statement| !is_about(statement));
            vec![end]
        }
        (None, Undo::Parts(mut parts)) => {
            parts.retain(|part| !part.statements.iter().any(is_about));
            parts
        }
        (None, Undo::Nothing | Undo::Irreversible) => Vec::new(),
    }
}

/// What ends the dual writes, in one transaction with what the new version wrote to: whatever it writes until then is on
/// both sides, and there is no moment in which it could write to the new one alone.
fn end_of_sync(snapshot: &Snapshot, action: &Action) -> Option<DdlUnit> {
    let plan = &snapshot.plan;
    let own = |step: &PlannedStep| toll::is_its_own(snapshot, step);
    match (action, snapshot.rolling_back) {
        (Action::SyncColumns(sync), Some(RollbackTarget::Phase(_))) => {
            sync_columns::undo_to_expand(plan, sync, own)
        }
        (Action::SyncColumns(sync), _) => Some(sync_columns::undo_to_start(plan, sync, own)),
        (Action::SyncTables(link), Some(RollbackTarget::Phase(_))) => {
            sync_tables::undo_to_expand(plan, link, own)
        }
        (Action::SyncTables(link), _) => Some(sync_tables::undo_to_start(plan, link, own)),
        _ => None,
    }
}

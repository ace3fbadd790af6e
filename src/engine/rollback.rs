//! Going back: the reverse of each completed step, newest first. Until `contract`, nothing is lost by it.

use super::{
    EngineError, Outcome,
    ddl::{self, OnlyIf, Reached},
    drift, failpoint,
    notice::Notice,
    quarantine::lost_by_going_back,
    session::Driver,
    verify::names_now,
};
use crate::lifecycle::{
    next::{Wait, check_rollback_target, to_reverse, units},
    snapshot::{Pause, RollbackTarget, Snapshot},
    transition::{Event, RunState, State},
};
use crate::plan::{
    compiled::{Action, Plan, PlannedStep, StepId},
    document::PhaseName,
    ident::TableName,
    steps::{DdlStep, Undo, Work, add_column::AddColumn, sync_columns, sync_tables},
};
use crate::statement::part::{Goal, Part, Statement};
use crate::store::{quarantine, runs, walks};
use crate::target::{
    catalog,
    observe::{Observed, observe},
};
use std::time::Duration;

/// How long new-version writers are listened for before the new column is taken away.
const LISTEN: Duration = Duration::from_millis(1_500);

const CONTRACTED: &str =
    "contract has been done: what was old is gone. There is no way back but a backup";

impl Driver {
    /// Back to where `target` had ended, or to the start.
    pub async fn roll_back(&mut self, target: RollbackTarget) -> Result<Outcome, EngineError> {
        let (snapshot, _) = self.look().await?;
        let reopens = match snapshot.state {
            RunState::Active => false,
            // Without a `contract` nothing that it did is lost.
            RunState::Completed => snapshot.plan.phase(PhaseName::Contract).is_none(),
            RunState::RolledBack => false,
        };
        if snapshot.state != RunState::Active && !reopens {
            return Err(EngineError::Refused(
                match snapshot.state {
                    RunState::Completed => CONTRACTED,
                    RunState::Active | RunState::RolledBack => "the run is rolled back already",
                }
                .to_owned(),
            ));
        }
        if let RollbackTarget::Phase(phase) = target {
            if snapshot.plan.phase(phase).is_none() {
                return Err(EngineError::NoPhase(phase));
            }
            check_rollback_target(&snapshot, target).map_err(EngineError::Refused)?;
            if !snapshot.has_completed(phase) {
                return Err(EngineError::Refused(format!(
                    "{phase} has not been completed: there is no such place to go back to"
                )));
            }
        }
        let pause = snapshot.paused();
        if let Some(pause) = pause
            && runs::is_paused_with_all(&*self.work, snapshot.run_id).await?
        {
            return Ok(Outcome::Waiting(Wait::Paused(pause.clone())));
        }
        let phases = to_reverse(&snapshot, target);
        let undoes = !phases.is_empty() || snapshot.rolling_back.is_some();
        let begins = snapshot.rolling_back != Some(target);
        if begins {
            self.check_can_go_back(&snapshot, target, &phases).await?;
        }
        if (undoes || target == RollbackTarget::Start) && (begins || pause.is_some()) {
            self.record("rollback begin", async |transaction, lease| {
                if pause.is_some() {
                    let why = format!("a rollback to {target}");
                    runs::resume(transaction, lease.run_id, Some(&why)).await?;
                }
                if reopens {
                    runs::reopen(transaction, lease, &snapshot.plan).await?;
                }
                if begins {
                    runs::set_rolling_back(transaction, lease, Some(target)).await?;
                }
                Ok(())
            })
            .await?;
            if let Some(pause) = pause {
                self.reporter.notice(Notice::PauseEnded(pause.clone()));
            }
        }
        for phase in phases {
            if let Some(outcome) = self.reverse_phase(phase).await? {
                return Ok(outcome);
            }
        }
        self.record("rollback end", async |transaction, lease| {
            runs::set_rolling_back(transaction, lease, None).await?;
            match target {
                RollbackTarget::Start => {
                    quarantine::clear(transaction, lease.run_id).await?;
                    runs::finish(transaction, lease, RunState::RolledBack).await
                }
                // Who approved had not seen what made somebody go back.
                RollbackTarget::Phase(phase) if undoes => {
                    runs::void_approvals(transaction, lease.run_id, phase).await
                }
                RollbackTarget::Phase(_) => Ok(()),
            }
        })
        .await?;
        Ok(Outcome::Done)
    }

    /// Refuses before anything is changed.
    async fn check_can_go_back(
        &mut self,
        snapshot: &Snapshot,
        target: RollbackTarget,
        phases: &[PhaseName],
    ) -> Result<(), EngineError> {
        let are_dropped = target == RollbackTarget::Start
            && !drift::all_dropped(&*self.work, snapshot).await?.is_empty();
        if phases.contains(&PhaseName::Contract) && !are_dropped {
            self.check_not_contracted(snapshot).await?;
        }
        self.check_reversible(snapshot, phases).await?;
        self.check_nothing_hangs(snapshot, phases).await?;
        if !phases.contains(&PhaseName::DualWrite) {
            return Ok(());
        }
        if are_dropped {
            return Ok(());
        }
        self.require_sync(snapshot).await?;
        self.check_nothing_one_sided(snapshot).await?;
        let plan = &snapshot.plan;
        let to_expand = matches!(target, RollbackTarget::Phase(_));
        let stays = plan
            .syncs()
            .any(|sync| sync_columns::undo_to_expand(plan, sync).is_none())
            || plan
                .links()
                .any(|link| sync_tables::undo_to_expand(plan, link).is_none());
        if to_expand && stays {
            return Err(EngineError::Refused(
                "the new columns cannot be emptied by themselves, and without triggers their values would grow stale: go back to the start".to_owned(),
            ));
        }
        let lost = lost_by_going_back(&*self.work, snapshot.run_id, plan).await?;
        if let Some(what) = lost {
            return Err(EngineError::Refused(what));
        }
        // A new-version writer that is still there would fail without its column.
        let before = runs::count_writes(&*self.work, plan, runs::Side::New).await?;
        if before.unwrap_or(0) == 0 {
            return Ok(());
        }
        self.sleep(LISTEN).await;
        let after = runs::count_writes(&*self.work, plan, runs::Side::New).await?;
        if let (Some(before), Some(after)) = (before, after)
            && after > before
        {
            return Err(EngineError::Refused(format!(
                "the new version is still writing ({} writes in the last {} s): take it out of service first, its statements would fail without the new column",
                after - before,
                LISTEN.as_secs_f32()
            )));
        }
        Ok(())
    }

    /// A step outside `contract` that its author said cannot be taken back: known before anything is reversed.
    async fn check_reversible(
        &self,
        snapshot: &Snapshot,
        phases: &[PhaseName],
    ) -> Result<(), EngineError> {
        let plan = &snapshot.plan;
        for (phase, step) in plan.steps() {
            let state = snapshot.step_state(&step.id);
            let is_reversed = phases.contains(&phase.name)
                && phase.name != PhaseName::Contract
                && state.has_begun();
            if !is_reversed
                || step.action.undo(plan) != Undo::Irreversible
                || !self.may_stand(plan, step, state).await?
            {
                continue;
            }
            let last = phases.first() == Some(&phase.name);
            let instead = if last {
                "keep what it did".to_owned()
            } else {
                format!(
                    "keep what it did, or go back to where {} had ended: `--to {}`",
                    phase.name, phase.name
                )
            };
            return Err(EngineError::Refused(format!(
                "{} cannot be taken back: {instead}",
                step.id
            )));
        }
        Ok(())
    }

    /// What was put on a new column or table since would keep it from being dropped, half way back, or go with it.
    async fn check_nothing_hangs(
        &self,
        snapshot: &Snapshot,
        phases: &[PhaseName],
    ) -> Result<(), EngineError> {
        let plan = &snapshot.plan;
        // Back to the end of `expand`, the columns that triggers fill are emptied by being made anew.
        let anew = |add: &AddColumn| {
            phases.contains(&PhaseName::DualWrite)
                && plan.sync(&add.table).is_some_and(|sync| {
                    let mut targets = sync.forward.iter().map(|one| &one.target.name);
                    targets.any(|target| *target == add.column)
                })
        };
        let reversed = || {
            plan.steps().filter(|(phase, step)| {
                let goes = match &step.action {
                    Action::Ddl(DdlStep::AddColumn(add)) => anew(add),
                    _ => false,
                };
                (goes || phases.contains(&phase.name)) && snapshot.step_state(&step.id).has_begun()
            })
        };
        let is_sql = |step: &PlannedStep| matches!(step.action, Action::Ddl(DdlStep::Sql(_)));
        if reversed().any(|(_, step)| is_sql(step)) {
            // It may be theirs, and go with them.
            return Ok(());
        }
        for (_, step) in reversed() {
            let state = snapshot.step_state(&step.id);
            if !self.may_stand(plan, step, state).await? {
                continue;
            }
            let (what, hanging) = match &step.action {
                Action::Ddl(DdlStep::AddColumn(add)) => {
                    let names = names_now(snapshot, &add.table);
                    let column = names.of(&add.column);
                    let found = catalog::dependents_of(&*self.work, &plan.name, &add.table, column);
                    (format!("{}.{column}", add.table), found.await?)
                }
                Action::Ddl(DdlStep::CreateTable(create)) => {
                    let found = catalog::objects_over(&*self.work, &create.table).await?;
                    (create.table.to_string(), found)
                }
                _ => continue,
            };
            if !hanging.is_empty() {
                return Err(EngineError::Refused(format!(
                    "{what} goes with this, and there is what would keep it or go with it: {}. Drop that, or make it over the old side, and run it again; nothing has changed",
                    hanging.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// Whether anything of a step can be there. A step that found something else under its names has changed nothing:
    /// what stands there is not the run's, and taking the step back would take that away.
    async fn may_stand(
        &self,
        plan: &Plan,
        step: &PlannedStep,
        state: State,
    ) -> Result<bool, EngineError> {
        let Work::Parts(parts) = step.action.work(plan) else {
            return Ok(true);
        };
        if state == State::Completed {
            return Ok(true);
        }
        let mut holds = false;
        for part in &parts {
            match observe(&*self.work, &part.goal).await? {
                Observed::Conflict(_) if excludes_ours(&part.goal, state) => return Ok(false),
                Observed::Missing => {}
                Observed::Holds | Observed::InvalidIndex | Observed::Conflict(_) => holds = true,
            }
        }
        Ok(holds || step.action.undo(plan) != Undo::Irreversible)
    }

    /// `contract` is one transaction: either nothing of it is there, or all.
    async fn check_not_contracted(&self, snapshot: &Snapshot) -> Result<(), EngineError> {
        let Some(phase) = snapshot.plan.phase(PhaseName::Contract) else {
            return Ok(());
        };
        for step in &phase.steps {
            let Work::Parts(parts) = step.action.work(&snapshot.plan) else {
                continue;
            };
            for part in &parts {
                let is_drop = matches!(
                    &step.action,
                    Action::Ddl(
                        DdlStep::DropSync(_) | DdlStep::DropColumn(_) | DdlStep::DropAlias(_)
                    )
                );
                if is_drop && observe(&*self.work, &part.goal).await? == Observed::Holds {
                    return Err(EngineError::Refused(CONTRACTED.to_owned()));
                }
            }
        }
        Ok(())
    }

    async fn reverse_phase(&mut self, phase: PhaseName) -> Result<Option<Outcome>, EngineError> {
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
            if let Some(outcome) = self.reverse_step(&snapshot, &step).await? {
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
        let stands = self.may_stand(plan, step, state).await?;
        let dropped = drift::all_dropped(&*self.work, snapshot).await?;
        let end = end_of_sync(plan, &step.action, snapshot.rolling_back);
        loop {
            let reached = match (&end, step.action.undo(plan)) {
                _ if !stands => Reached::WasThere,
                (end, undo) if !dropped.is_empty() => {
                    let parts = without(end.as_ref(), undo, &dropped);
                    ddl::run_parts(self, plan, id, &parts).await?
                }
                (Some(end), _) => {
                    let place = format!("{id} part 1");
                    let only_if = Some(OnlyIf::NothingIsLost);
                    ddl::run_together(self, plan, id, &place, &[end], only_if).await?
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
                (None, Undo::Parts(parts)) => ddl::run_parts(self, plan, id, &parts).await?,
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
        self.reporter.notice(if stands {
            Notice::StepReversed(id.clone())
        } else {
            Notice::StepHadChangedNothing(id.clone())
        });
        Ok(None)
    }
}

/// What is left to do of a step where these tables have been dropped: of the end of the dual writes, the functions.
fn without(end: Option<&Part>, undo: Undo, dropped: &[TableName]) -> Vec<Part> {
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
fn end_of_sync(plan: &Plan, action: &Action, target: Option<RollbackTarget>) -> Option<Part> {
    match (action, target) {
        (Action::SyncColumns(sync), Some(RollbackTarget::Phase(_))) => {
            sync_columns::undo_to_expand(plan, sync)
        }
        (Action::SyncColumns(sync), _) => Some(sync_columns::undo_to_start(plan, sync)),
        (Action::SyncTables(link), Some(RollbackTarget::Phase(_))) => {
            sync_tables::undo_to_expand(plan, link)
        }
        (Action::SyncTables(link), _) => Some(sync_tables::undo_to_start(plan, link)),
        _ => None,
    }
}

/// Whether something else in the place of this goal says that the step has not been done. After a rename both names may
/// be taken, the old one by somebody else: that is looked at by whoever mends it.
fn excludes_ours(goal: &Goal, state: State) -> bool {
    match goal.itself() {
        Goal::Column { .. }
        | Goal::Index { .. }
        | Goal::PartitionedIndex { .. }
        | Goal::Table { .. }
        | Goal::Enum { .. } => true,
        // An answer that cannot be had says nothing after a crash.
        Goal::Asked { .. } => state == State::Failed,
        _ => false,
    }
}

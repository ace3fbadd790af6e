//! The loop of a driver: what is next is decided by `lifecycle::next`, done here, and recorded behind the fence.

use super::{
    EngineError, Outcome, by_hand,
    ddl::{self, OnlyIf, Reached},
    dependents,
    drift::{self, TriggerSnapshot},
    failpoint,
    names::names_now,
    notice::Notice,
    quarantine, query, readings,
    readings::Patience,
    references,
    session::Driver,
    verify::{self, Verified},
    walk::{self, From, Walked},
};
use crate::database::observe::{Observed, observe};
use crate::store::{
    history,
    marks::{self, Moment},
    runs, walks, writes,
};
use crossfade_decisions::keeper::{AtGate, verification_is_due};
use crossfade_decisions::lifecycle::{
    gate::{self, ConditionStatus},
    next::{Next, Wait, next},
    snapshot::Snapshot,
    toll::misnamed_in_repair,
    transition::{Event, RunState},
};
use crossfade_plan::sqlgen::{
    ddl_unit::DdlUnit,
    rows::{Repair, Truth},
};
use crossfade_plan::{
    compiled::{Action, Match, Plan, StepId},
    document::PhaseName,
    steps::{DdlStep, Work},
};
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The end of the phase that is under way or comes next.
    OnePhase,
    /// The end of this phase.
    Phase(PhaseName),
}

/// Waiting at a gate: looked at when it should open, and every few seconds, as others approve and write.
const LOOK_AT_GATE_MAX: Duration = Duration::from_secs(5);
const LOOK_AT_GATE_MIN: Duration = Duration::from_millis(200);
/// So often all rows are compared before `contract` gives up, as the triggers are touched each time meanwhile.
const LAST_LOOKS_MAX: u32 = 5;

impl Driver {
    /// Runs phases until `until` has been reached, a gate is closed, the run is paused, or Ctrl-C.
    pub async fn advance(&mut self, until: Until, at_gate: AtGate) -> Result<Outcome, EngineError> {
        let mut last = match until {
            Until::OnePhase => None,
            Until::Phase(phase) => Some(phase),
        };
        let mut is_told = false;
        let mut compared_at = None;
        loop {
            if self.stop.is_cancelled() {
                return Ok(Outcome::Interrupted);
            }
            let (snapshot, gate) = self.look().await?;
            if !std::mem::replace(&mut is_told, true) {
                self.reporter.notice(Notice::Drives {
                    fingerprint: snapshot.fingerprint.clone(),
                });
            }
            let todo = next(&snapshot, &gate);
            if let Some(current) = snapshot.current_phase().map(|phase| phase.name) {
                let last = *last.get_or_insert(current);
                if snapshot.plan.position(current) > snapshot.plan.position(last) {
                    return Ok(Outcome::Done);
                }
            }
            match todo {
                Next::StartPhase(phase) => self.start_phase(phase).await?,
                Next::Run(steps) => {
                    let phase = snapshot.current_phase().map(|phase| phase.name);
                    if let Some(phase) = phase {
                        self.require_sync_in(&snapshot, phase).await?;
                    }
                    if let Some(outcome) = self.run_unit(&snapshot, &steps).await? {
                        return Ok(outcome);
                    }
                }
                Next::FinishPhase(phase) => {
                    self.finish_phase(phase).await?;
                    // Nothing more is asked, and so nothing can fail, once it is done.
                    let is_last = snapshot.plan.phases.last().map(|last| last.name) == Some(phase);
                    if last == Some(phase) && !is_last {
                        return Ok(Outcome::Done);
                    }
                }
                Next::FinishRun => {
                    self.record("run", async |transaction, lease| {
                        runs::finish(transaction, lease, RunState::Completed).await
                    })
                    .await?;
                    self.reporter.notice(Notice::RunFinished);
                }
                // Whoever deploys after this command must not take the run for one that went forward.
                Next::Finished(RunState::RolledBack) => {
                    return Err(EngineError::Refused(format!(
                        "the run {} is rolled back. Run `crossfade start PLAN` to start it again",
                        snapshot.plan.name
                    )));
                }
                Next::Finished(_) => return Ok(Outcome::Done),
                Next::Wait(wait @ Wait::Gate(..)) if at_gate == AtGate::Wait => {
                    if verification_is_due(&snapshot, compared_at) {
                        compared_at = Some(snapshot.now);
                        match self.verify(false, &BTreeSet::new()).await {
                            Ok(Ok(_)) => {}
                            Ok(Err(outcome)) => return Ok(outcome),
                            // The gate is what was waited for, and says itself what is wrong.
                            Err(EngineError::Refused(why)) => {
                                tracing::warn!(why, "the rows could not be compared again");
                            }
                            Err(error) => return Err(error),
                        }
                        continue;
                    }
                    let look_again = look_again(&wait, &snapshot);
                    self.reporter.notice(Notice::Waiting(wait));
                    self.sleep(look_again).await;
                }
                Next::Wait(wait) => return Ok(Outcome::Waiting(wait)),
            }
        }
    }

    /// The run and the gate of its current phase, as they are now.
    pub async fn look(&mut self) -> Result<(Snapshot, Vec<ConditionStatus>), EngineError> {
        let run_id = self.lease.run_id;
        let mut snapshot = runs::snapshot(&*self.work, run_id).await?;
        let noted = writes::sight_writes(&*self.work, run_id, &snapshot.plan).await?;
        let set_aside = snapshot.quarantined + snapshot.accepted > 0;
        if set_aside {
            quarantine::look(self, &snapshot).await?;
        }
        let watched = self.watch_sync_of(&snapshot).await?;
        if noted || set_aside || watched {
            snapshot = runs::snapshot(&*self.work, run_id).await?;
        }
        let gate = match snapshot.current_phase() {
            Some(phase) if !snapshot.phase_state(phase.name).has_begun() => {
                let readings =
                    readings::readings(&mut self.work, &snapshot, phase, Patience::AsPlanned)
                        .await?;
                gate::evaluate(phase, &snapshot, &readings)
            }
            _ => Vec::new(),
        };
        Ok((snapshot, gate))
    }

    async fn start_phase(&mut self, phase: PhaseName) -> Result<(), EngineError> {
        self.record(
            &format!("phase {phase} start"),
            async |transaction, lease| {
                runs::phase_event(transaction, lease, phase, Event::Start).await
            },
        )
        .await?;
        self.reporter.notice(Notice::PhaseStarted(phase));
        Ok(())
    }

    async fn finish_phase(&mut self, phase: PhaseName) -> Result<(), EngineError> {
        self.record(
            &format!("phase {phase} finish"),
            async |transaction, lease| {
                runs::phase_event(transaction, lease, phase, Event::Complete).await
            },
        )
        .await?;
        if matches!(phase, PhaseName::SwitchReads | PhaseName::Retire) {
            references::begin(&mut self.work, self.lease.run_id).await?;
        }
        self.reporter.notice(Notice::PhaseFinished(phase));
        Ok(())
    }

    async fn step_events(
        &mut self,
        steps: &[StepId],
        event: Event,
        error: Option<&str>,
    ) -> Result<(), EngineError> {
        let place = format!(
            "{} {event}",
            steps.first().map_or("", |step| step.0.as_str())
        );
        self.record(&place, async |transaction, lease| {
            for step in steps {
                runs::step_event(transaction, lease, step, event, error).await?;
            }
            Ok(())
        })
        .await
    }

    /// What of a step is there before it is first run is noted with its beginning: what it finds is not its own.
    async fn start_steps(
        &mut self,
        snapshot: &Snapshot,
        steps: &[StepId],
    ) -> Result<(), EngineError> {
        let (mut found, mut before) = (Vec::new(), Vec::new());
        for id in steps {
            let step = snapshot.plan.steps().find(|(_, step)| step.id == *id);
            let Some((phase, step)) = step else { continue };
            // Of `contract` nothing is ever undone.
            if snapshot.step_state(id).has_begun() || phase.name == PhaseName::Contract {
                continue;
            }
            if let Work::Parts(parts) = step.action.work(&snapshot.plan) {
                found.push((id, self.found_of(&parts).await?));
            }
            before.push((id, by_hand::marks_of(&*self.work, snapshot, step).await?));
        }
        let place = format!(
            "{} {}",
            steps.first().map_or("", |step| step.0.as_str()),
            Event::Start
        );
        self.record(&place, async |transaction, lease| {
            for step in steps {
                runs::step_event(transaction, lease, step, Event::Start, None).await?;
            }
            for (step, parts) in &found {
                runs::set_found(transaction, lease, step, parts).await?;
            }
            for (step, marks) in &before {
                marks::set(transaction, lease, step, Moment::Before, marks).await?;
            }
            Ok(())
        })
        .await
    }

    /// How they have left what they are about is noted with their end: what is there instead, when they are undone, is somebody's.
    async fn complete_steps(
        &mut self,
        snapshot: &Snapshot,
        steps: &[StepId],
    ) -> Result<(), EngineError> {
        let mut after = Vec::new();
        for id in steps {
            let step = snapshot.plan.steps().find(|(_, step)| step.id == *id);
            if let Some((phase, step)) = step
                && phase.name != PhaseName::Contract
            {
                after.push((id, by_hand::marks_of(&*self.work, snapshot, step).await?));
            }
        }
        let place = format!(
            "{} {}",
            steps.first().map_or("", |step| step.0.as_str()),
            Event::Complete
        );
        self.record(&place, async |transaction, lease| {
            for step in steps {
                runs::step_event(transaction, lease, step, Event::Complete, None).await?;
            }
            for (step, marks) in &after {
                marks::set(transaction, lease, step, Moment::After, marks).await?;
            }
            Ok(())
        })
        .await
    }

    async fn found_of(&self, parts: &[DdlUnit]) -> Result<Vec<i32>, EngineError> {
        let mut found = Vec::new();
        for (number, part) in (0..).zip(parts) {
            if observe(&*self.work, &part.goal).await? == Observed::Holds {
                found.push(number);
            }
        }
        Ok(found)
    }

    /// Steps that stand or fall together. `Some`: the engine stops here, with this outcome.
    async fn run_unit(
        &mut self,
        snapshot: &Snapshot,
        steps: &[StepId],
    ) -> Result<Option<Outcome>, EngineError> {
        let Some(first) = steps.first() else {
            return Ok(None);
        };
        self.start_steps(snapshot, steps).await?;
        self.name_step(first).await?;
        self.reporter.notice(Notice::StepStarted(first.clone()));
        let plan = &snapshot.plan;
        let reached = if snapshot
            .current_phase()
            .is_some_and(|phase| phase.name == PhaseName::Contract)
        {
            self.contract(snapshot, steps).await
        } else {
            self.run_step(snapshot, plan, first).await
        };
        match reached {
            Ok(Reached::Ran) => {}
            Ok(Reached::WasThere) => self.reporter.notice(Notice::StepFound(first.clone())),
            Ok(Reached::Interrupted) => return Ok(Some(Outcome::Interrupted)),
            // The next look finds the pause, with who and why.
            Ok(Reached::Paused) => return Ok(None),
            Err(error) => {
                let message = error.to_string();
                if !matches!(
                    error,
                    EngineError::Store(crate::store::StoreError::LeaseLost)
                ) && let Err(second) = self.step_events(steps, Event::Fail, Some(&message)).await
                {
                    tracing::error!(error = %second, "the failure could not be recorded");
                }
                return Err(error);
            }
        }
        self.complete_steps(snapshot, steps).await?;
        self.reporter.notice(Notice::StepFinished(first.clone()));
        Ok(None)
    }

    async fn run_step(
        &mut self,
        snapshot: &Snapshot,
        plan: &Plan,
        id: &StepId,
    ) -> Result<Reached, EngineError> {
        let Some((_, step)) = plan.steps().find(|(_, step)| step.id == *id) else {
            return Err(EngineError::Conflict {
                step: id.clone(),
                what: "the stored plan has no such step".to_owned(),
            });
        };
        match step.action.work(plan) {
            Work::Parts(parts) if changes_sync(&step.action) => {
                self.change_sync(plan, id, snapshot, &parts).await
            }
            Work::Parts(parts) => {
                if matches!(step.action, Action::SyncColumns(_) | Action::SyncTables(_)) {
                    self.require_sessions(plan).await?;
                }
                ddl::run_parts(self, plan, id, &parts).await
            }
            Work::Fill(fill, parts) => {
                // A crash after the walk's end and before the step's: the rows are done.
                let walked = walks::load(&*self.work, self.lease.run_id, &id.0)
                    .await?
                    .is_some_and(|walk| walk.finished);
                if walked {
                    return self.change_sync(plan, id, snapshot, &parts).await;
                }
                match walk::walk(self, plan, id, walk::Work::Fill(fill), From::Checkpoint).await? {
                    Walked::Finished(..) => {}
                    Walked::Paused => return Ok(Reached::Paused),
                    Walked::Interrupted => return Ok(Reached::Interrupted),
                }
                self.record(&format!("{id} walk"), async |transaction, lease| {
                    walks::finish(transaction, lease, &id.0).await
                })
                .await?;
                match self.change_sync(plan, id, snapshot, &parts).await? {
                    Reached::WasThere => Ok(Reached::Ran),
                    other => Ok(other),
                }
            }
            Work::Match(matching) => {
                let names = names_now(snapshot, &matching.table);
                let verified =
                    verify::compare(self, plan, id, matching, names, None, From::Checkpoint)
                        .await?;
                verdict(plan, id, verified)
            }
            Work::Query(query) => {
                let timeout = plan.settings.statement_timeout.millis();
                match query::ask(&mut self.work, plan, query, timeout).await? {
                    Ok(()) => Ok(Reached::Ran),
                    Err(what) => Err(EngineError::Conflict {
                        step: id.clone(),
                        what: format!("{what}. `crossfade advance {}` asks again", plan.name),
                    }),
                }
            }
        }
    }

    /// The last look and the drop. All parts share one transaction: no write may fail between two of them.
    async fn contract(
        &mut self,
        snapshot: &Snapshot,
        steps: &[StepId],
    ) -> Result<Reached, EngineError> {
        let plan = &snapshot.plan;
        let Some(first) = steps.first() else {
            return Ok(Reached::WasThere);
        };
        let mut parts: Vec<DdlUnit> = Vec::new();
        for id in steps {
            let step = plan.steps().find(|(_, step)| step.id == *id);
            if let Some(Work::Parts(more)) = step.map(|(_, step)| step.action.work(plan)) {
                parts.extend(more);
            }
        }
        // Where the triggers are gone the one transaction has been committed: there are no two sides left to compare, and
        // nothing to do. The other goals must not be asked: what was dropped has a successor of its name by now.
        let dropped = steps.iter().find_map(|id| {
            let (_, step) = plan.steps().find(|(_, step)| step.id == *id)?;
            match (&step.action, step.action.work(plan)) {
                (Action::Ddl(DdlStep::DropSync(_)), Work::Parts(parts)) => {
                    parts.first().map(|part| part.goal.clone())
                }
                _ => None,
            }
        });
        let Some(witness) = dropped.as_ref().or(parts.first().map(|part| &part.goal)) else {
            return Ok(Reached::WasThere);
        };
        let contracted = drift::is_contracted(&*self.work, snapshot, witness).await?;
        if contracted && dropped.is_some() {
            return Ok(Reached::WasThere);
        }
        let parts: Vec<&DdlUnit> = parts.iter().collect();
        if contracted {
            return ddl::run_together(self, plan, first, "contract", &parts, None).await;
        }
        let mut looks = 0;
        loop {
            let stood = TriggerSnapshot::now(&*self.work, snapshot).await?;
            // Where they are out of place it says how, and what to do.
            self.require_sync(snapshot).await?;
            self.require_free(snapshot, first).await?;
            let looked = self.last_look(snapshot).await?;
            if !matches!(looked, Reached::Ran | Reached::WasThere) {
                return Ok(looked);
            }
            // It may have taken hours.
            self.require_free(snapshot, first).await?;
            failpoint::pass(|| "contract: after the last look".to_owned());
            looks += 1;
            match ddl::run_together(
                self,
                plan,
                first,
                "contract",
                &parts,
                Some(OnlyIf::Stands(&stood)),
            )
            .await
            {
                Err(EngineError::SyncChanged { .. }) if looks < LAST_LOOKS_MAX => {
                    let step = first.clone();
                    self.reporter.notice(Notice::LooksAgain { step });
                }
                other => return other,
            }
        }
    }

    async fn require_free(
        &mut self,
        snapshot: &Snapshot,
        step: &StepId,
    ) -> Result<(), EngineError> {
        match snapshot.current_phase() {
            Some(phase) => dependents::require_free(&mut self.work, snapshot, phase, step).await,
            None => Ok(()),
        }
    }

    /// Compares all rows anew: what was seen some time ago does not count.
    async fn last_look(&mut self, snapshot: &Snapshot) -> Result<Reached, EngineError> {
        let plan = &snapshot.plan;
        for (id, matching) in matches(plan) {
            let names = names_now(snapshot, &matching.table);
            let verified =
                verify::compare(self, plan, &id, &matching, names, None, From::Beginning).await?;
            match verdict(plan, &id, verified)? {
                Reached::Ran | Reached::WasThere => {}
                stopped => return Ok(stopped),
            }
        }
        Ok(Reached::Ran)
    }

    /// Compares every `match` of the plan now, and repairs what differs if asked. `discards`: columns whose values a repair may
    /// replace by nothing, as `Thing`s are written. `None`: paused or interrupted.
    pub async fn verify(
        &mut self,
        repair: bool,
        discards: &BTreeSet<String>,
    ) -> Result<Result<Vec<crate::store::verification::Finding>, Outcome>, EngineError> {
        let (snapshot, _) = self.look().await?;
        let mut put_back = Reached::WasThere;
        if repair {
            put_back = self.put_sync_back(&snapshot).await?;
        }
        if matches!(put_back, Reached::Paused | Reached::Interrupted) {
            return self.stopped().await;
        }
        if !drift::is_filled(&snapshot) {
            if put_back == Reached::Ran {
                return Ok(Ok(Vec::new()));
            }
            return Err(EngineError::Refused(
                "there is nothing to verify before the backfill is done".to_owned(),
            ));
        }
        if snapshot.state != RunState::Active {
            return Err(EngineError::Refused(format!(
                "the run is {}: there are no two sides left to compare",
                snapshot.state.as_str()
            )));
        }
        self.require_names(&snapshot).await?;
        let repair = repair.then(|| verify::truth(&snapshot));
        for (step, matching) in matches(&snapshot.plan) {
            if repair == Some(Truth::New) && matching.backward.is_empty() {
                return Err(EngineError::Refused(format!(
                    "{step} has no `backward`: reads are on the new side, and the old one cannot be computed from it"
                )));
            }
        }
        if let Some(truth) = repair
            && let Some(wrong) = misnamed_in_repair(discards, &verify::written(&snapshot, truth))
        {
            return Err(EngineError::Refused(wrong));
        }
        let mut findings = Vec::new();
        for (id, matching) in matches(&snapshot.plan) {
            match self
                .compare_and_repair(&snapshot, &id, &matching, repair, discards)
                .await?
            {
                Verified::Finished(finding) => findings.push(finding),
                Verified::Interrupted => return Ok(Err(Outcome::Interrupted)),
                Verified::Paused => return self.stopped().await,
            }
        }
        if findings.iter().all(|finding| finding.rows_different == 0) {
            // That rows agree is no news where nothing keeps them so.
            let now = runs::snapshot(&*self.work, self.lease.run_id).await?;
            self.require_sync(&now).await?;
            self.sync_was_compared(snapshot.touched.as_ref()).await?;
        }
        Ok(Ok(findings))
    }

    /// What may be replaced by nothing is left at first, and so counted, and noted before it is.
    async fn compare_and_repair(
        &mut self,
        snapshot: &Snapshot,
        id: &StepId,
        matching: &Match,
        truth: Option<Truth>,
        discards: &BTreeSet<String>,
    ) -> Result<Verified, EngineError> {
        let plan = &snapshot.plan;
        let names = || names_now(snapshot, &matching.table);
        let from = From::Beginning;
        let repair = truth.map(Repair::of);
        let first = verify::compare(self, plan, id, matching, names(), repair, from).await?;
        let (Verified::Finished(finding), Some(truth)) = (&first, truth) else {
            return Ok(first);
        };
        if finding.rows_different == 0 || discards.is_empty() {
            return Ok(first);
        }
        let detail = json!({"step": id.0, "columns": discards, "rows": finding.rows_different});
        self.record(&format!("{id} discards"), async |transaction, lease| {
            history::record(transaction, lease.run_id, "repair discards", &detail).await
        })
        .await?;
        let repair = Repair {
            truth,
            discards: discards.clone(),
        };
        verify::compare(
            self,
            plan,
            id,
            matching,
            names(),
            Some(repair),
            From::Beginning,
        )
        .await
    }

    /// What a verification that was paused or interrupted tells.
    async fn stopped<T>(&mut self) -> Result<Result<T, Outcome>, EngineError> {
        let (snapshot, gate) = self.look().await?;
        Ok(Err(match next(&snapshot, &gate) {
            Next::Wait(wait) => Outcome::Waiting(wait),
            _ => Outcome::Interrupted,
        }))
    }
}

/// Until the last of the conditions that only need time should hold.
fn look_again(wait: &Wait, snapshot: &Snapshot) -> Duration {
    let Wait::Gate(_, conditions) = wait else {
        return LOOK_AT_GATE_MAX;
    };
    let opens = conditions
        .iter()
        .filter_map(|condition| condition.until)
        .max();
    opens
        .map_or(LOOK_AT_GATE_MAX, |at| {
            at.duration_since(snapshot.now).unsigned_abs()
        })
        .clamp(LOOK_AT_GATE_MIN, LOOK_AT_GATE_MAX)
}

fn matches(plan: &Plan) -> Vec<(StepId, crossfade_plan::compiled::Match)> {
    plan.steps()
        .filter_map(|(_, step)| match &step.action {
            Action::Match(matching) => Some((step.id.clone(), matching.clone())),
            _ => None,
        })
        .collect()
}

/// A step beside the syncs themselves whose parts replace their functions.
fn changes_sync(action: &Action) -> bool {
    matches!(
        action,
        Action::Ddl(DdlStep::RetireColumn(_) | DdlStep::RetireTable(_))
    )
}

fn verdict(plan: &Plan, step: &StepId, verified: Verified) -> Result<Reached, EngineError> {
    match verified {
        Verified::Paused => Ok(Reached::Paused),
        Verified::Interrupted => Ok(Reached::Interrupted),
        Verified::Finished(finding) if finding.rows_different == 0 => Ok(Reached::Ran),
        Verified::Finished(finding) => Err(EngineError::Differences {
            run: plan.name.to_string(),
            step: step.clone(),
            rows_checked: finding.rows_checked,
            rows_different: finding.rows_different,
            examples: finding
                .examples
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

//! What a driver does about triggers that somebody changed: it notes and tells it, refuses, and puts them back.

use super::{in_force, of, sessions as sessions_of};
use crate::database::{observe, sessions};
use crate::engine::{
    EngineError,
    ddl::{self, OnlyIf, Reached},
    drift::TriggerSnapshot,
    notice::Notice,
    session::Driver,
};
use crate::store::{history, runs, standing};
use crossfade_decisions::lifecycle::{
    gate::{OutOfStep, out_of_step},
    snapshot::Snapshot,
    standing::{Standing, Touched},
    transition::RunState,
};
use crossfade_plan::sqlgen::ddl_unit::DdlUnit;
use crossfade_plan::{
    compiled::{Plan, StepId},
    document::PhaseName,
};
use serde_json::json;
use tokio_postgres::GenericClient;

/// So often a change of the triggers is tried again that somebody else changes meanwhile.
const TRIES_MAX: u32 = 5;

/// What is out of place at this moment, by how the triggers stood when they were last looked at.
pub async fn out_of_place(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Vec<OutOfStep>, EngineError> {
    let (before, _) = standing::kept(client, run_id).await?;
    let now = observe::stands(client, &before.functions()).await?;
    let wrong = before.seen(&now).0.out_of_place().into_iter();
    Ok(wrong.map(OutOfStep::Triggers).collect())
}

impl Driver {
    /// Looks whether somebody has changed the triggers since the last look. If so that is an event, is told, and stays noted
    /// until all rows were compared. What is out of place by now.
    pub async fn watch_sync(&mut self) -> Result<Vec<OutOfStep>, EngineError> {
        let run_id = self.lease.run_id;
        let (before, touched) = standing::kept(&*self.work, run_id).await?;
        let (seen, changes) = super::seen(&*self.work, &before).await?;
        let wrong = seen.out_of_place().into_iter().map(OutOfStep::Triggers);
        let wrong = wrong.collect();
        if seen == before {
            return Ok(wrong);
        }
        let touched = match changes.is_empty() {
            true => touched,
            false => Some(Touched::with(touched, jiff::Timestamp::now(), &changes)),
        };
        self.record("sync look", async |transaction, lease| {
            let touched = touched.as_ref();
            standing::look(transaction, lease.run_id, &before, &seen, touched, &changes).await
        })
        .await?;
        if !changes.is_empty() {
            self.reporter.notice(Notice::SyncTouched(changes));
        }
        Ok(wrong)
    }

    /// The same at the beginning of a look at the run. A run that an earlier release began has kept nothing yet: it is known
    /// from here on. Whether anything was noted.
    pub async fn watch_sync_of(&mut self, snapshot: &Snapshot) -> Result<bool, EngineError> {
        if snapshot.state != RunState::Active {
            return Ok(false);
        }
        if snapshot.stood == Standing::default() {
            return self.begin_to_watch(snapshot).await;
        }
        self.watch_sync().await?;
        self.watch_sessions(snapshot).await?;
        let (stood, touched) = standing::kept(&*self.work, snapshot.run_id).await?;
        Ok(stood != snapshot.stood || touched != snapshot.touched)
    }

    /// Sessions that fire no triggers leave no trace: that there may have been some stays noted like any change.
    async fn watch_sessions(&mut self, snapshot: &Snapshot) -> Result<(), EngineError> {
        let Some(found) = sessions_of(&*self.work, snapshot).await? else {
            return Ok(());
        };
        let (stood, touched) = standing::kept(&*self.work, snapshot.run_id).await?;
        if touched
            .as_ref()
            .is_some_and(|one| one.what.contains(&found))
        {
            return Ok(());
        }
        let changes = [found];
        let touched = Touched::with(touched, jiff::Timestamp::now(), &changes);
        self.record("sync look", async |transaction, lease| {
            let touched = Some(&touched);
            standing::look(transaction, lease.run_id, &stood, &stood, touched, &changes).await
        })
        .await?;
        self.reporter.notice(Notice::SyncTouched(changes.into()));
        Ok(())
    }

    /// Triggers are not made where they would not fire.
    pub(in crate::engine) async fn require_sessions(&self, plan: &Plan) -> Result<(), EngineError> {
        let found = sessions::past_triggers(&*self.work, &plan.synced_tables()).await?;
        if found.is_empty() {
            return Ok(());
        }
        Err(EngineError::Refused(format!(
            "dual writes would not work, because triggers do not fire in some sessions: {}. Remove these settings, and let open sessions reconnect. Then `advance` continues",
            found.join("; ")
        )))
    }

    async fn begin_to_watch(&mut self, snapshot: &Snapshot) -> Result<bool, EngineError> {
        let installed = in_force(snapshot);
        let installed = installed
            .iter()
            .flat_map(|(_, sync)| sync.installed(snapshot));
        let functions: Vec<String> = installed
            .map(|(_, function, _)| function.as_str().to_owned())
            .collect();
        if functions.is_empty() {
            return Ok(false);
        }
        let names: Vec<&str> = functions.iter().map(String::as_str).collect();
        let now = observe::stands(&*self.work, &names).await?;
        self.record("sync look", async |transaction, lease| {
            let before = Standing::default();
            standing::look(transaction, lease.run_id, &before, &now, None, &[]).await
        })
        .await?;
        Ok(true)
    }

    /// Nothing is done to rows, and nothing taken back, while their two sides are not kept in step.
    pub(in crate::engine) async fn require_sync(
        &self,
        snapshot: &Snapshot,
    ) -> Result<(), EngineError> {
        let wrong = of(&*self.work, snapshot).await?;
        self.refuse(&wrong)
    }

    /// The same before a step of this phase.
    pub(in crate::engine) async fn require_sync_in(
        &self,
        snapshot: &Snapshot,
        phase: PhaseName,
    ) -> Result<(), EngineError> {
        let mut wrong = of(&*self.work, snapshot).await?;
        wrong.retain(|one| one.holds_up(phase));
        self.refuse(&wrong)
    }

    /// Rows are compared only where what is to be compared has its names, whether or not the triggers are in place.
    pub(in crate::engine) async fn require_names(
        &self,
        snapshot: &Snapshot,
    ) -> Result<(), EngineError> {
        let mut wrong = of(&*self.work, snapshot).await?;
        wrong.retain(OutOfStep::is_of_names);
        self.refuse(&wrong)
    }

    fn refuse(&self, wrong: &[OutOfStep]) -> Result<(), EngineError> {
        if wrong.is_empty() {
            return Ok(());
        }
        let run = self.run.as_str();
        Err(EngineError::Refused(out_of_step(run, wrong)))
    }

    /// Rows are filled only while the triggers stand: what is written past them may be lost, or never be filled.
    pub(in crate::engine) async fn require_sync_of_fill(&mut self) -> Result<(), EngineError> {
        let wrong = self.watch_sync().await?;
        self.refuse(&wrong)
    }

    /// Parts that change functions or triggers of ours: only if these stand as they stood when they were looked at, or what
    /// somebody changed would be changed back without a word.
    pub(in crate::engine) async fn change_sync(
        &mut self,
        plan: &Plan,
        step: &StepId,
        snapshot: &Snapshot,
        parts: &[DdlUnit],
    ) -> Result<Reached, EngineError> {
        let mut tries = 0;
        loop {
            let stood = TriggerSnapshot::now(&*self.work, snapshot).await?;
            self.watch_sync().await?;
            let now = runs::snapshot(&*self.work, self.lease.run_id).await?;
            let phase = now.current_phase().map(|phase| phase.name);
            self.require_sync_in(&now, phase.unwrap_or(PhaseName::Backfill))
                .await?;
            tries += 1;
            let only_if = Some(OnlyIf::Stands(&stood));
            match ddl::run_parts_if(self, plan, step, parts, only_if).await {
                Err(EngineError::SyncChanged { .. }) if tries < TRIES_MAX => {}
                other => return other,
            }
        }
    }

    /// Puts triggers back, as they should be at this point of the run.
    pub(in crate::engine) async fn put_sync_back(
        &mut self,
        snapshot: &Snapshot,
    ) -> Result<Reached, EngineError> {
        let wrong = of(&*self.work, snapshot).await?;
        if wrong.is_empty() {
            return Ok(Reached::WasThere);
        }
        if wrong.iter().any(OutOfStep::is_of_names) {
            self.require_sync(snapshot).await?;
        }
        let plan = &snapshot.plan;
        for (id, sync) in in_force(snapshot) {
            let part = sync.part(snapshot);
            match ddl::run_parts(self, plan, id, &[part]).await? {
                Reached::Ran | Reached::WasThere => {}
                stopped @ (Reached::Paused | Reached::Interrupted) => return Ok(stopped),
            }
        }
        // What cannot be put back, a table that has come to inherit, is its owner's to end.
        let snapshot = runs::snapshot(&*self.work, self.lease.run_id).await?;
        self.require_sync(&snapshot).await?;
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        self.record("sync put back", async |transaction, lease| {
            let detail = json!({"was": wrong});
            history::record(transaction, lease.run_id, "sync put back", &detail).await
        })
        .await?;
        self.reporter.notice(Notice::SyncPutBack(wrong));
        Ok(Reached::Ran)
    }

    /// Where all rows were compared and agree, what somebody changed before that is dealt with.
    pub(in crate::engine) async fn sync_was_compared(
        &mut self,
        touched: Option<&Touched>,
    ) -> Result<(), EngineError> {
        self.watch_sync().await?;
        let Some(touched) = touched else {
            return Ok(());
        };
        self.record("sync compared", async |transaction, lease| {
            standing::compared(transaction, lease.run_id, touched).await
        })
        .await
    }
}

//! What somebody has changed by hand under an active run: the triggers that keep both sides in step.

use super::{
    EngineError,
    ddl::{self, Reached},
    notice::Notice,
    session::Driver,
    verify::names_now,
};
use crate::lifecycle::{
    gate::out_of_step,
    snapshot::Snapshot,
    transition::{RunState, State},
};
use crate::plan::{
    compiled::{Action, StepId, Sync},
    document::PhaseName,
};
use crate::statement::sync::{Filling, Objects, put_in_place, uninstall};
use crate::store::history;
use crate::target::observe::{self, Observed};
use serde_json::json;
use tokio_postgres::GenericClient;

/// The syncs that are to be in place at this point of the run.
fn in_force(snapshot: &Snapshot) -> Vec<(&StepId, &Sync)> {
    if snapshot.state != RunState::Active {
        return Vec::new();
    }
    snapshot
        .plan
        .steps()
        .filter_map(|(_, step)| match &step.action {
            Action::SyncColumns(sync) => Some((&step.id, sync)),
            _ => None,
        })
        .filter(|(id, _)| snapshot.step_state(id) == State::Completed)
        .collect()
}

/// What is wrong with the triggers, in words; nothing where all is well.
pub async fn of(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut wrong = Vec::new();
    let contracting = snapshot.phase_state(PhaseName::Contract).has_begun();
    for (_, sync) in in_force(snapshot) {
        // `contract` drops all of it in one transaction, which may be committed and not recorded yet.
        let dropped = uninstall(&snapshot.plan.name, &sync.table).goal;
        if contracting && observe::observe(client, &dropped).await? == Observed::Holds {
            continue;
        }
        let objects = Objects::of(&snapshot.plan.name, &sync.table);
        let triggers = [&objects.insert_trigger, &objects.update_trigger];
        wrong.extend(
            observe::out_of_place(client, &sync.table, &objects.function, &triggers).await?,
        );
    }
    Ok(wrong)
}

impl Driver {
    /// Nothing is done to rows, and nothing taken back, while their two sides are not kept in step.
    pub(super) async fn require_sync(&self, snapshot: &Snapshot) -> Result<(), EngineError> {
        let wrong = of(&*self.work, snapshot).await?;
        if wrong.is_empty() {
            return Ok(());
        }
        Err(EngineError::Refused(out_of_step(
            &snapshot.plan.name,
            &wrong,
        )))
    }

    /// Puts triggers back, as they should be at this point of the run.
    pub(super) async fn put_sync_back(
        &mut self,
        snapshot: &Snapshot,
    ) -> Result<Reached, EngineError> {
        let wrong = of(&*self.work, snapshot).await?;
        if wrong.is_empty() {
            return Ok(Reached::WasThere);
        }
        let plan = &snapshot.plan;
        for (id, sync) in in_force(snapshot) {
            let filled = plan.steps().any(|(_, step)| {
                matches!(&step.action, Action::Fill(fill) if fill.table == sync.table)
                    && snapshot.step_state(&step.id) == State::Completed
            });
            let filling = if filled { Filling::No } else { Filling::Yes };
            let part = put_in_place(plan, sync, filling, &names_now(snapshot, &sync.table));
            match ddl::run_parts(self, plan, id, &[part]).await? {
                Reached::Ran | Reached::WasThere => {}
                stopped @ (Reached::Paused | Reached::Interrupted) => return Ok(stopped),
            }
        }
        self.record("sync put back", async |transaction, lease| {
            let detail = json!({"was": wrong});
            history::record(transaction, lease.run_id, "sync put back", &detail).await
        })
        .await?;
        self.reporter.notice(Notice::SyncPutBack(wrong));
        Ok(Reached::Ran)
    }
}

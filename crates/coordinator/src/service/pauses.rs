//! Pausing and resuming: one run, or all runs of the database at once.

use super::{Service, ServiceError, tokens::Doing};
use crate::store::{
    pauses::{self, Breadth},
    runs,
};
use crossfade_decisions::lifecycle::{snapshot::Pause, transition::State};
use crossfade_plan::document::PhaseName;
use jiff::Timestamp;

/// A run that was paused or resumed with all others, or was left as it is.
#[derive(Clone, Debug)]
pub struct PausedRun {
    pub run: String,
    /// What it was not touched for: a pause of its own, by whom and why.
    pub left: Option<String>,
    /// The phase that is under way.
    pub under_way: Option<PhaseName>,
}

impl Service {
    /// Takes effect at the next batch boundary of whoever drives the run. The pause that it replaces.
    pub async fn pause(
        &self,
        run: &str,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<Option<Pause>, ServiceError> {
        let mut session = self.installed("pause").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        let snapshot = self.held_active(&transaction, run).await?;
        let run_id = snapshot.run_id;
        let replaced = pauses::pause(&transaction, run_id, reason, until, Breadth::One).await?;
        transaction.commit().await?;
        Ok(replaced)
    }

    /// Ends a pause; `false` where there was none. The second value: the phase that is under way.
    pub async fn resume(&self, run: &str) -> Result<(bool, Option<PhaseName>), ServiceError> {
        let mut session = self.installed("resume").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        let snapshot = self.held_active(&transaction, run).await?;
        let resumed = pauses::resume(&transaction, snapshot.run_id, None).await?;
        transaction.commit().await?;
        let under_way = snapshot
            .current_phase()
            .map(|phase| phase.name)
            .filter(|phase| snapshot.phase_state(*phase).has_begun());
        Ok((resumed, under_way))
    }

    /// Pauses every active run that is not paused, in one transaction.
    pub async fn pause_all(
        &self,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<Vec<PausedRun>, ServiceError> {
        let mut session = self.installed("pause").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        let mut paused = Vec::new();
        for id in pauses::active_ids(&transaction).await? {
            let mut run = self.standing(&transaction, id).await?;
            if run.left.is_none() {
                pauses::pause(&transaction, id, reason, until, Breadth::All).await?;
            } else if let Some(left) = &mut run.left {
                left.insert_str(0, "was paused ");
            }
            paused.push(run);
        }
        transaction.commit().await?;
        Ok(paused)
    }

    /// Ends the pauses that `pause_all` made. A run that somebody has paused by itself stays so.
    pub async fn resume_all(&self) -> Result<Vec<PausedRun>, ServiceError> {
        let mut session = self.installed("resume").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        let mut resumed = Vec::new();
        for id in pauses::active_ids(&transaction).await? {
            let mut run = self.standing(&transaction, id).await?;
            if pauses::is_paused_with_all(&transaction, id).await? {
                pauses::resume(&transaction, id, None).await?;
                run.left = None;
            } else {
                let left = run.left.take();
                run.left = Some(left.map_or("was not paused".to_owned(), |why| {
                    format!("stays paused {why}: `crossfade resume {}`", run.run)
                }));
            }
            resumed.push(run);
        }
        transaction.commit().await?;
        Ok(resumed)
    }

    async fn standing(
        &self,
        transaction: &tokio_postgres::Transaction<'_>,
        id: i64,
    ) -> Result<PausedRun, ServiceError> {
        let snapshot = runs::snapshot(transaction, id).await?;
        let pause = snapshot.paused();
        let current = snapshot.current_phase().map(|phase| phase.name);
        let under_way = current.filter(|phase| {
            matches!(
                snapshot.phase_state(*phase),
                State::Running | State::Failed | State::Reverting
            )
        });
        Ok(PausedRun {
            run: snapshot.plan.name.to_string(),
            left: pause.map(|pause| format!("by {}: {}", pause.by, pause.reason)),
            under_way,
        })
    }
}

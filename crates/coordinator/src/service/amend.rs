//! `amend`: gates and limits of a run that goes on.

use super::{Service, ServiceError};
use crate::store::{StoreError, amendments};
use crossfade_decisions::lifecycle::transition::State;
use crossfade_model::error::render;
use crossfade_plan::{
    amendment::{Amendment, Change},
    document::PhaseName,
};
use serde::Serialize;

/// What `amend` has done.
#[derive(Clone, Debug, Serialize)]
pub struct Amended {
    pub changes: Vec<Change>,
    /// Approvals of phases whose gates became weaker: they have to be given again.
    pub approvals_void: Vec<VoidApproval>,
}

#[derive(Clone, Debug, Serialize)]
pub struct VoidApproval {
    pub phase: String,
    pub role: String,
}

impl Service {
    /// Changes gates of phases that have not begun, and limits. `file` is what errors call the text.
    pub async fn amend(
        &self,
        run: &str,
        (file, text): (&str, &str),
        reason: &str,
    ) -> Result<Amended, ServiceError> {
        self.not_by_token()?;
        let refused = |errors: &[_]| ServiceError::Plan(render(file, text, errors));
        let amendment = Amendment::read(text).map_err(|errors| refused(&errors))?;
        let mut session = self.installed("amend").await?;
        let transaction = session.transaction().await?;
        let mut snapshot = self.held_active(&transaction, run).await?;
        let changes = amendment
            .apply(&mut snapshot.plan)
            .map_err(|errors| refused(&errors))?;
        for phase in amendment.phases() {
            match snapshot.phase_state(phase) {
                State::Pending | State::Reverted => {}
                state @ (State::Running | State::Failed | State::Completed | State::Reverting) => {
                    return Err(ServiceError::Refused(format!(
                        "{phase} of {run} has begun ({state}), so its gate can no longer be changed"
                    )));
                }
            }
        }
        if changes.is_empty() {
            return Err(ServiceError::Refused(format!(
                "{file} changes nothing: {run} has these gates and limits already"
            )));
        }
        let weaker = changes.iter().filter(|change| change.weaker);
        let mut phases: Vec<PhaseName> = weaker.filter_map(|change| change.phase).collect();
        phases.dedup();
        let corrupt = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
        let recorded = serde_json::to_value(&changes).map_err(corrupt)?;
        amendments::add(&transaction, snapshot.run_id, &amendment, &recorded, reason).await?;
        let void = amendments::void_approvals(&transaction, snapshot.run_id, &phases).await?;
        transaction.commit().await?;
        let void = void.into_iter();
        Ok(Amended {
            changes,
            approvals_void: void
                .map(|(phase, role)| VoidApproval { phase, role })
                .collect(),
        })
    }
}

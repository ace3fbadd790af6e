//! Whom a step waits for.

use super::{ServiceError, Waiting};
use crate::database::activity::{self, Blocker};
use crate::store::history;
use crossfade_decisions::lifecycle::{snapshot::Snapshot, transition::State};
use crossfade_plan::compiled::StepId;
use tokio_postgres::GenericClient;

/// The sessions that hold what a step of a driven run asks for, if any. Between two attempts nobody waits that could be
/// seen: then it is those that were noted last, as long as they are there and nothing has been recorded since.
pub(super) async fn waited_for(
    client: &impl GenericClient,
    snapshot: &Snapshot,
) -> Result<Option<Waiting>, ServiceError> {
    let is_under_way = |state| matches!(state, State::Running | State::Reverting);
    let mut steps = snapshot.plan.steps();
    let Some((_, step)) = steps.find(|(_, step)| is_under_way(snapshot.step_state(&step.id)))
    else {
        return Ok(None);
    };
    let mut blockers = activity::blockers_of_run(client, snapshot.plan.name.as_str()).await?;
    if blockers.is_empty() {
        blockers = noted(client, snapshot.run_id, &step.id).await?;
    }
    if blockers.is_empty() {
        return Ok(None);
    }
    let list: Vec<String> = blockers.iter().map(Blocker::to_string).collect();
    Ok(Some(Waiting {
        kind: "lock".to_owned(),
        detail: format!("{} waits for {}", step.id, list.join("; ")),
        until: None,
    }))
}

async fn noted(
    client: &impl GenericClient,
    run_id: i64,
    step: &StepId,
) -> Result<Vec<Blocker>, ServiceError> {
    let Some(event) = history::newest(client, run_id).await? else {
        return Ok(Vec::new());
    };
    if event.kind != "blocked" || event.detail["step"] != step.0 {
        return Ok(Vec::new());
    }
    let blockers = event.detail["blockers"].clone();
    let noted: Vec<Blocker> = serde_json::from_value(blockers).unwrap_or_default();
    Ok(activity::still_there(client, &noted, &event.at).await?)
}

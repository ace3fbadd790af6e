//! Rollbacks: where one leads, that it has arrived, and that it was given up.

use super::{
    StoreError, history,
    lease::Lease,
    runs::{corrupt, phase_event, step_event},
};
use crossfade_decisions::lifecycle::{snapshot::RollbackTarget, transition::Event};
use crossfade_plan::compiled::StepId;
use serde_json::{Value, json};
use tokio_postgres::Transaction;

/// Notes where a rollback leads, before its first step, and what somebody has said that may go with it.
pub async fn begin(
    transaction: &Transaction<'_>,
    lease: Lease,
    target: RollbackTarget,
    discards: &[Value],
) -> Result<(), StoreError> {
    let name = name_of(target);
    set_rolling_back(transaction, lease, Some(name)).await?;
    let mut detail = json!({"to": name});
    if !discards.is_empty() {
        detail["discards"] = json!(discards);
    }
    history::record(transaction, lease.run_id, "rollback begun", &detail).await
}

/// It has arrived.
pub async fn end(transaction: &Transaction<'_>, lease: Lease) -> Result<(), StoreError> {
    set_rolling_back(transaction, lease, None).await?;
    let detail = json!({ "to": None::<&str> });
    history::record(transaction, lease.run_id, "rollback done", &detail).await
}

/// Going back any further was refused: a step that is half way back is as if it had failed, and its phase under way, so that
/// they can come forward again.
pub async fn give_up(
    transaction: &Transaction<'_>,
    lease: Lease,
    why: &str,
) -> Result<(), StoreError> {
    for (table, column) in [("steps", "step"), ("phases", "phase")] {
        let rows = transaction
            .query(
                &format!("SELECT {column} FROM crossfade.{table} WHERE run_id = $1 AND state = 'reverting' ORDER BY position"),
                &[&lease.run_id],
            )
            .await?;
        for row in rows {
            let name: String = row.get(0);
            if table == "steps" {
                step_event(transaction, lease, &StepId(name), Event::Fail, Some(why)).await?;
            } else {
                let phase = name.parse().map_err(corrupt)?;
                phase_event(transaction, lease, phase, Event::Fail).await?;
                phase_event(transaction, lease, phase, Event::Start).await?;
            }
        }
    }
    set_rolling_back(transaction, lease, None).await?;
    let detail = json!({ "why": why });
    history::record(transaction, lease.run_id, "rollback given up", &detail).await
}

fn name_of(target: RollbackTarget) -> &'static str {
    match target {
        RollbackTarget::Start => "start",
        RollbackTarget::Phase(phase) => phase.as_str(),
    }
}

async fn set_rolling_back(
    transaction: &Transaction<'_>,
    lease: Lease,
    target: Option<&str>,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "UPDATE crossfade.runs SET rolling_back_to = $2 WHERE id = $1",
            &[&lease.run_id, &target],
        )
        .await?;
    Ok(())
}

/// Notes that the rollback under way only drops the triggers, and why: what somebody has dropped or renamed.
pub async fn set_frees(
    transaction: &Transaction<'_>,
    lease: Lease,
    why: &[String],
) -> Result<(), StoreError> {
    transaction
        .execute(
            "UPDATE crossfade.runs SET rollback_frees = true WHERE id = $1",
            &[&lease.run_id],
        )
        .await?;
    let detail = json!({"why": why});
    history::record(transaction, lease.run_id, "rollback frees", &detail).await
}

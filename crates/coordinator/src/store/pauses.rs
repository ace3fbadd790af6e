//! Pauses of one run, or of all runs of the database.

use super::{StoreError, history, os_user};
use crossfade_decisions::lifecycle::snapshot::Pause;
use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::{GenericClient, Transaction};

/// Whose pause it is: that of one run, or of all runs of the database at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breadth {
    One,
    All,
}

/// Pauses a run, from any process. `until`: it goes on by itself, when driven, from then on. The pause that it replaces.
pub async fn pause(
    transaction: &Transaction<'_>,
    run_id: i64,
    reason: &str,
    until: Option<Timestamp>,
    breadth: Breadth,
) -> Result<Option<Pause>, StoreError> {
    let before = transaction
        .query_opt(
            "SELECT paused_by, pause_reason, paused_at, paused_until FROM crossfade.runs \
             WHERE id = $1 AND paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > clock_timestamp()) FOR NO KEY UPDATE",
            &[&run_id],
        )
        .await?;
    let replaced = before.map(|row| Pause {
        by: row.get(0),
        reason: row.get(1),
        since: row.get(2),
        until: row.get(3),
    });
    transaction
        .execute(
            "UPDATE crossfade.runs SET paused_by = crossfade.actor_role() || ' (' || crossfade.actor_through($2) || ')', pause_reason = $3, \
                    paused_at = clock_timestamp(), paused_until = $4, paused_with_all = $5 WHERE id = $1",
            &[&run_id, &os_user(), &reason, &until, &(breadth == Breadth::All)],
        )
        .await?;
    let moment = |until: Option<Timestamp>| until.map(|until| until.to_string());
    let mut detail = json!({"reason": reason, "until": moment(until)});
    if let Some(pause) = &replaced {
        detail["replaced"] =
            json!({"by": pause.by, "reason": pause.reason, "until": moment(pause.until)});
    }
    history::record(transaction, run_id, "paused", &detail).await?;
    Ok(replaced)
}

/// The run's state, which nobody changes until the transaction ends. Needs the right to change the run.
pub async fn hold(transaction: &Transaction<'_>, run_id: i64) -> Result<(), StoreError> {
    transaction
        .execute(
            "SELECT FROM crossfade.runs WHERE id = $1 FOR NO KEY UPDATE",
            &[&run_id],
        )
        .await?;
    Ok(())
}

/// The active runs, oldest first; none of them ends or is paused by another until the transaction does.
pub async fn active_ids(transaction: &Transaction<'_>) -> Result<Vec<i64>, StoreError> {
    let rows = transaction
        .query(
            "SELECT id FROM crossfade.runs WHERE state = 'active' ORDER BY id FOR NO KEY UPDATE",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

pub async fn is_paused_with_all(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<bool, StoreError> {
    let row = client
        .query_one(
            "SELECT paused_with_all FROM crossfade.runs WHERE id = $1",
            &[&run_id],
        )
        .await?;
    Ok(row.get(0))
}

/// Ends a pause; `false` where there was none. `why`: where nobody has asked for just that.
pub async fn resume(
    transaction: &Transaction<'_>,
    run_id: i64,
    why: Option<&str>,
) -> Result<bool, StoreError> {
    let updated = transaction
        .execute(
            "UPDATE crossfade.runs SET paused_by = NULL, pause_reason = NULL, paused_at = NULL, paused_until = NULL, paused_with_all = false \
             WHERE id = $1 AND paused_at IS NOT NULL",
            &[&run_id],
        )
        .await?;
    if updated == 1 {
        let detail = why.map_or_else(|| json!({}), |why| json!({"reason": why}));
        history::record(transaction, run_id, "resumed", &detail).await?;
    }
    Ok(updated == 1)
}

//! Freezes: while one is in force, nothing begins in the database.

use super::{StoreError, history, os_user, pauses};
use crossfade_decisions::lifecycle::snapshot::Pause;
use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::{GenericClient, Row, Transaction};

/// Whether a freeze `f` is in force.
pub const IN_FORCE: &str =
    "f.ended_at IS NULL AND (f.until IS NULL OR f.until > clock_timestamp())";

fn freeze(row: &Row) -> Pause {
    Pause {
        by: row.get("by"),
        reason: row.get("reason"),
        since: row.get("placed_at"),
        until: row.get("until"),
    }
}

/// The freeze in force that ends last.
pub async fn in_force(client: &impl GenericClient) -> Result<Option<Pause>, StoreError> {
    let row = client
        .query_opt(
            &format!(
                "SELECT f.by, f.reason, f.placed_at, f.until FROM crossfade.freezes AS f WHERE {IN_FORCE} \
                 ORDER BY f.until DESC NULLS FIRST, f.id LIMIT 1"
            ),
            &[],
        )
        .await?;
    Ok(row.as_ref().map(freeze))
}

/// Places a freeze, and says so in the history of every active run. `false`: the occasion had its freeze.
pub async fn place(
    transaction: &Transaction<'_>,
    reason: &str,
    until: Option<Timestamp>,
    occasion: Option<&str>,
) -> Result<bool, StoreError> {
    let placed = transaction
        .execute(
            "INSERT INTO crossfade.freezes (by, reason, until, occasion) \
             VALUES (crossfade.actor_role() || ' (' || crossfade.actor_through($1) || ')', $2, $3, $4) ON CONFLICT (occasion) DO NOTHING",
            &[&os_user(), &reason, &until, &occasion],
        )
        .await?;
    if placed == 0 {
        return Ok(false);
    }
    let until = until.map(|until| until.to_string());
    let detail = json!({"reason": reason, "until": until, "occasion": occasion});
    for run_id in pauses::active_ids(transaction).await? {
        history::record(transaction, run_id, "frozen", &detail).await?;
    }
    Ok(true)
}

/// Whether an occasion has had its freeze.
pub async fn is_placed(client: &impl GenericClient, occasion: &str) -> Result<bool, StoreError> {
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT FROM crossfade.freezes WHERE occasion = $1)",
            &[&occasion],
        )
        .await?;
    Ok(row.get(0))
}

/// Ends every freeze in force. Those that it ended.
pub async fn end(transaction: &Transaction<'_>) -> Result<Vec<Pause>, StoreError> {
    let rows = transaction
        .query(
            &format!(
                "UPDATE crossfade.freezes AS f SET ended_at = clock_timestamp(), \
                 ended_by = crossfade.actor_role() || ' (' || crossfade.actor_through($1) || ')' \
                 WHERE {IN_FORCE} RETURNING f.by, f.reason, f.placed_at, f.until"
            ),
            &[&os_user()],
        )
        .await?;
    if !rows.is_empty() {
        for run_id in pauses::active_ids(transaction).await? {
            history::record(transaction, run_id, "unfrozen", &json!({})).await?;
        }
    }
    Ok(rows.iter().map(freeze).collect())
}

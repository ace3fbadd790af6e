//! Gates and limits that were amended while a run goes on: who, why, and when. They are added and never change.

use super::{StoreError, history, os_user};
use crossfade_plan::{amendment::Amendment, document::PhaseName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_postgres::{GenericClient, Transaction};

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AmendmentRecord {
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
    /// What was another from then on, as the event says: phase, word, before, after, weaker.
    #[schemars(with = "Vec<crossfade_plan::amendment::Change>")]
    pub changes: Value,
}

/// The oldest first.
pub async fn of_run(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Vec<AmendmentRecord>, StoreError> {
    let rows = client
        .query(
            "SELECT a.role || ' (' || a.os_user || ')', a.reason, a.amended_at, e.changes \
             FROM crossfade.amendments AS a CROSS JOIN LATERAL (SELECT e.detail::jsonb -> 'changes' AS changes FROM crossfade.events AS e \
                 WHERE e.run_id = a.run_id AND e.kind = 'amended' AND e.detail::jsonb ->> 'amendment' = a.id::text ORDER BY e.number LIMIT 1) AS e \
             WHERE a.run_id = $1 ORDER BY a.id",
            &[&run_id],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| AmendmentRecord {
            by: row.get(0),
            reason: row.get(1),
            at: row.get(2),
            changes: row.get(3),
        })
        .collect())
}

/// Adds one, with its event. The server refuses phases that have begun.
pub async fn add(
    transaction: &Transaction<'_>,
    run_id: i64,
    amendment: &Amendment,
    changes: &Value,
    reason: &str,
) -> Result<(), StoreError> {
    let stored =
        serde_json::to_value(amendment).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    transaction
        .query_one(
            "SELECT crossfade.amend($1, $2, $3, $4, $5)",
            &[&run_id, &os_user(), &stored, changes, &reason],
        )
        .await?;
    Ok(())
}

/// Approvals of these phases no longer count, as their gates are weaker than those that were approved. Phase and role of each.
pub async fn void_approvals(
    transaction: &Transaction<'_>,
    run_id: i64,
    phases: &[PhaseName],
) -> Result<Vec<(String, String)>, StoreError> {
    let names: Vec<&str> = phases.iter().map(|phase| phase.as_str()).collect();
    let rows = transaction
        .query(
            "DELETE FROM crossfade.approvals WHERE run_id = $1 AND phase = ANY ($2) RETURNING phase, role",
            &[&run_id, &names],
        )
        .await?;
    let void: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    if !void.is_empty() {
        let approvals = void.iter();
        let approvals: Vec<_> = approvals
            .map(|(phase, role)| json!({"phase": phase, "role": role}))
            .collect();
        let detail = json!({"approvals": approvals});
        history::record(transaction, run_id, "approvals void", &detail).await?;
    }
    Ok(void)
}

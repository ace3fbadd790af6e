//! Approvals of phases. Each names a database role.

use super::{StoreError, history, os_user};
use crossfade_plan::document::PhaseName;
use serde_json::json;
use tokio_postgres::{GenericClient, Transaction};

/// Approvals of the phases after this one no longer count: the run has gone back behind them. They stay in the history.
pub async fn void_approvals(
    transaction: &Transaction<'_>,
    run_id: i64,
    kept: PhaseName,
) -> Result<(), StoreError> {
    let rows = transaction
        .query(
            "DELETE FROM crossfade.approvals AS a USING crossfade.phases AS p, crossfade.phases AS k \
             WHERE a.run_id = $1 AND p.run_id = $1 AND p.phase = a.phase AND k.run_id = $1 AND k.phase = $2 \
               AND p.position > k.position RETURNING a.phase, a.role",
            &[&run_id, &kept.as_str()],
        )
        .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let void: Vec<_> = rows
        .iter()
        .map(|row| json!({"phase": row.get::<_, String>(0), "role": row.get::<_, String>(1)}))
        .collect();
    history::record(
        transaction,
        run_id,
        "approvals void",
        &json!({"approvals": void}),
    )
    .await
}

/// Where approving is for some roles only, the others are told the one right that is missing.
pub async fn require_approver(client: &impl GenericClient) -> Result<(), StoreError> {
    let row = client
        .query_one(
            "SELECT has_function_privilege('crossfade.approve(bigint, text, text, text)', 'EXECUTE'), quote_ident(current_user)",
            &[],
        )
        .await?;
    if row.get(0) {
        Ok(())
    } else {
        Err(StoreError::NoRightsToApprove { role: row.get(1) })
    }
}

/// `false`: that role had approved it already.
pub async fn approve(
    client: &impl GenericClient,
    run_id: i64,
    phase: PhaseName,
    comment: Option<&str>,
) -> Result<bool, StoreError> {
    let row = client
        .query_one(
            "SELECT crossfade.approve($1, $2, $3, $4)",
            &[&run_id, &phase.as_str(), &os_user(), &comment],
        )
        .await
        .map_err(StoreError::refusal)?;
    Ok(row.get(0))
}

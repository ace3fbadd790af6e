//! Limits changed while a run goes on: who, why, and until when.

use super::{StoreError, history, os_user};
use crossfade_plan::tuning::Tuning;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio_postgres::{GenericClient, Transaction};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TuningRecord {
    pub key: String,
    pub value: String,
    pub by: String,
    pub reason: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

/// Those in force by the database's clock, in the order of their keys.
pub async fn in_force(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Vec<TuningRecord>, StoreError> {
    let rows = client
        .query(
            "SELECT key, value, role || ' (' || os_user || ')', reason, set_at, expires_at FROM crossfade.tunings \
             WHERE run_id = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp()) ORDER BY key",
            &[&run_id],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| TuningRecord {
            key: row.get(0),
            value: row.get(1),
            by: row.get(2),
            reason: row.get(3),
            since: row.get(4),
            until: row.get(5),
        })
        .collect())
}

impl TuningRecord {
    pub fn tuning(&self) -> Tuning {
        Tuning {
            key: self.key.clone(),
            value: self.value.clone(),
        }
    }
}

/// Sets these limits, or gives those without a value back to the plan.
pub async fn set(
    transaction: &Transaction<'_>,
    run_id: i64,
    changes: &[(String, Option<String>)],
    reason: &str,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    for (key, value) in changes {
        transaction
            .execute(
                "DELETE FROM crossfade.tunings WHERE run_id = $1 AND key = $2",
                &[&run_id, &key],
            )
            .await?;
        if let Some(value) = value {
            transaction
                .execute(
                    "INSERT INTO crossfade.tunings (run_id, key, value, reason, os_user, expires_at) VALUES ($1, $2, $3, $4, crossfade.actor_through($5), $6)",
                    &[&run_id, &key, &value, &reason, &os_user(), &until],
                )
                .await?;
        }
        let detail = json!({"key": key, "value": value, "reason": reason, "until": until.map(|until| until.to_string())});
        history::record(transaction, run_id, "tuned", &detail).await?;
    }
    Ok(())
}

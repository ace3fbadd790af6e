//! What verifications found.

use super::StoreError;
use crate::lifecycle::snapshot::VerificationRecord;
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::GenericClient;

#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub step: String,
    pub snapshot_at: Timestamp,
    pub rows_checked: i64,
    pub rows_different: i64,
    pub rows_repaired: i64,
    /// Of the rows that agree: those that do not, and were accepted as they are.
    pub rows_accepted: i64,
    pub examples: Vec<Value>,
}

pub async fn add(
    client: &impl GenericClient,
    run_id: i64,
    finding: &Finding,
) -> Result<(), StoreError> {
    client
        .execute(
            "INSERT INTO crossfade.verifications \
                (run_id, step, snapshot_at, rows_checked, rows_different, rows_repaired, examples, rows_accepted) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                &run_id,
                &finding.step,
                &finding.snapshot_at,
                &finding.rows_checked,
                &finding.rows_different,
                &finding.rows_repaired,
                &Value::Array(finding.examples.clone()),
                &finding.rows_accepted,
            ],
        )
        .await?;
    Ok(())
}

/// The newest verification of every `match` step together: counts added up, the oldest one's time.
pub async fn newest(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Option<VerificationRecord>, StoreError> {
    let row = client
        .query_one(
            "SELECT coalesce(sum(rows_checked), 0)::bigint, coalesce(sum(rows_different), 0)::bigint, min(finished_at), \
                    coalesce(sum(rows_accepted), 0)::bigint \
             FROM (SELECT DISTINCT ON (step) rows_checked, rows_different, rows_accepted, finished_at \
                   FROM crossfade.verifications WHERE run_id = $1 ORDER BY step, id DESC) AS newest",
            &[&run_id],
        )
        .await?;
    let finished_at: Option<Timestamp> = row.get(2);
    Ok(finished_at.map(|finished_at| VerificationRecord {
        rows_checked: row.get(0),
        rows_different: row.get(1),
        rows_accepted: row.get(3),
        finished_at,
    }))
}

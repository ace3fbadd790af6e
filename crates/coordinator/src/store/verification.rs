//! What verifications found.

use super::StoreError;
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

/// The keys of rows that differed when they were compared last: some of them, as JSON.
pub async fn different_keys(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Vec<String>, StoreError> {
    let rows = client
        .query(
            "SELECT (e.example -> 'key')::text FROM (SELECT DISTINCT ON (step) examples FROM crossfade.verifications \
                 WHERE run_id = $1 ORDER BY step, id DESC) AS newest, jsonb_array_elements(newest.examples) AS e (example) LIMIT 10",
            &[&run_id],
        )
        .await?;
    Ok(rows.iter().filter_map(|row| row.get(0)).collect())
}

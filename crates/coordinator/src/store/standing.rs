//! How the run's functions and triggers stood, and what somebody changed by hand since rows were last compared.

use super::{StoreError, history};
use crossfade_decisions::lifecycle::standing::{Standing, Touched};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_postgres::GenericClient;

pub(super) fn decoded<T: DeserializeOwned>(value: Option<Value>) -> Result<Option<T>, StoreError> {
    value
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| StoreError::Corrupt(format!("how the triggers stood: {error}")))
}

fn encoded(value: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// What the run has kept of them.
pub async fn kept(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<(Standing, Option<Touched>), StoreError> {
    let row = client
        .query_one(
            "SELECT sync_stood, sync_touched FROM crossfade.runs WHERE id = $1",
            &[&run_id],
        )
        .await?;
    Ok((
        decoded(row.get(0))?.unwrap_or_default(),
        decoded(row.get(1))?,
    ))
}

/// Keeps another look in place of `before`, with what somebody changed between the two. Where the run has kept another one
/// meanwhile, that counts.
pub async fn look(
    client: &impl GenericClient,
    run_id: i64,
    before: &Standing,
    now: &Standing,
    touched: Option<&Touched>,
    changes: &[String],
) -> Result<(), StoreError> {
    let touched = touched.map(encoded).transpose()?;
    let kept = client
        .execute(
            "UPDATE crossfade.runs SET sync_stood = $3, sync_touched = $4 WHERE id = $1 AND coalesce(sync_stood, '{}') = $2",
            &[&run_id, &encoded(before)?, &encoded(now)?, &touched],
        )
        .await?;
    if kept == 0 || changes.is_empty() {
        return Ok(());
    }
    history::record(client, run_id, "sync touched", &json!({"what": changes})).await
}

/// All rows were compared, and agree. Where somebody changed something else meanwhile, that stays.
pub async fn compared(
    client: &impl GenericClient,
    run_id: i64,
    touched: &Touched,
) -> Result<(), StoreError> {
    let cleared = client
        .execute(
            "UPDATE crossfade.runs SET sync_touched = NULL WHERE id = $1 AND sync_touched = $2",
            &[&run_id, &encoded(touched)?],
        )
        .await?;
    if cleared == 0 {
        return Ok(());
    }
    let detail = json!({"since": touched.at, "what": touched.what});
    history::record(client, run_id, "sync compared", &detail).await
}

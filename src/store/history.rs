//! The audit log: append-only, each event sealed with the hash of the one before.

use super::{StoreError, os_user};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_postgres::{GenericClient, Row};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEvent {
    pub number: i64,
    /// UTC, to the microsecond.
    pub at: String,
    pub role: String,
    pub os_user: String,
    pub kind: String,
    pub detail: serde_json::Value,
    pub hash: String,
    #[serde(skip)]
    sealed_detail: String,
}

/// Writes an event in the caller's transaction.
pub async fn record(
    client: &impl GenericClient,
    run_id: i64,
    kind: &str,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    client
        .query_one(
            "SELECT crossfade.record($1, $2, $3, $4)",
            &[&run_id, &kind, &os_user(), &detail.to_string()],
        )
        .await?;
    Ok(())
}

pub async fn load(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Vec<HistoryEvent>, StoreError> {
    let rows = client
        .query(
            &format!("SELECT {FIELDS} FROM crossfade.events WHERE run_id = $1 ORDER BY number"),
            &[&run_id],
        )
        .await?;
    Ok(rows.iter().map(event).collect())
}

/// What was recorded last.
pub async fn newest(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Option<HistoryEvent>, StoreError> {
    let row = client
        .query_opt(
            &format!(
                "SELECT {FIELDS} FROM crossfade.events WHERE run_id = $1 ORDER BY number DESC LIMIT 1"
            ),
            &[&run_id],
        )
        .await?;
    Ok(row.as_ref().map(event))
}

const FIELDS: &str = "number, at, role, os_user, kind, detail, hash";

fn event(row: &Row) -> HistoryEvent {
    let sealed_detail: String = row.get(5);
    HistoryEvent {
        number: row.get(0),
        at: row.get(1),
        role: row.get(2),
        os_user: row.get(3),
        kind: row.get(4),
        detail: serde_json::from_str(&sealed_detail)
            .unwrap_or_else(|_| serde_json::Value::String(sealed_detail.clone())),
        hash: row.get(6),
        sealed_detail,
    }
}

/// The number of the first event that does not fit the chain: it was changed, or the one before it was removed.
pub fn first_broken(run_id: i64, events: &[HistoryEvent]) -> Option<i64> {
    let mut before = String::new();
    for (expected, event) in (1_i64..).zip(events) {
        let sealed = [
            before.as_str(),
            &run_id.to_string(),
            &expected.to_string(),
            &event.at,
            &event.role,
            &event.os_user,
            &event.kind,
            &event.sealed_detail,
        ]
        .join("\n");
        let hash: String = Sha256::digest(sealed.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if event.number != expected || hash != event.hash {
            return Some(event.number);
        }
        before = hash;
    }
    None
}

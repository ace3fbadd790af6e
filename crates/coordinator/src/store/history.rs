//! The audit log: append-only, each event sealed with the hash of the one before.

use super::{StoreError, os_user};
use crossfade_decisions::lifecycle::audit::{Claims, Head, Recorded};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_postgres::{GenericClient, Row};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

/// The failed checks that were accepted as the run was started, as its first event has them.
pub async fn accepted_checks(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Option<serde_json::Value>, StoreError> {
    let row = client
        .query_opt(
            "SELECT e.detail::jsonb -> 'accepted' FROM crossfade.events AS e WHERE e.run_id = $1 AND e.kind = 'started' \
             ORDER BY e.number LIMIT 1",
            &[&run_id],
        )
        .await?;
    Ok(row.and_then(|row| row.get(0)))
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

/// At most `limit` events before the one numbered `before`, the newest first.
pub async fn before(
    client: &impl GenericClient,
    run_id: i64,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<HistoryEvent>, StoreError> {
    let rows = client
        .query(
            &format!(
                "SELECT {FIELDS} FROM crossfade.events WHERE run_id = $1 AND ($2::bigint IS NULL OR number < $2) ORDER BY number DESC LIMIT $3"
            ),
            &[&run_id, &before, &i64::from(limit)],
        )
        .await?;
    Ok(rows.iter().map(event).collect())
}

/// At most `limit` events after the one numbered `after`, the oldest first.
pub async fn after(
    client: &impl GenericClient,
    run_id: i64,
    after: i64,
    limit: u32,
) -> Result<Vec<HistoryEvent>, StoreError> {
    let rows = client
        .query(
            &format!(
                "SELECT {FIELDS} FROM crossfade.events WHERE run_id = $1 AND number > $2 ORDER BY number LIMIT $3"
            ),
            &[&run_id, &after, &i64::from(limit)],
        )
        .await?;
    Ok(rows.iter().map(event).collect())
}

/// How many events there are, by the run's name and the kind.
pub async fn counts(client: &impl GenericClient) -> Result<Vec<(String, String, i64)>, StoreError> {
    let rows = client
        .query(
            "SELECT r.name, e.kind, count(*) FROM crossfade.events AS e JOIN crossfade.runs AS r ON r.id = e.run_id GROUP BY 1, 2 ORDER BY 1, 2",
            &[],
        )
        .await?;
    let count = |row: &Row| (row.get(0), row.get(1), row.get(2));
    Ok(rows.iter().map(count).collect())
}

/// The latest events of all runs, each behind its run's name, the oldest of them first.
pub async fn of_all(
    client: &impl GenericClient,
    limit: u32,
) -> Result<Vec<(String, HistoryEvent)>, StoreError> {
    let rows = client
        .query(
            &format!(
                "SELECT {FIELDS}, (SELECT r.name FROM crossfade.runs AS r WHERE r.id = e.run_id) FROM crossfade.events AS e \
                 ORDER BY e.at DESC, e.run_id DESC, e.number DESC LIMIT $1"
            ),
            &[&i64::from(limit)],
        )
        .await?;
    Ok(rows
        .iter()
        .rev()
        .map(|row| (row.get(7), event(row)))
        .collect())
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

impl HistoryEvent {
    /// One that nobody recorded.
    #[cfg(test)]
    pub fn made(at: &str, kind: &str, detail: serde_json::Value) -> Self {
        Self {
            number: 1,
            at: at.to_owned(),
            role: "alice".to_owned(),
            os_user: "alice@host".to_owned(),
            kind: kind.to_owned(),
            sealed_detail: detail.to_string(),
            detail,
            hash: String::new(),
        }
    }

    pub fn recorded(&self) -> Recorded<'_> {
        Recorded {
            number: self.number,
            role: &self.role,
            kind: &self.kind,
            detail: &self.detail,
        }
    }
}

/// What the run's tables say of it, to be compared with its events.
const CLAIMS: &str = "
    SELECT r.state, r.started_by, r.fingerprint, r.rolling_back_to, r.paused_at IS NOT NULL,
        encode(sha256(convert_to(r.document || E'\\n' || r.plan::text, 'UTF8')), 'hex'),
        r.event_count, r.event_head, r.events_before_head,
        (SELECT coalesce(jsonb_object_agg(p.phase, p.state), '{}') FROM crossfade.phases AS p WHERE p.run_id = r.id),
        (SELECT coalesce(jsonb_object_agg(s.step, s.state), '{}') FROM crossfade.steps AS s WHERE s.run_id = r.id),
        (SELECT coalesce(jsonb_agg(jsonb_build_array(a.phase, a.role) ORDER BY a.phase, a.role), '[]')
            FROM crossfade.approvals AS a WHERE a.run_id = r.id),
        (SELECT coalesce(array_agg(q.id ORDER BY q.id), '{}') FROM crossfade.quarantine AS q
            WHERE q.run_id = r.id AND q.accepted_at IS NOT NULL),
        (SELECT coalesce(jsonb_agg(jsonb_build_array(m.id, encode(sha256(convert_to(m.amendment::text, 'UTF8')), 'hex'))), '[]')
            FROM crossfade.amendments AS m WHERE m.run_id = r.id)
    FROM crossfade.runs AS r WHERE r.id = $1";

/// Best in the snapshot in which the events were read.
pub async fn claims(client: &impl GenericClient, run_id: i64) -> Result<Claims, StoreError> {
    let row = client.query_one(CLAIMS, &[&run_id]).await?;
    let corrupt = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
    Ok(Claims {
        state: row.get(0),
        started_by: row.get(1),
        fingerprint: row.get(2),
        rolling_back_to: row.get(3),
        is_paused: row.get(4),
        plan_hash: row.get(5),
        head: Head {
            count: row.get(6),
            hash: row.get(7),
            not_kept_before: row.get(8),
        },
        phases: serde_json::from_value(row.get(9)).map_err(corrupt)?,
        steps: serde_json::from_value(row.get(10)).map_err(corrupt)?,
        approvals: serde_json::from_value(row.get(11)).map_err(corrupt)?,
        accepted: row.get(12),
        amendments: serde_json::from_value(row.get(13)).map_err(corrupt)?,
    })
}

/// The number of the first event that does not fit the chain: it was changed, or the one before it was removed.
pub fn first_broken(run_id: i64, events: &[HistoryEvent]) -> Option<i64> {
    let mut before = String::new();
    for (expected, event) in (1_i64..).zip(events) {
        let fields = [
            &event.at,
            &event.role,
            &event.os_user,
            &event.kind,
            &event.sealed_detail,
        ];
        // The fields are sealed line by line: with a line's end in one of them, others could be given the same hash.
        let is_ambiguous = fields.iter().any(|field| field.contains('\n'));
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
        if event.number != expected || hash != event.hash || is_ambiguous {
            return Some(event.number);
        }
        before = hash;
    }
    None
}

//! Writes of each version of the application, as the triggers' counters have them, and when they were seen to move.

use super::StoreError;
use crossfade_plan::{compiled::Plan, sqlgen::counters};
use tokio_postgres::GenericClient;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Old,
    New,
    /// An insert of which that could not be told.
    Untold,
}

impl Side {
    fn as_str(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Untold => "untold",
        }
    }
}

/// Reads the plan's write counters; `None` before they are installed and after they are dropped.
pub async fn count_writes(
    client: &impl GenericClient,
    plan: &Plan,
    side: Side,
) -> Result<Option<i64>, StoreError> {
    let mut total = None;
    for counters in counters::of(plan) {
        let sequence = match side {
            Side::Old => Some(counters.old),
            Side::New => Some(counters.new),
            Side::Untold => counters.untold,
        };
        let Some(sequence) = sequence else {
            continue;
        };
        let row = client
            .query_opt(
                "SELECT CASE WHEN to_regclass(s.name) IS NOT NULL THEN coalesce(pg_sequence_last_value(to_regclass(s.name)), 0) END \
                 FROM (SELECT 'crossfade.' || quote_ident($1) AS name) AS s",
                &[&sequence.as_str()],
            )
            .await?;
        let value: Option<i64> = row.and_then(|row| row.get(0));
        if let Some(value) = value {
            total = Some(total.unwrap_or(0) + value);
        }
    }
    Ok(total)
}

/// Looks at the write counters and notes where they stand; whether there was anything new to note. Best had often: the
/// gate counts from the first look.
pub async fn sight_writes(
    client: &impl GenericClient,
    run_id: i64,
    plan: &Plan,
) -> Result<bool, StoreError> {
    let mut noted = 0;
    for side in [Side::Old, Side::New, Side::Untold] {
        if let Some(total) = count_writes(client, plan, side).await? {
            noted += client
                .execute(
                    "INSERT INTO crossfade.write_sightings AS w (run_id, side, total, first_seen_at) \
                     VALUES ($1, $2, $3, clock_timestamp()) \
                     ON CONFLICT (run_id, side) DO UPDATE SET total = excluded.total, first_seen_at = excluded.first_seen_at \
                     WHERE w.total <> excluded.total",
                    &[&run_id, &side.as_str(), &total],
                )
                .await?;
        }
    }
    Ok(noted > 0)
}

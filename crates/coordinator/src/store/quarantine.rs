//! Rows whose value the other side cannot take.

use super::{StoreError, history, os_user};
use crossfade_plan::sqlgen::literal;
use crossfade_postgres::json::JsonText;
use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::{GenericClient, Row, Transaction};

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub id: i64,
    pub table_name: String,
    pub column_name: String,
    pub row_key: JsonText,
    pub row_values: JsonText,
    pub backward: bool,
    pub sqlstate: String,
    pub error: String,
    pub noted_at: Timestamp,
    pub accepted: Option<Accepted>,
}

/// Somebody takes the row as it is: its old value is in no new column.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Accepted {
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}

/// Which entries a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    Ids(Vec<i64>),
}

pub struct NewEntry<'a> {
    pub table_name: &'a str,
    pub column_name: &'a str,
    pub row_key: JsonText,
    pub row_values: JsonText,
    pub sqlstate: &'a str,
    pub error: &'a str,
}

pub async fn count(client: &impl GenericClient, run_id: i64) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            "SELECT count(*) FROM crossfade.quarantine WHERE run_id = $1 AND accepted_at IS NULL",
            &[&run_id],
        )
        .await?;
    Ok(row.get(0))
}

/// Rows that were accepted as they are.
pub async fn count_accepted(client: &impl GenericClient, run_id: i64) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            "SELECT count(*) FROM crossfade.quarantine WHERE run_id = $1 AND accepted_at IS NOT NULL",
            &[&run_id],
        )
        .await?;
    Ok(row.get(0))
}

/// At most `limit` entries, oldest first, those that were accepted last.
pub async fn load(
    client: &impl GenericClient,
    run_id: i64,
    (skip, limit): (i64, i64),
) -> Result<Vec<Entry>, StoreError> {
    let query = format!(
        "{ENTRY} WHERE run_id = $1 ORDER BY accepted_at IS NOT NULL, id OFFSET $2 LIMIT $3"
    );
    let rows = client.query(&query, &[&run_id, &skip, &limit]).await?;
    Ok(entries(rows))
}

/// The columns, each with its table, that cannot take what the new version wrote.
pub async fn backward_columns(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = client
        .query(
            "SELECT DISTINCT table_name, column_name FROM crossfade.quarantine WHERE run_id = $1 AND direction = 'backward' ORDER BY 1, 2",
            &[&run_id],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Rows that the new version wrote with values that this old column cannot take: how many there are, and the first `limit`.
pub async fn backward(
    client: &impl GenericClient,
    run_id: i64,
    (table, column): (&str, &str),
    limit: i64,
) -> Result<(i64, Vec<Entry>), StoreError> {
    const BACKWARD: &str =
        "WHERE run_id = $1 AND direction = 'backward' AND table_name = $2 AND column_name = $3";
    let count = format!("SELECT count(*) FROM crossfade.quarantine {BACKWARD}");
    let count = client
        .query_one(&count, &[&run_id, &table, &column])
        .await?;
    let first = format!("{ENTRY} {BACKWARD} ORDER BY id LIMIT $4");
    let first = client
        .query(&first, &[&run_id, &table, &column, &limit])
        .await?;
    Ok((count.get(0), entries(first)))
}

/// That nothing is there that going back would lose, but for these columns with their tables, as a condition of a message: a
/// query without its SELECT.
pub fn none_backward(run_id: i64, may_go: &[(String, String)]) -> String {
    let but_for: String = may_go
        .iter()
        .map(|(table, column)| {
            let (table, column) = (literal::text(table), literal::text(column));
            format!(" AND (table_name, column_name) <> ({table}, {column})")
        })
        .collect();
    format!(
        "1 WHERE NOT EXISTS (SELECT 1 FROM crossfade.quarantine WHERE run_id = {run_id} AND direction = 'backward'{but_for})"
    )
}

const ENTRY: &str = "SELECT id, table_name, column_name, row_key, row_values, direction = 'backward', sqlstate, error, noted_at, \
    accepted_by, accepted_reason, accepted_at FROM crossfade.quarantine";

fn entries(rows: Vec<Row>) -> Vec<Entry> {
    rows.into_iter()
        .map(|row| Entry {
            id: row.get(0),
            table_name: row.get(1),
            column_name: row.get(2),
            row_key: row.get(3),
            row_values: row.get(4),
            backward: row.get(5),
            sqlstate: row.get(6),
            error: row.get(7),
            noted_at: row.get(8),
            accepted: match (row.get(9), row.get(10), row.get(11)) {
                (Some(by), Some(reason), Some(at)) => Some(Accepted { by, reason, at }),
                _ => None,
            },
        })
        .collect()
}

/// Notes a row that the backfill could not convert, once for each of its values.
pub async fn add(
    client: &impl GenericClient,
    run_id: i64,
    entry: &NewEntry<'_>,
) -> Result<bool, StoreError> {
    let added = client
        .execute(
            "INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error) \
             SELECT $1, $2, $3, ($4::text)::jsonb, ($5::text)::jsonb, 'forward', $6, $7 WHERE NOT EXISTS ( \
                SELECT 1 FROM crossfade.quarantine AS q WHERE q.run_id = $1 AND q.table_name = $2 AND q.column_name = $3 \
                AND q.row_key = ($4::text)::jsonb AND q.row_values = ($5::text)::jsonb)",
            &[
                &run_id,
                &entry.table_name,
                &entry.column_name,
                &entry.row_key.as_str(),
                &entry.row_values.as_str(),
                &entry.sqlstate,
                &entry.error,
            ],
        )
        .await?;
    Ok(added == 1)
}

/// Accepts entries as they are, and records who did it and why. The ids of those that were not accepted before.
pub async fn accept(
    transaction: &Transaction<'_>,
    run_id: i64,
    which: &Which,
    reason: &str,
) -> Result<Vec<i64>, StoreError> {
    let ids = match which {
        Which::All => None,
        Which::Ids(ids) => Some(ids),
    };
    let rows = transaction
        .query(
            "UPDATE crossfade.quarantine SET accepted_by = crossfade.actor_role() || ' (' || crossfade.actor_through($3) || ')', accepted_reason = $4, \
                    accepted_at = clock_timestamp() \
             WHERE run_id = $1 AND ($2::bigint[] IS NULL OR id = ANY ($2)) AND accepted_at IS NULL RETURNING id",
            &[&run_id, &ids, &os_user(), &reason],
        )
        .await?;
    let mut accepted: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    accepted.sort_unstable();
    if !accepted.is_empty() {
        let detail = json!({"reason": reason, "rows": accepted.len(), "ids": accepted});
        history::record(transaction, run_id, "quarantine accepted", &detail).await?;
    }
    Ok(accepted)
}

/// The entries of these that are the run's.
pub async fn known(
    client: &impl GenericClient,
    run_id: i64,
    ids: &[i64],
) -> Result<Vec<i64>, StoreError> {
    let rows = client
        .query(
            "SELECT id FROM crossfade.quarantine WHERE run_id = $1 AND id = ANY ($2)",
            &[&run_id, &ids],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What another try of a conversion said.
pub async fn set_error(
    client: &impl GenericClient,
    id: i64,
    sqlstate: &str,
    error: &str,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.quarantine SET sqlstate = $2, error = $3 WHERE id = $1",
            &[&id, &sqlstate, &error],
        )
        .await?;
    Ok(())
}

/// `$1`: the ids.
pub const REMOVE: &str = "DELETE FROM crossfade.quarantine WHERE id = ANY ($1)";

pub async fn remove(client: &impl GenericClient, ids: &[i64]) -> Result<(), StoreError> {
    client.execute(REMOVE, &[&ids]).await?;
    Ok(())
}

pub async fn clear(client: &impl GenericClient, run_id: i64) -> Result<(), StoreError> {
    client
        .execute(
            "DELETE FROM crossfade.quarantine WHERE run_id = $1",
            &[&run_id],
        )
        .await?;
    Ok(())
}

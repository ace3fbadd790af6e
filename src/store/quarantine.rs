//! Rows whose value the other side cannot take.

use super::StoreError;
use serde_json::Value;
use tokio_postgres::GenericClient;

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub id: i64,
    pub table_name: String,
    pub column_name: String,
    pub row_key: Value,
    pub row_values: Value,
    pub backward: bool,
    pub error: String,
}

pub struct NewEntry<'a> {
    pub table_name: &'a str,
    pub column_name: &'a str,
    pub row_key: Value,
    pub row_values: Value,
    pub sqlstate: &'a str,
    pub error: &'a str,
}

pub async fn count(client: &impl GenericClient, run_id: i64) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            "SELECT count(*) FROM crossfade.quarantine WHERE run_id = $1",
            &[&run_id],
        )
        .await?;
    Ok(row.get(0))
}

/// At most `limit` entries, oldest first.
pub async fn load(
    client: &impl GenericClient,
    run_id: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let rows = client
        .query(
            "SELECT id, table_name, column_name, row_key, row_values, direction = 'backward', error \
             FROM crossfade.quarantine WHERE run_id = $1 ORDER BY id LIMIT $2",
            &[&run_id, &limit],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Entry {
            id: row.get(0),
            table_name: row.get(1),
            column_name: row.get(2),
            row_key: row.get(3),
            row_values: row.get(4),
            backward: row.get(5),
            error: row.get(6),
        })
        .collect())
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
             SELECT $1, $2, $3, $4, $5, 'forward', $6, $7 WHERE NOT EXISTS ( \
                SELECT 1 FROM crossfade.quarantine AS q WHERE q.run_id = $1 AND q.table_name = $2 AND q.column_name = $3 \
                AND q.row_key = $4 AND q.row_values = $5)",
            &[
                &run_id,
                &entry.table_name,
                &entry.column_name,
                &entry.row_key,
                &entry.row_values,
                &entry.sqlstate,
                &entry.error,
            ],
        )
        .await?;
    Ok(added == 1)
}

pub async fn remove(client: &impl GenericClient, ids: &[i64]) -> Result<(), StoreError> {
    client
        .execute(
            "DELETE FROM crossfade.quarantine WHERE id = ANY($1)",
            &[&ids],
        )
        .await?;
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

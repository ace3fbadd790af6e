//! Batches over a range of blocks: filling, comparing, and looking at single rows.

use super::Result;
use crate::plan::{
    compiled::{Assignment, Fill, Match},
    ident::{Ident, TableName},
};
use crate::postgres::sqlstate::{ErrorClass, classify};
use crate::statement::{
    group::{Group, groups},
    rows::{self, Truth},
    sync::Names,
};
use serde_json::Value;
use tokio_postgres::GenericClient;

/// A range of row addresses: blocks, or within one block from one line to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub from: (i64, u16),
    pub to: (i64, u16),
}

impl Range {
    pub fn blocks(from: i64, to: i64) -> Self {
        Self {
            from: (from, 0),
            to: (to, 0),
        }
    }

    /// The row at one address, written `(12,3)`.
    pub fn row(tid: &str) -> Option<Self> {
        let (block, line) = tid.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
        let (block, line): (i64, u16) = (block.parse().ok()?, line.parse().ok()?);
        Some(Self {
            from: (block, line),
            to: (block, line.checked_add(1)?),
        })
    }

    fn bounds(self) -> (String, String) {
        (
            format!("({},{})", self.from.0, self.from.1),
            format!("({},{})", self.to.0, self.to.1),
        )
    }
}

/// The table's own id, its storage's, and its size in blocks; `None` where it is gone.
pub async fn storage(
    client: &impl GenericClient,
    table: &TableName,
) -> Result<Option<(u32, u32, i64)>> {
    let row = client
        .query_opt(
            "SELECT c.oid, pg_relation_filenode(c.oid), pg_relation_size(c.oid) / current_setting('block_size')::bigint \
             FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
            &[&table.schema.as_str(), &table.name.as_str()],
        )
        .await?;
    Ok(row.map(|row| (row.get(0), row.get(1), row.get(2))))
}

/// The rows changed.
pub async fn fill(client: &impl GenericClient, fill: &Fill, range: Range) -> Result<u64> {
    let (from, to) = range.bounds();
    client.execute(&rows::fill(fill), &[&from, &to]).await
}

/// A row whose fill failed with `error`, group by group: those that convert are filled. Whether any was, and which
/// expressions failed with what. One expression alone needs no second look.
pub async fn fill_parts<'a>(
    client: &impl GenericClient,
    fill: &'a Fill,
    row: Range,
    error: tokio_postgres::Error,
) -> Result<(u64, Vec<(&'a Assignment, tokio_postgres::Error)>)> {
    if let [only] = fill.set.as_slice() {
        return Ok((0, vec![(only, error)]));
    }
    let (from, to) = row.bounds();
    let (mut changed, mut failed) = (0, Vec::new());
    for group in groups(&fill.set, &[]) {
        client.batch_execute("SAVEPOINT crossfade_part").await?;
        match client
            .execute(&rows::fill_group(fill, &group), &[&from, &to])
            .await
        {
            Ok(rows) => changed += rows,
            Err(error) if classify(&error) == ErrorClass::Conversion => {
                let failed_before = failed.len();
                let Group { forward, .. } = group;
                for assignment in &forward {
                    client.batch_execute("ROLLBACK TO crossfade_part").await?;
                    let one = rows::fill_one(&fill.table, assignment);
                    match client.execute(&one, &[&from, &to]).await {
                        Ok(_) => {}
                        Err(error) if classify(&error) == ErrorClass::Conversion => {
                            failed.push((*assignment, error));
                        }
                        Err(error) => return Err(error),
                    }
                }
                client.batch_execute("ROLLBACK TO crossfade_part").await?;
                // A constraint over several of them.
                if let (true, [first, ..]) = (failed.len() == failed_before, forward.as_slice()) {
                    failed.push((*first, error));
                }
            }
            Err(error) => return Err(error),
        }
        client
            .batch_execute("RELEASE SAVEPOINT crossfade_part")
            .await?;
    }
    Ok((changed, failed))
}

/// `(checked, different)`
pub async fn compare(
    client: &impl GenericClient,
    matching: &Match,
    names: &Names,
    range: Range,
) -> Result<(i64, i64)> {
    let (from, to) = range.bounds();
    let row = client
        .query_one(&rows::compare(matching, names), &[&from, &to])
        .await?;
    Ok((row.get(0), row.get(1)))
}

/// Up to `limit` differing rows: `(key, values)`.
pub async fn different_rows(
    client: &impl GenericClient,
    matching: &Match,
    names: &Names,
    range: Range,
    limit: i64,
) -> Result<Vec<(Value, Value)>> {
    let (from, to) = range.bounds();
    let rows = client
        .query(
            &rows::different_rows(matching, names),
            &[&from, &to, &limit],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

pub async fn repair(
    client: &impl GenericClient,
    matching: &Match,
    names: &Names,
    truth: Truth,
    range: Range,
) -> Result<u64> {
    let (from, to) = range.bounds();
    client
        .execute(&rows::repair(matching, names, truth), &[&from, &to])
        .await
}

/// The addresses of a range's rows.
pub async fn addresses(
    client: &impl GenericClient,
    table: &TableName,
    range: Range,
) -> Result<Vec<String>> {
    let (from, to) = range.bounds();
    let query = format!(
        "SELECT ctid::text FROM ONLY {table} WHERE ctid >= ($1::text)::tid AND ctid < ($2::text)::tid"
    );
    let rows = client.query(&query, &[&from, &to]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The key and the values read of the row at an address, as JSON objects; `None` when it has moved or gone.
pub async fn row_image(
    client: &impl GenericClient,
    table: &TableName,
    key: &[Ident],
    reads: &[&Ident],
    range: Range,
) -> Result<Option<(Value, Value)>> {
    let (from, to) = range.bounds();
    let row = client
        .query_opt(&rows::row_image(table, key, reads), &[&from, &to])
        .await?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

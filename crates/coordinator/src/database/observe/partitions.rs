//! What the partitions of a table have by themselves, whichever came and went since the plan was compiled.

use super::{Observed, Result, holds};
use crossfade_model::ident::{Ident, TableName};
use tokio_postgres::GenericClient;

/// A partition of up to this size is read in a moment, 128 blocks.
const SMALL_BYTES: i64 = 1 << 20;

/// Whether the index is valid; `$1` is its name with the schema.
const VALID: &str = "SELECT i.indisvalid FROM pg_catalog.pg_index AS i WHERE i.indexrelid = pg_catalog.to_regclass($1)";

/// The partitions of `$1` that have no part of the index `$2`.
const WITHOUT_PART: &str = "\
    SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) AS t \
         JOIN pg_catalog.pg_class AS c ON c.oid = t.relid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE t.level > 0 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index AS i, pg_catalog.pg_partition_ancestors(i.indexrelid) AS a \
        WHERE i.indrelid = t.relid AND a.relid = pg_catalog.to_regclass($2)) ORDER BY 1, 2";

/// The partitions of `$1` that would be read for a foreign key, having none called `$2` that is validated.
const WOULD_BE_READ: &str = "\
    SELECT t.relid::pg_catalog.regclass::text FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) AS t \
    WHERE t.isleaf AND pg_catalog.pg_relation_size(t.relid) > $3 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS c \
        WHERE c.conrelid = t.relid AND c.contype = 'f' AND c.conname = ANY ($2) AND c.convalidated) ORDER BY 1 LIMIT 1";

/// On whatever level. `false` as well where one of them is not there.
pub(super) async fn is_partition(
    client: &impl GenericClient,
    partition: &TableName,
    of: &TableName,
) -> Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_partition_ancestors(pg_catalog.to_regclass($1)) AS a \
                 WHERE a.relid = pg_catalog.to_regclass($2))";
    let row = client
        .query_one(query, &[&partition.to_string(), &of.to_string()])
        .await?;
    Ok(row.get(0))
}

pub(super) async fn index_is_whole(
    client: &impl GenericClient,
    table: &TableName,
    name: &Ident,
    known: &[TableName],
) -> Result<Observed> {
    let index = TableName {
        schema: table.schema.clone(),
        name: name.clone(),
    };
    let index_text = index.to_string();
    let valid = client.query_opt(VALID, &[&index_text]).await?;
    match valid.map(|row| row.get::<_, bool>(0)) {
        None => return Ok(Observed::Missing),
        Some(true) => return Ok(Observed::Holds),
        Some(false) => {}
    }
    let rows = client
        .query(WITHOUT_PART, &[&table.to_string(), &index_text])
        .await?;
    let without: Vec<TableName> = rows
        .iter()
        .map(|row| TableName {
            schema: Ident::from_catalog(row.get::<_, &str>(0)),
            name: Ident::from_catalog(row.get::<_, &str>(1)),
        })
        .collect();
    let new = without.iter().find(|partition| !known.contains(partition));
    Ok(match new {
        Some(new) => Observed::Conflict(format!(
            "the partition {new} came after the plan was compiled, and has no part of {index}. Make one as the others have \
             (CREATE INDEX CONCURRENTLY, and where it serves a constraint ADD CONSTRAINT … USING INDEX), ALTER INDEX {index} ATTACH PARTITION it, and go on"
        )),
        None if without.is_empty() => Observed::Conflict(format!(
            "{index} is INVALID although every partition has its index, because a partition without one was detached. Drop it (or its constraint), and run `crossfade advance`, which creates it again"
        )),
        None => Observed::Missing,
    })
}

pub(super) async fn refer(
    client: &impl GenericClient,
    table: &TableName,
    names: &[Ident],
) -> Result<Observed> {
    let names: Vec<&str> = names.iter().map(Ident::as_str).collect();
    let row = client
        .query_opt(WOULD_BE_READ, &[&table.to_string(), &names, &SMALL_BYTES])
        .await?;
    Ok(match row.map(|row| row.get::<_, String>(0)) {
        None => holds(true),
        Some(partition) => Observed::Conflict(format!(
            "the partition {partition} came after the plan was compiled and has no foreign key of its own: nobody could write while its rows \
             are read for that of {table}. ALTER TABLE {partition} ADD CONSTRAINT {} FOREIGN KEY … NOT VALID, VALIDATE CONSTRAINT, and go on",
            names.first().copied().unwrap_or("…")
        )),
    })
}

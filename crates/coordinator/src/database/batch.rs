//! Batches over a range of blocks: filling, comparing, and looking at single rows.

use super::Result;
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{rows, sync::Names, table_pair::rows as pair};
use crossfade_plan::{
    compiled::{ColumnRef, Fill, Match},
    key::KeyColumn,
    table_pair::TablePair,
};
use crossfade_postgres::json::JsonText;
use deadpool_postgres::GenericClient as Caching;
use serde_json::Value;
use tokio_postgres::{GenericClient, Row};

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

    /// These rows of a table, or of a partition.
    pub fn of(self, storage: &TableName) -> Place<'_> {
        Place {
            storage,
            range: self,
        }
    }
}

/// A range of the rows of a table that has its own storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub storage: &'a TableName,
    pub range: Range,
}

impl Place<'_> {
    /// As TIDs: from, and up to.
    pub fn bounds(self) -> (String, String) {
        (
            format!("({},{})", self.range.from.0, self.range.from.1),
            format!("({},{})", self.range.to.0, self.range.to.1),
        )
    }
}

/// A table that has blocks of its own: the plan's table, or each partition that is not divided further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    pub name: TableName,
    pub relation: u32,
    /// `pg_relation_filenode`: another one means that the table was rewritten.
    pub filenode: u32,
    pub blocks: i64,
}

/// Where the table's rows are. `None`: it is gone.
pub async fn storages(
    client: &impl GenericClient,
    table: &TableName,
) -> Result<Option<(u32, Vec<Storage>)>> {
    let row = client
        .query_opt(
            "SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
            &[&table.schema.as_str(), &table.name.as_str()],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let relation: u32 = row.get(0);
    let rows = client
        .query(
            "SELECT n.nspname::text, c.relname::text, c.oid, pg_relation_filenode(c.oid), \
                    pg_relation_size(c.oid) / current_setting('block_size')::bigint \
             FROM (SELECT $1::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::oid)) AS p \
             JOIN pg_class AS c ON c.oid = p.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'm') ORDER BY c.oid",
            &[&relation],
        )
        .await?;
    let storages = rows
        .iter()
        .map(|row| Storage {
            name: TableName {
                schema: Ident::from_catalog(row.get::<_, &str>(0)),
                name: Ident::from_catalog(row.get::<_, &str>(1)),
            },
            relation: row.get(2),
            filenode: row.get(3),
            blocks: row.get(4),
        })
        .collect();
    Ok(Some((relation, storages)))
}

/// The first of the table and its partitions whose rows cannot be walked by their addresses, and why.
pub async fn not_to_be_walked(
    client: &impl GenericClient,
    relation: u32,
) -> Result<Option<(TableName, String)>> {
    let row = client
        .query_opt(
            "SELECT n.nspname::text, c.relname::text, \
                    CASE WHEN c.relkind IN ('r', 'm') THEN 'is kept by the access method ' || quote_ident(a.amname) \
                         WHEN c.relkind = 'f' THEN 'is a foreign table' ELSE 'is no table' END \
             FROM (SELECT $1::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::oid)) AS p \
             JOIN pg_class AS c ON c.oid = p.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_am AS a ON a.oid = c.relam \
             WHERE c.relkind <> 'p' AND (c.relkind NOT IN ('r', 'm') OR a.amhandler <> 'pg_catalog.heap_tableam_handler'::regproc) \
             ORDER BY c.oid LIMIT 1",
            &[&relation],
        )
        .await?;
    Ok(row.map(|row| {
        let name = TableName {
            schema: Ident::from_catalog(row.get::<_, &str>(0)),
            name: Ident::from_catalog(row.get::<_, &str>(1)),
        };
        (name, row.get(2))
    }))
}

/// Whether any row of the table is not filled: all of it is read, in one statement.
pub async fn any_unfilled(client: &impl GenericClient, fill: &Fill) -> Result<bool> {
    let row = client.query_one(&rows::any_unfilled(fill), &[]).await?;
    Ok(row.get(0))
}

/// `(checked, different)`
pub async fn compare(
    client: &impl Caching,
    matching: &Match,
    names: &Names,
    at: Place<'_>,
) -> Result<(i64, i64)> {
    let (from, to) = at.bounds();
    let compare = client
        .prepare_cached(&rows::compare(matching, at.storage, names))
        .await?;
    let row = client.query_one(&compare, &[&from, &to]).await?;
    Ok((row.get(0), row.get(1)))
}

/// Up to `limit` differing rows: `(key, values)`.
pub async fn different_rows(
    client: &impl GenericClient,
    matching: &Match,
    names: &Names,
    at: Place<'_>,
    limit: i64,
) -> Result<Vec<(Value, Value)>> {
    let (from, to) = at.bounds();
    let rows = client
        .query(
            &rows::different_rows(matching, at.storage, names),
            &[&from, &to, &limit],
        )
        .await?;
    let shown = |value: JsonText| value.shown();
    let row = |row: &Row| (shown(row.get(0)), shown(row.get(1)));
    Ok(rows.iter().map(row).collect())
}

/// How many rows have a value on the new side alone, and the keys of the first.
pub async fn one_sided(
    client: &impl GenericClient,
    matching: &Match,
    names: &Names,
    limit: i64,
) -> Result<(i64, String)> {
    let query = rows::one_sided(matching, names);
    let row = client.query_one(&query, &[&limit]).await?;
    Ok((row.get(0), row.get(1)))
}

/// The addresses of a range's rows.
pub async fn addresses(client: &impl GenericClient, at: Place<'_>) -> Result<Vec<String>> {
    let (from, to) = at.bounds();
    let query = format!(
        "SELECT ctid::text FROM ONLY {} WHERE ctid >= ($1::text)::tid AND ctid < ($2::text)::tid",
        at.storage
    );
    let rows = client.query(&query, &[&from, &to]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The key and the values read of the row at an address, as JSON objects; `None` when it has moved or gone.
pub async fn row_image(
    client: &impl GenericClient,
    fill: &Fill,
    reads: &[&ColumnRef],
    at: Place<'_>,
) -> Result<Option<(JsonText, JsonText)>> {
    let query = match &fill.link {
        Some(both) => pair::row_image(both, at.storage, both.new, reads),
        None => rows::row_image(at.storage, &fill.key, reads),
    };
    image(client, &query, at).await
}

/// The key of the row at an address, as a JSON object.
pub async fn row_key(
    client: &impl GenericClient,
    key: &[KeyColumn],
    at: Place<'_>,
) -> Result<Option<JsonText>> {
    let query = rows::row_image(at.storage, key, &[]);
    Ok(image(client, &query, at).await?.map(|(key, _)| key))
}

async fn image(
    client: &impl GenericClient,
    query: &str,
    at: Place<'_>,
) -> Result<Option<(JsonText, JsonText)>> {
    let (from, to) = at.bounds();
    let row = client.query_opt(query, &[&from, &to]).await?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

/// Rows of the child that belong to none of the parent: how many, and the keys of up to `limit` of them.
pub async fn orphans(
    client: &impl GenericClient,
    both: &TablePair,
    names: &Names,
    limit: i64,
) -> Result<(i64, Vec<Value>)> {
    let row = client
        .query_one(&pair::orphans(both, names), &[&limit])
        .await?;
    let keys = match row.get::<_, JsonText>(1).shown() {
        Value::Array(keys) => keys,
        text => vec![text],
    };
    Ok((row.get(0), keys))
}

/// One of these columns refers to another table, or is referred to. Only a statement that fires triggers is held to that.
pub async fn has_foreign_key(
    client: &impl GenericClient,
    table: &TableName,
    columns: &[&Ident],
) -> Result<bool> {
    let columns: Vec<&str> = columns.iter().map(|column| column.as_str()).collect();
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
               JOIN pg_attribute AS a ON a.attrelid = c.oid \
               JOIN pg_constraint AS k ON k.conrelid = c.oid AND a.attnum = ANY (k.conkey) OR k.confrelid = c.oid AND a.attnum = ANY (k.confkey) \
             WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = ANY ($3) AND k.contype = 'f')",
            &[&table.schema.as_str(), &table.name.as_str(), &columns],
        )
        .await?;
    Ok(row.get(0))
}

/// One of these tables has rules. A statement that writes to it can neither return what it wrote nor stand in another one.
pub async fn has_rules(client: &impl GenericClient, tables: &[&TableName]) -> Result<bool> {
    let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM pg_rewrite AS r WHERE r.ev_type <> '1' AND r.ev_class = ANY ( \
               SELECT to_regclass(t.name)::oid FROM unnest($1::text[]) AS t (name)))",
            &[&tables],
        )
        .await?;
    Ok(row.get(0))
}

/// Row security would hide some of the table's rows; from which role, as SQL. Every session of ours is set to an error then.
pub async fn rows_hidden_from(
    client: &impl GenericClient,
    storage: &TableName,
) -> Result<Option<String>> {
    let row = client
        .query_opt(
            "SELECT quote_ident(current_user) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2 AND row_security_active(c.oid)",
            &[&storage.schema.as_str(), &storage.name.as_str()],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

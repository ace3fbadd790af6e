//! The application's triggers: those that may change what ours have seen, and those that an UPDATE fires.

use super::{Result, ident, oid_of};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::facts::{ChangingTrigger, Each, Enabled, UpdateTrigger, When};
use tokio_postgres::{GenericClient, Row};

/// BEFORE INSERT or UPDATE for each row, in ordinary sessions, on the table and its partitions. Those that a partition has of
/// its table are the table's. In the order in which they fire.
const CHANGING: &str = "\
    SELECT n.nspname::text, c.relname::text, g.tgname::text FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_proc AS f ON f.oid = g.tgfoid JOIN pg_namespace AS fn ON fn.oid = f.pronamespace \
    WHERE g.tgrelid IN (SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid)) AND NOT g.tgisinternal \
      AND (g.tgtype & 1) <> 0 AND (g.tgtype & 2) <> 0 AND (g.tgtype & 20) <> 0 AND g.tgenabled IN ('O', 'A') \
      AND (g.tgparentid = 0 OR g.tgrelid = $1) AND fn.nspname <> 'crossfade' \
    ORDER BY g.tgname COLLATE \"C\", 1, 2";

/// All on UPDATE that are not disabled, on the table and its partitions. Those that a partition has of its table are the table's.
const UPDATING: &str = "\
    SELECT n.nspname::text, c.relname::text, g.tgname::text, g.tgenabled::text, g.tgtype & 1 <> 0, g.tgtype & 2 <> 0, \
           ARRAY(SELECT a.attname::text FROM unnest(g.tgattr) AS number JOIN pg_attribute AS a ON a.attrelid = g.tgrelid AND a.attnum = number ORDER BY 1) \
    FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_proc AS f ON f.oid = g.tgfoid JOIN pg_namespace AS fn ON fn.oid = f.pronamespace \
    WHERE g.tgrelid IN (SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid)) AND NOT g.tgisinternal \
      AND (g.tgtype & 16) <> 0 AND g.tgenabled <> 'D' AND (g.tgparentid = 0 OR g.tgrelid = $1) AND fn.nspname <> 'crossfade' \
    ORDER BY g.tgrelid <> $1, g.tgname COLLATE \"C\", 1, 2";

fn trigger(row: &Row) -> ChangingTrigger {
    ChangingTrigger {
        table: TableName {
            schema: ident(row, 0),
            name: ident(row, 1),
        },
        name: ident(row, 2),
    }
}

pub(super) async fn changing(
    client: &impl GenericClient,
    oid: u32,
) -> Result<Vec<ChangingTrigger>> {
    let rows = client.query(CHANGING, &[&oid]).await?;
    Ok(rows.iter().map(trigger).collect())
}

/// Of the table of this name; none where there is no such table.
pub async fn changing_of(
    client: &impl GenericClient,
    name: &TableName,
) -> Result<Vec<ChangingTrigger>> {
    match oid_of(client, name).await? {
        Some(oid) => changing(client, oid).await,
        None => Ok(Vec::new()),
    }
}

pub(super) async fn updating(client: &impl GenericClient, oid: u32) -> Result<Vec<UpdateTrigger>> {
    let rows = client.query(UPDATING, &[&oid]).await?;
    let trigger = |row: &Row| UpdateTrigger {
        table: TableName {
            schema: ident(row, 0),
            name: ident(row, 1),
        },
        name: ident(row, 2),
        enabled: match row.get(3) {
            "A" => Enabled::Always,
            "R" => Enabled::Replica,
            _ => Enabled::Origin,
        },
        each: match row.get(4) {
            true => Each::Row,
            false => Each::Statement,
        },
        when: match row.get(5) {
            true => When::Before,
            false => When::After,
        },
        columns: row
            .get::<_, Vec<String>>(6)
            .into_iter()
            .map(Ident::from_catalog)
            .collect(),
    };
    Ok(rows.iter().map(trigger).collect())
}

//! Readings of the tables of a plan, with their partitions. Tables that are not there yet are left out.

use super::Result;
use crate::database::products;
use crossfade_decisions::doctor::{
    Horizon, InvalidIndex, Numbers, Special, Unvalidated, VacuumedTable,
};
use crossfade_model::ident::TableName;
use tokio_postgres::{GenericClient, Row};

/// `t` are the tables `$1` (schemas) and `$2` (names), and their partitions, with their names as SQL.
const TREE: &str = "\
    WITH named AS (SELECT c.oid FROM unnest($1::text[], $2::text[]) AS w (schema_name, table_name) \
        JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema_name JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.table_name), \
    t AS (SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relkind, c.relfrozenxid, c.relminmxid, c.reloptions, c.reltuples \
        FROM (SELECT oid FROM named UNION SELECT p.relid FROM named CROSS JOIN LATERAL pg_catalog.pg_partition_tree(named.oid) AS p) AS all_of \
        JOIN pg_catalog.pg_class AS c ON c.oid = all_of.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace)";

async fn rows(client: &impl GenericClient, tables: &[TableName], query: &str) -> Result<Vec<Row>> {
    let schemas: Vec<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    client
        .query(&format!("{TREE} {query}"), &[&schemas, &names])
        .await
}

pub async fn indexes(
    client: &impl GenericClient,
    tables: &[TableName],
) -> Result<Vec<InvalidIndex>> {
    let query = "\
        SELECT t.name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM t JOIN pg_catalog.pg_index AS i ON i.indrelid = t.oid \
            JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
        WHERE NOT i.indisvalid ORDER BY 1, 2";
    let one = |row: &Row| InvalidIndex {
        table: row.get(0),
        index: row.get(1),
    };
    Ok(rows(client, tables, query).await?.iter().map(one).collect())
}

/// What a partition has of its table is the table's. One that is not enforced (PostgreSQL 18) is never validated.
pub async fn constraints(
    client: &impl GenericClient,
    tables: &[TableName],
) -> Result<Vec<Unvalidated>> {
    let query = "\
        SELECT t.name, quote_ident(k.conname) FROM t JOIN pg_catalog.pg_constraint AS k ON k.conrelid = t.oid \
        WHERE NOT k.convalidated AND k.coninhcount = 0 AND to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false' ORDER BY 1, 2";
    let one = |row: &Row| Unvalidated {
        table: row.get(0),
        name: row.get(1),
    };
    Ok(rows(client, tables, query).await?.iter().map(one).collect())
}

pub async fn horizons(client: &impl GenericClient, tables: &[TableName]) -> Result<Vec<Horizon>> {
    let query = "\
        SELECT t.name, age(t.relfrozenxid)::bigint, mxid_age(t.relminmxid)::bigint, \
               current_setting('autovacuum_freeze_max_age')::bigint, current_setting('autovacuum_multixact_freeze_max_age')::bigint \
        FROM t WHERE t.relkind = 'r' ORDER BY 2 DESC";
    let rows = rows(client, tables, query).await?;
    let horizons = rows.iter().flat_map(|row| {
        let horizon = |age, vacuum_age, of| Horizon {
            name: row.get(0),
            age: row.get(age),
            vacuum_age: row.get(vacuum_age),
            of,
        };
        [
            horizon(1, 3, Numbers::Transactions),
            horizon(2, 4, Numbers::Multixacts),
        ]
    });
    Ok(horizons.collect())
}

/// Which of them other products keep, or write to.
pub async fn special(client: &impl GenericClient, tables: &[TableName]) -> Result<Vec<Special>> {
    let mut special = Vec::new();
    for table in tables {
        let query = "SELECT named.oid FROM named";
        for row in rows(client, std::slice::from_ref(table), query).await? {
            let products = products::of(client, row.get(0)).await?;
            special.extend(products.into_iter().map(|product| Special {
                table: table.to_string(),
                product,
            }));
        }
    }
    Ok(special)
}

/// The thresholds as autovacuum computes them, with what a table sets for itself.
pub async fn autovacuum_of(
    client: &impl GenericClient,
    tables: &[TableName],
) -> Result<Vec<VacuumedTable>> {
    let query = "\
        SELECT t.name, coalesce((SELECT o.option_value::boolean FROM pg_catalog.pg_options_to_table(t.reloptions) AS o WHERE o.option_name = 'autovacuum_enabled'), true), \
               pg_catalog.pg_stat_get_dead_tuples(t.oid)::float8, \
               coalesce((SELECT o.option_value::float8 FROM pg_catalog.pg_options_to_table(t.reloptions) AS o WHERE o.option_name = 'autovacuum_vacuum_threshold'), \
                   current_setting('autovacuum_vacuum_threshold')::float8) \
               + coalesce((SELECT o.option_value::float8 FROM pg_catalog.pg_options_to_table(t.reloptions) AS o WHERE o.option_name = 'autovacuum_vacuum_scale_factor'), \
                   current_setting('autovacuum_vacuum_scale_factor')::float8) * greatest(t.reltuples, 0)::float8 \
        FROM t WHERE t.relkind = 'r' ORDER BY 1";
    let one = |row: &Row| VacuumedTable {
        table: row.get(0),
        is_on: row.get(1),
        dead_rows: row.get(2),
        threshold: row.get(3),
    };
    Ok(rows(client, tables, query).await?.iter().map(one).collect())
}

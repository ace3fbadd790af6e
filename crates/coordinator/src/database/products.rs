//! What Citus, TimescaleDB, Spock and pglogical say of a table, in their own catalogs.

use super::Result;
use crossfade_plan::product::{Product, Replicator};
use tokio_postgres::GenericClient;

/// A catalog of a product's, and the columns that are asked for.
struct Catalog {
    product: &'static str,
    extension: &'static str,
    schema: &'static str,
    table: &'static str,
    columns: &'static [&'static str],
}

const CITUS: Catalog = Catalog {
    product: "Citus",
    extension: "citus",
    schema: "pg_catalog",
    table: "pg_dist_partition",
    columns: &["logicalrelid", "partmethod", "repmodel"],
};
const HYPERTABLES: Catalog = Catalog {
    product: "TimescaleDB",
    extension: "timescaledb",
    schema: "_timescaledb_catalog",
    table: "hypertable",
    columns: &["schema_name", "table_name"],
};
const CHUNKS: Catalog = Catalog {
    table: "chunk",
    ..HYPERTABLES
};

const fn replication(
    replicator: Replicator,
    (extension, schema): (&'static str, &'static str),
    table: &'static str,
    columns: &'static [&'static str],
) -> Catalog {
    Catalog {
        product: replicator.as_str(),
        extension,
        schema,
        table,
        columns,
    }
}

/// Of each replicator: tables in sets, the sets, subscriptions, and the tables that one has copied.
const fn replications(replicator: Replicator, names: (&'static str, &'static str)) -> [Catalog; 4] {
    [
        replication(
            replicator,
            names,
            "replication_set_table",
            &["set_id", "set_reloid"],
        ),
        replication(
            replicator,
            names,
            "replication_set",
            &["set_id", "set_name"],
        ),
        replication(
            replicator,
            names,
            "subscription",
            &["sub_id", "sub_name", "sub_enabled"],
        ),
        replication(
            replicator,
            names,
            "local_sync_status",
            &["sync_subid", "sync_nspname", "sync_relname"],
        ),
    ]
}

const SPOCK: [Catalog; 4] = replications(Replicator::Spock, ("spock", "spock"));
const PGLOGICAL: [Catalog; 4] = replications(Replicator::Pglogical, ("pglogical", "pglogical"));

/// How much of a catalog is there. Anybody may make a table of such a name: only plain tables are read, and only columns whose types
/// are PostgreSQL's own, so that a look evaluates nothing that somebody else wrote.
const LOOK: &str = "\
    SELECT w.number, c.oid IS NOT NULL, \
           coalesce(has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), false), \
           coalesce(c.relkind = 'r' AND NOT c.relrowsecurity AND NOT EXISTS (SELECT FROM unnest(string_to_array(w.columns, ' ')) AS u (name) WHERE NOT EXISTS ( \
               SELECT FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid \
               WHERE a.attrelid = c.oid AND a.attname = u.name AND NOT a.attisdropped AND t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b')), false), \
           EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = w.extension) \
    FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[]) AS w (number, extension, schema_name, table_name, columns) \
         LEFT JOIN (pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace) \
             ON n.nspname = w.schema_name AND c.relname = w.table_name \
    ORDER BY w.number";

#[derive(Clone, PartialEq, Eq)]
enum State {
    Absent,
    Readable,
    /// Why not.
    Unreadable(String),
}

async fn look(client: &impl GenericClient, catalogs: &[&Catalog]) -> Result<Vec<State>> {
    let numbers: Vec<i32> = (0_i32..).take(catalogs.len()).collect();
    let each = |part: fn(&Catalog) -> &'static str| -> Vec<&'static str> {
        catalogs.iter().map(|catalog| part(catalog)).collect()
    };
    let columns: Vec<String> = catalogs
        .iter()
        .map(|catalog| catalog.columns.join(" "))
        .collect();
    let rows = client
        .query(
            LOOK,
            &[
                &numbers,
                &each(|catalog| catalog.extension),
                &each(|catalog| catalog.schema),
                &each(|catalog| catalog.table),
                &columns,
            ],
        )
        .await?;
    let state = |(row, catalog): (&tokio_postgres::Row, &&Catalog)| {
        let (is_there, may_read, fits, installed): (bool, bool, bool, bool) =
            (row.get(1), row.get(2), row.get(3), row.get(4));
        let name = format!("{}.{}", catalog.schema, catalog.table);
        match (is_there, may_read, fits, installed) {
            (true, true, true, _) => State::Readable,
            // Somebody else's table of that name, or none.
            (_, _, _, false) => State::Absent,
            (true, false, true, true) => {
                State::Unreadable(format!("this role may not read {name}"))
            }
            (_, _, false, true) | (false, _, _, true) => State::Unreadable(format!(
                "{name} is not as this version of Crossfade knows it"
            )),
        }
    };
    Ok(rows.iter().zip(catalogs).map(state).collect())
}

/// The table and its partitions.
const TREE: &str = "(SELECT $1::oid UNION SELECT relid FROM pg_catalog.pg_partition_tree($1::oid))";

/// What other products than PostgreSQL do with a table.
pub async fn of(client: &impl GenericClient, oid: u32) -> Result<Vec<Product>> {
    let mut all = vec![&CITUS, &HYPERTABLES, &CHUNKS];
    all.extend(&SPOCK);
    all.extend(&PGLOGICAL);
    let states = look(client, &all).await?;
    let mut products: Vec<Product> = Vec::new();
    for (state, catalog) in states.iter().zip(&all) {
        let unreadable = Product::Unreadable {
            product: catalog.product,
            why: match state {
                State::Unreadable(why) => why.clone(),
                State::Absent | State::Readable => continue,
            },
        };
        let is_same = |one: &Product| matches!(one, Product::Unreadable { product, .. } if *product == catalog.product);
        if !products.iter().any(is_same) {
            products.push(unreadable);
        }
    }
    let is_readable = |number: usize| states.get(number) == Some(&State::Readable);
    if is_readable(0) {
        products.extend(citus(client, oid).await?);
    }
    if is_readable(1) && named(client, oid, "hypertable").await? {
        products.push(Product::Hypertable);
    }
    if is_readable(2) && named(client, oid, "chunk").await? {
        products.push(Product::HypertableChunk);
    }
    for (first, replicator, schema) in [
        (3, Replicator::Spock, "spock"),
        (7, Replicator::Pglogical, "pglogical"),
    ] {
        if (first..first + 4).all(is_readable) {
            products.extend(replicated(client, oid, replicator, schema).await?);
        }
    }
    Ok(products)
}

async fn citus(client: &impl GenericClient, oid: u32) -> Result<Option<Product>> {
    let sql = format!(
        "SELECT p.partmethod::text, p.repmodel::text FROM pg_catalog.pg_dist_partition AS p WHERE p.logicalrelid::oid IN {TREE} \
         ORDER BY p.logicalrelid::oid <> $1::oid LIMIT 1"
    );
    let row = client.query_opt(&sql, &[&oid]).await?;
    Ok(
        row.map(|row| match (row.get::<_, &str>(0), row.get::<_, &str>(1)) {
            ("n", "t") => Product::CitusReference,
            ("n", _) => Product::CitusShard,
            _ => Product::CitusDistributed,
        }),
    )
}

/// Whether TimescaleDB has the table by its name.
async fn named(client: &impl GenericClient, oid: u32, catalog: &'static str) -> Result<bool> {
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
             JOIN _timescaledb_catalog.{catalog} AS h ON h.schema_name::text = n.nspname::text AND h.table_name::text = c.relname::text \
         WHERE c.oid IN {TREE})"
    );
    Ok(client.query_one(&sql, &[&oid]).await?.get(0))
}

/// A table in a set of a server that is subscribed to another gets rows from there, too.
async fn replicated(
    client: &impl GenericClient,
    oid: u32,
    replicator: Replicator,
    schema: &'static str,
) -> Result<Option<Product>> {
    let sql = format!(
        "SELECT ARRAY(SELECT DISTINCT s.set_name::text FROM {schema}.replication_set AS s JOIN {schema}.replication_set_table AS t \
                    ON t.set_id::text = s.set_id::text WHERE t.set_reloid::oid IN {TREE} ORDER BY 1), \
                ARRAY(SELECT s.sub_name::text FROM {schema}.subscription AS s WHERE s.sub_enabled ORDER BY 1), \
                ARRAY(SELECT DISTINCT s.sub_name::text FROM {schema}.subscription AS s JOIN {schema}.local_sync_status AS y \
                    ON y.sync_subid::text = s.sub_id::text JOIN pg_catalog.pg_class AS c ON c.relname::text = y.sync_relname::text \
                    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname::text = y.sync_nspname::text \
                WHERE s.sub_enabled AND c.oid IN {TREE} ORDER BY 1)"
    );
    let row = client.query_one(&sql, &[&oid]).await?;
    let (sets, subscriptions, copied): (Vec<String>, Vec<String>, Vec<String>) =
        (row.get(0), row.get(1), row.get(2));
    Ok(match (copied.is_empty(), sets.is_empty()) {
        (false, _) => Some(Product::ReceivedBy(replicator, copied)),
        (true, false) if !subscriptions.is_empty() => {
            Some(Product::ReceivedBy(replicator, subscriptions))
        }
        (true, false) => Some(Product::SentBy(replicator, sets)),
        (true, true) => None,
    })
}

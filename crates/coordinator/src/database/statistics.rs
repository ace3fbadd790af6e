//! The sizes of tables and what the server knows of their rows: for estimates, and for nothing else.

use crossfade_model::ident::TableName;
use crossfade_plan::explain::estimate::{Size, Surroundings};
use tokio_postgres::{Error, GenericClient};

const SIZE: &str = "\
    SELECT c.reltuples::float8, pg_table_size(c.oid), pg_indexes_size(c.oid), \
           (SELECT count(*) FROM pg_index AS i WHERE i.indrelid = c.oid), \
           (SELECT coalesce(sum(s.avg_width), 0)::bigint FROM pg_stats AS s WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited) \
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'm')";

/// Tables that are not there have no size.
pub async fn surroundings(
    client: &impl GenericClient,
    tables: impl Iterator<Item = &TableName>,
) -> Result<Surroundings, Error> {
    let mut surroundings = Surroundings {
        wal_level: client
            .query_one("SELECT current_setting('wal_level')", &[])
            .await?
            .get(0),
        ..Surroundings::default()
    };
    for table in tables {
        let row = client
            .query_opt(SIZE, &[&table.schema.as_str(), &table.name.as_str()])
            .await?;
        let Some(row) = row else { continue };
        let rows: f64 = row.get(0);
        let bytes = |column: usize| row.get::<_, i64>(column).unsigned_abs();
        let size = Size {
            rows: rows.max(0.0) as u64,
            // -1 says that nobody has counted.
            analyzed: rows >= 0.0,
            bytes: bytes(1),
            index_bytes: bytes(2),
            indexes: bytes(3),
            row_bytes: bytes(4),
        };
        surroundings.sizes.insert(table.clone(), size);
    }
    Ok(surroundings)
}

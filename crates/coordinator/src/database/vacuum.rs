//! Making room in a table that is being rewritten.

use super::Result;
use crossfade_model::ident::TableName;
use tokio_postgres::GenericClient;

/// Cleaning the indexes means reading them from end to end, each time: done where they are smaller than this share of
/// the table. Without it the rows' space is made free all the same; four bytes of each remain until a later vacuum.
const INDEX_SHARE_MAX: f64 = 0.1;

/// The VACUUM that fits the table now; `None` where it is gone. It waits for nobody: where somebody else vacuums, it does nothing.
pub async fn statement(client: &impl GenericClient, table: &TableName) -> Result<Option<String>> {
    let row = client
        .query_opt(
            "SELECT (pg_indexes_size(c.oid)::float8 / greatest(pg_relation_size(c.oid), 1)) \
             FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
            &[&table.schema.as_str(), &table.name.as_str()],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let share: f64 = row.get(0);
    let cleanup = if share <= INDEX_SHARE_MAX {
        "ON"
    } else {
        "OFF"
    };
    // The table's end is not cut off: that takes a lock that stops the application.
    Ok(Some(format!(
        "VACUUM (TRUNCATE false, SKIP_LOCKED true, PARALLEL 0, PROCESS_TOAST false, INDEX_CLEANUP {cleanup}) {table}"
    )))
}

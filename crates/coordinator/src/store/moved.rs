//! Rows that Crossfade's own statements have moved. These fire no triggers, not even another run's, so that run's walk may
//! have passed where the row was, or never come to where it is.

use super::{StoreError, workers::ALIVE};
use crossfade_model::ident::TableName;
use tokio_postgres::GenericClient;

/// The tables whose rows are rows of the table `n.nspname = $2 AND c.relname = $3`, and those of which it is a part.
const KIN: &str = "side AS (SELECT k.relid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, \
    LATERAL (SELECT c.oid AS relid UNION SELECT relid FROM pg_partition_tree(c.oid) UNION SELECT relid FROM pg_partition_ancestors(c.oid)) AS k \
    WHERE n.nspname = $2 AND c.relname = $3)";

/// How many rows of the table other runs have moved so far. It never falls.
pub async fn by_others(
    client: &impl GenericClient,
    run_id: i64,
    table: &TableName,
) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            &format!(
                "WITH {KIN} SELECT (SELECT coalesce(sum(m.rows), 0)::bigint FROM crossfade.moved_rows AS m JOIN side ON side.relid = m.relation \
                   WHERE m.run_id <> $1) + (SELECT coalesce(sum(s.rows_changed), 0)::bigint FROM crossfade.segments AS s \
                   JOIN side ON side.relid = s.relation WHERE s.run_id <> $1)"
            ),
            &[&run_id, &table.schema.as_str(), &table.name.as_str()],
        )
        .await?;
    Ok(row.get(0))
}

/// The other runs that are at it: somebody works on a pass of theirs over the table that has moved rows already.
pub async fn movers(
    client: &impl GenericClient,
    run_id: i64,
    table: &TableName,
) -> Result<Vec<String>, StoreError> {
    let rows = client
        .query(
            &format!(
                "WITH {KIN} SELECT DISTINCT r.name FROM crossfade.walks AS k JOIN crossfade.runs AS r ON r.id = k.run_id \
                 JOIN crossfade.segments AS s USING (run_id, step) JOIN side ON side.relid = s.relation \
                 WHERE k.run_id <> $1 AND k.finished_at IS NULL AND s.rows_changed > 0 \
                   AND EXISTS (SELECT 1 FROM crossfade.workers AS w WHERE w.run_id = k.run_id AND {ALIVE}) ORDER BY r.name"
            ),
            &[&run_id, &table.schema.as_str(), &table.name.as_str()],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Keeps what a walk that is about to be removed has moved.
pub async fn keep(client: &impl GenericClient, run_id: i64, step: &str) -> Result<(), StoreError> {
    client
        .execute(
            "INSERT INTO crossfade.moved_rows AS m (run_id, relation, rows) \
             SELECT run_id, relation, sum(rows_changed) FROM crossfade.segments WHERE run_id = $1 AND step = $2 \
             GROUP BY run_id, relation HAVING sum(rows_changed) > 0 \
             ON CONFLICT (run_id, relation) DO UPDATE SET rows = m.rows + excluded.rows",
            &[&run_id, &step],
        )
        .await?;
    Ok(())
}

/// Rows that were moved one by one: `$1` the run, `$2` and `$3` the table's schema and name, `$4` how many.
pub const ADD: &str = "INSERT INTO crossfade.moved_rows AS m (run_id, relation, rows) \
    SELECT $1, c.oid, $4 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $2 AND c.relname = $3 \
    ON CONFLICT (run_id, relation) DO UPDATE SET rows = m.rows + excluded.rows";

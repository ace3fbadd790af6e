//! Who else is at work on a table: who blocks us, and who waits for us.

use super::Result;
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::literal;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio_postgres::GenericClient;

/// A session that we waited for, or a prepared transaction, which no session holds any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// 0 of a prepared transaction.
    pub pid: i32,
    pub application: String,
    /// `prepared` of a prepared transaction.
    pub state: String,
    /// Since its transaction began, or was prepared.
    pub age_ms: i64,
    /// The name of a prepared transaction.
    pub query: String,
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let age = self.age_ms as f64 / 1000.0;
        if self.pid == 0 {
            return write!(
                f,
                "the prepared transaction {}, {age:.1} s old, which COMMIT PREPARED or ROLLBACK PREPARED ends",
                literal::text(&self.query)
            );
        }
        let application = if self.application.is_empty() {
            "unnamed"
        } else {
            &self.application
        };
        write!(
            f,
            "pid {} ({application}, {}, in its transaction for {age:.1} s): {}",
            self.pid, self.state, self.query
        )
    }
}

const BLOCKERS_MAX: i64 = 5;

/// Prepared transactions `p` and the locks `l` that they hold; `pg_locks` has neither their pid nor their name.
const PREPARED: &str = "\
    SELECT DISTINCT 0, '', 'prepared', (extract(epoch FROM statement_timestamp() - p.prepared) * 1000)::bigint, p.gid \
    FROM pg_prepared_xacts AS p JOIN pg_locks AS x ON x.locktype = 'transactionid' AND x.transactionid = p.transaction AND x.granted AND x.pid IS NULL \
    JOIN pg_locks AS l ON l.virtualtransaction = x.virtualtransaction AND l.granted AND l.pid IS NULL";

const FIELDS: &str = "\
    a.pid, coalesce(a.application_name, ''), coalesce(a.state, 'unknown'), \
    coalesce((extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint, 0), \
    coalesce(left(regexp_replace(a.query, '\\s+', ' ', 'g'), 200), '')";

fn blocker(row: &tokio_postgres::Row) -> Blocker {
    Blocker {
        pid: row.get(0),
        application: row.get(1),
        state: row.get(2),
        age_ms: row.get(3),
        query: row.get(4),
    }
}

/// Who holds a lock on the table that conflicts with a strong one of ours, in a transaction older than `age`. Asked
/// before a strong lock: waiting here costs the application nothing, queueing in front of it does.
pub async fn long_holders(
    client: &impl GenericClient,
    tables: &[TableName],
    weakest: &str,
    age: Duration,
    autovacuum_gives_way: bool,
) -> Result<Vec<Blocker>> {
    let (schemas, names): (Vec<&str>, Vec<&str>) = tables
        .iter()
        .map(|table| (table.schema.as_str(), table.name.as_str()))
        .unzip();
    // Share Row Exclusive lets readers be; Access Exclusive conflicts with everything.
    let modes: &[&str] = if weakest == "AccessExclusiveLock" {
        &["%"]
    } else {
        &["RowExclusiveLock", "Share%", "%Exclusive%"]
    };
    let rows = client
        .query(
            &format!(
                "SELECT DISTINCT ON (a.pid) {FIELDS} FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid \
                 JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                 JOIN unnest($1::text[], $2::text[]) AS t (schema_name, table_name) ON n.nspname = t.schema_name AND c.relname = t.table_name \
                 WHERE l.granted AND l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                   AND l.mode LIKE ANY ($3::text[]) AND l.pid <> pg_backend_pid() \
                   AND (clock_timestamp() - a.xact_start > make_interval(secs => $4) AND NOT ($5 AND a.backend_type = 'autovacuum worker') \
                        OR (a.backend_type = 'autovacuum worker' AND a.query LIKE '%(to prevent wraparound)%')) \
                 ORDER BY a.pid LIMIT {BLOCKERS_MAX}"
            ),
            &[&schemas, &names, &modes, &age.as_secs_f64(), &autovacuum_gives_way],
        )
        .await?;
    let prepared = client
        .query(
            &format!(
                "{PREPARED} JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                 JOIN unnest($1::text[], $2::text[]) AS t (schema_name, table_name) ON n.nspname = t.schema_name AND c.relname = t.table_name \
                 WHERE p.database = current_database() AND l.locktype = 'relation' AND l.mode LIKE ANY ($3::text[]) \
                   AND clock_timestamp() - p.prepared > make_interval(secs => $4) ORDER BY p.gid LIMIT {BLOCKERS_MAX}"
            ),
            &[&schemas, &names, &modes, &age.as_secs_f64()],
        )
        .await?;
    Ok(rows.iter().chain(&prepared).map(blocker).collect())
}

/// Who blocks the backend `pid` at this moment. Asked from another session while that one waits.
pub async fn blockers_of(client: &impl GenericClient, pid: i32) -> Result<Vec<Blocker>> {
    let rows = client
        .query(
            &format!(
                "SELECT {FIELDS} FROM unnest(pg_blocking_pids($1)) AS b (pid) JOIN pg_stat_activity AS a ON a.pid = b.pid \
                 ORDER BY a.xact_start LIMIT {BLOCKERS_MAX}"
            ),
            &[&pid],
        )
        .await?;
    let prepared = client
        .query(
            &format!(
                "{PREPARED} JOIN pg_locks AS w ON w.pid = $1 AND NOT w.granted AND (w.transactionid = p.transaction \
                   OR w.locktype = l.locktype AND w.database = l.database AND w.relation = l.relation) \
                 WHERE 0 = ANY (pg_blocking_pids($1)) ORDER BY p.gid LIMIT {BLOCKERS_MAX}"
            ),
            &[&pid],
        )
        .await?;
    Ok(rows.iter().chain(&prepared).map(blocker).collect())
}

/// `pg_locks` shows every role's waits, `pg_stat_activity` not even those of the own login where a role was entered.
///
/// Whom the sessions of a run that are at a step (`crossfade/RUN/STEP`) wait for at this moment, each other aside.
pub async fn blockers_of_run(client: &impl GenericClient, run: &str) -> Result<Vec<Blocker>> {
    let prefix = format!("crossfade/{run}/");
    let waiting = client
        .query(
            "SELECT a.pid FROM pg_stat_activity AS a WHERE a.datname = current_database() AND starts_with(a.application_name, $1) \
             AND EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND NOT l.granted) ORDER BY a.pid LIMIT $2",
            &[&prefix, &BLOCKERS_MAX],
        )
        .await?;
    let mut blockers: Vec<Blocker> = Vec::new();
    for row in waiting {
        for blocker in blockers_of(client, row.get(0)).await? {
            let is_known = blockers.iter().any(|other| other.pid == blocker.pid);
            if !is_known && !blocker.application.starts_with(&prefix) {
                blockers.push(blocker);
            }
        }
    }
    Ok(blockers)
}

/// Those of the blockers that have not ended their transaction since `noted_at`, as they are now.
pub async fn still_there(
    client: &impl GenericClient,
    blockers: &[Blocker],
    noted_at: &str,
) -> Result<Vec<Blocker>> {
    let mut still = Vec::new();
    for noted in blockers {
        let row = if noted.pid == 0 {
            let prepared = format!("{PREPARED} WHERE p.gid = $1 LIMIT 1");
            client.query_opt(&prepared, &[&noted.query]).await?
        } else {
            let session = format!(
                "SELECT {FIELDS} FROM pg_stat_activity AS a WHERE a.pid = $1 \
                 AND a.xact_start <= ($2::text)::timestamptz"
            );
            client.query_opt(&session, &[&noted.pid, &noted_at]).await?
        };
        still.extend(row.as_ref().map(blocker));
    }
    Ok(still)
}

/// The partitions of a table, all levels, a parent before its own; none of an ordinary table.
pub async fn partitions_of(
    client: &impl GenericClient,
    table: &TableName,
) -> Result<Vec<TableName>> {
    let rows = client
        .query(
            "SELECT n.nspname::text, c.relname::text \
             FROM pg_class AS t JOIN pg_namespace AS tn ON tn.oid = t.relnamespace, pg_partition_tree(t.oid) AS p \
             JOIN pg_class AS c ON c.oid = p.relid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE tn.nspname = $1 AND t.relname = $2 AND t.relkind = 'p' AND p.level > 0 ORDER BY p.level, 1, 2",
            &[&table.schema.as_str(), &table.name.as_str()],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| TableName {
            schema: Ident::from_catalog(row.get::<_, &str>(0)),
            name: Ident::from_catalog(row.get::<_, &str>(1)),
        })
        .collect())
}

/// Ends a session if it is still idle in a transaction that is older than `age`. `false`: it is not, or may not be ended.
pub async fn end_idle(client: &impl GenericClient, pid: i32, age: Duration) -> Result<bool> {
    let row = client
        .query_opt(
            "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a WHERE a.pid = $1 AND a.state LIKE 'idle in transaction%' \
             AND clock_timestamp() - a.state_change > make_interval(secs => $2)",
            &[&pid, &age.as_secs_f64()],
        )
        .await?;
    Ok(row.is_some_and(|row| row.get(0)))
}

/// Cancels what another session of ours is at.
pub async fn cancel(client: &impl GenericClient, pid: i32) -> Result<()> {
    client
        .execute("SELECT pg_cancel_backend($1)", &[&pid])
        .await?;
    Ok(())
}

/// Whether somebody waits for a lock of the session `pid`.
pub async fn blocks_others(client: &impl GenericClient, pid: i32) -> Result<bool> {
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM pg_locks AS l \
             WHERE NOT l.granted AND l.pid IS NOT NULL AND pg_blocking_pids(l.pid) @> ARRAY[$1::integer])",
            &[&pid],
        )
        .await?;
    Ok(row.get(0))
}

/// What a concurrent index build is doing, e.g. `building index: 12000 of 40000 blocks`; `None` when there is none.
pub async fn index_build(
    client: &impl GenericClient,
    pid: i32,
) -> Result<Option<(String, i64, i64, Option<i32>)>> {
    let row = client
        .query_opt(
            "SELECT phase, coalesce(blocks_done, 0), coalesce(blocks_total, 0), nullif(current_locker_pid, 0)::integer \
             FROM pg_stat_progress_create_index WHERE pid = $1",
            &[&pid],
        )
        .await?;
    Ok(row.map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))))
}

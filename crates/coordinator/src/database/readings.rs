//! What the database suffers: the readings that a pace is decided by, one part of a query for each signal.

use super::Result;
use crossfade_decisions::pacing::{Known, Missing, Reading, Signal};
use tokio_postgres::GenericClient;

/// A look at the server, in one statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    pub readings: Vec<(Signal, Reading)>,
    /// Physical standbys that are connected, by their names.
    pub standbys: Vec<String>,
    /// Whether the archiver's last attempt failed; with the file.
    pub archiver_fails: Option<String>,
}

/// Which of these signals are worth a look.
#[derive(Clone, Debug, PartialEq)]
pub struct About<'a> {
    pub signals: &'a [Signal],
    pub relation: u32,
    /// Sessions whose locks are ours.
    pub our_pids: &'a [i32],
}

/// Sessions of ours, in whatever process: their transactions end with their batch, and their vacuums hold nothing.
const NOT_OURS: &str = "a.application_name NOT LIKE 'crossfade/%' AND NOT a.pid = ANY (o.pids)";

/// The parts: each gives rows of `(name, amount, of)`, and none where there is nothing to read. `o` are our pids and the
/// table with its partitions. The names that are no signals are what only the whole can make one of.
fn part(signal: Signal) -> Option<String> {
    let standby = "coalesce(nullif(r.application_name, ''), 'pid ' || r.pid)";
    let kept = "pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::float8";
    let slots = "FROM pg_replication_slots AS s WHERE s.restart_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'";
    let slot = "s.slot_name || CASE WHEN s.active THEN '' ELSE ', inactive' END";
    let session = "concat_ws(', ', 'pid ' || a.pid, nullif(a.application_name, ''), a.state)";
    let from = match signal {
        Signal::ReplicaLag => format!(
            "extract(epoch FROM coalesce(r.replay_lag, r.flush_lag, r.write_lag, interval '0'))::float8, {standby} \
             FROM pg_stat_replication AS r WHERE r.state IN ('streaming', 'catchup')"
        ),
        Signal::ReplicaLagBytes => format!(
            "pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(r.replay_lsn, r.flush_lsn, r.write_lsn, r.sent_lsn))::float8, {standby} \
             FROM pg_stat_replication AS r WHERE r.state IN ('streaming', 'catchup')"
        ),
        Signal::SlotWalBytes => format!("{kept}, {slot} {slots}"),
        Signal::SlotWalPercent => format!(
            "100 * {kept} / nullif(pg_size_bytes(current_setting('max_slot_wal_keep_size')), 0), {slot} {slots} \
             AND current_setting('max_slot_wal_keep_size') <> '-1'"
        ),
        Signal::ArchiveFailing => "1.0::float8, v.last_failed_wal FROM pg_stat_archiver AS v \
             WHERE v.last_failed_time > coalesce(v.last_archived_time, '-infinity') AND current_setting('archive_mode') <> 'off'"
            .to_owned(),
        // pg_locks shows every role's waits, pg_stat_activity only what the role may see.
        Signal::BlockedSessions => "extract(epoch FROM clock_timestamp() - l.waitstart)::float8, 'pid ' || l.pid \
             FROM pg_locks AS l CROSS JOIN o WHERE NOT l.granted AND NOT l.pid = ANY (o.pids) AND pg_blocking_pids(l.pid) && o.pids"
            .to_owned(),
        Signal::ActiveSessions => format!(
            "count(*)::float8, NULL FROM pg_stat_activity AS a CROSS JOIN o \
             WHERE a.backend_type = 'client backend' AND a.state = 'active' AND {NOT_OURS}"
        ),
        Signal::OldestTransaction => format!(
            "extract(epoch FROM clock_timestamp() - a.xact_start)::float8, {session} FROM pg_stat_activity AS a CROSS JOIN o \
             WHERE a.datname = current_database() AND coalesce(a.backend_xmin, a.backend_xid) IS NOT NULL \
               AND a.query NOT ILIKE ALL ('{{\"vacuum%\",\"autovacuum: vacuum%\"}}') AND {NOT_OURS} \
             UNION ALL SELECT 'oldest_transaction', extract(epoch FROM clock_timestamp() - p.prepared)::float8, 'prepared ' || p.gid \
             FROM pg_prepared_xacts AS p WHERE p.database = current_database()"
        ),
        Signal::OldestXmin => format!(
            "age(coalesce(a.backend_xmin, a.backend_xid))::float8, {session} FROM pg_stat_activity AS a CROSS JOIN o \
             WHERE (a.datname = current_database() OR a.backend_type = 'walsender') AND coalesce(a.backend_xmin, a.backend_xid) IS NOT NULL \
               AND a.query NOT ILIKE ALL ('{{\"vacuum%\",\"autovacuum: vacuum%\"}}') AND {NOT_OURS} \
             UNION ALL SELECT 'oldest_xmin', age(s.xmin)::float8, 'slot ' || s.slot_name FROM pg_replication_slots AS s WHERE s.xmin IS NOT NULL \
             UNION ALL SELECT 'oldest_xmin', age(p.transaction)::float8, 'prepared ' || p.gid \
             FROM pg_prepared_xacts AS p WHERE p.database = current_database()"
        ),
        Signal::WraparoundVacuum => "extract(epoch FROM clock_timestamp() - a.xact_start)::float8, 'pid ' || a.pid \
             FROM pg_stat_activity AS a CROSS JOIN o WHERE a.backend_type = 'autovacuum worker' AND a.query LIKE '%(to prevent wraparound)%' \
               AND EXISTS (SELECT 1 FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.relation = ANY (o.relations) \
                           AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))"
            .to_owned(),
        // The server's counters begin at 0 after a crash; what ANALYZE found stays.
        Signal::DeadTuplesPercent => "100 * sum(pg_stat_get_dead_tuples(c.oid))::float8 \
             / nullif(sum(pg_stat_get_dead_tuples(c.oid) + greatest(pg_stat_get_live_tuples(c.oid), c.reltuples)), 0)::float8, NULL \
             FROM o JOIN pg_class AS c ON c.oid = ANY (o.relations) WHERE c.relkind IN ('r', 'm')"
            .to_owned(),
        Signal::ArchiveFiles | Signal::Query | Signal::Http => return None,
    };
    Some(format!("SELECT '{}', {from}", signal.as_str()))
}

/// Standbys that were there and go are noticed; a base backup's end is none. A logical subscriber's tables are copied by
/// sessions that come and go.
const STANDBYS: &str = "SELECT 'standby', 0::float8, coalesce(nullif(r.application_name, ''), 'pid ' || r.pid) FROM pg_stat_replication AS r \
     WHERE r.state IN ('streaming', 'catchup') AND r.application_name <> 'pg_basebackup' \
       AND NOT EXISTS (SELECT 1 FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')";

/// What this role may not see, by what it hides.
const HIDDEN: &str = "SELECT 'hidden standbys', count(*)::float8, NULL FROM pg_stat_replication AS r WHERE r.state IS NULL \
     UNION ALL SELECT 'hidden sessions', count(*)::float8, NULL FROM pg_stat_activity AS a WHERE a.query = '<insufficient privilege>'";

const STANDBYS_HIDDEN: &str =
    "this role may not see the standbys (GRANT pg_monitor TO it shows them)";
const SESSIONS_HIDDEN: &str =
    "this role may not see other roles' sessions (GRANT pg_monitor TO it shows them)";

/// The table, and its partitions where it has any.
const RELATIONS: &str = "array_append(ARRAY(SELECT t.relid::oid FROM pg_partition_tree($2::oid::regclass) AS t), $2::oid)";

/// The largest amount of a signal, with what it is of.
type Largest = Option<(f64, Option<String>)>;

/// One look at everything that a single statement can tell.
pub async fn look(client: &impl GenericClient, about: &About<'_>) -> Result<Look> {
    let mut parts: Vec<String> = about.signals.iter().copied().filter_map(part).collect();
    parts.push(STANDBYS.to_owned());
    parts.push(HIDDEN.to_owned());
    let statement = format!(
        "WITH o AS (SELECT $1::integer[] AS pids, {RELATIONS} AS relations) SELECT q.* FROM ({}) AS q (name, amount, of)",
        parts.join(" UNION ALL ")
    );
    let rows = client
        .query(&statement, &[&about.our_pids, &about.relation])
        .await?;
    let found: Vec<(String, Option<f64>, Option<String>)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let largest = |name: &str| -> Largest {
        let amounts = found.iter().filter(|row| row.0 == name);
        amounts
            .filter_map(|(_, amount, of)| Some(((*amount)?.max(0.0), of.clone())))
            .max_by(|one, other| one.0.total_cmp(&other.0))
    };
    let is_hidden = |name: &str| largest(name).is_some_and(|(count, _)| count > 0.0);
    let (standbys_hidden, sessions_hidden) =
        (is_hidden("hidden standbys"), is_hidden("hidden sessions"));
    let mut look = Look {
        standbys: found
            .iter()
            .filter(|row| row.0 == "standby")
            .filter_map(|row| row.2.clone())
            .collect(),
        ..Look::default()
    };
    for signal in about.signals {
        let missing = match signal {
            Signal::ReplicaLag | Signal::ReplicaLagBytes if standbys_hidden => {
                Some(STANDBYS_HIDDEN)
            }
            Signal::ActiveSessions
            | Signal::OldestTransaction
            | Signal::OldestXmin
            | Signal::WraparoundVacuum
                if sessions_hidden =>
            {
                Some(SESSIONS_HIDDEN)
            }
            Signal::ArchiveFailing => {
                look.archiver_fails =
                    largest(signal.as_str()).map(|(_, file)| file.unwrap_or_default());
                continue;
            }
            Signal::ArchiveFiles | Signal::Query | Signal::Http => continue,
            Signal::ReplicaLag
            | Signal::ReplicaLagBytes
            | Signal::ActiveSessions
            | Signal::OldestTransaction
            | Signal::OldestXmin
            | Signal::WraparoundVacuum
            | Signal::SlotWalBytes
            | Signal::SlotWalPercent
            | Signal::BlockedSessions
            | Signal::DeadTuplesPercent => None,
        };
        let known = match largest(signal.as_str()) {
            Some((amount, of)) => Known::Amount(amount, of),
            None => Known::Nothing,
        };
        let reading = Reading {
            known: Some(known),
            missing: missing.map(|why| Missing::Forbidden(why.to_owned())),
        };
        look.readings.push((*signal, reading));
    }
    Ok(look)
}

/// How many files of the log wait for the archiver. Reads a folder, so it is asked less often than the rest.
pub async fn archive_files(client: &impl GenericClient) -> Result<Reading> {
    let row = client
        .query_one(
            "SELECT current_setting('archive_mode') <> 'off', has_function_privilege('pg_ls_archive_statusdir()', 'EXECUTE')",
            &[],
        )
        .await?;
    if !row.get::<_, bool>(0) {
        return Ok(Reading {
            known: Some(Known::Nothing),
            missing: None,
        });
    }
    if !row.get::<_, bool>(1) {
        let why = "this role may not execute pg_ls_archive_statusdir() (GRANT pg_monitor TO it allows it)";
        return Ok(Reading {
            known: None,
            missing: Some(Missing::Forbidden(why.to_owned())),
        });
    }
    let row = client
        .query_one(
            "SELECT count(*)::float8 FROM pg_ls_archive_statusdir() AS f WHERE f.name LIKE '%.ready'",
            &[],
        )
        .await?;
    Ok(Reading {
        known: Some(Known::Amount(row.get(0), None)),
        missing: None,
    })
}

/// The plan's own number. The caller bounds its time and keeps it from writing.
pub async fn number(client: &impl GenericClient, sql: &str) -> Result<Option<f64>> {
    // The line break ends a comment that the query ends with.
    let row = client
        .query_one(&format!("SELECT ({sql}\n)::float8"), &[])
        .await?;
    Ok(row.get(0))
}

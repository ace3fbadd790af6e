//! Readings of the server and of the database as a whole.

use super::Result;
use crate::database::readings::{About, look};
use crossfade_decisions::{
    doctor::{
        Archiver, Autovacuum, EventTrigger, Horizon, Installed, LongTransaction, Numbers, Setting,
        Settings, Slot, Standbys, Transactions, Wraparound,
    },
    pacing::{Known, Missing, Signal},
};
use tokio_postgres::{GenericClient, Row};

const IN_FORCE: &str = "\
    SELECT s.name, s.setting FROM pg_catalog.pg_settings AS s \
    WHERE s.name IN ('default_transaction_read_only', 'session_replication_role', 'transaction_timeout', 'idle_session_timeout') ORDER BY s.name";

/// What holds for new sessions of the role that has logged in: of each setting the one that PostgreSQL takes.
const OF_ROLE: &str = "\
    SELECT DISTINCT ON (1) split_part(c.setting, '=', 1), substr(c.setting, strpos(c.setting, '=') + 1), \
           CASE WHEN s.setrole = 0 AND s.setdatabase = 0 THEN 'ALTER ROLE ALL' \
                WHEN s.setrole = 0 THEN format('ALTER DATABASE %I', current_database()) \
                WHEN s.setdatabase = 0 THEN format('ALTER ROLE %I', session_user) \
                ELSE format('ALTER ROLE %I IN DATABASE %I', session_user, current_database()) END \
    FROM pg_catalog.pg_db_role_setting AS s CROSS JOIN unnest(s.setconfig) AS c (setting) \
    WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())) \
      AND s.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = session_user)) \
    ORDER BY 1, s.setrole <> 0 DESC, s.setdatabase <> 0 DESC";

pub async fn settings(client: &impl GenericClient) -> Result<Settings> {
    let setting = |row: &Row| Setting {
        name: row.get(0),
        value: row.get(1),
        by: row.get(2),
    };
    let of_role: Vec<Setting> = client
        .query(OF_ROLE, &[])
        .await?
        .iter()
        .map(setting)
        .collect();
    let by = |name: &str| {
        let found = of_role.iter().find(|setting| setting.name == name);
        found.map_or(String::new(), |setting| setting.by.clone())
    };
    let rows = client.query(IN_FORCE, &[]).await?;
    let in_force = rows.iter().map(|row| Setting {
        name: row.get(0),
        value: row.get(1),
        by: by(row.get(0)),
    });
    Ok(Settings {
        in_force: in_force.collect(),
        of_role,
    })
}

/// Whether the role could make Crossfade's schema, and the names for a GRANT.
pub async fn may_create_schema(client: &impl GenericClient) -> Result<(bool, String, String)> {
    let row = client
        .query_one(
            "SELECT has_database_privilege(current_database(), 'CREATE'), quote_ident(current_database()), quote_ident(current_user)",
            &[],
        )
        .await?;
    Ok((row.get(0), row.get(1), row.get(2)))
}

const SLOTS: &str = "\
    SELECT s.slot_name::text, quote_literal(s.slot_name), s.active, \
           pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn)::float8, \
           coalesce(s.wal_status = 'lost', false) \
    FROM pg_catalog.pg_replication_slots AS s WHERE NOT (s.temporary AND s.active) ORDER BY s.slot_name";

pub async fn slots(client: &impl GenericClient) -> Result<Vec<Slot>> {
    let rows = client.query(SLOTS, &[]).await?;
    let slot = |row: &Row| Slot {
        name: row.get(0),
        literal: row.get(1),
        is_active: row.get(2),
        kept_bytes: row
            .get::<_, Option<f64>>(3)
            .map(|bytes| bytes.max(0.0) as u64),
        is_lost: row.get(4),
    };
    Ok(rows.iter().map(slot).collect())
}

const SYNCHRONOUS: &str = "\
    SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit') NOT IN ('off', 'local'), count(*), \
           CASE WHEN bool_or(r.state IS NULL) THEN NULL ELSE count(*) FILTER (WHERE r.sync_state IN ('sync', 'quorum')) END \
    FROM pg_catalog.pg_stat_replication AS r";

/// A look at signals that are not of a table.
const fn about(signals: &[Signal]) -> About<'_> {
    About {
        signals,
        relation: 0,
        our_pids: &[],
    }
}

pub async fn standbys(client: &impl GenericClient) -> Result<Standbys> {
    let look = look(client, &about(&[Signal::ReplicaLag])).await?;
    let reading = look.readings.into_iter().next().map(|(_, reading)| reading);
    let (known, missing) = reading.map_or((None, None), |reading| (reading.known, reading.missing));
    let lag_seconds = match known {
        Some(Known::Amount(seconds, name)) => {
            Some((seconds, name.unwrap_or_else(|| "unnamed".to_owned())))
        }
        Some(Known::Nothing | Known::Says(..)) | None => None,
    };
    let hidden = missing.map(|missing| match missing {
        Missing::Forbidden(why) | Missing::Failed(why) => why,
    });
    let row = client.query_one(SYNCHRONOUS, &[]).await?;
    Ok(Standbys {
        names: look.standbys,
        lag_seconds,
        hidden,
        synchronous_names: row.get(0),
        commits_wait: row.get(1),
        senders: row.get(2),
        synchronous: row.get(3),
    })
}

pub async fn archiver(client: &impl GenericClient) -> Result<Archiver> {
    let look = look(client, &about(&[Signal::ArchiveFailing])).await?;
    let row = client
        .query_one("SELECT current_setting('archive_mode') <> 'off'", &[])
        .await?;
    Ok(Archiver {
        is_on: row.get(0),
        failing: look.archiver_fails,
    })
}

/// So many are shown, the oldest first.
const LONG: &str = "\
    SELECT 'the session pid ' || a.pid || ' (' || concat_ws(', ', nullif(a.application_name, ''), a.usename, a.state) || ')', \
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8, false, 'SELECT pg_terminate_backend(' || a.pid || ');' \
    FROM pg_catalog.pg_stat_activity AS a \
    WHERE a.datname = current_database() AND a.xact_start IS NOT NULL AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() \
      AND a.application_name NOT LIKE 'crossfade/%' \
    UNION ALL \
    SELECT quote_literal(p.gid), extract(epoch FROM clock_timestamp() - p.prepared)::float8, true, 'ROLLBACK PREPARED ' || quote_literal(p.gid) || ';' \
    FROM pg_catalog.pg_prepared_xacts AS p WHERE p.database = current_database() \
    ORDER BY 2 DESC LIMIT 10";

pub async fn transactions(client: &impl GenericClient) -> Result<Transactions> {
    let rows = client.query(LONG, &[]).await?;
    let one = |row: &Row| LongTransaction {
        what: row.get(0),
        age_seconds: row.get(1),
        is_prepared: row.get(2),
        ends: row.get(3),
    };
    let look = look(client, &about(&[Signal::OldestTransaction])).await?;
    let missing = look
        .readings
        .into_iter()
        .find_map(|(_, reading)| reading.missing);
    Ok(Transactions {
        long: rows.iter().map(one).collect(),
        hidden: missing.map(|missing| match missing {
            Missing::Forbidden(why) | Missing::Failed(why) => why,
        }),
    })
}

const DATABASES: &str = "\
    SELECT d.datname::text, age(d.datfrozenxid)::bigint, mxid_age(d.datminmxid)::bigint, \
           current_setting('autovacuum_freeze_max_age')::bigint, current_setting('autovacuum_multixact_freeze_max_age')::bigint \
    FROM pg_catalog.pg_database AS d ORDER BY greatest(age(d.datfrozenxid), mxid_age(d.datminmxid)) DESC LIMIT 20";

pub async fn wraparound(client: &impl GenericClient) -> Result<Wraparound> {
    let rows = client.query(DATABASES, &[]).await?;
    let databases = rows.iter().flat_map(|row| {
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
    Ok(Wraparound {
        databases: databases.collect(),
    })
}

/// Those that fire in a session of Crossfade's. One at a login refuses nothing that a plan does.
const EVENT_TRIGGERS: &str = "\
    SELECT quote_ident(t.evtname), t.evtevent::text, t.evtfoid::regprocedure::text, coalesce(t.evttags, '{}') \
    FROM pg_catalog.pg_event_trigger AS t WHERE t.evtenabled IN ('O', 'A') AND t.evtevent <> 'login' ORDER BY 1";

pub async fn event_triggers(client: &impl GenericClient) -> Result<Vec<EventTrigger>> {
    let rows = client.query(EVENT_TRIGGERS, &[]).await?;
    let trigger = |row: &Row| EventTrigger {
        name: row.get(0),
        event: row.get(1),
        function: row.get(2),
        tags: row.get(3),
    };
    Ok(rows.iter().map(trigger).collect())
}

pub async fn installed(client: &impl GenericClient) -> Result<Vec<Installed>> {
    let rows = client
        .query(
            "SELECT e.extname::text FROM pg_catalog.pg_extension AS e \
             WHERE e.extname IN ('citus', 'timescaledb', 'spock', 'pglogical') ORDER BY 1",
            &[],
        )
        .await?;
    let one = |row: &Row| Installed {
        extension: row.get(0),
    };
    Ok(rows.iter().map(one).collect())
}

pub async fn autovacuum(client: &impl GenericClient) -> Result<Autovacuum> {
    let row = client
        .query_one(
            "SELECT current_setting('autovacuum') = 'on', current_setting('track_counts') = 'on'",
            &[],
        )
        .await?;
    Ok(Autovacuum {
        is_on: row.get(0),
        counts: row.get(1),
    })
}

//! Who drives a run. Not an advisory lock: those break silently behind a pooler, and waiting in one blocks others.

use super::{StoreError, freezes::IN_FORCE};
use tokio_postgres::{Client, GenericClient, Transaction};

/// A heartbeat older than this, by the database's clock, frees the lease.
pub const STALE_AFTER_MS: i64 = 15_000;

/// The right to write for a run: every transaction of a driver checks its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub run_id: i64,
    pub epoch: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRecord {
    pub holder: String,
    pub epoch: i64,
    pub heartbeat_age_ms: i64,
    /// Its backend is still connected, as far as that can be seen.
    pub alive: bool,
}

/// `backend_start` tells a reused pid from the holder's. Another role's is hidden, and a session that has entered a role does not even
/// see its own: then the pid must do.
const READ: &str = "\
    SELECT l.holder, l.epoch, \
           (extract(epoch FROM clock_timestamp() - l.heartbeat) * 1000)::bigint, \
           EXISTS (SELECT 1 FROM pg_stat_activity AS a WHERE a.pid = l.backend_pid \
                   AND coalesce(a.backend_start = l.backend_start, true)) \
    FROM crossfade.leases AS l WHERE l.run_id = $1 AND l.holder IS NOT NULL";

/// The lease as it is; `None` where nobody has it. Never waits.
pub async fn read(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Option<LeaseRecord>, StoreError> {
    let row = client.query_opt(READ, &[&run_id]).await?;
    Ok(row.map(|row| LeaseRecord {
        holder: row.get(0),
        epoch: row.get(1),
        heartbeat_age_ms: row.get(2),
        alive: row.get(3),
    }))
}

impl LeaseRecord {
    pub fn is_held(&self) -> bool {
        self.alive && self.heartbeat_age_ms < STALE_AFTER_MS
    }
}

/// Ends what is left of the holder before: `CREATE INDEX CONCURRENTLY` and VALIDATE cannot carry the fence within, so a
/// holder that was stopped right before one would still send it. Asked with the lease's row locked, when nobody but that
/// holder can have sessions of the run's but those that wait for the lease or only help (`/lease`, `/help`). Those that this role may not end are left.
const END_SESSIONS: &str = "\
    SELECT pg_terminate_backend(a.pid, 2000) \
    FROM crossfade.leases AS l, pg_stat_activity AS a JOIN pg_roles AS r ON r.oid = a.usesysid \
    WHERE l.run_id = $1 AND l.holder IS NOT NULL AND a.pid <> pg_backend_pid() AND a.datname = current_database() \
      AND (a.pid = l.backend_pid AND a.backend_start = l.backend_start \
           OR (a.application_name = 'crossfade/' || $2::text OR starts_with(a.application_name, 'crossfade/' || $2::text || '/')) \
              AND a.application_name NOT IN ('crossfade/' || $2::text || '/lease', 'crossfade/' || $2::text || '/help')) \
      AND (NOT r.rolsuper OR (SELECT m.rolsuper FROM pg_roles AS m WHERE m.rolname = current_user)) \
      AND (pg_has_role(a.usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'))";

/// Those of a role that this session logged in as, and is not now: only as that one it may end them.
const OWN_SESSIONS: &str = "\
    SELECT a.pid FROM crossfade.leases AS l, pg_stat_activity AS a JOIN pg_roles AS r ON r.oid = a.usesysid \
    WHERE l.run_id = $1 AND l.holder IS NOT NULL AND a.pid <> pg_backend_pid() AND a.datname = current_database() \
      AND (a.application_name = 'crossfade/' || $2::text OR starts_with(a.application_name, 'crossfade/' || $2::text || '/')) \
      AND a.application_name NOT IN ('crossfade/' || $2::text || '/lease', 'crossfade/' || $2::text || '/help') \
      AND session_user <> current_user AND pg_has_role(session_user, a.usesysid, 'USAGE') AND NOT r.rolsuper";

/// Ends the sessions of the holder before that have this session's login but not its role.
async fn end_own_sessions(
    transaction: &mut Transaction<'_>,
    run: &str,
    run_id: i64,
) -> Result<(), StoreError> {
    let rows = transaction.query(OWN_SESSIONS, &[&run_id, &run]).await?;
    let pids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    if pids.is_empty() {
        return Ok(());
    }
    // Rolled back, which brings the role back too.
    let as_login = transaction.transaction().await?;
    as_login.batch_execute("SET LOCAL ROLE NONE").await?;
    as_login
        .execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM unnest($1::integer[]) AS p (pid)",
            &[&pids],
        )
        .await?;
    as_login.rollback().await?;
    Ok(())
}

/// Takes the lease for the session of `client`, which must live as long as the lease is wanted.
///
/// Errors: `LeaseHeld` names the holder. A holder that is in the middle of a transaction holds the lease's row; a
/// stopped one is ended by its own `idle_in_transaction_session_timeout`, so this waits for a bounded time.
pub async fn take(
    client: &mut Client,
    run: &str,
    run_id: i64,
    holder: &str,
) -> Result<Lease, StoreError> {
    let held = |record: LeaseRecord| StoreError::LeaseHeld {
        run: run.to_owned(),
        holder: record.holder,
        heartbeat_age_ms: record.heartbeat_age_ms,
    };
    if let Some(record) = read(client, run_id).await?.filter(LeaseRecord::is_held) {
        return Err(held(record));
    }
    let mut transaction = client.transaction().await?;
    transaction
        .batch_execute("SET LOCAL lock_timeout = '20s'")
        .await?;
    transaction
        .query(
            "SELECT 1 FROM crossfade.leases WHERE run_id = $1 FOR UPDATE",
            &[&run_id],
        )
        .await?;
    if let Some(record) = read(&transaction, run_id)
        .await?
        .filter(LeaseRecord::is_held)
    {
        return Err(held(record));
    }
    transaction.execute(END_SESSIONS, &[&run_id, &run]).await?;
    end_own_sessions(&mut transaction, run, run_id).await?;
    let row = transaction
        .query_one(
            "UPDATE crossfade.leases SET holder = $2, epoch = epoch + 1, heartbeat = clock_timestamp(), \
                    backend_pid = pg_backend_pid(), \
                    backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()) \
             WHERE run_id = $1 RETURNING epoch",
            &[&run_id, &holder],
        )
        .await?;
    transaction.commit().await?;
    Ok(Lease {
        run_id,
        epoch: row.get(0),
    })
}

/// The epoch as it is, held by whomever: the fence of a process that only helps.
pub async fn current(client: &impl GenericClient, run_id: i64) -> Result<Lease, StoreError> {
    let row = client
        .query_one(
            "SELECT epoch FROM crossfade.leases WHERE run_id = $1",
            &[&run_id],
        )
        .await?;
    Ok(Lease {
        run_id,
        epoch: row.get(0),
    })
}

pub async fn heartbeat(client: &impl GenericClient, lease: Lease) -> Result<(), StoreError> {
    let updated = client
        .execute(
            "UPDATE crossfade.leases SET heartbeat = clock_timestamp() WHERE run_id = $1 AND epoch = $2",
            &[&lease.run_id, &lease.epoch],
        )
        .await?;
    if updated == 1 {
        Ok(())
    } else {
        Err(StoreError::LeaseLost)
    }
}

/// Whether nobody has taken the lease since.
pub async fn is_current(client: &impl GenericClient, lease: Lease) -> Result<bool, StoreError> {
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM crossfade.leases WHERE run_id = $1 AND epoch = $2)",
            &[&lease.run_id, &lease.epoch],
        )
        .await?;
    Ok(row.get(0))
}

pub async fn release(client: &impl GenericClient, lease: Lease) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.leases SET holder = NULL, backend_pid = NULL, backend_start = NULL, heartbeat = NULL \
             WHERE run_id = $1 AND epoch = $2",
            &[&lease.run_id, &lease.epoch],
        )
        .await?;
    Ok(())
}

/// Whether the run may go on, read in the same breath as the fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayGoOn {
    Yes,
    /// The run is paused, or the database frozen, which does not hold back a rollback.
    Paused,
}

/// The fence as a condition of a message: a query without its SELECT.
pub fn fenced(lease: Lease) -> String {
    format!(
        "1 FROM crossfade.leases AS l WHERE l.run_id = {} AND l.epoch = {} FOR KEY SHARE OF l",
        lease.run_id, lease.epoch
    )
}

/// The fence: holds the epoch until the transaction ends, so that nobody can take the lease in between. A heartbeat
/// does not touch the key and is not held up by it.
pub async fn fence(client: &impl GenericClient, lease: Lease) -> Result<MayGoOn, StoreError> {
    let row = client
        .query_opt(
            &format!(
                "SELECT r.paused_at IS NOT NULL AND (r.paused_until IS NULL OR r.paused_until > clock_timestamp()) \
                     OR r.rolling_back_to IS NULL AND EXISTS (SELECT FROM crossfade.freezes AS f WHERE {IN_FORCE}) \
                 FROM crossfade.leases AS l JOIN crossfade.runs AS r ON r.id = l.run_id \
                 WHERE l.run_id = $1 AND l.epoch = $2 FOR KEY SHARE OF l"
            ),
            &[&lease.run_id, &lease.epoch],
        )
        .await?;
    match row {
        None => Err(StoreError::LeaseLost),
        Some(row) if row.get(0) => Ok(MayGoOn::Paused),
        Some(_) => Ok(MayGoOn::Yes),
    }
}

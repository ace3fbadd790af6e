//! Which server a run is driven on: after a failover the old primary may come back, and takes writes that are lost.

use super::{StoreError, lease::Lease};
use tokio_postgres::GenericClient;

/// A cluster and the timeline that it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    pub system_identifier: i64,
    pub timeline: i32,
}

impl Server {
    /// The same cluster, as it was before somebody was promoted.
    pub fn is_before(self, other: Self) -> bool {
        self.system_identifier == other.system_identifier && self.timeline < other.timeline
    }
}

/// The server of this session; `None` where that may not be asked, or while it takes no writes.
pub async fn current(client: &impl GenericClient) -> Result<Option<Server>, StoreError> {
    // Asked first: a function that one may not call is an error wherever it stands.
    let may = client
        .query_one(
            "SELECT NOT pg_is_in_recovery() AND bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc AS p \
             WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ('pg_control_system', 'pg_walfile_name', 'pg_current_wal_insert_lsn')",
            &[],
        )
        .await?;
    if may.get::<_, Option<bool>>(0) != Some(true) {
        return Ok(None);
    }
    let row = client
        .query_one(
            "SELECT (SELECT system_identifier FROM pg_control_system()), \
                    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer",
            &[],
        )
        .await?;
    Ok(Some(Server {
        system_identifier: row.get(0),
        timeline: row.get(1),
    }))
}

/// The one that the run was last driven on.
pub async fn noted(client: &impl GenericClient, run_id: i64) -> Result<Option<Server>, StoreError> {
    let row = client
        .query_opt(
            "SELECT system_identifier, timeline FROM crossfade.leases \
             WHERE run_id = $1 AND system_identifier IS NOT NULL AND timeline IS NOT NULL",
            &[&run_id],
        )
        .await?;
    Ok(row.map(|row| Server {
        system_identifier: row.get(0),
        timeline: row.get(1),
    }))
}

pub async fn note(
    client: &impl GenericClient,
    lease: Lease,
    server: Server,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.leases SET system_identifier = $3, timeline = $4 WHERE run_id = $1 AND epoch = $2",
            &[
                &lease.run_id,
                &lease.epoch,
                &server.system_identifier,
                &server.timeline,
            ],
        )
        .await?;
    Ok(())
}

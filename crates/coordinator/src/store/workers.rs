//! Who works on a run's segments: one row for each worker, in whatever process and on whatever machine it runs.

use super::StoreError;
use tokio_postgres::GenericClient;

/// True for the worker `w` while its session is there and its heartbeat is fresh. Another role's `backend_start` is
/// hidden, and then the pid must do.
pub(super) const ALIVE: &str = "\
    (w.heartbeat > clock_timestamp() - interval '15 s' \
     AND EXISTS (SELECT 1 FROM pg_stat_activity AS a WHERE a.pid = w.backend_pid \
                 AND coalesce(a.backend_start = w.backend_start, true)))";

/// What is noted where a worker had this segment and its session is gone: a row may be in it that ends the server's process. It
/// was at the checkpoint, in a batch of about the size that the walk `k` has.
pub(super) const LOST: &str = "\
    losses = s.losses + 1, losses_from = s.next_block, \
    losses_to = greatest(s.losses_to, least(s.next_block + 2 * k.batch_blocks, s.end_block)), lost_row = s.trying, trying = NULL";

/// Notes of the segments of workers that have died that they were lost in them.
pub async fn count_losses(client: &impl GenericClient, run_id: i64) -> Result<(), StoreError> {
    client
        .execute(
            &format!(
                "UPDATE crossfade.segments AS s SET worker = NULL, {LOST} FROM crossfade.walks AS k, crossfade.workers AS w \
                 WHERE k.run_id = s.run_id AND k.step = s.step AND s.run_id = $1 AND s.next_block < s.end_block \
                   AND w.id = s.worker AND NOT {ALIVE}"
            ),
            &[&run_id],
        )
        .await?;
    Ok(())
}

/// Enters the session of `client` as a worker of the run, and clears away those that have died. Its number.
pub async fn register(
    client: &impl GenericClient,
    run_id: i64,
    holder: &str,
) -> Result<i64, StoreError> {
    count_losses(client, run_id).await?;
    client
        .execute(
            &format!("DELETE FROM crossfade.workers AS w WHERE w.run_id = $1 AND NOT {ALIVE}"),
            &[&run_id],
        )
        .await?;
    let row = client
        .query_one(
            "INSERT INTO crossfade.workers (run_id, holder, backend_pid, backend_start) \
             VALUES ($1, $2, pg_backend_pid(), (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())) \
             RETURNING id",
            &[&run_id, &holder],
        )
        .await?;
    Ok(row.get(0))
}

/// The holder of a session that converts a single row, within one transaction: nobody else sees it.
const FOR_A_ROW: &str = "quarantine";

/// Enters the session as a worker, since the triggers stand aside for workers only.
pub fn enter_for_a_row(run_id: i64) -> String {
    format!(
        "INSERT INTO crossfade.workers (run_id, holder, backend_pid, backend_start) \
         SELECT {run_id}, '{FOR_A_ROW}', a.pid, a.backend_start FROM pg_stat_get_activity(pg_backend_pid()) AS a"
    )
}

/// What `enter_for_a_row` entered goes before the transaction ends.
pub fn leave_after_a_row(run_id: i64) -> String {
    format!(
        "DELETE FROM crossfade.workers WHERE run_id = {run_id} AND holder = '{FOR_A_ROW}' AND backend_pid = pg_backend_pid()"
    )
}

/// Keeps the claims of these workers.
pub async fn heartbeat(client: &impl GenericClient, workers: &[i64]) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.workers SET heartbeat = clock_timestamp() WHERE id = ANY ($1)",
            &[&workers],
        )
        .await?;
    Ok(())
}

/// The worker goes; its segment is free for others.
pub async fn leave(client: &impl GenericClient, worker: i64) -> Result<(), StoreError> {
    client
        .execute("DELETE FROM crossfade.workers WHERE id = $1", &[&worker])
        .await?;
    Ok(())
}

/// The workers of a run that are alive, all processes counted.
pub async fn alive(client: &impl GenericClient, run_id: i64) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            &format!("SELECT count(*) FROM crossfade.workers AS w WHERE w.run_id = $1 AND {ALIVE}"),
            &[&run_id],
        )
        .await?;
    Ok(row.get(0))
}

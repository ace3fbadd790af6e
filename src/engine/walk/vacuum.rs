//! Vacuum as the walk goes: what a batch leaves dead is made room for the next rows, so that the table hardly grows.

use super::{Work, site::Site};
use crate::engine::EngineError;
use crate::postgres::sqlstate::{ErrorClass, classify};
use crate::store::walks;
use crate::target::{activity, vacuum};
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOK_WHO_WAITS_EVERY: Duration = Duration::from_millis(500);
/// Smaller tables are left to autovacuum.
const BLOCKS_MIN: i64 = 1_024;

/// Vacuums whenever another `vacuum_percent` of the table have been rewritten, until the workers are to end; a vacuum
/// that is under way then is cancelled.
pub async fn as_it_goes(site: &Site<'_>) -> Result<(), EngineError> {
    let percent = i64::from(site.limits().vacuum_percent);
    let Work::Fill(fill) = site.work else {
        return Ok(());
    };
    if percent == 0 || site.walk.pass > 1 {
        return Ok(());
    }
    let session = site.session().await?;
    let (run_id, step) = (site.lease.run_id, &site.step.0);
    let mut vacuumed = walks::totals(&**session, run_id, step).await?.blocks_done;
    while !site.halt.is_cancelled() {
        let totals = walks::totals(&**session, run_id, step).await?;
        let due = (totals.blocks_total * percent / 100).max(1);
        if totals.blocks_total < BLOCKS_MIN || totals.blocks_done - vacuumed < due {
            site.sleep(LOOK_EVERY).await;
            continue;
        }
        vacuumed = totals.blocks_done;
        let began = Instant::now();
        let pid = session
            .query_one("SELECT pg_backend_pid()", &[])
            .await?
            .get(0);
        let statement = vacuum::statement(&**session, &fill.table).await?;
        let vacuuming = session.batch_execute(&statement);
        tokio::pin!(vacuuming);
        let result = loop {
            tokio::select! {
                result = &mut vacuuming => break result,
                () = give_way(site, pid) => {}
            }
        };
        match result {
            Ok(()) => {
                let seconds = began.elapsed().as_secs_f64();
                walks::note_vacuum(&**session, site.lease, step, seconds).await?;
            }
            // It gave way, or the workers are to end.
            Err(error) if classify(&error) == ErrorClass::Cancelled => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Cancels the vacuum when the workers are to end, or when somebody waits for its lock, as autovacuum gives way too.
async fn give_way(site: &Site<'_>, pid: i32) {
    site.sleep(LOOK_WHO_WAITS_EVERY).await;
    let Ok(other) = site.session().await else {
        return;
    };
    let is_in_the_way = activity::blocks_others(&**other, pid)
        .await
        .unwrap_or(false);
    if (site.halt.is_cancelled() || is_in_the_way)
        && let Err(error) = activity::cancel(&**other, pid).await
    {
        tracing::warn!(%error, "the vacuum could not be cancelled");
    }
    if site.halt.is_cancelled() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

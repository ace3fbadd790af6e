//! Vacuum as the walk goes: what a batch leaves dead is made room for the next rows, so that the table hardly grows.

use super::{Work, site::Site};
use crate::database::{activity, vacuum};
use crate::engine::{EngineError, vital};
use crate::store::walks;
use crossfade_model::ident::TableName;
use crossfade_postgres::sqlstate::{ErrorClass, classify};
use deadpool_postgres::Object;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How often it is looked what others have done; what the workers of this process have is known at once.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);
const LOOK_WHO_WAITS_EVERY: Duration = Duration::from_millis(500);
/// Smaller tables are left to autovacuum.
const BLOCKS_MIN: i64 = 512;

/// Vacuums whenever another `vacuum_percent` of the walk have been rewritten in a table, or the walk is through with it,
/// until the workers are to end; a vacuum that is under way then is cancelled.
pub async fn as_it_goes(site: &Site<'_>) -> Result<(), EngineError> {
    if matches!(site.work, Work::Compare { .. }) || site.walk.pass > 1 {
        return Ok(());
    }
    let session = site.session().await?;
    let mut vacuumed = BTreeMap::new();
    for done in walks::done_by_storage(&**session, &site.walk).await? {
        vacuumed.insert(done.relation, done.blocks_done);
    }
    while !site.halt.is_cancelled() {
        let percent = i64::from(site.limits().vacuum_percent);
        if percent == 0 {
            site.sleep(LOOK_EVERY).await;
            continue;
        }
        let all = walks::done_by_storage(&**session, &site.walk).await?;
        let blocks: i64 = all.iter().map(|done| done.blocks_total).sum();
        let mut left = BLOCKS_MIN.max(blocks);
        let due = all.into_iter().find(|done| {
            let since = done.blocks_done - vacuumed.get(&done.relation).unwrap_or(&0);
            let is_through = done.blocks_done == done.blocks_total;
            let enough = BLOCKS_MIN.max(blocks * percent / 100);
            left = left.min(enough - since);
            since >= enough || is_through && since >= BLOCKS_MIN
        });
        match due {
            None => {
                site.until_done(left.max(1).unsigned_abs(), LOOK_EVERY)
                    .await
            }
            Some(done) => {
                vacuum_once(site, &session, &done.storage).await?;
                vacuumed.insert(done.relation, done.blocks_done);
            }
        }
    }
    Ok(())
}

async fn vacuum_once(
    site: &Site<'_>,
    session: &Object,
    storage: &TableName,
) -> Result<(), EngineError> {
    let began = Instant::now();
    let pid = session
        .query_one("SELECT pg_backend_pid()", &[])
        .await?
        .get(0);
    let Some(statement) = vacuum::statement(&***session, storage).await? else {
        return Ok(());
    };
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
            walks::note_vacuum(&***session, site.lease, &site.step.0, seconds).await?;
        }
        // It gave way, or the workers are to end.
        Err(error) if classify(&error) == ErrorClass::Cancelled => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Cancels the vacuum when the workers are to end, or when somebody waits for its lock, as autovacuum gives way too.
async fn give_way(site: &Site<'_>, pid: i32) {
    site.sleep(LOOK_WHO_WAITS_EVERY).await;
    let Ok(other) = vital::answered(site.session()).await else {
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
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}

//! The workers of one process on one pass: as many as the pace allows, until no segment is left or one says stop.

use super::{
    site::Site,
    vacuum,
    watch::Watch,
    worker::{End, Worker},
};
use crate::engine::EngineError;
use crossfade_plan::pacing::WORKERS_MAX;
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{collections::BTreeSet, time::Duration};

/// Why the crew went home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Every segment is done, whoever did it.
    NothingLeft,
    Paused,
    Interrupted,
    /// The table was rewritten: every address is void.
    Rewritten,
}

/// How often it is looked whether there is work again, or room for one more worker.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Works until the pass is done or something stops it; every worker has ended when this returns.
pub async fn work(site: &Site<'_>, watch: &Watch<'_>) -> Result<Finish, EngineError> {
    let watching = watch.look_on(site);
    let vacuuming = vacuum::as_it_goes(site);
    let working = hire(site, watch);
    tokio::pin!(watching, vacuuming, working);
    let mut vacuum_ended = false;
    let finish = loop {
        tokio::select! {
            finish = &mut working => break finish,
            // Whoever does not see what the database suffers does not go on.
            error = &mut watching => {
                site.halt.cancel();
                break working.await.and(Err(error));
            }
            ended = &mut vacuuming, if !vacuum_ended => {
                vacuum_ended = true;
                if let Err(error) = ended {
                    tracing::warn!(%error, "the table is not vacuumed during the backfill");
                }
            }
        }
    };
    site.halt.cancel();
    if !vacuum_ended && let Err(error) = vacuuming.await {
        tracing::warn!(%error, "the last vacuum did not end well");
    }
    finish
}

async fn hire(site: &Site<'_>, watch: &Watch<'_>) -> Result<Finish, EngineError> {
    let mut crew = FuturesUnordered::new();
    let mut places = BTreeSet::new();
    loop {
        if crew.is_empty() {
            let (left, free) = watch.left(site).await?;
            if left == 0 {
                return Ok(Finish::NothingLeft);
            }
            if site.stop.is_cancelled() {
                return Ok(Finish::Interrupted);
            }
            site.set_free(free);
        }
        let allowed = site.pace().workers.clamp(1, WORKERS_MAX);
        let free = usize::try_from(site.take_free()).unwrap_or(0);
        let vacant: Vec<u32> = (0..allowed)
            .filter(|place| !places.contains(place))
            .take(free)
            .collect();
        for place in vacant {
            places.insert(place);
            crew.push(async move { (place, Worker::run(site, place).await) });
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            Some((place, end)) = crew.next() => {
                places.remove(&place);
                if let Ok(End::NothingLeft | End::Dismissed) = end {
                    continue;
                }
                // The others end with their batch, so that nothing is left under way.
                site.halt.cancel();
                let mut finish = reason(end);
                while let Some((_, other)) = crew.next().await {
                    finish = weightier(finish, reason(other));
                }
                return finish;
            }
        }
    }
}

fn reason(end: Result<End, EngineError>) -> Result<Finish, EngineError> {
    end.map(|end| match end {
        End::NothingLeft | End::Dismissed => Finish::NothingLeft,
        End::Paused => Finish::Paused,
        End::Halted => Finish::Interrupted,
        End::Rewritten => Finish::Rewritten,
    })
}

/// Of two ends the one that says more: that one was only told to end says least.
fn weightier(
    first: Result<Finish, EngineError>,
    second: Result<Finish, EngineError>,
) -> Result<Finish, EngineError> {
    match (first, second) {
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        (Ok(Finish::Interrupted | Finish::NothingLeft), Ok(second)) => Ok(second),
        (first, Ok(_)) => first,
    }
}

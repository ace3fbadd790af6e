//! A walk over a table's blocks in batches: the backfill and the comparison. Each batch is one transaction that also
//! moves the checkpoint, so that what is done twice after a crash is at most one batch, and nothing is left out.

mod compare;
mod crew;
mod gauges;
mod help;
mod losses;
mod site;
mod trouble;
mod vacuum;
mod watch;
mod worker;
mod write;

pub use help::{Help, help};

use super::{EngineError, ddl::Patience, notice::Notice, session::Driver};
use crate::database::batch;
use crate::store::{
    StoreError,
    lease::MayGoOn,
    moved,
    walks::{self, NewWalk, Totals, Walk},
};
use crew::Finish;
use crossfade_decisions::pacing::{BATCH_BLOCKS_FIRST, BATCH_BLOCKS_FIRST_READ};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{
    rows::{Repair, Truth},
    session,
    sync::Names,
    table_pair::rows::mended,
};
use crossfade_plan::{
    compiled::{Assignment, Fill, Match, Plan, StepId},
    table_pair::Side,
};
use serde_json::Value;
use site::Site;
use std::time::Duration;
use tokio_postgres::GenericClient;
use watch::{Role, Watch};

/// What is done to each range.
#[derive(Clone)]
pub enum Work<'a> {
    Fill(&'a Fill),
    Compare {
        matching: &'a Match,
        names: Names,
        /// Differing rows are made to agree with this side, and compared again.
        repair: Option<Repair>,
    },
}

/// Where a walk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Where the last one was interrupted.
    Checkpoint,
    /// Anew: what was seen some time ago does not count.
    Beginning,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Walked {
    /// To the end: what it counted, and the first differing rows.
    Finished(Totals, Vec<Value>),
    Paused,
    Interrupted,
}

/// After that many passes that still found rows something keeps writing behind the triggers' back.
const PASSES_MAX: i32 = 10;
/// So often a table may be rewritten, or lose a partition, in the middle of one command.
const RESTARTS_MAX: u32 = 100;
/// So often a walk follows a table that grows under it. Each time is much shorter than the one before.
const TAILS_MAX: u32 = 3;
/// How often it is looked whether another run still moves rows of the table.
const LOOK_FOR_OTHERS_EVERY: Duration = Duration::from_millis(250);
/// 8 MiB: small enough that workers end a table together, large enough that claims cost nothing.
const SEGMENT_BLOCKS_MIN: i64 = 1_024;
/// The same of a pass that reads, and hardly writes.
const SEGMENT_BLOCKS_MIN_READ: i64 = 4_096;

impl Work<'_> {
    fn table(&self) -> &TableName {
        match self {
            Self::Fill(fill) => &fill.table,
            Self::Compare { matching, .. } => &matching.table,
        }
    }

    /// Whether a pass reads the table and hardly writes to it.
    fn reads(&self, pass: i32) -> bool {
        pass > 1 || matches!(self, Self::Compare { .. })
    }

    /// Triggers fill each row that is written while the walk goes on.
    fn is_filled_by_triggers(&self, plan: &Plan) -> bool {
        matches!(self, Self::Fill(fill) if plan.sync(&fill.table).is_some())
    }

    /// Only while the triggers stand: it fills what they keep in step.
    fn needs_sync(&self, plan: &Plan) -> bool {
        match self {
            Self::Fill(fill) => fill.link.is_some() || plan.sync(&fill.table).is_some(),
            Self::Compare { .. } => false,
        }
    }

    /// The table and the columns that a repair writes.
    fn repaired(&self) -> Option<(&TableName, Vec<&Ident>)> {
        let Self::Compare {
            matching,
            names,
            repair: Some(repair),
        } = self
        else {
            return None;
        };
        Some(match &matching.link {
            None => {
                let side = match repair.truth {
                    Truth::Old => &matching.columns,
                    Truth::New => &matching.backward,
                };
                let columns = targets(side).map(|column| names.of(column));
                (&matching.table, columns.collect())
            }
            Some(link) => {
                let to = mended(link, repair.truth);
                let columns = targets(link.to(to));
                match to {
                    Side::Parent => (&link.parent, columns.map(|one| names.of(one)).collect()),
                    Side::Child => {
                        let columns = columns.map(|one| names.of_child(one));
                        (names.child(&link.child), columns.collect())
                    }
                }
            }
        })
    }

    /// A repair that the foreign keys of its columns are to hold.
    async fn is_held_by_foreign_keys(
        &self,
        client: &impl GenericClient,
    ) -> Result<bool, tokio_postgres::Error> {
        match self.repaired() {
            Some((table, columns)) => batch::has_foreign_key(client, table, &columns).await,
            None => Ok(false),
        }
    }

    fn repair(&self) -> Option<Truth> {
        match self {
            Self::Fill(_) => None,
            Self::Compare { repair, .. } => repair.as_ref().map(|repair| repair.truth),
        }
    }
}

/// Walks the whole table, from the checkpoint where there is one, until a pass finds nothing left.
pub async fn walk(
    driver: &mut Driver,
    plan: &Plan,
    step: &StepId,
    work: Work<'_>,
    from: From,
) -> Result<Walked, EngineError> {
    let mut walk = open(driver, step, &work, from).await?;
    let mut patience = Patience::new(plan);
    let mut passes = 0;
    let mut restarts = 0;
    let mut tails = 0;
    loop {
        if work.needs_sync(plan) {
            driver.require_sync_of_fill().await?;
        }
        let pids = [driver.work_pid];
        let site = Site::new(driver.hands(), plan, step, work.clone(), walk.clone());
        let watch = Watch::begin(&site, Role::Drives, &pids).await?;
        let finish = crew::work(&site, &watch).await;
        if finish.is_err() && work.needs_sync(plan) && !driver.has_lost_lease() {
            // What stopped it may be a trigger: noted, if the database can still be asked.
            let _ = driver.watch_sync().await;
        }
        match finish? {
            Finish::NothingLeft => {}
            Finish::Paused => return Ok(Walked::Paused),
            Finish::Interrupted => return Ok(Walked::Interrupted),
            Finish::Rewritten => {
                restarts += 1;
                if restarts > RESTARTS_MAX {
                    return Err(EngineError::Conflict {
                        step: step.clone(),
                        what: format!(
                            "{} was rewritten, or its partitions changed, {RESTARTS_MAX} times during the backfill or comparison. Stop what does that. Then `advance` continues",
                            work.table()
                        ),
                    });
                }
                site.notice(Notice::WalkRestarted { step: step.clone() });
                drop(watch);
                walk = begin(driver, step, &work, Some(&walk), walk.pass).await?;
                continue;
            }
        }
        watch.end(&site).await?;
        drop(watch);
        if !work.is_filled_by_triggers(plan) && tails < TAILS_MAX {
            tails += 1;
            if follow(driver, step).await? {
                continue;
            }
        }
        let totals = walks::totals(&*driver.work, driver.lease.run_id, &step.0).await?;
        let is_skipped = totals.blocks_skipped > 0;
        let run_id = driver.lease.run_id;
        let moved = moved::by_others(&*driver.work, run_id, work.table()).await?;
        let is_complete = moved == walk.moved_before;
        let found_nothing = is_complete && totals.rows_changed == 0 && !is_skipped;
        let is_through = match work {
            // What differs, differs, whatever else there is.
            Work::Compare { .. } => is_complete || totals.rows_different > 0,
            Work::Fill(_) if !found_nothing || work.is_filled_by_triggers(plan) => found_nothing,
            Work::Fill(fill) => match is_none_left(driver, plan, step, fill).await? {
                Some(is_none_left) => is_none_left,
                None => return Ok(Walked::Interrupted),
            },
        };
        if is_through {
            if work.needs_sync(plan) {
                driver.require_sync_of_fill().await?;
            }
            let examples = walks::examples(&*driver.work, driver.lease.run_id, &step.0).await?;
            let totals = Totals {
                rows_changed: totals.rows_changed + walk.rows_before,
                ..totals
            };
            return Ok(Walked::Finished(totals, examples));
        }
        if !is_complete {
            if let Some(end) = until_others_rest(driver, step, work.table()).await? {
                return Ok(end);
            }
        } else if is_skipped {
            // Somebody holds rows for long: waited for as for a lock on the table.
            if totals.rows_changed == 0 {
                patience.blocked(driver, step, site.take_blockers()).await?;
            }
            if driver.stop.is_cancelled() {
                return Ok(Walked::Interrupted);
            }
        } else {
            passes += 1;
        }
        if passes >= PASSES_MAX {
            return Err(EngineError::Conflict {
                step: step.clone(),
                what: format!(
                    "after {PASSES_MAX} passes there are still rows to fill: something writes to {} with triggers disabled, or updates the same rows all the time. `advance` continues",
                    work.table()
                ),
            });
        }
        tails = 0;
        walk = begin(driver, step, &work, Some(&walk), walk.pass + 1).await?;
    }
}

/// Where no trigger fills rows as they move, an update may move a row out of each pass's way: only one snapshot shows that none
/// is left. Between two tables the comparison tells that. `None`: interrupted.
async fn is_none_left(
    driver: &Driver,
    plan: &Plan,
    step: &StepId,
    fill: &Fill,
) -> Result<Option<bool>, EngineError> {
    let walk = walks::load(&*driver.work, driver.lease.run_id, &step.0).await?;
    // What could not be converted stays as it is, and is noted.
    if fill.link.is_some() || walk.is_some_and(|walk| walk.rows_quarantined > 0) {
        return Ok(Some(true));
    }
    let reading = async {
        let set = |path: String| format!("SET search_path = {path}");
        let application = set(session::path(plan));
        driver.work.batch_execute(&application).await?;
        let found = batch::any_unfilled(&*driver.work, fill).await;
        let ours = set(session::OWN_PATH.to_owned());
        driver.work.batch_execute(&ours).await?;
        found
    };
    tokio::pin!(reading);
    tokio::select! {
        is_any_left = &mut reading => {
            let is_any_left = is_any_left.map_err(|error| EngineError::Statement { step: step.clone(), error })?;
            Ok(Some(!is_any_left))
        }
        () = driver.stop.cancelled() => {
            if let Err(error) = driver.work.canceller().cancel().await {
                tracing::warn!(%error, "the last look could not be cancelled");
            }
            // Cancelled, or through by now: the next driver looks again.
            let _ = reading.await;
            Ok(None)
        }
    }
}

/// An update of columns that no trigger looks at moves a row as it is, mostly to the table's end: one that differs, or that no
/// trigger fills, may go there from where the walk has yet to come. Whether there is more to walk over.
async fn follow(driver: &mut Driver, step: &StepId) -> Result<bool, EngineError> {
    let run_id = driver.lease.run_id;
    if !walks::has_grown(&*driver.work, run_id, &step.0).await? {
        return Ok(false);
    }
    driver
        .record(&format!("{step} tail"), async |transaction, lease| {
            walks::extend(transaction, lease, &step.0).await
        })
        .await?;
    Ok(true)
}

/// Rows that another run moves while this one walks may be moved out of its way, so a pass counts only if nobody did.
/// Waits until nobody is at it. `Some`: something stops the wait.
async fn until_others_rest(
    driver: &mut Driver,
    step: &StepId,
    table: &TableName,
) -> Result<Option<Walked>, EngineError> {
    let (run_id, lease) = (driver.lease.run_id, driver.lease);
    let mut noted = Vec::new();
    loop {
        if driver.stop.is_cancelled() {
            return Ok(Some(Walked::Interrupted));
        }
        if driver.may_go_on().await? == MayGoOn::Paused {
            return Ok(Some(Walked::Paused));
        }
        let runs = moved::movers(&*driver.work, run_id, table).await?;
        if runs.is_empty() {
            return Ok(None);
        }
        if runs != noted {
            let (which, moves) = match runs.as_slice() {
                [one] => (format!("run {one}"), "moves"),
                more => (format!("runs {}", more.join(", ")), "move"),
            };
            let why = format!(
                "waits for the {which}, which {moves} rows of {table}: a pass sees every row only if no row moves during it"
            );
            walks::note_wait(&*driver.work, lease, &step.0, &why).await?;
            driver.reporter.notice(Notice::WalkWaits {
                step: step.clone(),
                why,
            });
            noted = runs;
        }
        driver.sleep_while_active(LOOK_FOR_OTHERS_EVERY).await?;
    }
}

/// The walk that was interrupted, or a new one. The size is taken now, after the triggers are committed: rows beyond it
/// were written with the triggers in place.
async fn open(
    driver: &mut Driver,
    step: &StepId,
    work: &Work<'_>,
    from: From,
) -> Result<Walk, EngineError> {
    let run_id = driver.lease.run_id;
    if let Some(walk) = walks::load(&*driver.work, run_id, &step.0).await?
        && !walk.finished
        && from == From::Checkpoint
    {
        if walks::is_current(&*driver.work, &walk).await? {
            return Ok(walk);
        }
        driver
            .reporter
            .notice(Notice::WalkRestarted { step: step.clone() });
        return begin(driver, step, work, Some(&walk), walk.pass).await;
    }
    begin(driver, step, work, None, 1).await
}

async fn begin(
    driver: &mut Driver,
    step: &StepId,
    work: &Work<'_>,
    before: Option<&Walk>,
    pass: i32,
) -> Result<Walk, EngineError> {
    let run_id = driver.lease.run_id;
    let table = work.table();
    // Before the sizes: what is moved from here on is noticed, and what was moved before is within them.
    let moved_before = moved::by_others(&*driver.work, run_id, table).await?;
    let Some((relation, storages)) = batch::storages(&*driver.work, table).await? else {
        return Err(EngineError::Conflict {
            step: step.clone(),
            what: format!("the table {table} is gone"),
        });
    };
    // What was attached, or rewritten, since the plan was compiled.
    if let Some((name, why)) = batch::not_to_be_walked(&*driver.work, relation).await? {
        return Err(EngineError::Conflict {
            step: step.clone(),
            what: format!(
                "{name} {why}, and Crossfade processes only tables that PostgreSQL stores in this database as a heap. Detach it, or move its rows to such a table. Then `advance` continues"
            ),
        });
    }
    let changed = walks::totals(&*driver.work, run_id, &step.0)
        .await?
        .rows_changed;
    // As it stands now: rows went into quarantine since it was begun.
    let before = match before {
        Some(_) => walks::load(&*driver.work, run_id, &step.0).await?,
        None => None,
    };
    let table_name = table.to_string();
    let blocks = storages.iter().map(|storage| storage.blocks).sum();
    let storages: Vec<(u32, u32, i64)> = storages
        .iter()
        .map(|storage| (storage.relation, storage.filenode, storage.blocks))
        .collect();
    let reads = work.reads(pass);
    let batch_blocks_first = if reads {
        BATCH_BLOCKS_FIRST_READ
    } else {
        BATCH_BLOCKS_FIRST
    };
    let new = NewWalk {
        step: &step.0,
        table_name: &table_name,
        relation,
        storages: &storages,
        pass,
        segment_blocks_min: if reads {
            SEGMENT_BLOCKS_MIN_READ
        } else {
            SEGMENT_BLOCKS_MIN
        },
        batch_blocks: before
            .as_ref()
            .map_or(batch_blocks_first.cast_signed(), |walk| walk.batch_blocks),
        rows_before: before.as_ref().map_or(0, |walk| walk.rows_before + changed),
        rows_quarantined: before.as_ref().map_or(0, |walk| walk.rows_quarantined),
        repair: work.repair().map(Truth::as_str),
        blocks_before: before.as_ref().map_or(blocks, |walk| walk.blocks_before),
        vacuums: before.as_ref().map_or(0, |walk| walk.vacuums),
        moved_before,
    };
    driver
        .record(
            &format!("{step} pass {pass}"),
            async |transaction, lease| walks::begin(transaction, lease, &new).await,
        )
        .await?;
    walks::load(&*driver.work, run_id, &step.0)
        .await?
        .ok_or_else(|| StoreError::Corrupt(format!("the walk of {step} is not there")).into())
}

fn targets(side: &[Assignment]) -> impl Iterator<Item = &Ident> {
    side.iter().map(|one| &one.target.name)
}

fn example(key: Value, values: Value, show_values: bool) -> Value {
    if show_values {
        serde_json::json!({"key": key, "values": values})
    } else {
        serde_json::json!({"key": key})
    }
}

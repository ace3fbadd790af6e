//! A process that helps with the segments of a run that another one drives. It holds no lease: each of its batches is
//! fenced by the driver's epoch and by its claim, so that it can do no harm whatever becomes of the driver.

use super::{
    Work,
    crew::{self, Finish},
    site::Site,
    watch::{Role, Watch},
};
use crate::engine::{
    EngineError, names::names_now, notice::Notice, notice::Reporter, session,
    worker_context::WorkerContext,
};
use crate::store::{StoreError, lease, os_user, runs, schema, walks};
use crossfade_decisions::lifecycle::{snapshot::Snapshot, transition::RunState};
use crossfade_plan::compiled::{Action, StepId};
use crossfade_plan::sqlgen::rows::{Repair, Truth};
use crossfade_postgres::connect::{Session, Target};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How helping ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// Neither a backfill nor a verification is under way (any more). How many batches this process did.
    NothingToDo {
        batches: u64,
    },
    Interrupted {
        batches: u64,
    },
}

const LOOK_AGAIN: Duration = Duration::from_millis(300);
const POOL_SIZE: usize = 80;

/// Helps until nothing is walked any more. A pause is waited for.
pub async fn help(
    target: &Target,
    run: &str,
    reporter: Arc<dyn Reporter>,
    stop: CancellationToken,
) -> Result<Help, EngineError> {
    // By this name whoever takes the lease over knows that these sessions are not the old driver's.
    let application = format!("crossfade/{run}/help");
    let (session, target) = session::connect(target, &application).await?;
    schema::require(&session, schema::Purpose::Drive).await?;
    let run_id = runs::id_of(&*session, run).await?;
    let pool = target.pool(&application, POOL_SIZE)?;
    let holder = format!("{} pid {}", os_user(), std::process::id());
    let mut batches = 0;
    while !stop.is_cancelled() {
        let snapshot = runs::snapshot(&*session, run_id).await?;
        let walk = walks::under_way(&*session, run_id).await?;
        let Some(walk) = walk.filter(|_| snapshot.state == RunState::Active) else {
            return Ok(Help::NothingToDo { batches });
        };
        let (left, _) = walks::left(&*session, &walk).await?;
        if left == 0 && !is_driven(&session, run_id).await? {
            return Ok(Help::NothingToDo { batches });
        }
        if left == 0 || snapshot.pause.is_some() {
            wait(&stop).await;
            continue;
        }
        let step = StepId(walk.step.clone());
        let repair = walk
            .repair
            .as_deref()
            .and_then(Truth::parse)
            .map(Repair::of);
        // What may go is the driver's to say: it comes again over what is left here.
        let Some(work) = work_of(&snapshot, &step, repair) else {
            return Ok(Help::NothingToDo { batches });
        };
        let hands = WorkerContext {
            pool: pool.clone(),
            lease: lease::current(&*session, run_id).await?,
            holder: holder.clone(),
            reporter: reporter.clone(),
            stop: stop.clone(),
            lost: Arc::new(AtomicBool::new(false)),
        };
        reporter.notice(Notice::Helping { step: step.clone() });
        let site = Site::new(hands, &snapshot.plan, &step, work, walk);
        let watch = Watch::begin(&site, Role::Helps, &[]).await?;
        let finish = crew::work(&site, &watch).await;
        batches += site.batches();
        match finish {
            Ok(Finish::Interrupted) => return Ok(Help::Interrupted { batches }),
            // Another driver, another pass: looked at anew.
            Ok(Finish::NothingLeft | Finish::Paused | Finish::Rewritten)
            | Err(EngineError::Store(StoreError::LeaseLost)) => wait(&stop).await,
            Err(error) => return Err(error),
        }
    }
    Ok(Help::Interrupted { batches })
}

async fn wait(stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(LOOK_AGAIN) => {}
        () = stop.cancelled() => {}
    }
}

/// Somebody has the lease: the walk goes on, or ends soon.
async fn is_driven(session: &Session, run_id: i64) -> Result<bool, EngineError> {
    let record = lease::read(&**session, run_id).await?;
    Ok(record.is_some_and(|record| record.is_held()))
}

fn work_of<'a>(snapshot: &'a Snapshot, step: &StepId, repair: Option<Repair>) -> Option<Work<'a>> {
    let (_, planned) = snapshot
        .plan
        .steps()
        .find(|(_, planned)| planned.id == *step)?;
    match &planned.action {
        Action::Fill(fill) => Some(Work::Fill(fill)),
        Action::Match(matching) => Some(Work::Compare {
            matching,
            names: names_now(snapshot, &matching.table),
            repair,
        }),
        _ => None,
    }
}

//! `serve`: looks for open orders and carries them out, each by a driver of its own, until it is told to stop.

use super::{Access, Outcome, Service, ServiceError, Until, check_server};
use crate::{
    engine::{EngineError, notice::Reporter, vital},
    store::{
        StoreError,
        orders::{self, By, End},
        os_user, pauses, runs, schema,
        verification::Finding,
    },
};
use crossfade_decisions::{
    keeper::{Act, OpenOrder, Wish, by_itself, decide},
    lifecycle::{snapshot::RollbackTarget, transition::RunState},
};
use crossfade_postgres::connect::Session;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::{Id, JoinError, JoinSet, LocalSet};
use tokio_postgres::GenericClient;
use tokio_util::sync::CancellationToken;

/// Between two looks at the orders: an idle server asks once in this time.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const BEAT_EVERY: Duration = Duration::from_secs(5);
/// A run of which nothing was recorded is looked at again after this: comparisons come due with time.
const RUN_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// So many runs are looked at in one look; the next ones follow in the next.
const RUNS_AT_A_LOOK: usize = 50;
/// A look that takes longer has lost its connection.
const LOOK_WITHIN: Duration = Duration::from_secs(15);
/// Before an order is tried again whose driver could not begin or go on: doubled each time.
const REST_FIRST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);
/// So often in a row, with rests of an hour and a half in all, is an order tried again.
const TRIES_MAX: u32 = 100;

/// What a server tells as it goes on.
#[derive(Clone, Debug)]
pub enum ServeNotice {
    Serving {
        database: String,
        holder: String,
    },
    Began {
        run: String,
        order: i64,
        what: String,
    },
    Ended {
        run: String,
        order: i64,
        how: Carried,
    },
    /// It is tried again.
    Resting {
        run: String,
        order: i64,
        why: String,
        retry_in: Duration,
    },
    Away {
        why: String,
    },
    Back,
    /// Waits for drivers to end their batches.
    Stopping {
        at_work: usize,
    },
}

/// Whom a server tells, and who is told of each run.
pub trait ServeReporter: Send + Sync {
    fn notice(&self, notice: ServeNotice);
    fn of_run(&self, run: &str) -> Arc<dyn Reporter>;
}

/// What came of an order, so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    Done,
    /// It has ended, since people have to decide what comes next.
    Stopped(String),
    Failed(String),
    /// Somebody has cancelled it, or it was done meanwhile by another server.
    NotOpen,
    /// It stays open: this server was told to stop, or the run is paused.
    Left,
}

/// An order that this server carries out.
struct AtWork {
    run: String,
    stop: CancellationToken,
    task: Id,
}

/// After an error that may pass.
struct Rest {
    tries: u32,
    until: Instant,
}

struct Keeper<'a> {
    service: &'a Service,
    reporter: Arc<dyn ServeReporter>,
    holder: String,
    at_work: BTreeMap<i64, AtWork>,
    rests: BTreeMap<i64, Rest>,
    /// Of active runs: the events they had when they were looked at, and when that was.
    seen: BTreeMap<i64, (i64, Instant)>,
    tasks: JoinSet<(i64, Result<Carried, ServiceError>)>,
}

impl Service {
    /// Carries out orders until `stop`. Once it has begun, it waits for a database that is away. Errors: all else that keeps it
    /// from looking for orders; drivers end their batches first.
    pub async fn serve(
        &self,
        reporter: Arc<dyn ServeReporter>,
        stop: CancellationToken,
    ) -> Result<(), ServiceError> {
        self.not_by_token()?;
        let session = self.session("serve").await?;
        check_server(&session, Access::Write).await?;
        schema::require(&session, schema::Purpose::Drive).await?;
        let holder = format!("{} pid {}", os_user(), std::process::id());
        reporter.notice(ServeNotice::Serving {
            database: self.describe(),
            holder: holder.clone(),
        });
        let mut keeper = Keeper {
            service: self,
            reporter,
            holder,
            at_work: BTreeMap::new(),
            rests: BTreeMap::new(),
            seen: BTreeMap::new(),
            tasks: JoinSet::new(),
        };
        let serving = async {
            let kept = keeper.keep(session, &stop).await;
            stop.cancel();
            keeper.end().await;
            kept
        };
        LocalSet::new().run_until(serving).await
    }

    /// Carries out one order under the lease of its run. What was not open any more by then is left alone.
    async fn carry_out(
        &self,
        order: &OpenOrder,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
    ) -> Result<Carried, ServiceError> {
        self.driving(&order.run, reporter, stop, async |driver| {
            let (mut is_open, holder) = (false, driver.holder.clone());
            driver
                .record("order take", async |transaction, _| {
                    is_open = orders::take(transaction, order.id, &holder).await?;
                    Ok(())
                })
                .await?;
            if !is_open {
                return Ok(Carried::NotOpen);
            }
            driver.order = Some(order.id);
            let snapshot = runs::snapshot(&*driver.work, driver.lease.run_id).await?;
            let refused = if driver.lease.run_id == order.run_id {
                orders::not_allowed(&*driver.work, order.id).await?
            } else {
                // A run that was rolled back gives its name to the next.
                Some(format!(
                    "the run that it was for has ended, and another is called {}",
                    order.run
                ))
            };
            let result = match (refused, &order.wish) {
                (Some(why), _) => Err(EngineError::Refused(why)),
                (None, Wish::Advance { to, .. }) if snapshot.plan.phase(*to).is_none() => {
                    Err(EngineError::no_phase(&snapshot.plan, *to))
                }
                // It was done by a server that could not say so any more.
                (
                    None,
                    Wish::RollBack {
                        to: RollbackTarget::Start,
                        ..
                    },
                ) if snapshot.state == RunState::RolledBack => Ok(Carried::Done),
                (None, Wish::Advance { to, at_gate }) => driver
                    .advance(Until::Phase(*to), *at_gate)
                    .await
                    .map(of_outcome),
                (None, Wish::RollBack { to, discards }) => {
                    driver.roll_back(*to, discards).await.map(of_outcome)
                }
                (None, wish @ (Wish::Verify | Wish::Repair)) => driver
                    .verify(*wish == Wish::Repair, &BTreeSet::new())
                    .await
                    .map(|found| found.map_or_else(of_outcome, |found| of_findings(&found))),
            };
            let carried = match result {
                Ok(carried) => carried,
                Err(error) if may_pass(&error) => return Err(error),
                Err(error) => Carried::Failed(error.to_string()),
            };
            let (end, outcome) = match &carried {
                Carried::Done => (End::Done, None),
                Carried::Stopped(why) => (End::Stopped, Some(why.as_str())),
                Carried::Failed(why) => (End::Failed, Some(why.as_str())),
                Carried::NotOpen | Carried::Left => return Ok(carried),
            };
            // Still under the lease: no other server can take it for open and do it again.
            let mut has_ended = false;
            driver
                .record("order end", async |transaction, _| {
                    has_ended = orders::end(transaction, order.id, end, outcome).await?;
                    Ok(())
                })
                .await?;
            Ok(if has_ended { carried } else { Carried::NotOpen })
        })
        .await
    }
}

fn of_outcome(outcome: Outcome) -> Carried {
    use crossfade_decisions::lifecycle::next::Wait;
    match outcome {
        Outcome::Done => Carried::Done,
        Outcome::Waiting(Wait::Paused(_) | Wait::Frozen(_)) | Outcome::Interrupted => Carried::Left,
        Outcome::Waiting(wait) => Carried::Stopped(wait.to_string()),
    }
}

fn of_findings(findings: &[Finding]) -> Carried {
    let different: i64 = findings.iter().map(|finding| finding.rows_different).sum();
    match different {
        0 => Carried::Done,
        rows => Carried::Stopped(format!("{rows} rows differ")),
    }
}

/// The same may succeed later. A lock that others hold for long is one of these: nobody looks on who could try again.
fn may_pass(error: &EngineError) -> bool {
    error.is_passing()
        || error.is_cancelled()
        || error.is_read_only()
        || error.is_idle_timeout()
        || matches!(
            error,
            EngineError::LockNotHad { .. }
                | EngineError::SyncChanged { .. }
                | EngineError::Store(StoreError::LeaseHeld { .. } | StoreError::LeaseLost)
        )
}

/// It cannot connect, has not the rights, or is of another version than the tables are by now.
fn is_of_this_server(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Connect(_)
            | EngineError::Store(
                StoreError::Newer { .. }
                    | StoreError::Older { .. }
                    | StoreError::NotInstalled
                    | StoreError::NoRights { .. }
                    | StoreError::NotEntered { .. }
            )
    )
}

/// Orders what no person has to order: phases that the plan says begin by themselves, and comparisons that are due. A run that
/// cannot be read keeps the server from no other.
async fn order_by_itself(
    seen: &mut BTreeMap<i64, (i64, Instant)>,
    session: &mut Session,
) -> Result<(), EngineError> {
    let active = orders::active(&**session).await?;
    seen.retain(|id, _| active.iter().any(|(active, _)| active == id));
    let is_news = |(run_id, events): &(i64, i64)| {
        let seen = seen.get(run_id);
        seen.is_none_or(|(had, at)| had != events || at.elapsed() >= RUN_AGAIN_AFTER)
    };
    let news: Vec<(i64, i64)> = active.into_iter().filter(is_news).collect();
    for (run_id, events) in news.into_iter().take(RUNS_AT_A_LOOK) {
        match order_for(session, run_id).await {
            Ok(()) => {}
            Err(error) if may_pass(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(run_id, %error, "what this run needs by itself cannot be told");
            }
        }
        seen.insert(run_id, (events, Instant::now()));
    }
    Ok(())
}

async fn order_for(session: &mut Session, run_id: i64) -> Result<(), EngineError> {
    if wish_of(&**session, run_id).await?.is_none() {
        return Ok(());
    }
    let transaction = session.transaction().await?;
    pauses::hold(&transaction, run_id).await?;
    // Somebody may have paused it a moment ago, or another server ordered the same.
    if let Some(wish) = wish_of(&transaction, run_id).await? {
        orders::place(&transaction, run_id, &wish, By::Server).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn wish_of(client: &impl GenericClient, run_id: i64) -> Result<Option<Wish>, EngineError> {
    let snapshot = runs::snapshot(client, run_id).await?;
    let next = snapshot.current_phase().map(|phase| phase.name);
    let asked = orders::asked(client, run_id, next).await?;
    Ok(by_itself(&snapshot, &asked))
}

impl Keeper<'_> {
    /// Errors: what does not pass, as where the tables are of another version by now.
    async fn keep(
        &mut self,
        session: Session,
        stop: &CancellationToken,
    ) -> Result<(), ServiceError> {
        let mut session = Some(session);
        let mut beat_at = Instant::now();
        while !stop.is_cancelled() {
            let beats = Instant::now() >= beat_at;
            let looked = vital::within(LOOK_WITHIN, self.look(&mut session, beats)).await;
            match looked {
                Ok(orders) => {
                    if beats {
                        beat_at = Instant::now() + BEAT_EVERY;
                    }
                    self.act(&orders, stop);
                }
                // Whatever keeps it from connecting, a password that was changed among it, may be put right by others.
                Err(error) if !may_pass(&error) && !matches!(error, EngineError::Connect(_)) => {
                    return Err(error.into());
                }
                // A session on what was the primary is of no use either.
                Err(error) => {
                    if session.take().is_some() {
                        let why = error.to_string();
                        self.reporter.notice(ServeNotice::Away { why });
                    }
                }
            }
            self.wait(stop).await;
        }
        Ok(())
    }

    /// Until the next look, or until an order has ended or the server is told to stop.
    async fn wait(&mut self, stop: &CancellationToken) {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => {}
            Some(ended) = self.tasks.join_next() => self.ended(ended).await,
        }
    }

    async fn look(
        &mut self,
        session: &mut Option<Session>,
        beats: bool,
    ) -> Result<Vec<OpenOrder>, EngineError> {
        let mut is_back = false;
        let client = match session {
            Some(client) => client,
            None => {
                let again = self.service.target.connect("crossfade serve").await?;
                is_back = true;
                session.insert(again)
            }
        };
        if beats || is_back {
            // `init` may have upgraded them meanwhile.
            schema::require(client, schema::Purpose::Drive).await?;
            orders::beat(&**client, &self.holder).await?;
            order_by_itself(&mut self.seen, client).await?;
        }
        let open = orders::open(&**client).await?;
        if is_back {
            self.reporter.notice(ServeNotice::Back);
        }
        Ok(open)
    }

    fn act(&mut self, orders: &[OpenOrder], stop: &CancellationToken) {
        let now = Instant::now();
        let is_open = |id: &i64| orders.iter().any(|order| order.id == *id);
        self.rests.retain(|id, _| is_open(id));
        let resting = self.rests.iter().filter(|(_, rest)| rest.until > now);
        let resting: BTreeSet<i64> = resting.map(|(id, _)| *id).collect();
        let at_work: BTreeSet<i64> = self.at_work.keys().copied().collect();
        for act in decide(orders, &at_work, &resting) {
            match act {
                Act::Stop(id) => {
                    if let Some(work) = self.at_work.get(&id) {
                        work.stop.cancel();
                    }
                }
                Act::Begin(id) => {
                    if let Some(order) = orders.iter().find(|order| order.id == id) {
                        self.begin(order.clone(), stop.child_token());
                    }
                }
            }
        }
    }

    fn begin(&mut self, order: OpenOrder, stop: CancellationToken) {
        self.reporter.notice(ServeNotice::Began {
            run: order.run.clone(),
            order: order.id,
            what: order.wish.in_words(),
        });
        let (id, run) = (order.id, order.run.clone());
        let (service, reporter) = (self.service.clone(), self.reporter.of_run(&run));
        let told = stop.clone();
        // A driver stays on its thread: what it notes of a walk is for itself alone.
        let task = self.tasks.spawn_local(async move {
            let carried = service.carry_out(&order, reporter, told).await;
            (order.id, carried)
        });
        let task = task.id();
        self.at_work.insert(id, AtWork { run, stop, task });
    }

    async fn ended(&mut self, ended: Result<(i64, Result<Carried, ServiceError>), JoinError>) {
        let (id, result) = match ended {
            Ok(ended) => ended,
            // A fault of ours in one driver is no reason to leave the others.
            Err(panicked) => {
                let task = panicked.id();
                let id = self.at_work.iter().find(|(_, work)| work.task == task);
                let Some((id, _)) = id else { return };
                let why = format!("the driver ended by a fault of Crossfade: {panicked}");
                (*id, Err(ServiceError::Refused(why)))
            }
        };
        let Some(work) = self.at_work.remove(&id) else {
            return;
        };
        let how = match result {
            Ok(how) => {
                self.rests.remove(&id);
                how
            }
            Err(error) => match self.rest(id, &error) {
                Some(retry_in) => {
                    self.reporter.notice(ServeNotice::Resting {
                        run: work.run,
                        order: id,
                        why: error.to_string(),
                        retry_in,
                    });
                    return;
                }
                None => {
                    let why = error.to_string();
                    // Where that cannot be written down either, the order stays open.
                    let failed = vital::within(LOOK_WITHIN, self.service.fail(id, &why)).await;
                    if failed.is_err() {
                        let retry_in = self.rest_at_least_once(id);
                        self.reporter.notice(ServeNotice::Resting {
                            run: work.run,
                            order: id,
                            why,
                            retry_in,
                        });
                        return;
                    }
                    self.rests.remove(&id);
                    Carried::Failed(why)
                }
            },
        };
        self.reporter.notice(ServeNotice::Ended {
            run: work.run,
            order: id,
            how,
        });
    }

    /// How long to rest before the order is tried again; `None`: it is not.
    fn rest(&mut self, id: i64, error: &ServiceError) -> Option<Duration> {
        let passes = match error {
            // What is wrong with this server, and not with the order: another may carry it out.
            ServiceError::Engine(error) => may_pass(error) || is_of_this_server(error),
            ServiceError::ReadOnly(_) | ServiceError::Interrupted(_) => true,
            _ => false,
        };
        let tries = self.rests.get(&id).map_or(0, |rest| rest.tries);
        if !passes || tries >= TRIES_MAX {
            return None;
        }
        Some(self.rest_at_least_once(id))
    }

    fn rest_at_least_once(&mut self, id: i64) -> Duration {
        let tries = self.rests.get(&id).map_or(0, |rest| rest.tries);
        let pause = (REST_FIRST * 2_u32.saturating_pow(tries.min(10))).min(REST_MAX);
        let rest = Rest {
            tries: tries + 1,
            until: Instant::now() + pause,
        };
        self.rests.insert(id, rest);
        pause
    }

    /// Every driver ends its batch, or rolls it back, and gives its lease back. Orders stay open.
    async fn end(mut self) {
        if !self.at_work.is_empty() {
            let at_work = self.at_work.len();
            self.reporter.notice(ServeNotice::Stopping { at_work });
        }
        while let Some(ended) = self.tasks.join_next().await {
            self.ended(ended).await;
        }
        let leave = async {
            let session = self.service.target.connect("crossfade serve").await?;
            Ok::<_, EngineError>(orders::leave(&*session, &self.holder).await?)
        };
        let _ = vital::within(LOOK_EVERY, leave).await;
    }
}

impl Service {
    async fn fail(&self, order: i64, why: &str) -> Result<bool, EngineError> {
        let mut session = self.target.connect("crossfade serve").await?;
        let transaction = session.transaction().await?;
        let has_ended = orders::end(&transaction, order, End::Failed, Some(why)).await?;
        transaction.commit().await?;
        Ok(has_ended)
    }
}

//! The connections of a driver, and its lease, kept alive until it is done.

use super::{
    EngineError, failpoint, newest,
    notice::Reporter,
    vital::{self, Vital},
    worker_context::WorkerContext,
};
use crate::database::{SESSION, sessions};
use crate::store::{
    StoreError,
    lease::{self, Lease, MayGoOn},
    os_user, runs, schema,
    timeline::{self, Server},
};
use crossfade_plan::compiled::StepId;
use crossfade_postgres::connect::{Session, Target};
use deadpool_postgres::{Object, Pool};
use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_postgres::Transaction;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

const HEARTBEAT_EVERY: Duration = Duration::from_secs(3);
/// A heartbeat that is not answered by then is the last: nobody else has the lease yet.
pub const HEARTBEAT_WITHIN: Duration = Duration::from_secs(8);
/// All that is asked until a driver has its lease, the wait for that of a stopped one included.
const BEGIN_WITHIN: Duration = Duration::from_secs(90);
const GOODBYE_WITHIN: Duration = Duration::from_secs(3);
/// A pause takes effect within a second.
const LOOK_FOR_PAUSE_EVERY: Duration = Duration::from_millis(500);
/// The workers' sessions, those that look on, and a vacuum's. They are opened when they are needed.
const POOL_SIZE: usize = 80;

/// A process that was killed is gone at once, and its sessions as soon as the server sees that.
const UNTIL_IT_IS_SEEN: Duration = Duration::from_secs(5);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Whether the holder of a lease was a process of this user on this machine, and is none any more.
fn is_gone(holder: &str) -> bool {
    let pid = holder
        .strip_prefix(&os_user())
        .and_then(|rest| rest.strip_prefix(" pid "))
        .and_then(|pid| pid.parse().ok());
    pid.is_some_and(|pid| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH))
}

/// A session, and the target with sessions in which triggers and foreign keys act, whatever the server, the database or the role is set to: our
/// tables refer to each other, and so may the application's.
pub async fn connect(target: &Target, application: &str) -> Result<(Session, Target), EngineError> {
    let session = target.connect(application).await?;
    if sessions::is_origin(&*session).await? {
        return Ok((session, target.clone()));
    }
    let (name, value) = sessions::ORIGIN;
    if session
        .batch_execute(&format!("SET {name} = {value}"))
        .await
        .is_err()
    {
        return Err(EngineError::Refused(
            "session_replication_role is replica in the sessions of this role, so triggers and foreign keys do not act in them, and the role may not change the setting. Reset it with `ALTER ROLE … RESET session_replication_role`, with `ALTER DATABASE … RESET session_replication_role`, or in the server's configuration file".to_owned(),
        ));
    }
    let settings: Vec<(&str, &str)> = SESSION.iter().copied().chain([sessions::ORIGIN]).collect();
    let target = target.with_session(&settings);
    Ok((target.connect(application).await?, target))
}

/// The one process that may write for a run.
pub struct Driver {
    pub run: String,
    /// Who this is, for the record.
    pub holder: String,
    pub lease: Lease,
    /// The order that it carries out, where it does.
    pub order: Option<i64>,
    /// For DDL and records. Its own, as a pool would keep session state.
    pub work: Session,
    pub work_pid: i32,
    pub autovacuum_gives_way: bool,
    /// Where that may be known.
    pub server: Option<Server>,
    pub pool: Pool,
    pub reporter: Arc<dyn Reporter>,
    /// Ctrl-C.
    pub stop: CancellationToken,
    lost: Arc<AtomicBool>,
    vital: Arc<Vital>,
    /// Ends with the driver, however that ends: a lease whose driver is gone must not be kept.
    heart: AbortOnDropHandle<()>,
    keeper: Arc<tokio::sync::Mutex<Session>>,
}

impl Driver {
    /// Connects and takes the lease. `LeaseHeld` names the holder. `known`: the server that this process was on before.
    pub async fn begin(
        target: &Target,
        run: &str,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
        known: Option<Server>,
    ) -> Result<Self, EngineError> {
        let connecting = Self::connect(target, run, reporter, stop, known);
        vital::within(BEGIN_WITHIN, connecting).await
    }

    async fn connect(
        target: &Target,
        run: &str,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
        known: Option<Server>,
    ) -> Result<Self, EngineError> {
        let application = format!("crossfade/{run}");
        let (mut keeper, target) = connect(target, &format!("{application}/lease")).await?;
        schema::require(&keeper, schema::Purpose::Drive).await?;
        let run_id = runs::id_of(&*keeper, run).await?;
        let server = newest::require(&target, &keeper, run_id, known).await?;
        let holder = format!("{} pid {}", os_user(), std::process::id());
        let began = Instant::now();
        let lease = loop {
            match lease::take(&mut keeper, run, run_id, &holder).await {
                Err(StoreError::LeaseHeld { holder, .. })
                    if is_gone(&holder) && began.elapsed() < UNTIL_IT_IS_SEEN =>
                {
                    tokio::time::sleep(LOOK_AGAIN_AFTER).await;
                }
                other => break other?,
            }
        };
        if let Some(server) = server {
            timeline::note(&*keeper, lease, server).await?;
        }
        let work = target.connect(&application).await?;
        // A statement of ours must not outlive us: the server looks whether we are still there.
        work.batch_execute("SET client_connection_check_interval = '2s'")
            .await?;
        // Our lock request makes an autovacuum of the table give way, but only after `deadlock_timeout`, which is longer
        // than our `lock_timeout`. Where the role may, it is made shorter; else autovacuum is waited for.
        let autovacuum_gives_way = work
            .batch_execute("SET deadlock_timeout = '20ms'")
            .await
            .is_ok();
        let work_pid = work.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let lost = Arc::new(AtomicBool::new(false));
        let keeper = Arc::new(tokio::sync::Mutex::new(keeper));
        let vital = Arc::new(Vital::default());
        let signs = (lost.clone(), vital.clone());
        let heart = AbortOnDropHandle::new(tokio::spawn(beat(keeper.clone(), lease, signs)));
        Ok(Self {
            run: run.to_owned(),
            holder,
            lease,
            order: None,
            work,
            work_pid,
            autovacuum_gives_way,
            server,
            pool: target.pool(&format!("{application}/batch"), POOL_SIZE)?,
            reporter,
            stop,
            lost,
            vital,
            heart,
            keeper,
        })
    }

    /// Gives the lease back. A failure is harmless, as it goes stale by itself: the error is for whoever asks why the
    /// lease was lost.
    pub async fn end(self) -> Option<StoreError> {
        self.heart.abort();
        let released = vital::within(GOODBYE_WITHIN, async {
            let keeper = self.keeper.lock().await;
            lease::release(&**keeper, self.lease).await
        });
        let error = match released.await.err()? {
            EngineError::Store(error) => error,
            other => StoreError::Corrupt(other.to_string()),
        };
        tracing::warn!(%error, "the lease was not given back; it goes stale by itself");
        Some(error)
    }

    pub fn has_lost_lease(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Whether the database still answers.
    pub fn vital(&self) -> Arc<Vital> {
        self.vital.clone()
    }

    /// What the workers of this process need of it.
    pub fn hands(&self) -> WorkerContext {
        WorkerContext {
            pool: self.pool.clone(),
            lease: self.lease,
            holder: self.holder.clone(),
            reporter: self.reporter.clone(),
            stop: self.stop.clone(),
            lost: self.lost.clone(),
        }
    }

    /// A session that looks on while `work` is busy.
    pub async fn onlooker(&self) -> Result<Object, EngineError> {
        let session = self.pool.get().await?;
        Ok(session)
    }

    /// Asked before whatever cannot be fenced within its own transaction.
    pub async fn may_go_on(&self) -> Result<MayGoOn, EngineError> {
        if self.has_lost_lease() {
            return Err(StoreError::LeaseLost.into());
        }
        Ok(lease::fence(&*self.work, self.lease).await?)
    }

    /// `application_name` tells everybody which step a session of ours is at.
    pub async fn name_step(&self, step: &StepId) -> Result<(), EngineError> {
        let name = format!("crossfade/{}/{step}", self.run);
        self.work
            .query_one(
                "SELECT set_config('application_name', left($1, 63), false)",
                &[&name],
            )
            .await?;
        Ok(())
    }

    /// A transaction of records only, behind the fence.
    pub async fn record<F>(&mut self, place: &str, write: F) -> Result<(), EngineError>
    where
        F: AsyncFnOnce(&Transaction<'_>, Lease) -> Result<(), StoreError>,
    {
        failpoint::pass(|| format!("{place}: before its record"));
        let lease = self.lease;
        let transaction = self.work.transaction().await?;
        lease::fence(&transaction, lease).await?;
        write(&transaction, lease).await?;
        failpoint::pass(|| format!("{place}: in its record"));
        transaction.commit().await?;
        failpoint::pass(|| format!("{place}: after its record"));
        Ok(())
    }

    /// Sleeps, but no longer than until the run is paused or interrupted: what comes next sees which.
    pub async fn sleep_while_active(&self, duration: Duration) -> Result<(), EngineError> {
        let end = std::time::Instant::now() + duration;
        while !self.stop.is_cancelled() && self.may_go_on().await? == MayGoOn::Yes {
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                break;
            }
            self.sleep(left.min(LOOK_FOR_PAUSE_EVERY)).await;
        }
        Ok(())
    }

    /// Sleeps, or returns at once when interrupted.
    pub async fn sleep(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

async fn beat(
    keeper: Arc<tokio::sync::Mutex<Session>>,
    lease: Lease,
    (lost, vital): (Arc<AtomicBool>, Arc<Vital>),
) {
    loop {
        tokio::time::sleep(HEARTBEAT_EVERY).await;
        let beaten = vital::within(HEARTBEAT_WITHIN, async {
            let session = keeper.lock().await;
            lease::heartbeat(&**session, lease).await
        });
        if let Err(error) = beaten.await {
            // By somebody who cancels what our sessions are at: there is time for another.
            if error.is_cancelled() {
                continue;
            }
            tracing::error!(%error, "the lease is lost");
            lost.store(true, Ordering::SeqCst);
            if !matches!(error, EngineError::Store(StoreError::LeaseLost)) {
                vital.fail();
            }
            return;
        }
    }
}

//! Looking again and again, as the page does: with connections that stay, and without reading what cannot have changed.

use super::{HistoryEvent, Holder, RunSummary, Secret, Service, ServiceError, Status, status};
use crate::{
    engine::{EngineError, vital},
    store::{
        StoreError, freezes, history,
        messages::{self, ReceiverRecord},
        orders,
        runs::{self, RunLine},
        schema, tokens,
    },
};
use crossfade_decisions::lifecycle::{snapshot::Pause, transition::RunState};
use crossfade_postgres::connect::Session;
use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many connections are kept.
const IDLE_MAX: usize = 4;
/// At most so many connections are at work at a time, so that the application has the others.
const AT_WORK_MAX: usize = 8;
/// For a place among them, or for somebody else's look.
const WAIT_AT_MOST: Duration = Duration::from_secs(3);
const FRESH_FOR: Duration = Duration::from_millis(800);
/// The oldest that is shown in place of nothing.
const SHOWN_FOR: Duration = Duration::from_secs(30);
/// A look that takes longer has lost its connection.
const LOOK_WITHIN: Duration = Duration::from_secs(10);
/// A run that nobody drives, and of which nothing was recorded, is read again after this: gates open with time.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

pub struct Looker {
    service: Service,
    /// Connections that are at work.
    places: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
    board: tokio::sync::Mutex<BTreeMap<i64, Seen>>,
    /// What the board showed last.
    shown: Mutex<Option<(Instant, Arc<Vec<RunSummary>>)>>,
}

/// A connection, and its place among those at work.
struct Looking {
    session: Session,
    _place: OwnedSemaphorePermit,
}

impl Deref for Looking {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for Looking {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

/// What a database has, for metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By run and kind.
    pub events: Vec<(String, String, i64)>,
    /// By state.
    pub orders: Vec<(String, i64)>,
    pub messages: Vec<ReceiverRecord>,
    pub is_served: bool,
}

/// An active run as it was seen.
struct Seen {
    events: i64,
    at: Instant,
    status: Status,
}

impl Looker {
    pub fn new(service: Service) -> Self {
        Self {
            service,
            places: Arc::new(Semaphore::new(AT_WORK_MAX)),
            idle: Mutex::default(),
            board: tokio::sync::Mutex::default(),
            shown: Mutex::default(),
        }
    }

    /// Whether the database answers, and has the tables that this program knows.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        let session = self.session().await?;
        within(schema::require(&session, schema::Purpose::Drive)).await?;
        self.keep(session);
        Ok(())
    }

    /// Whose secret this is; `None`: nobody's, or it is over.
    pub async fn holder(&self, secret: &Secret) -> Result<Option<Holder>, ServiceError> {
        let session = self.session().await?;
        let holder = within(tokens::holder(&**session, secret)).await?;
        self.keep(session);
        Ok(holder)
    }

    /// Where the run stands, with the moments of a backfill's last minutes.
    pub async fn status(&self, run: &str) -> Result<Status, ServiceError> {
        let mut session = self.session().await?;
        let read = status::read(&mut session, run, status::Detail::Samples);
        let status = in_time(read).await?;
        self.keep(session);
        Ok(status)
    }

    /// Every run, newest first. Of an active one where it stands: at this moment, where somebody drives it or something was
    /// recorded of it, and else some seconds ago at the latest. All who ask within a second are given the same; nobody waits for
    /// long while the database is slow, if there is something older to show.
    pub async fn runs(&self) -> Result<Arc<Vec<RunSummary>>, ServiceError> {
        if let Some(runs) = self.shown(FRESH_FOR) {
            return Ok(runs);
        }
        let board = tokio::time::timeout(WAIT_AT_MOST, self.board.lock()).await;
        let Ok(mut board) = board else {
            return self.shown(SHOWN_FOR).ok_or_else(silent);
        };
        // Whoever had it has just looked.
        if let Some(runs) = self.shown(FRESH_FOR) {
            return Ok(runs);
        }
        let runs = Arc::new(self.look(&mut board).await?);
        *lock(&self.shown) = Some((Instant::now(), Arc::clone(&runs)));
        Ok(runs)
    }

    fn shown(&self, age_max: Duration) -> Option<Arc<Vec<RunSummary>>> {
        let shown = lock(&self.shown);
        let (at, runs) = shown.as_ref()?;
        (at.elapsed() < age_max).then(|| Arc::clone(runs))
    }

    async fn look(&self, board: &mut BTreeMap<i64, Seen>) -> Result<Vec<RunSummary>, ServiceError> {
        let mut session = self.session().await?;
        let lines = within(runs::list(&**session)).await?;
        let is_active = |line: &RunLine| line.state == RunState::Active.as_str();
        board.retain(|id, _| lines.iter().any(|line| line.id == *id && is_active(line)));
        let mut summaries = Vec::new();
        for line in lines {
            if !is_active(&line) {
                summaries.push(RunSummary { line, status: None });
                continue;
            }
            let seen = board.get(&line.id);
            let is_fresh = seen.is_some_and(|seen| {
                !line.is_driven && seen.events == line.events && seen.at.elapsed() < AGAIN_AFTER
            });
            if !is_fresh {
                let read = status::read(&mut session, &line.name, status::Detail::Account);
                match in_time(read).await {
                    Ok(status) => {
                        let seen = Seen {
                            events: line.events,
                            at: Instant::now(),
                            status,
                        };
                        board.insert(line.id, seen);
                    }
                    // One run that cannot be read, as while its table is locked, must not hide the others: it is shown as it was.
                    Err(_) if !session.is_closed() => {}
                    Err(error) => return Err(error),
                }
            }
            let status = board.get(&line.id).map(|seen| seen.status.clone());
            summaries.push(RunSummary { line, status });
        }
        self.keep(session);
        Ok(summaries)
    }

    /// The freeze in force that ends last.
    pub async fn frozen(&self) -> Result<Option<Pause>, ServiceError> {
        let session = self.session().await?;
        let frozen = within(freezes::in_force(&**session)).await?;
        self.keep(session);
        Ok(frozen)
    }

    /// How many events and orders there are.
    pub async fn counts(&self) -> Result<Counts, ServiceError> {
        let session = self.session().await?;
        let counts = within(async {
            Ok(Counts {
                events: history::counts(&**session).await?,
                orders: orders::counts(&**session).await?,
                messages: messages::receivers(&**session).await?,
                is_served: orders::last_server(&**session)
                    .await?
                    .is_some_and(|server| server.is_alive),
            })
        });
        let counts = counts.await?;
        self.keep(session);
        Ok(counts)
    }

    /// At most `limit` events of the newest run of that name, those before the one numbered `before`, the newest first.
    pub async fn events_before(
        &self,
        run: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<HistoryEvent>, ServiceError> {
        let session = self.session().await?;
        let events = within(async {
            let run_id = runs::id_of(&**session, run).await?;
            history::before(&**session, run_id, before, limit).await
        });
        let events = events.await?;
        self.keep(session);
        Ok(events)
    }

    /// At most `limit` events after the one numbered `after`, the oldest first.
    pub async fn events_after(
        &self,
        run: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<HistoryEvent>, ServiceError> {
        let session = self.session().await?;
        let events = within(async {
            let run_id = runs::id_of(&**session, run).await?;
            history::after(&**session, run_id, after, limit).await
        });
        let events = events.await?;
        self.keep(session);
        Ok(events)
    }

    async fn session(&self) -> Result<Looking, ServiceError> {
        let place = tokio::time::timeout(WAIT_AT_MOST, Arc::clone(&self.places).acquire_owned());
        let Ok(Ok(place)) = place.await else {
            return Err(silent());
        };
        let idle = lock(&self.idle).pop();
        let session = match idle {
            Some(session) if !session.is_closed() => session,
            _ => in_time(self.service.installed("status")).await?,
        };
        Ok(Looking {
            session,
            _place: place,
        })
    }

    /// One that failed is not kept: the next look connects again.
    fn keep(&self, looking: Looking) {
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_MAX {
            idle.push(looking.session);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn silent() -> ServiceError {
    let seconds = LOOK_WITHIN.as_secs();
    EngineError::from(StoreError::Silent { seconds }).into()
}

async fn within<T>(look: impl Future<Output = Result<T, StoreError>>) -> Result<T, ServiceError> {
    Ok(vital::within::<T, StoreError>(LOOK_WITHIN, look).await?)
}

async fn in_time<T>(
    look: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    match tokio::time::timeout(LOOK_WITHIN, look).await {
        Ok(result) => result,
        Err(_elapsed) => Err(silent()),
    }
}

//! Looking again and again, as the page does: with connections that stay, and without reading what cannot have changed.

use super::{HistoryEvent, Holder, RunSummary, Secret, Service, ServiceError, Status, status};
use crate::{
    engine::{EngineError, vital},
    store::{
        StoreError, history, orders,
        runs::{self, RunLine},
        tokens,
    },
};
use crossfade_decisions::lifecycle::transition::RunState;
use crossfade_postgres::connect::Session;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many connections are kept.
const IDLE_MAX: usize = 4;
/// A look that takes longer has lost its connection.
const LOOK_WITHIN: Duration = Duration::from_secs(10);
/// A run that nobody drives, and of which nothing was recorded, is read again after this: gates open with time.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

pub struct Looker {
    service: Service,
    idle: Mutex<Vec<Session>>,
    board: tokio::sync::Mutex<BTreeMap<i64, Seen>>,
}

/// What a database has, for metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By run and kind.
    pub events: Vec<(String, String, i64)>,
    /// By state.
    pub orders: Vec<(String, i64)>,
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
            idle: Mutex::default(),
            board: tokio::sync::Mutex::default(),
        }
    }

    /// Whether the database answers, and has the tables that this program knows.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        let session = self.session().await?;
        within(async { Ok(session.simple_query("SELECT 1").await?) }).await?;
        self.keep(session);
        Ok(())
    }

    /// Whose secret this is; `None`: nobody's, or it is over.
    pub async fn holder(&self, secret: &Secret) -> Result<Option<Holder>, ServiceError> {
        let session = self.session().await?;
        let holder = within(tokens::holder(&*session, secret)).await?;
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
    /// recorded of it, and else some seconds ago at the latest.
    pub async fn runs(&self) -> Result<Vec<RunSummary>, ServiceError> {
        let mut board = self.board.lock().await;
        let mut session = self.session().await?;
        let lines = within(runs::list(&*session)).await?;
        let is_active = |line: &RunLine| line.state == RunState::Active.as_str();
        let mut summaries = Vec::new();
        for line in lines {
            if !is_active(&line) {
                board.remove(&line.id);
                summaries.push(RunSummary { line, status: None });
                continue;
            }
            let seen = board.get(&line.id).filter(|seen| {
                !line.is_driven && seen.events == line.events && seen.at.elapsed() < AGAIN_AFTER
            });
            let status = match seen {
                Some(seen) => seen.status.clone(),
                None => {
                    let read = status::read(&mut session, &line.name, status::Detail::Account);
                    let status = in_time(read).await?;
                    let seen = Seen {
                        events: line.events,
                        at: Instant::now(),
                        status: status.clone(),
                    };
                    board.insert(line.id, seen);
                    status
                }
            };
            summaries.push(RunSummary {
                line,
                status: Some(status),
            });
        }
        self.keep(session);
        Ok(summaries)
    }

    /// How many events and orders there are.
    pub async fn counts(&self) -> Result<Counts, ServiceError> {
        let session = self.session().await?;
        let counts = within(async {
            Ok(Counts {
                events: history::counts(&*session).await?,
                orders: orders::counts(&*session).await?,
                is_served: orders::last_server(&*session)
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
            let run_id = runs::id_of(&*session, run).await?;
            history::before(&*session, run_id, before, limit).await
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
            let run_id = runs::id_of(&*session, run).await?;
            history::after(&*session, run_id, after, limit).await
        });
        let events = events.await?;
        self.keep(session);
        Ok(events)
    }

    async fn session(&self) -> Result<Session, ServiceError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(session) if !session.is_closed() => Ok(session),
            _ => in_time(self.service.installed("status")).await,
        }
    }

    /// One that failed is not kept: the next look connects again.
    fn keep(&self, session: Session) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(session);
        }
    }
}

async fn within<T>(look: impl Future<Output = Result<T, StoreError>>) -> Result<T, ServiceError> {
    Ok(vital::within::<T, StoreError>(LOOK_WITHIN, look).await?)
}

async fn in_time<T>(
    look: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    match tokio::time::timeout(LOOK_WITHIN, look).await {
        Ok(result) => result,
        Err(_elapsed) => Err(EngineError::from(StoreError::Silent {
            seconds: LOOK_WITHIN.as_secs(),
        })
        .into()),
    }
}

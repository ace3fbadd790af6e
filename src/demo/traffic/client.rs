//! One client: works on its own connection, keeps its part of the ledger, reconnects when the connection is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::choice::Within;
use super::meter::{Meter, Running};
use super::operation::{Operation, Outcome};
use super::rows::{Change, KeySpace, Rows};
use super::session::{Backend, Failure, Session};
use super::shape::{Pair, Shape, Version};

/// How often a client that was told to stop tries to learn what became of its last write.
const SETTLE_ATTEMPTS_MAX: u32 = 20;
/// Of a hundred turns, how many are transactions of several statements, and how many of those are rolled back.
const TRANSACTIONS_PERCENT: u32 = 15;
const ROLLBACKS_PERCENT: u32 = 33;

/// What all clients share.
#[derive(Debug)]
pub(super) struct Setting {
    pub shape: Shape,
    pub options: Options,
    pub config: Config,
    pub keys: KeySpace,
    /// What a row has where its INSERT names neither column.
    pub default: Pair,
    pub meter: Arc<Meter>,
}

/// Whether the session can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connection {
    Usable,
    Lost,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) setting: Arc<Setting>,
    pub(super) version: Version,
    pub(super) number: usize,
    pub(super) rng: fastrand::Rng,
    pub(super) rows: Rows,
    pub(super) keys_used: u32,
    pub(super) values_used: u64,
    /// What was under way when a connection was lost: done or not done, the table will tell.
    pub(super) uncertain: Vec<Change>,
    /// Where it was under way.
    pub(super) lost: Option<Backend>,
}

impl Client {
    pub fn new(setting: Arc<Setting>, version: Version, number: usize, rows: Rows) -> Client {
        // Any odd multiplier: neighbouring seeds must not give one client's choices to another.
        let seed = setting
            .options
            .seed
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(number as u64);
        Client {
            setting,
            version,
            number,
            rng: fastrand::Rng::with_seed(seed),
            rows,
            keys_used: 0,
            values_used: 0,
            uncertain: Vec::new(),
            lost: None,
        }
    }

    /// Of both versions.
    pub fn clients(&self) -> u64 {
        2 * self.setting.options.clients_per_version as u64
    }

    pub fn into_rows(self) -> (usize, Rows) {
        (self.number, self.rows)
    }

    /// Works until it is told to stop, and finishes what it is doing.
    pub async fn run(
        mut self,
        session: Session,
        stop: CancellationToken,
        _running: Running,
    ) -> Client {
        self.rows.forget_written();
        let sql = session.sql();
        let mut session = Some(session);
        while !stop.is_cancelled() {
            let Some(open) = &session else {
                session = self.reconnect(&sql, &stop).await;
                continue;
            };
            let connection = match self.rng.u32(0..100) < TRANSACTIONS_PERCENT {
                true => self.transaction(open, &stop).await,
                false => self.statement(open).await,
            };
            match connection {
                Connection::Usable => self.pause(self.setting.options.pause, &stop).await,
                Connection::Lost => {
                    self.lost = Some(open.backend());
                    close(session.take()).await;
                }
            }
        }
        for _ in 0..SETTLE_ATTEMPTS_MAX {
            if self.uncertain.is_empty() || session.is_some() {
                break;
            }
            session = self.reconnect(&sql, &CancellationToken::new()).await;
        }
        close(session).await;
        self
    }

    /// A statement on its own.
    async fn statement(&mut self, session: &Session) -> Connection {
        let operation = self.choose(Within::Nothing);
        match session.send(&operation, &self.setting.meter).await {
            Ok(outcome) => {
                self.done(&operation, outcome);
                Connection::Usable
            }
            Err(failure) => {
                let connection = self.failed(&failure);
                if connection == Connection::Lost {
                    self.uncertain = operation.changes(&self.rows, self.version, 0);
                }
                connection
            }
        }
    }

    /// Several statements that are committed or rolled back together.
    async fn transaction(&mut self, session: &Session, stop: &CancellationToken) -> Connection {
        if let Err(failure) = session.control("BEGIN", &self.setting.meter).await {
            return self.failed(&failure);
        }
        let mut changes = Vec::new();
        for _ in 0..self.rng.usize(2..=4) {
            let operation = self.choose(Within::Transaction);
            match session.send(&operation, &self.setting.meter).await {
                Ok(outcome) => changes.extend(self.done(&operation, outcome)),
                Err(failure) => {
                    self.rows.revert(changes);
                    return match self.failed(&failure) {
                        Connection::Usable => self.roll_back(session).await,
                        Connection::Lost => Connection::Lost,
                    };
                }
            }
            self.pause(self.setting.options.pause, stop).await;
        }
        if self.rng.u32(0..100) < ROLLBACKS_PERCENT {
            self.rows.revert(changes);
            return self.roll_back(session).await;
        }
        let Err(failure) = session.control("COMMIT", &self.setting.meter).await else {
            return Connection::Usable;
        };
        let connection = self.failed(&failure);
        if connection == Connection::Lost {
            self.uncertain = self.net(&changes);
        }
        self.rows.revert(changes);
        connection
    }

    async fn roll_back(&self, session: &Session) -> Connection {
        match session.control("ROLLBACK", &self.setting.meter).await {
            Ok(()) => Connection::Usable,
            Err(failure) => self.failed(&failure),
        }
    }

    /// Writes into the ledger what a statement did; one whose answer cannot be right is an error and did nothing.
    fn done(&mut self, operation: &Operation, outcome: Outcome) -> Vec<Change> {
        if let Some(detail) = operation.contradiction(&self.rows, self.version, &outcome) {
            self.report(format!("{detail}: {operation:?}"));
            return Vec::new();
        }
        let inserted = match outcome {
            Outcome::Id(id) => id.unwrap_or(0),
            Outcome::Rows(_) | Outcome::Found(_) => 0,
        };
        let changes = operation.changes(&self.rows, self.version, inserted);
        for change in &changes {
            self.rows.apply(change.clone());
        }
        changes
    }

    pub(super) fn failed(&self, failure: &Failure) -> Connection {
        self.report(failure.describe());
        match failure.lost_connection() {
            true => Connection::Lost,
            false => Connection::Usable,
        }
    }

    pub(super) fn report(&self, error: String) {
        self.setting.meter.failed(format!(
            "{} version, client {}: {error}",
            self.version, self.number
        ));
    }

    pub(super) async fn pause(&self, time: Duration, stop: &CancellationToken) {
        if !time.is_zero() {
            // Either is a reason to go on.
            let _ = tokio::time::timeout(time, stop.cancelled()).await;
        }
    }
}

pub(super) async fn close(session: Option<Session>) {
    if let Some(session) = session {
        session.close().await;
    }
}

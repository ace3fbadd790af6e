//! One client: its connection, what it sends, and what it learns after the connection was lost.

use super::{
    Protocol, Release, Shared, Slot,
    statements::{parameters, read_all, send_unnamed, values_of},
};
use crate::support::{
    ledger::{Ledger, Values},
    rest,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio_postgres::{
    Client, NoTls, Row, Statement,
    error::Severity,
    types::{ToSql, Type},
};

/// So that a client's keys are nobody else's, in columns of type integer too.
const KEYS_PER_CLIENT: u64 = 1_000_000;

struct Session {
    client: Client,
    pid: i32,
    /// The deployment that it belongs to.
    number: u64,
    prepared: HashMap<&'static str, Statement>,
}

/// Why a statement has no answer.
enum Trouble {
    /// It failed, and the session is as before.
    Refused(String),
    /// The connection is gone, and nobody knows what became of it.
    Lost(String),
}

impl Trouble {
    fn of(sql: &str, error: &tokio_postgres::Error) -> Self {
        let fatal = error.as_db_error().is_none_or(|error| {
            matches!(
                error.parsed_severity(),
                Some(Severity::Fatal | Severity::Panic)
            )
        });
        let text = format!("{error:?}: {sql}");
        match fatal {
            true => Self::Lost(text),
            false => Self::Refused(text),
        }
    }
}

pub struct Worker {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
    random: fastrand::Rng,
    number: u64,
    ledger: Ledger,
    session: Option<Session>,
    /// The server's process of the connection that was lost.
    lost: Option<i32>,
    uncertain: Vec<(i64, Values)>,
    timeline: Option<String>,
}

/// One write: what is sent, and what is there afterwards.
struct Write {
    sql: &'static str,
    key: i64,
    sent: Vec<String>,
    after: Values,
}

impl Worker {
    pub fn new(shared: Arc<Shared>, slot: Arc<Slot>, number: u64, ledger: Ledger) -> Self {
        Self {
            random: fastrand::Rng::with_seed(shared.options.seed * 31 + number),
            number: (number + 1) * KEYS_PER_CLIENT,
            shared,
            slot,
            ledger,
            session: None,
            lost: None,
            uncertain: Vec::new(),
            timeline: None,
        }
    }

    pub async fn run(mut self) -> Ledger {
        let slot = self.slot.clone();
        let pause = self.shared.options.pause;
        while !self.shared.stop.load(Ordering::SeqCst) {
            let began = Instant::now();
            {
                let release = slot.release.read().await;
                if let (number, Some(release)) = *release {
                    self.turn(number, release).await;
                }
            }
            rest(began, pause).await;
        }
        // Whoever was told to stop still learns what became of its last write.
        let (number, release) = *slot.release.read().await;
        for _ in 0..600 {
            match release {
                Some(_) if !self.uncertain.is_empty() || self.lost.is_some() => {
                    self.connected(number).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => break,
            }
        }
        if !self.uncertain.is_empty() {
            self.failed(format!("never learnt of {:?}", self.uncertain));
        }
        self.ledger
    }

    fn failed(&self, what: String) {
        let mut failures = self.shared.failures.lock().expect("a list");
        if failures.len() < 50 {
            failures.push(what);
        }
    }

    fn lose(&mut self, uncertain: Vec<(i64, Values)>) {
        self.shared.connections_lost.fetch_add(1, Ordering::SeqCst);
        self.lost = self.session.take().map(|session| session.pid);
        self.uncertain = uncertain;
    }

    async fn turn(&mut self, number: u64, release: Release) {
        if !self.connected(number).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
            return;
        }
        let result = match self.random.u8(0..10) {
            0 | 1 => self.transaction(release).await,
            _ => self.statement(release).await,
        };
        match result {
            Ok(()) => _ = self.slot.operations.fetch_add(1, Ordering::SeqCst),
            Err(Trouble::Refused(why)) => self.failed(why),
            Err(Trouble::Lost(_)) => {}
        }
    }

    /// Any of its rows, or a new one.
    fn choose(&mut self, release: Release) -> Write {
        self.number += 1;
        let values = (release.values)(self.number);
        let present = self.ledger.present();
        let any = (!present.is_empty()).then(|| present[self.random.usize(..present.len())]);
        match (any, self.random.u8(0..6)) {
            (Some(key), 0..=2) => Write {
                sql: release.update,
                key,
                sent: values.clone(),
                after: Some(values),
            },
            (Some(key), 3) if present.len() > 30 && !release.delete.is_empty() => Write {
                sql: release.delete,
                key,
                sent: Vec::new(),
                after: None,
            },
            _ => Write {
                sql: release.insert,
                key: i64::try_from(self.number).expect("a small number"),
                sent: values.clone(),
                after: Some(values),
            },
        }
    }

    async fn statement(&mut self, release: Release) -> Result<(), Trouble> {
        let write = self.choose(release);
        let writes = vec![(write.key, write.after.clone())];
        match self.send(write.sql, write.key, &write.sent).await {
            Ok(_) => self.ledger.commit(&writes),
            Err(trouble) => {
                if let Trouble::Lost(_) = trouble {
                    self.lose(writes);
                }
                return Err(trouble);
            }
        }
        self.look(release, write.key).await
    }

    /// What was written is what is read.
    async fn look(&mut self, release: Release, key: i64) -> Result<(), Trouble> {
        match self.send(release.read, key, &[]).await {
            Ok(rows) if values_of(&rows).as_ref() == self.ledger.get(key) => Ok(()),
            Ok(rows) => Err(Trouble::Refused(format!(
                "row {key}: wrote {:?}, read {:?} by {}",
                self.ledger.get(key),
                values_of(&rows),
                release.read
            ))),
            Err(trouble) => {
                if let Trouble::Lost(_) = trouble {
                    self.lose(Vec::new());
                }
                Err(trouble)
            }
        }
    }

    async fn transaction(&mut self, release: Release) -> Result<(), Trouble> {
        let mut writes: Vec<(i64, Values)> = Vec::new();
        let result = self.within_transaction(release, &mut writes).await;
        match result {
            Ok(true) => self.ledger.commit(&writes),
            Ok(false) => {}
            Err((Trouble::Lost(why), committing)) => {
                self.lose(if committing { writes } else { Vec::new() });
                return Err(Trouble::Lost(why));
            }
            Err((refused, _)) => {
                if let Err(Trouble::Lost(_)) = self.control("ROLLBACK").await {
                    self.lose(Vec::new());
                }
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Whether it was committed. Of an error: whether it was already being committed.
    async fn within_transaction(
        &mut self,
        release: Release,
        writes: &mut Vec<(i64, Values)>,
    ) -> Result<bool, (Trouble, bool)> {
        let before = |trouble| (trouble, false);
        self.control("BEGIN").await.map_err(before)?;
        for _ in 0..self.random.u8(2..5) {
            let write = self.choose(release);
            // Each row once, so that nothing is written to what was deleted.
            if writes.iter().any(|(key, _)| *key == write.key) {
                continue;
            }
            let sent = self.send(write.sql, write.key, &write.sent).await;
            sent.map_err(before)?;
            writes.push((write.key, write.after));
        }
        if self.random.u8(0..3) == 0 {
            self.control("ROLLBACK").await.map_err(before)?;
            return Ok(false);
        }
        let committed = self.control("COMMIT").await;
        committed.map_err(|trouble| (trouble, true))?;
        Ok(true)
    }

    async fn control(&mut self, sql: &'static str) -> Result<(), Trouble> {
        let Some(session) = &self.session else {
            return Err(Trouble::Lost(sql.to_owned()));
        };
        let work = session.client.batch_execute(sql);
        self.timed(sql, work).await
    }

    async fn timed<T>(
        &self,
        sql: &str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Trouble> {
        let began = Instant::now();
        let answer = tokio::time::timeout(self.shared.options.patience, work).await;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.shared.longest_us.fetch_max(took, Ordering::SeqCst);
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Trouble::of(sql, &error)),
            Err(_) => Err(Trouble::Lost(format!("no answer: {sql}"))),
        }
    }

    async fn send(
        &mut self,
        sql: &'static str,
        key: i64,
        values: &[String],
    ) -> Result<Vec<Row>, Trouble> {
        let parameters = parameters(key, values);
        let protocol = self.shared.options.protocol;
        let Some(session) = &mut self.session else {
            return Err(Trouble::Lost(sql.to_owned()));
        };
        if protocol == Protocol::Prepared && !session.prepared.contains_key(sql) {
            let types = vec![Type::TEXT; parameters.len()];
            let prepared = session.client.prepare_typed(sql, &types).await;
            let prepared = prepared.map_err(|error| Trouble::of(sql, &error))?;
            session.prepared.insert(sql, prepared);
        }
        let Some(session) = &self.session else {
            return Err(Trouble::Lost(sql.to_owned()));
        };
        match session.prepared.get(sql) {
            None => {
                self.timed(sql, send_unnamed(&session.client, sql, &parameters))
                    .await
            }
            Some(statement) => {
                let texts: Vec<&(dyn ToSql + Sync)> = parameters
                    .iter()
                    .map(|(text, _)| text as &(dyn ToSql + Sync))
                    .collect();
                self.timed(sql, session.client.query(statement, &texts))
                    .await
            }
        }
    }

    /// Connects, where there is no connection, and learns what became of what was under way.
    async fn connected(&mut self, number: u64) -> bool {
        if self.session.as_ref().is_some_and(|s| s.number == number) {
            return true;
        }
        self.session = None;
        let patience = self.shared.options.patience;
        let opened = tokio::time::timeout(patience, self.open(number)).await;
        match opened {
            Ok(Ok(session)) => {
                self.session = Some(session);
                true
            }
            // The server is away, or goes away at this moment.
            Ok(Err(_)) | Err(_) => false,
        }
    }

    async fn open(&mut self, number: u64) -> Result<Session, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.shared.url, NoTls).await?;
        tokio::spawn(connection);
        let sql =
            "SELECT pg_backend_pid()::text, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";
        let rows = client.query_typed(sql, &[]).await?;
        let pid: String = rows[0].get(0);
        let timeline: String = rows[0].get(1);
        // Noted only when it has been dealt with: this attempt may be given up before.
        let before = self.timeline.as_ref();
        match before.is_some_and(|before| *before != timeline) {
            true => self.rewind(&client).await?,
            false => self.settle(&client).await?,
        }
        self.timeline = Some(timeline);
        Ok(Session {
            client,
            pid: pid.parse().unwrap_or(0),
            number,
            prepared: HashMap::new(),
        })
    }

    /// What is under way on a connection that its client has lost may still be committed: it is ended first.
    async fn settle(&mut self, client: &Client) -> Result<(), tokio_postgres::Error> {
        if let Some(pid) = self.lost {
            let sql = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE pid = $1::integer";
            for _ in 0..500 {
                let pid = (Some(pid.to_string()), Type::TEXT);
                if send_unnamed(client, sql, &[pid]).await?.is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.lost = None;
        }
        if self.uncertain.is_empty() {
            return Ok(());
        }
        let keys: Vec<i64> = self.uncertain.iter().map(|(key, _)| *key).collect();
        let found = self.read_truth(client, &keys).await?;
        let uncertain = std::mem::take(&mut self.uncertain);
        if let Err(why) = self.ledger.settle(&uncertain, &found) {
            self.failed(why);
        }
        Ok(())
    }

    /// What a release sees of a row that is not filled yet is not what is there.
    async fn read_truth(
        &self,
        client: &Client,
        keys: &[i64],
    ) -> Result<BTreeMap<i64, Values>, tokio_postgres::Error> {
        let mut found = Ok(BTreeMap::new());
        for sql in &self.shared.options.truth {
            found = read_all(client, sql, keys).await;
            if found.is_ok() {
                break;
            }
        }
        found
    }

    async fn rewind(&mut self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let mut keys = self.ledger.keys();
        keys.extend(self.uncertain.iter().map(|(key, _)| *key));
        let found = self.read_truth(client, &keys).await?;
        self.lost = None;
        let uncertain = std::mem::take(&mut self.uncertain);
        match self.ledger.rewind(&uncertain, &found) {
            Ok(lost) => {
                _ = self
                    .shared
                    .transactions_lost
                    .fetch_add(lost, Ordering::SeqCst)
            }
            Err(why) => self.failed(why),
        }
        Ok(())
    }
}

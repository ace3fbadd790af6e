//! An application with several releases in service beside each other, whose clients know what they wrote: what became of a
//! statement whose connection was lost they learn afterwards, as an application does.

mod statements;
mod worker;

use super::ledger::Ledger;
use statements::read_all;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::RwLock, task::JoinHandle};
use worker::Worker;

/// What a release sends. `$1` is a row's key, the others are its values; all are text, and all that it reads is text.
#[derive(Clone, Copy)]
pub struct Release {
    pub insert: &'static str,
    pub update: &'static str,
    /// The values of the row, or no row.
    pub read: &'static str,
    /// Nothing: rows stay.
    pub delete: &'static str,
    /// Which values are written, for a number that comes once. What every release in service shows as the same.
    pub values: fn(u64) -> Vec<String>,
}

/// How statements are sent.
#[derive(Clone, Copy, PartialEq)]
pub enum Protocol {
    Prepared,
    /// For a pooler that gives each transaction another session.
    Unnamed,
}

#[derive(Clone)]
pub struct Options {
    pub seed: u64,
    pub protocol: Protocol,
    pub clients_per_slot: usize,
    pub pause: Duration,
    /// Rows that are there, and are the clients' from now on.
    pub keys: std::ops::Range<i64>,
    /// An answer that takes longer means that the connection is dead.
    pub patience: Duration,
    /// What reads every row, whoever wrote it and whether it is filled: the first of these that the schema allows.
    pub truth: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            protocol: Protocol::Prepared,
            clients_per_slot: 2,
            // Some dozens of statements in the shortest phase. More only take the processor from what is tested.
            pause: Duration::from_millis(8),
            keys: 0..0,
            patience: Duration::from_secs(30),
            truth: Vec::new(),
        }
    }
}

/// A deployment: who finds another number than at its last connection connects again.
struct Slot {
    release: RwLock<(u64, Option<Release>)>,
    serves: AtomicBool,
    operations: AtomicU64,
}

/// What all clients share.
struct Shared {
    url: String,
    options: Options,
    stop: AtomicBool,
    failures: Mutex<Vec<String>>,
    connections_lost: AtomicU64,
    transactions_lost: AtomicU64,
    longest_us: AtomicU64,
}

pub struct Application {
    slots: Vec<Arc<Slot>>,
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Ledger>>,
}

/// What came of it.
pub struct Report {
    ledgers: Vec<Ledger>,
    /// Statements that failed, and answers that cannot be right.
    pub failures: Vec<String>,
    pub operations: u64,
    pub connections_lost: u64,
    /// Committed, and not there after another server took over.
    pub transactions_lost: u64,
    pub longest: Duration,
}

impl Report {
    /// Rows that are not as they were written last, by what this release reads.
    pub async fn differences(&self, url: &str, release: Release) -> Vec<String> {
        let client = super::connect(url).await;
        let mut differences = Vec::new();
        for ledger in &self.ledgers {
            let found = read_all(&client, release.read, &ledger.keys()).await;
            differences.extend(ledger.differences(&found.expect("the rows are read")));
        }
        differences
    }

    pub fn rows(&self) -> usize {
        self.ledgers.iter().map(|ledger| ledger.keys().len()).sum()
    }
}

impl Application {
    /// Two slots, the first of which serves this release from now on.
    pub async fn start(url: &str, release: Release, options: Options) -> Self {
        let slot = || {
            Arc::new(Slot {
                release: RwLock::default(),
                serves: AtomicBool::new(false),
                operations: AtomicU64::new(0),
            })
        };
        let slots = vec![slot(), slot()];
        let count = slots.len() * options.clients_per_slot;
        let initial: Vec<i64> = options.keys.clone().collect();
        let shared = Arc::new(Shared {
            url: url.to_owned(),
            options,
            stop: AtomicBool::new(false),
            failures: Mutex::default(),
            connections_lost: AtomicU64::new(0),
            transactions_lost: AtomicU64::new(0),
            longest_us: AtomicU64::new(0),
        });
        let reader = super::connect(url).await;
        let found = read_all(&reader, release.read, &initial)
            .await
            .expect("rows");
        let mut clients = Vec::new();
        for number in 0..count {
            let mut ledger = Ledger::default();
            for (key, values) in found.iter().skip(number).step_by(count) {
                ledger.begin_with(*key, values.clone());
            }
            let slot = slots[number / shared.options.clients_per_slot].clone();
            let worker = Worker::new(shared.clone(), slot, number as u64, ledger);
            clients.push(tokio::spawn(worker.run()));
        }
        let application = Self {
            slots,
            shared,
            clients,
        };
        application.deploy(0, Some(release)).await;
        application
    }

    /// Waits for the statements under way. The clients connect again.
    pub async fn deploy(&self, slot: usize, release: Option<Release>) {
        let mut deployed = self.slots[slot].release.write().await;
        self.slots[slot]
            .serves
            .store(release.is_some(), Ordering::SeqCst);
        *deployed = (deployed.0 + 1, release);
    }

    pub fn serves(&self, slot: usize) -> bool {
        self.slots[slot].serves.load(Ordering::SeqCst)
    }

    /// Waits until a slot in service has done so much more, for a bounded time.
    pub async fn work(&self, slot: usize, operations: u64) {
        let done = || self.slots[slot].operations.load(Ordering::SeqCst);
        let goal = done() + operations;
        for _ in 0..12_000 {
            if done() >= goal {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the application stands still: {:?}", self.failures());
    }

    pub fn failures(&self) -> Vec<String> {
        self.shared.failures.lock().expect("a list").clone()
    }

    pub async fn stop(self) -> Report {
        self.shared.stop.store(true, Ordering::SeqCst);
        let mut ledgers = Vec::new();
        for client in self.clients {
            ledgers.push(client.await.expect("a client"));
        }
        let operations = self.slots.iter();
        let shared = &self.shared;
        Report {
            ledgers,
            failures: std::mem::take(&mut *shared.failures.lock().expect("a list")),
            operations: operations
                .map(|slot| slot.operations.load(Ordering::SeqCst))
                .sum(),
            connections_lost: shared.connections_lost.load(Ordering::SeqCst),
            transactions_lost: shared.transactions_lost.load(Ordering::SeqCst),
            longest: Duration::from_micros(shared.longest_us.load(Ordering::SeqCst)),
        }
    }
}

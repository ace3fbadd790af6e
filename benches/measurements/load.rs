//! A small application: sessions that read and update single rows at a steady rate, whatever the server's answers take.

use crate::database::Bench;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tokio_postgres::Client;

const SESSIONS: u32 = 8;
/// Of all sessions together.
const OPERATIONS_PER_SECOND: u32 = 400;
/// Half of them reads; of the updates every other one writes the column that is being replaced.
const OPERATIONS: [&str; 4] = [
    "SELECT license_plate, mileage FROM vehicles WHERE id = $1",
    "UPDATE vehicles SET mileage = mileage + 1 WHERE id = $1",
    "SELECT status FROM vehicles WHERE id = $1",
    "UPDATE vehicles SET status = CASE status WHEN 'sold' THEN 'idle' ELSE 'sold' END WHERE id = $1",
];

pub struct Load {
    stop: Arc<AtomicBool>,
    sessions: Vec<JoinHandle<Felt>>,
}

/// What the application's callers felt.
#[derive(Default)]
pub struct Felt {
    pub milliseconds: Vec<f64>,
    pub errors: usize,
}

impl Load {
    pub async fn begin(bench: &Bench, database: &str, rows: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut sessions = Vec::new();
        let period = Duration::from_secs(1) * SESSIONS / OPERATIONS_PER_SECOND;
        for number in 0..SESSIONS {
            let client = bench.connect(database).await;
            let offset = period / SESSIONS * number;
            sessions.push(tokio::spawn(session(
                client,
                rows,
                period,
                offset,
                Arc::clone(&stop),
            )));
        }
        Self { stop, sessions }
    }

    pub async fn end(self) -> Felt {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Felt::default();
        for session in self.sessions {
            let felt = session.await.expect("a session ends");
            all.milliseconds.extend(felt.milliseconds);
            all.errors += felt.errors;
        }
        all
    }
}

async fn session(
    client: Client,
    rows: u64,
    period: Duration,
    offset: Duration,
    stop: Arc<AtomicBool>,
) -> Felt {
    let mut felt = Felt::default();
    let mut statements = Vec::new();
    for operation in OPERATIONS {
        statements.push(client.prepare(operation).await.expect("it is prepared"));
    }
    let mut due = Instant::now() + offset;
    for statement in statements.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // Who is late counts from when it was due: a caller waits for the one before, too. Else from when the timer,
        // which knows milliseconds only, woke it.
        let is_late = Instant::now() > due;
        sleep_until(due).await;
        let began = if is_late { due } else { Instant::now() };
        let id = fastrand::u64(1..=rows) as i64;
        match client.execute(statement, &[&id]).await {
            Ok(_) => felt.milliseconds.push(began.elapsed().as_secs_f64() * 1e3),
            Err(error) => {
                eprintln!("the application: {error:?}");
                felt.errors += 1;
            }
        }
        due += period;
    }
    felt
}

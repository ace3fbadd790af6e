//! What the application feels of a backfill: 400 reads and updates a second, beside it and without it.

use crate::{
    database::{Bench, Key},
    load::{Felt, Load},
    numbers::{REPETITIONS, middle, percentile},
    program,
};
use std::time::Duration;

/// What goes on beside the application.
enum Beside {
    Nothing,
    /// With limits other than the defaults.
    Backfill(&'static [&'static str]),
}

const IDLE: Duration = Duration::from_secs(8);

/// No signal holds it back.
const UNPACED: [&str; 12] = [
    "replica_lag=off",
    "replica_lag_bytes=off",
    "slot_wal_bytes=off",
    "slot_wal_percent=off",
    "archive_files=off",
    "archive_failing=off",
    "blocked_sessions=off",
    "oldest_transaction=off",
    "oldest_xmin=off",
    "wraparound_vacuum=off",
    "active_sessions=off",
    "dead_tuples_percent=off",
];

const WAYS: [(&str, Beside); 6] = [
    ("idle", Beside::Nothing),
    ("unpaced_1_worker", Beside::Backfill(&UNPACED)),
    ("defaults", Beside::Backfill(&[])),
    (
        "defaults_without_vacuum",
        Beside::Backfill(&["vacuum_percent=0"]),
    ),
    (
        "batches_of_200_ms",
        Beside::Backfill(&["batch_target=200ms"]),
    ),
    ("2_workers", Beside::Backfill(&["workers=2"])),
];

pub async fn measure(bench: &Bench) {
    let rows = bench.rows(2_000_000);
    bench.dual_writing("dual", Key::Bigint, rows).await;
    let mut p50: [Vec<f64>; WAYS.len()] = Default::default();
    let mut p99: [Vec<f64>; WAYS.len()] = Default::default();
    let mut worst: [f64; WAYS.len()] = [0.0; WAYS.len()];
    let mut errors = 0;
    for _ in 0..REPETITIONS {
        for (index, (_, beside)) in WAYS.iter().enumerate() {
            let felt = feel(bench, beside, rows).await;
            p50[index].push(percentile(&felt.milliseconds, 0.5));
            p99[index].push(percentile(&felt.milliseconds, 0.99));
            worst[index] = worst[index].max(percentile(&felt.milliseconds, 1.0));
            errors += felt.errors;
        }
    }
    let idle = middle(&p99[0]);
    for (index, (name, _)) in WAYS.iter().enumerate() {
        println!("application_{name}_p50_ms {:.2}", middle(&p50[index]));
        println!("application_{name}_p99_ms {:.2}", middle(&p99[index]));
        println!("application_{name}_worst_ms {:.1}", worst[index]);
        if index > 0 {
            println!(
                "application_{name}_p99_over_idle {:.2}",
                middle(&p99[index]) / idle
            );
        }
    }
    println!("application_errors {errors}");
    bench.drop("dual").await;
}

async fn feel(bench: &Bench, beside: &Beside, rows: u64) -> Felt {
    drop(bench.copy("dual", "felt").await);
    if let Beside::Backfill(limits) = beside {
        program::tune(bench, "felt", limits);
    }
    let load = Load::begin(bench, "felt", rows).await;
    match beside {
        Beside::Nothing => tokio::time::sleep(IDLE).await,
        Beside::Backfill(_) => program::ended(program::begin_backfill(bench, "felt")).await,
    }
    let felt = load.end().await;
    bench.drop("felt").await;
    felt
}

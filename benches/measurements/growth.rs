//! How much larger the table is afterwards, and how much log was written.

use crate::{
    database::{Bench, Key, number, run},
    numbers::{REPETITIONS, middle},
    program,
};

const SIZE: &str = "pg_relation_size('vehicles')";
const LOG: &str = "pg_current_wal_insert_lsn() - '0/0'::pg_lsn";

/// `None`: the single UPDATE.
const WAYS: [(&str, Option<&[&str]>); 4] = [
    ("update", None),
    ("no_vacuum", Some(&["workers=1", "vacuum_percent=0"])),
    ("vacuum_1_worker", Some(&["workers=1"])),
    ("vacuum_2_workers", Some(&["workers=2"])),
];

pub async fn measure(bench: &Bench) {
    let rows = bench.rows(2_000_000);
    bench.plain("plain", Key::Bigint, rows).await;
    bench.dual_writing("dual", Key::Bigint, rows).await;
    let mut sizes: [Vec<f64>; WAYS.len()] = Default::default();
    let mut logs: [Vec<f64>; WAYS.len()] = Default::default();
    for _ in 0..REPETITIONS {
        for (index, (_, limits)) in WAYS.iter().enumerate() {
            let (size, log) = fill(bench, *limits).await;
            sizes[index].push(size);
            logs[index].push(log);
        }
    }
    let update = middle(&logs[0]);
    for (index, (name, _)) in WAYS.iter().enumerate() {
        println!("growth_{name} {:.3}", middle(&sizes[index]));
        println!("log_mib_{name} {:.0}", middle(&logs[index]) / 1_048_576.0);
        println!(
            "log_over_update_{name} {:.3}",
            middle(&logs[index]) / update
        );
    }
    bench.drop("plain").await;
    bench.drop("dual").await;
}

/// The size as a multiple of the one before, and the bytes of log.
async fn fill(bench: &Bench, limits: Option<&[&str]>) -> (f64, f64) {
    let from = if limits.is_some() { "dual" } else { "plain" };
    let client = bench.copy(from, "filled").await;
    let size = number(&client, SIZE).await;
    if let Some(limits) = limits {
        program::tune(bench, "filled", limits);
    }
    let log = number(&client, LOG).await;
    match limits {
        Some(_) => {
            program::backfill(bench, "filled");
        }
        None => run(&client, "UPDATE vehicles SET vehicle_status = status").await,
    }
    let log = number(&client, LOG).await - log;
    let size = number(&client, SIZE).await / size;
    bench.drop("filled").await;
    (size, log)
}

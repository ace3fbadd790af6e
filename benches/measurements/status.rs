//! How fast `status` answers while a backfill goes on.

use crate::{
    database::{Bench, Key, number},
    numbers::{median, percentile},
    program,
};

const CALLS: usize = 40;

pub async fn measure(bench: &Bench) {
    let rows = bench.rows(2_000_000);
    bench.dual_writing("status", Key::Bigint, rows).await;
    let client = bench.connect("status").await;
    let mut child = program::begin_backfill(bench, "status");
    let mut calls = Vec::new();
    let walking = "SELECT count(*) FROM crossfade.walks WHERE finished_at IS NULL";
    while program::is_running(&mut child) {
        if calls.len() < CALLS && number(&client, walking).await > 0.0 {
            let arguments = ["status", "bench", "--format", "json"];
            calls.push(program::done(bench, "status", &arguments));
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    program::finished(child);
    let worst: Vec<f64> = calls.iter().map(std::time::Duration::as_secs_f64).collect();
    println!("status_calls {}", calls.len());
    println!("status_ms_median {:.1}", median(&calls) * 1e3);
    println!("status_ms_worst {:.1}", percentile(&worst, 1.0) * 1e3);
    drop(client);
    bench.drop("status").await;
}

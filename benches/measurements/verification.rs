//! Verification, against the statement that counts what differs.

use crate::{
    database::{Bench, Key, at_rest, number, run},
    numbers::{REPETITIONS, median, middle},
    program,
};
use std::time::{Duration, Instant};

const WORKERS: [(&str, &str); 2] = [("1_worker", "workers=1"), ("2_workers", "workers=2")];
/// From when the walk's first segment could be claimed to the end of the last one.
const WALKED: &str = "SELECT extract(epoch FROM finished_at - started_at) FROM crossfade.walks ORDER BY started_at DESC LIMIT 1";

pub async fn measure(bench: &Bench) {
    let rows = bench.rows(2_000_000);
    bench.dual_writing("verified", Key::Bigint, rows).await;
    program::backfill(bench, "verified");
    let client = bench.connect("verified").await;
    at_rest(&client).await;
    run(&client, "SET max_parallel_workers_per_gather = 0").await;
    let mut counts = Vec::new();
    let mut times: [Vec<Duration>; WORKERS.len()] = Default::default();
    let mut walks: [Vec<f64>; WORKERS.len()] = Default::default();
    for _ in 0..REPETITIONS * 3 {
        let began = Instant::now();
        let different =
            "SELECT count(*) FROM vehicles WHERE vehicle_status IS DISTINCT FROM status";
        assert_eq!(number(&client, different).await, 0.0);
        counts.push(began.elapsed());
        for (index, (_, limit)) in WORKERS.iter().enumerate() {
            program::tune(bench, "verified", &[limit]);
            times[index].push(program::done(bench, "verified", &["verify", "bench"]));
            walks[index].push(number(&client, WALKED).await);
        }
    }
    let count = median(&counts);
    println!("count_seconds {count:.3}");
    for (index, (name, _)) in WORKERS.iter().enumerate() {
        let (process, walk) = (median(&times[index]), middle(&walks[index]));
        println!("verify_{name}_seconds {process:.3}");
        println!("verify_{name}_walk_seconds {walk:.3}");
        println!("verify_{name}_over_count {:.3}", process / count);
        println!("verify_{name}_walk_over_count {:.3}", walk / count);
    }
    drop(client);
    bench.drop("verified").await;
}

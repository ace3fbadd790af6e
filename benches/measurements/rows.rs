//! Ten times the rows: the time, and the memory of the program.

use crate::{
    database::{Bench, Key},
    numbers::{REPETITIONS, median, middle},
    program,
};
use std::time::{Duration, Instant};

const SIZES: [(&str, u64); 2] = [("200k", 200_000), ("2m", 2_000_000)];

pub async fn measure(bench: &Bench) {
    let mut times: [Vec<Duration>; SIZES.len()] = Default::default();
    let mut memory: [Vec<f64>; SIZES.len()] = Default::default();
    for (label, rows) in SIZES {
        let name = format!("rows_{label}");
        bench
            .dual_writing(&name, Key::Bigint, bench.rows(rows))
            .await;
    }
    for _ in 0..REPETITIONS {
        for (index, (label, _)) in SIZES.iter().enumerate() {
            drop(bench.copy(&format!("rows_{label}"), "filled").await);
            let began = Instant::now();
            let mut child = program::begin_backfill(bench, "filled");
            let mut peak = 0;
            while program::is_running(&mut child) {
                peak = peak.max(program::peak_kib(child.id()));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            times[index].push(began.elapsed());
            memory[index].push(peak as f64 / 1024.0);
            program::finished(child);
            bench.drop("filled").await;
        }
    }
    for (index, (label, _)) in SIZES.iter().enumerate() {
        println!("rows_{label}_seconds {:.3}", median(&times[index]));
        println!("rows_{label}_memory_mib {:.1}", middle(&memory[index]));
        bench.drop(&format!("rows_{label}")).await;
    }
    println!(
        "rows_2m_over_200k {:.2}",
        median(&times[1]) / median(&times[0])
    );
}

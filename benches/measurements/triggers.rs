//! What the triggers cost the application's own statements: single rows, one statement after the other.

use crate::{
    database::{Bench, Key, run},
    numbers::middle,
    program,
};
use std::time::Instant;
use tokio_postgres::Client;

const ROUNDS: u32 = 15;
const STATEMENTS_PER_ROUND: u64 = 2_000;

const STATEMENTS: [(&str, &str); 3] = [
    (
        "update_of_another_column",
        "UPDATE vehicles SET mileage = mileage + 1 WHERE id = $1",
    ),
    (
        "update_of_the_column",
        "UPDATE vehicles SET status = CASE status WHEN 'sold' THEN 'idle' ELSE 'sold' END WHERE id = $1",
    ),
    (
        "insert",
        "INSERT INTO vehicles (id, license_plate, status, mileage, note) VALUES ($1::bigint + 1000000000, 'P' || $1::bigint, 'idle', 1, repeat('n', 40))",
    ),
];

/// Without triggers; while rows are still to be filled; and when all are.
const STATES: [&str; 3] = ["plain", "dual_write", "backfilled"];

pub async fn measure(bench: &Bench) {
    let rows = bench.rows(1_000_000);
    bench.plain("plain", Key::Bigint, rows).await;
    bench.dual_writing("dual_write", Key::Bigint, rows).await;
    drop(bench.copy("dual_write", "backfilled").await);
    program::backfill(bench, "backfilled");
    let mut clients = Vec::new();
    for state in STATES {
        let client = bench.connect(state).await;
        if state == "plain" {
            run(&client, "UPDATE vehicles SET vehicle_status = status").await;
        }
        // Full pages in all three: where a backfill has left room, an update is cheaper.
        run(&client, "VACUUM FULL vehicles").await;
        run(&client, "VACUUM (FREEZE, ANALYZE) vehicles").await;
        // What the disk takes to commit is the same with and without, and would hide the difference.
        run(&client, "SET synchronous_commit = off").await;
        clients.push(client);
    }
    run(&clients[0], "CHECKPOINT").await;
    for (name, statement) in STATEMENTS {
        let mut microseconds: [Vec<f64>; STATES.len()] = Default::default();
        for round in 0..ROUNDS {
            for (index, client) in clients.iter().enumerate() {
                let took = some(client, statement, round, rows).await;
                // The first round reads the pages.
                if round > 0 {
                    microseconds[index].push(took);
                }
            }
        }
        let plain = middle(&microseconds[0]);
        println!("{name}_microseconds {plain:.1}");
        for (index, state) in STATES.iter().enumerate().skip(1) {
            let ratios = microseconds[index].iter().zip(&microseconds[0]);
            let ratios: Vec<f64> = ratios.map(|(own, plain)| own / plain).collect();
            println!("{name}_{state}_over_plain {:.3}", middle(&ratios));
        }
    }
    drop(clients);
    for state in STATES {
        bench.drop(state).await;
    }
}

/// Microseconds for each statement. The same rows in every state.
async fn some(client: &Client, statement: &str, round: u32, rows: u64) -> f64 {
    let statement = client.prepare(statement).await.expect("it is prepared");
    let first = u64::from(round) * STATEMENTS_PER_ROUND;
    let began = Instant::now();
    for number in first..first + STATEMENTS_PER_ROUND {
        // Spread over the table, and no row twice: a prime that does not divide the number of rows.
        let id = (number * 7_919 % rows + 1) as i64;
        client.execute(&statement, &[&id]).await.expect("it is run");
    }
    began.elapsed().as_secs_f64() * 1e6 / STATEMENTS_PER_ROUND as f64
}

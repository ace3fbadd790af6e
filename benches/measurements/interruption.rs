//! What is done twice after a SIGKILL, and how fast a pause and a resume take effect.

use crate::{
    database::{Bench, Key, is_filled, number},
    numbers::{REPETITIONS, median, middle},
    program,
};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// Blocks done of the pass that is under way, or of the last one.
const BLOCKS_DONE: &str =
    "SELECT coalesce(sum(next_block - start_block), 0) FROM crossfade.segments";
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Sessions report what they changed with a delay of a second at most.
const COUNTERS_ARE_LATE: Duration = Duration::from_millis(1_500);

pub async fn killed(bench: &Bench) {
    let rows = bench.rows(2_000_000);
    bench.dual_writing("dual", Key::Bigint, rows).await;
    let (mut twice, mut batches) = (Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        let client = bench.copy("dual", "killed").await;
        let blocks = blocks(&client).await;
        let mut child = program::begin_backfill(bench, "killed");
        reach(&client, blocks / 2.0).await;
        child.kill().expect("it is killed");
        child.wait().expect("it is gone");
        let batch = "SELECT max(batch_blocks) FROM crossfade.walks";
        batches.push(number(&client, batch).await * rows as f64 / blocks);
        program::backfill(bench, "killed");
        is_filled(&client).await;
        tokio::time::sleep(COUNTERS_ARE_LATE).await;
        let written = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'vehicles'";
        twice.push(number(&client, written).await - rows as f64);
        drop(client);
        bench.drop("killed").await;
    }
    println!("killed_rows_written_twice {:.0}", middle(&twice));
    println!("killed_rows_of_a_batch {:.0}", middle(&batches));
    println!(
        "killed_batches_written_twice {:.2}",
        middle(&twice) / middle(&batches)
    );
    bench.drop("dual").await;
}

pub async fn paused(bench: &Bench) {
    let rows = bench.rows(2_000_000);
    bench.dual_writing("paused", Key::Bigint, rows).await;
    let client = bench.connect("paused").await;
    let blocks = blocks(&client).await;
    let mut child = program::begin_backfill(bench, "paused");
    let (mut pauses, mut resumes) = (Vec::new(), Vec::new());
    for repetition in 1..=REPETITIONS {
        reach(&client, blocks * 0.2 * repetition as f64).await;
        let began = Instant::now();
        let pause = program::spawn(
            bench,
            "paused",
            &["pause", "bench", "--reason", "measurement"],
        );
        // Nothing is written any more when the process that wrote has ended.
        let status = child.wait().expect("it ends");
        pauses.push(began.elapsed());
        assert_eq!(status.code(), Some(4), "it ends because of the pause");
        program::finished(pause);
        let done = number(&client, BLOCKS_DONE).await;
        let began = Instant::now();
        child = program::spawn(bench, "paused", &["resume", "bench"]);
        reach(&client, done + 1.0).await;
        resumes.push(began.elapsed());
    }
    println!("pause_seconds {:.3}", median(&pauses));
    println!("resume_seconds {:.3}", median(&resumes));
    program::ended(child).await;
    drop(client);
    bench.drop("paused").await;
}

async fn blocks(client: &Client) -> f64 {
    let blocks = "pg_relation_size('vehicles') / current_setting('block_size')::bigint";
    number(client, blocks).await
}

async fn reach(client: &Client, blocks: f64) {
    while number(client, BLOCKS_DONE).await < blocks {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

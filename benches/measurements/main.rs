//! What Crossfade costs, against the simplest statement that does the same in the same run. Prints `name value` lines; the
//! goals and what was measured are in README.md in the folder above.
//!
//! `cargo bench -- growth` runs the topics with that in their name; `CROSSFADE_BENCH_SCALE=0.1` takes a tenth of the rows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types
)]

mod application;
mod backfill;
mod database;
mod growth;
mod interruption;
mod keys;
mod load;
mod numbers;
mod program;
mod reshape;
mod rows;
mod status;
mod triggers;
mod verification;

use database::Bench;

/// What can be asked for by name, in the order in which it is measured.
const TOPICS: [&str; 11] = [
    "backfill",
    "keys",
    "growth",
    "rows",
    "status",
    "application",
    "verification",
    "triggers",
    "killed",
    "pause",
    "reshape",
];

fn main() {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let chosen: Vec<&str> = TOPICS
        .into_iter()
        .filter(|topic| {
            wanted.is_empty() || wanted.iter().any(|word| topic.contains(word.as_str()))
        })
        .collect();
    assert!(
        !chosen.is_empty(),
        "no such topic; there are {}",
        TOPICS.join(", ")
    );
    let bench = Bench::launch();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for topic in chosen {
            measure(&bench, topic).await;
        }
    });
    bench.stop();
}

async fn measure(bench: &Bench, topic: &str) {
    match topic {
        "backfill" => backfill::measure(bench).await,
        "keys" => keys::measure(bench).await,
        "growth" => growth::measure(bench).await,
        "rows" => rows::measure(bench).await,
        "status" => status::measure(bench).await,
        "application" => application::measure(bench).await,
        "verification" => verification::measure(bench).await,
        "triggers" => triggers::measure(bench).await,
        "killed" => interruption::killed(bench).await,
        "pause" => interruption::paused(bench).await,
        "reshape" => reshape::measure(bench).await,
        other => panic!("{other} is in the list and measured nowhere"),
    }
}

//! The time that a backfill takes, against a single UPDATE and a loop by hand.

use crate::{
    database::{Bench, Key, is_filled, run},
    numbers::{REPETITIONS, median},
    program,
};
use std::time::{Duration, Instant};

const UPDATE: &str = "UPDATE vehicles SET vehicle_status = status";

/// As it is written by hand: over the key, a thousand rows at a time.
const LOOP: &str = "
CREATE PROCEDURE by_hand() LANGUAGE plpgsql AS $$
DECLARE
    last bigint := 0;
    upto bigint;
BEGIN
    LOOP
        SELECT max(id) INTO upto FROM (SELECT id FROM vehicles WHERE id > last ORDER BY id LIMIT 1000) AS batch;
        EXIT WHEN upto IS NULL;
        UPDATE vehicles SET vehicle_status = status WHERE id > last AND id <= upto;
        last := upto;
        COMMIT;
    END LOOP;
END $$";

/// One way to fill the table.
enum Way {
    /// Without triggers.
    Update,
    /// With the triggers, which are not fired: the server locks each row before it sees that.
    UpdatePastTriggers,
    LoopPastTriggers,
    Backfill(&'static [&'static str]),
}

const WAYS: [(&str, Way); 7] = [
    ("update", Way::Update),
    ("update_past_triggers", Way::UpdatePastTriggers),
    ("loop_past_triggers", Way::LoopPastTriggers),
    (
        "backfill_1_worker",
        Way::Backfill(&["workers=1", "vacuum_percent=0"]),
    ),
    ("backfill_1_worker_vacuum", Way::Backfill(&["workers=1"])),
    (
        "backfill_2_workers",
        Way::Backfill(&["workers=2", "vacuum_percent=0"]),
    ),
    ("backfill_2_workers_vacuum", Way::Backfill(&["workers=2"])),
];

pub async fn measure(bench: &Bench) {
    let rows = bench.rows(2_000_000);
    bench.plain("plain", Key::Bigint, rows).await;
    bench.dual_writing("dual", Key::Bigint, rows).await;
    let mut times: [Vec<Duration>; WAYS.len()] = Default::default();
    for _ in 0..REPETITIONS {
        for ((_, way), times) in WAYS.iter().zip(&mut times) {
            times.push(fill(bench, way).await);
        }
    }
    println!("backfill_rows {rows}");
    let seconds = times.each_ref().map(|times| median(times));
    for ((name, way), own) in WAYS.iter().zip(seconds) {
        println!("{name}_seconds {own:.3}");
        if matches!(way, Way::Update) {
            continue;
        }
        println!("{name}_over_update {:.3}", own / seconds[0]);
        if matches!(way, Way::Backfill(_)) {
            println!("{name}_over_update_past_triggers {:.3}", own / seconds[1]);
        }
    }
    bench.drop("plain").await;
    bench.drop("dual").await;
}

async fn fill(bench: &Bench, way: &Way) -> Duration {
    let from = match way {
        Way::Update => "plain",
        Way::UpdatePastTriggers | Way::LoopPastTriggers | Way::Backfill(_) => "dual",
    };
    let client = bench.copy(from, "filled").await;
    let statement = match way {
        Way::Update => UPDATE,
        Way::UpdatePastTriggers => {
            run(&client, "SET session_replication_role = replica").await;
            UPDATE
        }
        Way::LoopPastTriggers => {
            run(&client, "SET session_replication_role = replica").await;
            run(&client, LOOP).await;
            "CALL by_hand()"
        }
        Way::Backfill(limits) => {
            program::tune(bench, "filled", limits);
            let took = program::backfill(bench, "filled");
            is_filled(&client).await;
            bench.drop("filled").await;
            return took;
        }
    };
    let began = Instant::now();
    run(&client, statement).await;
    let took = began.elapsed();
    is_filled(&client).await;
    bench.drop("filled").await;
    took
}

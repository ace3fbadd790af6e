//! The same backfill where the primary key is a random UUID, and what a single UPDATE pays for such a key.

use crate::{
    database::{Bench, Key, is_filled, run},
    numbers::{REPETITIONS, median},
    program,
};
use std::time::Instant;

pub async fn measure(bench: &Bench) {
    let rows = bench.rows(1_000_000);
    bench.dual_writing("keys_bigint", Key::Bigint, rows).await;
    bench.dual_writing("keys_uuid", Key::Uuid, rows).await;
    let (mut bigint, mut uuid) = (Vec::new(), Vec::new());
    let (mut update_bigint, mut update_uuid) = (Vec::new(), Vec::new());
    for _ in 0..REPETITIONS {
        for (from, times) in [
            ("keys_bigint", &mut update_bigint),
            ("keys_uuid", &mut update_uuid),
        ] {
            let client = bench.copy(from, "filled").await;
            run(&client, "SET session_replication_role = replica").await;
            let began = Instant::now();
            run(&client, "UPDATE vehicles SET vehicle_status = status").await;
            times.push(began.elapsed());
            bench.drop("filled").await;
        }
        for (from, times) in [("keys_bigint", &mut bigint), ("keys_uuid", &mut uuid)] {
            let client = bench.copy(from, "filled").await;
            program::tune(bench, "filled", &["workers=1"]);
            times.push(program::backfill(bench, "filled"));
            is_filled(&client).await;
            bench.drop("filled").await;
        }
    }
    let (bigint, uuid) = (median(&bigint), median(&uuid));
    println!("key_bigint_seconds {bigint:.3}");
    println!("key_uuid_seconds {uuid:.3}");
    println!("key_uuid_over_bigint {:.3}", uuid / bigint);
    let (bigint, uuid) = (median(&update_bigint), median(&update_uuid));
    println!("key_update_bigint_seconds {bigint:.3}");
    println!("key_update_uuid_seconds {uuid:.3}");
    println!("key_update_uuid_over_bigint {:.3}", uuid / bigint);
    bench.drop("keys_bigint").await;
    bench.drop("keys_uuid").await;
}

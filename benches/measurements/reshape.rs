//! The same change by reshape, another program that keeps two versions of a column in step, where it is installed: a column
//! that is computed from another, from nothing to every row filled, with triggers that go both ways.

use crate::{
    database::{Bench, Key, at_rest, number, run},
    numbers::{REPETITIONS, median},
    program,
};
use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const PLAN: &str = "
version: 1
name: bench
change:
  change_column_type: {table: public.vehicles, column: status, to: vehicle_status, type: varchar(50), forward: upper(status), backward: lower(vehicle_status)}
";

const MIGRATION: &str = r#"
[[actions]]
type = "alter_column"
table = "vehicles"
column = "status"
up = "upper(status)"
down = "lower(status)"
"#;

/// By whatever name the new column goes.
const NEW_COLUMN: &str = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'vehicles'::regclass AND attnum > 6 AND NOT attisdropped";

#[derive(Clone, Copy)]
enum Way {
    Update,
    Crossfade,
    Reshape,
}

const WAYS: [(&str, Way); 3] = [
    ("computed_update", Way::Update),
    ("computed_crossfade", Way::Crossfade),
    ("computed_reshape", Way::Reshape),
];

pub async fn measure(bench: &Bench) {
    let reshape = std::env::var("RESHAPE").unwrap_or_else(|_| "reshape".to_owned());
    if Command::new(&reshape)
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        eprintln!(
            "reshape is not installed (`cargo install reshape`, or RESHAPE=its path): not measured"
        );
        return;
    }
    let files = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("plan.yaml", PLAN), ("1_upper.toml", MIGRATION)] {
        std::fs::write(files.path().join(name), text).expect("a file is written");
    }
    let folder = files.path().to_str().expect("a path in UTF-8");
    let rows = bench.rows(200_000);
    bench.table("bare", Key::Bigint, rows).await;
    at_rest(&bench.connect("bare").await).await;
    bench.copy("bare", "planned").await;
    program::done(bench, "planned", &["init"]);
    program::done(bench, "planned", &["start", &format!("{folder}/plan.yaml")]);
    std::fs::remove_file(files.path().join("plan.yaml")).expect("only migrations are left");
    let mut times: [Vec<Duration>; WAYS.len()] = Default::default();
    for _ in 0..REPETITIONS {
        for ((_, way), times) in WAYS.iter().zip(&mut times) {
            times.push(filled(bench, *way, &reshape, folder).await);
        }
    }
    println!("computed_rows {rows}");
    let seconds = times.each_ref().map(|times| median(times));
    for ((name, _), own) in WAYS.iter().zip(seconds) {
        println!("{name}_seconds {own:.3}");
        println!("{name}_over_update {:.3}", own / seconds[0]);
    }
    for name in ["planned", "bare"] {
        bench.drop(name).await;
    }
}

/// The whole of it: the column, the triggers and the rows.
async fn filled(bench: &Bench, way: Way, reshape: &str, folder: &str) -> Duration {
    let from = match way {
        Way::Update | Way::Reshape => "bare",
        Way::Crossfade => "planned",
    };
    let client = bench.copy(from, "filled").await;
    let began = Instant::now();
    match way {
        Way::Update => {
            run(
                &client,
                "ALTER TABLE vehicles ADD vehicle_status varchar(50)",
            )
            .await;
            run(
                &client,
                "UPDATE vehicles SET vehicle_status = upper(status)",
            )
            .await;
        }
        Way::Crossfade => {
            program::backfill(bench, "filled");
        }
        Way::Reshape => {
            let child = Command::new(reshape)
                .args([
                    "migration",
                    "start",
                    "--dirs",
                    folder,
                    "--url",
                    &bench.url("filled"),
                ])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn();
            program::finished(child.expect("reshape runs"));
        }
    }
    let took = began.elapsed();
    let column = client
        .query_one(NEW_COLUMN, &[])
        .await
        .expect("one new column");
    let left = format!(
        r#"SELECT count(*) FROM vehicles WHERE "{}" IS DISTINCT FROM upper(status)"#,
        column.get::<_, &str>(0)
    );
    assert_eq!(number(&client, &left).await, 0.0, "every row is filled");
    bench.drop("filled").await;
    took
}

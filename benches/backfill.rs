//! What a backfill costs against a single UPDATE, what memory it takes, and how fast `status` answers meanwhile. Prints
//! `name value` lines; the goals and what was measured are in README.md beside this file.
//!
//! `CROSSFADE_BENCH_SCALE=0.1` takes a tenth of the rows.

use crossfade::postgres::launch::{LaunchOptions, Server};
use std::{
    io::Read,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio_postgres::{Client, NoTls};

/// As a server in production has them, but for autovacuum, which would come in the middle of one measurement and not of
/// another. The same for both sides.
const SETTINGS: [(&str, &str); 7] = [
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    ("shared_buffers", "1GB"),
    ("max_wal_size", "16GB"),
    ("checkpoint_timeout", "1h"),
    ("autovacuum", "off"),
];
const REPETITIONS: usize = 5;
const STATUS_CALLS: usize = 40;

const PLAN: &str = "
version: 1
name: bench
change:
  rename_column: {table: public.vehicles, from: status, to: vehicle_status}
";

struct Bench {
    server: Server,
    plan: tempfile::NamedTempFile,
    scale: f64,
}

fn main() {
    let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let server = Server::launch(&LaunchOptions {
        settings: settings.to_vec(),
        ..LaunchOptions::default()
    })
    .expect("a PostgreSQL");
    let plan = tempfile::Builder::new()
        .suffix(".yaml")
        .tempfile()
        .expect("a temporary file");
    std::fs::write(plan.path(), PLAN).expect("the plan is written");
    let scale = std::env::var("CROSSFADE_BENCH_SCALE")
        .ok()
        .map_or(1.0, |scale| scale.parse().expect("a number"));
    let bench = Bench {
        server,
        plan,
        scale,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        bench.against_one_update().await;
        bench.memory_and_status().await;
    });
    bench.server.stop().expect("the server stops");
}

impl Bench {
    fn rows(&self, rows: u64) -> u64 {
        (rows as f64 * self.scale) as u64
    }

    async fn connect(&self, database: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.server.url(database), NoTls)
            .await
            .expect("a connection");
        tokio::spawn(connection);
        client
    }

    /// A database of its own with the table, vacuumed as a table at rest is.
    async fn prepared(&self, name: &str, rows: u64) -> Client {
        let admin = self.connect("postgres").await;
        run(&admin, &format!("CREATE DATABASE {name}")).await;
        let client = self.connect(name).await;
        run(
            &client,
            &format!(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, license_plate varchar(20) NOT NULL, status varchar(50) NOT NULL,
                     mileage integer NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(), note text);
                 INSERT INTO vehicles SELECT i, 'P' || i, (ARRAY['active', 'idle', 'in repair', 'sold'])[1 + i % 4], i % 300000,
                     now(), repeat('n', 40) FROM generate_series(1, {rows}) AS i"
            ),
        )
        .await;
        client
    }

    async fn drop(&self, name: &str) {
        let admin = self.connect("postgres").await;
        run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }

    fn crossfade(&self, database: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crossfade"));
        command
            .args(arguments)
            .env("CROSSFADE_DATABASE_URL", self.server.url(database))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn done(&self, database: &str, arguments: &[&str]) {
        let child = self.crossfade(database, arguments).spawn();
        finished(child.expect("the program runs"));
    }

    /// With the triggers in place.
    async fn dual_writing(&self, name: &str, rows: u64) -> Client {
        let client = self.prepared(name, rows).await;
        let plan = self.plan.path().to_str().expect("a path in UTF-8");
        self.done(name, &["init"]);
        self.done(name, &["start", plan]);
        self.done(name, &["advance", "bench", "--to", "dual_write"]);
        at_rest(&client).await;
        client
    }

    async fn against_one_update(&self) {
        let rows = self.rows(1_000_000);
        let (mut update, mut past_triggers, mut backfill) = (Vec::new(), Vec::new(), Vec::new());
        for repetition in 0..REPETITIONS {
            let name = format!("update_{repetition}");
            let client = self.prepared(&name, rows).await;
            run(
                &client,
                "ALTER TABLE vehicles ADD vehicle_status varchar(50)",
            )
            .await;
            at_rest(&client).await;
            let began = Instant::now();
            run(&client, "UPDATE vehicles SET vehicle_status = status").await;
            update.push(began.elapsed());
            drop(client);
            self.drop(&name).await;

            // The server locks each row before it sees that a trigger is not to be fired: what that costs by itself.
            let name = format!("past_triggers_{repetition}");
            let client = self.dual_writing(&name, rows).await;
            run(&client, "SET session_replication_role = replica").await;
            let began = Instant::now();
            run(&client, "UPDATE vehicles SET vehicle_status = status").await;
            past_triggers.push(began.elapsed());
            drop(client);
            self.drop(&name).await;

            let name = format!("backfill_{repetition}");
            let client = self.dual_writing(&name, rows).await;
            let began = Instant::now();
            self.done(&name, &["advance", "bench", "--to", "backfill"]);
            backfill.push(began.elapsed());
            let left = client
                .query_one(
                    "SELECT count(*) FROM vehicles WHERE vehicle_status IS DISTINCT FROM status",
                    &[],
                )
                .await
                .expect("the rows are counted");
            assert_eq!(left.get::<_, i64>(0), 0, "every row is filled");
            drop(client);
            self.drop(&name).await;
            eprintln!(
                "{repetition}: update {:.2?}, past triggers {:.2?}, backfill {:.2?}",
                update[repetition], past_triggers[repetition], backfill[repetition]
            );
        }
        println!("backfill_rows {rows}");
        for (name, of) in [
            ("median", median as fn(&[Duration]) -> f64),
            ("fastest", fastest),
        ] {
            let (update, past_triggers, backfill) =
                (of(&update), of(&past_triggers), of(&backfill));
            println!("update_seconds_{name} {update:.3}");
            println!("update_past_triggers_seconds_{name} {past_triggers:.3}");
            println!("backfill_seconds_{name} {backfill:.3}");
            println!("backfill_over_update_{name} {:.3}", backfill / update);
            println!(
                "backfill_over_update_past_triggers_{name} {:.3}",
                backfill / past_triggers
            );
        }
    }

    async fn memory_and_status(&self) {
        for (label, rows) in [("100k", 100_000), ("2m", 2_000_000)] {
            let name = format!("memory_{label}");
            let client = self.dual_writing(&name, self.rows(rows)).await;
            let mut child = self
                .crossfade(&name, &["advance", "bench", "--to", "backfill"])
                .spawn()
                .expect("the program runs");
            let mut peak = 0;
            let mut status = Vec::new();
            while child.try_wait().expect("it can be waited for").is_none() {
                peak = peak.max(peak_kib(child.id()));
                if label == "2m" && status.len() < STATUS_CALLS && walking(&client).await {
                    let began = Instant::now();
                    self.done(&name, &["status", "bench", "--format", "json"]);
                    status.push(began.elapsed());
                } else {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            finished(child);
            println!("memory_mib_{label} {:.1}", peak as f64 / 1024.0);
            if label == "2m" {
                println!("status_calls {}", status.len());
                println!("status_ms_median {:.1}", median(&status) * 1e3);
                let worst = status.iter().max().expect("there was time for some");
                println!("status_ms_worst {:.1}", worst.as_secs_f64() * 1e3);
            }
            drop(client);
            self.drop(&name).await;
        }
    }
}

async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{error:?}: {sql}");
    }
}

/// Nothing is left to be written from before.
async fn at_rest(client: &Client) {
    run(client, "VACUUM (FREEZE, ANALYZE) vehicles").await;
    run(client, "CHECKPOINT").await;
}

async fn walking(client: &Client) -> bool {
    client
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM crossfade.walks WHERE finished_at IS NULL)",
            &[],
        )
        .await
        .expect("the walk can be read")
        .get(0)
}

fn finished(mut child: Child) {
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said).expect("what it said");
    }
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{said}");
}

/// The most resident memory that the process has had so far; nothing any more when it is gone.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0)
}

fn median(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// On a machine that others use too the least disturbed repetition says more than the one in the middle.
fn fastest(times: &[Duration]) -> f64 {
    times.iter().min().map_or(0.0, Duration::as_secs_f64)
}

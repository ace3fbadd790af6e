//! The server that is measured on, and the tables: each is made once, and copied for each measurement as a whole database.

use crate::program;
use crossfade_postgres::launch::{LaunchOptions, Server};
use tokio_postgres::{Client, NoTls};

/// As a server in production has them, but for autovacuum, which would come in the middle of one measurement and not of
/// another. The same for all that is compared.
const SETTINGS: [(&str, &str); 7] = [
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    ("shared_buffers", "1GB"),
    ("max_wal_size", "16GB"),
    ("checkpoint_timeout", "1h"),
    ("autovacuum", "off"),
];

const PLAN: &str = "
version: 1
name: bench
change:
  rename_column: {table: public.vehicles, from: status, to: vehicle_status}
";

pub struct Bench {
    server: Server,
    plan: tempfile::NamedTempFile,
    scale: f64,
}

/// The primary key: in the order of the rows, or in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Bigint,
    Uuid,
}

impl Bench {
    pub fn launch() -> Self {
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
        Self {
            server,
            plan,
            scale,
        }
    }

    pub fn stop(self) {
        self.server.stop().expect("the server stops");
    }

    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    pub fn rows(&self, rows: u64) -> u64 {
        (rows as f64 * self.scale) as u64
    }

    pub async fn connect(&self, database: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.server.url(database), NoTls)
            .await
            .expect("a connection");
        tokio::spawn(connection);
        client
    }

    /// A database with the table and the column to be filled, without triggers.
    pub async fn plain(&self, name: &str, key: Key, rows: u64) {
        self.table(name, key, rows).await;
        let client = self.connect(name).await;
        run(
            &client,
            "ALTER TABLE vehicles ADD vehicle_status varchar(50)",
        )
        .await;
        at_rest(&client).await;
    }

    /// A database with the table and the triggers in place.
    pub async fn dual_writing(&self, name: &str, key: Key, rows: u64) {
        self.table(name, key, rows).await;
        let plan = self.plan.path().to_str().expect("a path in UTF-8");
        program::done(self, name, &["init"]);
        program::done(self, name, &["start", plan]);
        program::done(self, name, &["advance", "bench", "--to", "dual_write"]);
        at_rest(&self.connect(name).await).await;
    }

    pub async fn table(&self, name: &str, key: Key, rows: u64) {
        let admin = self.connect("postgres").await;
        run(&admin, &format!("CREATE DATABASE {name}")).await;
        let client = self.connect(name).await;
        let (key_type, key_value) = match key {
            Key::Bigint => ("bigint", "i"),
            Key::Uuid => ("uuid", "gen_random_uuid()"),
        };
        run(
            &client,
            &format!(
                "CREATE TABLE vehicles (id {key_type} PRIMARY KEY, license_plate varchar(20) NOT NULL, status varchar(50) NOT NULL,
                     mileage integer NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(), note text);
                 INSERT INTO vehicles SELECT {key_value}, 'P' || i, (ARRAY['active', 'idle', 'in repair', 'sold'])[1 + i % 4],
                     i % 300000, now(), repeat('n', 40) FROM generate_series(1, {rows}) AS i"
            ),
        )
        .await;
    }

    /// A copy, with nothing left to be written from before.
    pub async fn copy(&self, from: &str, name: &str) -> Client {
        let admin = self.connect("postgres").await;
        run(
            &admin,
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}'"
            ),
        )
        .await;
        // Before PostgreSQL 15 there is only the one way, which later is called FILE_COPY.
        let strategy = match self.server.version() {
            (15.., _) => "STRATEGY file_copy",
            _ => "",
        };
        run(
            &admin,
            &format!("CREATE DATABASE {name} TEMPLATE {from} {strategy}"),
        )
        .await;
        run(&admin, "CHECKPOINT").await;
        self.connect(name).await
    }

    pub async fn drop(&self, name: &str) {
        let admin = self.connect("postgres").await;
        run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}

pub async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{error:?}: {sql}");
    }
}

/// A number, whatever its type.
pub async fn number(client: &Client, sql: &str) -> f64 {
    let row = client
        .query_one(&format!("SELECT ({sql})::float8"), &[])
        .await;
    row.unwrap_or_else(|error| panic!("{error:?}: {sql}"))
        .get(0)
}

/// As a table is that nobody has written to for long.
pub async fn at_rest(client: &Client) {
    run(client, "VACUUM (FREEZE, ANALYZE) vehicles").await;
    run(client, "CHECKPOINT").await;
}

pub async fn is_filled(client: &Client) {
    let left = "SELECT count(*) FROM vehicles WHERE vehicle_status IS DISTINCT FROM status";
    assert_eq!(number(client, left).await, 0.0, "every row is filled");
}

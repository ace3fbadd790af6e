//! The database goes away, or has no room: the run goes on by itself where that is safe, or pauses and says why.

use crate::support::{Database, connect, on_postgresql, plan_file};
use crossfade::postgres::launch::{LaunchOptions, Server, StopMode};
use std::process::{Command, Stdio};

const RUN: &str = "rename-status";
const TABLE: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL, pad text NOT NULL) WITH (autovacuum_enabled = off);
    ALTER TABLE vehicles ALTER pad SET STORAGE PLAIN;
    INSERT INTO vehicles SELECT i, 'status ' || i % 7, repeat('x', 3900) FROM generate_series(1, 4000) AS i;
";
const SOME_FILLED: &str = "SELECT coalesce(sum(rows_changed), 0) > 200 FROM crossfade.segments";
const LEFT: &str = "SELECT count(*) FROM vehicles WHERE vehicle_status IS DISTINCT FROM status";

fn plan() -> tempfile::NamedTempFile {
    plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n\
         settings: {{pacing: {{batch_target: 2ms, batch_rows_max: 10}}}}\n"
    ))
}

async fn in_dual_write(database: &Database) {
    database.execute(TABLE).await;
    database.crossfade(&["init"]).exits(0);
    let file = plan();
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
    database
        .crossfade(&["advance", RUN, "--to", "dual_write"])
        .exits(0);
}

/// Every row is filled, and the counters say how many were: none is counted twice.
async fn filled_and_counted(database: &Database) {
    assert_eq!(database.value(LEFT).await, "0");
    assert_eq!(database.status(RUN)["backfill"]["rows_changed"], 4000);
}

#[test]
fn sessions_that_an_administrator_ends_are_replaced_and_the_backfill_goes_on() {
    on_postgresql(async |database| {
        in_dual_write(database).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database.wait_until(SOME_FILLED).await;
        for sessions in ["%/batch", "%"] {
            database
                .execute(&format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name LIKE 'crossfade/{RUN}{sessions}'"
                ))
                .await;
            let done = database
                .value("SELECT sum(rows_changed) FROM crossfade.segments")
                .await;
            database
                .wait_until(&format!(
                    "SELECT sum(rows_changed) > {done} + 200 FROM crossfade.segments"
                ))
                .await;
        }
        let ran = driver.wait().exits(0);
        assert!(
            ran.stderr.contains("the database is away"),
            "{}",
            ran.stderr
        );
        filled_and_counted(database).await;
    });
}

#[test]
fn a_server_that_restarts_in_the_middle_is_waited_for() {
    let mut server = Server::launch(&LaunchOptions::default()).expect("a PostgreSQL");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let url = server.url("postgres");
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crossfade"));
        command
            .args(arguments)
            .env("CROSSFADE_DATABASE_URL", &url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let done = |arguments: &[&str]| {
        let output = program(arguments).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    runtime.block_on(async {
        let client = connect(&url).await;
        client.batch_execute(TABLE).await.expect("the table");
    });
    done(&["init"]);
    let file = plan();
    done(&["start", file.path().to_str().unwrap()]);
    done(&["advance", RUN, "--to", "dual_write"]);
    let driver = program(&["advance", RUN])
        .spawn()
        .expect("the program runs");
    let rows_done = || {
        runtime.block_on(async {
            let client = connect(&url).await;
            let row = client
                .query_one(
                    "SELECT coalesce(sum(rows_changed), 0)::bigint FROM crossfade.segments",
                    &[],
                )
                .await
                .expect("the counters");
            row.get::<_, i64>(0)
        })
    };
    for mode in [StopMode::Fast, StopMode::Immediate] {
        let before = rows_done();
        for _ in 0..2_000 {
            if rows_done() > before + 200 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(rows_done() > before + 200, "it goes on");
        server.restart(mode).expect("the server comes back");
    }
    let output = driver.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the database is away"), "{said}");
    runtime.block_on(async {
        let client = connect(&url).await;
        let row = client.query_one(LEFT, &[]).await.expect("the rows");
        assert_eq!(row.get::<_, i64>(0), 0);
    });
    assert_eq!(rows_counted(&url), 4000);
    server.stop().expect("the server stops");
}

fn rows_counted(url: &str) -> i64 {
    let output = Command::new(env!("CARGO_BIN_EXE_crossfade"))
        .args(["status", RUN, "--format", "json"])
        .env("CROSSFADE_DATABASE_URL", url)
        .output()
        .expect("the program runs");
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    status["backfill"]["rows_changed"]
        .as_i64()
        .expect("a count")
}

#[test]
fn a_role_out_of_connections_waits_until_there_are_some() {
    on_postgresql(async |database| {
        in_dual_write(database).await;
        let role = format!("limited_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN CONNECTION LIMIT 3; GRANT postgres TO {role}; \
                 GRANT ALL ON SCHEMA crossfade TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA crossfade TO {role}; \
                 GRANT ALL ON ALL SEQUENCES IN SCHEMA crossfade TO {role}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {role}; \
                 ALTER TABLE vehicles OWNER TO {role}"
            ))
            .await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        assert_ne!(url, database.url);
        let mut driver = database.command(&["advance", RUN]);
        driver
            .env("CROSSFADE_DATABASE_URL", url)
            .stderr(Stdio::piped());
        let driver = driver.spawn().expect("the program runs");
        database
            .wait_until("SELECT EXISTS (SELECT 1 FROM crossfade.steps WHERE state = 'failed' AND error LIKE '%too many connections%')")
            .await;
        database
            .execute(&format!("ALTER ROLE {role} CONNECTION LIMIT -1"))
            .await;
        let output = driver.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        filled_and_counted(database).await;
        database
            .execute(&format!(
                "REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"
            ))
            .await;
    });
}

#[test]
fn timeouts_that_the_database_sets_do_not_cut_a_backfill_short() {
    on_postgresql(async |database| {
        in_dual_write(database).await;
        database
            .execute(&format!(
                "ALTER DATABASE {0} SET statement_timeout = '20ms'; ALTER DATABASE {0} SET lock_timeout = '20ms'; \
                 ALTER DATABASE {0} SET idle_in_transaction_session_timeout = '20ms'",
                database.name
            ))
            .await;
        let ran = database.crossfade(&["advance", RUN]).exits(0);
        assert!(!ran.stderr.contains("away"), "{}", ran.stderr);
        database
            .execute(&format!(
                "SET statement_timeout = 0; ALTER DATABASE {} RESET ALL",
                database.name
            ))
            .await;
        filled_and_counted(database).await;
    });
}

#[test]
fn a_full_disk_pauses_the_run_with_the_reason_and_resume_goes_on() {
    on_postgresql(async |database| {
        in_dual_write(database).await;
        // The server's own SQLSTATE for it, in the middle of the table.
        database
            .execute(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
                 CREATE TRIGGER full_disk BEFORE UPDATE ON vehicles FOR EACH ROW WHEN (old.id = 2500) EXECUTE FUNCTION full_disk(); \
                 ALTER TABLE vehicles ENABLE ALWAYS TRIGGER full_disk",
            )
            .await;
        let ran = database.crossfade(&["advance", RUN]).exits(4);
        assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
        let reason = database.status(RUN)["paused"]["reason"].clone();
        assert!(
            reason
                .as_str()
                .is_some_and(|reason| reason.contains("no room left"))
        );
        database.execute("DROP FUNCTION full_disk() CASCADE").await;
        database.crossfade(&["resume", RUN]).exits(0);
        filled_and_counted(database).await;
    });
}

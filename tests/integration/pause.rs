//! Pausing and interrupting: at once, from any process, for as long as it was said, and nothing is done twice afterwards.

use crate::support::{Background, Database, Ran, on_postgresql, plan_file};
use crossfade_postgres::launch::{LaunchOptions, Server, StopMode};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

const RUN: &str = "rename-status";
const ROWS: i64 = 20_000;

/// Small batches: the backfill takes some seconds, and can be paused between any two of them.
async fn start(database: &Database) {
    database
        .execute(&format!(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL, pad text NOT NULL) WITH (autovacuum_enabled = off); \
             CREATE INDEX vehicles_status ON vehicles (status); \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7, repeat('x', 900) FROM generate_series(1, {ROWS}) AS i"
        ))
        .await;
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n\
         settings: {{pacing: {{batch_target: 5ms, batch_rows_max: 20}}}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

const STEP: &str = "step = 'fill:public.vehicles'";

/// A driver in the middle of the backfill.
async fn in_backfill(database: &Database) -> Background {
    let driver = database.spawn(&[], &["advance", RUN]);
    database
        .wait_until(&format!(
            "SELECT EXISTS (SELECT 1 FROM crossfade.segments WHERE {STEP} AND rows_changed > 200)"
        ))
        .await;
    driver
}

/// The checkpoint.
async fn next_block(database: &Database) -> i64 {
    let value = database
        .value(&format!(
            "SELECT sum(next_block) FROM crossfade.segments WHERE {STEP}"
        ))
        .await;
    value.parse().expect("a backfill has begun")
}

async fn filled(database: &Database) -> i64 {
    let value = database
        .value("SELECT count(*) FROM vehicles WHERE vehicle_status IS NOT NULL")
        .await;
    value.parse().unwrap()
}

fn until_done(database: &Database) -> Ran {
    database.crossfade(&["advance", RUN]).exits(0)
}

#[test]
fn what_is_asked_of_a_run_that_ends_at_that_moment_is_refused() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE vehicles (id bigint PRIMARY KEY, status text)")
            .await;
        let file = plan_file(&format!(
            "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n"
        ));
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        let mut client = database.client().await;
        for arguments in [
            &["pause", RUN, "--reason", "because"][..],
            &["resume", RUN],
            &["tune", RUN, "workers=2", "--reason", "because"],
            &["quarantine", "skip", RUN, "--all", "--reason", "because"],
        ] {
            let ends = client.transaction().await.unwrap();
            let changed = ends
                .batch_execute("UPDATE crossfade.runs SET state = 'completed', finished_at = now()")
                .await;
            changed.expect("completed");
            let asked = database.spawn(&[], arguments);
            database
                .wait_until(
                    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name LIKE 'crossfade %')",
                )
                .await;
            ends.commit().await.unwrap();
            let ran = asked.wait().exits(1);
            assert!(ran.stderr.contains("is completed"), "{}", ran.stderr);
            database
                .execute("UPDATE crossfade.runs SET state = 'active', finished_at = NULL")
                .await;
        }
        let recorded =
            "SELECT count(*) FROM crossfade.events WHERE kind IN ('paused', 'resumed', 'tuned')";
        assert_eq!(database.value(recorded).await, "0");
    });
}

#[test]
fn a_pause_from_another_process_takes_effect_within_a_second_and_nothing_is_written_after_it() {
    on_postgresql(async |database| {
        start(database).await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let driver = in_backfill(database).await;
        database
            .crossfade(&["pause", RUN, "--reason", "the Friday release"])
            .exits(0);
        let paused = Instant::now();
        let ran = driver.wait().exits(4);
        let took = paused.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(ran.stderr.contains("the Friday release"), "{}", ran.stderr);
        let (block, rows) = (next_block(database).await, filled(database).await);
        assert!(rows < ROWS, "it was paused too late to prove anything");

        database.crossfade(&["advance", RUN]).exits(4);
        assert_eq!(next_block(database).await, block);
        assert_eq!(filled(database).await, rows);
        let status = database.status(RUN);
        assert_eq!(status["paused"]["reason"], "the Friday release");
        assert_eq!(status["paused"]["until"], serde_json::Value::Null);
        assert_eq!(status["lease"], serde_json::Value::Null);

        database.crossfade(&["resume", RUN]).exits(0);
        assert_eq!(filled(database).await, ROWS);
        assert_eq!(database.status(RUN)["phases"][2]["state"], "completed");
    });
}

/// The checkpoint at each commit, as the database itself saw it.
const WATCH_THE_CHECKPOINT: &str = "
    CREATE TABLE public.checkpoints (n bigint GENERATED ALWAYS AS IDENTITY, pass integer, number integer, start_block bigint, block_before bigint, block_after bigint);
    CREATE FUNCTION public.note_checkpoint() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        IF new.step LIKE 'fill:%' THEN
            INSERT INTO public.checkpoints (pass, number, start_block, block_before, block_after)
                SELECT w.pass, new.number, new.start_block, old.next_block, new.next_block FROM crossfade.walks AS w WHERE w.run_id = new.run_id AND w.step = new.step;
        END IF;
        RETURN new;
    END $$;
    CREATE TRIGGER note AFTER UPDATE OF next_block ON crossfade.segments FOR EACH ROW EXECUTE FUNCTION public.note_checkpoint();
    -- The batches keep triggers out.
    ALTER TABLE crossfade.segments ENABLE ALWAYS TRIGGER note;
";

#[test]
fn a_resumed_backfill_goes_on_from_its_checkpoint_and_touches_no_row_twice() {
    on_postgresql(async |database| {
        start(database).await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        database.execute(WATCH_THE_CHECKPOINT).await;
        for _ in 0..3 {
            let at = database
                .value(&format!(
                    "SELECT coalesce(sum(rows_changed), 0) FROM crossfade.segments WHERE {STEP}"
                ))
                .await;
            let resumed = database.value("SELECT count(*) FROM crossfade.walks").await != "0";
            let driver = database.spawn(&[], &[if resumed { "resume" } else { "advance" }, RUN]);
            database
                .wait_until(&format!(
                    "SELECT EXISTS (SELECT 1 FROM crossfade.segments WHERE {STEP} AND rows_changed > {at} + 200)"
                ))
                .await;
            database
                .crossfade(&["pause", RUN, "--reason", "again"])
                .exits(0);
            driver.wait().exits(4);
        }
        database.crossfade(&["resume", RUN]).exits(0);
        let gaps = database
            .value(
                "SELECT count(*) FROM (SELECT block_before IS DISTINCT FROM lag(block_after, 1, start_block) OVER (PARTITION BY pass, number ORDER BY n) \
                 OR block_after <= block_before AS wrong FROM checkpoints) AS c WHERE wrong",
            )
            .await;
        assert_eq!(gaps, "0", "each batch begins where the one before ended");
        let status = database.status(RUN);
        assert_eq!(status["backfill"]["rows_changed"], ROWS);
        // Every row was written once more than it was inserted.
        database
            .wait_until(&format!(
                "SELECT n_tup_upd = {ROWS} FROM pg_stat_user_tables WHERE relname = 'vehicles'"
            ))
            .await;
        assert_eq!(filled(database).await, ROWS);
    });
}

#[test]
fn a_pause_ends_by_itself_when_its_time_is_over() {
    on_postgresql(async |database| {
        start(database).await;
        let ran = database
            .crossfade(&[
                "pause", RUN, "--reason", "lunch", "--for", "2s", "--format", "json",
            ])
            .exits(0);
        assert!(ran.json()["paused"]["until"].is_string());
        database.crossfade(&["advance", RUN]).exits(4);
        database
            .wait_until("SELECT paused_until < clock_timestamp() FROM crossfade.runs")
            .await;
        database.crossfade(&["advance", RUN]).exits(0);
        assert_eq!(database.status(RUN)["paused"], serde_json::Value::Null);

        let until = "2099-11-23T08:00:00Z";
        database
            .crossfade(&["pause", RUN, "--reason", "the long break", "--until", until])
            .exits(0);
        let status = database.status(RUN);
        assert_eq!(status["paused"]["until"], until);
        assert_eq!(status["waiting"][0]["kind"], "paused");
        assert_eq!(status["waiting"][0]["until"], until);
        let ran = database.crossfade(&["advance", RUN]).exits(4);
        assert!(
            ran.stderr.contains("the long break") && ran.stderr.contains("2099-11-23"),
            "{}",
            ran.stderr
        );
        database.crossfade(&["resume", RUN]).exits(0);
        database.crossfade(&["advance", RUN]).exits(0);

        for wrong in [
            &["pause", RUN, "--reason", " "][..],
            &["pause", RUN],
            &[
                "pause",
                RUN,
                "--reason",
                "x",
                "--until",
                "2001-01-01T00:00:00Z",
            ],
            &["pause", RUN, "--reason", "x", "--for", "soon"],
            &[
                "pause", RUN, "--reason", "x", "--for", "1h", "--until", until,
            ],
        ] {
            database.crossfade(wrong).exits(2);
        }
        assert_eq!(database.status(RUN)["paused"], serde_json::Value::Null);
    });
}

#[test]
fn a_detached_resume_returns_at_once_and_goes_on_by_itself() {
    on_postgresql(async |database| {
        start(database).await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let driver = in_backfill(database).await;
        database
            .crossfade(&["pause", RUN, "--reason", "x"])
            .exits(0);
        driver.wait().exits(4);
        let rows = filled(database).await;
        let ran = database.crossfade(&["resume", RUN, "--detach"]).exits(0);
        assert!(rows < ROWS && ran.stdout.contains("pid "), "{}", ran.stdout);
        database
            .wait_until("SELECT state = 'completed' FROM crossfade.phases WHERE phase = 'backfill'")
            .await;
        database
            .wait_until("SELECT holder IS NULL FROM crossfade.leases")
            .await;
        assert_eq!(filled(database).await, ROWS);
    });
}

#[test]
fn a_pause_survives_a_restart_of_the_server_with_who_why_and_until_when() {
    // A server of its own: the others' are in use.
    let mut server = Server::launch(&LaunchOptions::default()).expect("a PostgreSQL");
    let command = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_crossfade"))
            .args(arguments)
            .env("CROSSFADE_DATABASE_URL", server_url(&server))
            .output()
            .expect("the program runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let setup = std::process::Command::new(server.program("psql"))
        .args([
            "-qX",
            "-d",
            &server.url("postgres"),
            "-c",
            "CREATE TABLE vehicles (id int PRIMARY KEY, status text)",
        ])
        .output()
        .expect("psql runs");
    assert!(setup.status.success());
    command(&["init"]);
    let file = plan_file(
        "version: 1\nname: rename-status\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\n",
    );
    command(&["start", file.path().to_str().unwrap()]);
    command(&["advance", RUN]);
    command(&[
        "pause",
        RUN,
        "--reason",
        "see you on Monday",
        "--until",
        "2099-11-23T08:00:00Z",
    ]);
    let before = command(&["status", RUN, "--format", "json"]);
    for mode in [StopMode::Fast, StopMode::Immediate] {
        server.restart(mode).expect("the server comes back");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_crossfade"))
            .args(["status", RUN, "--format", "json"])
            .env("CROSSFADE_DATABASE_URL", server_url(&server))
            .output()
            .expect("the program runs");
        let after: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let before: serde_json::Value = serde_json::from_str(&before).unwrap();
        assert_eq!(after["paused"], before["paused"]);
        assert_eq!(after["paused"]["reason"], "see you on Monday");
        assert_eq!(after["paused"]["until"], "2099-11-23T08:00:00Z");
        assert!(after["paused"]["by"].as_str().unwrap().contains("postgres"));
        assert!(after["paused"]["since"].is_string());
    }
}

fn server_url(server: &Server) -> String {
    server.url("postgres")
}

#[test]
fn ctrl_c_in_a_backfill_ends_it_between_two_batches() {
    on_postgresql(async |database| {
        start(database).await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let driver = in_backfill(database).await;
        driver.signal(Signal::SIGINT);
        let interrupted = Instant::now();
        driver.wait().exits(130);
        let took = interrupted.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?}");
        let rows = filled(database).await;
        let counted = database
            .value(&format!(
                "SELECT sum(rows_changed) FROM crossfade.segments WHERE {STEP}"
            ))
            .await;
        assert_eq!(
            rows.to_string(),
            counted,
            "what is counted is what is there"
        );
        assert!(rows < ROWS, "it was interrupted too late to prove anything");
        assert_eq!(database.status(RUN)["lease"], serde_json::Value::Null);
        until_done(database);
        assert_eq!(filled(database).await, ROWS);
        assert_eq!(database.status(RUN)["backfill"]["rows_changed"], ROWS);
    });
}

/// Interrupts an index build that waits for what `old` holds, and gives how the schema was before.
async fn interrupt_an_index_build(
    database: &Database,
    transaction: &str,
) -> (tokio_postgres::Client, String) {
    start(database).await;
    database
        .crossfade(&["advance", RUN, "--to", "verify"])
        .exits(0);
    let before = database.dump_schema();
    let old = database.client().await;
    old.batch_execute(transaction).await.unwrap();
    let driver = database.spawn(&[], &["advance", RUN]);
    database
        .wait_until(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE datname = current_database() \
             AND current_locker_pid IN (SELECT pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'))",
        )
        .await;
    driver.signal(Signal::SIGINT);
    let interrupted = Instant::now();
    driver.wait().exits(130);
    let took = interrupted.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    (old, before)
}

async fn invalid_indexes(database: &Database) -> String {
    database
        .value("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        .await
}

#[test]
fn ctrl_c_while_an_index_build_waits_for_a_snapshot_leaves_nothing_of_it() {
    on_postgresql(async |database| {
        let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";
        let (old, before) = interrupt_an_index_build(database, snapshot).await;
        assert_eq!(database.dump_schema(), before);
        assert_eq!(invalid_indexes(database).await, "0");
        old.batch_execute("COMMIT").await.unwrap();
        until_done(database);
    });
}

#[test]
fn ctrl_c_while_an_index_build_waits_for_a_writer_ends_at_once_and_the_next_driver_tidies_up() {
    on_postgresql(async |database| {
        // As long as it lives no index of the table can be dropped, by nobody.
        let writer = "BEGIN; UPDATE vehicles SET pad = '' WHERE id = 1";
        let (old, before) = interrupt_an_index_build(database, writer).await;
        old.batch_execute("COMMIT").await.unwrap();
        until_done(database);
        assert_eq!(invalid_indexes(database).await, "0");
        database
            .crossfade(&["rollback", RUN, "--to", "verify", "--yes"])
            .exits(0);
        assert_eq!(database.dump_schema(), before);
    });
}

#[test]
fn status_in_a_backfill_waits_for_nobody_and_nobody_for_it() {
    on_postgresql(async |database| {
        start(database).await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        // Stopped within a batch: it holds the fence and its rows.
        let driver = database.spawn(
            &[(
                "CROSSFADE_FAILPOINT",
                "stop:fill:public.vehicles batch: in its effect#5",
            )],
            &["advance", RUN],
        );
        driver.wait_until_stopped();
        let began = Instant::now();
        let status = database.status(RUN);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(
            status["backfill"]["blocks_done"].as_i64().unwrap() > 0,
            "{status}"
        );
        let holder = format!("pid {}", driver.pid());
        assert!(
            status["lease"]["holder"]
                .as_str()
                .unwrap()
                .ends_with(&holder)
        );

        // Somebody holds every row of ours: what status would like to note can wait.
        let other = database.client().await;
        other
            .batch_execute("BEGIN; SELECT 1 FROM crossfade.runs FOR UPDATE; SELECT 1 FROM crossfade.write_sightings FOR UPDATE; UPDATE vehicles SET pad = '' WHERE id = 19000")
            .await
            .unwrap();
        let began = Instant::now();
        database.status(RUN);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?}");
        other.batch_execute("ROLLBACK").await.unwrap();

        // A status that is stopped in the middle of its work holds nothing that the driver waits for.
        driver.signal(Signal::SIGCONT);
        let watching = database.spawn(&[], &["status", RUN, "--watch"]);
        driver.wait().exits(0);
        watching.signal(Signal::SIGINT);
        watching.wait().exits(130);
        assert_eq!(filled(database).await, ROWS);
    });
}

#[test]
fn a_server_that_takes_no_writes_is_waited_for_until_somebody_interrupts() {
    on_postgresql(async |database| {
        start(database).await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let name = &database.name;
        for interrupted in [true, false] {
            let before = filled(database).await;
            let mut driver = database.spawn(&[], &["advance", RUN]);
            database
                .wait_until(&format!(
                    "SELECT count(*) > {before} + 200 FROM vehicles WHERE vehicle_status IS NOT NULL"
                ))
                .await;
            database
                .execute(&format!(
                    "ALTER DATABASE {name} SET default_transaction_read_only = on; \
                     SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name LIKE 'crossfade/%'"
                ))
                .await;
            // It tries again after half a second.
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert!(!driver.has_ended(), "it waits");
            let writable = format!(
                "BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT"
            );
            let ran = if interrupted {
                driver.signal(Signal::SIGINT);
                let ran = driver.wait().exits(130);
                database.execute(&writable).await;
                ran
            } else {
                database.execute(&writable).await;
                driver.wait().exits(0)
            };
            assert!(
                ran.stderr.contains("connect to the primary"),
                "{}",
                ran.stderr
            );
        }
        assert_eq!(filled(database).await, ROWS);
    });
}

//! Each signal holds a backfill back and lets it go, on a real server, as `status` tells it.

use crate::support::{
    Background, Database, connect, on_empty_postgresql, on_own_postgresql, on_postgresql, plan_file,
};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

const VEHICLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'active');
    INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 2000) AS i;
";

/// A run that is about to backfill, at this pace.
fn ready(database: &Database, pacing: &str) {
    database.crossfade(&["init"]).exits(0);
    let file = plan_file(&format!(
        "version: 1\nname: rename\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n\
         settings:\n  pacing: {{{pacing}}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
    database
        .crossfade(&["advance", "rename", "--to", "dual_write"])
        .exits(0);
}

fn backfill(database: &Database) -> Background {
    database.spawn(&[], &["advance", "rename"])
}

/// The backfill, as soon as all of these are among the reasons that hold it back.
fn held(database: &Database, reasons: &[&str]) -> Value {
    let began = Instant::now();
    loop {
        let found = database.status("rename")["backfill"].clone();
        let all = found["pace"]["reasons"].to_string();
        if reasons.iter().all(|reason| all.contains(reason)) {
            return found;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{reasons:?} are not among {found}"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

/// Held back, with one worker. It joins a moment after the pace is first told.
fn held_alone(database: &Database, reasons: &[&str]) -> Value {
    let began = Instant::now();
    loop {
        let found = held(database, reasons);
        if found["pace"]["workers"] == 1 {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{found}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Held back before it changed a single row.
fn stopped(database: &Database, reasons: &[&str]) {
    let found = held(database, reasons);
    assert_eq!(found["rows_changed"], 0, "{found}");
    assert_eq!(found["pace"]["delay_ms"], 500, "{found}");
}

fn finishes(database: &Database, backfill: Background) {
    backfill.wait().exits(0);
    let found = database.status("rename")["backfill"].clone();
    assert_eq!(found["rows_changed"], 2000, "{found}");
    assert_eq!(found["pace"]["reasons"], serde_json::json!([]), "{found}");
}

#[test]
fn a_query_of_the_plan_holds_a_backfill_and_status_explains_the_last_minutes() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        ready(
            database,
            "query: {sql: 'SELECT load FROM public.pace -- now', slow: 2, stop: 5}",
        );
        let running = backfill(database);
        // What is not known is not "all is well".
        stopped(
            database,
            &["query not known: relation \\\"public.pace\\\" does not exist"],
        );
        database
            .execute("CREATE TABLE pace AS SELECT 10 AS load")
            .await;
        stopped(database, &["the plan's query 10, stopped at 5"]);
        let began = Instant::now();
        let text = loop {
            let text = database.crossfade(&["status", "rename"]).exits(0).stdout;
            if text.contains("    query: ") || began.elapsed() > Duration::from_secs(20) {
                break text;
            }
            thread::sleep(Duration::from_millis(200));
        };
        assert!(
            text.contains("of these at full speed 0.0s, stopped "),
            "{text}"
        );
        assert!(text.contains("at most 0 rows/s over the last "), "{text}");
        let samples = database
            .crossfade(&["status", "rename", "--samples", "--format", "json"])
            .exits(0)
            .json();
        let samples = samples["backfill"]["samples"].as_array().unwrap().clone();
        assert!(samples.len() >= 2, "{samples:?}");
        let last = samples.last().unwrap();
        assert_eq!(
            last["reasons"][0], "the plan's query 10, stopped at 5",
            "{last}"
        );
        database
            .crossfade(&["status", "rename", "--samples"])
            .exits(2);
        database.execute("UPDATE pace SET load = 0").await;
        finishes(database, running);
        assert!(
            database.status("rename")["backfill"]
                .get("samples")
                .is_none()
        );
    });
}

/// An endpoint that gives everybody this answer: a status and a body.
fn endpoint(answer: &Arc<Mutex<(u16, &'static str)>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::clone(answer);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let request = BufReader::new(connection.try_clone().unwrap());
            let lines = request.lines().map_while(Result::ok);
            let _ = lines.take_while(|line| !line.is_empty()).count();
            let (status, body) = *answer.lock().unwrap();
            let _ = write!(
                connection,
                "HTTP/1.1 {status} so\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}/pace")
}

#[test]
fn an_http_probe_slows_and_stops_a_backfill_by_its_status_and_by_its_number() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let answer = Arc::new(Mutex::new((429, "")));
        let url = endpoint(&answer);
        ready(
            database,
            &format!(
                "batch_target: 4s, http: {{url: '{url}', value: /queue/length, slow: 5, stop: 8}}"
            ),
        );
        // So long until its first batch that what comes next is in time, however busy this machine is.
        let running = backfill(database);
        let slowed = held_alone(database, &["the plan's HTTP probe answered 429"]);
        assert_eq!(slowed["pace"]["delay_ms"], 20_000, "{slowed}");
        *answer.lock().unwrap() = (503, "");
        stopped(database, &["the plan's HTTP probe answered 503"]);
        *answer.lock().unwrap() = (200, "{\"queue\": {\"length\": 9}}");
        stopped(database, &["the plan's HTTP probe 9, stopped at 8"]);
        *answer.lock().unwrap() = (200, "{\"queue\": {\"length\": 1}}");
        finishes(database, running);
    });
}

#[test]
fn an_old_transaction_of_another_session_holds_a_backfill_until_it_ends() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        ready(
            database,
            "oldest_transaction: {slow: 50ms, stop: 100ms}, oldest_xmin: {slow: 5, stop: 20}",
        );
        // Idle in a transaction without a snapshot: in nobody's way.
        let harmless = database.client().await;
        harmless.batch_execute("BEGIN").await.unwrap();
        let report = database.client().await;
        report
            .batch_execute(
                "SET application_name = 'report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1",
            )
            .await
            .unwrap();
        database
            .execute("DO $$ BEGIN FOR i IN 1..40 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
            .await;
        let running = backfill(database);
        stopped(
            database,
            &[
                "oldest transaction ",
                ", report, idle in transaction), stopped at 100.0ms",
                "transactions since the oldest that is held ",
                "stopped at 20",
            ],
        );
        report.batch_execute("COMMIT").await.unwrap();
        finishes(database, running);
        harmless.batch_execute("COMMIT").await.unwrap();
    });
}

#[test]
fn a_session_that_waits_for_a_batch_is_seen() {
    on_postgresql(async |database| {
        // Rows that take their time, though the application's triggers are kept out.
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'active') WITH (fillfactor = 10);
                 INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 2000) AS i;
                 CREATE TABLE slow AS SELECT;
                 CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN IF EXISTS (SELECT FROM public.slow) THEN PERFORM pg_sleep(0.02); END IF; RETURN NEW; END $$;
                 CREATE TRIGGER slowly BEFORE UPDATE ON vehicles FOR EACH ROW EXECUTE FUNCTION slowly();
                 ALTER TABLE vehicles ENABLE ALWAYS TRIGGER slowly;",
            )
            .await;
        ready(database, "blocked_sessions: {slow: 10ms, stop: 10s}");
        let running = backfill(database);
        let application = database.client().await;
        let waiting = tokio::spawn(async move {
            loop {
                let _ = application
                    .batch_execute("BEGIN; LOCK TABLE public.vehicles IN SHARE MODE; COMMIT; SELECT pg_sleep(0.005)")
                    .await;
            }
        });
        held_alone(database, &["sessions waiting for us ", "(pid "]);
        waiting.abort();
        database.execute("DELETE FROM slow").await;
        finishes(database, running);
    });
}

#[test]
fn what_a_role_may_not_see_is_said_where_the_plan_asked_for_it() {
    on_empty_postgresql(async |database| {
        let role = format!("{}_owner", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role}; GRANT CREATE ON SCHEMA public TO {role};
                 SET ROLE {role}; {VEHICLES}",
                database.name
            ))
            .await;
        let url = database.url.replace("postgres@", &format!("{role}@"));
        let crossfade = |arguments: &[&str]| {
            database
                .crossfade_with(&[("CROSSFADE_DATABASE_URL", &url)], arguments)
                .exits(0)
        };
        crossfade(&["init"]);
        let file = plan_file(
            "version: 1\nname: rename\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\n\
             settings:\n  pacing: {oldest_transaction: {slow: 10m, stop: 20m}}\n",
        );
        crossfade(&["start", file.path().to_str().unwrap()]);
        crossfade(&["advance", "rename", "--to", "dual_write"]);
        let other = database.client().await;
        other.batch_execute("SELECT 1").await.unwrap();
        let running = database.spawn(&[("CROSSFADE_DATABASE_URL", &url)], &["advance", "rename"]);
        stopped(
            database,
            &[
                "oldest_transaction not known: this role may not see other roles' sessions (GRANT pg_monitor",
            ],
        );
        // The other signals of sessions are not known either, and hold nothing back: nobody asked for them.
        let reasons = held(database, &[])["pace"]["reasons"].clone();
        assert_eq!(reasons.as_array().unwrap().len(), 1, "{reasons}");
        crossfade(&[
            "tune",
            "rename",
            "oldest_transaction=off",
            "--reason",
            "nobody is there to grant it",
        ]);
        finishes(database, running);
        database
            .execute(&format!(
                "DROP SCHEMA crossfade CASCADE; DROP OWNED BY {role} CASCADE"
            ))
            .await;
        database.execute(&format!("DROP ROLE {role}")).await;
    });
}

/// A streaming standby of the server, made from a copy of its files; stopped with the value.
struct Standby {
    folder: tempfile::TempDir,
    process: Child,
}

impl Standby {
    async fn of(database: &Database) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("standby")
            .tempdir_in("/tmp")
            .unwrap();
        let data = folder.path().join("data");
        let primary = database.server().data_directory();
        let client = database.client().await;
        let (begin, end) = if database.server().version().0 >= 15 {
            ("pg_backup_start('standby', true)", "pg_backup_stop()")
        } else {
            (
                "pg_start_backup('standby', true, false)",
                "pg_stop_backup(false, false)",
            )
        };
        client.query(&format!("SELECT {begin}"), &[]).await.unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(primary)
            .arg(&data)
            .status();
        assert!(copied.unwrap().success());
        let label = client
            .query_one(&format!("SELECT labelfile FROM {end}"), &[])
            .await
            .unwrap()
            .get::<_, String>(0);
        fs::write(data.join("backup_label"), label).unwrap();
        fs::write(data.join("standby.signal"), "").unwrap();
        fs::remove_file(data.join("postmaster.pid")).unwrap();
        let owner = fs::metadata(primary).unwrap();
        for path in [
            PathBuf::new(),
            "data".into(),
            "data/backup_label".into(),
            "data/standby.signal".into(),
        ] {
            std::os::unix::fs::chown(
                folder.path().join(path),
                Some(owner.uid()),
                Some(owner.gid()),
            )
            .unwrap();
        }
        let socket = primary.parent().unwrap().display();
        let conninfo = format!(
            "host={socket} port={} user=postgres application_name=nightly",
            database.server().port()
        );
        let process = Command::new(database.server().program("postgres"))
            .arg("-D")
            .arg(&data)
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                &format!("primary_conninfo={conninfo}"),
            ])
            .args([
                "-c",
                &format!("unix_socket_directories={}", folder.path().display()),
            ])
            .args(["-c", "archive_mode=off"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .uid(owner.uid())
            .gid(owner.gid())
            .spawn()
            .unwrap();
        let standby = Self { folder, process };
        database
            .wait_until("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming' AND application_name = 'nightly'")
            .await;
        standby
    }

    async fn execute(&self, database: &Database, sql: &str) {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        let port = database.server().port();
        let url = format!("postgresql://postgres@{folder}:{port}/postgres");
        connect(&url).await.batch_execute(sql).await.unwrap();
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id().cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGQUIT);
        let _ = self.process.wait();
    }
}

const FOUR_MEGABYTES: &str = "SELECT pg_logical_emit_message(true, 'fill', repeat('x', 4000000))";

async fn archive_with(database: &Database, command: &str) {
    database
        .execute(&format!("ALTER SYSTEM SET archive_command = '{command}'"))
        .await;
    database.execute("SELECT pg_reload_conf()").await;
}

#[test]
fn a_standby_that_falls_behind_or_goes_holds_a_backfill() {
    let settings = [("wal_level", "replica"), ("max_slot_wal_keep_size", "64MB")];
    on_own_postgresql(&settings, async |first| {
        first.execute(VEHICLES).await;
        let second = first.copy().await;
        let standby = Standby::of(first).await;
        ready(
            first,
            "replica_lag: {slow: 200ms, stop: 500ms}, replica_lag_bytes: {slow: 1MB, stop: 2MB}",
        );
        standby.execute(first, "SELECT pg_wal_replay_pause()").await;
        first.execute(FOUR_MEGABYTES).await;
        let running = backfill(first);
        stopped(
            first,
            &[
                "log not replayed by a replica ",
                "(nightly), stopped at 2.0 MB",
                "replica lag ",
                "(nightly), stopped at 500.0ms",
            ],
        );
        standby
            .execute(first, "SELECT pg_wal_replay_resume()")
            .await;
        finishes(first, running);

        ready(
            &second,
            "slot_wal_bytes: {slow: 1MB, stop: 2MB}, slot_wal_percent: {slow: 2, stop: 4}",
        );
        second
            .execute("SELECT pg_create_physical_replication_slot('held', true)")
            .await;
        second.execute(FOUR_MEGABYTES).await;
        let running = backfill(&second);
        stopped(
            &second,
            &[
                "log kept by a replication slot ",
                "(held, inactive), stopped at 2.0 MB",
                "of max_slot_wal_keep_size ",
            ],
        );
        drop(standby);
        stopped(
            &second,
            &["replica_lag not known: the standby nightly is gone"],
        );
        second
            .execute("SELECT pg_drop_replication_slot('held')")
            .await;
        second
            .crossfade(&[
                "tune",
                "rename",
                "replica_lag={slow: 1s, stop: 10s, when_stale: ignore}",
                "--reason",
                "the standby was taken away for good",
            ])
            .exits(0);
        finishes(&second, running);
        second.remove().await;
    });
}

#[test]
fn the_archiver_active_sessions_and_a_vacuum_against_wraparound_hold_a_backfill() {
    let settings = [
        ("archive_mode", "on"),
        ("archive_command", "true"),
        ("autovacuum_naptime", "1s"),
    ];
    on_own_postgresql(&settings, async |first| {
        first.execute(VEHICLES).await;
        let second = first.copy().await;
        ready(
            first,
            "archive_failing: {slow: 100ms, stop: 200ms}, archive_files: {slow: 1, stop: 1}, active_sessions: {slow: 1, stop: 1}",
        );
        archive_with(first, "false").await;
        first.execute(FOUR_MEGABYTES).await;
        first.execute("SELECT pg_switch_wal()").await;
        first
            .wait_until("SELECT failed_count > 0 FROM pg_stat_archiver")
            .await;
        let report = first.client().await;
        let cancel = report.cancel_token();
        let sleeping =
            tokio::spawn(async move { report.batch_execute("SELECT pg_sleep(60)").await });
        let running = backfill(first);
        stopped(
            first,
            &[
                "the archiver has been failing for ",
                "stopped at 200.0ms",
                "log waiting for the archiver ",
                "files, stopped at 1 files",
                "active sessions 1, stopped at 1",
            ],
        );
        archive_with(first, "true").await;
        cancel.cancel_query(tokio_postgres::NoTls).await.unwrap();
        assert!(sleeping.await.unwrap().is_err(), "it was cancelled");
        finishes(first, running);

        ready(&second, "wraparound_vacuum: {slow: 10ms, stop: 20ms}");
        second
            .execute(
                "ALTER TABLE vehicles SET (autovacuum_freeze_max_age = 100000, autovacuum_vacuum_cost_delay = 100, \
                                           autovacuum_vacuum_cost_limit = 1)",
            )
            .await;
        let burning = second.client().await;
        burning
            .batch_execute("SET synchronous_commit = off")
            .await
            .unwrap();
        burning
            .batch_execute(
                "DO $$ BEGIN FOR i IN 1..101000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$",
            )
            .await
            .unwrap();
        let against_wraparound = "backend_type = 'autovacuum worker' AND query LIKE '%public.vehicles (to prevent wraparound)%'";
        second
            .wait_until(&format!(
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE {against_wraparound}"
            ))
            .await;
        let running = backfill(&second);
        stopped(
            &second,
            &[
                "autovacuum against wraparound at the table for ",
                "stopped at 20.0ms",
            ],
        );
        second
            .execute(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {against_wraparound}"
            ))
            .await;
        second
            .execute("ALTER TABLE vehicles RESET (autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit)")
            .await;
        finishes(&second, running);
        second.remove().await;
    });
}

#[test]
fn a_prepared_transaction_and_dead_rows_hold_a_backfill_until_they_are_gone() {
    on_own_postgresql(&[("max_prepared_transactions", "4")], async |first| {
        // The copy has no statistics, as after a crash of the server; only what ANALYZE has left is known of its rows.
        first.execute(VEHICLES).await;
        first.execute("ANALYZE vehicles").await;
        let second = first.copy().await;
        ready(
            first,
            "oldest_transaction: {slow: 50ms, stop: 100ms}, oldest_xmin: {slow: 5, stop: 20}",
        );
        first
            .execute("CREATE TABLE orders (id bigint); BEGIN; INSERT INTO orders VALUES (1); PREPARE TRANSACTION 'forgotten'")
            .await;
        first
            .execute("DO $$ BEGIN FOR i IN 1..40 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
            .await;
        let running = backfill(first);
        stopped(
            first,
            &[
                "oldest transaction ",
                "(prepared forgotten), stopped at 100.0ms",
                "transactions since the oldest that is held ",
                "(prepared forgotten), stopped at 20",
            ],
        );
        first.execute("ROLLBACK PREPARED 'forgotten'").await;
        finishes(first, running);
        // It holds locks too, without a session that could be named.
        first
            .execute("BEGIN; UPDATE vehicles SET status = 'sold' WHERE id = 1; PREPARE TRANSACTION 'in doubt'")
            .await;
        let going_back = first.spawn(&[], &["rollback", "rename", "--to", "expand", "--yes"]);
        first
            .wait_until(
                "SELECT EXISTS (SELECT 1 FROM crossfade.events WHERE kind = 'blocked' AND \
                 detail::jsonb -> 'blockers' @> '[{\"pid\": 0, \"state\": \"prepared\", \"query\": \"in doubt\"}]')",
            )
            .await;
        first.execute("COMMIT PREPARED 'in doubt'").await;
        let ran = going_back.wait().exits(0);
        assert!(
            ran.stderr.contains("the prepared transaction 'in doubt', "),
            "{}",
            ran.stderr
        );

        // More than the backfill makes itself, which is as many as there are rows.
        let update = "UPDATE vehicles SET status = status;";
        second
            .execute(&format!(
                "ALTER TABLE vehicles SET (autovacuum_enabled = off); BEGIN; {update} {update} {update} COMMIT"
            ))
            .await;
        ready(&second, "dead_tuples_percent: {slow: 60, stop: 70}");
        let running = backfill(&second);
        stopped(&second, &["dead rows in the table 75 %, stopped at 70 %"]);
        second.execute("VACUUM vehicles").await;
        finishes(&second, running);
        second.remove().await;
    });
}

#[test]
fn a_server_and_a_query_that_do_not_answer_any_more_count_by_when_stale() {
    on_postgresql(async |database| {
        database
            .execute(&format!(
                "{VEHICLES} CREATE TABLE pace AS SELECT 0 AS load;
                 CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
                 CREATE TRIGGER slowly BEFORE UPDATE ON vehicles FOR EACH ROW EXECUTE FUNCTION slowly();
                 ALTER TABLE vehicles ENABLE ALWAYS TRIGGER slowly;"
            ))
            .await;
        // Rows of their own blocks, so that a batch is short.
        database
            .execute("ALTER TABLE vehicles SET (fillfactor = 10)")
            .await;
        database.execute("VACUUM FULL vehicles").await;
        ready(
            database,
            "replica_lag: {slow: 1s, stop: 2s, when_stale: ignore}, oldest_xmin: {slow: 5000000, stop: 9000000, when_stale: slow}, \
             query: {sql: 'SELECT load FROM public.pace, pg_sleep(load)', slow: 100, stop: 200, when_stale: slow}",
        );
        let running = backfill(database);
        database
            .wait_until("SELECT sum(rows_changed) > 0 FROM crossfade.segments")
            .await;
        // What every look reads, and no batch.
        let hung = database.client().await;
        database.execute("UPDATE pace SET load = 60").await;
        hung.batch_execute(
            "BEGIN; LOCK TABLE pg_catalog.pg_stat_archiver IN ACCESS EXCLUSIVE MODE",
        )
        .await
        .unwrap();
        let found = held(
            database,
            &[
                "archive_failing not known: the server did not answer within 5s; stopped after 15s of that",
                "oldest_xmin not known: the server did not answer within 5s; slowed after 15s of that",
                "query not known: canceling statement due to statement timeout (SQLSTATE 57014); slowed after 15s of that",
            ],
        );
        assert!(
            !found.to_string().contains("replica_lag not known"),
            "{found}"
        );
        assert_eq!(found["pace"]["delay_ms"], 500, "{found}");
        database
            .execute("CREATE OR REPLACE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
            .await;
        let changed = "SELECT sum(rows_changed) FROM crossfade.segments";
        database
            .wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'crossfade/rename/%' AND query LIKE 'UPDATE ONLY%' AND state <> 'idle' AND datname = current_database()")
            .await;
        let before = database.value(changed).await;
        hung.batch_execute("ROLLBACK").await.unwrap();
        held(database, &["query not known"]);
        database.execute("UPDATE pace SET load = 0").await;
        finishes(database, running);
        assert!(before.parse::<i64>().unwrap() < 2000, "{before}");
    });
}

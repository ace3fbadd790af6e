//! What the new version wrote is not lost by a rollback: either it is on the old side too, or the rollback is refused, or the
//! write fails as the column is gone.

use crate::support::{Background, Database, Ran, on_postgresql, plan_file};

const TABLE: &str = "CREATE TABLE t (id integer PRIMARY KEY, a varchar(5)); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10) AS i";
const WIDER: &str = "change_column_type: {table: public.t, column: a, type: text, to: b}";
const LOST: &str = "with values that the old column cannot take";

/// A run that has come to the end of `phase`.
async fn run(database: &Database, table: &str, change: &str, phase: &str) {
    database.execute(table).await;
    let file = plan_file(&format!("version: 1\nname: back\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path of text");
    database.crossfade(&["start", path]).exits(0);
    database
        .crossfade(&["advance", "back", "--to", phase])
        .exits(0);
}

fn roll_back(database: &Database) -> Ran {
    database.crossfade(&["rollback", "back", "--yes"])
}

/// Refused, with nothing lost: the row has it still.
async fn is_refused(database: &Database, told: &str, row: &str, expected: &str) {
    let ran = roll_back(database);
    assert_ne!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(database.value(row).await, expected);
}

#[test]
fn what_a_transaction_of_the_new_version_commits_while_a_rollback_waits_for_it_is_not_lost() {
    on_postgresql(async |database| {
        run(database, TABLE, WIDER, "verify").await;
        let mut client = database.client().await;
        let transaction = client.transaction().await.expect("a transaction");
        transaction
            .batch_execute("UPDATE t SET b = 'written by the new version' WHERE id = 3")
            .await
            .expect("a write");
        let rollback = database.spawn(&[], &["rollback", "back", "--yes"]);
        let waits = "SELECT EXISTS (SELECT FROM crossfade.events WHERE kind = 'blocked')";
        database.wait_until(waits).await;
        transaction.commit().await.expect("it is committed");
        let ran = rollback.wait();
        assert_ne!(ran.code, Some(0), "{}", ran.stdout);
        assert!(ran.stderr.contains(LOST), "{}", ran.stderr);
        let row = "SELECT b FROM t WHERE id = 3";
        is_refused(database, LOST, row, "written by the new version").await;
        // Mended, it goes on from there.
        database
            .execute("UPDATE t SET b = 'short' WHERE id = 3")
            .await;
        roll_back(database).exits(0);
        assert_eq!(
            database.value("SELECT a FROM t WHERE id = 3").await,
            "short"
        );
    });
}

#[test]
fn there_is_no_moment_between_the_triggers_and_the_new_column() {
    let changes = [
        (
            WIDER,
            "kill:sync_columns:public.t: reverted",
            "UPDATE t SET b = 'new'",
        ),
        (
            "move_columns: {table: public.s, to: public.t, by: {id: t}, columns: {c: {}}}",
            "kill:sync_tables:public.s->public.t: reverted",
            "UPDATE t SET c = 'new'",
        ),
        (
            "extract_table: {table: public.t, to: public.s2, by: {t: id}, columns: {a2: a}}",
            "kill:sync_tables:public.t->public.s2: reverted",
            "UPDATE s2 SET a2 = 'new'",
        ),
    ];
    for (change, place, write) in changes {
        on_postgresql(async |database| {
            let tables =
                format!("{TABLE}; CREATE TABLE s (t integer PRIMARY KEY REFERENCES t, c text)");
            run(database, &tables, change, "backfill").await;
            let killed = [("CROSSFADE_FAILPOINT", place)];
            let ran = database.crossfade_with(&killed, &["rollback", "back", "--yes"]);
            assert_eq!(ran.code, None, "{change}: {}", ran.stderr);
            let client = database.client().await;
            let written = client.batch_execute(write).await;
            let error = written
                .expect_err(change)
                .code()
                .map(|state| state.code().to_owned());
            assert!(
                matches!(error.as_deref(), Some("42703" | "42P01")),
                "{change}: {error:?}"
            );
            roll_back(database).exits(0);
        });
    }
}

#[test]
fn a_row_in_quarantine_is_found_under_another_key() {
    on_postgresql(async |database| {
        run(database, TABLE, WIDER, "verify").await;
        database
            .execute("UPDATE t SET b = 'a value of the new version' WHERE id = 3; UPDATE t SET id = 103 WHERE id = 3")
            .await;
        let row = "SELECT b FROM t WHERE id = 103";
        is_refused(database, LOST, row, "a value of the new version").await;
    });
}

#[test]
fn a_row_in_quarantine_is_found_whose_key_is_the_column_that_changes() {
    on_postgresql(async |database| {
        let table = "CREATE TABLE t (a varchar(5) NOT NULL UNIQUE, n text); INSERT INTO t SELECT 'v' || i FROM generate_series(1, 10) AS i";
        let change =
            "change_column_type: {table: public.t, column: a, type: text, keep_name: true}";
        run(database, table, change, "retire").await;
        database
            .execute("UPDATE t SET a = 'another long value' WHERE a = 'v4'")
            .await;
        let row = "SELECT count(*) FROM t WHERE a = 'another long value'";
        is_refused(database, LOST, row, "1").await;
    });
}

#[test]
fn however_many_rows_are_in_quarantine_one_that_going_back_would_lose_is_seen() {
    on_postgresql(async |database| {
        let table = "CREATE TABLE t (id integer PRIMARY KEY, a text); \
                     INSERT INTO t SELECT i, CASE WHEN i > 1100 THEN i::text ELSE 'x' || i END FROM generate_series(1, 1200) AS i";
        let change = "change_column_type: {table: public.t, column: a, type: numeric, to: b, forward: 'a::numeric', backward: 'CASE WHEN b < 0 THEN (1 / (b - b))::text ELSE b::text END'}";
        database.execute(table).await;
        let file = plan_file(&format!(
            "version: 1\nname: back\nchange:\n  {change}\nsettings: {{quarantine_max: 5000, pacing: {{failed_batches_percent: 0}}}}\n"
        ));
        let path = file.path().to_str().expect("a path of text");
        database.crossfade(&["start", path]).exits(0);
        database
            .crossfade(&["advance", "back", "--to", "backfill"])
            .exits(0);
        database
            .execute("UPDATE t SET b = -7 WHERE id = 1150")
            .await;
        is_refused(database, LOST, "SELECT b FROM t WHERE id = 1150", "-7").await;
    });
}

#[test]
fn how_a_session_shows_values_does_not_decide_what_is_a_change_or_what_is_kept() {
    on_postgresql(async |database| {
        let table = "CREATE TABLE t (id integer PRIMARY KEY, a double precision); INSERT INTO t VALUES (1, 1)";
        let change = "rename_column: {table: public.t, from: a, to: b}";
        run(database, table, change, "verify").await;
        database
            .execute("SET extra_float_digits = 0; UPDATE t SET b = 0.1::float8 + 0.2::float8; UPDATE t SET b = 0.3")
            .await;
        assert_eq!(database.value("SELECT a = b FROM t").await, "true");
        database
            .execute("SET extra_float_digits = 0; UPDATE t SET a = 0.1::float8 + 0.2::float8")
            .await;
        assert_eq!(database.value("SELECT a = b FROM t").await, "true");
    });
    on_postgresql(async |database| {
        let change = "change_column_type: {table: public.t, column: a, type: bytea, to: b, forward: \"convert_to(a, 'UTF8')\", backward: \"convert_from(b, 'UTF8')\"}";
        run(database, TABLE, change, "verify").await;
        database
            .execute(r"SET bytea_output = escape; UPDATE t SET b = '\xff00fe' WHERE id = 3")
            .await;
        let row = "SELECT encode(b, 'hex') FROM t WHERE id = 3";
        is_refused(database, LOST, row, "ff00fe").await;
    });
}

#[test]
fn a_table_that_comes_to_inherit_stops_the_run_by_name_and_its_values_stay() {
    on_postgresql(async |database| {
        let change = "rename_column: {table: public.t, from: a, to: b}";
        run(database, TABLE, change, "dual_write").await;
        database
            .execute("CREATE TABLE t_archive () INHERITS (t); INSERT INTO t_archive (id, a) VALUES (1001, 'old')")
            .await;
        let ran = database.crossfade(&["advance", "back", "--to", "contract", "--yes"]);
        assert_ne!(ran.code, Some(0), "{}", ran.stdout);
        assert!(
            ran.stderr.contains("t_archive inherits from public.t"),
            "{}",
            ran.stderr
        );
        is_refused(
            database,
            "t_archive inherits",
            "SELECT a FROM t_archive",
            "old",
        )
        .await;
        database.execute("ALTER TABLE t_archive NO INHERIT t").await;
        database
            .crossfade(&["advance", "back", "--to", "contract", "--yes"])
            .exits(0);
        assert_eq!(database.value("SELECT a FROM t_archive").await, "old");
    });
}

#[test]
fn a_table_that_comes_to_inherit_after_the_last_look_is_seen_before_anything_is_dropped() {
    on_postgresql(async |database| {
        let change = "rename_column: {table: public.t, from: a, to: b}";
        run(database, TABLE, change, "retire").await;
        let stopped = [("CROSSFADE_FAILPOINT", "stop:contract: after the last look")];
        let driver: Background =
            database.spawn(&stopped, &["advance", "back", "--to", "contract", "--yes"]);
        driver.wait_until_stopped();
        database
            .execute("CREATE TABLE t_archive () INHERITS (t); INSERT INTO t_archive (id, a_crossfade_retired) VALUES (1001, 'old')")
            .await;
        driver.signal(nix::sys::signal::Signal::SIGCONT);
        let ran = driver.wait();
        assert_ne!(ran.code, Some(0), "{}", ran.stdout);
        let row = "SELECT a_crossfade_retired FROM t_archive";
        assert_eq!(database.value(row).await, "old");
    });
}

#[test]
fn an_insert_of_the_new_version_that_names_no_column_of_the_change_takes_the_default() {
    on_postgresql(async |database| {
        let table = "CREATE TABLE t (id integer PRIMARY KEY, a text NOT NULL DEFAULT 'x')";
        let change = "rename_column: {table: public.t, from: a, to: b}";
        run(database, table, change, "verify").await;
        database
            .execute("SET crossfade.writer = 'new'; INSERT INTO t (id) VALUES (1)")
            .await;
        assert_eq!(database.value("SELECT a || b FROM t").await, "xx");
    });
}

#[test]
fn a_rollback_that_is_under_way_is_led_further_back_and_not_nearer() {
    on_postgresql(async |database| {
        run(database, TABLE, WIDER, "retire").await;
        let killed = [(
            "CROSSFADE_FAILPOINT",
            "kill:phase retire reverted: after its record",
        )];
        let to = |phase: &'static str| ["rollback", "back", "--to", phase, "--yes"];
        let ran = database.crossfade_with(&killed, &to("verify"));
        assert_eq!(ran.code, None, "{}", ran.stderr);

        let under_way = "`crossfade rollback back --to verify` continues it";
        let refused = database.crossfade(&to("switch_reads")).exits(1);
        assert!(refused.stderr.contains(under_way), "{}", refused.stderr);
        let preview = database
            .crossfade(&["advance", "back", "--dry-run"])
            .exits(3);
        let held = "would not continue: a rollback to where verify had ended has begun";
        assert!(preview.stdout.contains(held), "{}", preview.stdout);
        let status = database.status("back");
        let waits = status["waiting"][0]["detail"].as_str().expect("a reason");
        assert!(waits.contains(under_way), "{waits}");
        let phases = status["phases"].as_array().expect("phases");
        assert_eq!(
            phases
                .iter()
                .find(|one| one["phase"] == "switch_reads")
                .expect("it")["state"],
            "completed"
        );

        roll_back(database).exits(0);
        assert_eq!(database.status("back")["state"], "rolled_back");
        let columns =
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'";
        assert_eq!(database.value(columns).await, "0");
    });
}

#[test]
fn a_rollback_ends_the_pause_of_its_run_and_that_of_all_runs_for_its_own() {
    for pause in [
        ["pause", "back", "--reason", "a lagging replica"],
        ["pause", "--all", "--reason", "a lagging replica"],
    ] {
        on_postgresql(async |database| {
            run(database, TABLE, WIDER, "dual_write").await;
            database.crossfade(&pause).exits(0);
            let preview = database
                .crossfade(&["advance", "back", "--dry-run"])
                .exits(4);
            assert!(
                preview.stdout.contains("would not continue: paused by"),
                "{}",
                preview.stdout
            );
            let ran = roll_back(database).exits(0);
            assert!(ran.stderr.contains("a lagging replica"), "{}", ran.stderr);
            assert_eq!(database.status("back")["state"], "rolled_back");
            let why =
                "SELECT detail::jsonb ->> 'reason' FROM crossfade.events WHERE kind = 'resumed'";
            assert_eq!(database.value(why).await, "a rollback to the start");
        });
    }
}

#[test]
fn what_hangs_on_the_new_side_is_named_before_anything_is_taken_back() {
    let changes = [
        (
            WIDER,
            "CREATE VIEW words AS SELECT b FROM t; CREATE STATISTICS together ON id, b FROM t",
            vec!["view public.words", "statistics object public.together"],
        ),
        (
            "extract_table: {table: public.t, to: public.s2, by: {t: id}, columns: {a2: a}}",
            "CREATE VIEW words AS SELECT a2 FROM s2",
            vec!["view public.words"],
        ),
    ];
    for (change, hangs, named) in changes {
        on_postgresql(async |database| {
            run(database, TABLE, change, "verify").await;
            database.execute(hangs).await;
            let before = database.dump_schema();
            let mut refused = vec![roll_back(database)];
            if change == WIDER {
                let to_expand = ["rollback", "back", "--to", "expand", "--yes"];
                refused.push(database.crossfade(&to_expand));
            }
            for refused in refused {
                let told = refused.exits(1).stderr;
                for name in &named {
                    assert!(told.contains(name), "{name}: {told}");
                }
            }
            assert_eq!(database.dump_schema(), before);
            assert_eq!(database.status("back")["waiting"][0]["kind"], "operator");
            database
                .execute("DROP VIEW words; DROP STATISTICS IF EXISTS together")
                .await;
            roll_back(database).exits(0);
        });
    }
}

#[test]
fn what_hangs_on_a_column_that_is_not_the_runs_keeps_nobody_from_going_back() {
    on_postgresql(async |database| {
        database.execute(TABLE).await;
        let file = plan_file(
            "version: 1\nname: back\nchange:\n  add_column: {table: public.t, column: color, type: text}\n",
        );
        let path = file.path().to_str().expect("a path of text");
        database.crossfade(&["start", path]).exits(0);
        database
            .execute("ALTER TABLE t ADD color integer; CREATE VIEW colors AS SELECT color FROM t")
            .await;
        let before = database.dump_schema();
        database.crossfade(&["advance", "back"]).exits(1);
        roll_back(database).exits(0);
        assert_eq!(database.dump_schema(), before);
    });
}

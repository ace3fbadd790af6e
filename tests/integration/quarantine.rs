//! What operators do about rows that do not convert: look, mend, try again, accept; and pauses of all runs at once.

use crate::support::{Database, on_postgresql, plan_file};
use serde_json::{Value, json};

/// Only what `to_mileage` takes converts; three rows do not.
const GARAGE: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, mileage text NOT NULL, updated_at integer NOT NULL DEFAULT 0);
    INSERT INTO vehicles SELECT i, i::text FROM generate_series(1, 500) AS i;
    UPDATE vehicles SET mileage = '12 km' WHERE id = 7;
    UPDATE vehicles SET mileage = 'unknown' WHERE id = 8;
    UPDATE vehicles SET mileage = 'secret' WHERE id = 9;
    CREATE FUNCTION to_mileage(text) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT $1::bigint';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := NEW.updated_at + 1; RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON vehicles FOR EACH ROW EXECUTE FUNCTION touch();
";

const PLAN: &str = "
version: 1
name: mileage
change:
  change_column_type: {table: public.vehicles, column: mileage, to: distance, type: bigint, forward: public.to_mileage(mileage)}
";

fn begin(database: &Database) {
    begin_with(database, PLAN, "backfill");
}

/// A run of the plan, whose name is `mileage`, to the end of that phase.
fn begin_with(database: &Database, plan: &str, phase: &str) {
    let plan = plan_file(plan);
    database
        .crossfade(&["start", plan.path().to_str().unwrap()])
        .exits(0);
    advance(database, phase);
}

fn advance(database: &Database, phase: &str) {
    database
        .crossfade(&["advance", "mileage", "--to", phase])
        .exits(0);
}

fn listed(database: &Database, more: &[&str]) -> Value {
    let arguments = [&["quarantine", "list", "mileage", "--format", "json"], more].concat();
    database.crossfade(&arguments).exits(0).json()
}

fn id_of(list: &Value, key: i64) -> String {
    let entries = list["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["key"]["id"] == key);
    entry.unwrap_or_else(|| panic!("{list}"))["id"].to_string()
}

#[test]
fn rows_are_shown_mended_tried_again_and_accepted() {
    on_postgresql(async |database| {
        database.execute(GARAGE).await;
        begin(database);
        let list = listed(database, &[]);
        assert_eq!(
            (&list["holding"], &list["accepted"]),
            (&json!(3), &json!(0))
        );
        assert_eq!(list["entries"][0]["column"], "distance");
        assert!(
            !list.to_string().contains("secret"),
            "values are not shown: {list}"
        );
        let text = database
            .crossfade(&["quarantine", "list", "mileage"])
            .exits(0)
            .stdout;
        assert!(
            text.contains("3 rows keep the gates closed") && !text.contains("secret"),
            "{text}"
        );
        assert!(
            listed(database, &["--values"])
                .to_string()
                .contains("secret")
        );
        let some = database
            .crossfade(&["quarantine", "list", "mileage", "--limit", "1"])
            .exits(0);
        assert!(some.stdout.contains("2 more; --limit"), "{}", some.stdout);

        // Nothing has changed: they fail as before, and that is said.
        let again = database
            .crossfade(&["quarantine", "retry", "mileage", "--format", "json"])
            .exits(1)
            .json();
        assert_eq!(again["failed"].as_array().unwrap().len(), 3, "{again}");
        // The message has the value in it.
        assert!(!again.to_string().contains("secret"), "{again}");
        // One row is mended by hand, the function learns of another.
        let touched = database.value("SELECT sum(updated_at) FROM vehicles").await;
        database
            .execute(
                "SET session_replication_role = replica; UPDATE vehicles SET mileage = '8', distance = 8 WHERE id = 8; RESET session_replication_role;
                 CREATE OR REPLACE FUNCTION to_mileage(text) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT replace($1, '' km'', '''')::bigint'",
            )
            .await;
        let ids: Vec<String> = [7, 9].iter().map(|key| id_of(&list, *key)).collect();
        let again = database
            .crossfade(&[
                "quarantine",
                "retry",
                "mileage",
                "--id",
                &ids[0],
                &ids[1],
                "--values",
                "--format",
                "json",
            ])
            .exits(1)
            .json();
        assert_eq!(
            again["converted"].to_string(),
            format!("[{}]", ids[0]),
            "{again}"
        );
        assert!(
            again["failed"][0]["error"]
                .as_str()
                .unwrap()
                .contains("secret"),
            "{again}"
        );
        assert_eq!(
            database
                .value("SELECT distance FROM vehicles WHERE id = 7")
                .await,
            "12"
        );
        assert_eq!(
            database.value("SELECT sum(updated_at) FROM vehicles").await,
            touched
        );
        let list = listed(database, &[]);
        assert_eq!(
            list["holding"], 1,
            "the one that was mended by hand is gone: {list}"
        );

        // The last one may stay as it is: verification knows of it, and of any other difference.
        database
            .crossfade(&["advance", "mileage", "--to", "verify"])
            .exits(3);
        database
            .crossfade(&[
                "quarantine",
                "skip",
                "mileage",
                "--id",
                &ids[1],
                "--reason",
                "sold in 1998",
            ])
            .exits(0);
        database
            .crossfade(&["advance", "mileage", "--to", "switch_reads"])
            .exits(0);
        let found = database
            .crossfade(&["verify", "mileage", "--format", "json"])
            .exits(0)
            .json();
        assert_eq!(
            (
                &found["rows_different"],
                &found["steps"][0]["rows_accepted"]
            ),
            (&json!(0), &json!(1)),
            "{found}"
        );
        assert_eq!(
            database.status("mileage")["verification"]["rows_accepted"],
            1
        );
        database
            .execute("SET session_replication_role = replica; UPDATE vehicles SET distance = 1 WHERE id = 100")
            .await;
        let found = database
            .crossfade(&["verify", "mileage", "--format", "json"])
            .exits(5)
            .json();
        assert_eq!(found["steps"][0]["rows_accepted"], 1, "{found}");
        assert_eq!(
            found["steps"][0]["examples"].as_array().unwrap().len(),
            1,
            "{found}"
        );
        database
            .execute("SET session_replication_role = replica; UPDATE vehicles SET distance = 100 WHERE id = 100")
            .await;

        let history = database
            .crossfade(&["history", "mileage", "--verify", "--format", "json"])
            .exits(0)
            .stdout;
        assert!(
            history.contains("quarantine accepted") && history.contains("sold in 1998"),
            "{history}"
        );
        // Another value of the row is another row in quarantine.
        database
            .execute("UPDATE vehicles SET mileage = 'much' WHERE id = 9")
            .await;
        let list = listed(database, &[]);
        assert_eq!(list["holding"], 1, "{list}");
        database
            .crossfade(&[
                "quarantine",
                "skip",
                "mileage",
                "--all",
                "--reason",
                "still sold",
            ])
            .exits(0);
        database
            .execute("UPDATE vehicles SET distance = 0 WHERE id = 9")
            .await;
        database
            .crossfade(&["advance", "mileage", "--to", "contract", "--yes"])
            .exits(0);
    });
}

#[test]
fn what_cannot_be_accepted_or_tried_is_told() {
    on_postgresql(async |database| {
        database.execute(GARAGE).await;
        begin(database);
        for (arguments, code, said) in [
            (
                &["quarantine", "skip", "mileage", "--all"][..],
                2,
                "--reason",
            ),
            (
                &["quarantine", "skip", "mileage", "--reason", "x"],
                2,
                "--id <N>...|--all",
            ),
            (
                &[
                    "quarantine",
                    "skip",
                    "mileage",
                    "--all",
                    "--id",
                    "1",
                    "--reason",
                    "x",
                ],
                2,
                "cannot be used with",
            ),
            (
                &["quarantine", "skip", "mileage", "--all", "--reason", " "],
                2,
                "say why",
            ),
            (
                &[
                    "quarantine",
                    "skip",
                    "mileage",
                    "--id",
                    "999",
                    "--reason",
                    "x",
                ],
                1,
                "no row of mileage is in quarantine under 999",
            ),
            (
                &["quarantine", "retry", "mileage", "--id", "999"],
                1,
                "under 999",
            ),
            (
                &["quarantine", "list", "nothing"],
                1,
                "there is no run named nothing",
            ),
        ] {
            let ran = database.crossfade(arguments).exits(code);
            assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
        }
        assert_eq!(listed(database, &[])["accepted"], 0);
        // What was accepted stands in no one's way back.
        database
            .crossfade(&["quarantine", "skip", "mileage", "--all", "--reason", "x"])
            .exits(0);
        database
            .crossfade(&["rollback", "mileage", "--yes"])
            .exits(0);
    });
}

#[test]
fn all_runs_are_paused_at_once_and_those_that_were_paused_before_stay_so() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE a (id bigint PRIMARY KEY, x text); CREATE TABLE b (id bigint PRIMARY KEY, x text); CREATE TABLE c (id bigint PRIMARY KEY, x text)")
            .await;
        for name in ["a", "b", "c"] {
            let plan = plan_file(&format!(
                "version: 1\nname: {name}\nchange:\n  rename_column: {{table: public.{name}, from: x, to: y}}\n"
            ));
            database
                .crossfade(&["start", plan.path().to_str().unwrap()])
                .exits(0);
        }
        database.crossfade(&["rollback", "c", "--yes"]).exits(0);
        database
            .crossfade(&["pause", "a", "--reason", "its own"])
            .exits(0);
        let paused = database
            .crossfade(&[
                "pause",
                "--all",
                "--reason",
                "the release",
                "--format",
                "json",
            ])
            .exits(0)
            .json();
        assert_eq!(paused["runs"].as_array().unwrap().len(), 2, "{paused}");
        assert_eq!(
            (&paused["runs"][0]["paused"], &paused["runs"][1]["paused"]),
            (&json!(false), &json!(true))
        );
        assert_eq!(database.status("a")["paused"]["reason"], "its own");
        assert_eq!(database.status("b")["paused"]["reason"], "the release");
        database.crossfade(&["advance", "b"]).exits(4);

        database.crossfade(&["resume", "--all"]).exits(2);
        database
            .crossfade(&["pause", "--reason", "which?"])
            .exits(2);
        database
            .crossfade(&["pause", "a", "--all", "--reason", "which?"])
            .exits(2);
        let resumed = database
            .crossfade(&["resume", "--all", "--detach"])
            .exits(0);
        assert!(
            resumed.stdout.contains("a: stays paused by ") && resumed.stdout.contains("b: resumed"),
            "{}",
            resumed.stdout
        );
        assert_eq!(database.status("a")["paused"]["reason"], "its own");
        assert_eq!(database.status("b")["paused"], Value::Null);
        database.crossfade(&["advance", "b"]).exits(0);
    });
}

#[test]
fn a_row_that_is_tried_again_is_held_by_the_foreign_key_that_there_is_by_now() {
    on_postgresql(async |database| {
        let of = |two: &str| {
            format!(
                "CREATE OR REPLACE FUNCTION depot_of(old integer) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS \
                 $$ BEGIN IF old = 2 THEN {two}; END IF; RETURN old; END $$;"
            )
        };
        database
            .execute(&format!(
                "CREATE TABLE depots (id integer PRIMARY KEY); INSERT INTO depots VALUES (1), (2); \
                 CREATE TABLE trips (id bigint PRIMARY KEY, depot integer REFERENCES depots (id)); \
                 INSERT INTO trips SELECT i, 1 FROM generate_series(1, 10) AS i; {}",
                of("RAISE 'not known yet'")
            ))
            .await;
        let file = plan_file(
            "version: 1\nname: depots\nchange:\n  change_column_type: {table: public.trips, column: depot, to: depot_id, type: bigint, \
             forward: public.depot_of(depot), backward: depot_id::integer}\n",
        );
        let path = file.path().to_str().unwrap();
        database.crossfade(&["start", path]).exits(0);
        database
            .crossfade(&["advance", "depots", "--to", "retire"])
            .exits(0);
        database
            .execute("UPDATE trips SET depot_crossfade_retired = 2 WHERE id = 3")
            .await;
        let depot = "SELECT depot_id FROM trips WHERE id = 3";
        assert_eq!(database.value(depot).await, "NULL");
        database.execute(&of("RETURN 77")).await;
        let retry = ["quarantine", "retry", "depots"];
        let ran = database.crossfade(&retry).exits(1);
        assert!(
            ran.stdout.contains("1 still in quarantine"),
            "{}",
            ran.stdout
        );
        assert_eq!(database.value(depot).await, "NULL");
        database.execute(&of("RETURN 1")).await;
        database.crossfade(&retry).exits(0);
        assert_eq!(database.value(depot).await, "1");
        // What somebody wrote past the triggers is corrected only as far as the key goes, and a value that no other side has stays.
        database
            .execute(
                "SET session_replication_role = replica; UPDATE trips SET depot_crossfade_retired = 88, depot_id = NULL WHERE id = 4; \
                 UPDATE trips SET depot_crossfade_retired = 1, depot_id = 99 WHERE id = 5",
            )
            .await;
        database
            .crossfade(&["verify", "depots", "--repair"])
            .exits(5);
        let kept = "SELECT string_agg(coalesce(depot_crossfade_retired::text, '-'), ',' ORDER BY id) FROM trips WHERE id IN (4, 5)";
        assert_eq!(database.value(kept).await, "88,1");
    });
}

#[test]
fn what_only_json_takes_is_noted_and_neither_the_application_nor_the_backfill_fails() {
    on_postgresql(async |database| {
        database
            .execute(
                r#"CREATE TABLE vehicles (id bigint PRIMARY KEY, notes json);
                INSERT INTO vehicles SELECT i, '{"k": 1}' FROM generate_series(1, 10) AS i;
                INSERT INTO vehicles VALUES (11, '{"k": "a\u0000b"}')"#,
            )
            .await;
        begin_with(
            database,
            "
version: 1
name: mileage
change:
  change_column_type: {table: public.vehicles, column: notes, to: remarks, type: jsonb}
",
            "dual_write",
        );
        database
            .execute(
                r#"INSERT INTO vehicles (id, notes) VALUES (12, '{"k": "\u0000"}');
                UPDATE vehicles SET notes = '{"k": 1e999999}' WHERE id = 1"#,
            )
            .await;
        advance(database, "backfill");
        let list = database
            .crossfade(&[
                "quarantine",
                "list",
                "mileage",
                "--values",
                "--format",
                "json",
            ])
            .exits(0)
            .json();
        assert_eq!(list["holding"], 3, "{list}");

        database
            .execute(r#"UPDATE vehicles SET notes = '{"k": "mended"}' WHERE id IN (1, 11)"#)
            .await;
        // The row is known again by the text that was kept.
        let again = database
            .crossfade(&["quarantine", "retry", "mileage", "--format", "json"])
            .exits(1)
            .json();
        assert_eq!(again["failed"].as_array().unwrap().len(), 1, "{again}");
        let twelfth = id_of(&list, 12);
        database
            .crossfade(&[
                "quarantine",
                "skip",
                "mileage",
                "--id",
                &twelfth,
                "--reason",
                "seen",
            ])
            .exits(0);
        advance(database, "verify");
    })
}

/// The planner reads a small table whole, and may try a conversion before it looks at a row's address.
#[test]
fn in_a_small_table_only_the_row_that_does_not_convert_is_noted() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, mileage text);
                 INSERT INTO vehicles SELECT i, i::text FROM generate_series(1, 50) AS i;
                 UPDATE vehicles SET mileage = 'unknown' WHERE id = 7",
            )
            .await;
        database.execute("ANALYZE vehicles").await;
        let plan = PLAN.replace("public.to_mileage(mileage)", "mileage::bigint");
        begin_with(database, &plan, "backfill");
        let list = listed(database, &[]);
        assert_eq!(list["holding"], 1, "{list}");
        assert_eq!(list["entries"][0]["key"]["id"], 7, "{list}");
    });
}

#[test]
fn numbers_of_more_digits_than_a_double_are_kept_and_known_again() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id numeric PRIMARY KEY, mileage bigint NOT NULL);
                 INSERT INTO vehicles VALUES (1, 1), (12345678901234567890.5, 2)",
            )
            .await;
        begin_with(
            database,
            "
version: 1
name: mileage
change:
  change_column_type: {table: public.vehicles, column: mileage, to: distance, type: numeric}
",
            "backfill",
        );
        database
            .execute(
                "UPDATE vehicles SET distance = 1e309 WHERE id = 1;
                 UPDATE vehicles SET distance = 12345678901234567890.125 WHERE id > 1",
            )
            .await;
        let list = listed(database, &["--values"]);
        assert_eq!(list["holding"], 2, "{list}");
        let shown = list.to_string();
        assert!(shown.contains("12345678901234567890.125"), "{shown}");
        let ran = database
            .crossfade(&["rollback", "mileage", "--yes"])
            .exits(1);
        assert!(
            ran.stderr
                .contains("2 rows of public.vehicles that the new version wrote"),
            "{}",
            ran.stderr
        );
        database
            .crossfade(&["quarantine", "skip", "mileage", "--all", "--reason", "seen"])
            .exits(0);
        advance(database, "verify");
    });
}

#[test]
fn a_row_that_somebody_holds_beside_one_that_does_not_convert_is_left_for_the_next_pass() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE t (id integer PRIMARY KEY, a text); INSERT INTO t SELECT i, CASE i WHEN 3 THEN 'three' ELSE i::text END FROM generate_series(1, 10) AS i")
            .await;
        let file = plan_file(
            "version: 1\nname: number\nchange:\n  change_column_type: {table: public.t, column: a, type: integer, to: b, forward: \"a::integer\", backward: \"b::text\"}\n",
        );
        let path = file.path().to_str().expect("a path of text");
        database.crossfade(&["start", path]).exits(0);
        database
            .crossfade(&["advance", "number", "--to", "dual_write"])
            .exits(0);
        let client = database.client().await;
        client
            .batch_execute("BEGIN; SELECT FROM t WHERE id = 7 FOR UPDATE")
            .await
            .expect("the row is locked");
        let driver = database.spawn(&[], &["advance", "number"]);
        database
            .wait_until("SELECT sum(blocks_skipped) > 0 FROM crossfade.segments")
            .await;
        client.batch_execute("COMMIT").await.expect("it is free");
        driver.wait().exits(0);
        let filled = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t WHERE b IS NULL";
        assert_eq!(database.value(filled).await, "3");
        assert_eq!(database.status("number")["quarantined"], 1);
    });
}

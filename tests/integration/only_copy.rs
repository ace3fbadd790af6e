//! `verify --repair` takes the side that reads are on for right, and still puts nothing in the place of a value that no other side
//! has: such rows are named, and changed only if a person names the column.

use crate::support::{Database, on_postgresql, plan_file};
use serde_json::json;

const RUN: &str = "run";

async fn start(database: &Database, tables: &str, change: &str, phase: &str) {
    database.execute(tables).await;
    let file = plan_file(&format!("version: 1\nname: {RUN}\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
    database
        .crossfade(&["advance", RUN, "--to", phase])
        .exits(0);
}

fn past(table: &str, statements: &str) -> String {
    format!(
        "BEGIN; ALTER TABLE {table} DISABLE TRIGGER USER; {statements}; ALTER TABLE {table} ENABLE TRIGGER USER; COMMIT"
    )
}

const TABLE: &str = "CREATE TABLE y (id integer PRIMARY KEY, status text, k integer); INSERT INTO y SELECT i, 's' || i, i FROM generate_series(1, 50) AS i";
const RENAME: &str = "rename_column: {table: public.y, from: status, to: st}";

#[test]
fn the_only_copy_of_a_value_is_named_and_not_replaced_by_null() {
    on_postgresql(async |database| {
        start(database, TABLE, RENAME, "backfill").await;
        database
            .execute(&past(
                "y",
                "INSERT INTO y (id, st) VALUES (100, 'onlynew'), (101, 'onlynew'); UPDATE y SET st = NULL WHERE id = 8; \
                 INSERT INTO y (id, status) VALUES (102, 'old'); UPDATE y SET st = 'newer' WHERE id = 7",
            ))
            .await;
        database.crossfade(&["rollback", RUN, "--yes"]).exits(1);
        let repaired = database.crossfade(&["verify", RUN, "--repair"]).exits(5);
        let said = repaired.stdout + &repaired.stderr;
        assert!(said.contains("{\"id\":100}"), "{said}");
        assert!(said.contains("2 differ, 3 repaired"), "{said}");
        assert!(said.contains("--discard public.y.st"), "{said}");
        let found = "SELECT string_agg(coalesce(status, '-') || '/' || coalesce(st, '-'), ',' ORDER BY id) FROM y WHERE id IN (7, 8, 100, 101, 102)";
        assert_eq!(
            database.value(found).await,
            "s7/s7,s8/s8,-/onlynew,-/onlynew,old/old"
        );
        // Nothing opens, and nothing goes back over them.
        database.crossfade(&["advance", RUN]).exits(3);
        let back = database.crossfade(&["rollback", RUN, "--yes"]).exits(1);
        assert!(
            back.stderr
                .contains("rite the right value to the side that is wrong"),
            "{}",
            back.stderr
        );
        // As it is advised: the side that has nothing.
        database
            .execute("UPDATE y SET status = st WHERE id = 100")
            .await;
        let copy = database.copy().await;
        database
            .execute("UPDATE y SET status = st WHERE id = 101")
            .await;
        database.crossfade(&["verify", RUN, "--repair"]).exits(0);
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        let left = "SELECT string_agg(status, ',' ORDER BY id) FROM y WHERE id >= 100";
        assert_eq!(database.value(left).await, "onlynew,onlynew,old");

        // Or a person says that it may go, which is counted and kept.
        let wrong = copy.crossfade(&["verify", RUN, "--repair", "--discard", "public.y.nothing"]);
        assert!(wrong.exits(1).stderr.contains("public.y.st"));
        copy.crossfade(&["verify", RUN, "--discard", "public.y.st"])
            .exits(2);
        let ran = copy
            .crossfade(&[
                "verify",
                RUN,
                "--repair",
                "--discard",
                "public.y.st",
                "--format",
                "json",
            ])
            .exits(0)
            .json();
        assert_eq!(ran["rows_different"], 0, "{ran}");
        assert_eq!(
            copy.value("SELECT st IS NULL FROM y WHERE id = 101").await,
            "true"
        );
        let history = copy
            .crossfade(&["history", RUN, "--format", "json"])
            .exits(0)
            .json();
        let events = history["events"].as_array().expect("events");
        let discarded = events
            .iter()
            .find(|event| event["kind"] == "repair discards");
        let discarded = discarded.unwrap_or_else(|| panic!("{history}"));
        assert_eq!(
            discarded["detail"],
            json!({"step": "match:public.y", "columns": ["public.y.st"], "rows": 1}),
            "{discarded}"
        );
        copy.remove().await;
    });
}

#[test]
fn after_the_reads_have_moved_it_is_the_old_side_that_may_have_the_only_copy() {
    on_postgresql(async |database| {
        start(database, TABLE, RENAME, "switch_reads").await;
        database
            .execute(&past(
                "y",
                "INSERT INTO y (id, status) VALUES (100, 'onlyold'); INSERT INTO y (id, st) VALUES (101, 'new'); UPDATE y SET st = 'newer' WHERE id = 7",
            ))
            .await;
        let repaired = database.crossfade(&["verify", RUN, "--repair"]).exits(5);
        let said = repaired.stdout + &repaired.stderr;
        assert!(said.contains("1 differ, 2 repaired"), "{said}");
        assert!(said.contains("--discard public.y.status"), "{said}");
        let found = "SELECT string_agg(coalesce(status, '-') || '/' || coalesce(st, '-'), ',' ORDER BY id) FROM y WHERE id IN (7, 100, 101)";
        assert_eq!(database.value(found).await, "newer/newer,onlyold/-,new/new");
        database
            .execute("UPDATE y SET st = status WHERE id = 100")
            .await;
        database.crossfade(&["verify", RUN]).exits(0);
    });
}

#[test]
fn a_null_that_the_application_writes_is_in_step_and_an_expression_over_nothing_is_nothing() {
    on_postgresql(async |database| {
        let table = "CREATE TABLE y (id integer PRIMARY KEY, first text, last text); INSERT INTO y SELECT i, 'f' || i, 'l' || i FROM generate_series(1, 50) AS i";
        let merge = "merge_columns: {table: public.y, columns: [first, last], to: name, type: text, \
            forward: \"coalesce(first, '') || ' ' || coalesce(last, '')\", backward: {first: \"split_part(name, ' ', 1)\", last: \"nullif(split_part(name, ' ', 2), '')\"}}";
        start(database, table, merge, "backfill").await;
        database
            .execute("UPDATE y SET first = NULL, last = NULL WHERE id = 1; UPDATE y SET name = NULL WHERE id = 2")
            .await;
        database.crossfade(&["verify", RUN]).exits(0);
        database
            .execute(&past(
                "y",
                "INSERT INTO y (id, name) VALUES (100, 'only new'); UPDATE y SET last = NULL WHERE id = 3; UPDATE y SET name = NULL WHERE id = 4",
            ))
            .await;
        let repaired = database.crossfade(&["verify", RUN, "--repair"]).exits(5);
        let said = repaired.stdout + &repaired.stderr;
        // What is computed from NULLs alone is no value: 100 is left. Of 3 the old side has something.
        assert!(said.contains("1 differ, 2 repaired"), "{said}");
        let found = "SELECT string_agg(name, ',' ORDER BY id) FROM y WHERE id IN (3, 4, 100)";
        assert_eq!(database.value(found).await, "f3 ,f4 l4,only new");
    });
}

#[test]
fn of_two_tables_the_only_copy_is_left_too() {
    on_postgresql(async |database| {
        let tables = "
            CREATE TABLE v (id bigint PRIMARY KEY);
            CREATE TABLE plates (v_id bigint PRIMARY KEY REFERENCES v, plate text);
            INSERT INTO v SELECT i FROM generate_series(1, 30) AS i;
            INSERT INTO plates SELECT i, 'p' || i FROM generate_series(1, 20) AS i;
        ";
        let fold = "fold_table: {table: public.plates, into: public.v, by: {id: v_id}, columns: {plate: {}}}";
        start(database, tables, fold, "backfill").await;
        let copy = database.copy().await;
        database
            .execute(&past(
                "v",
                "UPDATE v SET plate = 'onlynew' WHERE id IN (25, 26); UPDATE v SET plate = 'newer' WHERE id = 7; UPDATE v SET plate = NULL WHERE id = 8",
            ))
            .await;
        let repaired = database.crossfade(&["verify", RUN, "--repair"]).exits(5);
        assert!(
            repaired.stdout.contains("2 differ, 2 repaired"),
            "{}",
            repaired.stdout
        );
        let found = "SELECT string_agg(plate, ',' ORDER BY id) FROM v WHERE id IN (7, 8, 25, 26)";
        assert_eq!(database.value(found).await, "p7,p8,onlynew,onlynew");
        database
            .crossfade(&["verify", RUN, "--repair", "--discard", "public.v.plate"])
            .exits(0);
        assert_eq!(database.value(found).await, "p7,p8");

        copy.crossfade(&["advance", RUN, "--to", "switch_reads"])
            .exits(0);
        copy.execute(&past(
            "v",
            "UPDATE v SET plate = NULL WHERE id = 5; UPDATE v SET plate = 'new' WHERE id IN (6, 27)",
        ))
        .await;
        let repaired = copy.crossfade(&["verify", RUN, "--repair"]).exits(5);
        assert!(
            repaired.stdout.contains("1 differ, 2 repaired"),
            "{}",
            repaired.stdout
        );
        let found =
            "SELECT string_agg(plate, ',' ORDER BY v_id) FROM plates WHERE v_id IN (5, 6, 27)";
        assert_eq!(copy.value(found).await, "p5,new,new");
        copy.remove().await;
    });
}

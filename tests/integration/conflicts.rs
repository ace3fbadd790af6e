//! Two runs on one database: which may go on beside each other, and which are told of each other before anything is run.

use crate::support::{Database, on_postgresql, plan_file};

const GARAGE: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text, make text, model text, note text);
    CREATE TABLE orders (id bigint PRIMARY KEY, status text);
    INSERT INTO vehicles SELECT i, 'active', 'a', 'b', 'n' FROM generate_series(1, 100) AS i;
";

fn rename(name: &str, table: &str, from: &str, to: &str) -> String {
    format!(
        "version: 1\nname: {name}\nchange:\n  rename_column: {{table: public.{table}, from: {from}, to: {to}}}\n"
    )
}

/// `label` is filled from two columns that stay; an index reads a third.
const LABEL: &str = "
version: 1
name: label
phases:
  - phase: expand
    steps:
      - add_column: {table: public.vehicles, column: label, type: text}
      - create_index: {table: public.vehicles, name: vehicles_note, using: 'btree (lower(note))'}
  - phase: dual_write
    steps:
      - sync_columns: {table: public.vehicles, forward: {label: make || ' ' || model}}
  - phase: backfill
    steps:
      - fill: {table: public.vehicles, set: {label: make || ' ' || model}}
";

fn check_and_start(database: &Database, plan: &str, code: i32) -> String {
    let file = plan_file(plan);
    let path = file.path().to_str().unwrap();
    let checked = database.crossfade(&["check", path]).exits(code);
    let started = database.crossfade(&["start", path]).exits(code);
    if code != 0 {
        assert_eq!(checked.stderr, started.stderr, "check says it before start");
    }
    started.stderr
}

#[test]
fn a_run_may_not_change_what_another_uses() {
    on_postgresql(async |database| {
        database.execute(GARAGE).await;
        database.crossfade(&["init"]).exits(0);
        check_and_start(database, LABEL, 0);
        database
            .crossfade(&["advance", "label", "--to", "expand"])
            .exits(0);
        for (from, why) in [
            (
                "make",
                "public.vehicles.make (label reads it, other changes it)",
            ),
            (
                "note",
                "public.vehicles.note (label reads it, other changes it)",
            ),
        ] {
            let said = check_and_start(database, &rename("other", "vehicles", from, "renamed"), 1);
            assert!(said.contains(why), "{from}: {said}");
        }
        let said = check_and_start(database, &rename("other", "vehicles", "make", "brand"), 1);
        for part in [
            "the active run label is in the way of other",
            "label is before dual_write: finish it or roll it back first; `crossfade status label` shows it",
            ":4:3\n",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        database
            .crossfade(&["pause", "label", "--reason", "the quarter ends"])
            .exits(0);
        let said = check_and_start(database, &rename("other", "vehicles", "make", "brand"), 1);
        assert!(said.contains("(the quarter ends): finish it"), "{said}");

        // Another column of the table, the same name in another table, and what both only read.
        check_and_start(
            database,
            &rename("a", "vehicles", "status", "vehicle_status"),
            0,
        );
        check_and_start(
            database,
            &rename("b", "orders", "status", "order_status"),
            0,
        );
        let again = LABEL
            .replace("name: label", "name: slogan")
            .replace("label", "slogan");
        check_and_start(
            database,
            &again.replace("vehicles_note", "vehicles_note_again"),
            0,
        );

        // And the other way round: what this one reads, another changes.
        let reads = LABEL
            .replace("name: label", "name: motto")
            .replace("label", "motto");
        let said = check_and_start(database, &reads.replace("make ||", "status ||"), 1);
        assert!(
            said.contains("public.vehicles.status (a changes it, motto reads it)"),
            "{said}"
        );

        database
            .crossfade(&["resume", "label", "--detach"])
            .exits(0);
        for run in ["label", "slogan"] {
            database.crossfade(&["rollback", run, "--yes"]).exits(0);
        }
        check_and_start(database, &rename("other", "vehicles", "make", "brand"), 0);
    });
}

//! Triggers that stay when their run is done: no later change of the table's name, its schema or its key makes the application's
//! writes fail, and what would is refused, or named by `status`.

use crate::support::{Database, on_postgresql, plan_file};

const TABLES: &str = "
    CREATE SCHEMA other;
    CREATE TABLE t (id integer PRIMARY KEY, status text, b text);
    INSERT INTO t SELECT i, 's' || i, 'b' FROM generate_series(1, 100) AS i;
    CREATE TABLE p (a integer, \"B\" text, status text, PRIMARY KEY (a, \"B\"));
    INSERT INTO p SELECT i, 'b', 's' || i FROM generate_series(1, 100) AS i;
";

fn run(database: &Database, name: &str, change: &str) {
    let file = plan_file(&format!("version: 1\nname: {name}\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["check", path]).exits(0);
    database.crossfade(&["start", path]).exits(0);
    // The last phase of a plan that takes nothing away is another.
    let all = database.crossfade(&["advance", name, "--to", "contract", "--yes"]);
    if all.code != Some(0) {
        database
            .crossfade(&["advance", name, "--to", "verify"])
            .exits(0);
    }
    assert_eq!(database.status(name)["state"], "completed");
}

fn refused(database: &Database, change: &str) -> String {
    let file = plan_file(&format!("version: 1\nname: later\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path");
    let said = database.crossfade(&["check", path]).exits(1).stderr;
    assert_eq!(database.crossfade(&["start", path]).exits(1).stderr, said);
    said
}

async fn keep(database: &Database, table: &str, forward: &str) {
    database.execute(TABLES).await;
    run(
        database,
        "kept",
        &format!(
            "add_column: {{table: public.{table}, column: up, type: text, forward: {forward}, keep_sync: true}}"
        ),
    );
}

/// Every way of writing, whatever the table and its key are called, and what the triggers make of it.
async fn works(database: &Database, table: &str, key: &str) {
    database
        .execute(&format!(
            "INSERT INTO {table} ({key}, status) VALUES (1001, 'new');
             INSERT INTO {table} ({key}, status, up) VALUES (1002, 'x', 'mine');
             INSERT INTO {table} ({key}) VALUES (1003);
             INSERT INTO {table} ({key}, status) VALUES (1001, 'again') ON CONFLICT DO NOTHING;
             UPDATE {table} SET status = 'changed' WHERE {key} = 3;
             UPDATE {table} SET up = 'alone' WHERE {key} = 4;
             UPDATE {table} SET {key} = 2000 WHERE {key} = 5;
             UPDATE {table} SET status = 'moved' WHERE {key} = 2000;"
        ))
        .await;
    let found = database
        .value(&format!(
            "SELECT string_agg(coalesce(up, '-'), ',' ORDER BY {key}) FROM {table} WHERE {key} IN (3, 4, 1001, 1002, 1003, 2000)"
        ))
        .await;
    assert_eq!(found, "CHANGED,alone,NEW,mine,-,MOVED", "{table}");
}

#[test]
fn the_table_may_take_another_name() {
    on_postgresql(async |database| {
        keep(database, "t", "upper(status)").await;
        run(database, "later", "rename_table: {table: public.t, to: tt}");
        works(database, "tt", "id").await;
        let status = database.status("kept");
        assert_eq!(status["out_of_step"], serde_json::json!([]), "{status}");
    });
}

#[test]
fn its_key_may_take_another_name() {
    on_postgresql(async |database| {
        keep(database, "t", "upper(status)").await;
        run(
            database,
            "later",
            "rename_column: {table: public.t, from: id, to: number, strategy: alias}",
        );
        works(database, "t", "number").await;
        let status = database.status("kept");
        assert_eq!(status["out_of_step"], serde_json::json!([]), "{status}");
    });
}

#[test]
fn both_may_be_renamed_by_hand() {
    for (table, harm, now, key) in [
        ("t", "ALTER TABLE t SET SCHEMA other", "other.t", "id"),
        ("t", "ALTER TABLE t RENAME id TO \"new\"", "t", "\"new\""),
        (
            "t",
            "ALTER TABLE t RENAME TO \"T 2\"; CREATE TABLE t (x int)",
            "\"T 2\"",
            "id",
        ),
        (
            "p",
            "ALTER TABLE p RENAME TO pp; ALTER TABLE pp RENAME a TO aa; ALTER TABLE pp ALTER \"B\" SET DEFAULT 'b'; ALTER TABLE pp RENAME \"B\" TO \"C\"",
            "pp",
            "aa",
        ),
    ] {
        on_postgresql(async |database| {
            keep(database, table, "upper(status)").await;
            database.execute(harm).await;
            works(database, now, key).await;
            let status = database.status("kept");
            assert_eq!(
                status["out_of_step"],
                serde_json::json!([]),
                "{harm}: {status}"
            );
        });
    }
}

#[test]
fn a_value_that_does_not_convert_fails_no_write_after_a_rename() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE n (id integer PRIMARY KEY, status text); INSERT INTO n VALUES (1, '1')")
            .await;
        run(
            database,
            "kept",
            "add_column: {table: public.n, column: up, type: integer, forward: 'status::integer', keep_sync: true}",
        );
        database
            .execute("ALTER TABLE n RENAME id TO number; ALTER TABLE n RENAME TO nn; INSERT INTO nn VALUES (2, 'x'), (3, '3'); UPDATE nn SET status = 'y' WHERE number = 1")
            .await;
        let found = "SELECT string_agg(coalesce(up::text, '-'), ',' ORDER BY number) FROM nn";
        assert_eq!(database.value(found).await, "-,-,3");
    });
}

#[test]
fn a_key_that_is_to_be_replaced_is_refused_by_name() {
    on_postgresql(async |database| {
        keep(database, "t", "upper(status)").await;
        let said = refused(
            database,
            "widen_key: {table: public.t, column: id, type: bigint}",
        );
        assert!(
            said.contains("public.t.id, which their conditions name"),
            "{said}"
        );
        // By whatever name it has.
        database.execute("ALTER TABLE t RENAME id TO number").await;
        let said = refused(
            database,
            "widen_key: {table: public.t, column: number, type: bigint}",
        );
        assert!(
            said.contains("public.t.number, which their conditions name"),
            "{said}"
        );
    });
}

/// As an older version wrote it.
const AS_BEFORE: &str = "DO $do$ DECLARE f regprocedure := (SELECT p.oid FROM pg_proc AS p WHERE p.proname LIKE 'sync_kept_%'); BEGIN \
    EXECUTE replace(pg_get_functiondef(f), 'crossfade_active', 'crossfade_before'); END $do$";

#[test]
fn a_function_of_an_older_version_names_its_table_and_that_is_refused() {
    on_postgresql(async |database| {
        keep(database, "t", "upper(status)").await;
        database.execute(AS_BEFORE).await;
        for (change, why) in [
            (
                "rename_table: {table: public.t, to: tt}",
                "public.t, which they name",
            ),
            (
                "rename_column: {table: public.t, from: id, to: number, strategy: alias}",
                "public.t.id, which they read",
            ),
        ] {
            let said = refused(database, change);
            assert!(said.contains(why), "{change}: {said}");
        }
        database.execute("ALTER TABLE t RENAME TO tt").await;
        let status = database.crossfade(&["status", "kept"]).exits(0).stdout;
        assert!(
            status.contains("use public.t, which somebody dropped or renamed"),
            "{status}"
        );
    });
}

#[test]
fn what_somebody_takes_from_under_them_by_hand_is_named_by_status() {
    on_postgresql(async |database| {
        keep(database, "t", "upper(status)").await;
        database
            .execute("ALTER TABLE t RENAME status TO state")
            .await;
        let status = database.crossfade(&["status", "kept"]).exits(0).stdout;
        assert!(
            status.contains("use public.t.status, which somebody dropped or renamed"),
            "{status}"
        );
        let drops = status
            .split_once("keep their values: ")
            .and_then(|(_, drops)| drops.lines().next());
        database.execute(drops.expect("what to do")).await;
        database
            .execute("INSERT INTO t (id, state) VALUES (101, 'n')")
            .await;
        let status = database.status("kept");
        assert_eq!(status["out_of_step"], serde_json::json!([]), "{status}");
    });
}

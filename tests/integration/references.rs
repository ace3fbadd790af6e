//! The gate `no_references`: views, functions and statements that still name the old column hold it, others do not.

use crate::support::{Database, connect, on_postgresql, on_postgresql_with_statistics, plan_file};
use std::time::Duration;

const GARAGE: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'active', note text);
    CREATE TABLE orders (id bigint PRIMARY KEY, status text);
    CREATE INDEX vehicles_status_idx ON vehicles (status);
    INSERT INTO vehicles SELECT i, 'active', 'n' FROM generate_series(1, 100) AS i;
";

fn start(database: &Database, gates: &str) {
    let plan = plan_file(&format!(
        "version: 1\nname: rename\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\ngates:\n{gates}"
    ));
    database
        .crossfade(&["start", plan.path().to_str().unwrap()])
        .exits(0);
}

/// Whether the gate of what comes next holds, and what it says.
fn gate(database: &Database) -> (bool, String) {
    let shown = database
        .crossfade(&["advance", "rename", "--dry-run", "--format", "json"])
        .json();
    let gate = shown["gate"].as_array().unwrap();
    let one = gate.iter().find(|one| one["kind"] == "no_references");
    let one = one.unwrap_or_else(|| panic!("{shown}"));
    (
        one["holds"].as_bool().unwrap(),
        one["detail"].as_str().unwrap().to_owned(),
    )
}

#[track_caller]
fn closed(database: &Database, because: &str) {
    let (holds, detail) = gate(database);
    assert!(!holds && detail.contains(because), "{because}: {detail}");
}

#[test]
fn statements_and_objects_that_name_the_old_column_hold_the_gate() {
    on_postgresql_with_statistics(async |database| {
        database.execute(GARAGE).await;
        database
            .execute("CREATE EXTENSION pg_stat_statements")
            .await;
        start(
            database,
            "  retire: {no_references: 8s}\n  contract: {no_references: 1ms}\n",
        );
        let application = database.client().await;
        let old = "SELECT status FROM vehicles WHERE id = $1";
        application.query(old, &[&1_i64]).await.unwrap();
        database
            .crossfade(&["advance", "rename", "--to", "switch_reads"])
            .exits(0);
        closed(
            database,
            "nothing is seen to name public.vehicles.status for ",
        );

        // Neither the new version's statements count, nor another table's column, nor our own.
        for sql in [
            "SELECT vehicle_status AS status FROM vehicles",
            "SELECT o.status FROM orders AS o JOIN vehicles AS v USING (id)",
            "UPDATE vehicles SET vehicle_status = 'idle' WHERE id = 5",
        ] {
            application.query(sql, &[]).await.unwrap();
        }
        database.crossfade(&["verify", "rename"]).exits(0);
        closed(
            database,
            "nothing is seen to name public.vehicles.status for ",
        );
        application.query(old, &[&2_i64]).await.unwrap();
        closed(
            database,
            "statement `SELECT status FROM vehicles WHERE id = $1` (by name, calls since ",
        );
        application
            .query("SELECT * FROM vehicles", &[])
            .await
            .unwrap();
        closed(
            database,
            "statement `SELECT * FROM vehicles` (by *, calls since ",
        );

        database
            .execute(
                "CREATE FUNCTION report() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM vehicles WHERE status = ''x''); END';
                 CREATE FUNCTION other() RETURNS text LANGUAGE sql AS 'SELECT status FROM orders';
                 CREATE FUNCTION guess(c text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE format(''UPDATE vehicles SET %I = 1 WHERE status = 2'', c); END';
                 CREATE FUNCTION pick(c text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE format(''SELECT %I FROM vehicles'', c); END';
                 CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                 CREATE TRIGGER touched BEFORE DELETE ON vehicles FOR EACH ROW EXECUTE FUNCTION touch('status');
                 CREATE FUNCTION summed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM status FROM after_it; RETURN NULL; END';
                 CREATE TRIGGER summed AFTER UPDATE ON vehicles REFERENCING NEW TABLE AS after_it FOR EACH STATEMENT EXECUTE FUNCTION summed();
                 CREATE FUNCTION run(s text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE s; END';
                 CREATE FUNCTION fixed() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE ''ANALYZE orders''; END';
                 CREATE VIEW fleet AS SELECT id, status FROM vehicles;
                 CREATE INDEX vehicles_late_idx ON vehicles (lower(status))",
            )
            .await;
        let (_, detail) = gate(database);
        for object in [
            "function public.report() (by name)",
            "function public.guess(text) (may name it: dynamic SQL)",
            "function public.pick(text) (may name it: dynamic SQL)",
            "function public.summed() (by name)",
            "function public.run(text) (may name it: it puts statements together, and pg_stat_statements.track is top",
            "trigger touched on table public.vehicles (may name it: not resolved)",
            "allowed by the plan, with a reason",
            "view public.fleet",
            "index public.vehicles_late_idx",
        ] {
            assert!(detail.contains(object), "{object}: {detail}");
        }
        for object in ["other()", "fixed()", "vehicles_status_idx", "sync_rename"] {
            assert!(!detail.contains(object), "{object}: {detail}");
        }
        database
            .execute("DROP FUNCTION report(), guess(text), pick(text), touch(), summed() CASCADE; DROP VIEW fleet; DROP INDEX vehicles_late_idx")
            .await;
        closed(database, "function public.run(text)");
        // Where statements within functions are counted, those that this one runs would be seen.
        let all = "ALTER SYSTEM SET pg_stat_statements.track = 'all'";
        for statement in [all, "SELECT pg_reload_conf()"] {
            database.execute(statement).await;
        }
        closed(database, "statement `SELECT");
        tokio::time::sleep(Duration::from_millis(8_100)).await;
        assert!(gate(database).0, "{:?}", gate(database));

        // What may have been forgotten may have been a reference.
        application
            .batch_execute("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)")
            .await
            .unwrap();
        closed(database, "since pg_stat_statements was reset");
        tokio::time::sleep(Duration::from_millis(8_100)).await;
        database
            .crossfade(&["advance", "rename", "--to", "retire"])
            .exits(0);

        // A body goes on with the old name although the column stands aside.
        database
            .execute("SET check_function_bodies = off; CREATE FUNCTION late() RETURNS text LANGUAGE sql AS 'SELECT status FROM vehicles'")
            .await;
        closed(database, "function public.late() (by name)");
        database.execute("DROP FUNCTION late()").await;
        gate(database);
        database
            .crossfade(&["advance", "rename", "--to", "contract", "--yes"])
            .exits(0);
    });
}

#[test]
fn what_is_not_known_is_never_clear() {
    on_postgresql_with_statistics(async |database| {
        database.execute(GARAGE).await;
        start(database, "  retire: {no_references: 1ms}\n");
        database
            .crossfade(&["advance", "rename", "--to", "switch_reads"])
            .exits(0);
        closed(
            database,
            "the extension pg_stat_statements is not in this database: CREATE EXTENSION",
        );
        let role = format!("looker_{}", database.name);
        database
            .execute(&format!(
                "CREATE EXTENSION pg_stat_statements; CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA crossfade TO {role};
                 GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {role}"
            ))
            .await;
        // Who sees only its own statements knows nothing of the application's.
        let url = database
            .url
            .replace("user=postgres", &format!("user={role}"));
        let url = url.replace("postgres@", &format!("{role}@"));
        assert_ne!(url, database.url);
        connect(&url).await;
        let shown = database
            .crossfade(&["--database-url", &url, "advance", "rename", "--dry-run"])
            .exits(3);
        assert!(
            shown
                .stdout
                .contains("hidden from this one: GRANT pg_read_all_stats"),
            "{}",
            shown.stdout
        );
        // And one that sees all of them finds it open, after a look that could read them.
        gate(database);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(gate(database).0, "{:?}", gate(database));
        database
            .execute(&format!(
                "ALTER ROLE {role} IN DATABASE {} SET pg_stat_statements.track = 'none'",
                database.name
            ))
            .await;
        closed(database, "pg_stat_statements.track is set for a role");
        database
            .execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
            .await;
    });
}

#[test]
fn what_is_allowed_with_a_reason_does_not_hold_the_gate() {
    on_postgresql_with_statistics(async |database| {
        database.execute(GARAGE).await;
        database
            .execute("CREATE EXTENSION pg_stat_statements; CREATE FUNCTION guess() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE format(''UPDATE %I SET status = 1'', ''orders''); END'")
            .await;
        start(
            database,
            "  retire: {no_references: {quiet: 1ms, allow: {function public.guess(): it is about orders}}}\n",
        );
        database
            .crossfade(&["advance", "rename", "--to", "switch_reads"])
            .exits(0);
        tokio::time::sleep(Duration::from_millis(20)).await;
        database.crossfade(&["advance", "rename"]).exits(0);
        tables_that_go_are_looked_for_too(database).await;
    });
}

/// The same database: `orders` goes, and `items` has another name behind a view.
async fn tables_that_go_are_looked_for_too(database: &Database) {
    database
        .execute(
            "DROP FUNCTION guess(); CREATE TABLE items (id bigint PRIMARY KEY, status text);
             CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(id) FROM orders); END';
             CREATE FUNCTION count_any(t text) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN EXECUTE format(''SELECT count(*) FROM orders_%s'', t); END';
             CREATE FUNCTION count_items() RETURNS bigint LANGUAGE sql AS 'SELECT count(id) FROM items'",
        )
        .await;
    let plans = [
        (
            "gone",
            "drop_table: {table: public.orders}",
            "retire: {no_references: 1s}\n  contract",
        ),
        (
            "named",
            "rename_table: {table: public.items, to: goods}",
            "contract",
        ),
    ];
    for (name, change, phases) in plans {
        let plan = plan_file(&format!(
            "version: 1\nname: {name}\nchange:\n  {change}\ngates:\n  {phases}: {{no_references: 1s}}\n"
        ));
        database
            .crossfade(&["start", plan.path().to_str().unwrap()])
            .exits(0);
    }
    let application = database.client().await;
    let look = |run: &str| {
        let shown = database
            .crossfade(&["advance", run, "--dry-run", "--format", "json"])
            .json();
        let gate = shown["gate"].as_array().unwrap();
        let one = gate.iter().find(|one| one["kind"] == "no_references");
        let detail = one.unwrap()["detail"].as_str().unwrap().to_owned();
        (one.unwrap()["holds"].as_bool().unwrap(), detail)
    };
    look("gone");
    application
        .query("SELECT 1 FROM orders", &[])
        .await
        .unwrap();
    let (holds, detail) = look("gone");
    for part in [
        "function public.count_orders() (by name)",
        "statement `SELECT $1 FROM orders` (by name, calls since",
    ] {
        assert!(!holds && detail.contains(part), "{part}: {detail}");
    }
    assert!(!detail.contains("count_items()"), "{detail}");
    database
        .execute("DROP FUNCTION count_orders(), count_any(text)")
        .await;
    look("gone");
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    database.crossfade(&["advance", "gone"]).exits(0);
    // Retired: our own ALTER TABLE does not count, a function that was written since does.
    let (_, detail) = look("gone");
    assert!(
        detail.starts_with("nothing is seen to name public.orders for"),
        "{detail}"
    );
    database
        .execute("SET check_function_bodies = off; CREATE FUNCTION late() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.orders'")
        .await;
    let (_, detail) = look("gone");
    assert!(
        detail.contains("function public.late() (by name)"),
        "{detail}"
    );
    database.execute("DROP FUNCTION late()").await;
    look("gone");
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    database.crossfade(&["advance", "gone", "--yes"]).exits(0);

    database
        .crossfade(&["advance", "named", "--to", "switch_reads"])
        .exits(0);
    let (holds, detail) = look("named");
    assert!(
        !holds && detail.contains("function public.count_items() (by name)"),
        "{detail}"
    );
    database.execute("DROP FUNCTION count_items()").await;
    look("named");
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    database.crossfade(&["advance", "named", "--yes"]).exits(0);
}

#[test]
fn a_gate_that_could_ask_for_nothing_is_refused() {
    on_postgresql(async |database| {
        database.execute(GARAGE).await;
        for (gates, expected) in [
            (
                "  switch_reads: {no_references: 1h}\n",
                "is for the gates of retire and contract",
            ),
            (
                "  retire: {no_references: soon}\n",
                "is not a length of time",
            ),
        ] {
            let plan = plan_file(&format!(
                "version: 1\nname: rename\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\ngates:\n{gates}"
            ));
            let ran = database
                .crossfade(&["check", plan.path().to_str().unwrap()])
                .exits(1);
            assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        }
    });
}

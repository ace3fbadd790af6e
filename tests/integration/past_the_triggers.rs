//! Writes past the triggers: what somebody changes of them by hand is an event, is told and closes the gates until rows were
//! compared, and no value that only the new side has is ever overwritten.

use crate::support::{Background, Database, on_postgresql, plan_file};
use nix::sys::signal::Signal;

const RUN: &str = "run";

async fn start(database: &Database, tables: &str, change: &str, phase: &str) {
    database.execute(tables).await;
    let file = plan_file(&format!("version: 1\nname: {RUN}\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
    to(database, phase);
}

fn to(database: &Database, phase: &str) {
    database
        .crossfade(&["advance", RUN, "--to", phase])
        .exits(0);
}

/// The backfill has begun, and has not come to any row.
fn filling(database: &Database) -> Background {
    let place = "stop:fill:public.vehicles pass 1: after its record";
    let backfill = ["advance", RUN, "--to", "backfill"];
    let program = database.spawn(&[("CROSSFADE_FAILPOINT", place)], &backfill);
    program.wait_until_stopped();
    program
}

fn events(database: &Database, kind: &str) -> usize {
    let history = database.crossfade(&["history", RUN, "--format", "json"]);
    let history = history.exits(0).json();
    let events = history["events"].as_array().expect("events");
    events.iter().filter(|event| event["kind"] == kind).count()
}

const VEHICLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text);
    INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 500) AS i;
";
const RENAME: &str = "rename_column: {table: public.vehicles, from: status, to: state}";
const FUNCTION: &str =
    "(SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p WHERE p.proname LIKE 'sync_run_%')";

/// What only the new side has: in rows that were filled or not, and in one that the old side has no value for.
const PAST: &str = "UPDATE vehicles SET state = 'by the new version' WHERE id IN (1, 2); INSERT INTO vehicles (id, state) VALUES (501, 'new alone')";

/// How somebody writes past the triggers, so that they are in place again afterwards.
fn ways() -> Vec<(&'static str, String)> {
    let around = |before: &str, after: &str| format!("{before}; {PAST}; {after}");
    vec![
        (
            "DISABLE TRIGGER USER",
            around(
                "ALTER TABLE vehicles DISABLE TRIGGER USER",
                "ALTER TABLE vehicles ENABLE TRIGGER USER",
            ),
        ),
        (
            "DISABLE TRIGGER ALL in one transaction",
            around(
                "BEGIN; ALTER TABLE vehicles DISABLE TRIGGER ALL",
                "ALTER TABLE vehicles ENABLE TRIGGER ALL; COMMIT",
            ),
        ),
        (
            "a function that does nothing for a while",
            format!(
                "DO $do$ DECLARE definition text := {FUNCTION}; BEGIN \
                   EXECUTE format('CREATE OR REPLACE FUNCTION crossfade.%I() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN new; END''', \
                     (SELECT p.proname FROM pg_proc AS p WHERE p.proname LIKE 'sync_run_%')); \
                   UPDATE vehicles SET state = 'by the new version' WHERE id IN (1, 2); INSERT INTO vehicles (id, state) VALUES (501, 'new alone'); \
                   EXECUTE definition; END $do$"
            ),
        ),
        (
            "triggers that are dropped and made again",
            "DO $do$ DECLARE definitions text[] := (SELECT array_agg(pg_get_triggerdef(t.oid)) FROM pg_trigger AS t WHERE t.tgname LIKE 'zz_crossfade%'); definition text; BEGIN \
                   DROP TRIGGER zz_crossfade_run_i ON vehicles; DROP TRIGGER zz_crossfade_run_u ON vehicles; \
                   UPDATE vehicles SET state = 'by the new version' WHERE id IN (1, 2); INSERT INTO vehicles (id, state) VALUES (501, 'new alone'); \
                   FOREACH definition IN ARRAY definitions LOOP EXECUTE definition; END LOOP; END $do$"
                .to_owned(),
        ),
    ]
}

const KEPT: &str =
    "SELECT string_agg(state, ', ' ORDER BY id) FROM vehicles WHERE id IN (1, 2, 501)";
const OURS: &str = "by the new version, by the new version, new alone";

/// Told, noted, shown, and closing the gates; and `verify` finds the three rows.
async fn is_dealt_with(database: &Database, way: &str) {
    assert_eq!(database.value(KEPT).await, OURS, "{way}");
    let status = database.status(RUN);
    assert!(status["sync_touched"]["what"][0].is_string(), "{status}");
    let words = database.crossfade(&["status", RUN]).exits(0).stdout;
    assert!(words.contains("changed by hand"), "{words}");
    let closed = database.crossfade(&["advance", RUN]).exits(3);
    assert!(
        closed.stderr.contains("crossfade verify run"),
        "{}",
        closed.stderr
    );
    assert_eq!(events(database, "sync touched"), 1, "{way}");
    let back = database.crossfade(&["rollback", RUN, "--yes"]).exits(1);
    assert!(
        back.stderr.contains("crossfade verify run"),
        "{}",
        back.stderr
    );
    let differ = database.crossfade(&["verify", RUN, "--format", "json"]);
    assert_eq!(differ.exits(5).json()["rows_different"], 3, "{way}");
    assert_eq!(database.value(KEPT).await, OURS, "{way}");
    database.crossfade(&["advance", RUN]).exits(3);
    // Somebody says which side is right: the triggers write the other.
    database
        .execute("UPDATE vehicles SET status = state WHERE status IS DISTINCT FROM state")
        .await;
    database.crossfade(&["verify", RUN]).exits(0);
    assert_eq!(events(database, "sync compared"), 1, "{way}");
    database
        .crossfade(&["advance", RUN, "--to", "retire"])
        .exits(0);
    assert_eq!(database.value(KEPT).await, OURS);
}

#[test]
fn what_is_written_past_the_triggers_during_the_backfill_is_kept_told_and_found() {
    for (way, statements) in ways() {
        on_postgresql(async |database| {
            start(database, VEHICLES, RENAME, "dual_write").await;
            let backfill = filling(database);
            database.execute(&statements).await;
            backfill.signal(Signal::SIGCONT);
            let ran = backfill.wait().exits(0);
            assert!(ran.stderr.contains("somebody changed"), "{}", ran.stderr);
            is_dealt_with(database, way).await;
        });
    }
}

#[test]
fn what_is_written_past_the_triggers_in_any_phase_is_told_and_found() {
    for phase in ["backfill", "verify", "switch_reads"] {
        on_postgresql(async |database| {
            start(database, VEHICLES, RENAME, phase).await;
            database.execute(&ways()[0].1).await;
            is_dealt_with(database, phase).await;
        });
    }
}

#[test]
fn what_is_written_past_the_triggers_before_the_backfill_or_while_nobody_drives_it_is_found() {
    on_postgresql(async |database| {
        start(database, VEHICLES, RENAME, "dual_write").await;
        database.execute(&ways()[0].1).await;
        // The rows are filled, all but those that have a value.
        to(database, "backfill");
        is_dealt_with(database, "before the backfill").await;
    });
    on_postgresql(async |database| {
        start(database, VEHICLES, RENAME, "dual_write").await;
        let backfill = filling(database);
        backfill.signal(Signal::SIGKILL);
        backfill.wait();
        database.execute(&ways()[0].1).await;
        to(database, "backfill");
        is_dealt_with(database, "between two drivers").await;
    });
}

#[test]
fn a_trigger_that_is_missing_stops_the_backfill_and_is_put_back_only_when_somebody_says_so() {
    for harm in [
        "DROP TRIGGER zz_crossfade_run_u ON vehicles",
        "DROP TRIGGER zz_crossfade_run_i ON vehicles",
        "ALTER TABLE vehicles DISABLE TRIGGER zz_crossfade_run_i",
        "ALTER TABLE vehicles ENABLE REPLICA TRIGGER zz_crossfade_run_u",
        "DO $do$ BEGIN EXECUTE format('CREATE OR REPLACE FUNCTION crossfade.%I() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN new; END''', \
           (SELECT p.proname FROM pg_proc AS p WHERE p.proname LIKE 'sync_run_%')); END $do$",
    ] {
        on_postgresql(async |database| {
            start(database, VEHICLES, RENAME, "dual_write").await;
            let backfill = filling(database);
            database.execute(&format!("{harm}; ALTER TABLE vehicles DISABLE TRIGGER USER; {PAST}; ALTER TABLE vehicles ENABLE TRIGGER USER; {harm}")
                .replace("DROP TRIGGER", "DROP TRIGGER IF EXISTS")).await;
            backfill.signal(Signal::SIGCONT);
            let ran = backfill.wait().exits(1);
            assert!(ran.stderr.contains("verify run --repair"), "{}", ran.stderr);
            assert_eq!(events(database, "sync touched"), 1);
            let again = database.crossfade(&["advance", RUN]).exits(1);
            assert!(
                again.stderr.contains("verify run --repair"),
                "{}",
                again.stderr
            );
            database.crossfade(&["verify", RUN, "--repair"]).exits(0);
            // Going back would lose what only the new side has.
            let lost = database.crossfade(&["rollback", RUN, "--yes"]).exits(1);
            assert!(lost.stderr.contains("3 rows"), "{}", lost.stderr);
            to(database, "backfill");
            is_dealt_with(database, harm).await;
        });
    }
}

#[test]
fn going_back_before_the_rows_are_filled_asks_what_only_the_new_side_has() {
    on_postgresql(async |database| {
        start(database, VEHICLES, RENAME, "dual_write").await;
        database.execute(&ways()[0].1).await;
        let lost = database.crossfade(&["rollback", RUN, "--yes"]).exits(1);
        assert!(lost.stderr.contains("3 rows"), "{}", lost.stderr);
        assert_eq!(database.status(RUN)["state"], "active");
        database
            .execute("UPDATE vehicles SET status = state WHERE state IS NOT NULL")
            .await;
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        assert_eq!(database.value(&KEPT.replace("state", "status")).await, OURS);
    });
}

#[test]
fn a_session_that_fires_no_trigger_leaves_no_trace_and_its_values_are_kept_and_found() {
    on_postgresql(async |database| {
        start(database, VEHICLES, RENAME, "dual_write").await;
        let backfill = filling(database);
        database
            .execute(&format!("SET session_replication_role = replica; {PAST}"))
            .await;
        backfill.signal(Signal::SIGCONT);
        backfill.wait().exits(0);
        assert_eq!(database.value(KEPT).await, OURS);
        let differ = database.crossfade(&["advance", RUN, "--to", "verify"]);
        assert!(differ.exits(5).stderr.contains("3 of 501 rows"));
    });
}

#[test]
fn a_row_that_only_the_new_side_has_is_not_filled_as_another_of_its_columns_is_written() {
    on_postgresql(async |database| {
        let tables = VEHICLES.replace("status text", "status text, note text");
        let tables = tables.replace("SELECT i, 'status ' || i", "SELECT i, 'status ' || i, ''");
        start(database, &tables, RENAME, "dual_write").await;
        database.execute(&ways()[0].1).await;
        database.execute("UPDATE vehicles SET note = 'n'").await;
        assert_eq!(database.value(KEPT).await, OURS);
        to(database, "backfill");
        assert_eq!(database.value(KEPT).await, OURS);
        assert_eq!(
            database
                .value("SELECT count(*) FROM vehicles WHERE state IS NULL")
                .await,
            "0"
        );
    });
}

#[test]
fn a_trigger_of_one_partition_that_was_off_for_a_moment_is_told() {
    on_postgresql(async |database| {
        let tables = "
            CREATE TABLE vehicles (id bigint, status text) PARTITION BY RANGE (id);
            CREATE TABLE vehicles_low PARTITION OF vehicles FOR VALUES FROM (0) TO (300);
            CREATE TABLE vehicles_high PARTITION OF vehicles FOR VALUES FROM (300) TO (1000);
            CREATE TABLE vehicles_gone PARTITION OF vehicles FOR VALUES FROM (1000) TO (2000);
            INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 500) AS i;
        ";
        start(database, tables, RENAME, "dual_write").await;
        let backfill = filling(database);
        // One that goes takes its triggers along, and one that comes is found by the next pass: neither is harm.
        database
            .execute(
                "ALTER TABLE vehicles DETACH PARTITION vehicles_gone; CREATE TABLE vehicles_new PARTITION OF vehicles FOR VALUES FROM (2000) TO (3000)",
            )
            .await;
        backfill.signal(Signal::SIGCONT);
        backfill.wait().exits(0);
        assert_eq!(events(database, "sync touched"), 0);
        database
            .execute("ALTER TABLE vehicles_high DISABLE TRIGGER USER; UPDATE vehicles SET state = 'new alone' WHERE id = 400; ALTER TABLE vehicles_high ENABLE TRIGGER USER")
            .await;
        let closed = database.crossfade(&["advance", RUN]).exits(3);
        assert!(
            closed
                .stderr
                .contains("vehicles_high was disabled and enabled"),
            "{}",
            closed.stderr
        );
        database.crossfade(&["verify", RUN]).exits(5);
    });
}

#[test]
fn of_two_tables_in_step_what_one_was_given_alone_is_kept_and_found() {
    on_postgresql(async |database| {
        let tables = "
            CREATE TABLE vehicles (id bigint PRIMARY KEY);
            CREATE TABLE plates (vehicle_id bigint PRIMARY KEY REFERENCES vehicles, plate text);
            INSERT INTO vehicles SELECT i FROM generate_series(1, 300) AS i;
            INSERT INTO plates SELECT i, 'plate ' || i FROM generate_series(1, 300) AS i;
        ";
        let fold = "fold_table: {table: public.plates, into: public.vehicles, by: {id: vehicle_id}, columns: {plate: {}}}";
        start(database, tables, fold, "dual_write").await;
        let backfill = filling(database);
        database
            .execute("ALTER TABLE vehicles DISABLE TRIGGER USER; UPDATE vehicles SET plate = 'new alone' WHERE id = 7; ALTER TABLE vehicles ENABLE TRIGGER USER")
            .await;
        backfill.signal(Signal::SIGCONT);
        backfill.wait().exits(0);
        assert_eq!(events(database, "sync touched"), 1);
        let plate = "SELECT plate FROM vehicles WHERE id = 7";
        assert_eq!(database.value(plate).await, "new alone");
        database.crossfade(&["advance", RUN]).exits(3);
        database.crossfade(&["verify", RUN]).exits(5);
        assert_eq!(database.value(plate).await, "new alone");
        database
            .execute("UPDATE plates SET plate = 'new alone' WHERE vehicle_id = 7")
            .await;
        database.crossfade(&["verify", RUN]).exits(0);
        to(database, "verify");
    });
}

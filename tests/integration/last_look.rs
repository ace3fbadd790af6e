//! What a comparison has not looked at is not taken for compared: `contract` relies on it.

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

fn stopped_at(database: &Database, arguments: &[&str], place: &str) -> Background {
    let failpoint = format!("stop:{place}");
    let program = database.spawn(&[("CROSSFADE_FAILPOINT", &failpoint)], arguments);
    program.wait_until_stopped();
    program
}

const ORDERS: &str = "
    CREATE TABLE orders (id integer PRIMARY KEY, note text);
    CREATE TABLE lines (id bigint PRIMARY KEY, order_id integer REFERENCES orders (id));
    INSERT INTO orders SELECT i, 'n' FROM generate_series(1, 2000) AS i;
    INSERT INTO lines SELECT i, i FROM generate_series(1, 2000) AS i;
";
const WIDEN: &str = "widen_key: {table: public.orders, column: id, type: bigint}";

/// All rows have been compared, and nothing has been dropped yet.
fn looked(database: &Database) -> Background {
    let contract = ["advance", RUN, "--to", "contract", "--yes"];
    stopped_at(database, &contract, "contract: after the last look")
}

#[test]
fn what_was_written_while_triggers_were_disabled_for_a_moment_is_found_before_contract() {
    on_postgresql(async |database| {
        start(database, ORDERS, WIDEN, "switch_reads").await;
        let contract = looked(database);
        // As a bulk load does.
        database
            .execute(
                "ALTER TABLE lines DISABLE TRIGGER ALL; \
                 UPDATE lines SET order_id = 1500 WHERE id = 7; INSERT INTO lines VALUES (5000, 3); \
                 ALTER TABLE lines ENABLE TRIGGER ALL",
            )
            .await;
        contract.signal(Signal::SIGCONT);
        let ran = contract.wait().exits(5);
        assert!(ran.stderr.contains("2 of 2001 rows"), "{}", ran.stderr);
        database.crossfade(&["verify", RUN, "--repair"]).exits(0);
        database
            .crossfade(&["advance", RUN, "--to", "contract", "--yes"])
            .exits(0);
        let orders =
            "SELECT string_agg(order_id::text, ',' ORDER BY id) FROM lines WHERE id IN (7, 5000)";
        assert_eq!(database.value(orders).await, "1500,3");
    });
}

#[test]
fn nothing_is_dropped_when_triggers_were_taken_away_after_the_last_look() {
    on_postgresql(async |database| {
        start(database, ORDERS, WIDEN, "switch_reads").await;
        let contract = looked(database);
        database
            .execute("ALTER TABLE lines DISABLE TRIGGER USER; UPDATE lines SET order_id = 1500 WHERE id = 7")
            .await;
        contract.signal(Signal::SIGCONT);
        let ran = contract.wait().exits(1);
        assert!(ran.stderr.contains("is disabled"), "{}", ran.stderr);
        let order = "SELECT order_id || ' ' || order_id_new FROM lines WHERE id = 7";
        assert_eq!(database.value(order).await, "1500 7");
    });
}

#[test]
fn rows_of_a_partition_that_is_attached_after_the_last_look_are_compared_too() {
    on_postgresql(async |database| {
        let tables = "
            CREATE TABLE trips (id bigint PRIMARY KEY, status text) PARTITION BY RANGE (id);
            CREATE TABLE trips_1 PARTITION OF trips FOR VALUES FROM (0) TO (1000);
            INSERT INTO trips SELECT i, 's' FROM generate_series(1, 500) AS i;
            CREATE TABLE trips_2 (LIKE trips INCLUDING ALL);
            INSERT INTO trips_2 SELECT i, 's' FROM generate_series(1001, 1050) AS i;
        ";
        database.execute(tables).await;
        let file = plan_file(&format!(
            "version: 1\nname: {RUN}\nphases:\n\
             - {{phase: expand, steps: [{{add_column: {{table: public.trips, column: state, type: text}}}}]}}\n\
             - {{phase: dual_write, steps: [{{sync_columns: {{table: public.trips, forward: {{state: status}}, backward: {{status: state}}}}}}]}}\n\
             - {{phase: backfill, steps: [{{fill: {{table: public.trips, set: {{state: status}}}}}}]}}\n\
             - {{phase: verify, steps: [{{match: {{table: public.trips, columns: {{state: status}}, backward: {{status: state}}}}}}]}}\n\
             - {{phase: contract, steps: [{{drop_sync: {{table: public.trips}}}}, {{drop_column: {{table: public.trips, column: status}}}}]}}\n"
        ));
        database
            .crossfade(&["start", file.path().to_str().expect("a path")])
            .exits(0);
        to(database, "verify");
        let contract = looked(database);
        database
            .execute("ALTER TABLE trips_2 ADD COLUMN state text; ALTER TABLE trips ATTACH PARTITION trips_2 FOR VALUES FROM (1000) TO (2000)")
            .await;
        contract.signal(Signal::SIGCONT);
        let ran = contract.wait().exits(5);
        assert!(ran.stderr.contains("50 of 550 rows"), "{}", ran.stderr);
    });
}

#[test]
fn rows_that_no_trigger_fills_are_not_left_out_as_updates_move_them_past_the_end() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, note text, pad text) WITH (autovacuum_enabled = off);
                 INSERT INTO vehicles SELECT i, '', repeat('x', 900) FROM generate_series(1, 2000) AS i",
            )
            .await;
        let file = plan_file(&format!(
            "version: 1\nname: {RUN}\nchange:\n  add_column: {{table: public.vehicles, column: token, type: uuid, default: gen_random_uuid()}}\n"
        ));
        database
            .crossfade(&["start", file.path().to_str().expect("a path")])
            .exits(0);
        let unfilled = "SELECT count(*) FROM vehicles WHERE token IS NULL";
        let backfill = ["advance", RUN, "--to", "backfill"];
        let walk = stopped_at(
            database,
            &backfill,
            "fill:public.vehicles pass 1: after its record",
        );
        database.execute("UPDATE vehicles SET note = 'n'").await;
        walk.signal(Signal::SIGCONT);
        walk.wait().exits(0);
        assert_eq!(database.value(unfilled).await, "0");
    });
}

#[test]
fn a_difference_that_unrelated_updates_move_past_the_end_is_found() {
    on_postgresql(async |database| {
        // Pages are full, so that an update moves its row to the table's end.
        let vehicles = "
            CREATE TABLE vehicles (id bigint PRIMARY KEY, status text, pad text, note text) WITH (autovacuum_enabled = off);
            INSERT INTO vehicles SELECT i, 's' || i, repeat('x', 900), '' FROM generate_series(1, 2000) AS i;
        ";
        let rename = "rename_column: {table: public.vehicles, from: status, to: state}";
        start(database, vehicles, rename, "backfill").await;
        database.execute("VACUUM FULL vehicles").await;
        database
            .execute("SET session_replication_role = replica; UPDATE vehicles SET state = 'by nobody' WHERE id = 1990")
            .await;
        let verify = ["advance", RUN, "--to", "verify"];
        let place = "match:public.vehicles pass 1: after its record";
        let verify = stopped_at(database, &verify, place);
        let within = "SELECT ctid < (SELECT '(' || sum(end_block) || ',0)' FROM crossfade.segments WHERE step LIKE 'match%')::tid FROM vehicles WHERE id = 1990";
        assert_eq!(database.value(within).await, "true");
        database
            .execute("UPDATE vehicles SET note = 'n' WHERE id > 1000")
            .await;
        assert_eq!(database.value(within).await, "false");
        verify.signal(Signal::SIGCONT);
        let ran = verify.wait().exits(5);
        assert!(ran.stderr.contains("1 of "), "{}", ran.stderr);
    });
}

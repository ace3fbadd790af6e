//! Indexes, constraints and columns of partitioned tables: on two levels, in several schemas, with partitions that had
//! indexes of their own before, and with the application writing all the time.

use crate::crash_everywhere::{all_of, failpoints, sessions_end};
use crate::explained_locks::as_explained;
use crate::support::{Database, on_postgresql, plan_file, rest};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// One partition came by ATTACH with another order of columns and with an index and a CHECK that fit; another is in
/// another schema.
const TABLES: &str = r#"
    CREATE SCHEMA "Old Data";
    CREATE TABLE vehicles (id bigint PRIMARY KEY);
    INSERT INTO vehicles SELECT generate_series(0, 99);
    CREATE TABLE readings (
        id bigint NOT NULL, "At" date NOT NULL, sensor text NOT NULL, vehicle_id bigint, value integer DEFAULT 0, note text NOT NULL,
        CONSTRAINT readings_low CHECK (value < 100000)
    ) PARTITION BY RANGE ("At");
    CREATE TABLE readings_2024 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE "Old Data"."readings 2025" PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
    CREATE TABLE "Old Data"."2025 a" PARTITION OF "Old Data"."readings 2025" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE readings_2025_b (
        gone integer, note text NOT NULL, value integer DEFAULT 0, "At" date NOT NULL, sensor text NOT NULL, id bigint NOT NULL,
        vehicle_id bigint, CONSTRAINT readings_low CHECK (value < 100000));
    ALTER TABLE readings_2025_b DROP COLUMN gone;
    CREATE INDEX own_by_sensor ON readings_2025_b (sensor) WITH (fillfactor = 80);
    COMMENT ON INDEX own_by_sensor IS 'was there before';
    ALTER TABLE readings_2025_b CLUSTER ON own_by_sensor;
    CREATE INDEX own_by_value ON readings_2025_b (value);
    ALTER TABLE "Old Data"."readings 2025" ATTACH PARTITION readings_2025_b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
    CREATE INDEX readings_sensor ON readings (sensor) WITH (fillfactor = 80);
    COMMENT ON INDEX readings_sensor IS 'for the dashboard';
    CREATE UNIQUE INDEX readings_once ON readings (sensor, id, "At");
    ALTER TABLE readings ADD CONSTRAINT readings_vehicle FOREIGN KEY (vehicle_id) REFERENCES vehicles ON DELETE SET NULL;
    COMMENT ON CONSTRAINT readings_vehicle ON readings IS 'who sent it';
    ALTER TABLE readings ADD CONSTRAINT readings_key UNIQUE (id, "At") DEFERRABLE INITIALLY DEFERRED;
    CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL, vehicle_id bigint, kind text) PARTITION BY RANGE (at);
    CREATE TABLE trips_2024 PARTITION OF trips FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
    CREATE TABLE "Old Data"."trips a" PARTITION OF trips_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE trips_2025_b (kind text, vehicle_id bigint, at date NOT NULL, id bigint NOT NULL);
    CREATE UNIQUE INDEX own_key ON trips_2025_b (id, at);
    ALTER TABLE trips_2025 ATTACH PARTITION trips_2025_b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE trips_rest PARTITION OF trips DEFAULT;
    INSERT INTO readings (id, "At", sensor, vehicle_id, value, note)
        SELECT i, date '2024-01-01' + (i % 900)::integer, 'S' || i % 9, i % 100, i, 'n' FROM generate_series(1, 2000) AS i;
    INSERT INTO trips SELECT i, date '2024-01-01' + (i % 900)::integer, i % 100, 'k' FROM generate_series(1, 2000) AS i;
    ANALYZE;
"#;

const CHANGES: [&str; 19] = [
    "add_index: {table: readings, columns: [value]}",
    r#"add_index: {table: trips, columns: [id, at], unique: true, name: '"Once"'}"#,
    "drop_index: {table: readings, name: readings_sensor}",
    "rebuild_index: {table: readings, name: readings_sensor}",
    r#"add_check: {table: readings, name: '"a check"', check: value >= 0}"#,
    "add_unique: {table: trips, columns: [id, at]}",
    "add_primary_key: {table: trips, columns: [at, vehicle_id, id]}",
    "add_foreign_key: {table: trips, columns: vehicle_id, references: vehicles}",
    "drop_constraint: {table: readings, name: readings_low}",
    "drop_constraint: {table: readings, name: readings_vehicle}",
    KEY_DROPPED,
    "rename_constraint: {table: readings, from: readings_low, to: low}",
    "rename_constraint: {table: readings, from: readings_key, to: only_one}",
    "drop_not_null: {table: readings, column: note}",
    "set_default: {table: readings, column: value, default: '1'}",
    "drop_column: {table: readings, column: vehicle_id}",
    "add_column: {table: readings, column: token, type: uuid, default: gen_random_uuid(), not_null: true, comment: told once}",
    "set_replica_identity: {table: readings, identity: full}",
    "set_replica_identity: {table: readings, index: readings_once}",
];
const KEY_DROPPED: &str = "drop_constraint: {table: readings, name: readings_key}";

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().expect("a path of text")
}

fn plan_of(change: &str) -> tempfile::NamedTempFile {
    plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"))
}

fn phases(database: &Database) -> Vec<String> {
    let status = database.status("x");
    let phases = status["phases"].as_array().expect("phases").iter();
    phases
        .map(|phase| phase["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// Both tables are written until `done`. No statement may fail.
async fn application(client: Client, done: Arc<AtomicBool>) -> u64 {
    let mut statements = 0;
    while !done.load(Ordering::SeqCst) {
        let began = Instant::now();
        let id = statements % 2000;
        let written = client
            .batch_execute(&format!(
                "UPDATE readings SET sensor = sensor WHERE id = {id}; UPDATE trips SET id = id WHERE id = {id}"
            ))
            .await;
        written.unwrap_or_else(|error| panic!("{error:?}"));
        statements += 1;
        rest(began, Duration::from_millis(2)).await;
    }
    statements
}

/// Undone from each phase, and then run to its end.
fn undone_from_every_phase(database: &Database, change: &str) {
    let before = database.dump_schema();
    let plan = plan_of(change);
    database.crossfade(&["start", path(&plan)]).exits(0);
    let phases = phases(database);
    for phase in phases.iter().filter(|phase| *phase != "contract") {
        database
            .crossfade(&["advance", "x", "--to", phase])
            .exits(0);
        // A default that is another each time: its values may be the application's.
        let mut back = vec!["rollback", "x", "--yes"];
        if change.contains("column: token") {
            back.extend(["--discard", "public.readings.token"]);
        }
        database.crossfade(&back).exits(0);
        assert_eq!(database.dump_schema(), before, "{change}, after {phase}");
        database.crossfade(&["start", path(&plan)]).exits(0);
    }
    let last = phases.last().expect("a phase");
    database
        .crossfade(&["advance", "x", "--to", last, "--yes"])
        .exits(0);
    assert_eq!(database.status("x")["state"], "completed", "{change}");
    if !change.starts_with("rebuild_index")
        && !change.starts_with("set_replica_identity: {table: readings, identity")
    {
        assert_ne!(database.dump_schema(), before, "{change}");
    }
}

#[test]
fn every_change_is_as_explained_under_writes_and_is_undone_from_every_phase() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let template = database.copy().await;
        let differences = Mutex::new(Vec::new());
        all_of(&CHANGES, async |change| {
            let plan = plan_of(change);
            let found = as_explained(&template, path(&plan)).await;
            differences.lock().expect("a list").extend(found);
            let database = template.copy().await;
            let done = Arc::new(AtomicBool::new(false));
            let writer = application(database.client().await, Arc::clone(&done));
            let writer = tokio::spawn(writer);
            undone_from_every_phase(&database, change);
            done.store(true, Ordering::SeqCst);
            let statements = writer.await.expect("no statement fails");
            assert!(statements > 0, "{change}: nobody wrote");
            let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
            assert_eq!(database.value(invalid).await, "0", "{change}");
            database.remove().await;
        });
        template.remove().await;
        let differences = differences.into_inner().expect("a list");
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    });
}

/// Killed at each of these places, one after the other, and then let come to its end.
async fn killed_at_each(database: &Database, places: &[(String, usize)], arguments: &[&str]) {
    let mut kills = 0;
    for (place, _) in places {
        let failpoint = format!("kill:{place}");
        let ran = database.crossfade_with(&[("CROSSFADE_FAILPOINT", &failpoint)], arguments);
        // What an earlier crash left done is not passed again; the last crash may have been after the end.
        kills += usize::from(ran.code.is_none());
        assert!(
            ran.code.is_none_or(|code| code == 0) || kills + 1 >= places.len(),
            "{place}: {}",
            ran.stderr
        );
        sessions_end(database).await;
    }
    assert!(kills * 2 > places.len(), "{kills} kills at {places:?}");
}

#[test]
fn killed_anywhere_it_is_gone_on_from_there_and_back() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let template = database.copy().await;
        let changes = [
            "add_foreign_key: {table: trips, columns: vehicle_id, references: vehicles}",
            KEY_DROPPED,
        ];
        all_of(&changes, async |change| {
            let before = template.dump_schema();
            let database = template.copy().await;
            let plan = plan_of(change);
            database.crossfade(&["start", path(&plan)]).exits(0);
            let last = phases(&database).pop().expect("a phase");
            let there = ["advance", "x", "--to", &last];
            let back = ["rollback", "x", "--yes"];
            let forward = failpoints(&database, &there);
            let changed = database.dump_schema();
            let backward = failpoints(&database, &back);
            assert_eq!(database.dump_schema(), before, "{change}");
            database.crossfade(&["start", path(&plan)]).exits(0);
            killed_at_each(&database, &forward, &there).await;
            assert_eq!(database.dump_schema(), changed, "{change}");
            killed_at_each(&database, &backward, &back).await;
            assert_eq!(database.dump_schema(), before, "{change}");
            database.remove().await;
        });
        template.remove().await;
    });
}

/// Two come with rows, one in CREATE TABLE; one is detached, one dropped.
const COME_AND_GO: &str = r#"
    CREATE TABLE readings_2023 (LIKE readings INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    INSERT INTO readings_2023 SELECT 9000 + i, '2023-06-01', 'S', i % 100, i, 'n' FROM generate_series(1, 20000) AS i;
    ALTER TABLE readings ATTACH PARTITION readings_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
    CREATE TABLE trips_2023 (LIKE trips INCLUDING CONSTRAINTS);
    INSERT INTO trips_2023 SELECT 9000 + i, '2023-06-01', i % 100, 'k' FROM generate_series(1, 30000) AS i;
    ALTER TABLE trips ATTACH PARTITION trips_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
    CREATE TABLE trips_2022 PARTITION OF trips FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
    ALTER TABLE "Old Data"."readings 2025" DETACH PARTITION readings_2025_b;
    ALTER TABLE trips_2025 DETACH PARTITION trips_2025_b;
    DROP TABLE readings_rest, trips_rest;
"#;

#[test]
fn partitions_that_come_and_go_are_dealt_with_or_named() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let template = database.copy().await;
        for (change, told) in [
            (
                "add_check: {table: readings, name: c, check: value >= 0}",
                None,
            ),
            ("set_not_null: {table: readings, column: value}", None),
            (
                "add_index: {table: readings, columns: [value]}",
                Some("public.readings_2023"),
            ),
            (
                "add_unique: {table: trips, columns: [id, at]}",
                Some("public.trips_2023"),
            ),
            (
                "add_foreign_key: {table: trips, columns: vehicle_id, references: vehicles, name: f}",
                Some("ALTER TABLE public.trips_2023 ADD CONSTRAINT f FOREIGN KEY"),
            ),
            (
                "rebuild_index: {table: readings, name: readings_sensor}",
                None,
            ),
            (
                "set_replica_identity: {table: readings, identity: nothing}",
                None,
            ),
        ] {
            let database = template.copy().await;
            database
                .crossfade(&["start", path(&plan_of(change))])
                .exits(0);
            database.execute(COME_AND_GO).await;
            let changed = database.dump_schema();
            let last = phases(&database).pop().expect("a phase");
            let ran = database.crossfade(&["advance", "x", "--to", &last]);
            assert_eq!(
                ran.code,
                Some(i32::from(told.is_some())),
                "{change}: {}",
                ran.stderr
            );
            assert!(
                ran.stderr.contains(told.unwrap_or("")),
                "{change}: {}",
                ran.stderr
            );
            database.crossfade(&["rollback", "x", "--yes"]).exits(0);
            assert_eq!(database.dump_schema(), changed, "{change}");
            database.remove().await;
        }
        going_back_finds_a_partition_that_it_knows_nothing_of(&template).await;
        template.remove().await;
    });
}

async fn going_back_finds_a_partition_that_it_knows_nothing_of(template: &Database) {
    let database = template.copy().await;
    let plan = plan_of("drop_index: {table: readings, name: readings_sensor}");
    database.crossfade(&["start", path(&plan)]).exits(0);
    database.crossfade(&["advance", "x"]).exits(0);
    database.execute(COME_AND_GO).await;
    let told = database.crossfade(&["rollback", "x", "--yes"]).exits(1);
    assert!(
        told.stderr
            .contains("the partition public.readings_2023 came after the plan was compiled"),
        "{}",
        told.stderr
    );
    database
        .execute(
            "CREATE INDEX CONCURRENTLY readings_2023_sensor ON readings_2023 (sensor) WITH (fillfactor = 80)",
        )
        .await;
    database
        .execute("ALTER INDEX readings_sensor ATTACH PARTITION readings_2023_sensor")
        .await;
    database.crossfade(&["rollback", "x", "--yes"]).exits(0);
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'readings_sensor'::regclass";
    assert_eq!(database.value(valid).await, "true");
    database.remove().await;
}

#[test]
fn what_a_partition_has_for_itself_and_what_postgresql_cannot_do_is_refused_by_name() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database
            .execute(
                "ALTER TABLE trips_2024 ALTER kind SET NOT NULL, ALTER kind SET DEFAULT 'x', ADD CONSTRAINT own CHECK (id > 0);
                 ALTER TABLE trips_2024 ADD CONSTRAINT own_reference FOREIGN KEY (vehicle_id) REFERENCES vehicles;
                 CREATE INDEX own_pair ON trips_2024 (kind, id);
                 CREATE TABLE logs (id bigint, at timestamptz) PARTITION BY RANGE ((at AT TIME ZONE 'UTC'));
                 CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
                 CREATE TABLE far (id bigint) PARTITION BY RANGE (id);
                 CREATE FOREIGN TABLE far_away PARTITION OF far FOR VALUES FROM (0) TO (10) SERVER nowhere",
            )
            .await;
        for (change, told) in [
            (
                "set_not_null: {table: trips, column: kind}",
                "public.trips_2024 requires kind by itself",
            ),
            (
                "set_default: {table: trips, column: kind, default: \"'y'\"}",
                "public.trips_2024 has another default of kind",
            ),
            (
                "add_check: {table: trips, name: own, check: id > 0}",
                "public.trips_2024 has an index or a constraint own",
            ),
            (
                "add_foreign_key: {table: trips, columns: vehicle_id, references: vehicles}",
                "public.trips_2024 has a foreign key own_reference",
            ),
            (
                "drop_column: {table: trips, column: kind}",
                "own_pair would be dropped with kind",
            ),
            ("drop_column: {table: trips, column: id}", "partition key"),
            (
                "add_unique: {table: trips, columns: [id]}",
                "at is in the partition key",
            ),
            (
                "add_unique: {table: logs, columns: [id, at]}",
                "has an expression",
            ),
            (
                "add_index: {table: far, columns: [id]}",
                "far_away is a foreign table",
            ),
            (
                "drop_index: {table: readings, name: readings_key}",
                "serves the constraint readings_key",
            ),
            (
                "add_index: {table: trips_2024, columns: [id]}",
                "is a partition",
            ),
            (
                "add_column: {table: trips, column: more, type: text, forward: kind}",
                "public.trips is partitioned",
            ),
            (
                "add_exclusion: {table: trips, name: e, exclude: USING gist (id WITH =)}",
                "public.trips is partitioned",
            ),
        ] {
            let ran = database.crossfade(&["check", path(&plan_of(change))]);
            let is_told = ran.stderr.contains(told) && ran.stderr.contains("= help:");
            assert!(
                ran.code == Some(1) && is_told,
                "{change}: {} {}",
                ran.stdout,
                ran.stderr
            );
        }
    });
}

//! A rename on a partitioned table: every leaf is walked, whatever partitions come, go, and take rows from each other.

use crate::support::{Database, on_postgresql, plan_file};

const RUN: &str = "rename-state";
const TABLE: &str = "
    CREATE TABLE positions (
        id bigint NOT NULL, at date NOT NULL, state varchar(40) NOT NULL DEFAULT 'moving' CHECK (state <> ''), note text,
        PRIMARY KEY (id, at)
    ) PARTITION BY RANGE (at);
    COMMENT ON COLUMN positions.state IS 'what it did';
    CREATE TABLE positions_2024 PARTITION OF positions FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE positions_2025 PARTITION OF positions FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
    CREATE TABLE \"positions 2025 a\" PARTITION OF positions_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE positions_2025_b PARTITION OF positions_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE positions_rest PARTITION OF positions DEFAULT;
    INSERT INTO positions (id, at, state) SELECT i, date '2024-01-01' + (i % 900)::integer, 'state ' || i % 7 FROM generate_series(1, 9000) AS i;
    ANALYZE;
";

async fn start(database: &Database) {
    database.execute(TABLE).await;
    register(database);
}

fn register(database: &Database) {
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.positions, from: state, to: position_state}}\n\
         settings: {{pacing: {{batch_target: 2ms, batch_rows_max: 30}}}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

#[test]
fn every_leaf_is_filled_while_rows_move_between_partitions_and_partitions_come_and_go() {
    on_postgresql(async |database| {
        start(database).await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let failpoint = "stop:fill:public.positions batch: after its effect#20";
        let driver = database.spawn(
            &[("CROSSFADE_FAILPOINT", failpoint)],
            &["advance", RUN, "--to", "backfill"],
        );
        driver.wait_until_stopped();
        // One that is attached brings rows that nobody has filled; one that is detached takes its rows along.
        database
            .execute(
                "CREATE TABLE positions_2023 (LIKE positions INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
                 INSERT INTO positions_2023 (id, at, state) SELECT i, '2023-06-01', 'early' FROM generate_series(1, 500) AS i;
                 ALTER TABLE positions ATTACH PARTITION positions_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
                 CREATE TABLE positions_2022 PARTITION OF positions FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
                 INSERT INTO positions (id, at, state) VALUES (10001, '2022-05-05', 'by the old version');
                 INSERT INTO positions (id, at, position_state) VALUES (10002, '2022-05-05', 'by the new version');
                 UPDATE positions SET at = '2024-02-02', state = 'moved by the old version' WHERE id = 8000;
                 UPDATE positions SET at = '2025-02-02', position_state = 'moved by the new version' WHERE id = 8001;
                 UPDATE positions SET at = '2023-02-02' WHERE id = 8002;
                 ALTER TABLE positions DETACH PARTITION positions_rest;
                 DROP TABLE positions_rest",
            )
            .await;
        driver.signal(nix::sys::signal::Signal::SIGCONT);
        driver.wait().exits(0);
        // It brought rows that no trigger of ours saw.
        database.crossfade(&["advance", RUN]).exits(3);
        database.crossfade(&["verify", RUN]).exits(0);
        let wrong = "SELECT count(*) FROM positions WHERE position_state IS DISTINCT FROM state";
        assert_eq!(database.value(wrong).await, "0");
        for (id, state) in [
            (8000, "moved by the old version"),
            (8001, "moved by the new version"),
            (10001, "by the old version"),
            (10002, "by the new version"),
        ] {
            let found = database
                .value(&format!(
                    "SELECT position_state FROM positions WHERE id = {id}"
                ))
                .await;
            assert_eq!(found, state);
        }
        database
            .crossfade(&["advance", RUN, "--to", "contract", "--yes"])
            .exits(0);
        let left = database
            .value("SELECT count(*) FROM pg_attribute WHERE attname = 'state' AND attrelid IN (SELECT relid FROM pg_partition_tree('positions'))")
            .await;
        assert_eq!(left, "0");
        database
            .execute("INSERT INTO positions (id, at) VALUES (10003, '2022-05-06')")
            .await;
        let default = database
            .value("SELECT position_state FROM positions WHERE id = 10003")
            .await;
        assert_eq!(default, "moving");
    });
}

#[test]
fn it_is_undone_from_every_phase_and_leaves_nothing() {
    on_postgresql(async |database| {
        start(database).await;
        let before = database.dump_schema();
        for phase in ["expand", "dual_write", "backfill", "enforce", "retire"] {
            database
                .crossfade(&["advance", RUN, "--to", phase])
                .exits(0);
            database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
            assert_eq!(database.dump_schema(), before, "after {phase}");
            register(database);
        }
    });
}

#[test]
fn a_lock_on_one_partition_keeps_the_others_from_waiting_behind_us() {
    on_postgresql(async |database| {
        start(database).await;
        let holder = database.client().await;
        holder
            .batch_execute("BEGIN; LOCK TABLE positions_2025_b IN ACCESS SHARE MODE")
            .await
            .unwrap();
        let driver = database.spawn(&[], &["advance", RUN]);
        database
            .wait_until("SELECT count(*) > 0 FROM crossfade.events WHERE kind = 'blocked'")
            .await;
        let client = database.client().await;
        for _ in 0..50 {
            let began = std::time::Instant::now();
            client
                .execute(
                    "UPDATE positions SET note = 'seen' WHERE id = 7 AND at = '2024-01-08'",
                    &[],
                )
                .await
                .unwrap();
            let took = began.elapsed();
            assert!(took < std::time::Duration::from_millis(150), "{took:?}");
        }
        holder.batch_execute("ROLLBACK").await.unwrap();
        driver.wait().exits(0);
    });
}

#[test]
fn what_cannot_be_done_on_a_partitioned_table_is_refused_by_name() {
    on_postgresql(async |database| {
        database.execute(TABLE).await;
        database
            .execute(
                "CREATE INDEX positions_state ON positions (state); CREATE TABLE states (state varchar(40) PRIMARY KEY);
                 ALTER TABLE positions ADD region varchar(20) REFERENCES states",
            )
            .await;
        let refused = |change: &str| {
            let file = plan_file(&format!("version: 1\nname: refused\nchange:\n  {change}\n"));
            let ran = database.crossfade(&["check", file.path().to_str().unwrap()]);
            ran.exits(1).stderr
        };
        for (change, what) in [
            (
                "rename_column: {table: public.positions, from: state, to: position_state}",
                "index positions_state of a partitioned table",
            ),
            (
                "rename_column: {table: public.positions, from: region, to: area}",
                "foreign key",
            ),
            (
                "rename_column: {table: public.positions, from: at, to: moment}",
                "partition key of public.positions",
            ),
            (
                "change_column_type: {table: public.positions, column: note, to: notes, type: varchar(5), forward: \"left(note, 5)\"}",
                "public.positions is partitioned",
            ),
            (
                "rename_column: {table: public.positions_2024, from: note, to: remark}",
                "is a partition",
            ),
        ] {
            let said = refused(change);
            assert!(said.contains(what), "{change}: {said}");
        }
    });
}

//! Triggers that somebody has dropped or disabled by hand: nothing goes on, nothing is taken back and nothing is lost
//! until they are put back and the rows that were written meanwhile agree.

use crate::support::{Database, on_postgresql, plan_file};

const RUN: &str = "rename-status";

fn start(database: &Database) {
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

/// What the run waits for, of the triggers.
fn waits_for_triggers(database: &Database) -> String {
    let status = database
        .crossfade(&["status", RUN, "--format", "json"])
        .exits(0)
        .json();
    let waiting = status["waiting"].as_array().unwrap();
    let found = waiting.iter().find(|one| one["kind"] == "sync_in_place");
    found.map_or(String::new(), |one| {
        one["detail"].as_str().unwrap().to_owned()
    })
}

#[test]
fn triggers_that_were_taken_away_stop_the_run_until_they_are_put_back() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'idle');
                 INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 500) AS i",
            )
            .await;
        start(database);
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        assert_eq!(waits_for_triggers(database), "");
        // As a restore with --disable-triggers would leave it.
        database
            .execute("ALTER TABLE vehicles DISABLE TRIGGER USER")
            .await;
        let waits = waits_for_triggers(database);
        assert!(waits.contains("is disabled"), "{waits}");
        let stopped = database.crossfade(&["advance", RUN]).exits(3);
        assert!(stopped.stderr.contains("verify rename-status --repair"));
        let mended = database.crossfade(&["verify", RUN, "--repair"]).exits(0);
        assert!(
            mended.stderr.contains("put the triggers back"),
            "{}",
            mended.stderr
        );
        database
            .execute("UPDATE vehicles SET status = 'kept in step' WHERE id = 1")
            .await;
        // What was written meanwhile may be on one side only: nothing goes on before all rows were compared.
        let closed = database
            .crossfade(&["advance", RUN, "--to", "switch_reads"])
            .exits(3);
        assert!(closed.stderr.contains("crossfade verify rename-status"));
        database.crossfade(&["verify", RUN]).exits(0);
        database
            .crossfade(&["advance", RUN, "--to", "switch_reads"])
            .exits(0);

        // All of it, as DROP FUNCTION … CASCADE would. What the new version writes then is on one side only.
        database
            .execute(
                "DO $$ DECLARE f regprocedure := (SELECT p.oid FROM pg_proc AS p WHERE p.proname LIKE 'sync_rename-status%'); \
                 BEGIN EXECUTE 'DROP FUNCTION ' || f || ' CASCADE'; END $$;
                 UPDATE vehicles SET vehicle_status = 'new version' WHERE id = 2",
            )
            .await;
        let waits = waits_for_triggers(database);
        assert!(waits.contains("is gone"), "{waits}");
        let refused = database.crossfade(&["rollback", RUN, "--yes"]).exits(1);
        assert!(refused.stderr.contains("is gone"), "{}", refused.stderr);
        database.crossfade(&["advance", RUN]).exits(3);
        database.crossfade(&["verify", RUN]).exits(5);
        database.crossfade(&["verify", RUN, "--repair"]).exits(0);
        assert_eq!(
            database
                .value("SELECT status FROM vehicles WHERE id = 2")
                .await,
            "new version"
        );
        // Put back as they are to be by now: an explicit NULL of the new version is not filled again.
        assert_eq!(
            database
                .value("SELECT count(*) FROM pg_proc WHERE prosrc LIKE '%not filling%' AND proname LIKE 'sync_rename-status%'")
                .await,
            "1"
        );
        database
            .crossfade(&["advance", RUN, "--to", "retire"])
            .exits(0);

        // Once contract has begun no gate is asked any more.
        database
            .command(&["advance", RUN, "--yes"])
            .env("CROSSFADE_FAILPOINT", "kill:contract: after the last look")
            .output()
            .unwrap();
        database
            .execute("ALTER TABLE vehicles DISABLE TRIGGER USER")
            .await;
        let stopped = database.crossfade(&["advance", RUN, "--yes"]).exits(1);
        assert!(stopped.stderr.contains("is disabled"), "{}", stopped.stderr);
        database.crossfade(&["verify", RUN, "--repair"]).exits(0);
        database.crossfade(&["advance", RUN, "--yes"]).exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM vehicles WHERE vehicle_status IN ('kept in step', 'new version')")
                .await,
            "2"
        );
    });
}

#[test]
fn a_trigger_that_is_disabled_on_one_partition_is_found() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint, status text) PARTITION BY RANGE (id);
                 CREATE TABLE vehicles_low PARTITION OF vehicles FOR VALUES FROM (0) TO (100);
                 CREATE TABLE vehicles_high PARTITION OF vehicles FOR VALUES FROM (100) TO (1000);
                 INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 500) AS i",
            )
            .await;
        start(database);
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        database
            .execute("ALTER TABLE vehicles_high DISABLE TRIGGER USER")
            .await;
        let waits = waits_for_triggers(database);
        assert!(waits.contains("vehicles_high is disabled"), "{waits}");
        assert!(!waits.contains("vehicles_low"), "{waits}");
        database.crossfade(&["verify", RUN, "--repair"]).exits(0);
        assert_eq!(waits_for_triggers(database), "");
        // One of the two, on the table and its partitions.
        database
            .execute(&format!(
                "DROP TRIGGER \"zz_crossfade_{RUN}_u\" ON vehicles"
            ))
            .await;
        let waits = waits_for_triggers(database);
        assert!(waits.contains("_u\" of public.vehicles is gone"), "{waits}");
        database.crossfade(&["verify", RUN, "--repair"]).exits(0);
        assert_eq!(waits_for_triggers(database), "");
        database
            .crossfade(&["advance", RUN, "--to", "backfill"])
            .exits(0);
        database.crossfade(&["verify", RUN]).exits(0);
        database
            .crossfade(&["advance", RUN, "--to", "verify"])
            .exits(0);
    });
}

#[test]
fn a_table_that_has_another_name_is_told_and_one_that_was_dropped_leaves_a_way_to_end_the_run() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, status text); INSERT INTO vehicles VALUES (1, 'idle')",
            )
            .await;
        start(database);
        database
            .crossfade(&["advance", RUN, "--to", "retire"])
            .exits(0);
        database
            .execute("ALTER TABLE vehicles RENAME TO cars")
            .await;
        let stopped = database.crossfade(&["advance", RUN, "--yes"]).exits(3);
        assert!(
            stopped
                .stderr
                .contains("public.vehicles was renamed to public.cars"),
            "{}",
            stopped.stderr
        );
        database
            .execute("ALTER TABLE cars RENAME TO vehicles")
            .await;
        assert_eq!(waits_for_triggers(database), "");

        database.execute("DROP TABLE vehicles").await;
        let waits = waits_for_triggers(database);
        assert!(
            waits.contains("crossfade rollback rename-status"),
            "{waits}"
        );
        // It may be killed on the way.
        let killed = database.crossfade_with(
            &[(
                "CROSSFADE_FAILPOINT",
                "kill:sync_columns:public.vehicles: reverted",
            )],
            &["rollback", RUN, "--yes"],
        );
        assert_eq!(killed.code, None, "{}", killed.stderr);
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        assert_eq!(database.status(RUN)["state"], "rolled_back");
        let left = "SELECT count(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace \
                    WHERE n.nspname = 'crossfade' AND p.proname LIKE 'sync_%'";
        assert_eq!(database.value(left).await, "0");
        // Its name is free for the next plan.
        database
            .execute("CREATE TABLE vehicles (id bigint PRIMARY KEY, status text)")
            .await;
        start(database);
        let earlier = |number: &str| {
            database.crossfade(&[
                "history",
                RUN,
                "--verify",
                "--earlier",
                number,
                "--format",
                "json",
            ])
        };
        let events = |number| {
            earlier(number).exits(0).json()["events"]
                .as_array()
                .unwrap()
                .len()
        };
        assert!(events("0") < events("1"));
        let none = earlier("2").exits(1);
        assert!(
            none.stderr.contains("2 runs have been called"),
            "{}",
            none.stderr
        );
    });
}

#[test]
fn one_of_two_tables_that_was_dropped_may_have_left_its_values_in_the_other() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE orders (id bigint PRIMARY KEY); INSERT INTO orders VALUES (1); \
                 CREATE TABLE notes (order_id bigint PRIMARY KEY, note text); INSERT INTO notes VALUES (1, 'fragile')",
            )
            .await;
        let file = plan_file(
            "version: 1\nname: fold\nchange:\n  fold_table: {table: public.notes, into: public.orders, by: {id: order_id}, columns: {note: {}}}\n",
        );
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "fold", "--to", "verify"])
            .exits(0);
        database.execute("DROP TABLE notes").await;
        let refused = database.crossfade(&["advance", "fold"]).exits(3);
        assert!(
            refused.stderr.contains("public.notes was dropped"),
            "{}",
            refused.stderr
        );
        // Going back lets the application write, and drops nothing.
        let freed = database.crossfade(&["rollback", "fold", "--yes"]).exits(0);
        assert!(
            freed
                .stderr
                .contains("left as it is: the column public.orders.note"),
            "{}",
            freed.stderr
        );
        assert_eq!(database.value("SELECT note FROM orders").await, "fragile");
        database
            .execute("UPDATE orders SET note = 'by hand'; INSERT INTO orders (id) VALUES (2)")
            .await;
    });
}

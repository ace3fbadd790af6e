//! A walk over blocks misses no row: not those that move while it walks, nor those whose value does not convert.

use crate::support::{Background, Database, Ran, on_postgresql, plan_file};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::time::Duration;

/// Batches of a block or a few, so that there is much in front of and behind each.
fn plan(name: &str, change: &str, settings: &str) -> String {
    format!(
        "version: 1\nname: {name}\nchange:\n  {change}\nsettings:\n  pacing: {{batch_target: 1ms, batch_rows_max: 50}}\n{settings}"
    )
}

fn rename() -> String {
    plan(
        "move",
        "rename_column: {table: public.items, from: code, to: label}",
        "",
    )
}

/// Pages are full, so that an update moves its row to another; 60 to 70 rows a page.
const ITEMS: &str = "
    CREATE TABLE items (id bigint PRIMARY KEY, code text NOT NULL, quantity text, note text) WITH (fillfactor = 100, autovacuum_enabled = off);
    INSERT INTO items SELECT i, 'c' || i, (i % 100)::text, repeat('n', 60) FROM generate_series(1, 20000) AS i;
";

fn start(database: &Database, plan: &str) {
    let file = plan_file(plan);
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

/// The program in a backfill, stopped by a signal of its own after so many batches.
async fn stopped_after(database: &Database, run: &str, place: &str, batches: u32) -> Background {
    let failpoint = format!("stop:fill:public.items batch: {place}#{batches}");
    let program = database.spawn(
        &[("CROSSFADE_FAILPOINT", &failpoint)],
        &["advance", run, "--to", "backfill"],
    );
    let state = format!("/proc/{}/stat", program.pid());
    for _ in 0..6_000 {
        let stat = std::fs::read_to_string(&state).expect("the program is there");
        if stat
            .rsplit_once(')')
            .is_some_and(|(_, rest)| rest.trim().starts_with('T'))
        {
            return program;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never stopped at {place}");
}

fn goes_on(program: Background) -> Ran {
    program.signal(Signal::SIGCONT);
    program.wait()
}

/// The block that the walk goes on at, and how many there are.
async fn walked(database: &Database) -> (i64, i64) {
    let read = async |sql: &str| {
        let text = database.value(sql).await;
        text.parse().expect("a number")
    };
    (
        read("SELECT sum(next_block - start_block) FROM crossfade.segments").await,
        read("SELECT sum(end_block - start_block) FROM crossfade.segments").await,
    )
}

#[test]
fn unrelated_updates_in_front_of_and_behind_the_walk_hide_no_row_from_it() {
    on_postgresql(async |database| {
        database.execute(ITEMS).await;
        start(database, &rename());
        let addresses = "SELECT md5(string_agg(ctid::text, ',' ORDER BY id)) FROM items";
        let moved = database.value(addresses).await;
        // Free space in the first pages: rows from behind may move in front of the walk and back.
        database
            .execute("DELETE FROM items WHERE id % 10 = 3")
            .await;
        database.execute("VACUUM items").await;
        for (place, batches) in [
            ("before its effect", 5),
            ("after its effect", 20),
            ("in its effect", 30),
        ] {
            let program = stopped_after(database, "move", place, batches).await;
            let (next, blocks) = walked(database).await;
            assert!(
                0 < next && next < blocks,
                "in the middle: {next} of {blocks}"
            );
            // In the middle of a batch its own rows are locked until it goes on.
            let free = if place == "in its effect" {
                format!(
                    "AND (ctid < '({next},0)'::tid OR ctid >= '({},0)'::tid)",
                    next + 60
                )
            } else {
                String::new()
            };
            database
                .execute(&format!(
                    "UPDATE items SET note = note || '{batches}' WHERE id % 7 = {batches} % 7 {free};
                     UPDATE items SET note = note || '{batches}' WHERE id % 11 = {batches} % 11 {free};"
                ))
                .await;
            // A row is filled as it moves, whichever way it goes.
            assert_eq!(
                database
                    .value(&format!("SELECT count(*) FROM items WHERE note LIKE '%{batches}' AND label IS DISTINCT FROM code"))
                    .await,
                "0"
            );
            // The next place is looked for in a new process.
            program.signal(Signal::SIGINT);
            goes_on(program).exits(130);
            assert_ne!(
                database
                    .value("SELECT count(*) FROM items WHERE label IS DISTINCT FROM code")
                    .await,
                "0",
                "there is something left for the walk"
            );
        }
        assert_ne!(database.value(addresses).await, moved);
        database.crossfade(&["advance", "move"]).exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE label IS DISTINCT FROM code")
                .await,
            "0"
        );
        // One pass filled, the second found nothing: no row had to be looked for again.
        assert_eq!(
            database.value("SELECT pass FROM crossfade.walks").await,
            "2"
        );
        database
            .crossfade(&["advance", "move", "--to", "contract", "--yes"])
            .exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE label = 'c' || id")
                .await,
            "18000"
        );
    });
}

#[test]
fn updates_all_through_a_backfill_hide_no_row_from_it() {
    on_postgresql(async |database| {
        database.execute(ITEMS).await;
        start(database, &rename());
        database
            .crossfade(&["advance", "move", "--to", "dual_write"])
            .exits(0);
        let program = stopped_after(database, "move", "before its effect", 3).await;
        let moving = async |seed: i64| {
            let client = database.client().await;
            let mut moved = 0;
            let mut id = seed;
            loop {
                id = (id * 7919 + seed) % 20_000;
                moved += client
                    .execute("UPDATE items SET note = note || 'x' WHERE id = $1", &[&id])
                    .await
                    .expect("no update fails");
                let finished = client
                    .query_one("SELECT EXISTS (SELECT 1 FROM crossfade.walks WHERE finished_at IS NOT NULL)", &[])
                    .await
                    .expect("the walk can be read");
                if finished.get(0) {
                    return moved;
                }
            }
        };
        program.signal(Signal::SIGCONT);
        let (first, second) = tokio::join!(moving(17), moving(4241));
        assert!(first > 0 && second > 0);
        program.wait().exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE label IS DISTINCT FROM code")
                .await,
            "0"
        );
        assert_eq!(
            database.value("SELECT pass FROM crossfade.walks").await,
            "2"
        );
    });
}

#[test]
fn a_table_rewritten_in_the_middle_is_walked_from_its_start_again() {
    on_postgresql(async |database| {
        database.execute(ITEMS).await;
        start(database, &rename());
        let mut restarts = 0;
        for place in ["after its effect", "before its effect"] {
            let program = stopped_after(database, "move", place, 10).await;
            let filled = database
                .value("SELECT count(*) FROM items WHERE label IS NOT NULL")
                .await;
            if place == "before its effect" {
                // The batch's transaction has begun, and has not touched the table yet.
                database.execute("CLUSTER items USING items_pkey").await;
            } else {
                // Rows change their order, the first become the last.
                database
                    .execute("DELETE FROM items WHERE id % 3 = 0; UPDATE items SET note = 'moved' WHERE id < 5000")
                    .await;
                database.execute("VACUUM FULL items").await;
            }
            assert_ne!(filled, "20000");
            program.signal(Signal::SIGINT);
            let ran = goes_on(program).exits(130);
            restarts += ran.stderr.matches("rewritten").count();
        }
        // At a checkpoint of the process that was interrupted, or at the start of the next one: each once.
        assert_eq!(restarts, 2);
        database.crossfade(&["advance", "move"]).exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE label IS DISTINCT FROM code")
                .await,
            "0"
        );
        // And in one process, which finds it out at its checkpoint.
        database
            .crossfade(&["rollback", "move", "--to", "expand", "--yes"])
            .exits(0);
        let program = stopped_after(database, "move", "after its effect", 10).await;
        database.execute("VACUUM FULL items").await;
        let ran = goes_on(program).exits(0);
        assert!(ran.stderr.contains("rewritten"), "{}", ran.stderr);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE label IS DISTINCT FROM code")
                .await,
            "0"
        );
        database
            .crossfade(&["advance", "move", "--to", "verify"])
            .exits(0);
    });
}

#[test]
fn a_table_truncated_in_the_middle_ends_the_walk_and_what_comes_after_is_filled() {
    on_postgresql(async |database| {
        database.execute(ITEMS).await;
        start(database, &rename());
        let program = stopped_after(database, "move", "after its effect", 10).await;
        database
            .execute("TRUNCATE items; INSERT INTO items SELECT i, 'after ' || i FROM generate_series(1, 500) AS i")
            .await;
        goes_on(program).exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE label = code")
                .await,
            "500"
        );
        database
            .crossfade(&["advance", "move", "--to", "contract", "--yes"])
            .exits(0);
        assert_eq!(database.value("SELECT count(*) FROM items").await, "500");
    });
}

fn to_integer(settings: &str) -> String {
    plan(
        "convert",
        "change_column_type: {table: public.items, column: quantity, to: amount, type: integer, forward: 'quantity::integer', backward: 'amount::text'}",
        settings,
    )
}

fn waits_for_quarantine(database: &Database, rows: i64) -> Value {
    let advance = database.crossfade(&["advance", "convert"]).exits(3);
    assert!(advance.stderr.contains("quarantine"), "{}", advance.stderr);
    let status = database.status("convert");
    let waiting: Vec<&Value> = status["waiting"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|wait| &wait["kind"])
        .collect();
    assert_eq!(waiting, [&json!("quarantine_empty")]);
    assert_eq!(status["quarantined"], rows, "{status}");
    status
}

const QUARANTINE: &str = "SELECT jsonb_agg(jsonb_build_array(row_key, row_values, direction, sqlstate, error) ORDER BY id) FROM crossfade.quarantine";

async fn quarantine(database: &Database) -> Value {
    serde_json::from_str(&database.value(QUARANTINE).await).expect("JSON")
}

#[test]
fn a_value_that_the_new_type_cannot_take_is_written_noted_and_keeps_the_gate_closed() {
    on_postgresql(async |database| {
        database.execute(ITEMS).await;
        start(database, &to_integer(""));
        let program = stopped_after(database, "convert", "after its effect", 20).await;
        // The old version, behind the walk and in front of it.
        database
            .execute(
                "UPDATE items SET quantity = 'a dozen' WHERE id = 5; UPDATE items SET quantity = 'two' WHERE id = 19990;
                 INSERT INTO items VALUES (30001, 'c', 'none', '')",
            )
            .await;
        // What is not to be converted does not keep the row from being written.
        for note in ["one", "two", "three"] {
            database
                .execute(&format!(
                    "UPDATE items SET note = '{note}' WHERE id IN (5, 19990, 30001)"
                ))
                .await;
        }
        goes_on(program).exits(0);
        let noted = quarantine(database).await;
        let error = |value: &str| format!("invalid input syntax for type integer: \"{value}\"");
        assert_eq!(
            noted,
            json!([
                [{"id": 5}, {"quantity": "a dozen"}, "forward", "22P02", error("a dozen")],
                [{"id": 19990}, {"quantity": "two"}, "forward", "22P02", error("two")],
                [{"id": 30001}, {"quantity": "none"}, "forward", "22P02", error("none")],
            ]),
            "each row once"
        );
        assert_eq!(
            database.value("SELECT string_agg(quantity || coalesce(amount, -1), ',' ORDER BY id) FROM items WHERE id IN (5, 19990, 30001)").await,
            "a dozen-1,two-1,none-1"
        );
        waits_for_quarantine(database, 3);
        // The old version mends one, deletes another; the third stays.
        database
            .execute(
                "UPDATE items SET quantity = '12' WHERE id = 5; DELETE FROM items WHERE id = 19990",
            )
            .await;
        waits_for_quarantine(database, 1);
        // And the new version the last, once it is there.
        database
            .execute("UPDATE items SET amount = 0 WHERE id = 30001")
            .await;
        database.crossfade(&["advance", "convert"]).exits(0);
        assert_eq!(database.status("convert")["quarantined"], 0);
        database
            .crossfade(&["advance", "convert", "--to", "contract", "--yes"])
            .exits(0);
        assert_eq!(
            database.value("SELECT string_agg(amount::text, ',' ORDER BY id) FROM items WHERE id IN (5, 6, 30001)").await,
            "12,6,0"
        );
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE amount IS NULL")
                .await,
            "0"
        );
    });
}

#[test]
fn values_that_were_there_before_the_backfill_are_hunted_down_to_the_row() {
    on_postgresql(async |database| {
        database.execute(ITEMS).await;
        database
            .execute("UPDATE items SET quantity = 'many' WHERE id IN (100, 101, 10000); UPDATE items SET quantity = '99999999999' WHERE id = 20000")
            .await;
        database.execute("VACUUM FULL items").await;
        start(database, &to_integer(""));
        database
            .crossfade(&["advance", "convert", "--to", "backfill"])
            .exits(0);
        let rows: Vec<Value> = quarantine(database)
            .await
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| json!([entry[0]["id"], entry[1]["quantity"], entry[3]]))
            .collect();
        assert_eq!(
            Value::from(rows),
            json!([
                [100, "many", "22P02"],
                [101, "many", "22P02"],
                [10000, "many", "22P02"],
                [20000, "99999999999", "22003"]
            ])
        );
        assert_eq!(
            database
                .value(
                    "SELECT string_agg(id::text, ',' ORDER BY id) FROM items WHERE amount IS NULL"
                )
                .await,
            "100,101,10000,20000",
            "the rest is filled"
        );
        let status = waits_for_quarantine(database, 4);
        assert_eq!(status["backfill"]["rows_quarantined"], 4, "{status}");
        database
            .execute("UPDATE items SET quantity = '3' WHERE amount IS NULL")
            .await;
        database
            .crossfade(&["advance", "convert", "--to", "contract", "--yes"])
            .exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE amount IS NULL")
                .await,
            "0"
        );
    });
}

#[test]
fn too_many_rows_in_quarantine_pause_the_run_and_say_why() {
    on_postgresql(async |database| {
        database.execute(ITEMS).await;
        database
            .execute("UPDATE items SET quantity = 'many' WHERE id > 15000")
            .await;
        database.execute("VACUUM FULL items").await;
        start(database, &to_integer("  quarantine_max: 20\n"));
        let paused = database
            .crossfade(&["advance", "convert", "--to", "backfill"])
            .exits(4);
        let why = "20 rows are in quarantine: the expression does not fit the data";
        assert!(paused.stderr.contains(why), "{}", paused.stderr);
        let status = database.status("convert");
        assert_eq!(status["paused"]["reason"], why, "{status}");
        // The block at hand is done to its end.
        let quarantined = status["quarantined"].as_i64().expect("a number");
        assert!((20..200).contains(&quarantined), "{quarantined}");
        database
            .execute("UPDATE items SET quantity = '1' WHERE quantity = 'many'")
            .await;
        database.crossfade(&["resume", "convert"]).exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE amount IS DISTINCT FROM quantity::integer")
                .await,
            "0"
        );
        database
            .crossfade(&["advance", "convert", "--to", "verify"])
            .exits(0);
    });
}

#[test]
fn half_of_the_last_batches_failing_pauses_the_run_until_somebody_says_go_on() {
    on_postgresql(async |database| {
        database.execute(ITEMS).await;
        // Every batch of a few blocks has such a row; the limit of rows is far away.
        database
            .execute("UPDATE items SET quantity = 'many' WHERE id % 100 = 0; ALTER TABLE items SET (fillfactor = 10)")
            .await;
        database.execute("VACUUM FULL items").await;
        start(database, &to_integer(""));
        let paused = database
            .crossfade(&["advance", "convert", "--to", "backfill"])
            .exits(4);
        let why = "of the last 50 batches had rows that do not convert: the expression does not fit the data";
        assert!(paused.stderr.contains(why), "{}", paused.stderr);
        let status = database.status("convert");
        let reason = status["paused"]["reason"].as_str().expect("a reason");
        assert!(
            reason.contains(why) && reason.contains("crossfade tune convert"),
            "{reason}"
        );
        let quarantined = status["quarantined"].as_i64().expect("a number");
        assert!((25..190).contains(&quarantined), "{quarantined}");
        database
            .crossfade(&[
                "tune",
                "convert",
                "failed_batches_percent=0",
                "--reason",
                "these are known",
            ])
            .exits(0);
        database.crossfade(&["resume", "convert"]).exits(0);
        waits_for_quarantine(database, 200);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE amount IS NULL")
                .await,
            "200",
            "the rest is filled"
        );
    });
}

#[test]
fn a_value_of_the_new_version_that_the_old_type_cannot_take_is_noted_and_stops_going_back() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE items (id bigint PRIMARY KEY, quantity integer NOT NULL DEFAULT 1);
                 INSERT INTO items SELECT i, i FROM generate_series(1, 100) AS i;",
            )
            .await;
        start(
            database,
            &plan(
                "convert",
                "change_column_type: {table: public.items, column: quantity, to: amount, type: bigint}",
                "",
            ),
        );
        database
            .crossfade(&["advance", "convert", "--to", "backfill"])
            .exits(0);
        database
            .execute("UPDATE items SET amount = 3000000000 WHERE id = 5; INSERT INTO items (id, amount) VALUES (200, 4000000000)")
            .await;
        assert_eq!(
            database.value("SELECT string_agg(quantity || '/' || amount, ',' ORDER BY id) FROM items WHERE id IN (5, 200)").await,
            "5/3000000000,1/4000000000"
        );
        let noted = quarantine(database).await;
        assert_eq!(
            noted[0],
            json!([{"id": 5}, {"amount": 3_000_000_000_i64}, "backward", "22003", "integer out of range"])
        );
        assert_eq!(noted[1][0], json!({"id": 200}));
        waits_for_quarantine(database, 2);
        let schema = database.dump_schema();
        for arguments in [
            &["rollback", "convert", "--yes"][..],
            &["rollback", "convert", "--to", "expand", "--yes"],
        ] {
            let refused = database.crossfade(arguments).exits(1);
            assert!(
                refused.stderr.contains(r#"{"id": 5}"#)
                    && refused.stderr.contains("SQLSTATE 22003"),
                "{}",
                refused.stderr
            );
            assert_eq!(database.dump_schema(), schema);
        }
        // To where both columns are still there nothing is lost.
        database
            .crossfade(&["rollback", "convert", "--to", "dual_write", "--yes"])
            .exits(0);
        database.crossfade(&["advance", "convert"]).exits(0);
        database
            .execute("UPDATE items SET amount = 33 WHERE id IN (5, 200)")
            .await;
        database
            .crossfade(&["rollback", "convert", "--yes"])
            .exits(0);
        assert_eq!(
            database
                .value("SELECT string_agg(quantity::text, ',') FROM items WHERE id IN (5, 200)")
                .await,
            "33,33"
        );
    });
}

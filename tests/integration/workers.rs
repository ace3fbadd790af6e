//! Workers share a walk: whatever becomes of one of them, every range is done, and none twice.

use crate::support::{Database, on_postgresql, plan_file};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

const RUN: &str = "rename-status";

/// Several segments, in batches of a few rows, and each checkpoint noted as the database saw it.
async fn in_dual_write(database: &Database, workers: u32) {
    let pacing = format!("{{batch_target: 2ms, batch_rows_max: 40, workers: {workers}}}");
    in_dual_write_at(database, &pacing).await;
}

async fn in_dual_write_at(database: &Database, pacing: &str) {
    database
        .execute(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL, pad text NOT NULL) WITH (autovacuum_enabled = off); \
             ALTER TABLE vehicles ALTER pad SET STORAGE PLAIN; \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7, repeat('x', 3900) FROM generate_series(1, 8200) AS i",
        )
        .await;
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n\
         settings: {{pacing: {pacing}}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
    database
        .crossfade(&["advance", RUN, "--to", "dual_write"])
        .exits(0);
    database
        .execute(
            "CREATE TABLE public.checkpoints (n bigint GENERATED ALWAYS AS IDENTITY, pass integer, number integer, start_block bigint, \
                                             block_before bigint, block_after bigint, end_block bigint, holder text); \
             CREATE FUNCTION public.note_checkpoint() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ \
             BEGIN \
                 INSERT INTO public.checkpoints (pass, number, start_block, block_before, block_after, end_block, holder) \
                     SELECT w.pass, new.number, new.start_block, old.next_block, new.next_block, new.end_block, k.holder \
                     FROM crossfade.walks AS w LEFT JOIN crossfade.workers AS k ON k.id = new.worker \
                     WHERE w.run_id = new.run_id AND w.step = new.step AND new.step LIKE 'fill:%'; \
                 RETURN new; \
             END $$; \
             CREATE TRIGGER note AFTER UPDATE OF next_block ON crossfade.segments FOR EACH ROW EXECUTE FUNCTION public.note_checkpoint(); \
             ALTER TABLE crossfade.segments ENABLE ALWAYS TRIGGER note;",
        )
        .await;
}

/// Every segment was done from its start to its end, each batch where the one before had ended, and every row is filled.
async fn each_range_once(database: &Database) {
    let wrong = database
        .value(
            "SELECT count(*) FROM (SELECT block_before IS DISTINCT FROM lag(block_after, 1, start_block) OVER (PARTITION BY pass, number ORDER BY n) \
             OR block_after <= block_before AS wrong FROM checkpoints) AS c WHERE wrong",
        )
        .await;
    assert_eq!(wrong, "0", "each batch begins where the one before ended");
    let unfinished = database
        .value("SELECT count(*) FROM (SELECT 1 FROM checkpoints GROUP BY pass, number HAVING max(block_after) <> max(end_block)) AS s")
        .await;
    assert_eq!(unfinished, "0");
    let segments = database
        .value("SELECT count(DISTINCT number) >= 4 FROM checkpoints WHERE pass = 1")
        .await;
    assert_eq!(segments, "true", "there was something to share");
    let left = database
        .value("SELECT count(*) FROM vehicles WHERE vehicle_status IS DISTINCT FROM status")
        .await;
    assert_eq!(left, "0");
    // The row of one that was killed is cleared away by the next that comes.
    database
        .wait_until(
            "SELECT NOT EXISTS (SELECT 1 FROM crossfade.workers AS w JOIN pg_stat_activity AS a \
             ON a.pid = w.backend_pid AND a.backend_start = w.backend_start)",
        )
        .await;
}

const SOME_DONE: &str = "SELECT count(*) > 20 FROM checkpoints";

#[test]
fn a_helper_in_another_process_speeds_a_backfill_up_and_no_range_is_done_twice() {
    on_postgresql(async |database| {
        in_dual_write(database, 1).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database.wait_until(SOME_DONE).await;
        let helper = database.spawn(&[], &["work", RUN, "--format", "json"]);
        database
            .wait_until("SELECT count(DISTINCT holder) = 2 FROM checkpoints")
            .await;
        let status = database.status(RUN);
        assert_eq!(status["backfill"]["pace"]["workers"], 2);
        driver.wait().exits(0);
        let helped = helper.wait().exits(0).json();
        assert!(
            helped["batches"]
                .as_u64()
                .is_some_and(|batches| batches > 0)
        );
        each_range_once(database).await;
    });
}

#[test]
fn workers_of_one_process_share_the_segments() {
    on_postgresql(async |database| {
        in_dual_write(database, 3).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database
            .wait_until("SELECT count(DISTINCT worker) = 3 FROM crossfade.segments WHERE next_block < end_block")
            .await;
        driver.wait().exits(0);
        each_range_once(database).await;
    });
}

#[test]
fn a_helper_that_is_killed_anywhere_loses_at_most_its_batch() {
    on_postgresql(async |database| {
        in_dual_write(database, 1).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database.wait_until(SOME_DONE).await;
        for place in ["before its effect", "in its effect", "after its effect"] {
            let failpoint = format!("kill:fill:public.vehicles batch: {place}#5");
            let helper = database.spawn(&[("CROSSFADE_FAILPOINT", &failpoint)], &["work", RUN]);
            assert_eq!(helper.wait().code, None, "killed by its failpoint");
        }
        driver.wait().exits(0);
        each_range_once(database).await;
    });
}

#[test]
fn a_helper_goes_on_when_the_driver_is_killed_and_the_next_driver_finishes() {
    on_postgresql(async |database| {
        in_dual_write(database, 1).await;
        let failpoint = "kill:fill:public.vehicles batch: in its effect#30";
        let driver = database.spawn(&[("CROSSFADE_FAILPOINT", failpoint)], &["advance", RUN]);
        database.wait_until(SOME_DONE).await;
        let helper = database.spawn(&[], &["work", RUN]);
        assert_eq!(driver.wait().code, None);
        helper.wait().exits(0);
        let left = database
            .value("SELECT count(*) FROM crossfade.segments WHERE next_block < end_block")
            .await;
        assert_eq!(left, "0", "the helper did what was left of the pass");
        database.crossfade(&["advance", RUN]).exits(0);
        each_range_once(database).await;
    });
}

#[test]
fn a_worker_that_was_stopped_for_too_long_finds_its_segment_taken_and_writes_nothing() {
    on_postgresql(async |database| {
        in_dual_write(database, 1).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database.wait_until(SOME_DONE).await;
        let failpoint = "stop:fill:public.vehicles batch: after its effect#3";
        let helper = database.spawn(&[("CROSSFADE_FAILPOINT", failpoint)], &["work", RUN]);
        helper.wait_until_stopped();
        // As after the fifteen seconds that a heartbeat may be old.
        database
            .execute(
                "UPDATE crossfade.workers SET heartbeat = heartbeat - interval '1 minute' \
                 WHERE holder NOT IN (SELECT holder FROM crossfade.leases)",
            )
            .await;
        driver.wait().exits(0);
        helper.signal(Signal::SIGCONT);
        helper.wait().exits(0);
        each_range_once(database).await;
    });
}

#[test]
fn a_helper_waits_while_the_run_is_paused_and_goes_on_with_it() {
    on_postgresql(async |database| {
        in_dual_write(database, 1).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database.wait_until(SOME_DONE).await;
        let mut helper = database.spawn(&[], &["work", RUN]);
        database
            .wait_until("SELECT count(DISTINCT holder) = 2 FROM checkpoints")
            .await;
        database
            .crossfade(&["pause", RUN, "--reason", "lunch"])
            .exits(0);
        driver.wait().exits(4);
        database
            .wait_until("SELECT NOT EXISTS (SELECT 1 FROM crossfade.workers)")
            .await;
        let done = database.value("SELECT max(n) FROM checkpoints").await;
        assert!(!helper.has_ended());
        assert_eq!(database.value("SELECT max(n) FROM checkpoints").await, done);
        database.crossfade(&["resume", RUN]).exits(0);
        helper.wait().exits(0);
        each_range_once(database).await;
    });
}

#[test]
fn there_is_nothing_to_help_with_where_nothing_is_walked() {
    on_postgresql(async |database| {
        in_dual_write(database, 1).await;
        let ran = database.crossfade(&["work", RUN]).exits(0);
        assert!(
            ran.stdout.contains("nothing to help with"),
            "{}",
            ran.stdout
        );
        let ran = database.crossfade(&["work", "nobody"]).exits(1);
        assert!(ran.stderr.contains("no run named nobody"), "{}", ran.stderr);
    });
}

#[test]
fn tuned_limits_take_effect_at_once_expire_by_themselves_and_are_in_the_log() {
    on_postgresql(async |database| {
        in_dual_write(database, 1).await;
        let refused = database
            .crossfade(&["tune", RUN, "workers=many", "--reason", "why not"])
            .exits(1);
        assert!(
            refused.stderr.contains("workers=many"),
            "{}",
            refused.stderr
        );
        assert_eq!(
            database
                .value("SELECT count(*) FROM crossfade.tunings")
                .await,
            "0"
        );

        // So that it is under way when the limits change, however fast the machine is.
        batches_wait(database, 0.02).await;
        database.execute(WAITING).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database.wait_until(SOME_DONE).await;
        database
            .crossfade(&[
                "tune",
                RUN,
                "workers=3",
                "batch_rows_max=11",
                "--reason",
                "the night is quiet",
            ])
            .exits(0);
        database
            .wait_until("SELECT count(*) = 3 FROM crossfade.workers")
            .await;
        let tuned = database.status(RUN)["backfill"]["pace"]["tuned"].clone();
        assert_eq!(tuned[1]["key"], "workers");
        assert_eq!(tuned[1]["reason"], "the night is quiet");
        database
            .crossfade(&[
                "tune",
                RUN,
                "workers=3",
                "batch_rows_max=11",
                "--for",
                "1s",
                "--reason",
                "not for long any more",
            ])
            .exits(0);
        database
            .wait_until("SELECT count(*) <= 1 FROM crossfade.workers")
            .await;
        assert_eq!(
            database.status(RUN)["backfill"]["pace"]["tuned"],
            serde_json::json!([])
        );
        database.execute("DROP TRIGGER wait ON vehicles").await;
        driver.wait().exits(0);
        each_range_once(database).await;
        let history = database.crossfade(&["history", RUN, "--verify"]).exits(0);
        assert!(
            history.stdout.contains("the night is quiet"),
            "{}",
            history.stdout
        );
    });
}

/// Each batch waits for so long, as if for a disk: so it is not the cores that bound a backfill.
async fn batches_wait(database: &Database, seconds: f64) {
    database
        .execute(&format!(
            "CREATE OR REPLACE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$"
        ))
        .await;
}

/// What `batches_wait` says becomes so.
const WAITING: &str = "
    CREATE TRIGGER wait AFTER UPDATE ON vehicles FOR EACH STATEMENT EXECUTE FUNCTION public.wait();
    ALTER TABLE vehicles ENABLE ALWAYS TRIGGER wait;
";

/// Blocks in a second, in the time that begins now.
async fn speed(database: &Database) -> f64 {
    let done = async || {
        let done = "SELECT sum(block_after - block_before) FROM checkpoints";
        database.value(done).await.parse::<f64>().expect("a number")
    };
    let (began, before) = (Instant::now(), done().await);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    (done().await - before) / began.elapsed().as_secs_f64()
}

#[test]
fn each_worker_that_is_added_speeds_a_running_backfill_up_within_seconds() {
    on_postgresql(async |database| {
        let pacing = "{batch_target: 1s, batch_rows_max: 10, workers: 1}";
        in_dual_write_at(database, pacing).await;
        batches_wait(database, 0.04).await;
        database.execute(WAITING).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database
            .wait_until("SELECT count(*) > 5 FROM checkpoints")
            .await;
        let alone = speed(database).await;

        let asked = Instant::now();
        let tune = ["tune", RUN, "workers=2", "--reason", "there is room"];
        database.crossfade(&tune).exits(0);
        let at_work = "SELECT count(DISTINCT worker) FROM crossfade.segments WHERE next_block > start_block AND next_block < end_block";
        database
            .wait_until(&format!("SELECT ({at_work}) = 2"))
            .await;
        let until_two = asked.elapsed();
        let two = speed(database).await;

        let asked = Instant::now();
        let helper = database.spawn(&[], &["work", RUN]);
        database
            .wait_until(&format!("SELECT ({at_work}) = 4"))
            .await;
        let until_four = asked.elapsed();
        let four = speed(database).await;

        let seen = format!(
            "{alone} blocks a second, after {until_two:?} {two}, after {until_four:?} {four}"
        );
        assert!(two > 1.5 * alone && four > 1.5 * two, "{seen}");
        assert!(until_two.max(until_four) < Duration::from_secs(5), "{seen}");
        batches_wait(database, 0.0).await;
        driver.wait().exits(0);
        helper.wait().exits(0);
        each_range_once(database).await;
    });
}

#[test]
fn a_driver_begins_with_the_size_that_the_batches_of_the_one_before_had_come_to() {
    on_postgresql(async |database| {
        // From 32 blocks at most half as much again each time, up to 200.
        let pacing = "{batch_target: 2s, batch_rows_max: 400}";
        in_dual_write_at(database, pacing).await;
        batches_wait(database, 0.12).await;
        database.execute(WAITING).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database
            .wait_until("SELECT batch_blocks > 150 FROM crossfade.walks WHERE step LIKE 'fill:%'")
            .await;
        driver.signal(Signal::SIGKILL);
        assert_eq!(driver.wait().code, None);
        let first = "SELECT block_after - block_before FROM checkpoints ORDER BY n LIMIT 1";
        assert_eq!(database.value(first).await, "32");
        let killed_at = database.value("SELECT max(n) FROM checkpoints").await;
        batches_wait(database, 0.0).await;
        database.crossfade(&["advance", RUN]).exits(0);
        // The one that a segment's end had cut short may be the first.
        let next = format!(
            "SELECT max(blocks) > 150 FROM (SELECT block_after - block_before AS blocks FROM checkpoints WHERE n > {killed_at} ORDER BY n LIMIT 2) AS c"
        );
        assert_eq!(database.value(&next).await, "true");
        each_range_once(database).await;
    });
}

#[test]
fn a_batch_that_has_to_wait_for_its_own_record_is_tried_again() {
    on_postgresql(async |database| {
        in_dual_write(database, 2).await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database.wait_until(SOME_DONE).await;
        let client = database.client().await;
        client
            .batch_execute("BEGIN; SELECT FROM crossfade.segments FOR UPDATE")
            .await
            .expect("the rows are locked");
        // Longer than a batch may wait, several times over.
        database
            .wait_until(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%crossfade.segments FOR UPDATE' \
                 AND clock_timestamp() - xact_start > interval '600 ms')",
            )
            .await;
        client.batch_execute("COMMIT").await.expect("they are free");
        driver.wait().exits(0);
        each_range_once(database).await;
    });
}

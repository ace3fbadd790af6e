//! Two runs on one table: what the one moves is not hidden from the other.

use crate::support::{Background, Database, on_postgresql, plan_file};
use nix::sys::signal::Signal;

const NOT_IN_STEP: &str = "SELECT count(*) FROM vehicles WHERE state IS DISTINCT FROM status";

/// A rename and a conversion, both with their triggers in place.
async fn two_runs(database: &Database) {
    database
        .execute(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL, quantity text NOT NULL, pad text NOT NULL) WITH (autovacuum_enabled = off); \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7, i % 100, repeat('x', 900) FROM generate_series(1, 2000) AS i",
        )
        .await;
    for (run, change) in [
        (
            "rename",
            "rename_column: {table: public.vehicles, from: status, to: state}",
        ),
        (
            "convert",
            "change_column_type: {table: public.vehicles, column: quantity, to: amount, type: integer, forward: 'quantity::integer', backward: 'amount::text'}",
        ),
    ] {
        let file = plan_file(&format!(
            "version: 1\nname: {run}\nchange:\n  {change}\nsettings: {{pacing: {{batch_target: 2ms, batch_rows_max: 100}}}}\n"
        ));
        let path = file.path().to_str().expect("a path");
        database.crossfade(&["start", path]).exits(0);
    }
    to(database, "rename", "dual_write");
    to(database, "convert", "dual_write");
}

fn to(database: &Database, run: &str, phase: &str) {
    database
        .crossfade(&["advance", run, "--to", phase])
        .exits(0);
}

/// The run, stopped where `place` says.
fn stopped_at(database: &Database, run: &str, phase: &str, place: &str) -> Background {
    let failpoint = format!("stop:{place}");
    let driver = database.spawn(
        &[("CROSSFADE_FAILPOINT", &failpoint)],
        &["advance", run, "--to", phase],
    );
    driver.wait_until_stopped();
    driver
}

#[test]
fn rows_that_another_backfill_moves_out_of_a_walks_way_are_filled() {
    on_postgresql(async |database| {
        two_runs(database).await;
        let place = "fill:public.vehicles pass 1: after its record";
        let rename = stopped_at(database, "rename", "backfill", place);
        // Past the end, as the walk has seen it, without a trigger of the rename's being fired.
        to(database, "convert", "backfill");
        rename.signal(Signal::SIGCONT);
        rename.wait().exits(0);
        assert_eq!(database.value(NOT_IN_STEP).await, "0");
    });
}

#[test]
fn rows_that_a_backfill_moved_which_was_undone_meanwhile_are_filled() {
    on_postgresql(async |database| {
        two_runs(database).await;
        let place = "fill:public.vehicles pass 1: after its record";
        let rename = stopped_at(database, "rename", "backfill", place);
        to(database, "convert", "backfill");
        // Of its walk nothing is left.
        database
            .crossfade(&["rollback", "convert", "--yes"])
            .exits(0);
        rename.signal(Signal::SIGCONT);
        rename.wait().exits(0);
        assert_eq!(database.value(NOT_IN_STEP).await, "0");
    });
}

#[test]
fn a_difference_that_another_backfill_moves_out_of_a_comparisons_way_is_found() {
    on_postgresql(async |database| {
        two_runs(database).await;
        to(database, "rename", "backfill");
        database
            .execute("SET session_replication_role = replica; UPDATE vehicles SET state = 'by nobody' WHERE id = 1000")
            .await;
        let place = "match:public.vehicles pass 1: after its record";
        let rename = stopped_at(database, "rename", "verify", place);
        to(database, "convert", "backfill");
        rename.signal(Signal::SIGCONT);
        let ran = rename.wait().exits(5);
        assert!(ran.stderr.contains("1 of 2000 rows"), "{}", ran.stderr);
    });
}

#[test]
fn a_pass_waits_for_the_backfill_of_another_run_and_says_so() {
    on_postgresql(async |database| {
        two_runs(database).await;
        let place = "fill:public.vehicles pass 1: after its record";
        let rename = stopped_at(database, "rename", "verify", place);
        let place = "fill:public.vehicles batch: after its effect#3";
        let convert = stopped_at(database, "convert", "backfill", place);
        rename.signal(Signal::SIGCONT);
        let waits = "SELECT EXISTS (SELECT 1 FROM crossfade.walks AS w JOIN crossfade.runs AS r ON r.id = w.run_id \
                     WHERE r.name = 'rename' AND w.reasons::text LIKE '%convert%')";
        database.wait_until(waits).await;
        let text = database.crossfade(&["status", "rename"]).exits(0).stdout;
        let said = "waits for the run convert, which moves rows of public.vehicles";
        assert!(text.contains(said), "{text}");
        // The rows that it passed are not passed again while it waits.
        let pass = "SELECT pass::text FROM crossfade.walks AS w JOIN crossfade.runs AS r ON r.id = w.run_id WHERE r.name = 'rename'";
        assert_eq!(database.value(pass).await, "1");
        convert.signal(Signal::SIGCONT);
        convert.wait().exits(0);
        let told = rename.wait().exits(0).stderr;
        assert!(told.contains(said), "{told}");
        assert_eq!(database.value(NOT_IN_STEP).await, "0");
        let converted =
            "SELECT count(*) FROM vehicles WHERE amount IS DISTINCT FROM quantity::integer";
        assert_eq!(database.value(converted).await, "0");
    });
}

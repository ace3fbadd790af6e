//! Before the oracle is trusted: what is deliberately broken must make it fail, and what is sound must not.
//!
//! Everything is broken from outside, by SQL, as no code of the product does it. The backfill repeats its passes until
//! one finds nothing, and so heals much of this by itself (`a_further_pass_heals_…`): to see whether the oracle would
//! notice, its count of the first pass is set to zero, so that it believes that it needs no second one.

use crate::support::{Database, on_postgresql, plan};
use crossfade::demo::traffic::{Options, Shape, Traffic, Version, create_table};

/// Some 130 blocks, full: a row that grows must move.
const ROWS: u64 = 10_000;
const RUN: &str = "rename-vehicle-status";
const BACKFILL: [&str; 4] = ["advance", RUN, "--to", "backfill"];

/// What is broken, and when.
#[derive(Clone, Copy)]
enum Broken {
    Nothing,
    /// After `dual_write`.
    Triggers(&'static str),
    /// After the first batch.
    Checkpoint(&'static str),
}

/// They are in place, as the gates ask, and do nothing.
const NO_TRIGGERS: &str = "
    DO $$ BEGIN
        EXECUTE (
            SELECT format('CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS %L', oid::regproc, 'BEGIN RETURN new; END')
            FROM pg_proc WHERE proname LIKE 'sync\\_%');
    END $$;
";
/// The sync itself is right; what is missing is that a row that moves is filled.
const ONLY_WHERE_THE_COLUMN_CHANGES: &str = "
    DO $$ BEGIN
        EXECUTE (
            SELECT format('CREATE OR REPLACE TRIGGER %I BEFORE UPDATE ON vehicles FOR EACH ROW
                           WHEN (new.status IS DISTINCT FROM old.status OR new.vehicle_status IS DISTINCT FROM old.vehicle_status)
                           EXECUTE FUNCTION %s()', tgname, tgfoid::regproc)
            FROM pg_trigger WHERE tgrelid = 'vehicles'::regclass AND tgname LIKE '%\\_u');
    END $$;
";
const AHEAD_OF_THE_DATA: &str = "UPDATE crossfade.segments SET next_block = next_block + 20";

/// Whether the backfill may look again.
#[derive(Clone, Copy, PartialEq)]
enum Passes {
    One,
    UntilNothingIsFound,
}

/// What the oracle says.
#[derive(Debug)]
struct Seen {
    /// Rows that the first pass left unfilled.
    missed_by_pass_1: i64,
    /// Of the backfill.
    passes: i64,
    /// The exit code of the phase `verify`.
    verify: Option<i32>,
    /// Rows that are not as the clients' ledger says, in the new column and in the old one.
    ledger_new: usize,
    ledger_old: usize,
    /// What the clients noticed by themselves: a statement that failed, or one that read another value than was written.
    complaints: Vec<String>,
}

async fn kill_at(database: &Database, failpoint: &str) {
    let killed = database.crossfade_with(
        &[("CROSSFADE_FAILPOINT", &format!("kill:{failpoint}"))],
        &BACKFILL,
    );
    assert_eq!(killed.code, None, "{failpoint}: {}", killed.stderr);
    database
        .wait_until(
            "SELECT count(*) = 0 FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'crossfade%'",
        )
        .await;
}

/// The scenario: stop in the middle of the walk; clients, most of whose updates are of unrelated columns, move rows in
/// front of it and behind it; the walk goes on.
async fn scenario(database: &Database, broken: Broken, passes: Passes) -> Seen {
    create_table(&database.client().await, ROWS)
        .await
        .expect("the table");
    let file = plan("vehicles-rename-status.yaml");
    database
        .crossfade(&["start", file.to_str().expect("a path")])
        .exits(0);
    database
        .crossfade(&["advance", RUN, "--to", "dual_write"])
        .exits(0);
    if let Broken::Triggers(sql) = broken {
        database.execute(sql).await;
        // As if the run had made them so: else it tells that they were changed, and stops.
        database
            .execute("UPDATE crossfade.runs SET sync_stood = NULL")
            .await;
    }
    let options = Options {
        clients_per_version: 2,
        initial_rows: ROWS,
        ..Options::default()
    };
    let traffic = Traffic::start(&database.url, Shape::demo(), options)
        .await
        .expect("traffic");
    traffic
        .start_version(Version::New)
        .await
        .expect("the new version");
    kill_at(database, "fill:public.vehicles batch: after its effect").await;
    if let Broken::Checkpoint(sql) = broken {
        database.execute(sql).await;
    }
    // What the first batch left dead makes room behind the walk.
    database.execute("VACUUM vehicles").await;
    traffic.wait_for_operations(2_000).await;
    // Unrelated columns only, of every 50th row, so that it is sure that there are some on either side.
    database
        .execute("UPDATE vehicles SET note = repeat('moved ', 100) WHERE id % 50 = 0")
        .await;
    kill_at(database, "fill:public.vehicles pass 2: before its record").await;
    let report = traffic.stop().await;
    let missed_by_pass_1 = database
        .value("SELECT count(*) FROM vehicles WHERE vehicle_status IS NULL")
        .await;
    if passes == Passes::One {
        database
            .execute("UPDATE crossfade.segments SET rows_changed = 0")
            .await;
    }
    database.crossfade(&BACKFILL).exits(0);
    let passes = database
        .value("SELECT pass FROM crossfade.walks WHERE step = 'fill:public.vehicles'")
        .await;
    let verify = database.crossfade(&["advance", RUN, "--to", "verify"]).code;
    let client = database.client().await;
    let mut differing = Vec::new();
    for column in ["vehicle_status", "status"] {
        let differences = report.ledger.compare(&client, column).await;
        differing.push(differences.expect("compared").len());
    }
    Seen {
        complaints: report.errors,
        missed_by_pass_1: missed_by_pass_1.parse().expect("a count"),
        passes: passes.parse().expect("a number"),
        verify,
        ledger_new: differing[0],
        ledger_old: differing[1],
    }
}

#[test]
fn a_sound_build_passes_every_oracle_and_its_first_pass_misses_nothing() {
    on_postgresql(async |database| {
        let seen = scenario(database, Broken::Nothing, Passes::One).await;
        assert_eq!(seen.missed_by_pass_1, 0, "{seen:?}");
        assert_eq!(seen.verify, Some(0), "{seen:?}");
        assert_eq!((seen.ledger_new, seen.ledger_old), (0, 0), "{seen:?}");
        assert!(seen.complaints.is_empty(), "{seen:?}");
    });
    on_postgresql(async |database| {
        let seen = scenario(database, Broken::Nothing, Passes::UntilNothingIsFound).await;
        assert_eq!((seen.passes, seen.verify), (2, Some(0)), "{seen:?}");
        assert_eq!((seen.ledger_new, seen.ledger_old), (0, 0), "{seen:?}");
        assert!(seen.complaints.is_empty(), "{seen:?}");
    });
}

/// The verification compares both columns; the ledger, what the clients know that they wrote.
#[test]
fn without_triggers_verification_and_the_ledger_of_both_columns_fail() {
    on_postgresql(async |database| {
        let seen = scenario(database, Broken::Triggers(NO_TRIGGERS), Passes::One).await;
        assert!(seen.missed_by_pass_1 > 0, "{seen:?}");
        assert_eq!(seen.verify, Some(5), "{seen:?}");
        assert!(seen.ledger_new > 0 && seen.ledger_old > 0, "{seen:?}");
    });
}

/// No later pass copies the old column over what the new version wrote: verification tells it too.
#[test]
fn without_triggers_further_passes_overwrite_nothing_and_verification_and_the_ledger_fail() {
    on_postgresql(async |database| {
        let broken = Broken::Triggers(NO_TRIGGERS);
        let seen = scenario(database, broken, Passes::UntilNothingIsFound).await;
        assert_eq!(seen.verify, Some(5), "{seen:?}");
        assert!(seen.ledger_new > 0 && seen.ledger_old > 0, "{seen:?}");
    });
}

#[test]
fn a_trigger_that_fires_only_when_the_column_changes_loses_rows_that_move_and_verification_and_ledger_fail()
 {
    on_postgresql(async |database| {
        let broken = Broken::Triggers(ONLY_WHERE_THE_COLUMN_CHANGES);
        let seen = scenario(database, broken, Passes::One).await;
        assert!(seen.missed_by_pass_1 > 0, "{seen:?}");
        assert_eq!(seen.verify, Some(5), "{seen:?}");
        assert!(seen.ledger_new > 0, "{seen:?}");
        assert_eq!(
            seen.ledger_old, 0,
            "the old side is the truth still: {seen:?}"
        );
    });
}

/// Here the oracle is the number of passes: two in a sound build, the second of which finds nothing.
#[test]
fn a_further_pass_heals_rows_that_moved_past_such_a_trigger_and_their_number_shows_it() {
    on_postgresql(async |database| {
        let broken = Broken::Triggers(ONLY_WHERE_THE_COLUMN_CHANGES);
        let seen = scenario(database, broken, Passes::UntilNothingIsFound).await;
        assert!(seen.missed_by_pass_1 > 0, "{seen:?}");
        assert!(seen.passes > 2, "{seen:?}");
        assert_eq!(seen.verify, Some(0), "{seen:?}");
        assert_eq!((seen.ledger_new, seen.ledger_old), (0, 0), "{seen:?}");
    });
}

#[test]
fn a_checkpoint_ahead_of_the_data_makes_verification_and_the_ledger_fail() {
    on_postgresql(async |database| {
        let seen = scenario(database, Broken::Checkpoint(AHEAD_OF_THE_DATA), Passes::One).await;
        assert!(seen.missed_by_pass_1 > 0, "{seen:?}");
        assert_eq!(seen.verify, Some(5), "{seen:?}");
        assert!(seen.ledger_new > 0, "{seen:?}");
        assert_eq!(
            seen.ledger_old, 0,
            "the old side is the truth still: {seen:?}"
        );
    });
}

/// The same with the passes that the product makes: the second finds what the checkpoint jumped over.
#[test]
fn a_further_pass_heals_a_checkpoint_ahead_of_the_data_and_their_number_shows_it() {
    on_postgresql(async |database| {
        let broken = Broken::Checkpoint(AHEAD_OF_THE_DATA);
        let seen = scenario(database, broken, Passes::UntilNothingIsFound).await;
        assert!(seen.missed_by_pass_1 > 0, "{seen:?}");
        assert!(seen.passes > 2, "{seen:?}");
        assert_eq!(seen.verify, Some(0), "{seen:?}");
        assert_eq!((seen.ledger_new, seen.ledger_old), (0, 0), "{seen:?}");
    });
}

/// The last line: a verification whose own checkpoint is ahead of the data says that nothing differs. That it is blind
/// shows in the rows that it counts, and in the ledger.
#[test]
fn a_verification_that_skipped_blocks_is_told_by_the_ledger_and_by_the_rows_it_counts() {
    on_postgresql(async |database| {
        let client = database.client().await;
        create_table(&client, ROWS).await.expect("the table");
        let file = plan("vehicles-rename-status.yaml");
        database
            .crossfade(&["start", file.to_str().expect("a path")])
            .exits(0);
        let traffic = Traffic::start(
            &database.url,
            Shape::demo(),
            Options {
                clients_per_version: 1,
                initial_rows: ROWS,
                ..Options::default()
            },
        )
        .await
        .expect("traffic");
        database.crossfade(&BACKFILL).exits(0);
        let report = traffic.stop().await;
        database
            .execute("SET session_replication_role = replica; UPDATE vehicles SET vehicle_status = 'forged' WHERE id % 10 = 0")
            .await;
        let killed = database.crossfade_with(
            &[(
                "CROSSFADE_FAILPOINT",
                "kill:match:public.vehicles pass 1: after its record",
            )],
            &["advance", RUN, "--to", "verify"],
        );
        assert_eq!(killed.code, None, "{}", killed.stderr);
        database
            .wait_until(
                "SELECT count(*) = 0 FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name LIKE 'crossfade%'",
            )
            .await;
        database
            .execute(
                "UPDATE crossfade.segments SET next_block = end_block WHERE step LIKE 'match%'",
            )
            .await;
        database
            .crossfade(&["advance", RUN, "--to", "verify"])
            .exits(0);
        let checked = database
            .value("SELECT rows_checked FROM crossfade.verifications")
            .await;
        assert_eq!(checked, "0");
        let differences = report.ledger.compare(&client, "vehicle_status").await;
        assert!(!differences.expect("compared").is_empty());
        // Asked again, with a checkpoint of its own, it sees them.
        database.crossfade(&["verify", RUN]).exits(5);
    });
}

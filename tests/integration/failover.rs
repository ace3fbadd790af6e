//! The primary is lost in every phase and a standby promoted, which lacks what was committed last: the run goes on there,
//! and what is lost is lost for the application and the run alike.

use crate::crash_everywhere::failpoints;
use crate::support::{
    Background, Database, Ran,
    application::Options,
    cases::{Case, TWO_SIDED},
    command, connect, faults_table, on_postgresql,
    standby::Pair,
    walk::{self, Walk, Ways},
};
use std::time::Duration;

/// Rows that the backfill filled, counted by the database in the transaction that filled them.
const COUNTED: &str = "
    CREATE TABLE filled (id bigint NOT NULL);
    CREATE FUNCTION note_fill() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO public.filled VALUES (new.id); RETURN NULL; END $$;
    CREATE TRIGGER note_fill AFTER UPDATE ON vehicles FOR EACH ROW
        WHEN (current_setting('application_name') LIKE 'crossfade/%') EXECUTE FUNCTION note_fill();
    ALTER TABLE vehicles ENABLE ALWAYS TRIGGER note_fill;
";
const PLAN: &str = "version: 1\nname: rename-status\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\n\
    settings: {pacing: {batch_target: 20ms, batch_rows_max: 10, vacuum_percent: 0}}\n";
/// A driver that finds the new primary, or ends, does so within this.
const PATIENCE: Duration = Duration::from_secs(90);

fn case() -> Case {
    let case = TWO_SIDED[0];
    assert_eq!(case.plan, "vehicles-rename-status.yaml");
    Case { plan: PLAN, ..case }
}

/// Where to stop in each phase: in the middle of what an undisturbed run passes.
async fn places(database: &Database, case: Case) -> Vec<String> {
    let copy = database.copy().await;
    let file = crate::support::plan_file(case.plan);
    let path = file.path().to_str().expect("a path");
    copy.crossfade(&["start", path]).exits(0);
    let status = copy.status("rename-status");
    let phases = status["phases"].as_array().expect("phases").clone();
    let mut places = Vec::new();
    for phase in phases {
        let phase = phase["name"].as_str().expect("a name");
        let forward = ["advance", "rename-status", "--to", phase, "--yes"];
        let passed = failpoints(&copy, &forward);
        let (name, times) = &passed[passed.len() / 2];
        places.push(format!("{name}#{}", times.div_ceil(2)));
    }
    copy.remove().await;
    places
}

/// The end of a program that may have to find the new primary first.
fn end_of(mut driver: Background) -> Ran {
    let looks = PATIENCE.as_millis() / 20;
    for _ in 0..looks {
        if driver.has_ended() {
            return driver.wait();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the driver is neither at the new primary nor at its end after {PATIENCE:?}");
}

/// The driver stands in the middle of the phase, the standby lacks what it did and what the application wrote since, and
/// becomes the primary.
async fn promoted_in_the_middle(walk: &Walk, pair: &mut Pair, phase: &str, place: &str) {
    let behind = pair.fall_behind().await;
    let mut driver = command(&walk.ways.program, &walk.forward(phase));
    driver.env("CROSSFADE_FAILPOINT", format!("stop:{place}"));
    let driver = Background::start(driver);
    driver.wait_until_stopped();
    for slot in [0, 1] {
        if walk.serves(slot) {
            walk.application.work(slot, 10).await;
        }
    }
    pair.fail_over(Some(behind)).await;
    driver.signal(nix::sys::signal::Signal::SIGCONT);
    let ran = end_of(driver);
    assert!(ran.code.is_some(), "{phase}: {}", ran.stderr);
    pair.add_standby().await;
    let ran = walk.crossfade(&walk.forward(phase));
    assert_eq!(ran.code, Some(0), "{phase}: {}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_standby_promoted_in_every_phase_goes_on_with_the_run_and_both_have_lost_the_same() {
    on_postgresql(async |database| {
        walk::tables(database).await;
        database.execute(COUNTED).await;
        let case = case();
        let places = places(database, case).await;
        let Some(mut pair) = Pair::of(database).await else {
            return;
        };
        let url = pair.url();
        let options = Options {
            patience: Duration::from_secs(2),
            ..Options::default()
        };
        let walk = Walk::start(case, Ways::direct(&url), options).await;
        for (phase, place) in walk.phases.iter().zip(&places) {
            walk.before(phase).await;
            promoted_in_the_middle(&walk, &mut pair, phase, place).await;
            if phase == "backfill" {
                let client = connect(&url).await;
                let sql = "SELECT count(*), count(DISTINCT id) FROM filled";
                let row = client.query_one(sql, &[]).await.expect(sql);
                let (filled, distinct): (i64, i64) = (row.get(0), row.get(1));
                let status = walk.crossfade(&["status", &walk.run, "--format", "json"]);
                let status = status.exits(0).json();
                assert_eq!(status["backfill"]["rows_changed"], filled, "{status}");
                assert_eq!(filled, distinct, "a row is filled once");
            }
            walk.after(phase).await;
        }
        let promoted = walk.phases.len() as u64;
        let (wrong, report) = walk.ends().await;
        assert_eq!(wrong, Vec::<String>::new());
        assert!(
            report.transactions_lost > 0,
            "each standby lacked something"
        );
        let fault = "primary lost in the middle of each phase, an asynchronous standby promoted";
        faults_table::print(fault, promoted, &[report]);
    });
}

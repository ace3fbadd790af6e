//! The program is killed at random while clients of both versions write: for every plan, with fixed seeds. What each client
//! committed is compared in the end.
//!
//! One seed for the plans in which two versions write differently; `CROSSFADE_TEST_THOROUGH=1` takes every plan and twenty
//! seeds, `CROSSFADE_TEST_SEEDS=7..9` those, and `CROSSFADE_TEST_PLAN=fold` the plans with that in their names.

use crate::crash_everywhere::all_of;
use crate::support::{
    Background, Database,
    application::{Options, Report},
    cases::{Case, ONE_SIDED, TWO_SIDED},
    command, faults_table, on_postgresql, plan,
    walk::{self, Walk, Ways},
};
use nix::sys::signal::Signal;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// So often a phase is begun and disturbed at most, before it is let run to its end.
const DISTURBED_MAX: u32 = 3;
/// A phase that takes no time is over by then, and one that takes some is in its midst.
const DELAY_MS: std::ops::Range<u64> = 5..160;
const SEEDS_THOROUGH: u64 = 20;

fn seeds() -> std::ops::Range<u64> {
    let thorough = std::env::var_os("CROSSFADE_TEST_THOROUGH").is_some();
    match std::env::var("CROSSFADE_TEST_SEEDS") {
        Ok(text) => {
            let (from, to) = text.split_once("..").expect("as in 7..9");
            from.parse().expect("a number")..to.parse().expect("a number")
        }
        Err(_) if thorough => 1..1 + SEEDS_THOROUGH,
        Err(_) => 1..2,
    }
}

fn cases() -> Vec<(Case, u64)> {
    let mut cases = TWO_SIDED.to_vec();
    // Keys that are widened, and a computed column, have triggers and batches like those.
    cases.extend(&ONE_SIDED[..3]);
    if std::env::var_os("CROSSFADE_TEST_THOROUGH").is_some() {
        cases.extend(&ONE_SIDED[3..]);
    }
    if let Ok(word) = std::env::var("CROSSFADE_TEST_PLAN") {
        cases = [&TWO_SIDED[..], &ONE_SIDED[..]].concat();
        cases.retain(|case| case.plan.contains(&word));
    }
    let seeded = seeds().flat_map(|seed| cases.iter().map(move |case| (*case, seed)));
    seeded.collect()
}

/// Disturbs a program at a random moment, which also may be after its end. Whether it was there to be disturbed.
async fn disturb(walk: &Walk, random: &mut fastrand::Rng, arguments: &[&str]) -> bool {
    let mut driver = Background::start(command(&walk.ways.program, arguments));
    tokio::time::sleep(Duration::from_millis(random.u64(DELAY_MS))).await;
    if driver.has_ended() {
        return false;
    }
    if random.u8(0..4) == 0 {
        // As an administrator, or a network, would do it; and then the process as well, somewhere in its recovery.
        let client = crate::support::connect(&walk.ways.test).await;
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name LIKE 'crossfade%'";
        client.batch_execute(sql).await.expect(sql);
        tokio::time::sleep(Duration::from_millis(random.u64(DELAY_MS))).await;
    }
    driver.signal(Signal::SIGKILL);
    driver.wait();
    true
}

/// The phase, begun and disturbed some times; and where the application can do without, undone and done again.
async fn one_phase(walk: &Walk, random: &mut fastrand::Rng, number: usize, kills: &AtomicU64) {
    let phase = walk.phases[number].as_str();
    let forward = walk.forward(phase);
    walk.before(phase).await;
    let disturbed = async |random: &mut fastrand::Rng, arguments: &[&str]| {
        for _ in 0..random.u32(1..=DISTURBED_MAX) {
            if !disturb(walk, random, arguments).await {
                break;
            }
            kills.fetch_add(1, Ordering::SeqCst);
        }
    };
    disturbed(random, &forward).await;
    walk.crossfade(&forward).exits(0);
    let position = |phase: &str| walk.phases.iter().position(|name| name == phase);
    // `None`: a release that the change does not concern.
    let none_serves_it_yet = position(walk.case.new_from).is_none_or(|from| number <= from);
    let goes_back = phase != "contract" && (none_serves_it_yet || phase == "retire");
    if goes_back && random.bool() && !walk.is_irreversible() {
        let mut back = vec!["rollback", walk.run.as_str()];
        if let Some(before) = number.checked_sub(1) {
            back.extend(["--to", walk.phases[before].as_str()]);
        } else {
            // A run that is undone to its beginning is over.
            return walk.after(phase).await;
        }
        back.push("--yes");
        disturbed(random, &back).await;
        // It may have come to its end before it was killed: then there is nothing left to undo.
        let ran = walk.crossfade(&back);
        let forward = walk.crossfade(&forward);
        assert_eq!(
            forward.code,
            Some(0),
            "{phase} undone and done again: {}\n{}",
            ran.stderr,
            forward.stderr
        );
    }
    walk.after(phase).await;
}

async fn killed_at_random(
    database: &Database,
    case: Case,
    seed: u64,
    kills: &AtomicU64,
) -> (Vec<String>, Report) {
    let mut random = fastrand::Rng::with_seed(seed);
    let options = Options {
        seed,
        ..Options::default()
    };
    let walk = Walk::start(case, Ways::direct(&database.url), options).await;
    for number in 0..walk.phases.len() {
        one_phase(&walk, &mut random, number, kills).await;
        for slot in [0, 1] {
            if walk.serves(slot) {
                walk.application.work(slot, 5).await;
            }
        }
    }
    walk.ends().await
}

#[test]
fn no_write_of_either_version_is_lost_and_none_fails_however_often_the_program_is_killed() {
    on_postgresql(async |database| {
        walk::tables(database).await;
        let template = database.copy().await;
        let (kills, reports) = (AtomicU64::new(0), Mutex::new(Vec::new()));
        all_of(&cases(), async |(case, seed)| {
            let database = template.copy().await;
            let (wrong, report) = killed_at_random(&database, *case, *seed, &kills).await;
            assert_eq!(wrong, Vec::<String>::new(), "{}, seed {seed}", case.plan);
            assert_eq!(report.connections_lost, 0, "{}, seed {seed}", case.plan);
            reports.lock().expect("a list").push(report);
            database.remove().await;
        });
        template.remove().await;
        let reports = reports.into_inner().expect("a list");
        let fault = format!("program killed (SIGKILL) at random, {} runs", reports.len());
        faults_table::print(&fault, kills.load(Ordering::SeqCst), &reports);
    });
}

#[test]
fn every_plan_has_an_application_around_it() {
    let known: Vec<&str> = TWO_SIDED
        .iter()
        .chain(&ONE_SIDED)
        .map(|case| case.plan)
        .collect();
    let files = std::fs::read_dir(plan("")).expect("the folder of plans");
    for file in files {
        let name = file.expect("a file").file_name();
        let name = name.to_str().expect("a name of text");
        assert!(
            !name.ends_with(".yaml") || known.contains(&name),
            "{name}: say in support/cases.rs what the application sends while it runs"
        );
    }
}

/// Whether what is broken by hand would be noticed: a value that is written to both sides, so that verification sees
/// nothing, in all rows of the clients, of which they overwrite some; and in the end a row that is gone, one that is as it was before, and one that is nobody's.
#[test]
fn a_loss_that_is_planted_is_found_in_what_the_clients_know() {
    // The table first: clients that lock several rows would deadlock with it otherwise.
    const BOTH_SIDES: &str = "BEGIN; SET LOCAL session_replication_role = replica; LOCK TABLE vehicles IN SHARE ROW EXCLUSIVE MODE; \
        UPDATE vehicles SET status = 'planted', vehicle_status = 'planted' WHERE id NOT BETWEEN 81 AND 100; COMMIT";
    let in_the_end = [
        (
            "DELETE FROM vehicles WHERE id = (SELECT max(id) FROM vehicles)",
            "found None",
        ),
        (
            "UPDATE vehicles SET vehicle_status = 'idle' WHERE id = (SELECT max(id) FROM vehicles)",
            "idle",
        ),
        (
            "UPDATE vehicles SET vehicle_status = 'x' WHERE id = 90",
            "nobody's",
        ),
        ("", "planted"),
    ];
    on_postgresql(async |database| {
        walk::tables(database).await;
        let template = database.copy().await;
        for (sql, said) in in_the_end {
            let database = template.copy().await;
            let url = &database.url;
            let walk = Walk::start(TWO_SIDED[0], Ways::direct(url), Options::default()).await;
            for phase in &walk.phases {
                walk.before(phase).await;
                walk.crossfade(&walk.forward(phase)).exits(0);
                if phase == "switch_reads" && sql.is_empty() {
                    database.execute(BOTH_SIDES).await;
                }
                walk.after(phase).await;
            }
            let (wrong, _) = walk.ends_after(sql).await;
            assert!(wrong.join("; ").contains(said), "{sql}: {wrong:?}");
            database.remove().await;
        }
        template.remove().await;
    });
}

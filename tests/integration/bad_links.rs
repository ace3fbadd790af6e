//! A run through all its phases while the links of the program and of the application stall, lose everything, are cut, forgotten
//! and come to nothing, at random with fixed seeds: it goes on, and no write is lost.

use crate::proxy::{Flow, Proxy, Way};
use crate::support::{
    Background, Ran,
    application::Options,
    cases::{Case, TWO_SIDED},
    command, faults_table, on_postgresql,
    walk::{self, Walk, Ways},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::time::Duration;

/// In each phase, on either link.
const FAULTS_MAX: u32 = 2;
/// In one phase of each run every connection of the program is forgotten as it asks one of these: at first, when there is no
/// heartbeat yet, or as a driver. Nobody cuts them: it has to find out, and that is what the test takes most of its time for.
const FORGOTTEN: [&str; 2] = ["START TRANSACTION", "FROM crossfade.schema_history"];
/// The program meets dead connections by its own deadlines, and is at its end then.
const PATIENCE: Duration = Duration::from_secs(90);

/// One fault on a link, from its beginning to its end.
async fn fault(link: &Proxy, random: &mut fastrand::Rng) {
    let some = |random: &mut fastrand::Rng, most: u64| {
        tokio::time::sleep(Duration::from_millis(random.u64(10..most)))
    };
    let way = match random.bool() {
        true => Way::ToServer,
        false => Way::ToClient,
    };
    match random.u8(0..5) {
        0 => {
            link.delay(way, Duration::from_millis(random.u64(5..60)));
            some(random, 500).await;
            link.round_trip(Duration::ZERO);
        }
        1 => link.reset(),
        2 => {
            link.refuse(true);
            link.reset();
            some(random, 400).await;
            link.refuse(false);
        }
        3 => {
            link.flow(way, Flow::Hold);
            some(random, 800).await;
            link.flow(way, Flow::Pass);
        }
        // Gone without a word, and what was sent with it: whoever waits for an answer waits in vain until it is cut.
        _ => {
            link.flow(way, Flow::Swallow);
            some(random, 800).await;
            link.reset();
            link.flow(way, Flow::Pass);
        }
    }
}

/// What comes of it; it must not go on for ever.
async fn ends(driver: Background, phase: &str) -> Ran {
    let pid = driver.pid();
    let ending = tokio::task::spawn_blocking(move || driver.wait());
    match tokio::time::timeout(PATIENCE, ending).await {
        Ok(ran) => ran.expect("waited"),
        Err(_elapsed) => {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            panic!("{phase}: the program hangs");
        }
    }
}

/// The phase under faults of both links, and then to its end.
async fn one_phase(
    walk: &Walk,
    links: [&Proxy; 2],
    random: &mut fastrand::Rng,
    phase: &str,
) -> u64 {
    let driver = Background::start(command(&walk.ways.program, &walk.forward(phase)));
    let faults = random.u32(1..=FAULTS_MAX);
    for _ in 0..faults {
        tokio::time::sleep(Duration::from_millis(random.u64(5..120))).await;
        fault(links[random.usize(0..2)], random).await;
    }
    ends(driver, phase).await;
    // It may have given up, as the server was away for it; a fresh start finds it. That may meet the forgotten connections, too.
    let again = Background::start(command(&walk.ways.program, &walk.forward(phase)));
    if ends(again, phase).await.code != Some(0) {
        let last = Background::start(command(&walk.ways.program, &walk.forward(phase)));
        ends(last, phase).await.exits(0);
    }
    faults.into()
}

/// All seeds and both kinds of plan are for whoever has the time.
fn walks() -> Vec<(usize, Case)> {
    let (seeds, plans): (_, &[&str]) = match std::env::var_os("CROSSFADE_TEST_THOROUGH") {
        Some(_) => (
            1..21,
            &["vehicles-rename-status.yaml", "acknowledgments-fold.yaml"],
        ),
        None => (1..2, &["vehicles-rename-status.yaml"]),
    };
    let cases = TWO_SIDED.into_iter();
    let cases: Vec<Case> = cases.filter(|case| plans.contains(&case.plan)).collect();
    let of = |seed| cases.iter().map(move |case| (seed, *case));
    seeds.flat_map(of).collect()
}

#[test]
fn a_run_whose_links_stall_break_and_swallow_ends_and_loses_no_write() {
    on_postgresql(async |database| {
        walk::tables(database).await;
        let template = database.copy().await;
        let (mut injected, mut reports) = (0, Vec::new());
        for (seed, case) in walks() {
            let database = template.copy().await;
            let mut random = fastrand::Rng::with_seed(seed as u64);
            let (program, application) = (Proxy::before(&database), Proxy::before(&database));
            let ways = Ways {
                program: program.url(&database.name),
                application: application.url(&database.name),
                test: database.url.clone(),
            };
            let options = Options {
                seed: seed as u64,
                patience: Duration::from_secs(3),
                ..Options::default()
            };
            let walk = Walk::start(case, ways, options).await;
            for (number, phase) in walk.phases.iter().enumerate() {
                walk.before(phase).await;
                if (number + seed).is_multiple_of(walk.phases.len()) {
                    program.forget_when_sent(FORGOTTEN[seed % FORGOTTEN.len()]);
                    injected += 1;
                }
                injected += one_phase(&walk, [&program, &application], &mut random, phase).await;
                walk.after(phase).await;
                for slot in [0, 1] {
                    if walk.serves(slot) {
                        walk.application.work(slot, 10).await;
                    }
                }
            }
            let (wrong, report) = walk.ends().await;
            assert_eq!(wrong, Vec::<String>::new(), "{}, seed {seed}", case.plan);
            reports.push(report);
            database.remove().await;
        }
        template.remove().await;
        let fault = "links of program and application delayed, held, cut, black-holed, forgotten, refused at random";
        faults_table::print(fault, injected, &reports);
    });
}

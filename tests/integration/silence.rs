//! A database that does not answer, or whose administrator cancels us: the driver notices, says so, and goes on by itself where
//! that is safe; and what was done is told as done.

use crate::{
    proxy::{Flow, Proxy, Way},
    support::{Background, Database, Ran, command, on_postgresql, plan_file},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::time::{Duration, Instant};

const RUN: &str = "rename-status";

async fn start(database: &Database, rows: u32, settings: &str) {
    database
        .execute(&format!(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL DEFAULT 'active', pad text); \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7, repeat('x', 900) FROM generate_series(1, {rows}) AS i"
        ))
        .await;
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\nsettings: {settings}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

#[test]
fn a_connection_that_is_acknowledged_and_dead_is_given_up_and_the_backfill_goes_on() {
    on_postgresql(async |database| {
        start(database, 6_000, "{pacing: {batch_rows_max: 10}}").await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let proxy = Proxy::before(database);
        let driver = Background::start(command(
            &proxy.url(&database.name),
            &["advance", RUN, "--to", "backfill"],
        ));
        database
            .wait_until("SELECT count(*) > 100 FROM vehicles WHERE vehicle_status IS NOT NULL")
            .await;
        proxy.flows(Flow::Swallow);
        // As long as nothing is answered: then the link is well, but for the connections that have lost something.
        tokio::time::sleep(Duration::from_secs(14)).await;
        proxy.flows(Flow::Pass);
        let ran = driver.wait().exits(0);
        assert!(
            ran.stderr.contains("the database has not answered"),
            "{}",
            ran.stderr
        );
        assert_eq!(database.status(RUN)["phases"][2]["state"], "completed");
    });
}

/// By when a command says that nobody answers: three looks after 11 s at most, each of 4 s, with 3 s in between, and what a busy machine
/// takes besides.
const TOLD_WITHIN: Duration = Duration::from_secs(40);

/// What comes of it, and how long that took; one that goes on for longer is killed.
async fn told(driver: Background, what: &str) -> (Ran, Duration) {
    let (began, pid) = (Instant::now(), driver.pid());
    let waiting = tokio::task::spawn_blocking(move || driver.wait());
    match tokio::time::timeout(TOLD_WITHIN, waiting).await {
        Ok(ran) => (ran.expect("waited"), began.elapsed()),
        Err(_elapsed) => {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            panic!("it hangs: {what}");
        }
    }
}

#[test]
fn every_command_ends_when_what_it_asks_is_acknowledged_and_not_answered() {
    on_postgresql(async |database| {
        start(database, 10, "{}").await;
        let file = plan_file(
            "version: 1\nname: another\nchange:\n  rename_column: {table: public.vehicles, from: pad, to: padding}\n",
        );
        let plan = file.path().to_str().expect("a path");
        let of_an_installed_database: [&[&str]; 9] = [
            &["status", RUN],
            &["history", RUN],
            &["pause", RUN, "--reason", "because"],
            &["resume", RUN],
            &["approve", RUN, "contract"],
            &["tune", RUN, "workers=2", "--reason", "because"],
            &["quarantine", "list", RUN],
            &["advance", RUN, "--dry-run"],
            &["verify", RUN],
        ];
        let of_a_plan: [&[&str]; 2] = [&["check", plan], &["explain", plan]];
        // While they connect, which is the same for all, and once they are connected.
        let lost = [
            ("crossfade.session", &of_an_installed_database[..2]),
            ("server_version_num", &of_a_plan[..]),
            (
                "FROM crossfade.schema_history",
                &of_an_installed_database[..],
            ),
        ];
        let lost = lost.into_iter().flat_map(|(asked, commands)| {
            commands.iter().map(move |arguments| (asked, *arguments))
        });
        let endings = lost.map(async |(asked, arguments)| {
            let proxy = Proxy::before(database);
            proxy.when_sent(asked, Flow::Swallow, Flow::Swallow);
            let driver = Background::start(command(&proxy.url(&database.name), arguments));
            let what = format!("{arguments:?}, {asked}");
            let (ran, _) = told(driver, &what).await;
            assert!(proxy.is_sprung(), "{what} was not asked: {}", ran.stderr);
            let said = ["has not answered", "no answer within"];
            let is_told = said.iter().any(|said| ran.stderr.contains(said));
            assert!(
                is_told && ran.code == Some(1),
                "{what}: {:?} {}",
                ran.code,
                ran.stderr
            );
        });
        futures_util::future::join_all(endings).await;
        // What was not said did not happen.
        assert!(database.status(RUN)["paused"].is_null());
    });
}

#[test]
fn one_session_whose_request_is_lost_is_given_up_though_the_others_are_well() {
    on_postgresql(async |database| {
        start(database, 10, "{}").await;
        database
            .crossfade(&["advance", RUN, "--to", "retire"])
            .exits(0);
        let proxy = Proxy::before(database);
        proxy.when_sent("DROP COLUMN", Flow::Swallow, Flow::Pass);
        let driver = Background::start(command(
            &proxy.url(&database.name),
            &["advance", RUN, "--to", "contract", "--yes"],
        ));
        proxy.until_sprung().await;
        proxy.flow(Way::ToServer, Flow::Pass);
        let (ran, _) = told(driver, "contract").await;
        let ran = ran.exits(0);
        assert!(
            ran.stderr.contains("the database has not answered"),
            "{}",
            ran.stderr
        );
        assert_eq!(database.status(RUN)["state"], "completed");
    });
}

#[test]
fn a_statement_that_takes_long_is_waited_for() {
    on_postgresql(async |database| {
        // Longer than it takes to give a connection up of which the server knows nothing.
        let file = plan_file(
            "version: 1\nname: slow\nchange:\n  sql:\n    name: slow\n    forward: SELECT pg_sleep(22)\n    done_when: SELECT false\n    irreversible: true\n",
        );
        let path = file.path().to_str().expect("a path");
        database.crossfade(&["start", path]).exits(0);
        let proxy = Proxy::before(database);
        let url = proxy.url(&database.name);
        let ran = Background::start(command(&url, &["advance", "slow"])).wait();
        // It was run to its end, and asked whether it had done anything.
        assert!(!ran.stderr.contains("has not answered"), "{}", ran.stderr);
        assert!(ran.stderr.contains("done_when"), "{}", ran.stderr);
        let sent = proxy.take_sent();
        let looks = sent.iter().filter(|sent| sent.contains("state_change"));
        assert!(looks.count() >= 3, "the server was not asked about it");
    });
}

/// Cancels what sessions of the run are at, again and again.
fn cancel_all(database: &Database) -> tokio::task::JoinHandle<()> {
    let url = database.url.clone();
    tokio::spawn(async move {
        let client = crate::support::connect(&url).await;
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(400)).await;
            let cancelled = client
                .execute(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'crossfade/%' AND state <> 'idle'",
                    &[],
                )
                .await;
            cancelled.expect("cancelled");
        }
    })
}

#[test]
fn what_somebody_cancels_is_tried_again() {
    on_postgresql(async |database| {
        start(database, 3_000, "{pacing: {batch_rows_max: 10}}").await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let cancelling = cancel_all(database);
        let driver = database.spawn(&[], &["advance", RUN, "--to", "backfill"]);
        cancelling.await.expect("cancelled");
        let ran = driver.wait().exits(0);
        assert!(!ran.stderr.contains("error:"), "{}", ran.stderr);
    });
}

#[test]
fn a_phase_that_is_done_is_told_as_done_though_nothing_can_be_read_afterwards() {
    on_postgresql(async |database| {
        start(database, 10, "{}").await;
        for (phase, place) in [
            ("expand", "phase expand finish: after its record"),
            ("contract", "run: after its record"),
        ] {
            if phase == "contract" {
                database
                    .crossfade(&["advance", RUN, "--to", "retire"])
                    .exits(0);
            }
            let proxy = Proxy::before(database);
            let mut advance = command(
                &proxy.url(&database.name),
                &["advance", RUN, "--to", phase, "--yes"],
            );
            advance.env("CROSSFADE_FAILPOINT", format!("stop:{place}"));
            let driver = Background::start(advance);
            driver.wait_until_stopped();
            proxy.refuse(true);
            driver.signal(Signal::SIGCONT);
            let ran = driver.wait().exits(0);
            assert!(ran.stderr.contains("could not be read"), "{}", ran.stderr);
        }
        assert_eq!(database.status(RUN)["state"], "completed");
    });
}

#[test]
fn what_was_the_primary_before_is_refused_by_name() {
    on_postgresql(async |database| {
        start(database, 10, "{}").await;
        database.crossfade(&["advance", RUN]).exits(0);
        let noted = database
            .value("SELECT timeline = 1 AND system_identifier IS NOT NULL FROM crossfade.leases")
            .await;
        assert_eq!(noted, "true");
        database
            .execute("UPDATE crossfade.leases SET timeline = 2")
            .await;
        let ran = database.crossfade(&["advance", RUN]).exits(1);
        assert!(ran.stderr.contains("is on timeline 1"), "{}", ran.stderr);
        assert!(ran.stderr.contains("former primary"), "{}", ran.stderr);
        // Rows that came from another cluster say nothing about this one.
        database
            .execute("UPDATE crossfade.leases SET system_identifier = 1")
            .await;
        database.crossfade(&["advance", RUN]).exits(0);
    });
}

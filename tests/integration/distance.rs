//! How long the application waits for a driver that is far away, or stopped, or behind a link that drops everything: as
//! long as for one nearby.

use crate::{
    proxy::{Flow, Proxy, Way},
    support::{Background, Database, command, on_postgresql, plan_file},
};
use nix::sys::signal::Signal;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const RUN: &str = "rename-status";
/// There and back, from the first message on that takes a strong lock. Each statement of its own under the lock would take that
/// long, and there are a dozen in `contract`; what a busy machine takes is far less than one.
const FAR: Duration = Duration::from_secs(2);
/// Far less than a server waits for whoever stops in a transaction (10 s), and more than a busy machine takes.
const SOON: Duration = Duration::from_millis(1_500);

const RETIRED: &str =
    "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attname = 'status_crossfade_retired')";
const DROPPED: &str = "SELECT NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'vehicles'::regclass AND attname LIKE 'status%')";

async fn start(database: &Database, rows: u32, pacing: &str) {
    database
        .execute(&format!(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL DEFAULT 'active', mileage bigint NOT NULL DEFAULT 0, pad text); \
             INSERT INTO vehicles (id, status, pad) SELECT i, 'status ' || i % 7, repeat('x', 900) FROM generate_series(1, {rows}) AS i"
        ))
        .await;
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n\
         settings: {{pacing: {{{pacing}}}}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

/// A client that writes all the time, and remembers how long it waited at most.
struct Application {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Duration>,
}

impl Application {
    async fn begin(database: &Database, rows: u32) -> Self {
        let client = database.client().await;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            let mut id: i64 = 1;
            while !stopped.load(Ordering::SeqCst) {
                id = id % i64::from(rows) + 1;
                let began = Instant::now();
                client
                    .execute(
                        "UPDATE vehicles SET mileage = mileage + 1 WHERE id = $1",
                        &[&id],
                    )
                    .await
                    .expect("the application writes");
                longest = longest.max(began.elapsed());
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            longest
        });
        Self { stop, task }
    }

    /// The longest that one of its statements took.
    async fn end(self) -> Duration {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.expect("it wrote to the end")
    }
}

#[test]
fn a_driver_far_away_keeps_nobody_waiting_for_its_way_to_the_server() {
    on_postgresql(async |database| {
        start(database, 400, "").await;
        let mut waited = Vec::new();
        // What takes no strong lock is not worth its time.
        for (near, phase, seen) in [
            ("switch_reads", "retire", RETIRED),
            ("retire", "contract", DROPPED),
        ] {
            database.crossfade(&["advance", RUN, "--to", near]).exits(0);
            let proxy = Proxy::before(database);
            proxy.slow_when_sent("LOCK TABLE", FAR);
            let application = Application::begin(database, 400).await;
            let driver = Background::start(command(
                &proxy.url(&database.name),
                &["advance", RUN, "--to", phase, "--yes"],
            ));
            proxy.until_sprung().await;
            database.wait_until(seen).await;
            waited.push((phase, application.end().await));
            // The rest of the phase holds no lock.
            proxy.round_trip(Duration::ZERO);
            driver.wait().exits(0);
        }
        for (phase, longest) in &waited {
            assert!(*longest < FAR, "{phase}: {waited:?}");
        }
    });
}

/// Until the effect is seen, which is before anybody would have ended a session that does nothing.
async fn soon(database: &Database, sql: &str) {
    let client = database.client().await;
    let began = Instant::now();
    while began.elapsed() < SOON {
        let row = client.query_one(sql, &[]).await.expect(sql);
        if row.get(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not within {SOON:?}: {sql}");
}

#[test]
fn a_driver_that_is_stopped_in_the_middle_keeps_nobody_waiting() {
    on_postgresql(async |database| {
        start(database, 2_000, "batch_rows_max: 50").await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        for (phase, place, seen) in [
            (
                "backfill",
                "fill:public.vehicles batch: in its effect#3",
                "SELECT count(*) >= 100 FROM vehicles WHERE vehicle_status IS NOT NULL",
            ),
            (
                "retire",
                "retire_column:public.vehicles.status part 1: in its effect",
                RETIRED,
            ),
            ("contract", "contract: in its effect", DROPPED),
        ] {
            let application = Application::begin(database, 2_000).await;
            let driver = database.spawn(
                &[("CROSSFADE_FAILPOINT", &format!("stop:{place}"))],
                &["advance", RUN, "--to", phase, "--yes"],
            );
            driver.wait_until_stopped();
            soon(database, seen).await;
            // Whoever holds anything by now holds it until somebody ends it.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let longest = application.end().await;
            assert!(longest < SOON, "{place}: {longest:?}");
            driver.signal(Signal::SIGCONT);
            driver.wait().exits(0);
        }
    });
}

/// The driver goes on as far as it has sent its message, and hears nothing any more.
async fn with_a_dead_link(database: &Database, phase: &str, sent: &str) -> (Background, Proxy) {
    let proxy = Proxy::before(database);
    proxy.when_sent(sent, Flow::Pass, Flow::Swallow);
    let driver = Background::start(command(
        &proxy.url(&database.name),
        &["advance", RUN, "--to", phase, "--yes"],
    ));
    proxy.until_sprung().await;
    (driver, proxy)
}

#[test]
fn a_link_that_drops_everything_leaves_no_lock_behind() {
    on_postgresql(async |database| {
        start(database, 400, "").await;
        database
            .crossfade(&["advance", RUN, "--to", "switch_reads"])
            .exits(0);
        for (phase, sent, seen) in [
            ("retire", "RENAME COLUMN", RETIRED),
            ("contract", "DROP COLUMN", DROPPED),
        ] {
            let application = Application::begin(database, 400).await;
            let (driver, proxy) = with_a_dead_link(database, phase, sent).await;
            soon(database, seen).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            let longest = application.end().await;
            assert!(longest < SOON, "{phase}: {longest:?}");
            driver.signal(Signal::SIGKILL);
            driver.wait();
            proxy.reset();
            database
                .crossfade(&["advance", RUN, "--to", phase, "--yes"])
                .exits(0);
        }
    });
}

#[test]
fn a_batch_whose_end_does_not_arrive_holds_no_rows() {
    on_postgresql(async |database| {
        start(database, 2_000, "batch_rows_max: 50").await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let proxy = Proxy::before(database);
        let driver = Background::start(command(
            &proxy.url(&database.name),
            &["advance", RUN, "--to", "backfill"],
        ));
        let application = Application::begin(database, 2_000).await;
        database
            .wait_until("SELECT count(*) > 100 FROM vehicles WHERE vehicle_status IS NOT NULL")
            .await;
        proxy.when_sent("COMMIT", Flow::Hold, Flow::Pass);
        proxy.until_sprung().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let longest = application.end().await;
        assert!(longest < SOON, "{longest:?}");
        proxy.flow(Way::ToServer, Flow::Pass);
        driver.wait().exits(0);
    });
}

//! Nobody queues behind us for long: while a long transaction holds the table, a client's statements go on in every phase.

use crate::support::{Background, Database, connect, on_postgresql, plan_file};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

const RUN: &str = "rename-plate";

/// The plan's default, and what a statement may take beside it.
const LOCK_TIMEOUT: Duration = Duration::from_millis(100);
const MARGIN: Duration = Duration::from_millis(50);
/// Between two statements of a client: so little that no queue as long as the timeout stands without one of each client's.
const PACE: Duration = Duration::from_millis(5);

/// A table that another one refers to by the column that is renamed, so that two tables are locked.
const TABLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, plate varchar(20) NOT NULL UNIQUE, mileage integer NOT NULL DEFAULT 0);
    INSERT INTO vehicles SELECT i, 'P' || i, 0 FROM generate_series(1, 3000) AS i;
    CREATE TABLE trips (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, plate varchar(20) NOT NULL REFERENCES vehicles (plate));
    INSERT INTO trips (plate) SELECT 'P' || i FROM generate_series(1, 300) AS i;
    ANALYZE;
";

async fn start(database: &Database, settings: &str) {
    database.execute(TABLES).await;
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: plate, to: license_plate}}\nsettings: {settings}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

/// Clients that read and write all the time, each timing every statement.
struct Traffic {
    name: String,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Duration>>>,
}

/// `%` becomes another row each time.
const STATEMENTS: [&str; 3] = [
    "SELECT v.id, v.mileage FROM vehicles AS v JOIN trips AS t ON t.id = v.id WHERE v.id = %",
    "UPDATE vehicles SET mileage = mileage + 1 WHERE id = %",
    "UPDATE trips SET plate = plate WHERE id = %",
];

impl Traffic {
    /// `tables` is `""` for the plan's, or the prefix of copies that nobody changes.
    async fn begin(database: &Database, tables: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("traffic {number} of {}", database.name);
        let mut clients = Vec::new();
        for statement in STATEMENTS {
            let client = connect(&database.url).await;
            // The server itself writes down whoever waits longer for a lock, whatever this machine is busy with.
            let limit = (LOCK_TIMEOUT + MARGIN).as_millis();
            client
                .batch_execute(&format!(
                    "SET application_name = '{name}'; SET log_lock_waits = on; SET deadlock_timeout = {limit}"
                ))
                .await
                .expect("a superuser");
            let stop = stop.clone();
            let statement = statement
                .replace("vehicles", &format!("{tables}vehicles"))
                .replace("trips", &format!("{tables}trips"));
            clients.push(tokio::spawn(async move {
                let mut took = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    // Row 1 is the long transaction's.
                    let row = 2 + took.len() % 290;
                    let began = Instant::now();
                    client
                        .batch_execute(&statement.replace('%', &row.to_string()))
                        .await
                        .unwrap_or_else(|error| panic!("{error:?}: {statement}"));
                    took.push(began.elapsed());
                    tokio::time::sleep(PACE).await;
                }
                took
            }));
        }
        Self {
            name,
            stop,
            clients,
        }
    }

    /// All times, the longest first.
    async fn end(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::SeqCst);
        let mut took = Vec::new();
        for client in self.clients {
            took.extend(client.await.expect("not one statement failed"));
        }
        took.sort();
        took.reverse();
        took
    }
}

/// Proof that a wait that is too long is seen: somebody holds a table until the server has written it down.
async fn the_server_sees_long_waits(database: &Database) {
    let traffic = Traffic::begin(database, "").await;
    let name = traffic.name.clone();
    let holder = database.client().await;
    holder
        .batch_execute("BEGIN; LOCK TABLE vehicles, trips")
        .await
        .unwrap();
    for _ in 0..3_000 {
        if long_waits(database, &name).len() >= STATEMENTS.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    holder.batch_execute("COMMIT").await.unwrap();
    let took = traffic.end().await;
    assert!(took[2] > LOCK_TIMEOUT + MARGIN, "{:?}", &took[..3]);
    // Each was seen. Under a full machine there was once a fourth line.
    assert!(long_waits(database, &name).len() >= STATEMENTS.len());
}

/// `… still waiting for AccessShareLock on relation … after 150.4 ms at character 29`
fn told_after(line: &str) -> Duration {
    let milliseconds: f64 = line
        .rsplit_once(" after ")
        .and_then(|(_, rest)| rest.split_once(" ms"))
        .and_then(|(number, _)| number.parse().ok())
        .unwrap_or_else(|| panic!("how long? {line}"));
    Duration::from_secs_f64(milliseconds / 1000.0)
}

/// The waits for a lock that the server found too long.
fn long_waits(database: &Database, client: &str) -> Vec<String> {
    std::fs::read_to_string(database.server().log_path())
        .expect("the server's log")
        .lines()
        .filter(|line| line.contains(client) && line.contains("still waiting for"))
        .map(str::to_owned)
        .collect()
}

async fn blocked_events(database: &Database) -> i64 {
    database
        .value("SELECT count(*) FROM crossfade.events WHERE kind = 'blocked'")
        .await
        .parse()
        .unwrap()
}

/// What the long transaction does before it sits there.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    AfterSelect,
    AfterUpdate,
}

impl Holds {
    fn query(self) -> &'static str {
        match self {
            Self::AfterSelect => "SELECT mileage FROM vehicles WHERE id = 1",
            Self::AfterUpdate => "UPDATE vehicles SET mileage = 7 WHERE id = 1",
        }
    }

    async fn begin(self, database: &Database) -> (Client, i32) {
        let client = connect(&database.url).await;
        client
            .batch_execute("SET application_name = 'nightly report'")
            .await
            .unwrap();
        let row = client
            .query_one("SELECT pg_backend_pid()", &[])
            .await
            .unwrap();
        client
            .batch_execute(&format!("BEGIN; {}", "SELECT count(*) FROM trips"))
            .await
            .unwrap();
        client.batch_execute(self.query()).await.unwrap();
        (client, row.get(0))
    }
}

/// How a command meets the long transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meets {
    /// It tries again until the transaction is gone.
    Waits,
    /// `CREATE INDEX CONCURRENTLY` waits for it, and nobody else for that.
    IndexWaits,
    Passes,
}

async fn meet(database: &Database, driver: &mut Background, before: i64, blocker: i32) -> Meets {
    // One session for all looks: a new one each time costs more than what is looked at.
    let client = database.client().await;
    let look = "SELECT (SELECT count(*) FROM crossfade.events WHERE kind = 'blocked') > $1, \
                EXISTS (SELECT FROM pg_stat_progress_create_index WHERE current_locker_pid = $2::integer)";
    let look = client.prepare(look).await.expect(look);
    for _ in 0..3_000 {
        let row = client.query_one(&look, &[&before, &blocker]).await;
        let row = row.expect("what the driver meets");
        if row.get(0) {
            return Meets::Waits;
        }
        if row.get(1) {
            return Meets::IndexWaits;
        }
        if driver.has_ended() {
            return Meets::Passes;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the driver neither waited nor ended");
}

/// Every phase and its way back while such a transaction is open; what each command did about it.
async fn every_phase(database: &Database, holds: Holds) -> Vec<(&'static str, Meets)> {
    let commands: [(&str, &[&str]); 13] = [
        ("expand", &["advance", RUN]),
        ("rollback of expand", &["rollback", RUN, "--yes"]),
        ("expand again", &["advance", RUN]),
        ("dual_write", &["advance", RUN]),
        ("backfill", &["advance", RUN]),
        ("verify", &["advance", RUN]),
        ("enforce", &["advance", RUN]),
        (
            "rollback of enforce",
            &["rollback", RUN, "--to", "verify", "--yes"],
        ),
        ("enforce again", &["advance", RUN]),
        ("switch_reads", &["advance", RUN]),
        ("retire", &["advance", RUN]),
        (
            "rollback of retire",
            &["rollback", RUN, "--to", "switch_reads", "--yes"],
        ),
        (
            "retire and contract",
            &["advance", RUN, "--to", "contract", "--yes"],
        ),
    ];
    let mut met = Vec::new();
    for (name, arguments) in commands {
        let before = blocked_events(database).await;
        let (blocker, pid) = holds.begin(database).await;
        let mut driver = database.spawn(&[], arguments);
        let how = meet(database, &mut driver, before, pid).await;
        if how != Meets::Passes {
            // Both ways of waiting: in the queue for a moment, and, as the transaction grows old, out of it.
            database
                .wait_until(&format!(
                    "SELECT clock_timestamp() - xact_start > interval '1.3 s' FROM pg_stat_activity WHERE pid = {pid}"
                ))
                .await;
            let status = database.status(RUN);
            let waiting = status["waiting"].as_array().unwrap();
            let lock = waiting.iter().find(|one| one["kind"] == "lock");
            let told = lock.map_or("", |lock| lock["detail"].as_str().unwrap());
            assert!(told.contains(&format!("pid {pid} ")), "{name}: {told}");
            assert!(told.contains(holds.query()), "{name}: {told}");
        }
        blocker.batch_execute("COMMIT").await.unwrap();
        let ran = driver.wait().exits(0);
        if how == Meets::Waits {
            for shown in [&format!("pid {pid} "), "nightly report", holds.query()] {
                assert!(ran.stderr.contains(shown), "{name}: {}", ran.stderr);
            }
            let noted = database
                .value(&format!(
                    "SELECT count(*) FROM crossfade.events WHERE kind = 'blocked' AND detail::jsonb -> 'blockers' -> 0 @> \
                     jsonb_build_object('pid', {pid}, 'application', 'nightly report', 'query', '{}')",
                    holds.query().replace('\'', "''")
                ))
                .await;
            assert_ne!(noted, "0", "{name}");
        }
        if name == "rollback of expand" {
            // Back at the start: the same plan once more.
            let file = plan_file(&format!(
                "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: plate, to: license_plate}}\n"
            ));
            database
                .crossfade(&["start", file.path().to_str().unwrap()])
                .exits(0);
        }
        met.push((name, how));
    }
    met
}

/// What a machine is busy with delays statements too, but not three times: what is ours does it every time.
fn nobody_queues(holds: Holds, expected: [Meets; 13]) {
    const TRIES: usize = 3;
    let mut late = Vec::new();
    for _ in 0..TRIES {
        let found = Mutex::default();
        on_postgresql(async |database| {
            if let Err(why) = phases_under_traffic(database, holds, expected).await {
                *found.lock().unwrap() = Some(why);
            }
        });
        let Some(why) = found.into_inner().unwrap() else {
            return;
        };
        late.push(why);
    }
    panic!("{TRIES} times: {late:#?}");
}

/// `Err` tells of statements that took too long.
async fn phases_under_traffic(
    database: &Database,
    holds: Holds,
    expected: [Meets; 13],
) -> Result<(), String> {
    start(database, "{}").await;
    the_server_sees_long_waits(database).await;
    // What this machine makes of the same statements, at the same time, on tables that nobody changes.
    database
        .execute(
            "CREATE TABLE calm_vehicles (LIKE vehicles INCLUDING ALL); INSERT INTO calm_vehicles SELECT * FROM vehicles; \
             CREATE TABLE calm_trips (id bigint PRIMARY KEY, plate varchar(20) REFERENCES calm_vehicles (plate)); \
             INSERT INTO calm_trips SELECT id, plate FROM trips; ANALYZE",
        )
        .await;
    let calm = Traffic::begin(database, "calm_").await;
    let traffic = Traffic::begin(database, "").await;
    let name = traffic.name.clone();
    let met = every_phase(database, holds).await;
    let took = traffic.end().await;
    let calm = calm.end().await;
    let how: Vec<Meets> = met.iter().map(|(_, how)| *how).collect();
    assert_eq!(how, expected, "{met:?}");
    // All of one moment may be this machine's own fault, and so is every wait that it told of too late: then our own
    // lock timeout came too late as well.
    let mut waits = long_waits(database, &name);
    waits.retain(|line| told_after(line) < LOCK_TIMEOUT + MARGIN + Duration::from_millis(20));
    assert!(took.len() > 1_000, "{} statements", took.len());
    let history = database.crossfade(&["history", RUN]).exits(0);
    assert!(
        history.stdout.contains("nightly report"),
        "{}",
        history.stdout
    );
    if waits.len() > STATEMENTS.len() {
        return Err(format!("{waits:#?}"));
    }
    // Three may be this machine's own fault, and so may what the calm ones took.
    if took[3] > LOCK_TIMEOUT + MARGIN + calm[3] {
        let (longest, all) = (&took[..8], took.len());
        return Err(format!("{longest:?} of {all}, calm {:?}", &calm[..3]));
    }
    Ok(())
}

#[test]
fn no_statement_queues_behind_us_while_a_reader_sits_in_its_transaction() {
    use Meets::{Passes, Waits};
    nobody_queues(
        Holds::AfterSelect,
        [
            Waits, Waits, Waits, Passes, Passes, Passes, Waits, Waits, Waits, Passes, Waits, Waits,
            Waits,
        ],
    );
}

#[test]
fn no_statement_queues_behind_us_while_a_writer_sits_in_its_transaction() {
    use Meets::{IndexWaits, Passes, Waits};
    nobody_queues(
        Holds::AfterUpdate,
        [
            Waits, Waits, Waits, Waits, Waits, Passes, IndexWaits, Waits, IndexWaits, Passes,
            Waits, Waits, Waits,
        ],
    );
}

fn gives_up(settings: &str) {
    on_postgresql(async |database| {
        start(database, settings).await;
        let before = database.dump_schema();
        let (blocker, pid) = Holds::AfterSelect.begin(database).await;
        let ran = database.crossfade(&["advance", RUN]).exits(6);
        let shown = format!("pid {pid} (nightly report");
        assert!(ran.stderr.contains(&shown), "{}", ran.stderr);
        assert_eq!(database.dump_schema(), before);
        let left = database
            .value(
                "SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) \
                 WHERE a.application_name LIKE 'crossfade/rename-plate%' AND l.granted AND l.relation = 'vehicles'::regclass",
            )
            .await;
        assert_eq!(left, "0");
        let status = database.status(RUN);
        let step = &status["phases"][0]["steps"][0];
        assert_eq!(step["state"], "failed", "{status}");
        assert!(step["error"].as_str().unwrap().contains(&shown), "{status}");
        blocker.batch_execute("COMMIT").await.unwrap();
        database.crossfade(&["advance", RUN]).exits(0);
        assert_eq!(database.status(RUN)["phases"][0]["state"], "completed");
    });
}

#[test]
fn after_its_attempts_a_step_has_failed_with_nothing_left_behind_and_goes_on_later() {
    gives_up("{lock_attempts_max: 3}");
}

#[test]
fn after_its_time_a_step_has_failed_with_nothing_left_behind_and_goes_on_later() {
    gives_up("{lock_wait_max: 500ms}");
}

#[test]
fn a_plan_may_end_a_session_idle_in_its_transaction_and_only_that() {
    on_postgresql(async |database| {
        start(database, "{end_idle_blockers: 200ms}").await;
        let (idle, idle_pid) = Holds::AfterSelect.begin(database).await;
        // Holds the table too, but is at work: it waits for what this test holds.
        let gate = database.client().await;
        gate.batch_execute("SELECT pg_advisory_lock(1)")
            .await
            .unwrap();
        let (busy, busy_pid) = Holds::AfterSelect.begin(database).await;
        let work = tokio::spawn(async move {
            busy.batch_execute("SELECT pg_advisory_lock(1)").await?;
            busy.batch_execute("COMMIT").await
        });
        // Idle in a transaction as well, but in nobody's way.
        let aside = database.client().await;
        aside.batch_execute("BEGIN; SELECT 1").await.unwrap();
        let driver = database.spawn(&[], &["advance", RUN]);
        database
            .wait_until(&format!(
                "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = {idle_pid})"
            ))
            .await;
        assert!(idle.batch_execute("COMMIT").await.is_err());
        let there = database
            .value(&format!(
                "SELECT state FROM pg_stat_activity WHERE pid = {busy_pid}"
            ))
            .await;
        assert_eq!(there, "active");
        gate.batch_execute("SELECT pg_advisory_unlock(1)")
            .await
            .unwrap();
        work.await.unwrap().expect("it was let be");
        let ran = driver.wait().exits(0);
        aside.batch_execute("COMMIT").await.expect("it was let be");
        let ended: Vec<&str> = ran
            .stderr
            .lines()
            .filter(|line| line.contains("ended pid"))
            .collect();
        assert_eq!(ended.len(), 1, "{}", ran.stderr);
        assert!(
            ended[0].contains(&format!("pid {idle_pid},")),
            "{}",
            ended[0]
        );
    });
}

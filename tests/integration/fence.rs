//! Who may write: a driver that was stopped until another took its place writes nothing when it goes on, and a driver
//! that is gone is followed at once.

use crate::support::{Background, Database, on_postgresql, plan_file};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// One run of its own table, and where its driver is stopped.
struct Case {
    /// Phases up to and including this one are done before.
    before: Option<&'static str>,
    /// `%` stands for the table.
    place: &'static str,
    /// What the next driver does with the run.
    then: &'static [&'static str],
}

const CASES: [Case; 9] = [
    Case {
        before: None,
        place: "phase expand start: in its record",
        then: &["advance", "%", "--to", "dual_write"],
    },
    Case {
        before: None,
        place: "add_column:public.%.vehicle_status part 1: in its effect",
        then: &["advance", "%", "--to", "dual_write"],
    },
    Case {
        before: Some("dual_write"),
        place: "fill:public.% batch: before its effect",
        then: &["advance", "%"],
    },
    Case {
        before: Some("dual_write"),
        place: "fill:public.% batch: in its effect#2",
        then: &["advance", "%"],
    },
    Case {
        before: Some("dual_write"),
        place: "fill:public.% batch: after its effect#2",
        then: &["advance", "%"],
    },
    // An index build cannot be part of a fenced transaction; the run goes back meanwhile, so that it must not be built.
    Case {
        before: Some("verify"),
        place: "create_index:%_status_idx_crossfade part 1: before its effect",
        then: &["rollback", "%", "--yes"],
    },
    Case {
        before: Some("verify"),
        place: "set_not_null:public.%.vehicle_status part 2: before its effect",
        then: &["rollback", "%", "--yes"],
    },
    // Between the effect and its record.
    Case {
        before: Some("switch_reads"),
        place: "retire_column:public.%.status part 1: after its effect",
        then: &["rollback", "%", "--yes"],
    },
    // Once it is sent the server goes through with it.
    Case {
        before: Some("retire"),
        place: "contract: before its effect",
        then: &["rollback", "%", "--to", "switch_reads", "--yes"],
    },
];

async fn make_table(database: &Database, table: &str) {
    database
        .execute(&format!(
            "CREATE TABLE {table} (id bigint PRIMARY KEY, status varchar(50) NOT NULL DEFAULT 'active', pad text NOT NULL); \
             CREATE INDEX {table}_status_idx ON {table} (status); \
             INSERT INTO {table} SELECT i, 'status ' || i % 7, repeat('x', 900) FROM generate_series(1, 2000) AS i"
        ))
        .await;
}

fn start(database: &Database, table: &str) {
    let file = plan_file(&format!(
        "version: 1\nname: {table}\nchange:\n  rename_column: {{table: public.{table}, from: status, to: vehicle_status}}\n\
         settings: {{pacing: {{batch_rows_max: 200}}}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

/// Everything that a driver could have written: the rows with their places and the transactions that wrote them, every
/// record of Crossfade's, and the schema.
async fn all_there_is(database: &Database, tables: &[String]) -> String {
    let mut text = database.dump_schema();
    let orders = [
        ("runs", "id"),
        ("phases", "run_id, phase"),
        ("steps", "run_id, step"),
        ("leases", "run_id"),
        ("claims", "table_name, column_name"),
        ("walks", "run_id, step"),
        ("segments", "run_id, step, number"),
        ("walk_points", "run_id, step, at"),
        ("quarantine", "id"),
        ("verifications", "id"),
        ("write_sightings", "run_id, side"),
        ("events", "run_id, number"),
    ];
    for (table, order) in orders {
        text += &database
            .value(&format!(
                "SELECT string_agg(t.ctid || ' ' || t.xmin || ' ' || t::text, E'\\n' ORDER BY {order}) FROM crossfade.{table} AS t"
            ))
            .await;
        text.push('\n');
    }
    for table in tables {
        text += &database
            .value(&format!(
                "SELECT md5(string_agg(t.ctid || ' ' || t.xmin || ' ' || t::text, E'\\n' ORDER BY ctid)) FROM {table} AS t"
            ))
            .await;
        text.push('\n');
    }
    text
}

#[test]
fn a_driver_that_was_stopped_until_another_took_over_writes_nothing() {
    on_postgresql(async |database| {
        let tables: Vec<String> = (0..CASES.len()).map(|n| format!("fence_{n}")).collect();
        for (table, case) in tables.iter().zip(&CASES) {
            make_table(database, table).await;
            start(database, table);
            if let Some(phase) = case.before {
                database
                    .crossfade(&["advance", table, "--to", phase])
                    .exits(0);
            }
        }
        let drivers: Vec<Background> = tables
            .iter()
            .zip(&CASES)
            .map(|(table, case)| {
                let place = format!("stop:{}", case.place.replace('%', table));
                database.spawn(
                    &[("CROSSFADE_FAILPOINT", &place)],
                    &["advance", table, "--yes"],
                )
            })
            .collect();
        for driver in &drivers {
            driver.wait_until_stopped();
        }
        for (table, driver) in tables.iter().zip(&drivers) {
            let second = database.crossfade(&["advance", table, "--yes"]).exits(6);
            let holder = format!("pid {} ", driver.pid());
            assert!(
                second.stderr.contains(&holder),
                "{holder}: {}",
                second.stderr
            );
        }
        // They are connected and silent: only time tells that they do not go on.
        database
            .wait_until("SELECT count(*) = 9 AND bool_and(clock_timestamp() - heartbeat > interval '15 s') FROM crossfade.leases WHERE holder IS NOT NULL")
            .await;
        let next: Vec<Background> = tables
            .iter()
            .zip(&CASES)
            .map(|(table, case)| {
                let arguments: Vec<String> = case
                    .then
                    .iter()
                    .map(|word| word.replace('%', table))
                    .collect();
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                database.spawn(&[], &arguments)
            })
            .collect();
        for driver in next {
            driver.wait().exits(0);
        }
        let before = all_there_is(database, &tables).await;
        for driver in &drivers {
            driver.signal(Signal::SIGCONT);
        }
        for (driver, case) in drivers.into_iter().zip(&CASES) {
            let ran = driver.wait();
            assert_eq!(ran.code, Some(6), "{}: {}", case.place, ran.stderr);
            assert!(
                ran.stderr.contains("lease"),
                "{}: {}",
                case.place,
                ran.stderr
            );
        }
        let after = all_there_is(database, &tables).await;
        similar(&before, &after);
        let epochs = database
            .value("SELECT count(*) FROM crossfade.leases WHERE holder IS NULL")
            .await;
        assert_eq!(epochs, "9");
    });
}

/// As assert_eq, with the lines that differ only.
#[track_caller]
fn similar(before: &str, after: &str) {
    let gone: Vec<&str> = before
        .lines()
        .filter(|line| !after.contains(line))
        .collect();
    let new: Vec<&str> = after
        .lines()
        .filter(|line| !before.contains(line))
        .collect();
    assert!(before == after, "gone: {gone:#?}\nnew: {new:#?}");
}

/// From the moment that `driver` is killed to the one that the next one has the lease.
async fn takeover(database: &Database, run: &str, driver: Background) -> Duration {
    let epoch: i64 = database
        .value("SELECT epoch FROM crossfade.leases")
        .await
        .parse()
        .unwrap();
    driver.signal(Signal::SIGKILL);
    let killed = Instant::now();
    let next = database.spawn(&[], &["advance", run]);
    // Nobody else takes it; and it may have been given back already.
    database
        .wait_until(&format!("SELECT epoch > {epoch} FROM crossfade.leases"))
        .await;
    let took = killed.elapsed();
    drop(driver);
    next.wait().exits(0);
    took
}

/// A lease whose holder cannot be seen to be gone is waited for 15 s. A busy machine takes its time too.
const WITHOUT_WAITING: Duration = Duration::from_secs(10);

#[test]
fn a_driver_that_was_killed_is_followed_without_waiting() {
    on_postgresql(async |database| {
        make_table(database, "vehicles").await;
        start(database, "vehicles");
        let places = [
            "add_column:public.vehicles.vehicle_status part 1: in its effect",
            "sync_columns:public.vehicles part 1: before its effect",
            "fill:public.vehicles batch: in its effect#2",
            "match:public.vehicles be completed: in its record",
        ];
        for place in places {
            let driver = database.spawn(
                &[("CROSSFADE_FAILPOINT", &format!("stop:{place}"))],
                &["advance", "vehicles"],
            );
            driver.wait_until_stopped();
            let took = takeover(database, "vehicles", driver).await;
            assert!(took < WITHOUT_WAITING, "{place}: {took:?}");
        }
    });
}

#[test]
fn a_driver_killed_while_its_index_build_waits_is_followed_without_waiting() {
    on_postgresql(async |database| {
        make_table(database, "vehicles").await;
        start(database, "vehicles");
        database
            .crossfade(&["advance", "vehicles", "--to", "verify"])
            .exits(0);
        let old = database.client().await;
        old.batch_execute("BEGIN; UPDATE vehicles SET pad = '' WHERE id = 1")
            .await
            .unwrap();
        let driver = database.spawn(&[], &["advance", "vehicles"]);
        database
            .wait_until("SELECT EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%')")
            .await;
        driver.signal(Signal::SIGKILL);
        let killed = Instant::now();
        let next = database.spawn(&[], &["advance", "vehicles"]);
        database
            .wait_until(&format!(
                "SELECT holder LIKE '% pid {}' FROM crossfade.leases",
                next.pid()
            ))
            .await;
        assert!(killed.elapsed() < WITHOUT_WAITING, "{:?}", killed.elapsed());
        old.batch_execute("COMMIT").await.unwrap();
        next.wait().exits(0);
        let invalid = database
            .value("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
            .await;
        assert_eq!(invalid, "0");
        let index = database
            .value("SELECT count(*) FROM pg_class WHERE relname = 'vehicles_status_idx_crossfade'")
            .await;
        assert_eq!(index, "1");
    });
}

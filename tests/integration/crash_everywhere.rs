//! The process is killed at every failpoint, started again, and ends where an undisturbed run ends.
//!
//! So that the whole is quick, the failpoints of different phases share a run: in the n-th run the process is killed at
//! the n-th failpoint of every phase, one crash in each. It begins where the undisturbed run began the first phase that has
//! so many, and what comes after the last one is run in one go. And of three changes that go the same way with other values each
//! makes another third of the runs, unless `CROSSFADE_TEST_THOROUGH=1` asks for all.

use crate::changes::{
    Change, NUMBER_FROM_TEXT, PHASES, ROWS, Rows, VEHICLES, Written, narrowing, number_from_text,
    rename, rows,
};
use crate::support::{Database, on_postgresql, plan_file};
use crossfade::demo::traffic::{Options, Shape, Traffic, Version, create_table};
use serde_json::json;
use std::{
    os::unix::process::ExitStatusExt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const RUNS_AT_A_TIME: usize = 4;

/// Which side of the change a value is read from.
#[derive(Clone, Copy)]
enum Side {
    Old,
    New,
}

/// What was written between the crash and the next start, applied to the rows of an undisturbed run.
#[derive(Default)]
struct Writes {
    set: Vec<(i64, Written)>,
    inserted: Vec<(i64, Written)>,
    driven: Vec<i64>,
    deleted: Vec<i64>,
}

impl Writes {
    /// Both versions write, as far as their columns are there: before and behind where the walk may be. Every phase
    /// has rows of its own.
    async fn make(&mut self, change: &Change, database: &Database, phase: i64) {
        let client = database.client().await;
        let columns = client
            .query(
                "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute \
                 WHERE attrelid = 'vehicles'::regclass AND attnum > 0 AND NOT attisdropped",
                &[],
            )
            .await
            .expect("the columns");
        let has = |(name, type_name): (&str, &str)| {
            columns
                .iter()
                .any(|row| row.get::<_, &str>(0) == name && row.get::<_, &str>(1) == type_name)
        };
        let aside = format!("{}_crossfade_retired", change.old.0);
        let retired = columns.iter().any(|row| row.get::<_, &str>(0) == aside);
        let synced: bool = client
            .query_one(
                "SELECT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname LIKE 'zz\\_crossfade%')",
                &[],
            )
            .await
            .expect("the triggers")
            .get(0);
        let old = has(change.old).then_some(change.old.0);
        let new = [change.new.0, change.last]
            .into_iter()
            .find(|name| has((name, change.new.1)))
            // The new version is deployed once the triggers are there; after `contract` there is nothing else.
            .filter(|_| synced || (old.is_none() && !retired));
        let (near, far) = (20 * phase, ROWS - 20 * phase);
        let mut sql = String::new();
        for (column, id, updated, written) in [
            (old, 9_001 + 2 * phase, [near + 2, far - 10], change.by_old),
            (new, 9_002 + 2 * phase, [near + 5, far - 13], change.by_new),
        ] {
            let Some(column) = column else { continue };
            let value = written(id);
            sql += &if change.old.0 == "license_plate" {
                format!(
                    "INSERT INTO vehicles (id, {column}) VALUES ({id}, {});",
                    value.sql
                )
            } else {
                format!(
                    "INSERT INTO vehicles (id, license_plate, {column}) VALUES ({id}, 'W{id}', {});",
                    value.sql
                )
            };
            self.inserted.push((id, value));
            for id in updated {
                let value = written(id);
                sql += &format!(
                    "UPDATE vehicles SET {column} = {} WHERE id = {id};",
                    value.sql
                );
                self.set.push((id, value));
            }
        }
        for id in [near + 3, far - 11] {
            sql += &format!("UPDATE vehicles SET mileage = mileage + 1000000 WHERE id = {id};");
            self.driven.push(id);
        }
        for id in [near + 4, far - 12] {
            sql += &format!("DELETE FROM vehicles WHERE id = {id};");
            self.deleted.push(id);
        }
        client
            .batch_execute(&sql)
            .await
            .unwrap_or_else(|error| panic!("the application failed: {error:?}: {sql}"));
    }

    fn assert_kept(self, at: &str, undisturbed: &Rows, mut found: Rows, column: &str, side: Side) {
        let shown = |written: &Written| match side {
            Side::Old => written.old.clone(),
            Side::New => written.new.clone(),
        };
        let mut expected = undisturbed.clone();
        for (id, written) in &self.set {
            expected.get_mut(id).expect("a row")[column] = shown(written);
        }
        for id in &self.driven {
            let mileage = &mut expected.get_mut(id).expect("a row")["mileage"];
            *mileage = json!(mileage.as_i64().expect("a number") + 1_000_000);
        }
        for id in &self.deleted {
            expected.remove(id);
        }
        for (id, written) in &self.inserted {
            let row = found.remove(id);
            let value = row.as_ref().map(|row| row[column].clone());
            assert_eq!(value, Some(shown(written)), "{at}: row {id}: {row:?}");
        }
        assert!(
            found == expected,
            "{at}: {}",
            first_difference(&found, &expected)
        );
    }
}

fn first_difference(found: &Rows, expected: &Rows) -> String {
    let differs = |id: &&i64| found.get(id) != expected.get(id);
    match found.keys().chain(expected.keys()).find(differs) {
        Some(id) => format!(
            "row {id}: {:?} instead of {:?}",
            found.get(id),
            expected.get(id)
        ),
        None => "no difference".to_owned(),
    }
}

/// The failpoints that the program passes, each with how often; runs it to its end.
pub fn failpoints(database: &Database, arguments: &[&str]) -> Vec<(String, usize)> {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().to_str().expect("a path");
    database
        .crossfade_with(&[("CROSSFADE_FAILPOINT_LOG", path)], arguments)
        .exits(0);
    let text = std::fs::read_to_string(path).expect("the log");
    let mut passed: Vec<(String, usize)> = Vec::new();
    for line in text.lines() {
        match passed.iter_mut().find(|(name, _)| name == line) {
            Some((_, times)) => *times += 1,
            None => passed.push((line.to_owned(), 1)),
        }
    }
    assert!(!passed.is_empty(), "{arguments:?} passed no failpoint");
    passed
}

/// The first and the second time of each.
fn twice(passed: Vec<(String, usize)>) -> Vec<String> {
    let times = |(name, times): (String, usize)| {
        (1..=times.min(2)).map(move |time| format!("{name}#{time}"))
    };
    passed.into_iter().flat_map(times).collect()
}

/// The program really dies there, and its sessions end.
async fn kill_at(database: &Database, failpoint: &str, arguments: &[&str]) {
    let output = database
        .command(arguments)
        .env("CROSSFADE_FAILPOINT", format!("kill:{failpoint}"))
        .output()
        .expect("the program runs");
    assert_eq!(
        output.status.signal(),
        Some(nix::sys::signal::Signal::SIGKILL as i32),
        "killed at {failpoint}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    sessions_end(database).await;
}

pub async fn sessions_end(database: &Database) {
    database
        .wait_until(
            "SELECT count(*) = 0 FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'crossfade%'",
        )
        .await;
}

/// Runs every case in a few threads at a time; tells of all that failed.
pub fn all_of<C: Sync>(cases: &[C], run: impl AsyncFn(&C) + Sync) {
    let runtime = tokio::runtime::Handle::current();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..RUNS_AT_A_TIME {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let attempt = std::panic::AssertUnwindSafe(|| runtime.block_on(run(case)));
                    if std::panic::catch_unwind(attempt).is_err() {
                        *failed.lock().expect("a count") += 1;
                    }
                }
            });
        }
    });
    let failed = *failed.lock().expect("a count");
    assert_eq!(
        failed,
        0,
        "of {} cases that many ended otherwise, see above",
        cases.len()
    );
}

/// Rows that the server was asked to change and to read, those that were rolled back among them.
async fn work_done(database: &Database) -> (i64, i64) {
    sessions_end(database).await;
    let client = database.client().await;
    let counted = async || {
        let row = client
            .query_one(
                "SELECT n_tup_upd, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'vehicles'",
                &[],
            )
            .await
            .expect("the statistics");
        (row.get(0), row.get(1))
    };
    let mut done = counted().await;
    let version = "SELECT current_setting('server_version_num')::integer < 150000";
    if database.value(version).await == "true" {
        // A process of its own collects them there, half a second late, and nobody tells when it has them all.
        for _ in 0..20 {
            tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
            let later = counted().await;
            if later == done {
                return done;
            }
            done = later;
        }
        panic!("the statistics do not settle: {done:?}");
    }
    done
}

/// Every third of the runs is made, beginning with this one.
#[derive(Clone, Copy)]
struct ThirdFrom(usize);

/// The n-th failpoint of every phase, for the n-th run.
fn by_run(phases: &[Vec<String>], share: ThirdFrom) -> Vec<Vec<Option<&String>>> {
    let longest = phases.iter().map(Vec::len).max().unwrap_or(0);
    let ThirdFrom(first) = share;
    let (first, step) = match std::env::var_os("CROSSFADE_TEST_THOROUGH") {
        None => (first, 3),
        Some(_) => (0, 1),
    };
    (first..longest)
        .step_by(step)
        .map(|number| phases.iter().map(|names| names.get(number)).collect())
        .collect()
}

async fn a_crash_anywhere_ends_as_an_undisturbed_run(
    database: &Database,
    change: &Change,
    share: ThirdFrom,
) {
    change.start(database).await;
    let mut phases = Vec::new();
    let mut beginnings = Vec::new();
    for phase in PHASES {
        beginnings.push(database.copy().await);
        let forward = ["advance", change.run, "--to", phase, "--yes"];
        phases.push(twice(failpoints(database, &forward)));
    }
    let schema = database.dump_schema();
    let undisturbed = rows(database).await;
    assert_eq!(database.status(change.run)["state"], "completed");
    all_of(&by_run(&phases, share), async |crashes| {
        let disturbed = disturbed(crashes);
        let database = beginnings[*disturbed.start()].copy().await;
        let mut writes = Writes::default();
        for number in disturbed {
            let (phase, crash) = (PHASES[number], crashes[number]);
            let forward = ["advance", change.run, "--to", phase, "--yes"];
            if let Some(failpoint) = crash {
                kill_at(&database, failpoint, &forward).await;
                let number = i64::try_from(number).expect("a small number");
                writes.make(change, &database, number).await;
            }
            database.crossfade(&forward).exits(0);
            let completed = database
                .value(&format!(
                    "SELECT state FROM crossfade.phases WHERE phase = '{phase}' AND NOT EXISTS \
                     (SELECT 1 FROM crossfade.steps WHERE phase = '{phase}' AND state <> 'completed')"
                ))
                .await;
            assert_eq!(completed, "completed", "{} {phase}: {crash:?}", change.run);
        }
        let end = ["advance", change.run, "--to", "contract", "--yes"];
        database.crossfade(&end).exits(0);
        let at = format!("{}, killed at {crashes:?}", change.run);
        assert_eq!(database.dump_schema(), schema, "{at}");
        writes.assert_kept(
            &at,
            &undisturbed,
            rows(&database).await,
            change.last,
            Side::New,
        );
        assert_eq!(
            database.value("SELECT state FROM crossfade.runs").await,
            "completed",
            "{at}"
        );
        database.remove().await;
    });
    for beginning in beginnings {
        beginning.remove().await;
    }
}

/// From the first phase with a crash to the last one.
fn disturbed(crashes: &[Option<&String>]) -> std::ops::RangeInclusive<usize> {
    let first = crashes.iter().position(Option::is_some);
    let last = crashes.iter().rposition(Option::is_some);
    first.expect("a crash")..=last.expect("a crash")
}

/// `rollback` from the end of each phase to the end of the one before it.
fn backward(run: &str, phase: usize) -> Vec<&str> {
    match phase.checked_sub(1) {
        Some(before) => vec!["rollback", run, "--to", PHASES[before], "--yes"],
        None => vec!["rollback", run, "--yes"],
    }
}

async fn a_rollback_killed_anywhere_ends_at_the_start(
    database: &Database,
    change: &Change,
    share: ThirdFrom,
) {
    database.execute(VEHICLES).await;
    let original = (database.dump_schema(), rows(database).await);
    change.register(database);
    database
        .crossfade(&["advance", change.run, "--to", "retire"])
        .exits(0);
    let mut phases = Vec::new();
    let mut beginnings = Vec::new();
    for phase in (0..7).rev() {
        beginnings.push(database.copy().await);
        phases.push(twice(failpoints(database, &backward(change.run, phase))));
    }
    assert_eq!(database.dump_schema(), original.0);
    all_of(&by_run(&phases, share), async |crashes| {
        let disturbed = disturbed(crashes);
        let database = beginnings[*disturbed.start()].copy().await;
        let mut writes = Writes::default();
        // What is undone after the last crash is undone in one go.
        let last = (*disturbed.end()).min(5);
        for number in (*disturbed.start()..=last).chain([6]) {
            let (phase, crash) = (6 - number, crashes[number]);
            let back = backward(change.run, phase);
            if let Some(failpoint) = crash {
                kill_at(&database, failpoint, &back).await;
                let number = i64::try_from(phase).expect("a small number");
                writes.make(change, &database, number).await;
            }
            // The last crash is after the end: then there is nothing left to go back from.
            if database.value("SELECT state FROM crossfade.runs").await == "active" {
                database.crossfade(&back).exits(0);
            }
        }
        let at = format!("{} going back, killed at {crashes:?}", change.run);
        assert_eq!(
            database.value("SELECT state FROM crossfade.runs").await,
            "rolled_back",
            "{at}"
        );
        assert_eq!(database.dump_schema(), original.0, "{at}");
        writes.assert_kept(
            &at,
            &original.1,
            rows(&database).await,
            change.old.0,
            Side::Old,
        );
        database.remove().await;
    });
    for beginning in beginnings {
        beginning.remove().await;
    }
}

#[test]
fn a_rename_killed_at_any_failpoint_ends_as_if_undisturbed_and_keeps_what_was_written_meanwhile() {
    on_postgresql(async |database| {
        a_crash_anywhere_ends_as_an_undisturbed_run(database, &rename(), ThirdFrom(0)).await;
    });
}

#[test]
fn a_narrowing_killed_at_any_failpoint_ends_as_if_undisturbed_and_keeps_what_was_written_meanwhile()
{
    on_postgresql(async |database| {
        a_crash_anywhere_ends_as_an_undisturbed_run(database, &narrowing(), ThirdFrom(1)).await;
    });
}

#[test]
fn text_to_integer_killed_at_any_failpoint_ends_as_if_undisturbed_and_keeps_what_was_written_meanwhile()
 {
    on_postgresql(async |database| {
        let file = plan_file(NUMBER_FROM_TEXT);
        let change = number_from_text(file.path());
        a_crash_anywhere_ends_as_an_undisturbed_run(database, &change, ThirdFrom(2)).await;
    });
}

#[test]
fn a_rollback_killed_at_any_failpoint_ends_at_the_original_schema_and_keeps_what_was_written_meanwhile()
 {
    let file = plan_file(NUMBER_FROM_TEXT);
    for (change, share) in [
        (rename(), ThirdFrom(0)),
        (narrowing(), ThirdFrom(1)),
        (number_from_text(file.path()), ThirdFrom(2)),
    ] {
        on_postgresql(async |database| {
            a_rollback_killed_anywhere_ends_at_the_start(database, &change, share).await;
        });
    }
}

/// Where the backfill stands: `(rows that it says it has filled, rows that are filled)`.
async fn checkpoint(database: &Database) -> (i64, i64) {
    let client = database.client().await;
    let row = client
        .query_one(
            "SELECT w.rows_before + (SELECT sum(s.rows_changed)::bigint FROM crossfade.segments AS s), \
                    (SELECT count(vehicle_status) FROM vehicles) \
             FROM crossfade.walks AS w",
            &[],
        )
        .await
        .expect("the checkpoint");
    (row.get(0), row.get(1))
}

#[test]
fn a_batch_that_is_cut_short_is_the_only_one_done_twice_and_a_committed_one_is_not() {
    on_postgresql(async |database| {
        // The size of a batch must not depend on how busy this machine is.
        let text = std::fs::read_to_string(rename().file).expect("the plan");
        let file = plan_file(&format!(
            "{text}settings: {{pacing: {{batch_target: 1m}}}}\n"
        ));
        let change = Change {
            file: file.path().to_owned(),
            ..rename()
        };
        change.start(database).await;
        database
            .crossfade(&["advance", change.run, "--to", "dual_write"])
            .exits(0);
        let template = database.copy().await;
        let backfill = ["advance", change.run, "--to", "backfill"];
        let passed = failpoints(database, &backfill);
        let undisturbed = template.copy().await;
        undisturbed.crossfade(&backfill).exits(0);
        let (updated, read) = work_done(&undisturbed).await;
        assert_eq!(updated, ROWS, "every row once");
        undisturbed.remove().await;
        let batches: Vec<String> = passed
            .into_iter()
            .filter(|(name, _)| name.contains(" batch: "))
            .flat_map(|(name, times)| (1..=times).map(move |time| format!("{name}#{time}")))
            .collect();
        assert!(batches.len() >= 3 * 4, "several in each pass: {batches:?}");
        all_of(&batches, async |failpoint| {
            let database = template.copy().await;
            kill_at(&database, failpoint, &backfill).await;
            let (said, filled) = checkpoint(&database).await;
            assert_eq!(
                said, filled,
                "{failpoint}: what is done and what is noted are one"
            );
            let before_restart = work_done(&database).await;
            database.crossfade(&backfill).exits(0);
            let after = work_done(&database).await;
            let (lost, lost_read) = (after.0 - updated, after.1 - read - ROWS);
            // The count above read every row once.
            if failpoint.contains(": in its effect") {
                assert_eq!(
                    lost,
                    before_restart.0 - filled,
                    "{failpoint}: only what was rolled back"
                );
                assert!((0..ROWS).contains(&lost), "{failpoint}: {lost} rows twice");
                assert!(
                    (0..ROWS).contains(&lost_read),
                    "{failpoint}: {lost_read} rows read twice"
                );
            } else {
                assert_eq!((lost, lost_read), (0, 0), "{failpoint}: nothing twice");
            }
            database.remove().await;
        });
        template.remove().await;
    });
}

/// One chain of crashes: the program is killed before, in and after every effect, one after the other, while clients of
/// both versions write all the time.
#[test]
fn a_rename_killed_around_every_effect_under_traffic_loses_no_write_and_fails_no_statement() {
    const TRAFFIC_ROWS: u64 = 10_000;
    on_postgresql(async |database| {
        let change = rename();
        create_table(&database.client().await, TRAFFIC_ROWS)
            .await
            .expect("the table");
        change.register(database);
        let enumerated = database.copy().await;
        let traffic = Traffic::start(
            &database.url,
            Shape::demo(),
            Options {
                clients_per_version: 2,
                pause: Duration::from_millis(5),
                initial_rows: TRAFFIC_ROWS,
                ..Options::default()
            },
        )
        .await
        .expect("traffic");
        for phase in PHASES {
            if phase == "retire" {
                traffic.stop_version(Version::Old).await;
            }
            let forward = ["advance", change.run, "--to", phase, "--yes"];
            let names: Vec<String> = failpoints(&enumerated, &forward)
                .into_iter()
                .map(|(name, _)| name)
                // Those around records are no different with clients.
                .filter(|name| name.ends_with("effect"))
                .collect();
            for name in names {
                kill_at(database, &name, &forward).await;
                traffic.wait_for_operations(3).await;
            }
            database.crossfade(&forward).exits(0);
            if phase == "dual_write" {
                traffic
                    .start_version(Version::New)
                    .await
                    .expect("the new version");
            }
        }
        enumerated.remove().await;
        traffic.wait_for_operations(100).await;
        let report = traffic.stop().await;
        assert_eq!(report.errors, Vec::<String>::new());
        let differences = report
            .ledger
            .compare(&database.client().await, "vehicle_status")
            .await
            .expect("compared");
        assert_eq!(differences, vec![]);
        database
            .crossfade(&["history", change.run, "--verify"])
            .exits(0);
    });
}

//! `check`, `start`, `explain` and `expand` of a plan whose run is there already, whatever it has changed so far.

use crate::support::{Database, Ran, on_postgresql, plan_file};

const VEHICLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'active');
    INSERT INTO vehicles SELECT i, 'status ' || i % 7 FROM generate_series(1, 100) AS i;
";

const RENAME: &str = "version: 1\nname: rename-status\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\n";

/// The same with a comment and the keys in another order.
const RENAME_OTHERWISE: &str = "# later\nname: rename-status\nversion: 1\nchange:\n  rename_column: {to: vehicle_status, from: status, table: public.vehicles}\n";

const ANOTHER: &str = "version: 1\nname: rename-status\nchange:\n  add_index: {table: public.vehicles, columns: [id, status]}\n";

const PHASES: [&str; 8] = [
    "expand",
    "dual_write",
    "backfill",
    "verify",
    "enforce",
    "switch_reads",
    "retire",
    "contract",
];

fn of(database: &Database, command: &str, plan: &str) -> Ran {
    let file = plan_file(plan);
    database.crossfade(&[command, file.path().to_str().unwrap()])
}

fn says(ran: &Ran, words: &str) {
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains(words), "{words:?} in {said}");
}

async fn count(database: &Database) -> String {
    database.value("SELECT count(*) FROM crossfade.runs").await
}

#[test]
fn wherever_its_run_stands_the_same_plan_is_no_error() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        says(
            &of(database, "start", RENAME).exits(0),
            "nothing has been run yet",
        );
        for phase in PHASES {
            for plan in [RENAME, RENAME_OTHERWISE] {
                let checked = of(database, "check", plan).exits(0);
                says(
                    &checked,
                    ": ok, already started as the run rename-status by ",
                );
                says(&checked, &format!(", which is before {phase}\n"));
                let started = of(database, "start", plan).exits(0);
                says(
                    &started,
                    "nothing to start: this plan was started as the run rename-status",
                );
                says(&started, &format!("which is before {phase}\n"));
                says(&started, "\nnext: crossfade advance rename-status\n");
            }
            database
                .crossfade(&["advance", "rename-status", "--to", phase, "--yes"])
                .exits(0);
        }
        let checked = of(database, "check", RENAME).exits(0);
        says(
            &checked,
            ": ok, already applied as the run rename-status, which ",
        );
        says(&checked, " and which was completed at 20");
        let started = of(database, "start", RENAME_OTHERWISE).exits(0);
        says(&started, "this plan was applied as the run rename-status");
        says(&started, "next: nothing; crossfade history rename-status");
        assert_eq!(count(database).await, "1");
    });
}

#[test]
fn what_comes_next_is_what_the_run_waits_for() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        of(database, "start", RENAME).exits(0);
        database
            .crossfade(&["pause", "rename-status", "--reason", "a\nfreeze"])
            .exits(0);
        let started = of(database, "start", RENAME).exits(0);
        says(&started, "which is paused by ");
        says(&started, "\nnext: crossfade resume rename-status\n");
        for ran in [&started, &of(database, "check", RENAME).exits(0)] {
            assert!(!ran.stdout.contains("\nfreeze"), "{}", ran.stdout);
        }
        let file = plan_file(RENAME);
        let path = file.path().to_str().unwrap();
        let status = database
            .crossfade(&["start", path, "--format", "json"])
            .exits(0)
            .json();
        assert_eq!(status["started_before"], true);
        assert_eq!(status["run"], "rename-status");
        let checked = database
            .crossfade(&["check", path, "--format", "json"])
            .exits(0)
            .json();
        assert_eq!(checked["plans"][0]["run"]["state"], "active");
    });
}

#[test]
fn a_rollback_that_is_under_way_is_what_comes_next() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        of(database, "start", RENAME).exits(0);
        database
            .crossfade(&["advance", "rename-status", "--to", "retire"])
            .exits(0);
        let killed = [(
            "CROSSFADE_FAILPOINT",
            "kill:phase retire reverted: after its record",
        )];
        let rollback = ["rollback", "rename-status", "--to", "verify", "--yes"];
        let ran = database.crossfade_with(&killed, &rollback);
        assert_eq!(ran.code, None, "{}", ran.stderr);
        let going_on = "`crossfade rollback rename-status --to verify` continues it";
        let started = of(database, "start", RENAME).exits(0);
        says(&started, ", which is in a rollback to verify");
        says(&started, going_on);
        says(&started, "next: the rollback, as above");
        says(
            &of(database, "check", RENAME).exits(0),
            "which is in a rollback to verify",
        );
        let preview = database
            .crossfade(&["advance", "rename-status", "--dry-run"])
            .exits(3);
        says(&preview, going_on);
        database.crossfade(&rollback).exits(0);
        database
            .crossfade(&["rollback", "rename-status", "--yes"])
            .exits(0);
        // The name is free again.
        says(&of(database, "check", RENAME).exits(0), "fits the database");
        says(
            &of(database, "start", RENAME).exits(0),
            "nothing has been run yet",
        );
    });
}

/// `check` says what `start` would: a name that is taken is an error of both, and the other files are looked at.
#[test]
fn another_plan_of_the_name_is_refused_by_check_as_by_start() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        of(database, "start", RENAME).exits(0);
        for command in ["check", "start"] {
            let ran = of(database, command, ANOTHER).exits(1);
            says(
                &ran,
                "the active run rename-status has another plan than this file",
            );
            says(&ran, ":2:7\n");
        }
        let (another, broken) = (plan_file(ANOTHER), plan_file("version: 1\nnmae: x\n"));
        let paths = [
            another.path().to_str().unwrap(),
            broken.path().to_str().unwrap(),
        ];
        let both = database.crossfade(&["check", paths[0], paths[1]]).exits(1);
        says(&both, "has another plan");
        says(&both, "unknown key `nmae`");
        database
            .crossfade(&["advance", "rename-status", "--to", "contract", "--yes"])
            .exits(0);
        for command in ["check", "start"] {
            let ran = of(database, command, ANOTHER).exits(1);
            says(
                &ran,
                "the name is taken: another plan was applied as the run rename-status",
            );
            says(&ran, "another name");
        }
    });
}

#[test]
fn a_plan_that_its_own_run_has_overtaken_is_not_called_wrong() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        of(database, "start", RENAME).exits(0);
        database
            .crossfade(&["advance", "rename-status", "--to", "contract", "--yes"])
            .exits(0);
        for command in ["explain", "expand"] {
            let ran = of(database, command, RENAME).exits(1);
            says(&ran, "this plan was applied as the run rename-status");
            says(&ran, "crossfade history rename-status");
            assert!(!ran.stderr.contains("has no column"), "{}", ran.stderr);
        }
    });
}

#[test]
fn two_starts_at_once_register_one_run() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let file = plan_file(RENAME);
        let path = file.path().to_str().unwrap();
        let starts: Vec<_> = (0..4)
            .map(|_| database.spawn(&[], &["start", path]))
            .collect();
        for start in starts {
            start.wait().exits(0);
        }
        assert_eq!(count(database).await, "1");
    });
}

/// What only people read is no other plan, and neither is the explicit form, when the tables are no longer what it was made of.
#[test]
fn the_same_plan_in_other_words_is_the_same_plan() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let explicit = of(database, "expand", RENAME).exits(0).stdout;
        let described =
            format!("{RENAME}description: for the new fleet\nallow: {{rename: it is known}}\n");
        let spelled = RENAME.replace("to: vehicle_status", "to: vehicle_status, strategy: copy");
        let fingerprint = |plan: &str| {
            of(database, "start", plan).exits(0);
            let status = database.status("rename-status");
            database
                .crossfade(&["rollback", "rename-status", "--yes"])
                .exits(0);
            status["plan_fingerprint"].clone()
        };
        let own = fingerprint(RENAME);
        for plan in [&explicit, &described, &spelled] {
            assert_eq!(fingerprint(plan), own, "{plan}");
        }
        of(database, "start", RENAME).exits(0);
        // While nothing is changed, any words for it will do.
        for plan in [RENAME, &explicit, &described, &spelled] {
            says(
                &of(database, "start", plan).exits(0),
                "nothing to start: this plan was started",
            );
            says(
                &of(database, "check", plan).exits(0),
                "already started as the run",
            );
        }
        for phase in PHASES {
            database
                .crossfade(&["advance", "rename-status", "--to", phase, "--yes"])
                .exits(0);
            for plan in [RENAME, &explicit, &described] {
                says(
                    &of(database, "start", plan).exits(0),
                    "nothing to start: this plan was ",
                );
                says(&of(database, "check", plan).exits(0), "already ");
            }
        }
        let other = explicit
            .replace("approvals", "approval")
            .replace("vehicle_status", "state");
        says(&of(database, "start", &other).exits(1), "the name is taken");
        database
            .crossfade(&["history", "rename-status", "--verify"])
            .exits(0);
        assert_eq!(count(database).await, "5");
    });
}

/// A run that an earlier version has started keeps its fingerprint, and is the same plan.
#[test]
fn a_run_of_an_earlier_version_is_known_again() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let described = format!("{RENAME}description: for the new fleet\n");
        of(database, "start", &described).exits(0);
        database
            .execute(
                "ALTER TABLE crossfade.runs DISABLE TRIGGER ALL; ALTER TABLE crossfade.events DISABLE TRIGGER ALL; \
                 UPDATE crossfade.runs SET fingerprint = encode(sha256(convert_to(plan::text, 'UTF8')), 'hex'); \
                 UPDATE crossfade.events SET detail = (detail::jsonb - 'form_sha256')::text; \
                 ALTER TABLE crossfade.runs ENABLE TRIGGER ALL; ALTER TABLE crossfade.events ENABLE TRIGGER ALL",
            )
            .await;
        let recorded = database.status("rename-status")["plan_fingerprint"].clone();
        for plan in [RENAME, &described, RENAME_OTHERWISE] {
            says(&of(database, "start", plan).exits(0), "nothing to start");
        }
        database
            .crossfade(&["advance", "rename-status", "--to", "dual_write"])
            .exits(0);
        for plan in [RENAME, &described, RENAME_OTHERWISE] {
            says(&of(database, "start", plan).exits(0), "nothing to start");
        }
        assert_eq!(
            database.status("rename-status")["plan_fingerprint"],
            recorded
        );
    });
}

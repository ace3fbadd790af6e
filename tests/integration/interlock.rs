//! `require`: a pipeline learns at which phases each release of the application may start and stop, in both directions.

use crate::support::{Database, on_postgresql, plan_file};

const ALL: [&[&str]; 5] = [
    &["--may-start", "old"],
    &["--may-start", "new", "--writes-only"],
    &["--may-start", "new"],
    &["--may-stop", "old"],
    &["--may-stop", "new"],
];

/// The answers to `ALL`: yes and no.
fn answers(database: &Database, run: &str) -> String {
    let ask = |question: &&[&str]| {
        let mut arguments = vec!["require", run, "--format", "json"];
        arguments.extend_from_slice(question);
        let ran = database.crossfade(&arguments);
        let said: serde_json::Value = serde_json::from_str(&ran.stdout).expect("a document");
        let allowed = said["allowed"].as_bool().expect("an answer");
        assert_eq!(ran.code, Some(if allowed { 0 } else { 3 }), "{said}");
        assert_eq!(said["reason"].is_null(), allowed, "{said}");
        if allowed { "y" } else { "n" }
    };
    ALL.iter().map(ask).collect::<Vec<_>>().join("")
}

async fn start(database: &Database, run: &str, change: &str) {
    database
        .execute(
            "CREATE TABLE IF NOT EXISTS vehicles (id bigint PRIMARY KEY, status text NOT NULL, note text); \
             INSERT INTO vehicles SELECT i, 's' || i, 'n' FROM generate_series(1, 50) AS i ON CONFLICT DO NOTHING",
        )
        .await;
    let file = plan_file(&format!("version: 1\nname: {run}\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
}

#[test]
fn the_answers_of_a_rename_flip_at_the_phases_forward_and_back() {
    on_postgresql(async |database| {
        let run = "rename";
        start(
            database,
            run,
            "rename_column: {table: public.vehicles, from: status, to: state}",
        )
        .await;
        // --may-start old, new that only writes, new; --may-stop old, new.
        let by_phase = [
            ("expand", "ynnny"),
            ("dual_write", "yynny"),
            ("backfill", "yynny"),
            ("verify", "yynny"),
            ("enforce", "yyyyy"),
            ("switch_reads", "yyyyy"),
            ("retire", "nyyyn"),
        ];
        assert_eq!(answers(database, run), "ynnny", "before the first phase");
        for (phase, wanted) in by_phase {
            database
                .crossfade(&["advance", run, "--to", phase])
                .exits(0);
            assert_eq!(answers(database, run), wanted, "after {phase}");
        }
        for (phase, wanted) in by_phase.iter().rev().skip(1) {
            database
                .crossfade(&["rollback", run, "--to", phase, "--yes"])
                .exits(0);
            assert_eq!(
                answers(database, run),
                *wanted,
                "back at the end of {phase}"
            );
        }
        database
            .crossfade(&["advance", run, "--to", "retire"])
            .exits(0);
        let told = database
            .crossfade(&["require", run, "--may-start", "old"])
            .exits(3)
            .stdout;
        assert!(
            told.contains("`crossfade rollback rename --to switch_reads` undoes it"),
            "{told}"
        );
        database
            .crossfade(&["rollback", run, "--to", "switch_reads", "--yes"])
            .exits(0);
        database
            .crossfade(&["require", run, "--may-start", "old"])
            .exits(0);
        database
            .crossfade(&["advance", run, "--to", "contract", "--yes"])
            .exits(0);
        assert_eq!(answers(database, run), "nyyyn", "completed");
    });
}

#[test]
fn a_run_that_was_rolled_back_has_room_for_the_old_release_only() {
    on_postgresql(async |database| {
        start(
            database,
            "back",
            "rename_column: {table: public.vehicles, from: status, to: state}",
        )
        .await;
        database
            .crossfade(&["advance", "back", "--to", "enforce"])
            .exits(0);
        database.crossfade(&["rollback", "back", "--yes"]).exits(0);
        assert_eq!(answers(database, "back"), "ynnny");
    });
}

#[test]
fn a_constraint_ends_the_old_release_and_a_dropped_column_needs_the_new_one() {
    on_postgresql(async |database| {
        start(
            database,
            "required",
            "set_not_null: {table: public.vehicles, column: note}",
        )
        .await;
        assert_eq!(answers(database, "required"), "ynnny");
        database
            .crossfade(&["advance", "required", "--to", "enforce"])
            .exits(0);
        // The old release may write NULL, which fails from here on.
        assert_eq!(answers(database, "required"), "nyyyn");
        start(
            database,
            "drop",
            "drop_column: {table: public.vehicles, column: note, default: \"'n'\"}",
        )
        .await;
        assert_eq!(answers(database, "drop"), "ynnny");
        database
            .crossfade(&["advance", "drop", "--to", "expand"])
            .exits(0);
        assert_eq!(answers(database, "drop"), "yyyyy");
        database
            .crossfade(&["advance", "drop", "--to", "retire"])
            .exits(0);
        assert_eq!(answers(database, "drop"), "nyyyn");
    });
}

#[test]
fn triggers_that_somebody_changed_keep_the_new_release_from_starting() {
    on_postgresql(async |database| {
        let run = "touched";
        start(
            database,
            run,
            "rename_column: {table: public.vehicles, from: status, to: state}",
        )
        .await;
        database
            .crossfade(&["advance", run, "--to", "enforce"])
            .exits(0);
        database
            .execute("ALTER TABLE vehicles DISABLE TRIGGER USER; ALTER TABLE vehicles ENABLE TRIGGER USER")
            .await;
        // What an operator or a server runs notices it.
        database.crossfade(&["advance", run]);
        let told = database
            .crossfade(&["require", run, "--may-start", "new"])
            .exits(3)
            .stdout;
        assert!(told.contains("`crossfade verify touched`"), "{told}");
        database.crossfade(&["verify", run]).exits(0);
        database
            .crossfade(&["require", run, "--may-start", "new"])
            .exits(0);
    });
}

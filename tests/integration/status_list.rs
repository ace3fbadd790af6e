//! `status` without a run: how each stands and what to type, those first that need somebody.

use crate::support::{Database, on_postgresql, plan_file};
use nix::sys::signal::Signal;

/// A run that renames `public.{table}.status`.
async fn start(database: &Database, table: &str, more: &str) {
    let rows = if more == SLOW { 30_000 } else { 100 };
    database
        .execute(&format!(
            "CREATE TABLE {table} (id bigint PRIMARY KEY, status text, pad text); \
             INSERT INTO {table} SELECT i, 'active', repeat('x', 900) FROM generate_series(1, {rows}) AS i"
        ))
        .await;
    let file = plan_file(&format!(
        "version: 1\nname: {table}\nchange:\n  rename_column: {{table: public.{table}, from: status, to: state}}\n{more}"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

/// How the run stands in what `status --format json` gave, and why.
fn standing(status: &serde_json::Value, run: &str) -> (String, String) {
    let runs = status["runs"].as_array().expect("a list");
    let one = runs.iter().find(|one| one["run"] == run).expect("the run");
    let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
    (text("standing"), text("why"))
}

const SLOW: &str = "settings: {pacing: {batch_target: 5ms, batch_rows_max: 5}}\n";

#[test]
fn one_look_tells_how_every_run_stands_and_what_to_type() {
    on_postgresql(async |database| {
        let empty = database.crossfade(&["status"]).exits(0).stdout;
        assert!(empty.contains("there is no run"), "{empty}");
        let gate = "gates: {expand: {approvals: 1}}\n";
        for (table, more) in [
            ("ready", ""),
            ("gated", gate),
            ("paused", ""),
            ("ordered", ""),
            ("locked", "settings: {lock_attempts_max: 1}\n"),
            ("blocked", ""),
            ("driven", SLOW),
            ("killed", SLOW),
            ("finished", ""),
            ("undone", ""),
        ] {
            start(database, table, more).await;
        }
        database
            .crossfade(&["pause", "paused", "--reason", "a sale"])
            .exits(0);
        database
            .crossfade(&["advance", "ordered", "--detach"])
            .exits(0);
        let holder = database.client().await;
        holder
            .batch_execute("BEGIN; LOCK TABLE locked, blocked IN ACCESS SHARE MODE")
            .await
            .unwrap();
        database.crossfade(&["advance", "locked"]).exits(6);
        let blocked = database.spawn(&[], &["advance", "blocked"]);
        database
            .crossfade(&["advance", "finished", "--to", "contract", "--yes"])
            .exits(0);
        database
            .crossfade(&["rollback", "undone", "--yes"])
            .exits(0);
        let drivers = ["driven", "killed"]
            .map(|run| database.spawn(&[], &["advance", run, "--to", "backfill"]));
        for run in ["driven", "killed"] {
            database
                .wait_until(&format!(
                    "SELECT EXISTS (SELECT FROM crossfade.segments WHERE step = 'fill:public.{run}' AND rows_changed > 50)"
                ))
                .await;
        }
        drivers[1].signal(Signal::SIGKILL);
        database
            .wait_until(
                "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'crossfade/killed%') \
                 AND EXISTS (SELECT FROM crossfade.events AS e JOIN crossfade.runs AS r ON r.id = e.run_id WHERE r.name = 'blocked' AND e.kind = 'blocked')",
            )
            .await;
        // At one moment: the backfill under way ends some time.
        let status = database
            .crossfade(&["status", "--format", "json"])
            .exits(0)
            .json();
        let text = database.crossfade(&["status"]).exits(0).stdout;
        for (run, expected, why) in [
            ("ready", "ready", "`crossfade advance ready` runs expand"),
            ("gated", "waiting", "approvals: 0 of 1 approvals"),
            ("paused", "paused", ": a sale"),
            (
                "ordered",
                "waiting",
                "order 1 waits for a `crossfade serve`",
            ),
            ("locked", "failed", "could not acquire the lock"),
            ("blocked", "blocked", "pid "),
            ("driven", "running", ""),
            (
                "killed",
                "stopped",
                "nobody drives it: `crossfade advance killed` continues",
            ),
            ("finished", "", ""),
            ("undone", "", ""),
        ] {
            let (standing, said) = standing(&status, run);
            assert_eq!(standing, expected, "{run}: {said}");
            assert!(said.contains(why), "{run}: {said}");
        }
        let order: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let place = |run: &str| order.iter().position(|one| *one == run);
        for pair in [
            "locked", "killed", "paused", "blocked", "gated", "ready", "driven", "finished",
        ]
        .windows(2)
        {
            assert!(place(pair[0]) < place(pair[1]), "{pair:?} in {text}");
        }
        assert!(text.contains("undone    rolled_back"), "{text}");
        holder.batch_execute("COMMIT").await.unwrap();
        blocked.wait().exits(0);
        drop(drivers);
    });
}

//! Looking before one acts: what a rollback would do, and what happened in all runs.

use crate::support::{Database, on_postgresql, plan_file};

async fn start(database: &Database, table: &str) {
    database
        .execute(&format!(
            "CREATE TABLE {table} (id bigint PRIMARY KEY, note text); INSERT INTO {table} SELECT generate_series(1, 50)"
        ))
        .await;
    let file = plan_file(&format!(
        "version: 1\nname: {table}\nchange:\n  add_column: {{table: public.{table}, column: state, type: text}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
    database.crossfade(&["advance", table]).exits(0);
}

#[test]
fn what_a_rollback_would_do_is_shown_and_not_done() {
    on_postgresql(async |database| {
        start(database, "vehicles").await;
        let before = database.dump_schema();
        let dry_run = ["rollback", "vehicles", "--dry-run"];
        let shown = database.crossfade(&dry_run).exits(0).stdout;
        assert_eq!(shown.trim(), "would undo expand");
        database
            .execute("UPDATE vehicles SET state = 'new' WHERE id <= 7")
            .await;
        let shown = database.crossfade(&dry_run).exits(1).stdout;
        for said in [
            "would undo expand",
            "would take away",
            "7 rows",
            "would be refused: ",
            "--discard public.vehicles.state",
        ] {
            assert!(shown.contains(said), "{said} in {shown}");
        }
        let json = database
            .crossfade(&["rollback", "vehicles", "--dry-run", "--format", "json"])
            .exits(1)
            .json();
        assert_eq!(json["phases"], serde_json::json!(["expand"]));
        assert_eq!(json["would_lose"][0]["rows"], 7);
        let discarding = [
            "rollback",
            "vehicles",
            "--dry-run",
            "--discard",
            "public.vehicles.state",
        ];
        let shown = database.crossfade(&discarding).exits(0).stdout;
        assert!(!shown.contains("refused"), "{shown}");
        assert_eq!(database.dump_schema(), before);
        assert_eq!(
            database
                .value("SELECT count(*) FROM vehicles WHERE state = 'new'")
                .await,
            "7"
        );
        let recorded = "SELECT count(*) FROM crossfade.events WHERE kind LIKE 'rollback%'";
        assert_eq!(database.value(recorded).await, "0");
    });
}

#[test]
fn the_events_of_all_runs_are_shown_by_time() {
    on_postgresql(async |database| {
        let none = database.crossfade(&["history"]).exits(0).stdout;
        assert!(none.contains("nothing has been recorded yet"), "{none}");
        start(database, "vehicles").await;
        start(database, "trips").await;
        database
            .crossfade(&["rollback", "vehicles", "--yes"])
            .exits(0);
        let all = database
            .crossfade(&["history", "--format", "json"])
            .exits(0)
            .json();
        let events = all["events"].as_array().expect("events").clone();
        let at: Vec<&str> = events
            .iter()
            .map(|one| one["at"].as_str().unwrap())
            .collect();
        assert!(at.is_sorted(), "{at:?}");
        let of = |run: &str| events.iter().filter(|one| one["run"] == run).count();
        let single = database
            .crossfade(&["history", "trips", "--format", "json"])
            .exits(0)
            .json();
        assert_eq!(single["events"].as_array().map(Vec::len), Some(of("trips")));
        assert_eq!(of("trips") + of("vehicles"), events.len());
        let latest = database
            .crossfade(&["history", "--limit", "2"])
            .exits(0)
            .stdout;
        let lines: Vec<&str> = latest.lines().collect();
        assert_eq!(lines.len(), 3, "{latest}");
        assert!(
            lines[1].starts_with("vehicles") && lines[1].contains("rolled_back"),
            "{latest}"
        );
        assert!(lines[2].contains("`--limit` shows more"), "{latest}");
        database.crossfade(&["history", "--verify"]).exits(2);
    });
}

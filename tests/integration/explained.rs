//! What `explain` says is what happens: its locks against `pg_locks`, while the plan's own statements are run.

use crate::support::{Database, on_postgresql, plan, plan_file};
use serde_json::Value;
use std::collections::BTreeMap;

const TABLES: &str = "
    CREATE TABLE depots (id bigint PRIMARY KEY);
    INSERT INTO depots SELECT generate_series(1, 10);
    CREATE TABLE vehicles (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        status varchar(50) NOT NULL DEFAULT 'active' CHECK (status <> ''),
        license_plate varchar(20) NOT NULL UNIQUE,
        depot bigint REFERENCES depots
    );
    CREATE INDEX vehicles_status_idx ON vehicles (status);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE ON vehicles FOR EACH ROW EXECUTE FUNCTION touch();
    INSERT INTO vehicles (status, license_plate, depot) SELECT 'idle', 'P-' || i, 1 + i % 10 FROM generate_series(1, 1000) AS i;
    ANALYZE;
";
const PLANS: [&str; 3] = [
    "vehicles-rename-status.yaml",
    "vehicles-narrow-plate.yaml",
    "vehicles-status-statistics.yaml",
];
const ORDER: [&str; 8] = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];
/// Weaker ones are taken by looking, too.
const TELLING: usize = 3;
const MODES: &str = "SELECT n.nspname || '.' || c.relname, l.mode FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation \
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' \
      AND c.relkind IN ('r', 'p') AND n.nspname = 'public'";

type Locks = BTreeMap<String, usize>;

fn stronger(locks: &mut Locks, table: &str, rank: usize) {
    if rank >= TELLING {
        let strongest = locks.entry(table.to_owned()).or_default();
        *strongest = rank.max(*strongest);
    }
}

/// `ACCESS EXCLUSIVE` as `pg_locks` calls it.
fn rank_of_words(words: &str) -> usize {
    let mode: String = words
        .split(' ')
        .map(|word| format!("{}{}", &word[..1], word[1..].to_lowercase()))
        .chain(["Lock".to_owned()])
        .collect();
    ORDER
        .iter()
        .position(|known| *known == mode)
        .expect("a mode")
}

/// Runs a phase's statements in a transaction that is taken back, and compares after each.
async fn compare(database: &Database, phase: &Value) -> usize {
    let client = database.client().await;
    client.batch_execute("BEGIN").await.expect("a transaction");
    let (mut said, mut compared) = (Locks::new(), 0);
    let steps = phase["steps"].as_array().expect("steps").iter();
    let ddl = steps.filter(|step| {
        !["fill", "match", "query"].contains(&step["kind"].as_str().expect("a kind"))
    });
    for statement in ddl.flat_map(|step| step["statements"].as_array().expect("statements")) {
        let sql = statement["sql"].as_str().expect("text");
        if statement["in_transaction"] == false {
            continue;
        }
        client
            .batch_execute("SAVEPOINT one")
            .await
            .expect("a savepoint");
        // What needs an index that is built concurrently cannot be run here.
        if client.batch_execute(sql).await.is_err() {
            client
                .batch_execute("ROLLBACK TO one")
                .await
                .expect("a rollback");
            continue;
        }
        for lock in statement["locks"].as_array().expect("locks") {
            let table = lock["table"].as_str().expect("a table");
            stronger(
                &mut said,
                table,
                rank_of_words(lock["lock"].as_str().expect("a lock")),
            );
        }
        let mut held = Locks::new();
        for row in client.query(MODES, &[]).await.expect("the locks") {
            let mode: &str = row.get(1);
            let rank = ORDER
                .iter()
                .position(|known| *known == mode)
                .expect("a mode");
            stronger(&mut held, row.get(0), rank);
        }
        assert_eq!(said, held, "{} after {sql}", phase["phase"]);
        compared += 1;
    }
    client.batch_execute("ROLLBACK").await.expect("a rollback");
    compared
}

async fn explained_as_run(database: &Database, file: &str) {
    let plan = plan(file);
    let plan = plan.to_str().expect("a path of text");
    let explained = database
        .crossfade(&["explain", plan, "--format", "json"])
        .exits(0)
        .json();
    let run = explained["name"].as_str().expect("a name");
    database.crossfade(&["start", plan]).exits(0);
    let mut compared = 0;
    for phase in explained["phases"].as_array().expect("phases") {
        compared += compare(database, phase).await;
        let name = phase["phase"].as_str().expect("a name");
        database
            .crossfade(&["advance", run, "--to", name, "--yes"])
            .exits(0);
    }
    assert!(compared > 0, "{file}");
}

#[test]
fn locks_are_those_that_the_statements_take() {
    for file in PLANS {
        on_postgresql(async |database| {
            database.execute(TABLES).await;
            database.crossfade(&["init"]).exits(0);
            explained_as_run(database, file).await;
        });
    }
}

#[test]
fn rows_time_and_wal_are_estimated_and_written_for_people() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let plan = plan("vehicles-rename-status.yaml");
        let plan = plan.to_str().expect("a path of text");
        let explained = database
            .crossfade(&["explain", plan, "--format", "json"])
            .exits(0)
            .json();
        let phases = explained["phases"].as_array().expect("phases");
        let fill = phases
            .iter()
            .flat_map(|phase| phase["steps"].as_array().expect("steps"))
            .find(|step| step["kind"] == "fill")
            .expect("a fill");
        let estimate = &fill["statements"][0]["estimate"];
        assert_eq!(estimate["rows"], 1000);
        assert!(
            estimate["wal_bytes"][0].as_u64() > Some(10_000),
            "{estimate}"
        );
        assert!(
            phases
                .iter()
                .all(|phase| phase["summary"]["back"].is_string())
        );
        let text = database.crossfade(&["explain", plan]).exits(0).stdout;
        assert!(text.contains("  takes     less than a second"), "{text}");
        assert!(
            text.contains("blocks    reads and writes of public.vehicles: at most 100ms at a time"),
            "{text}"
        );
        let markdown = database
            .crossfade(&["explain", plan, "--format", "markdown"])
            .exits(0)
            .stdout;
        assert!(
            markdown.contains("| phase | takes | blocks | back |"),
            "{markdown}"
        );
        assert!(markdown.contains("```sql"), "{markdown}");
        let status = database
            .crossfade(&["status", "--format", "markdown"])
            .exits(2);
        assert!(
            status.stderr.contains("markdown is of `explain`"),
            "{}",
            status.stderr
        );
    });
}

#[test]
fn a_rewrite_in_statements_of_ones_own_is_told() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let text = "version: 1\nname: own\nallow: {type-change: ten rows}\nphases:\n  - phase: sql\n    steps:\n      - sql: {name: a, \
                    forward: 'ALTER TABLE public.vehicles ALTER COLUMN depot TYPE numeric', done_when: select false, irreversible: true}\n";
        let plan = plan_file(text);
        let plan = plan.path().to_str().expect("a path of text");
        let explained = database
            .crossfade(&["explain", plan, "--format", "json"])
            .exits(0)
            .json();
        let statement = &explained["phases"][0]["steps"][0]["statements"][0];
        assert_eq!(
            (&statement["rewrite"], &statement["scan"]),
            (&true.into(), &true.into())
        );
        assert_eq!(statement["locks"][0]["lock"], "ACCESS EXCLUSIVE");
        assert_eq!(
            explained["phases"][0]["summary"]["back"],
            "there is no way back"
        );
        let text = database.crossfade(&["explain", plan]).exits(0).stdout;
        assert!(text.contains("writes the whole table anew"), "{text}");
    });
}

//! What `explain` says, in its three forms: estimates, rewrites, what is written for people. Its locks: `explained_locks`.

use crate::support::{Database, on_postgresql, plan, plan_file};

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
            "it cannot be undone"
        );
        let text = database.crossfade(&["explain", plan]).exits(0).stdout;
        assert!(text.contains("rewrites the whole table"), "{text}");
        statements_of_ones_own_are_judged_by_what_is_there(database).await;
    });
}

/// The same database, analyzed, with a CHECK that proves what a statement would else have to look for.
async fn statements_of_ones_own_are_judged_by_what_is_there(database: &Database) {
    database
        .execute("ALTER TABLE vehicles ADD CONSTRAINT depot_known CHECK (depot IS NOT NULL); ANALYZE vehicles")
        .await;
    let own = |forward: &str, allow: &str| {
        plan_file(&format!(
            "version: 1\nname: own\n{allow}change:\n  sql: {{name: a, forward: '{forward}', done_when: select false, irreversible: true}}\n"
        ))
    };
    let proven = own(
        "ALTER TABLE public.vehicles ALTER COLUMN depot SET NOT NULL",
        "",
    );
    let proven = proven.path().to_str().expect("a path of text");
    database.crossfade(&["check", proven]).exits(0);
    let said = database.crossfade(&["check", "--offline", proven]).exits(1);
    assert!(
        said.stderr.contains("set-not-null-without-proof"),
        "{}",
        said.stderr
    );

    let statement = |forward: &str, allow: &str| {
        let plan = own(forward, allow);
        let path = plan.path().to_str().expect("a path of text");
        let explained = database
            .crossfade(&["explain", path, "--format", "json"])
            .exits(0)
            .json();
        explained["phases"][0]["steps"][0]["statements"][0].clone()
    };
    let all = statement(
        "UPDATE public.vehicles SET depot = depot",
        "allow: {whole-table-write: few rows}\n",
    );
    assert_eq!(all["estimate"]["rows"], 1000, "{all}");
    assert_eq!(all["locks"][0]["lock"], "ROW EXCLUSIVE");
    assert_eq!(all["locks"][0]["table"], "public.vehicles");
    assert_eq!(all["fires"].as_array().map(Vec::len), Some(1), "{all}");
    let some = statement("UPDATE public.vehicles SET depot = depot WHERE id = 1", "");
    assert!(some["estimate"].is_null(), "{some}");
    assert_eq!(
        some["not_estimated"],
        "how many rows it writes is not known before it is run"
    );

    database
        .execute(
            "CREATE DOMAIN positive AS integer CHECK (value > 0); CREATE DOMAIN small AS positive; CREATE TYPE paint AS ENUM ('red'); \
             ALTER TABLE vehicles ADD plate varchar(10) UNIQUE; CREATE TABLE plates (plate varchar(10) REFERENCES vehicles (plate)); \
             CREATE INDEX ON vehicles (lower(plate))",
        )
        .await;
    let allow = "allow: {type-change: few rows, rewrite-under-lock: few rows}\n";
    for (type_name, rewrite) in [("small", true), ("paint", false)] {
        let forward = format!("ALTER TABLE public.vehicles ADD COLUMN x public.{type_name}");
        let added = statement(&forward, allow);
        assert_eq!(added["rewrite"], rewrite, "{added}");
    }
    let wider = statement(
        "ALTER TABLE public.vehicles ALTER COLUMN plate TYPE varchar(20)",
        allow,
    );
    assert_eq!(
        (&wider["rewrite"], &wider["scan"]),
        (&false.into(), &true.into())
    );
    assert_eq!(wider["locks"][1]["table"], "public.plates", "{wider}");
    assert_eq!(wider["locks"][1]["lock"], "ACCESS EXCLUSIVE");
}

#[test]
fn what_is_not_estimated_is_named_and_notes_are_about_the_plan() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let explained = |change: &str| {
            let file = plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"));
            let path = file.path().to_str().expect("a path of text").to_owned();
            database.crossfade(&["explain", &path]).exits(0).stdout
        };
        let check = explained("add_check: {table: vehicles, name: c, check: id > 0}");
        assert!(
            check.contains("how long a query takes is not estimated"),
            "{check}"
        );
        assert!(!check.contains("SELECT *"), "{check}");
        let column = explained("add_column: {table: vehicles, column: c, type: text}");
        assert!(
            column.contains("a prepared `SELECT *` fails once"),
            "{column}"
        );
    });
}

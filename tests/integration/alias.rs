//! Renames by view: both versions read and write through it, and it leaves what a native rename leaves.

use crate::support::{Database, on_postgresql, plan, plan_file};
use crossfade::demo::traffic::{Options, Shape, Traffic, Version, create_table};
use std::time::Duration;

const RUN: &str = "alias-vehicle-status";

/// A table with all that hangs on one.
const FLEET: &str = "
    CREATE TABLE depots (code text PRIMARY KEY);
    INSERT INTO depots VALUES ('north');
    CREATE TABLE vehicles (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        number serial,
        status varchar(50) NOT NULL DEFAULT 'active' CHECK (status <> ''),
        depot text REFERENCES depots DEFAULT 'north',
        shouted text GENERATED ALWAYS AS (upper(status::text)) STORED,
        \"odd name\" integer DEFAULT 7
    );
    COMMENT ON TABLE vehicles IS 'all of them';
    COMMENT ON COLUMN vehicles.status IS 'what it does';
    CREATE INDEX vehicles_status_idx ON vehicles (status);
    CREATE TABLE trips (id bigint PRIMARY KEY, vehicle_id bigint REFERENCES vehicles);
    CREATE VIEW idle_vehicles AS SELECT id FROM vehicles WHERE status = 'idle';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.\"odd name\" := new.\"odd name\" + 1; RETURN new; END';
    CREATE TRIGGER touch BEFORE UPDATE ON vehicles FOR EACH ROW EXECUTE FUNCTION touch();
    INSERT INTO vehicles (status) SELECT 'idle' FROM generate_series(1, 100);
    ANALYZE;
";

fn path(file: &std::path::Path) -> &str {
    file.to_str().expect("a path")
}

/// Both versions' clients from before the swap until after the end, each in service as long as its name is there.
#[test]
fn both_versions_write_through_the_view_and_no_statement_fails() {
    on_postgresql(async |database| {
        create_table(&database.client().await, 2_000)
            .await
            .expect("the table");
        database
            .execute("INSERT INTO vehicles (id, license_plate) OVERRIDING SYSTEM VALUE VALUES (-1, 'nobody''s')")
            .await;
        database
            .crossfade(&["start", path(&plan("vehicles-rename-status-alias.yaml"))])
            .exits(0);
        let options = Options {
            seed: 7,
            clients_per_version: 3,
            pause: Duration::from_micros(200),
            initial_rows: 2_000,
            ..Options::default()
        };
        let traffic = Traffic::start(&database.url, Shape::demo(), options)
            .await
            .expect("traffic");
        // Unprepared statements of somebody else, in the simple protocol.
        let client = database.client().await;
        let simple = tokio::spawn(async move {
            let mut failed = Vec::new();
            for turn in 0..2_000 {
                let sql = format!(
                    "BEGIN; SELECT status FROM vehicles WHERE id = -1 FOR UPDATE; UPDATE vehicles SET status = 's{turn}' WHERE id = -1; COMMIT"
                );
                if let Err(error) = client.batch_execute(&sql).await {
                    failed.push(format!("{error:?}"));
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            failed
        });
        let advance = |to: &str| {
            database
                .crossfade(&["advance", RUN, "--to", to, "--yes"])
                .exits(0)
        };
        let back = || database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        traffic.wait_for_operations(300).await;
        // There, and back, and there again.
        advance("expand");
        traffic.wait_for_operations(300).await;
        back();
        traffic.wait_for_operations(300).await;
        database
            .crossfade(&["start", path(&plan("vehicles-rename-status-alias.yaml"))])
            .exits(0);
        advance("expand");
        traffic
            .start_version(Version::New)
            .await
            .expect("the new version");
        traffic.wait_for_operations(1_000).await;
        advance("switch_reads");
        traffic.stop_version(Version::Old).await;
        assert_eq!(simple.await.expect("a client"), Vec::<String>::new());
        traffic.wait_for_operations(300).await;
        advance("contract");
        traffic.wait_for_operations(300).await;
        let report = traffic.stop().await;
        assert_eq!(report.errors, Vec::<String>::new());
        let differences = report
            .ledger
            .compare(&database.client().await, "vehicle_status")
            .await
            .expect("compared");
        assert_eq!(differences, vec![]);
    });
}

/// Runs the plan in one copy of the database and the native statement in another: the schemas are the same.
async fn ends_as_native(
    database: &Database,
    setup: &str,
    file: &std::path::Path,
    run: &str,
    native: &str,
) {
    database.execute(setup).await;
    let original = database.dump_schema();
    for phase in ["expand", "switch_reads"] {
        database.crossfade(&["start", path(file)]).exits(0);
        database
            .crossfade(&["advance", run, "--to", phase])
            .exits(0);
        assert_ne!(database.dump_schema(), original);
        database.crossfade(&["rollback", run, "--yes"]).exits(0);
        assert_eq!(
            database.dump_schema(),
            original,
            "{run} undone after {phase}"
        );
    }
    let other = database.copy().await;
    other.execute(native).await;
    // Killed before, in and after what it does, in either phase.
    database.crossfade(&["start", path(file)]).exits(0);
    for (phase, place) in [
        ("expand", format!("{} part 1", step(database).await)),
        ("contract", "contract".to_owned()),
    ] {
        for moment in ["before its effect", "in its effect", "after its effect"] {
            let killed = database.crossfade_with(
                &[("CROSSFADE_FAILPOINT", &format!("kill:{place}: {moment}"))],
                &["advance", run, "--to", phase, "--yes"],
            );
            assert_eq!(killed.code, None, "{phase} {moment}: {}", killed.stderr);
        }
    }
    database
        .crossfade(&["advance", run, "--to", "contract", "--yes"])
        .exits(0);
    assert_eq!(database.status(run)["state"], "completed");
    assert_eq!(database.dump_schema(), other.dump_schema());
    other.remove().await;
}

async fn step(database: &Database) -> String {
    database
        .value("SELECT step FROM crossfade.steps JOIN crossfade.runs ON runs.id = run_id WHERE runs.state = 'active' AND phase = 'expand'")
        .await
}

#[test]
fn a_rename_by_view_ends_as_a_native_one_and_can_be_undone_until_then() {
    on_postgresql(async |database| {
        ends_as_native(
            database,
            FLEET,
            &plan("vehicles-rename-status-alias.yaml"),
            RUN,
            "ALTER TABLE vehicles RENAME COLUMN status TO vehicle_status",
        )
        .await;
    });
}

#[test]
fn a_table_renamed_by_view_ends_as_a_native_rename() {
    on_postgresql(async |database| {
        ends_as_native(
            database,
            "CREATE TABLE acknowledgments (shipment_id bigint PRIMARY KEY, signature_url text, photo_url text, captured_at timestamptz DEFAULT now());
             INSERT INTO acknowledgments SELECT i, 's' || i FROM generate_series(1, 100) AS i;",
            &plan("acknowledgments-rename-table.yaml"),
            "rename-acknowledgments",
            "ALTER TABLE acknowledgments RENAME TO delivery_proofs",
        )
        .await;
        database
            .execute("INSERT INTO delivery_proofs (shipment_id) VALUES (1000)")
            .await;
    });
}

#[test]
fn the_view_acts_as_the_table_did() {
    on_postgresql(async |database| {
        database.execute(FLEET).await;
        let role = format!("app_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT ON vehicles TO {role}; GRANT UPDATE (status) ON vehicles TO {role};
                 GRANT USAGE ON SEQUENCE vehicles_number_seq TO {role}; CREATE ROLE {role}_other;
                 ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {role}_other;"
            ))
            .await;
        database
            .crossfade(&["start", path(&plan("vehicles-rename-status-alias.yaml"))])
            .exits(0);
        let client = database.client().await;
        let named = client
            .prepare("SELECT id, status FROM vehicles WHERE id = $1 FOR UPDATE")
            .await
            .expect("prepared");
        let star = client.prepare("SELECT * FROM vehicles").await;
        let star = star.expect("prepared");
        database.crossfade(&["advance", RUN]).exits(0);
        // Planned anew by the server; what has a column more is not.
        assert!(client.query(&named, &[&1_i64]).await.is_ok());
        let failed = client.query(&star, &[]).await.expect_err("another result");
        assert_eq!(failed.code().map(|code| code.code()), Some("0A000"));
        client
            .batch_execute(&format!("SET ROLE {role}"))
            .await
            .expect("the role");
        for sql in [
            "INSERT INTO vehicles (status) VALUES ('a')",
            "INSERT INTO vehicles (vehicle_status) VALUES ('b')",
            "INSERT INTO vehicles DEFAULT VALUES",
            "INSERT INTO vehicles (status) VALUES (DEFAULT)",
            "UPDATE vehicles SET vehicle_status = 'c' WHERE id = 1",
            "UPDATE vehicles SET status = 'd' WHERE id = 2",
        ] {
            client
                .batch_execute(sql)
                .await
                .unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        }
        for (sql, state) in [
            ("DELETE FROM vehicles", "42501"),
            ("UPDATE vehicles SET depot = 'x'", "42501"),
            ("INSERT INTO vehicles (id) VALUES (5)", "428C9"),
        ] {
            let error = client.batch_execute(sql).await.expect_err(sql);
            assert_eq!(error.code().map(|code| code.code()), Some(state), "{sql}");
        }
        client
            .batch_execute(&format!("RESET ROLE; SET ROLE {role}_other"))
            .await
            .expect("the role");
        let error = client.batch_execute("SELECT FROM vehicles").await;
        assert_eq!(
            error.expect_err("no right").code().map(|code| code.code()),
            Some("42501")
        );
        client.batch_execute("RESET ROLE").await.expect("reset");
        // The default of a column, and not NULL.
        client
            .batch_execute("UPDATE vehicles SET \"odd name\" = DEFAULT WHERE id = 1; UPDATE vehicles SET depot = DEFAULT, status = 'e' WHERE id = 1")
            .await
            .expect("defaults");
        let shown = "SELECT concat_ws('|', status, vehicle_status, depot, shouted, \"odd name\") FROM vehicles WHERE id = 1";
        assert_eq!(database.value(shown).await, "e|e|north|E|9");
        let left = "SELECT string_agg(status || coalesce(depot, '-') || number || \"odd name\", ',' ORDER BY id) FROM vehicles WHERE id > 100";
        assert_eq!(
            database.value(left).await,
            "anorth1017,bnorth1027,activenorth1037,activenorth1047"
        );
        // What the plan says does not work.
        for sql in [
            "TRUNCATE vehicles",
            "COPY vehicles FROM '/dev/null'",
            "UPDATE vehicles SET status = 'a', vehicle_status = 'b'",
            "ALTER TABLE trips ADD FOREIGN KEY (vehicle_id) REFERENCES vehicles",
        ] {
            assert!(client.batch_execute(sql).await.is_err(), "{sql}");
        }
        let explained =
            database.crossfade(&["explain", path(&plan("vehicles-rename-status-alias.yaml"))]);
        assert_eq!(
            explained.code,
            Some(1),
            "the table is a view now: {}",
            explained.stdout
        );
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        database
            .execute(&format!(
                "DROP OWNED BY {role}, {role}_other; DROP ROLE {role}, {role}_other"
            ))
            .await;
    });
}

#[test]
fn what_a_view_cannot_stand_in_for_is_refused_by_name() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE published (id bigint PRIMARY KEY, a text); CREATE PUBLICATION news FOR TABLE published;
                 CREATE TABLE ruled (id bigint PRIMARY KEY, a text); CREATE RULE keep AS ON DELETE TO ruled DO INSTEAD NOTHING;
                 CREATE TABLE typed (id bigint PRIMARY KEY, a text); CREATE FUNCTION show(typed) RETURNS text LANGUAGE sql AS 'SELECT $1.a';
                 CREATE TABLE parted (id bigint, a text) PARTITION BY LIST (id); CREATE VIEW seen AS SELECT * FROM ruled;
                 CREATE TABLE secured (id bigint PRIMARY KEY, a text); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
                 CREATE TABLE taken (id bigint PRIMARY KEY, a text, b text);
                 CREATE TABLE named (id bigint PRIMARY KEY, a text);
                 CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE LOG ''%'', TG_TABLE_NAME; RETURN new; END';
                 CREATE TRIGGER audit BEFORE UPDATE ON named FOR EACH ROW EXECUTE FUNCTION audit();
                 CREATE TABLE crowded (id bigint PRIMARY KEY, a text); CREATE TABLE crowded__base ();",
            )
            .await;
        let plan = |table: &str| {
            plan_file(&format!(
                "version: 1\nname: x\nchange:\n  rename_column: {{table: public.{table}, from: a, to: b, strategy: alias}}\n"
            ))
        };
        let check = |table: &str| database.crossfade(&["check", path(plan(table).path())]);
        for (table, what) in [
            ("published", "is published: news"),
            ("ruled", "has rules: keep"),
            (
                "typed",
                "the row type of public.typed is used by function public.show(public.typed)",
            ),
            ("parted", "is partitioned"),
            ("seen", "is a view"),
            ("taken", "already has a column b"),
        ] {
            let said = check(table).exits(1).stderr;
            assert!(said.contains(what), "{table}: {said}");
        }
        // A copy can be published, if the subscribers follow.
        let copy = plan_file(
            "version: 1\nname: x\nchange:\n  rename_column: {table: public.published, from: a, to: b}\n",
        );
        let told = database.crossfade(&["check", path(copy.path())]).exits(0);
        let told = told.stdout + &told.stderr;
        for published in [
            "public.published is published (news), and from `expand` on so is a column b",
            "from `retire` on so is a column a_crossfade_retired",
        ] {
            assert!(told.contains(published), "{told}");
        }
        let old: bool = database
            .value("SELECT current_setting('server_version_num')::integer < 150000")
            .await
            == "true";
        let said = check("secured").exits(i32::from(old));
        assert_eq!(
            said.stderr.contains("has row security"),
            old,
            "{}",
            said.stderr
        );
        let warned = check("named").exits(0);
        let told = warned.stdout + &warned.stderr;
        assert!(
            told.contains("triggers depend on the name of public.named"),
            "{told}"
        );
        // A name that is taken is found before anything is changed.
        for command in ["check", "start"] {
            let said = database
                .crossfade(&[command, path(plan("crowded").path())])
                .exits(1);
            let said = said.stdout + &said.stderr;
            assert!(said.contains("crowded__base already"), "{said}");
        }
        database
            .execute("CREATE PUBLICATION everything FOR ALL TABLES")
            .await;
        let said = check("named").exits(1).stderr;
        assert!(said.contains("is published: everything"), "{said}");
    });
}

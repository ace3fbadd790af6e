//! A rollback that the server refuses, or that something by hand stands in the way of, is refused before anything is recorded, or
//! given up: the run goes on from there, and nothing is left between two commands that name each other.

use crate::support::{Database, on_postgresql, plan_file};

fn begin(database: &Database, name: &str, change: &str) {
    let file = plan_file(&format!("version: 1\nname: {name}\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
}

fn run(database: &Database, name: &str, change: &str) {
    begin(database, name, change);
    let status = database.status(name);
    let phases = status["phases"].as_array().expect("phases");
    let last = phases.iter().rev().find_map(|phase| phase["name"].as_str());
    let last = last.expect("a phase");
    database
        .crossfade(&["advance", name, "--to", last, "--yes"])
        .exits(0);
}

/// What is done, what comes in the way by hand or by another run, and what ends that.
struct Case {
    change: &'static str,
    in_the_way: &'static str,
    named: &'static str,
    ended: &'static str,
}

const TABLES: &str = "
    CREATE TABLE t (id integer, v text DEFAULT 'x', w integer NOT NULL CONSTRAINT w_positive CHECK (w > 0), n integer);
    CREATE UNIQUE INDEX t_w ON t (w);
    CREATE INDEX t_v ON t (v);
    ALTER TABLE t REPLICA IDENTITY USING INDEX t_w;
    CREATE TABLE u (id integer PRIMARY KEY);
    INSERT INTO t SELECT i, 'v', i, i FROM generate_series(1, 20) AS i;
";

const FORESEEN: [Case; 8] = [
    Case {
        change: "set_not_null: {table: public.t, column: id}",
        in_the_way: "ALTER TABLE t ADD PRIMARY KEY (id)",
        named: "is in the primary key t_pkey",
        ended: "ALTER TABLE t DROP CONSTRAINT t_pkey",
    },
    Case {
        change: "set_not_null: {table: public.t, column: id}",
        in_the_way: "ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY",
        named: "is an identity column",
        ended: "ALTER TABLE t ALTER id DROP IDENTITY",
    },
    Case {
        change: "set_not_null: {table: public.t, column: id}",
        in_the_way: "CREATE UNIQUE INDEX t_id ON t (id); ALTER TABLE t REPLICA IDENTITY USING INDEX t_id",
        named: "is in the replica identity public.t_id",
        ended: "ALTER TABLE t REPLICA IDENTITY DEFAULT",
    },
    Case {
        change: "drop_default: {table: public.t, column: n}",
        in_the_way: "ALTER TABLE t ALTER n SET NOT NULL; ALTER TABLE t ALTER n ADD GENERATED ALWAYS AS IDENTITY",
        named: "is an identity column",
        ended: "ALTER TABLE t ALTER n DROP IDENTITY",
    },
    Case {
        change: "set_replica_identity: {table: public.t, identity: full}",
        in_the_way: "DROP INDEX t_w",
        named: "t_w",
        ended: "CREATE UNIQUE INDEX t_w ON t (w)",
    },
    Case {
        change: "rename_constraint: {table: public.t, from: w_positive, to: w_above}",
        in_the_way: "ALTER TABLE t ADD CONSTRAINT w_positive CHECK (w > 1) NOT VALID",
        named: "w_positive",
        ended: "ALTER TABLE t DROP CONSTRAINT w_positive",
    },
    Case {
        change: "drop_index: {table: public.t, name: t_v}",
        in_the_way: "CREATE TABLE t_v (x integer)",
        named: "t_v",
        ended: "DROP TABLE t_v",
    },
    Case {
        change: "add_column: {table: public.t, column: nc, type: integer}",
        in_the_way: "CREATE VIEW seen AS SELECT nc FROM t",
        named: "seen",
        ended: "DROP VIEW seen",
    },
];

#[test]
fn what_the_catalog_shows_is_refused_before_anything_is_recorded() {
    for case in FORESEEN {
        on_postgresql(async |database| {
            let Case {
                change,
                in_the_way,
                named,
                ended,
            } = case;
            database.execute(TABLES).await;
            if change.contains("drop_default") {
                database
                    .execute("ALTER TABLE t ALTER n SET DEFAULT 7")
                    .await;
            }
            run(database, "run", change);
            let before = database.status("run");
            database.execute(in_the_way).await;
            let preview = ["rollback", "run", "--dry-run"];
            let foreseen = database.crossfade(&preview).exits(1).stdout;
            assert!(foreseen.contains(named), "{change}: {foreseen}");
            let said = database
                .crossfade(&["rollback", "run", "--yes"])
                .exits(1)
                .stderr;
            assert!(said.contains(named), "{change}, {in_the_way}: {said}");
            assert!(
                !said.contains("has ended here"),
                "{change}, {in_the_way}: {said}"
            );
            let status = database.status("run");
            assert_eq!(status["state"], before["state"], "{change}: {status}");
            assert_eq!(status["phases"], before["phases"], "{change}, {in_the_way}");
            database.execute(ended).await;
            database.crossfade(&["rollback", "run", "--yes"]).exits(0);
        });
    }
}

/// What no look at the catalog tells: an event trigger of somebody's refuses.
#[test]
fn what_the_server_refuses_gives_the_rollback_up_and_the_run_comes_forward_again() {
    for (change, command) in [
        ("set_not_null: {table: public.t, column: id}", "ALTER TABLE"),
        (
            "add_index: {table: public.t, name: t_n, columns: [n]}",
            "DROP INDEX",
        ),
        ("drop_index: {table: public.t, name: t_v}", "CREATE INDEX"),
        (
            "set_default: {table: public.t, column: n, default: '5'}",
            "ALTER TABLE",
        ),
        (
            "rename_column: {table: public.t, from: v, to: vv}",
            "DROP TRIGGER",
        ),
        (
            "rename_column: {table: public.t, from: v, to: vv, strategy: alias}",
            "DROP VIEW",
        ),
    ] {
        on_postgresql(async |database| {
            database.execute(TABLES).await;
            database.execute("ALTER TABLE t ADD PRIMARY KEY (w)").await;
            if change.starts_with("rename_column") {
                begin(database, "run", change);
                let to = if change.contains("alias") {
                    "expand"
                } else {
                    "backfill"
                };
                database.crossfade(&["advance", "run", "--to", to]).exits(0);
            } else {
                run(database, "run", change);
            }
            let state = database.status("run")["state"].clone();
            database
                .execute(&format!(
                    "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'frozen' USING ERRCODE = '42501'; END $$;
                     CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('{command}') EXECUTE FUNCTION refuse()"
                ))
                .await;
            let said = database
                .crossfade(&["rollback", "run", "--yes"])
                .exits(1)
                .stderr;
            assert!(said.contains("frozen"), "{change}: {said}");
            assert!(said.contains("has ended here"), "{change}: {said}");
            let status = database.status("run");
            for waiting in status["waiting"].as_array().expect("a list") {
                assert_ne!(waiting["kind"], "rolling_back", "{change}: {status}");
            }
            // It comes forward, whether or not the refusal has ended.
            let advanced = database.crossfade(&["advance", "run"]);
            assert!(
                matches!(advanced.code, Some(0 | 3)),
                "{change}: {}",
                advanced.stderr
            );
            if state == "completed" {
                assert_eq!(database.status("run")["state"], "completed", "{change}");
            }
            database.execute("DROP EVENT TRIGGER refuse").await;
            database.crossfade(&["rollback", "run", "--yes"]).exits(0);
            assert_eq!(database.status("run")["state"], "rolled_back", "{change}");
        });
    }
}

/// The newest step is undone before an older one is refused: forward again from there.
#[test]
fn steps_that_were_undone_before_the_refusal_are_done_again() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let plan = "version: 1\nname: run\nphases:\n  - phase: expand\n    steps:\n      - create_index: {table: public.t, name: t_n, using: 'btree (n)'}\n  - phase: enforce\n    steps:\n      - set_not_null: {table: public.t, column: id}\n";
        let file = plan_file(plan);
        let path = file.path().to_str().expect("a path");
        database.crossfade(&["start", path]).exits(0);
        let all = ["advance", "run", "--to", "enforce"];
        database.crossfade(&all).exits(0);
        database
            .execute(
                "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'frozen'; END $$;
                 CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('DROP INDEX') EXECUTE FUNCTION refuse()",
            )
            .await;
        let said = database
            .crossfade(&["rollback", "run", "--yes"])
            .exits(1)
            .stderr;
        assert!(said.contains("`crossfade advance run`"), "{said}");
        let required =
            "SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'id'";
        assert_eq!(database.value(required).await, "false");
        database.crossfade(&all).exits(0);
        assert_eq!(database.value(required).await, "true");
        assert_eq!(database.status("run")["state"], "completed");
        database.execute("DROP EVENT TRIGGER refuse").await;
        database.crossfade(&["rollback", "run", "--yes"]).exits(0);
    });
}

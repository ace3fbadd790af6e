//! Tables, columns, triggers and functions that somebody dropped or renamed by hand, in every phase: no command says that all is
//! well, each refusal names a command that works, and the application can always be let write again by one.

use crate::support::{Database, on_postgresql, plan_file};

const RUN: &str = "run";
const TABLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'idle', note text);
    CREATE INDEX ON vehicles (status);
    INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 50) AS i;
";
const RENAME: &str = "rename_column: {table: public.vehicles, from: status, to: state}";

async fn start(database: &Database, tables: &str, change: &str) {
    database.execute(tables).await;
    let file = plan_file(&format!("version: 1\nname: {RUN}\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
}

fn to(database: &Database, phase: &str) {
    database
        .crossfade(&["advance", RUN, "--to", phase])
        .exits(0);
}

/// What is left of names and columns is what the application has been told of: whatever is there takes writes.
async fn writes(database: &Database) -> Result<(), String> {
    let client = database.client().await;
    let table = "SELECT coalesce(to_regclass('public.vehicles'), to_regclass('public.cars'))::text";
    let row = client.query_one(table, &[]).await.expect("a table");
    let Some(table) = row.get::<_, Option<String>>(0) else {
        return Ok(());
    };
    let columns = client
        .query(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'note')",
            &[&table],
        )
        .await
        .expect("the columns");
    let mut statements = vec![
        format!("INSERT INTO {table} (id) SELECT max(id) + 1 FROM {table}"),
        format!("UPDATE {table} SET note = 'n'"),
    ];
    for column in columns.iter().map(|row| row.get::<_, String>(0)) {
        statements.push(format!("UPDATE {table} SET {column} = 'x' WHERE id = 1"));
        statements.push(format!(
            "INSERT INTO {table} (id, {column}) SELECT max(id) + 1, 'y' FROM {table}"
        ));
    }
    for statement in statements {
        match client.batch_execute(&statement).await {
            Ok(()) => {}
            Err(error) => return Err(format!("{statement}: {error:?}")),
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Harm {
    /// The triggers can be put back.
    Triggers,
    /// What they name is not there.
    Names,
    /// There is nothing left.
    All,
}

fn harms(phase: &str) -> Vec<(Harm, String)> {
    // After `retire` the old column has another name.
    let old = match phase {
        "retire" => "status_crossfade_retired",
        _ => "status",
    };
    vec![
        (Harm::Names, "ALTER TABLE vehicles DROP COLUMN state CASCADE".to_owned()),
        (Harm::Names, format!("ALTER TABLE vehicles DROP COLUMN {old} CASCADE")),
        (Harm::Names, "ALTER TABLE vehicles RENAME COLUMN state TO condition".to_owned()),
        (Harm::Names, format!("ALTER TABLE vehicles RENAME COLUMN {old} TO condition")),
        (Harm::Names, "ALTER TABLE vehicles RENAME TO cars".to_owned()),
        (
            Harm::Names,
            "DROP TRIGGER zz_crossfade_run_i ON vehicles; ALTER TABLE vehicles DROP COLUMN state CASCADE".to_owned(),
        ),
        (Harm::Triggers, "DROP TRIGGER zz_crossfade_run_i ON vehicles".to_owned()),
        (Harm::Triggers, "DROP TRIGGER zz_crossfade_run_u ON vehicles".to_owned()),
        (
            Harm::Triggers,
            "DO $$ BEGIN EXECUTE 'DROP FUNCTION ' || (SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.proname LIKE 'sync_run_%') || ' CASCADE'; END $$".to_owned(),
        ),
        (
            Harm::Triggers,
            "DO $$ BEGIN EXECUTE format('CREATE OR REPLACE FUNCTION crossfade.%I() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN new; END''', \
               (SELECT p.proname FROM pg_proc AS p WHERE p.proname LIKE 'sync_run_%')); END $$".to_owned(),
        ),
        (Harm::All, "DROP TABLE vehicles CASCADE".to_owned()),
    ]
}

/// The first command of ours that a message names, without its program.
fn named(message: &str) -> Vec<String> {
    let at = message
        .find("`crossfade ")
        .unwrap_or_else(|| panic!("no command: {message}"));
    let command = message[at + 1..].split('`').next().unwrap_or_default();
    command.split(' ').skip(1).map(str::to_owned).collect()
}

#[test]
fn whatever_was_changed_by_hand_in_whatever_phase_one_command_lets_the_application_write() {
    for phase in ["dual_write", "switch_reads", "retire"] {
        on_postgresql(async |database| {
            start(database, TABLES, RENAME).await;
            to(database, phase);
            for (harm, sql) in harms(phase) {
                let copy = database.copy().await;
                copy.execute(&sql).await;
                is_told_and_freed(&copy, harm, &format!("{phase}: {sql}")).await;
                copy.remove().await;
            }
        });
    }
}

async fn is_told_and_freed(database: &Database, harm: Harm, at: &str) {
    let status = database.status(RUN);
    let told = status["out_of_step"].as_array().expect("a list");
    assert!(!told.is_empty(), "{at}: {status}");
    let words = database.crossfade(&["status", RUN]).exits(0).stdout;
    assert!(words.contains("out of step"), "{at}: {words}");

    let advance = database.crossfade(&["advance", RUN, "--yes"]);
    assert!(
        matches!(advance.code, Some(1 | 3)),
        "{at}: {}",
        advance.stderr
    );
    let verify = database.crossfade(&["verify", RUN]);
    assert_eq!(verify.code, Some(1), "{at}: {}", verify.stderr);
    let command = named(&advance.stderr);
    let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
    match harm {
        Harm::Triggers => {
            assert_eq!(arguments, ["verify", RUN, "--repair"], "{at}");
            let back = database.crossfade(&["rollback", RUN, "--yes"]);
            assert_eq!(back.code, Some(1), "{at}: {}", back.stderr);
            assert_eq!(named(&back.stderr), command, "{at}");
        }
        Harm::Names | Harm::All => {
            assert_eq!(arguments, ["rollback", RUN], "{at}");
            let repair = database.crossfade(&["verify", RUN, "--repair"]);
            assert_eq!(repair.code, Some(1), "{at}: {}", repair.stderr);
            assert_eq!(named(&repair.stderr), command, "{at}");
            let to_expand = database.crossfade(&["rollback", RUN, "--to", "expand", "--yes"]);
            if harm == Harm::Names {
                assert_eq!(to_expand.code, Some(1), "{at}: {}", to_expand.stderr);
                assert_eq!(named(&to_expand.stderr), command, "{at}");
            }
        }
    }
    let mut ours = arguments.clone();
    if ours[0] == "rollback" {
        ours.push("--yes");
    }
    let done = database.crossfade(&ours).exits(0);
    assert_eq!(writes(database).await, Ok(()), "{at}: {}", done.stderr);
    if harm == Harm::Triggers {
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        assert_eq!(writes(database).await, Ok(()), "{at}");
    } else if harm == Harm::Names {
        assert!(
            done.stderr.contains("dropped the triggers"),
            "{at}: {}",
            done.stderr
        );
        // No value is gone that was there: one of the two columns has them all, once they are filled.
        let values = "SELECT count(*) FROM (SELECT to_jsonb(v) AS row FROM public.vehicles AS v) AS rows WHERE row::text LIKE '%status 7\"%'";
        let was_all = at == "dual_write: ALTER TABLE vehicles DROP COLUMN status CASCADE";
        let values = match at.contains("RENAME TO cars") {
            true => values.replace("vehicles", "cars"),
            false => values.to_owned(),
        };
        let kept = if was_all { "0" } else { "1" };
        assert_eq!(database.value(&values).await, kept, "{at}");
    }
    assert_eq!(database.status(RUN)["state"], "rolled_back", "{at}");
    let left = "SELECT count(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'crossfade' AND p.proname LIKE 'sync_%'";
    assert_eq!(database.value(left).await, "0", "{at}");
}

#[test]
fn a_retire_that_was_begun_by_hand_is_finished_with_the_functions() {
    for (change, renames) in [
        (
            RENAME,
            "ALTER TABLE vehicles RENAME COLUMN status TO status_crossfade_retired",
        ),
        (
            "change_column_type: {table: public.vehicles, column: status, type: varchar(30), keep_name: true}",
            "ALTER TABLE vehicles RENAME COLUMN status TO status_crossfade_retired; ALTER TABLE vehicles RENAME COLUMN status_new TO status",
        ),
    ] {
        for phase in ["backfill", "switch_reads"] {
            on_postgresql(async |database| {
                start(database, TABLES, change).await;
                to(database, phase);
                database.execute(renames).await;
                let status = database.status(RUN);
                assert!(status["out_of_step"][0].is_string(), "{status}");
                for arguments in [&["verify", RUN][..], &["verify", RUN, "--repair"]] {
                    let refused = database.crossfade(arguments).exits(1);
                    let way = if phase == "switch_reads" {
                        "--to retire"
                    } else {
                        "crossfade rollback run"
                    };
                    assert!(refused.stderr.contains(way), "{}", refused.stderr);
                }
                if phase == "switch_reads" {
                    database
                        .crossfade(&["advance", RUN, "--to", "retire"])
                        .exits(0);
                    assert_eq!(writes(database).await, Ok(()), "{change}");
                    database.crossfade(&["verify", RUN]).exits(0);
                    database
                        .crossfade(&["rollback", RUN, "--to", "switch_reads", "--yes"])
                        .exits(0);
                    assert_eq!(writes(database).await, Ok(()), "{change}");
                } else {
                    database.crossfade(&["advance", RUN]).exits(3);
                }
                database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
                assert_eq!(writes(database).await, Ok(()), "{change}");
            });
        }
    }
}

#[test]
fn a_table_that_was_retired_by_hand_is_told_and_its_functions_follow() {
    on_postgresql(async |database| {
        let tables = "
            CREATE TABLE vehicles (id bigint PRIMARY KEY, note text); INSERT INTO vehicles (id) SELECT i FROM generate_series(1, 50) AS i;
            CREATE TABLE plates (vehicle_id bigint PRIMARY KEY, plate text); INSERT INTO plates SELECT i, 'plate ' || i FROM generate_series(1, 50) AS i;
        ";
        let fold = "fold_table: {table: public.plates, into: public.vehicles, by: {id: vehicle_id}, columns: {plate: {}}}";
        start(database, tables, fold).await;
        to(database, "switch_reads");
        database
            .execute("ALTER TABLE plates RENAME TO plates_crossfade_retired")
            .await;
        assert!(database.status(RUN)["out_of_step"][0].is_string());
        let copy = database.copy().await;
        to(&copy, "retire");
        assert_eq!(writes(&copy).await, Ok(()));
        let kept = "SELECT plate FROM plates_crossfade_retired WHERE vehicle_id = 1";
        assert_eq!(copy.value(kept).await, "x");
        copy.remove().await;
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        assert_eq!(writes(database).await, Ok(()));
    });
}

#[test]
fn a_partition_that_was_renamed_or_dropped_keeps_nothing_from_going_on_or_back() {
    on_postgresql(async |database| {
        let tables = "
            CREATE TABLE vehicles (id bigint, status text, note text) PARTITION BY RANGE (id);
            CREATE TABLE vehicles_low PARTITION OF vehicles FOR VALUES FROM (0) TO (30);
            CREATE TABLE vehicles_high PARTITION OF vehicles FOR VALUES FROM (30) TO (1000);
            INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 50) AS i;
        ";
        start(database, tables, RENAME).await;
        to(database, "backfill");
        database
            .execute("ALTER TABLE vehicles_high RENAME TO vehicles_top; DROP TABLE vehicles_low; CREATE TABLE vehicles_low PARTITION OF vehicles FOR VALUES FROM (0) TO (30)")
            .await;
        let copy = database.copy().await;
        to(&copy, "retire");
        assert_eq!(writes(&copy).await, Ok(()));
        copy.remove().await;
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        assert_eq!(writes(database).await, Ok(()));
    });
}

#[test]
fn a_rollback_that_frees_and_is_killed_drops_no_column_when_it_goes_on() {
    on_postgresql(async |database| {
        start(database, TABLES, RENAME).await;
        to(database, "switch_reads");
        database
            .execute("ALTER TABLE vehicles DROP COLUMN status CASCADE")
            .await;
        let killed = database.crossfade_with(
            &[(
                "CROSSFADE_FAILPOINT",
                "kill:sync_columns:public.vehicles: reverted",
            )],
            &["rollback", RUN, "--yes"],
        );
        assert_eq!(killed.code, None, "{}", killed.stderr);
        assert_eq!(writes(database).await, Ok(()));
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        let value = "SELECT state FROM vehicles WHERE id = 7";
        assert_eq!(database.value(value).await, "status 7");
        assert_eq!(database.status(RUN)["state"], "rolled_back");
    });
}

/// What the functions name besides the columns of the plan: the key, by which rows go into quarantine, and types.
#[test]
fn a_key_or_a_type_that_was_renamed_or_moved_leaves_one_command_that_lets_the_application_write() {
    on_postgresql(async |database| {
        let tables = "CREATE EXTENSION citext; CREATE SCHEMA other; CREATE TYPE kind AS ENUM ('a', 'b'); \
             CREATE TABLE vehicles (id bigint PRIMARY KEY, status citext, kind kind DEFAULT 'a'); \
             INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 50) AS i";
        let types = "transform_columns: {table: public.vehicles, from: [status], to: {state: {type: text}}, \
             forward: {state: status}, backward: {status: state}}";
        let default = "rename_column: {table: public.vehicles, from: kind, to: sort}";
        start(database, tables, types).await;
        let other = database.copy().await;
        other.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        let file = plan_file(&format!("version: 1\nname: {RUN}\nchange:\n  {default}\n"));
        let path = file.path().to_str().expect("a path");
        other.crossfade(&["start", path]).exits(0);
        for (run, harm, says) in [
            (
                database,
                "ALTER EXTENSION citext SET SCHEMA other",
                "type public.citext",
            ),
            (
                database,
                "ALTER TABLE vehicles RENAME COLUMN id TO number",
                "public.vehicles.id",
            ),
            (&other, "ALTER TYPE kind RENAME TO sort", "type public.kind"),
            (
                &other,
                "ALTER TYPE kind SET SCHEMA other",
                "type public.kind",
            ),
        ] {
            for phase in ["dual_write", "backfill", "switch_reads"] {
                let copy = run.copy().await;
                to(&copy, phase);
                copy.execute(harm).await;
                let said = copy.crossfade(&["advance", RUN]);
                assert_ne!(said.code, Some(0), "{harm} in {phase}");
                let told = copy.status(RUN).to_string();
                assert!(told.contains(says), "{harm} in {phase}: {told}");
                copy.crossfade(&["rollback", RUN, "--yes"]).exits(0);
                let key = match harm.contains("TO number") {
                    true => "number",
                    false => "id",
                };
                copy.execute(&format!(
                    "INSERT INTO vehicles ({key}, status) VALUES (100, 'x'); UPDATE vehicles SET status = 'y', kind = 'b'"
                ))
                .await;
                copy.remove().await;
            }
        }
        other.remove().await;
    });
}

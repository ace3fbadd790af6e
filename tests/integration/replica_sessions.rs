//! `session_replication_role = replica` as somebody's default: no trigger fires then. It is said before anything is done, holds a
//! run up, and Crossfade's own sessions do not depend on it.

use crate::support::{Database, on_own_postgresql, plan_file};

const RUN: &str = "run";
const TABLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text);
    INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 500) AS i;
";

fn plan() -> tempfile::NamedTempFile {
    plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: state}}\n"
    ))
}

/// How it is set, and taken back.
fn defaults(database: &str) -> Vec<(String, String)> {
    let both = |set: &str, reset: &str| {
        let named = |sql: &str| sql.replace("THIS", database);
        (named(set), named(reset))
    };
    vec![
        both(
            "ALTER DATABASE \"THIS\" SET session_replication_role = replica",
            "ALTER DATABASE \"THIS\" RESET session_replication_role",
        ),
        both(
            "ALTER ROLE app SET session_replication_role = replica",
            "ALTER ROLE app RESET session_replication_role",
        ),
        both(
            "ALTER ROLE app IN DATABASE \"THIS\" SET session_replication_role = 'Replica'",
            "ALTER ROLE app IN DATABASE \"THIS\" RESET session_replication_role",
        ),
        both(
            "ALTER ROLE ALL SET session_replication_role = replica",
            "ALTER ROLE ALL RESET session_replication_role",
        ),
        both(
            "ALTER SYSTEM SET session_replication_role = replica",
            "ALTER SYSTEM RESET session_replication_role",
        ),
    ]
}

async fn set(database: &Database, sql: &str) {
    database.execute(sql).await;
    if !sql.contains("ALTER SYSTEM") {
        return;
    }
    database.execute("SELECT pg_reload_conf()").await;
    let wanted = if sql.contains("RESET") {
        "origin"
    } else {
        "replica"
    };
    // The server reads its files in its own time: the sessions of what follows are to begin after that.
    for _ in 0..3_000 {
        let client = database.client().await;
        let shown = client.query_one("SHOW session_replication_role", &[]).await;
        if shown.expect("a setting").get::<_, String>(0) == wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("never: {sql}");
}

#[test]
fn a_default_under_which_no_trigger_fires_is_refused_held_up_and_noted() {
    on_own_postgresql(&[], async |database| {
        database.execute(TABLES).await;
        database
            .execute("CREATE ROLE app LOGIN; GRANT INSERT, SELECT, UPDATE ON vehicles TO app; CREATE ROLE bystander LOGIN; ALTER ROLE bystander SET session_replication_role = replica")
            .await;
        database.crossfade(&["init"]).exits(0);
        let file = plan();
        let path = file.path().to_str().expect("a path");
        for (sets, resets) in defaults(&database.name) {
            set(database, &sets).await;
            for command in ["check", "start"] {
                let refused = database.crossfade(&[command, path]);
                assert_ne!(refused.code, Some(0), "{sets}");
                let said = refused.stdout + &refused.stderr;
                assert!(said.contains("triggers do not fire"), "{sets}: {said}");
            }
            set(database, &resets).await;
        }
        database.crossfade(&["check", path]).exits(0);
        database.crossfade(&["start", path]).exits(0);
        database
            .crossfade(&["advance", RUN, "--to", "expand"])
            .exits(0);
        for (sets, resets) in defaults(&database.name) {
            let copy = database.copy().await;
            let here = |sql: &str| {
                sql.replace(
                    &format!("\"{}\"", database.name),
                    &format!("\"{}\"", copy.name),
                )
            };
            set(&copy, &here(&sets)).await;
            let refused = copy.crossfade(&["advance", RUN]).exits(1);
            assert!(
                refused.stderr.contains("triggers do not fire"),
                "{sets}: {}",
                refused.stderr
            );
            set(&copy, &here(&resets)).await;
            copy.crossfade(&["advance", RUN, "--to", "dual_write"])
                .exits(0);
            // It comes later, and the application's sessions have it.
            set(&copy, &here(&sets)).await;
            let held = copy.crossfade(&["advance", RUN]).exits(3);
            assert!(
                held.stderr.contains("triggers do not fire"),
                "{sets}: {}",
                held.stderr
            );
            assert!(copy.status(RUN)["out_of_step"][0].is_string());
            copy.execute("SET session_replication_role = replica; UPDATE vehicles SET state = 'new alone' WHERE id = 1")
                .await;
            set(&copy, &here(&resets)).await;
            // What was written meanwhile is not lost on the way back, nor on the way on.
            let lost = copy.crossfade(&["rollback", RUN, "--yes"]).exits(1);
            assert!(lost.stderr.contains("1 rows"), "{sets}: {}", lost.stderr);
            copy.crossfade(&["advance", RUN, "--to", "backfill"])
                .exits(0);
            copy.crossfade(&["advance", RUN]).exits(3);
            copy.crossfade(&["verify", RUN]).exits(5);
            assert_eq!(
                copy.value("SELECT state FROM vehicles WHERE id = 1").await,
                "new alone"
            );
            copy.remove().await;
        }
    });
}

#[test]
fn sessions_of_ours_do_not_depend_on_what_their_role_is_set_to() {
    on_own_postgresql(&[], async |database| {
        database.execute(TABLES).await;
        database.crossfade(&["init"]).exits(0);
        let file = plan_file(&format!(
            "version: 1\nname: {RUN}\nchange:\n  add_column: {{table: public.vehicles, column: token, type: uuid, default: gen_random_uuid()}}\n"
        ));
        let path = file.path().to_str().expect("a path");
        database.crossfade(&["start", path]).exits(0);
        database
            .execute(&format!(
                "ALTER DATABASE \"{}\" SET session_replication_role = replica",
                database.name
            ))
            .await;
        // Each pass deletes the one before, with its segments.
        database
            .crossfade(&["advance", RUN, "--to", "backfill"])
            .exits(0);
        // A default that is another each time: its values may be the application's.
        database
            .crossfade(&[
                "rollback",
                RUN,
                "--yes",
                "--discard",
                "public.vehicles.token",
            ])
            .exits(0);
        let orphans = "SELECT count(*) FROM crossfade.segments";
        assert_eq!(database.value(orphans).await, "0");
    });
}

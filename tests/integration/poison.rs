//! A row that ends the server's process, and the server with it: it is found with few losses, named, and left to somebody.

use crate::support::{Database, on_own_postgresql, plan_file};

const RUN: &str = "rename-status";

/// `id` ends the process of whoever of ours evaluates it; the whole server starts again then.
async fn poisoned(database: &Database) {
    database
        .execute(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL DEFAULT 'active', pad text); \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7, repeat('x', 400) FROM generate_series(1, 3000) AS i; \
             CREATE FUNCTION fatal() RETURNS void LANGUAGE plpgsql AS $$ BEGIN \
               EXECUTE $kill$COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'$kill$; PERFORM pg_sleep(5); END $$; \
             CREATE FUNCTION harmless(bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN \
               IF $1 = 1777 AND current_setting('application_name') LIKE 'crossfade/%' THEN PERFORM public.fatal(); END IF; RETURN true; END $$; \
             ALTER FUNCTION harmless IMMUTABLE",
        )
        .await;
    database.crossfade(&["init"]).exits(0);
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

fn restarts(database: &Database) -> usize {
    let log = std::fs::read_to_string(database.server().log_path()).expect("the server's log");
    log.matches("was terminated by signal 9").count()
}

/// `on`: what evaluates the function for each row that is filled.
async fn is_found_and_named(database: &Database, on: &str) {
    poisoned(database).await;
    database
        .crossfade(&["advance", RUN, "--to", "dual_write"])
        .exits(0);
    database.execute(on).await;
    let ran = database
        .crossfade(&["advance", RUN, "--to", "backfill"])
        .exits(4);
    let reason = database.status(RUN)["paused"]["reason"].to_string();
    assert!(reason.contains("1777"), "{reason}\n{}", ran.stderr);
    let before = restarts(database);
    assert!((4..=6).contains(&before), "{before} restarts");
    let filled = "SELECT count(*) FROM vehicles WHERE vehicle_status IS NOT NULL AND id < 1777";
    assert_eq!(database.value(filled).await, "1776");
    // Once more, as somebody asks for it, and no more than once.
    database.crossfade(&["resume", RUN]).exits(4);
    assert_eq!(restarts(database), before + 1);
    database
        .execute("CREATE OR REPLACE FUNCTION harmless(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'")
        .await;
    database.crossfade(&["resume", RUN]).exits(0);
    database
        .crossfade(&["advance", RUN, "--to", "verify"])
        .exits(0);
}

#[test]
fn a_check_that_ends_the_server_at_one_row_pauses_the_run_with_the_row() {
    on_own_postgresql(&[], async |database| {
        let check = "ALTER TABLE vehicles ADD CHECK (harmless(id)) NOT VALID";
        is_found_and_named(database, check).await;
    });
}

#[test]
fn an_index_expression_that_ends_the_server_at_one_row_pauses_the_run_with_the_row() {
    on_own_postgresql(&[], async |database| {
        // With the column that is filled: no update of it is a HOT one, which would leave the expression out.
        let index = "CREATE INDEX ON vehicles (harmless(id), vehicle_status)";
        is_found_and_named(database, index).await;
    });
}

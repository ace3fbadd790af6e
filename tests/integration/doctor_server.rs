//! `doctor` of a whole server: slots, standbys, the archiver, old transactions, wraparound. Each fault is planted on a server of its own.

use crate::support::{Database, on_own_postgresql, plan_file};
use serde_json::Value;

const TABLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL);
    INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 100) AS i;
    ANALYZE vehicles;
";

fn plan(pacing: &str) -> tempfile::NamedTempFile {
    plan_file(&format!(
        "version: 1\nname: rename\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\nsettings: {{pacing: {{{pacing}}}}}\n"
    ))
}

fn examined(database: &Database, arguments: &[&str], code: i32) -> Value {
    let all = [&["doctor", "--format", "json"], arguments].concat();
    database.crossfade(&all).exits(code).json()
}

/// One of the check's findings has this verdict and these words.
#[track_caller]
fn says(diagnosis: &Value, check: &str, verdict: &str, words: &str) {
    let plans = diagnosis["plans"].as_array().unwrap();
    let all = plans
        .iter()
        .flat_map(|plan| plan["checks"].as_array().unwrap());
    let mut own = diagnosis["checks"].as_array().unwrap().iter().chain(all);
    let found = own.any(|one| {
        one["check"] == check && one["verdict"] == verdict && one.to_string().contains(words)
    });
    assert!(found, "{check} {verdict} {words}: {diagnosis:#}");
}

async fn set(database: &Database, setting: &str) {
    database
        .execute(&format!("ALTER SYSTEM SET {setting}"))
        .await;
    database.execute("SELECT pg_reload_conf()").await;
}

#[test]
fn slots_old_transactions_and_commits_that_wait_are_named() {
    let settings = [("max_prepared_transactions", "2"), ("wal_level", "logical")];
    on_own_postgresql(&settings, async |database| {
        database.execute(TABLES).await;
        database.crossfade(&["init"]).exits(0);
        let file = plan(
            "slot_wal_bytes: {slow: 1MB, stop: 2MB}, oldest_transaction: {slow: 100ms, stop: 1h}",
        );
        let path = file.path().to_str().unwrap();
        let fit = examined(database, &[path], 0);
        says(&fit, "slots", "passed", "no replication slot");
        says(&fit, "standbys", "passed", "no standby");
        says(&fit, "archiver", "passed", "archive_mode is off");
        says(&fit, "transactions", "passed", "none is old");

        database.execute("CHECKPOINT").await;
        database
            .execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
            .await;
        says(
            &examined(database, &[path], 0),
            "slots",
            "warning",
            "forgotten",
        );
        database
            .execute("CREATE TABLE much AS SELECT repeat('x', 1000) FROM generate_series(1, 4000)")
            .await;
        let drop = "SELECT pg_drop_replication_slot('forgotten');";
        says(&examined(database, &[path], 1), "slots", "failed", drop);
        says(&examined(database, &[], 0), "slots", "warning", drop);
        let refused = database.crossfade(&["start", path]).exits(1);
        assert!(
            refused
                .stderr
                .contains("slots: nobody uses the replication slot forgotten"),
            "{}",
            refused.stderr
        );
        database.execute(drop).await;
        says(&examined(database, &[path], 0), "slots", "passed", "");

        let idle = database.client().await;
        idle.batch_execute("BEGIN; SELECT count(*) FROM vehicles")
            .await
            .unwrap();
        database
            .execute("BEGIN; INSERT INTO vehicles VALUES (-1, 'x'); PREPARE TRANSACTION 'orphan'")
            .await;
        database
            .wait_until("SELECT clock_timestamp() - max(prepared) > interval '200ms' FROM pg_prepared_xacts")
            .await;
        let old = examined(database, &[path], 0);
        says(&old, "transactions", "warning", "idle in transaction");
        says(
            &old,
            "transactions",
            "warning",
            "ROLLBACK PREPARED 'orphan';",
        );
        database.execute("ROLLBACK PREPARED 'orphan';").await;
        drop_client(idle).await;
        says(
            &examined(database, &[path], 0),
            "transactions",
            "passed",
            "",
        );

        set(database, "synchronous_standby_names = 'nobody'").await;
        database
            .wait_until("SELECT current_setting('synchronous_standby_names') = 'nobody'")
            .await;
        let waits = examined(database, &[path], 1);
        says(
            &waits,
            "standbys",
            "failed",
            "ALTER SYSTEM RESET synchronous_standby_names",
        );
        // It does not hang at its own commit.
        let refused = database.crossfade(&["start", path]).exits(1);
        assert!(
            refused.stderr.contains("every commit waits"),
            "{}",
            refused.stderr
        );
        // Else the test itself would wait.
        set(database, "synchronous_standby_names = ''").await;
    });
}

async fn drop_client(client: tokio_postgres::Client) {
    client.batch_execute("ROLLBACK").await.unwrap();
}

#[test]
fn an_archiver_that_fails_fails_the_check_of_a_backfill() {
    let settings = [("archive_mode", "on"), ("archive_command", "true")];
    on_own_postgresql(&settings, async |database| {
        database.execute(TABLES).await;
        database.crossfade(&["init"]).exits(0);
        let file = plan("batch_target: 25ms");
        let path = file.path().to_str().unwrap();
        says(&examined(database, &[path], 0), "archiver", "passed", "");
        set(database, "archive_command = 'false'").await;
        database
            .execute("CREATE TABLE more AS SELECT 1 AS one")
            .await;
        database.execute("SELECT pg_switch_wal()").await;
        database
            .wait_until("SELECT last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver")
            .await;
        says(
            &examined(database, &[path], 1),
            "archiver",
            "failed",
            "archive_command",
        );
        says(
            &examined(database, &[], 0),
            "archiver",
            "warning",
            "archive_command",
        );
        database.crossfade(&["start", path]).exits(1);
        database
            .crossfade(&[
                "start",
                path,
                "--accept",
                "archiver",
                "--reason",
                "it is being mended",
            ])
            .exits(0);
    });
}

#[test]
fn wraparound_and_a_server_without_autovacuum_are_named() {
    let settings = [
        ("autovacuum", "off"),
        ("autovacuum_freeze_max_age", "100000"),
        ("max_prepared_transactions", "2"),
        ("synchronous_commit", "off"),
    ];
    on_own_postgresql(&settings, async |database| {
        database.execute(TABLES).await;
        database.crossfade(&["init"]).exits(0);
        let file = plan("batch_target: 25ms");
        let path = file.path().to_str().unwrap();
        let young = examined(database, &[path], 0);
        says(&young, "wraparound", "passed", "are left");
        says(
            &young,
            "wraparound",
            "passed",
            "no vacuum against wraparound is near",
        );
        says(
            &young,
            "autovacuum",
            "warning",
            "ALTER SYSTEM SET autovacuum = on;",
        );
        // So that no vacuum can move the horizon on.
        database
            .execute("BEGIN; CREATE TABLE held (); PREPARE TRANSACTION 'held'")
            .await;
        database
            .execute("DO $$ BEGIN FOR i IN 1 .. 151000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
            .await;
        let old = examined(database, &[path], 0);
        says(&old, "wraparound", "warning", "should have begun at 100000");
        says(
            &old,
            "wraparound",
            "warning",
            "VACUUM (FREEZE) public.vehicles;",
        );
        database.execute("ROLLBACK PREPARED 'held'").await;
    });
}

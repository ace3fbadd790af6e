//! `crossfade amend`: gates and limits of a run that goes on are changed, and nothing else; who did it and why stays, and approvals of
//! what was stricter are void.

use crate::support::{Database, Ran, connect, on_postgresql, plan_file};

const RUN: &str = "rename";
const PLAN: &str = "version: 1
name: rename
change:
  rename_column: {table: public.vehicles, from: status, to: vehicle_status}
gates:
  verify: {bake: 1h}
  contract: {approvals: 2, window: {days: [mon], from: '01:00', to: '01:01', zone: UTC}}
";

async fn begin(database: &Database, to: Option<&str>) {
    database
        .execute(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL); \
             INSERT INTO vehicles SELECT i, 's' FROM generate_series(1, 100) AS i",
        )
        .await;
    let file = plan_file(PLAN);
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
    if let Some(phase) = to {
        database
            .crossfade(&["advance", RUN, "--to", phase])
            .exits(0);
    }
}

fn amend(database: &Database, text: &str) -> Ran {
    let file = plan_file(text);
    let path = file.path().to_str().unwrap().to_owned();
    database.crossfade(&[
        "amend", RUN, "--gates", &path, "--reason", "the fair", "--format", "json",
    ])
}

#[test]
fn a_gate_that_is_amended_is_the_one_that_is_asked() {
    on_postgresql(async |database| {
        begin(database, Some("backfill")).await;
        let plan = "SELECT md5(plan::text || document || fingerprint) FROM crossfade.runs";
        let before = database.value(plan).await;
        database.crossfade(&["advance", RUN]).exits(3);
        // A driver that waits for the gate sees it.
        let waiting = database.spawn(&[], &["advance", RUN, "--wait"]);
        database
            .wait_until("SELECT EXISTS (SELECT FROM crossfade.leases WHERE holder IS NOT NULL)")
            .await;
        let amended = amend(
            database,
            "gates: {verify: {bake: 0s, approvals: 0}}\nsettings: {lock_timeout: 70ms}",
        )
        .exits(0)
        .json();
        assert_eq!(amended["run"], RUN);
        assert_eq!(amended["changes"][1]["before"], "1h", "{amended}");
        waiting.wait().exits(0);
        let status = database.status(RUN);
        assert_eq!(status["phases"][3]["state"], "completed", "{status}");
        let record = &status["amendments"][0];
        assert_eq!(record["reason"], "the fair");
        assert_eq!(record["changes"], amended["changes"]);
        let words = database.crossfade(&["status", RUN]).exits(0).stdout;
        assert!(
            words.contains("lock_timeout") && words.contains("-> 70ms"),
            "{words}"
        );
        let history = database.crossfade(&["history", RUN]).exits(0).stdout;
        assert!(
            history.contains("amended") && history.contains("the fair"),
            "{history}"
        );
        database.crossfade(&["history", RUN, "--verify"]).exits(0);
        assert_eq!(database.value(plan).await, before, "the plan is as it was");
        let file = plan_file(PLAN);
        let again = database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        assert!(
            again.stdout.contains("nothing to start"),
            "{}",
            again.stdout
        );
    });
}

#[test]
fn approvals_of_a_stricter_gate_are_void() {
    on_postgresql(async |database| {
        begin(database, None).await;
        let role = format!("boss_{}", database.name);
        database
            .execute(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA crossfade TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {role}"))
            .await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        let approve = || {
            database
                .crossfade(&["--database-url", &url, "approve", RUN, "contract"])
                .exits(0);
        };
        let approvals = "SELECT count(*) FROM crossfade.approvals";
        approve();
        for stricter in [
            "gates: {contract: {approvals: 3}}",
            "gates: {contract: {bake: 1m}}",
            "settings: {quarantine_max: 5}",
        ] {
            let amended = amend(database, stricter).exits(0).json();
            assert_eq!(
                amended["approvals_void"],
                serde_json::json!([]),
                "{stricter}"
            );
            assert_eq!(database.value(approvals).await, "1", "{stricter}");
        }
        for weaker in [
            "gates: {contract: {approvals: 1}}",
            "gates: {contract: {bake: 1s}}",
            "without: {contract: [window]}",
            "without: {contract: [bake, approvals]}",
        ] {
            let amended = amend(database, weaker).exits(0).json();
            assert_eq!(
                amended["approvals_void"][0]["role"],
                role.as_str(),
                "{weaker}"
            );
            assert_eq!(database.value(approvals).await, "0", "{weaker}");
            approve();
        }
        let gate = database.status(RUN)["phases"][7]["gate"].to_string();
        assert!(
            !gate.contains("window") && !gate.contains("approvals"),
            "{gate}"
        );
        database.crossfade(&["history", RUN, "--verify"]).exits(0);
        // Who may look and approve may not amend.
        let file = plan_file("gates: {contract: {approvals: 1}}");
        database
            .crossfade(&[
                "--database-url",
                &url,
                "amend",
                RUN,
                "--gates",
                file.path().to_str().unwrap(),
                "--reason",
                "x",
            ])
            .exits(1);
        let client = connect(&url).await;
        assert!(
            client
                .batch_execute("SELECT crossfade.amend(1, 'x', '{}', '[]', 'x')")
                .await
                .is_err()
        );
    });
}

#[test]
fn what_is_no_gate_or_limit_and_what_has_begun_is_refused() {
    on_postgresql(async |database| {
        begin(database, Some("backfill")).await;
        for (text, why) in [
            (
                "gates: {backfill: {approvals: 1}}",
                "backfill of rename has begun (completed)",
            ),
            (
                "without: {expand: [bake]}",
                "the gate of expand has no bake",
            ),
            ("gates: {sql: {approvals: 1}}", "the plan has no phase sql"),
            ("gates: {verify: {bake: 1h}}", "changes nothing"),
            ("gates: {verify: {aprovals: 1}}", "did you mean"),
            ("change: {rename_column: {}}", "change"),
            ("settings: {search_path: x}", "search_path"),
            ("settings: {pacing: {workers: 1}}", "pacing"),
            (
                "without: {contract: [quarantine_empty]}",
                "quarantine_empty",
            ),
            (
                "gates: {enforce: {no_references: 1h}}",
                "has no no_references",
            ),
        ] {
            let refused = amend(database, text);
            assert_eq!(refused.code, Some(1), "{text}: {}", refused.stderr);
            assert!(refused.stderr.contains(why), "{text}: {}", refused.stderr);
        }
        // Whoever asks: the server refuses too, and nothing is changed afterwards.
        amend(database, "gates: {contract: {approvals: 3}}").exits(0);
        let client = database.client().await;
        for statement in [
            "SELECT crossfade.amend(1, 'x', '{\"gates\": {\"backfill\": {\"approvals\": 1}}}', '[]', 'x')",
            "UPDATE crossfade.amendments SET amendment = '{}'",
            "DELETE FROM crossfade.amendments",
            "TRUNCATE crossfade.amendments",
        ] {
            assert!(
                client.batch_execute(statement).await.is_err(),
                "{statement}"
            );
        }
        // A superuser can, and it is seen.
        database.crossfade(&["history", RUN, "--verify"]).exits(0);
        client
            .batch_execute("ALTER TABLE crossfade.amendments DISABLE TRIGGER ALL; UPDATE crossfade.amendments SET amendment = '{\"gates\": {\"contract\": {\"approvals\": 0}}}'")
            .await
            .unwrap();
        let verified = database.crossfade(&["history", RUN, "--verify"]).exits(1);
        let said = format!("{}{}", verified.stdout, verified.stderr);
        assert!(
            said.contains("amendment 1 is not what an event says"),
            "{said}"
        );
        client
            .batch_execute("DELETE FROM crossfade.amendments")
            .await
            .unwrap();
        let verified = database.crossfade(&["history", RUN, "--verify"]).exits(1);
        let said = format!("{}{}", verified.stdout, verified.stderr);
        assert!(
            said.contains("amendment 1 was made, but it does not exist"),
            "{said}"
        );
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        let ended = amend(database, "gates: {contract: {approvals: 1}}").exits(1);
        assert!(ended.stderr.contains("rolled"), "{}", ended.stderr);
    });
}

/// A role that drives runs may amend them, and cannot do it in another way.
#[test]
fn a_driver_amends_by_the_function_only() {
    on_postgresql(async |database| {
        begin(database, None).await;
        let role = format!("driver_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT USAGE, CREATE ON SCHEMA crossfade TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {role}; \
                 GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {role}"
            ))
            .await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        let client = connect(&url).await;
        let forged = "INSERT INTO crossfade.amendments (run_id, amendment, reason, role, os_user) VALUES (1, '{}', 'x', 'postgres', 'x')";
        assert!(client.batch_execute(forged).await.is_err());
        let file = plan_file("gates: {contract: {approvals: 3}}");
        database
            .crossfade(&[
                "--database-url",
                &url,
                "amend",
                RUN,
                "--gates",
                file.path().to_str().unwrap(),
                "--reason",
                "x",
            ])
            .exits(0);
        assert_eq!(
            database
                .value("SELECT role FROM crossfade.amendments")
                .await,
            role
        );
    });
}

//! What `history --verify` sees: every kind of change to what was recorded, a run that is honest in all its states, and one
//! that an upgrade found half way.

use crate::support::{Database, on_empty_postgresql, on_postgresql, plan_file};

mod embedded {
    refinery::embed_migrations!("migrations");
}

const VEHICLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'active', note text);
    INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 100) AS i;
";

const PLAN: &str = "version: 1\nname: rename\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\ngates:\n  contract: {approvals: 1}\n";

fn start(database: &Database, plan: &str) {
    let file = plan_file(plan);
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

/// All that is said about whether the history can be believed.
fn verdict(database: &Database, run: &str) -> (bool, String) {
    let ran = database.crossfade(&["history", run, "--verify", "--format", "json"]);
    let value = ran.json();
    let intact = value["chain_intact"] == true;
    assert_eq!(ran.code, Some(if intact { 0 } else { 1 }), "{}", ran.stderr);
    let broken = value["first_broken"].as_i64();
    let broken = broken.map_or(String::new(), |number| format!("broken at {number}; "));
    let findings = value["findings"].as_array().unwrap();
    let findings: Vec<&str> = findings.iter().map(|one| one.as_str().unwrap()).collect();
    (intact, broken + &findings.join("; "))
}

/// Rights of a superuser, who stops at nothing; but the row of the run is as it was.
const UNLOCK: &str = "ALTER TABLE crossfade.events DISABLE TRIGGER ALL; ALTER TABLE crossfade.approvals DISABLE TRIGGER ALL; ALTER TABLE crossfade.runs DISABLE TRIGGER ALL;";
const RESTORE: &str = "
    DELETE FROM crossfade.events; INSERT INTO crossfade.events SELECT * FROM kept.events;
    DELETE FROM crossfade.approvals; INSERT INTO crossfade.approvals SELECT * FROM kept.approvals;
    UPDATE crossfade.phases AS p SET state = k.state, finished_at = k.finished_at, started_at = k.started_at FROM kept.phases AS k WHERE (k.run_id, k.phase) = (p.run_id, p.phase);
    UPDATE crossfade.steps AS p SET state = k.state FROM kept.steps AS k WHERE (k.run_id, k.step) = (p.run_id, p.step);
    UPDATE crossfade.runs AS p SET state = k.state, finished_at = k.finished_at, started_by = k.started_by, plan = k.plan, document = k.document,
        fingerprint = k.fingerprint, paused_at = k.paused_at, paused_by = k.paused_by, pause_reason = k.pause_reason, rolling_back_to = k.rolling_back_to,
        event_count = k.event_count, event_head = k.event_head FROM kept.runs AS k WHERE k.id = p.id;
    DELETE FROM crossfade.quarantine;";

/// What is done to the run with the id 1, whose last event is number 10, and what must be said.
const TAMPERED: [(&str, &str); 27] = [
    (
        "DELETE FROM crossfade.events WHERE run_id = 1 AND number > 8",
        "2 of 10 events are missing",
    ),
    (
        "DELETE FROM crossfade.events WHERE run_id = 1 AND number = 10",
        "1 of 10 events are missing",
    ),
    (
        "DELETE FROM crossfade.events WHERE run_id = 1",
        "10 of 10 events are missing",
    ),
    (
        "DELETE FROM crossfade.events WHERE run_id = 1 AND number = 1",
        "broken at 2",
    ),
    (
        "DELETE FROM crossfade.events WHERE run_id = 1 AND number = 5",
        "broken at 6",
    ),
    (
        "DELETE FROM crossfade.events WHERE run_id = 1 AND number = 5; UPDATE crossfade.events SET number = number - 1 WHERE run_id = 1 AND number > 5",
        "broken at 5",
    ),
    (
        "UPDATE crossfade.events SET role = 'somebody_else' WHERE run_id = 1 AND number = 4",
        "broken at 4",
    ),
    (
        "UPDATE crossfade.events SET os_user = 'somebody_else' WHERE run_id = 1 AND number = 4",
        "broken at 4",
    ),
    (
        "UPDATE crossfade.events SET at = '2001-01-01T00:00:00.000000Z' WHERE run_id = 1 AND number = 10",
        "broken at 10",
    ),
    (
        "UPDATE crossfade.events SET kind = 'phase failed' WHERE run_id = 1 AND number = 2",
        "broken at 2",
    ),
    (
        "UPDATE crossfade.events SET detail = '{}' WHERE run_id = 1 AND number = 10",
        "broken at 10",
    ),
    (
        "UPDATE crossfade.events SET detail = detail || ' ' WHERE run_id = 1 AND number = 10",
        "broken at 10",
    ),
    // The same text in other fields, and so the same hash.
    (
        "UPDATE crossfade.events SET os_user = os_user || E'\\n' || kind, kind = detail, detail = '' WHERE run_id = 1 AND number = 10",
        "broken at 10",
    ),
    (
        "UPDATE crossfade.events SET number = -number WHERE run_id = 1 AND number IN (4, 5); UPDATE crossfade.events SET number = 9 + number WHERE run_id = 1 AND number IN (-4, -5)",
        "broken at 4",
    ),
    // An event with a hash of its own, in the middle and at the end.
    (
        "UPDATE crossfade.events SET number = number + 100 WHERE run_id = 1 AND number > 4; INSERT INTO crossfade.events SELECT run_id, 5, at, role, os_user, kind, detail, hash FROM crossfade.events WHERE run_id = 1 AND number = 4; UPDATE crossfade.events SET number = number - 99 WHERE run_id = 1 AND number > 100",
        "broken at 5",
    ),
    (
        "INSERT INTO crossfade.events SELECT run_id, 11, at, role, os_user, 'completed', '{}', encode(sha256(convert_to(concat_ws(E'\\n', hash, '1', '11', at, role, os_user, 'completed', '{}'), 'UTF8')), 'hex') FROM crossfade.events WHERE run_id = 1 AND number = 10",
        "there are 11 events, 1 more",
    ),
    // The whole of another run's.
    (
        "DELETE FROM crossfade.events WHERE run_id = 1; INSERT INTO crossfade.events SELECT 1, number, at, role, os_user, kind, detail, hash FROM crossfade.events WHERE run_id = 2",
        "broken at 1",
    ),
    // The last one written anew, with the hash that fits.
    (
        "UPDATE crossfade.events SET role = 'somebody_else', hash = (SELECT encode(sha256(convert_to(concat_ws(E'\\n', p.hash, '1', '10', e.at, 'somebody_else', e.os_user, e.kind, e.detail), 'UTF8')), 'hex') FROM crossfade.events AS p, crossfade.events AS e WHERE p.run_id = 1 AND p.number = 9 AND e.run_id = 1 AND e.number = 10) WHERE run_id = 1 AND number = 10",
        "the last event is not the one that was recorded last",
    ),
    // What the tables say and no event does.
    (
        "UPDATE crossfade.phases SET state = 'completed', finished_at = now(), started_at = now() WHERE run_id = 1 AND phase = 'contract'",
        "the phase contract is completed, and by the events it is pending",
    ),
    (
        "UPDATE crossfade.phases SET state = 'pending', finished_at = NULL WHERE run_id = 1 AND phase = 'expand'",
        "the phase expand is pending, and by the events it is completed",
    ),
    (
        "UPDATE crossfade.steps SET state = 'completed' WHERE run_id = 1 AND phase = 'backfill'",
        "the step fill:public.vehicles is completed",
    ),
    (
        "UPDATE crossfade.runs SET state = 'completed', finished_at = now() WHERE id = 1",
        "the run is completed, and by its events it is active",
    ),
    (
        "INSERT INTO crossfade.approvals (run_id, phase, role, os_user) VALUES (1, 'contract', 'somebody_else', 'x')",
        "contract is approved by somebody_else, and no event says so",
    ),
    (
        "DELETE FROM crossfade.approvals",
        "approved retire, but there is no such approval",
    ),
    (
        "UPDATE crossfade.runs SET started_by = 'somebody_else' WHERE id = 1",
        "started by somebody_else",
    ),
    (
        "UPDATE crossfade.runs SET plan = plan || '{\"name\": \"other\"}' WHERE id = 1",
        "the run's plan is not the one that it was started with",
    ),
    (
        "INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error, accepted_by, accepted_at, accepted_reason) VALUES (1, 'public.vehicles', 'x', '{}', '{}', 'forward', '22000', 'x', 'x', now(), 'x')",
        "in quarantine is accepted as it is, and no event says so",
    ),
];

#[test]
fn every_change_to_what_was_recorded_is_seen() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        database
            .execute("CREATE TABLE other (id bigint PRIMARY KEY, a text)")
            .await;
        database.crossfade(&["init"]).exits(0);
        start(database, PLAN);
        start(
            database,
            &PLAN
                .replace("name: rename", "name: other")
                .replace("public.vehicles, from: status", "public.other, from: a"),
        );
        database
            .crossfade(&["advance", "rename", "--to", "dual_write"])
            .exits(0);
        database
            .crossfade(&["approve", "rename", "retire"])
            .exits(0);
        assert_eq!(verdict(database, "rename"), (true, String::new()));
        database
            .execute(&format!(
                "CREATE SCHEMA kept; CREATE TABLE kept.events AS TABLE crossfade.events; CREATE TABLE kept.approvals AS TABLE crossfade.approvals;
                 CREATE TABLE kept.phases AS TABLE crossfade.phases; CREATE TABLE kept.steps AS TABLE crossfade.steps; CREATE TABLE kept.runs AS TABLE crossfade.runs; {UNLOCK}"
            ))
            .await;
        for (tampered, said) in TAMPERED {
            database.execute(tampered).await;
            let (intact, words) = verdict(database, "rename");
            assert!(!intact && words.contains(said), "{tampered}\n{words}");
            database.execute(RESTORE).await;
        }
        assert_eq!(verdict(database, "rename"), (true, String::new()));
        // What comes after a history that was cut off makes it no whole one.
        database
            .execute("DELETE FROM crossfade.events WHERE run_id = 1 AND number > 8")
            .await;
        database
            .crossfade(&["advance", "rename", "--to", "backfill"])
            .exits(0);
        let (intact, words) = verdict(database, "rename");
        assert!(
            !intact && words.starts_with("broken at 11; 2 of 1"),
            "{words}"
        );
        let said = database
            .crossfade(&["history", "rename", "--verify"])
            .exits(1);
        assert!(said.stdout.contains("the chain is broken at event 11"));
    });
}

/// No command leaves a run of which the events do not say all.
#[test]
fn an_honest_run_is_intact_after_every_command() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        database.crossfade(&["init"]).exits(0);
        start(database, PLAN);
        let commands: [&[&str]; 17] = [
            &["advance", "rename", "--to", "verify"],
            &["pause", "rename", "--reason", "two\nlines \u{1b}[31m"],
            &["advance", "rename"],
            &["resume", "rename", "--detach"],
            &["tune", "rename", "workers=2", "--reason", "x"],
            &["approve", "rename", "enforce", "--comment", "two\nlines"],
            &["rollback", "rename", "--to", "dual_write", "--yes"],
            &["advance", "rename", "--to", "verify"],
            &["pause", "--all", "--reason", "x"],
            &["resume", "--all", "--detach"],
            &["verify", "rename", "--repair"],
            &["rollback", "rename", "--to", "expand", "--yes"],
            &["advance", "rename", "--to", "retire"],
            &["advance", "rename", "--yes"],
            &["rollback", "rename", "--to", "switch_reads", "--yes"],
            &["advance", "rename", "--to", "retire"],
            &["rollback", "rename", "--yes"],
        ];
        for command in commands {
            let ran = database.crossfade(command);
            assert!(
                matches!(ran.code, Some(0 | 3 | 4)),
                "{command:?}: {}",
                ran.stderr
            );
            assert_eq!(
                verdict(database, "rename"),
                (true, String::new()),
                "{command:?}"
            );
        }
        // A run that failed in the middle, and one that ended without `contract` and is taken up again.
        database
            .execute("CREATE VIEW v AS SELECT 1 AS x; CREATE TABLE twice (a int, b int); INSERT INTO twice VALUES (1, 1), (1, 2)")
            .await;
        start(
            database,
            "version: 1\nname: unique\nchange:\n  add_unique: {table: public.twice, columns: [a]}\n",
        );
        database.crossfade(&["advance", "unique", "--to", "enforce"]);
        assert_eq!(verdict(database, "unique"), (true, String::new()));
        database.execute("DELETE FROM twice WHERE b = 2").await;
        start(
            database,
            "version: 1\nname: add\nchange:\n  add_column: {table: public.twice, column: c, type: text}\n",
        );
        for command in [
            &["advance", "add", "--to", "expand"][..],
            &["advance", "add"],
            &["rollback", "add", "--yes"],
        ] {
            database.crossfade(command);
            assert_eq!(
                verdict(database, "add"),
                (true, String::new()),
                "{command:?}"
            );
        }
    });
}

/// A database as version 14 left it, with a run half way: the upgrade keeps it going, and says from where on it can be believed.
#[test]
fn an_upgrade_begins_to_keep_the_head_and_says_so() {
    on_empty_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let mut client = database.client().await;
        client
            .batch_execute("CREATE SCHEMA crossfade")
            .await
            .unwrap();
        embedded::migrations::runner()
            .set_target(refinery::Target::Version(14))
            .set_migration_table_name("crossfade.schema_history")
            .run_async(&mut client)
            .await
            .unwrap();
        let looks = format!("looks_{}", database.name);
        let drives = format!("drives_{}", database.name);
        // What that version's README asked for, and what default privileges may have given besides.
        database
            .execute(&format!(
                "CREATE ROLE {looks} LOGIN; GRANT USAGE ON SCHEMA crossfade TO {looks}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {looks};
                 CREATE ROLE {drives} LOGIN; GRANT USAGE, CREATE ON SCHEMA crossfade TO {drives}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {drives};
                 GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {drives};
                 GRANT INSERT, DELETE ON crossfade.approvals, crossfade.quarantine TO PUBLIC;"
            ))
            .await;
        // The run as that version would have left it, made by this one in another database.
        let other = database.other().await;
        other.execute(VEHICLES).await;
        other.crossfade(&["init"]).exits(0);
        start(&other, PLAN);
        for table in ["runs", "phases", "steps", "leases", "claims"] {
            let rows = other
                .value(&format!(
                    "SELECT coalesce(jsonb_agg(t), '[]') FROM crossfade.{table} AS t"
                ))
                .await;
            let insert = format!(
                "INSERT INTO crossfade.{table} OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_recordset(NULL::crossfade.{table}, $1::text::jsonb)"
            );
            client.execute(&insert, &[&rows]).await.unwrap();
        }
        client
            .batch_execute(
                "SELECT setval(pg_get_serial_sequence('crossfade.runs', 'id'), 1);
                 SELECT crossfade.record(1, 'started', 'ops@bastion', '{\"fingerprint\": \"' || fingerprint || '\"}') FROM crossfade.runs;
                 SELECT crossfade.approve(1, 'contract', E'x\\u001by', 'c')",
            )
            .await
            .unwrap();
        drop(client);
        other.remove().await;

        // Somebody looks at the tables for long: the upgrade waits in pieces, and the application's triggers do not behind it.
        let reader = database.client().await;
        reader
            .batch_execute("BEGIN; SELECT count(*) FROM crossfade.runs")
            .await
            .unwrap();
        let mut upgrade = database.spawn(&[], &["init"]);
        database
            .wait_until("SELECT count(*) > 0 FROM crossfade.schema_history WHERE version < 20 HAVING max(version) >= 14")
            .await;
        for _ in 0..10 {
            database
                .execute("SET lock_timeout = '2s'; SELECT state FROM crossfade.runs")
                .await;
        }
        assert!(!upgrade.has_ended());
        reader.batch_execute("COMMIT").await.unwrap();
        upgrade.wait().exits(0);

        let ran = database
            .crossfade(&["history", "rename", "--verify"])
            .exits(0);
        assert!(
            ran.stdout.contains("the chain of 2 events is intact"),
            "{}",
            ran.stdout
        );
        assert!(
            ran.stdout
                .contains("since an upgrade, when there were 2 events"),
            "{}",
            ran.stdout
        );
        let open = "SELECT count(*) FROM pg_class AS c, aclexplode(c.relacl) AS a WHERE c.relnamespace = 'crossfade'::regnamespace AND a.grantee = 0";
        assert_eq!(database.value(open).await, "0");
        // Those who looked and drove still do.
        let url = |role: &str| database.url.replacen("postgres@", &format!("{role}@"), 1);
        for command in [
            &["status", "rename"][..],
            &["history", "rename", "--verify"],
            &["approve", "rename", "retire"],
        ] {
            database
                .crossfade(&[&["--database-url", &url(&looks)][..], command].concat())
                .exits(0);
        }
        database
            .execute(&format!(
                "ALTER TABLE vehicles OWNER TO {drives}; GRANT CREATE ON SCHEMA public TO {drives}"
            ))
            .await;
        database
            .crossfade(&[
                "--database-url",
                &url(&drives),
                "advance",
                "rename",
                "--to",
                "retire",
            ])
            .exits(0);
        assert_eq!(verdict(database, "rename"), (true, String::new()));
        // From the upgrade on nothing is removed unseen.
        database.execute(UNLOCK).await;
        database
            .execute("DELETE FROM crossfade.events WHERE number = (SELECT max(number) FROM crossfade.events)")
            .await;
        assert!(!verdict(database, "rename").0);
    });
}

//! `doctor` of one database: each fault is planted and named, and what it advises mends it. `start` runs the same checks.

use crate::support::{Database, command, on_empty_postgresql, on_postgresql, plan_file};
use serde_json::Value;

const TABLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL, note text);
    INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 100) AS i;
    ANALYZE vehicles;
";
const PLAN: &str = "version: 1\nname: rename\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\n";

/// What a check says: `failed`, and all of its findings in words.
struct Said {
    verdicts: Vec<String>,
    words: String,
}

impl Said {
    #[track_caller]
    fn is(&self, verdict: &str, words: &str) {
        assert!(
            self.verdicts.iter().any(|one| one == verdict) && self.words.contains(words),
            "wanted {verdict} and {words}: {:?} {}",
            self.verdicts,
            self.words
        );
    }
}

/// Of the database's checks and of all plans'.
fn said(diagnosis: &Value, check: &str) -> Said {
    let plans = diagnosis["plans"].as_array().unwrap();
    let all = plans
        .iter()
        .flat_map(|plan| plan["checks"].as_array().unwrap());
    let own = diagnosis["checks"].as_array().unwrap().iter().chain(all);
    let own: Vec<&Value> = own.filter(|one| one["check"] == check).collect();
    let verdicts = own
        .iter()
        .map(|one| one["verdict"].as_str().unwrap().to_owned());
    let words = own
        .iter()
        .map(|one| format!("{} {}\n", one["found"], one["remedy"]));
    Said {
        verdicts: verdicts.collect(),
        words: words.collect(),
    }
}

/// With the plan, if `with_plan` names a file.
fn examined(database: &Database, arguments: &[&str], code: i32) -> Value {
    let all = [&["doctor", "--format", "json"], arguments].concat();
    let ran = database.crossfade(&all).exits(code);
    let diagnosis = ran.json();
    assert_eq!(diagnosis["ok"], code == 0, "{diagnosis}");
    diagnosis
}

#[test]
fn a_fit_database_passes_and_what_nobody_can_know_is_unknown() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let file = plan_file(PLAN);
        let plan = file.path().to_str().unwrap();
        let found = examined(database, &[plan], 0);
        for check in [
            "connection",
            "installation",
            "plan",
            "rights",
            "triggers",
            "settings",
            "indexes",
            "constraints",
            "event_triggers",
            "products",
            "autovacuum",
        ] {
            let said = said(&found, check);
            assert!(
                !said.verdicts.is_empty() && said.verdicts.iter().all(|one| one == "passed"),
                "{check}: {:?} {}",
                said.verdicts,
                said.words
            );
        }
        said(&found, "disk").is("unknown", "PostgreSQL does not tell how much disk is free");
        said(&found, "backup").is("unknown", "not known");
        // Without a plan, and for people.
        examined(database, &[], 0);
        let words = |locale| {
            let ran = database.crossfade_with(&[("LC_ALL", locale)], &["doctor", plan]);
            ran.exits(0).stdout
        };
        let (signs, ascii) = (words("C.UTF-8"), words("C"));
        assert!(signs.contains("✓ rights"), "{signs}");
        assert!(ascii.contains("ok   rights") && ascii.is_ascii(), "{ascii}");
        database.crossfade(&["start", plan]).exits(0);
        let found = examined(database, &[plan], 0);
        said(&found, "plan").is("passed", "started as the run rename");
    });
}

#[test]
fn a_server_that_cannot_be_reached_or_written_fails_by_name() {
    on_postgresql(async |database| {
        let nobody = "postgresql://nobody@127.0.0.1:1/nothing";
        let ran = command(nobody, &["doctor", "--format", "json"])
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(1));
        let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
        said(&found, "connection").is("failed", "127.0.0.1");
        database
            .execute(&format!(
                "ALTER DATABASE {} SET default_transaction_read_only = on",
                database.name
            ))
            .await;
        let found = examined(database, &[], 1);
        said(&found, "connection").is("failed", "default_transaction_read_only");
        let reset = format!(
            "ALTER DATABASE {} RESET default_transaction_read_only;",
            database.name
        );
        said(&found, "settings").is("failed", &reset);
    });
}

#[test]
fn tables_that_are_not_installed_are_said_with_what_installs_them() {
    on_empty_postgresql(async |database| {
        said(&examined(database, &[], 0), "installation").is("warning", "crossfade init");
        let role = format!("poor_{}", database.name);
        database.execute(&format!("CREATE ROLE {role} LOGIN")).await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        let ran = command(&url, &["doctor", "--format", "json"])
            .output()
            .unwrap();
        let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
        let grant = format!("GRANT CREATE ON DATABASE {} TO {role};", database.name);
        said(&found, "installation").is("failed", &grant);
        database.execute(&grant).await;
        command(&url, &["init"]).output().unwrap();
        let ran = command(&url, &["doctor", "--format", "json"])
            .output()
            .unwrap();
        let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
        said(&found, "installation").is("passed", "");
        database
            .execute(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"))
            .await;
    });
}

#[test]
fn a_right_that_is_missing_is_named_with_the_grant_that_gives_it() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let (owner, role) = (
            format!("owner_{}", database.name),
            format!("drives_{}", database.name),
        );
        database
            .execute(&format!(
                "CREATE ROLE {owner}; CREATE ROLE {role} LOGIN; ALTER TABLE vehicles OWNER TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}; \
                 GRANT USAGE, CREATE ON SCHEMA crossfade TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {role}; \
                 GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {role};"
            ))
            .await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        let file = plan_file(PLAN);
        let plan = file.path().to_str().unwrap();
        let doctor = || -> Value {
            let ran = command(&url, &["doctor", plan, "--format", "json"])
                .output()
                .unwrap();
            serde_json::from_slice(&ran.stdout).unwrap()
        };
        let found = doctor();
        let grant = format!("GRANT {owner} TO {role}");
        said(&found, "rights").is("failed", &grant);
        // Others' sessions are hidden from such a role, which is no pass.
        let watched = database.client().await;
        watched.batch_execute("BEGIN; SELECT 1").await.unwrap();
        let with = said(&doctor(), "transactions");
        with.is("unknown", "pg_monitor");
        let inherit = match database.server().version().0 {
            16.. => " WITH INHERIT TRUE",
            _ => "",
        };
        database.execute(&format!("{grant}{inherit}")).await;
        let passes = said(&doctor(), "rights");
        assert!(
            passes.verdicts.iter().all(|one| one != "failed"),
            "{}",
            passes.words
        );
        database
            .execute(&format!(
                "REASSIGN OWNED BY {owner} TO postgres; DROP OWNED BY {owner}, {role}; DROP ROLE {owner}, {role}"
            ))
            .await;
    });
}

#[test]
fn settings_of_the_database_are_in_the_way_only_where_they_hold_in_our_sessions() {
    on_postgresql(async |database| {
        let name = &database.name;
        database.execute(TABLES).await;
        database
            .execute(&format!("ALTER DATABASE {name} SET statement_timeout = '5s'; ALTER DATABASE {name} SET search_path = elsewhere"))
            .await;
        let found = said(&examined(database, &[], 0), "settings");
        found.is("passed", "statement_timeout = 5s");
        database
            .execute(&format!(
                "ALTER DATABASE {name} SET idle_session_timeout = '1h'"
            ))
            .await;
        let reset = format!("ALTER DATABASE {name} RESET idle_session_timeout;");
        let found = said(&examined(database, &[], 0), "settings");
        found.is("warning", &reset);
        database.execute(&reset).await;
        said(&examined(database, &[], 0), "settings").is("passed", "");
        // Where no trigger fires, a plan that needs them is refused.
        database
            .execute(&format!(
                "ALTER DATABASE {name} SET session_replication_role = replica"
            ))
            .await;
        said(&examined(database, &[], 0), "triggers").is("warning", "session_replication_role");
        let file = plan_file(PLAN);
        let found = examined(database, &[file.path().to_str().unwrap()], 1);
        said(&found, "triggers").is("failed", "RESET session_replication_role");
    });
}

#[test]
fn what_is_wrong_with_a_plans_tables_is_named_with_what_mends_it() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let file = plan_file(PLAN);
        let plan = file.path().to_str().unwrap();
        database
            .execute("INSERT INTO vehicles VALUES (-1, 'active', 'x'), (-2, 'active', 'x')")
            .await;
        let client = database.client().await;
        let broken = "CREATE UNIQUE INDEX CONCURRENTLY half ON vehicles (note)";
        assert!(client.batch_execute(broken).await.is_err());
        database
            .execute(
                "DELETE FROM vehicles WHERE id < 0; ALTER TABLE vehicles ADD CONSTRAINT positive CHECK (id > 0) NOT VALID; \
                 ALTER TABLE vehicles SET (autovacuum_enabled = off)",
            )
            .await;
        database
            .execute(
                "INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1000, 13000) AS i; \
                 DELETE FROM vehicles WHERE id >= 1000",
            )
            .await;
        database
            .wait_until("SELECT pg_stat_get_dead_tuples('vehicles'::regclass) > 10000")
            .await;
        let found = examined(database, &[plan], 0);
        said(&found, "indexes").is("warning", "public.half");
        said(&found, "constraints").is(
            "warning",
            "ALTER TABLE public.vehicles VALIDATE CONSTRAINT positive;",
        );
        let vacuum = said(&found, "autovacuum");
        vacuum.is(
            "warning",
            "ALTER TABLE public.vehicles RESET (autovacuum_enabled);",
        );
        vacuum.is("warning", "far behind");
        for sql in [
            "DROP INDEX CONCURRENTLY public.half",
            "ALTER TABLE public.vehicles VALIDATE CONSTRAINT positive",
            "ALTER TABLE public.vehicles RESET (autovacuum_enabled)",
            "VACUUM (ANALYZE) public.vehicles",
        ] {
            database.execute(sql).await;
        }
        let found = examined(database, &[plan], 0);
        for check in ["indexes", "constraints", "autovacuum"] {
            let said = said(&found, check);
            assert!(
                said.verdicts.iter().all(|one| one == "passed"),
                "{}",
                said.words
            );
        }
    });
}

#[test]
fn event_triggers_that_a_plan_would_fire_are_named() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let file = plan_file(PLAN);
        let plan = file.path().to_str().unwrap();
        database
            .execute(
                "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; \
                 CREATE EVENT TRIGGER of_views ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION watch()",
            )
            .await;
        said(&examined(database, &[plan], 0), "event_triggers").is("passed", "");
        said(&examined(database, &[], 0), "event_triggers").is("warning", "of_views");
        database
            .execute("CREATE EVENT TRIGGER of_tables ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION watch()")
            .await;
        let found = said(&examined(database, &[plan], 0), "event_triggers");
        found.is("warning", "ALTER EVENT TRIGGER of_tables DISABLE;");
        assert!(!found.words.contains("of_views"), "{}", found.words);
        let ran = database.crossfade(&["start", plan]).exits(0);
        assert!(
            ran.stderr
                .contains("warning: event_triggers: the event trigger of_tables"),
            "{}",
            ran.stderr
        );
        database
            .execute("ALTER EVENT TRIGGER of_tables DISABLE")
            .await;
    });
}

#[test]
fn tables_of_other_products_are_named() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database
            .execute(
                "CREATE SCHEMA _timescaledb_catalog; \
                 CREATE TABLE _timescaledb_catalog.hypertable (schema_name name, table_name name); \
                 INSERT INTO _timescaledb_catalog.hypertable VALUES ('public', 'vehicles')",
            )
            .await;
        let file = plan_file(PLAN);
        let found = examined(database, &[file.path().to_str().unwrap()], 1);
        said(&found, "plan").is("failed", "hypertable of TimescaleDB");
        said(&found, "products").is("warning", "hypertable of TimescaleDB");
    });
}

/// A configuration, and the arguments that name it.
fn configured(text: &str) -> (tempfile::NamedTempFile, [String; 2]) {
    let file = plan_file(text);
    let name = file.path().to_str().unwrap().to_owned();
    (file, ["--config".to_owned(), name])
}

fn with_configuration(database: &Database, text: &str, code: i32) -> Value {
    let (_file, [flag, name]) = configured(text);
    examined(database, &[&flag, &name], code)
}

#[test]
fn a_backup_is_proven_by_a_query_or_a_command_of_the_configuration() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE backups (ended_at timestamptz); CREATE TABLE written (one int)")
            .await;
        let query = "backup: {query: SELECT max(ended_at) FROM public.backups, younger_than: 24h}";
        said(&with_configuration(database, query, 1), "backup").is("failed", "no backup was found");
        database
            .execute("INSERT INTO backups VALUES (now() - interval '25 hours')")
            .await;
        said(&with_configuration(database, query, 1), "backup").is("failed", "younger than");
        database
            .execute("INSERT INTO backups VALUES (now() - interval '23 hours')")
            .await;
        said(&with_configuration(database, query, 0), "backup").is("passed", "ended");
        for (text, words) in [
            ("backup: {query: SELECT 'soon', younger_than: 24h}", "soon"),
            (
                "backup: {command: ['false'], younger_than: 24h}",
                "exit status: 1",
            ),
            (
                "backup: {command: [/no/such/program], younger_than: 24h}",
                "cannot start",
            ),
            (
                "backup: {command: [echo, '2020-01-01T00:00:00Z'], younger_than: 24h}",
                "younger than",
            ),
            (
                "backup: {command: [echo, '1577836800'], younger_than: 24h}",
                "younger than",
            ),
            (
                "backup: {command: ['true'], younger_than: 24h}",
                "no backup was found",
            ),
            // It only reads.
            (
                "backup: {query: \"WITH w AS (INSERT INTO public.written VALUES (1) RETURNING 1) SELECT now() FROM w\", younger_than: 24h}",
                "WITH",
            ),
            (
                "backup: {query: \"SELECT now()); INSERT INTO public.written VALUES (1); SELECT (1\", younger_than: 24h}",
                "syntax",
            ),
        ] {
            let said = said(&with_configuration(database, text, 1), "backup");
            if words != "WITH" && words != "syntax" {
                said.is("failed", words);
            }
        }
        assert_eq!(database.value("SELECT count(*) FROM written").await, "0");
        let now = "backup: {command: [date, '+%s'], younger_than: 1h}";
        said(&with_configuration(database, now, 0), "backup").is("passed", "ended");
        // No variable that reaches the database is given to a command.
        let environment = "backup: {command: [printenv, CROSSFADE_DATABASE_URL], younger_than: 1h}";
        said(&with_configuration(database, environment, 1), "backup")
            .is("failed", "exit status: 1");
    });
}

#[test]
fn a_failed_check_refuses_a_start_until_it_is_accepted_with_a_reason() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let file = plan_file(PLAN);
        let plan = file.path().to_str().unwrap();
        let text =
            "backup: {command: ['true'], younger_than: 24h}\nfree_disk: {command: [echo, '0']}\n";
        let (_configuration, [flag, name]) = configured(text);
        let start = |more: &[&str]| {
            let all = [&["start", plan, flag.as_str(), name.as_str()], more].concat();
            database.crossfade(&all)
        };
        let found = examined(database, &[plan, &flag, &name], 1);
        said(&found, "backup").is("failed", "no backup was found");
        said(&found, "disk").is("failed", "0 bytes are free");
        let refused = start(&[]).exits(1);
        for words in [
            "backup: no backup was found",
            "--accept backup --reason",
            "disk: 0 bytes",
        ] {
            assert!(
                refused.stderr.contains(words),
                "{words}: {}",
                refused.stderr
            );
        }
        start(&["--accept", "backup", "--reason", "made by the provider"]).exits(1);
        // Nothing was left of that.
        assert_eq!(
            database.value("SELECT count(*) FROM crossfade.runs").await,
            "0"
        );
        start(&["--accept", "backup"]).exits(2);
        start(&["--accept", "backup", "--accept", "disk", "--reason", "x"]).exits(2);
        start(&["--accept", "lunch", "--reason", "x"]).exits(2);
        let rights = start(&["--accept", "rights", "--reason", "x"]).exits(1);
        assert!(
            rights.stderr.contains("cannot be accepted"),
            "{}",
            rights.stderr
        );
        let accepted = [
            "--accept",
            "backup",
            "--reason",
            "made by the provider",
            "--accept",
            "disk",
            "--reason",
            "it grows by itself",
            "--accept",
            "slots",
            "--reason",
            "none",
        ];
        let started = start(&accepted).exits(0);
        assert!(
            started.stderr.contains("accepted: backup"),
            "{}",
            started.stderr
        );
        assert!(
            started
                .stderr
                .contains("the check slots was not accepted: it did not fail"),
            "{}",
            started.stderr
        );
        let recorded = &database.status("rename")["accepted_checks"];
        assert_eq!(recorded.as_array().unwrap().len(), 2, "{recorded}");
        let reasons = recorded.to_string();
        assert!(
            reasons.contains("made by the provider") && reasons.contains("it grows by itself"),
            "{reasons}"
        );
        let words = database.crossfade(&["status", "rename"]).exits(0).stdout;
        assert!(
            words.contains("started in spite of the check backup: made by the provider"),
            "{words}"
        );
        let history = database
            .crossfade(&["history", "rename", "--verify"])
            .exits(0)
            .stdout;
        assert!(history.contains("made by the provider"), "{history}");
        // A second time there is nothing to start, and nothing to check.
        start(&[]).exits(0);
    });
}

#[test]
fn a_configuration_that_another_can_change_runs_nothing_unless_it_is_named() {
    use std::os::unix::fs::PermissionsExt;
    on_postgresql(async |database| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("crossfade.yaml");
        let ran = folder.path().join("ran");
        let text = format!(
            "backup: {{command: [touch, {}], younger_than: 24h}}\n",
            ran.display()
        );
        std::fs::write(&file, text).unwrap();
        let doctor = || {
            let mut command = database.command(&["doctor"]);
            let output = command.current_dir(folder.path()).output().unwrap();
            (
                output.status.code(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            )
        };
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
        let (code, told) = doctor();
        assert!(
            code == Some(1) && told.contains("--config") && !ran.exists(),
            "{told}"
        );
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        doctor();
        assert!(ran.exists());
    });
}

#[test]
fn a_gate_waits_for_a_recent_backup() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database
            .execute("CREATE TABLE backups (ended_at timestamptz)")
            .await;
        let gate = "gates:\n  dual_write: {backup: {query: SELECT max(ended_at) FROM backups, younger_than: 24h}}\n";
        let file = plan_file(&format!("{PLAN}{gate}"));
        let plan = file.path().to_str().unwrap();
        database.crossfade(&["start", plan]).exits(0);
        database.crossfade(&["advance", "rename"]).exits(0);
        let waits = database.crossfade(&["advance", "rename"]).exits(3);
        assert!(
            waits.stderr.contains("no backup was found"),
            "{}",
            waits.stderr
        );
        for (age, words) in [("25 hours", "younger than"), ("-2 hours", "in the future")] {
            database
                .execute(&format!(
                    "TRUNCATE backups; INSERT INTO backups VALUES (now() - interval '{age}')"
                ))
                .await;
            let waits = database.crossfade(&["advance", "rename"]).exits(3);
            assert!(waits.stderr.contains(words), "{}", waits.stderr);
        }
        database
            .execute("ALTER TABLE backups RENAME TO elsewhere")
            .await;
        let waits = database.crossfade(&["advance", "rename"]).exits(3);
        assert!(waits.stderr.contains("not known"), "{}", waits.stderr);
        database
            .execute(
                "ALTER TABLE elsewhere RENAME TO backups; TRUNCATE backups; INSERT INTO backups VALUES (now())",
            )
            .await;
        database.crossfade(&["advance", "rename"]).exits(0);
        // A plan runs no command.
        let command = PLAN.to_owned()
            + "gates:\n  expand: {backup: {command: [touch, /tmp/no], younger_than: 24h}}\n";
        let file = plan_file(&command);
        let refused = database
            .crossfade(&["check", "--offline", file.path().to_str().unwrap()])
            .exits(1);
        assert!(refused.stderr.contains("command"), "{}", refused.stderr);
    });
}

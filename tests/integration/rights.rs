//! What a role can do that was granted only to look and to approve, and what one can that drives: each attempt to do more is
//! tried, and must fail and leave everything as it was.

use crate::support::{Database, connect, on_empty_postgresql, on_postgresql, plan_file};
use std::collections::BTreeMap;
use tokio_postgres::Client;

const VEHICLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'active', note text);
    INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 100) AS i;
";

const PLAN: &str = "version: 1\nname: rename\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\ngates:\n  contract: {approvals: 1}\n";

/// What the documentation says that one who approves and looks needs.
const MAY_LOOK: &str =
    "GRANT USAGE ON SCHEMA crossfade TO {}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {};";
/// What it says that one who drives needs, where it does not own the schema.
const MAY_DRIVE: &str = "GRANT USAGE, CREATE ON SCHEMA crossfade TO {}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {};";

async fn role(database: &Database, name: &str, grants: &str) -> String {
    let role = format!("{name}_{}", database.name);
    let grants = grants.replace("{}", &role);
    database
        .execute(&format!("CREATE ROLE {role} LOGIN; {grants}"))
        .await;
    role
}

fn url_of(database: &Database, role: &str) -> String {
    database.url.replacen("postgres@", &format!("{role}@"), 1)
}

fn begin(database: &Database, to: &str) {
    database.crossfade(&["init"]).exits(0);
    let file = plan_file(PLAN);
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
    database
        .crossfade(&["advance", "rename", "--to", to])
        .exits(0);
}

/// Every row of every table of ours, every sequence's value, and what there is in the schema, with its owner and its rights.
async fn everything(database: &Database) -> BTreeMap<String, String> {
    let client = database.client().await;
    let objects = "SELECT c.oid::regclass::text, c.relkind::text FROM pg_class AS c \
        WHERE c.relnamespace = 'crossfade'::regnamespace AND c.relkind IN ('r', 'S') ORDER BY 1";
    let mut all = BTreeMap::new();
    for row in client.query(objects, &[]).await.unwrap() {
        let (name, kind): (String, String) = (row.get(0), row.get(1));
        let columns = if kind == "S" {
            "last_value, is_called"
        } else {
            "*"
        };
        let digest = format!(
            "SELECT coalesce(string_agg(md5(to_jsonb(t)::text), ',' ORDER BY md5(to_jsonb(t)::text)), '') FROM (SELECT {columns} FROM {name}) AS t"
        );
        let digest = client.query_one(&digest, &[]).await.unwrap().get(0);
        all.insert(name, digest);
    }
    for (what, query) in [
        (
            "objects",
            "SELECT string_agg(concat_ws(' ', oid::regclass, relkind, relowner, relacl), E'\\n' ORDER BY 1) FROM pg_class WHERE relnamespace = 'crossfade'::regnamespace",
        ),
        (
            "functions",
            "SELECT string_agg(concat_ws(' ', oid::regprocedure, proowner, proacl, md5(prosrc)), E'\\n' ORDER BY 1) FROM pg_proc WHERE pronamespace = 'crossfade'::regnamespace",
        ),
        (
            "triggers",
            "SELECT string_agg(concat_ws(' ', tgrelid, tgname, tgenabled), E'\\n' ORDER BY 1) FROM pg_trigger",
        ),
    ] {
        let text: String = client
            .query_one(&query.replace("ORDER BY 1", "ORDER BY oid"), &[])
            .await
            .unwrap()
            .get(0);
        all.insert(what.to_owned(), text);
    }
    all
}

#[track_caller]
fn same(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    for (name, now) in after {
        // A number that was drawn for a row that did not come is not drawn again.
        if !name.ends_with("_id_seq") {
            assert_eq!(before.get(name), Some(now), "{name}");
        }
    }
    assert_eq!(before.len(), after.len());
}

/// Each on a session of its own, as one that failed is in a failed transaction. None may succeed.
async fn none_succeeds(url: &str, attempts: &[String]) {
    for attempt in attempts {
        let client = connect(url).await;
        if client.batch_execute(attempt).await.is_ok() {
            panic!("a role without the right to it did: {attempt}");
        }
    }
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let rows = client.query(query, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Whatever of a table's rows somebody may try to change, and of the schema.
async fn attempts_on_everything(database: &Database) -> Vec<String> {
    let client = database.client().await;
    let mut attempts = Vec::new();
    let tables = "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = 'crossfade'::regnamespace AND c.relkind = 'r'";
    for table in names(&client, tables).await {
        attempts.extend([
            format!("INSERT INTO {table} SELECT * FROM {table} LIMIT 1"),
            format!("INSERT INTO {table} DEFAULT VALUES"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
            format!("SELECT * FROM {table} FOR KEY SHARE"),
            format!("COPY {table} FROM PROGRAM 'true'"),
            format!("BEGIN; LOCK TABLE {table} IN ROW EXCLUSIVE MODE"),
            format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
            format!("ALTER TABLE {table} ADD COLUMN x int"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TABLE {table} CASCADE"),
            format!("CREATE INDEX ON {table} ((1))"),
            format!("CREATE RULE r AS ON SELECT TO {table} DO INSTEAD NOTHING"),
            format!("CREATE POLICY p ON {table}"),
            format!("CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"),
        ]);
    }
    let columns = "SELECT format('UPDATE %s SET %I = DEFAULT', c.oid::regclass, a.attname) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid \
        WHERE c.relnamespace = 'crossfade'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped";
    attempts.extend(names(&client, columns).await);
    // By number too: that needs no right on the schema.
    let sequences = "SELECT unnest(ARRAY[format('SELECT nextval(%L)', c.oid::regclass), format('SELECT setval(%L, 1)', c.oid::regclass), \
            format('SELECT nextval(%s::oid)', c.oid), format('SELECT setval(%s::oid, 1)', c.oid), format('ALTER SEQUENCE %s RESTART', c.oid::regclass)]) \
        FROM pg_class AS c WHERE c.relnamespace = 'crossfade'::regnamespace AND c.relkind = 'S'";
    attempts.extend(names(&client, sequences).await);
    let triggers = "SELECT format('CREATE TEMP TABLE mine (id bigint, status text, vehicle_status text); \
            CREATE TRIGGER t BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION %s', p.oid::regprocedure) \
        FROM pg_proc AS p WHERE p.pronamespace = 'crossfade'::regnamespace AND p.prorettype = 'trigger'::regtype AND NOT p.prosecdef";
    attempts.extend(names(&client, triggers).await);
    attempts.extend(
        [
            "SELECT crossfade.record(1, 'approved', 'x', '{\"phase\": \"contract\"}')",
            "CREATE TABLE crossfade.x ()",
            "CREATE VIEW crossfade.x AS SELECT 1",
            "CREATE SEQUENCE crossfade.x",
            "CREATE TYPE crossfade.x AS (y int)",
            "CREATE FUNCTION crossfade.record(bigint, text, text, varchar) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
            "ALTER FUNCTION crossfade.approve OWNER TO CURRENT_USER",
            "CREATE OR REPLACE FUNCTION crossfade.approve(of_run bigint, of_phase text, by_os_user text, with_comment text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
            "ALTER SCHEMA crossfade RENAME TO theirs",
            "DROP SCHEMA crossfade CASCADE",
            "COMMENT ON SCHEMA crossfade IS 'x'",
            "SET session_replication_role = replica",
            "SET SESSION AUTHORIZATION postgres",
            "SET ROLE postgres",
        ]
        .map(str::to_owned),
    );
    attempts
}

#[test]
fn a_role_that_may_look_and_approve_can_change_nothing_else() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        begin(database, "dual_write");
        let role = role(database, "looks", MAY_LOOK).await;
        let url = url_of(database, &role);
        let before = everything(database).await;
        none_succeeds(&url, &attempts_on_everything(database).await).await;
        // These warn, and do nothing.
        let client = connect(&url).await;
        client
            .batch_execute("GRANT ALL ON ALL TABLES IN SCHEMA crossfade TO PUBLIC; GRANT ALL ON SCHEMA crossfade TO PUBLIC")
            .await
            .ok();
        none_succeeds(
            &url,
            &[format!(
                "CREATE TABLE public.refers_{role} (run bigint REFERENCES crossfade.runs)"
            )],
        )
        .await;
        same(&before, &everything(database).await);
        // What it may: look, and approve in its own name.
        for command in [
            &["status"][..],
            &["status", "rename"],
            &["history", "rename", "--verify"],
            &["quarantine", "list", "rename"],
            &["approve", "rename", "contract"],
        ] {
            let arguments = [&["--database-url", &url][..], command].concat();
            database.crossfade(&arguments).exits(0);
        }
        let approved = "SELECT role FROM crossfade.approvals";
        assert_eq!(database.value(approved).await, role);
    });
}

/// Neither what it is called with, nor what stands in the caller's session, nor who it is for the moment.
#[test]
fn an_approval_is_of_the_role_that_logged_in_and_of_a_phase_that_is_to_come() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        begin(database, "dual_write");
        let looks = role(database, "looks", MAY_LOOK).await;
        let other = role(database, "other", MAY_LOOK).await;
        let url = url_of(database, &looks);
        database
            .execute(&format!(
                "GRANT {other} TO {looks}; GRANT CREATE ON SCHEMA public TO {looks}"
            ))
            .await;
        let long = "x".repeat(301);
        let refused = [
            "SELECT crossfade.approve(1, 'contract', E'x\\n   9  approved', NULL)".to_owned(),
            "SELECT crossfade.approve(1, 'contract', E'x\\x1b[31m', NULL)".to_owned(),
            "SELECT crossfade.approve(1, 'contract', E'x\\x7f', NULL)".to_owned(),
            "SELECT crossfade.approve(1, 'contract', NULL, NULL)".to_owned(),
            format!("SELECT crossfade.approve(1, 'contract', '{long}', NULL)"),
            "SELECT crossfade.approve(1, 'contract', 'x', repeat('x', 4001))".to_owned(),
            "SELECT crossfade.approve(1, 'expand', 'x', NULL)".to_owned(),
            "SELECT crossfade.approve(1, 'nothing', 'x', NULL)".to_owned(),
            "SELECT crossfade.approve(1, NULL, 'x', NULL)".to_owned(),
            "SELECT crossfade.approve(2, 'contract', 'x', NULL)".to_owned(),
            "SELECT crossfade.approve(NULL, 'contract', 'x', NULL)".to_owned(),
        ];
        let before = everything(database).await;
        none_succeeds(&url, &refused).await;
        // Code of its own that another's session runs does not approve for that one.
        let client = connect(&url).await;
        client
            .batch_execute(
                "CREATE FUNCTION public.lure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM crossfade.approve(1, 'contract', 'x', NULL); RETURN new; END $$;
                 CREATE TABLE public.lure (id int); CREATE TRIGGER t BEFORE INSERT ON public.lure FOR EACH ROW EXECUTE FUNCTION public.lure();
                 CREATE FUNCTION public.looks_harmless() RETURNS boolean LANGUAGE sql AS $$ SELECT crossfade.approve(1, 'contract', 'x', NULL) $$;
                 CREATE VIEW public.lured AS SELECT public.looks_harmless(); GRANT ALL ON public.lure, public.lured TO PUBLIC;",
            )
            .await
            .unwrap();
        let lured = [
            "INSERT INTO public.lure VALUES (1)",
            "SELECT * FROM public.lured",
            "SELECT public.looks_harmless()",
        ];
        none_succeeds(&url_of(database, &other), &lured.map(str::to_owned)).await;
        let mut after = everything(database).await;
        // The trigger of the lure.
        after.remove("triggers");
        let mut before = before;
        before.remove("triggers");
        same(&before, &after);
        // What shadows ours changes nothing, and a role that is set counts for nothing.
        client
            .batch_execute(&format!(
                "CREATE TEMP TABLE approvals (x int); CREATE TEMP TABLE runs (x int); CREATE TEMP TABLE events (x int);
                 CREATE DOMAIN pg_temp.text AS int CHECK (value < 0); CREATE DOMAIN pg_temp.bigint AS bool;
                 CREATE FUNCTION pg_temp.concat_ws(pg_catalog.text, VARIADIC pg_catalog.text[]) RETURNS pg_catalog.text LANGUAGE sql AS $$ SELECT 'forged' $$;
                 CREATE FUNCTION pg_temp.record(bigint, pg_catalog.text, pg_catalog.text, pg_catalog.text) RETURNS bigint LANGUAGE sql AS $$ SELECT 1::bigint $$;
                 SET search_path = pg_temp, pg_catalog; SET ROLE {other};
                 SELECT crossfade.approve(1, 'contract', 'ops@bastion', E'seen\\n\\x1b[31m and liked')"
            ))
            .await
            .unwrap();
        assert_eq!(
            database
                .value("SELECT string_agg(role || ' ' || os_user, ',') FROM crossfade.approvals")
                .await,
            format!("{looks} ops@bastion")
        );
        database
            .crossfade(&["history", "rename", "--verify"])
            .exits(0);
        // On the terminal its comment is one line, and colours nothing.
        let shown = database.crossfade(&["history", "rename"]).exits(0).stdout;
        assert_eq!(shown.lines().count(), 10, "{shown}");
        assert!(!shown.contains('\x1b'), "{shown}");
        // The run's starter does not count for its gate, nor does it as another role that it belongs to.
        database
            .execute("SELECT crossfade.approve(1, 'contract', 'x', NULL)")
            .await;
        let detail = "1 of 1 approvals";
        let gate = database.status("rename")["phases"][7]["gate"].to_string();
        assert!(gate.contains(detail) && gate.contains(&looks), "{gate}");
        // Neither while a rollback is under way, nor after the end.
        let before = database.crossfade_with(
            &[(
                "CROSSFADE_FAILPOINT",
                "kill:rollback begin: after its record",
            )],
            &["rollback", "rename", "--yes"],
        );
        assert_ne!(before.code, Some(0));
        let asked = ["SELECT crossfade.approve(1, 'retire', 'x', NULL)".to_owned()];
        none_succeeds(&url, &asked).await;
        database
            .crossfade(&["rollback", "rename", "--yes"])
            .exits(0);
        none_succeeds(&url, &asked).await;
    });
}

#[test]
fn a_role_that_drives_cannot_approve_for_others_or_rewrite_what_was_recorded() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        begin(database, "dual_write");
        let drives = role(database, "drives", MAY_DRIVE).await;
        database
            .execute(&format!(
                "ALTER TABLE vehicles OWNER TO {drives}; GRANT CREATE ON SCHEMA public TO {drives}; SELECT crossfade.approve(1, 'contract', 'x', 'y')"
            ))
            .await;
        let version = database
            .value("SELECT current_setting('server_version_num')")
            .await;
        if version.as_str() >= "150000" {
            database
                .execute(&format!(
                    "GRANT SET ON PARAMETER session_replication_role TO {drives}"
                ))
                .await;
        }
        let url = url_of(database, &drives);
        let forged = [
            "INSERT INTO crossfade.approvals (run_id, phase, role, os_user) VALUES (1, 'contract', 'somebody_else', 'x')",
            "INSERT INTO crossfade.approvals (run_id, phase, os_user) VALUES (1, 'contract', 'x')",
            "UPDATE crossfade.approvals SET role = 'somebody_else'",
            "INSERT INTO crossfade.events SELECT run_id, number + 100, at, 'somebody_else', os_user, kind, detail, hash FROM crossfade.events",
            "UPDATE crossfade.events SET role = 'somebody_else'",
            "DELETE FROM crossfade.events",
            "DELETE FROM crossfade.events WHERE number = (SELECT max(number) FROM crossfade.events)",
            "UPDATE crossfade.runs SET event_count = 1",
            "UPDATE crossfade.runs SET event_head = ''",
            "UPDATE crossfade.runs SET started_by = 'somebody_else'",
            "UPDATE crossfade.runs SET plan = plan || '{\"x\": 1}'",
            "UPDATE crossfade.runs SET document = '', fingerprint = ''",
            "INSERT INTO crossfade.runs (name, document, plan, fingerprint, started_by, started_by_os) SELECT 'other', document, plan, fingerprint, 'somebody_else', 'x' FROM crossfade.runs",
            "DELETE FROM crossfade.claims; DELETE FROM crossfade.leases; DELETE FROM crossfade.runs",
            "SELECT crossfade.record(1, 'approved', E'x\\ny', '{}')",
            "SELECT crossfade.record(1, E'approved\\ny', 'x', '{}')",
            "SELECT crossfade.record(77, 'approved', 'x', '{}')",
        ];
        let before = everything(database).await;
        for attempt in forged {
            let mut attempts = vec![attempt.to_owned()];
            if version.as_str() >= "150000" {
                attempts.push(format!("SET session_replication_role = replica; {attempt}"));
            }
            none_succeeds(&url, &attempts).await;
        }
        same(&before, &everything(database).await);
        // What it is there for, it can: the triggers' functions are another's, so from the start.
        database
            .crossfade(&["rollback", "rename", "--yes"])
            .exits(0);
        let file = plan_file(PLAN);
        let with = |arguments: &[&str]| {
            database.crossfade(&[&["--database-url", &url][..], arguments].concat())
        };
        with(&["start", file.path().to_str().unwrap()]).exits(0);
        with(&["advance", "rename", "--to", "retire"]).exits(0);
        with(&["history", "rename", "--verify"]).exits(0);
        database
            .crossfade(&["approve", "rename", "contract"])
            .exits(0);
        with(&["advance", "rename", "--yes"]).exits(0);
        with(&["history", "rename", "--verify"]).exits(0);
    });
}

/// An owner of tables gives its applications rights on all that it makes, mostly: not on these.
#[test]
fn default_privileges_open_none_of_our_tables() {
    on_empty_postgresql(async |database| {
        let app = role(database, "app", "").await;
        let reads = role(database, "reads", "").await;
        for kind in ["TABLES", "SEQUENCES", "FUNCTIONS", "SCHEMAS"] {
            database
                .execute(&format!(
                    "ALTER DEFAULT PRIVILEGES GRANT ALL ON {kind} TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT ALL ON {kind} TO {app}"
                ))
                .await;
        }
        database.execute(VEHICLES).await;
        begin(database, "dual_write");
        let open = format!(
            "SELECT coalesce(string_agg(concat_ws(' ', c.oid::regclass, p.privilege), ', '), 'none') FROM pg_class AS c, \
                unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p (privilege) \
             WHERE c.relnamespace = 'crossfade'::regnamespace AND c.relkind = 'r' AND has_table_privilege('{app}', c.oid, p.privilege)"
        );
        assert_eq!(database.value(&open).await, "none");
        let executable = format!(
            "SELECT coalesce(string_agg(p.proname, ', ' ORDER BY 1), 'none') FROM pg_proc AS p WHERE p.pronamespace = 'crossfade'::regnamespace \
                AND NOT p.prosecdef AND p.prorettype = 'trigger'::regtype AND has_function_privilege('{app}', p.oid, 'EXECUTE') \
                OR p.oid = 'crossfade.record(bigint,text,text,text)'::regprocedure AND has_function_privilege('{app}', p.oid, 'EXECUTE')"
        );
        assert_eq!(database.value(&executable).await, "none");
        for right in ["USAGE", "CREATE"] {
            let asked = format!("SELECT has_schema_privilege('{app}', 'crossfade', '{right}')");
            assert_eq!(database.value(&asked).await, "false", "{right}");
        }
        // What was granted on purpose stays, through every later `init`.
        database.execute(&MAY_LOOK.replace("{}", &reads)).await;
        database.crossfade(&["init"]).exits(0);
        let url = url_of(database, &reads);
        database
            .crossfade(&["--database-url", &url, "approve", "rename", "contract"])
            .exits(0);
        // The triggers write for the application all the same.
        let client = connect(&url_of(database, &app)).await;
        client
            .batch_execute(
                "UPDATE vehicles SET status = 'sold'; INSERT INTO vehicles VALUES (1000, 'new')",
            )
            .await
            .unwrap();
        let agree = "SELECT bool_and(status = vehicle_status) FROM vehicles";
        assert_eq!(database.value(agree).await, "true");
        // One that looks and shall not approve.
        database
            .execute(&format!(
                "REVOKE EXECUTE ON FUNCTION crossfade.approve FROM PUBLIC; GRANT USAGE ON SCHEMA crossfade TO {app}"
            ))
            .await;
        database.crossfade(&["init"]).exits(0);
        let approve = ["SELECT crossfade.approve(1, 'retire', 'x', NULL)".to_owned()];
        none_succeeds(&url_of(database, &app), &approve).await;
    });
}

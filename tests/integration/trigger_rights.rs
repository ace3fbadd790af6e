//! A trigger function of ours has its owner's rights: nobody else can make it compute with what is theirs, whatever they attach
//! it to, and no setting of the application's makes it stand aside. What older versions have installed is put right by `init`.

use crate::support::{Database, Ran, connect, on_empty_postgresql, on_postgresql, plan_file};
use tokio_postgres::{Client, error::SqlState};

const RENAME: &str = "version: 1\nname: r\nchange:\n  rename_column: {table: public.vehicles, from: status, to: st}\n";
const FOLD: &str = "version: 1\nname: fold\nchange:\n  fold_table:\n    table: public.children\n    into: public.parents\n    by: {id: parent_id}\n    \
    columns: {label: {}}\n    forward: {label: label}\n    backward: {label: label}\n";
const TABLES: &str = "CREATE TABLE vehicles (id bigint PRIMARY KEY, status text DEFAULT 'active', note text); \
    INSERT INTO vehicles SELECT i, 's' || i FROM generate_series(1, 100) AS i; \
    CREATE TABLE parents (id bigint PRIMARY KEY, note text); CREATE TABLE children (parent_id bigint UNIQUE, label text); \
    INSERT INTO parents SELECT i FROM generate_series(1, 20) AS i; INSERT INTO children SELECT i, 'l' || i FROM generate_series(1, 20) AS i;";

fn start(database: &Database, plan: &str) {
    let file = plan_file(plan);
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
}

fn advance(database: &Database, run: &str, phase: &str) {
    let arguments = ["advance", run, "--to", phase, "--yes"];
    database.crossfade(&arguments).exits(0);
}

/// Two runs in `dual_write`.
async fn two_runs(database: &Database) {
    database.execute(TABLES).await;
    for (run, plan) in [("r", RENAME), ("fold", FOLD)] {
        start(database, plan);
        advance(database, run, "dual_write");
    }
}

async fn functions(client: &Client) -> Vec<String> {
    let rows = client
        .query(
            "SELECT proname::text FROM pg_proc WHERE pronamespace = 'crossfade'::regnamespace AND prosecdef \
             AND proname ~ '^(sync|parent|child)_' ORDER BY 1",
            &[],
        )
        .await
        .expect("the functions");
    rows.iter().map(|row| row.get(0)).collect()
}

/// A role that may look and approve, as the documentation gives it, with a schema of its own; and its session.
async fn approver(database: &Database) -> (String, Client) {
    let role = format!("approver_{}", database.name);
    database
        .execute(&format!(
            "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA crossfade TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {role}; \
             CREATE SCHEMA lair AUTHORIZATION {role}"
        ))
        .await;
    let client = connect(&database.url.replace("postgres@", &format!("{role}@"))).await;
    // What is evaluated with another's rights forges an approval.
    client
        .batch_execute(
            "CREATE FUNCTION lair.forge(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN \
                 IF current_user <> session_user THEN \
                     INSERT INTO crossfade.approvals (run_id, phase, role, os_user) VALUES (1, 'contract', 'boss', 'boss') ON CONFLICT DO NOTHING; \
                     PERFORM crossfade.record(1, 'approved', 'boss', '{}'); EXECUTE 'ALTER ROLE ' || session_user || ' CREATEROLE'; \
                 END IF; RETURN true; END $$; \
             CREATE DOMAIN lair.trap AS text CHECK (lair.forge(VALUE)); \
             CREATE FUNCTION lair.forge_now(text) RETURNS text LANGUAGE sql AS 'SELECT CASE WHEN lair.forge($1) THEN $1 END'",
        )
        .await
        .expect("a trap");
    (role, client)
}

async fn nothing_was_forged(database: &Database, role: &str) {
    for sql in [
        "SELECT count(*) FROM crossfade.approvals".to_owned(),
        "SELECT count(*) FROM crossfade.events WHERE kind = 'approved'".to_owned(),
        format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}' AND rolcreaterole"),
    ] {
        assert_eq!(database.value(&sql).await, "0", "{sql}");
    }
}

async fn remove(database: &Database, role: &str) {
    database
        .execute(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"))
        .await;
}

/// Tables of one's own with a trap, and what fires a function there. `{f}` is the function.
const TRAPS: [(&str, &str); 7] = [
    (
        "CREATE TEMP TABLE vehicles (id bigint, status text, st lair.trap, note text, label lair.trap, parent_id bigint);
         CREATE TRIGGER t BEFORE INSERT OR UPDATE ON pg_temp.vehicles FOR EACH ROW EXECUTE FUNCTION {f}()",
        "INSERT INTO pg_temp.vehicles (id, status, label) VALUES (1, 'x', 'x')",
    ),
    (
        "CREATE TABLE lair.vehicles (id bigint, status text, st lair.trap, label lair.trap, parent_id bigint);
         CREATE TRIGGER zz_crossfade_r_i BEFORE INSERT ON lair.vehicles FOR EACH ROW EXECUTE FUNCTION {f}()",
        "INSERT INTO lair.vehicles (id, status, label) VALUES (1, 'x', 'x')",
    ),
    (
        "CREATE TABLE lair.parted (id bigint, status text, st lair.trap, label lair.trap, parent_id bigint) PARTITION BY LIST (id);
         CREATE TABLE lair.parents PARTITION OF lair.parted DEFAULT;
         CREATE TRIGGER t BEFORE INSERT ON lair.parted FOR EACH ROW EXECUTE FUNCTION {f}()",
        "INSERT INTO lair.parted (id, status, label) VALUES (1, 'x', 'x')",
    ),
    (
        "CREATE VIEW lair.children AS SELECT 1::bigint AS id, 1::bigint AS parent_id, 'x' AS status, 'x'::lair.trap AS st, 'x'::lair.trap AS label;
         CREATE TRIGGER t INSTEAD OF INSERT ON lair.children FOR EACH ROW EXECUTE FUNCTION {f}()",
        "INSERT INTO lair.children (id, parent_id, status, label) VALUES (1, 1, 'x', 'x')",
    ),
    (
        "CREATE TABLE lair.after (id bigint, status text, st lair.trap, label lair.trap, parent_id bigint);
         CREATE CONSTRAINT TRIGGER t AFTER INSERT ON lair.after DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {f}()",
        "INSERT INTO lair.after (id, status, label) VALUES (1, 'x', 'x')",
    ),
    (
        "CREATE TABLE lair.removed (id bigint, status text, st lair.trap, label lair.trap, parent_id bigint);
         INSERT INTO lair.removed VALUES (1, 'x', 'x', 'x', 1);
         CREATE TRIGGER t AFTER DELETE ON lair.removed FOR EACH ROW EXECUTE FUNCTION {f}()",
        "DELETE FROM lair.removed",
    ),
    (
        "CREATE TABLE lair.whole (id bigint, status text);
         CREATE TRIGGER t AFTER TRUNCATE ON lair.whole FOR EACH STATEMENT EXECUTE FUNCTION {f}()",
        "TRUNCATE lair.whole",
    ),
];

#[test]
fn nobody_can_attach_a_trigger_function_and_one_that_may_gains_no_rights() {
    on_empty_postgresql(async |database| {
        database.execute("CREATE SCHEMA crossfade").await;
        // What an administrator may have said of new functions.
        let early = format!("early_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {early}; ALTER DEFAULT PRIVILEGES IN SCHEMA crossfade GRANT EXECUTE ON FUNCTIONS TO {early} WITH GRANT OPTION; \
                 ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {early}"
            ))
            .await;
        database.crossfade(&["init"]).exits(0);
        two_runs(database).await;
        let (role, client) = approver(database).await;
        let names = functions(&client).await;
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!(
            database
                .value(
                    "SELECT count(*) FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a \
                     WHERE p.pronamespace = 'crossfade'::regnamespace AND p.proname ~ '^(sync|parent|child)_' AND a.grantee <> p.proowner"
                )
                .await,
            "0"
        );
        for name in &names {
            for (attach, fire) in TRAPS {
                let function = format!("crossfade.\"{name}\"");
                let attach = attach.replace("{f}", &function);
                client.batch_execute("BEGIN").await.expect("it begins");
                let refused = client
                    .batch_execute(&attach)
                    .await
                    .expect_err("not its function");
                assert_eq!(
                    refused.code(),
                    Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                    "{refused:?}"
                );
                client.batch_execute("ROLLBACK").await.expect("it ends");
                // And with the right to, by whatever mistake: the function computes with nothing of theirs.
                let grant = |word, to| format!("{word} EXECUTE ON FUNCTION {function} {to} {role}");
                database.execute(&grant("GRANT", "TO")).await;
                client.batch_execute("BEGIN").await.expect("it begins");
                client.batch_execute(&attach).await.expect("it may");
                let fired = client
                    .batch_execute(&format!("{fire}; SET CONSTRAINTS ALL IMMEDIATE"))
                    .await
                    .expect_err("it is for another table");
                assert_eq!(
                    fired.code(),
                    Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                    "{fire}: {fired:?}"
                );
                let said = fired.as_db_error().expect("of the server").message();
                assert!(
                    said.contains(name.as_str()) && said.contains("only"),
                    "{said}"
                );
                client.batch_execute("ROLLBACK").await.expect("it ends");
                database.execute(&grant("REVOKE", "FROM")).await;
            }
        }
        nothing_was_forged(database, &role).await;
        drop(client);
        remove(database, &role).await;
        database
            .execute(&format!("DROP OWNED BY {early}; DROP ROLE {early}"))
            .await;
    });
}

#[test]
fn the_upgrade_closes_what_an_older_version_has_installed() {
    on_postgresql(async |database| {
        two_runs(database).await;
        let (role, client) = approver(database).await;
        let upgrade = format!(
            "SET search_path = pg_catalog, pg_temp; {}",
            include_str!("../../migrations/V0016__triggers.sql")
        );
        // As version 14 left it: no guard, no check of who fills, open to everybody.
        database
            .execute(
                r"DO $$ DECLARE one record; source text; BEGIN
                    FOR one IN SELECT p.oid, p.prosrc FROM pg_proc AS p WHERE p.pronamespace = 'crossfade'::regnamespace AND p.proname ~ '^(sync|parent|child)_' LOOP
                        source := regexp_replace(one.prosrc, E'  IF \\(tg_table_name <> .*? only'';\n  END IF;\n', '');
                        source := regexp_replace(source, ' AND crossfade\.fills\([^)]*\)', '', 'g');
                        source := replace(source, 'coalesce(current_setting(''crossfade.filling'', true), '''')', 'current_setting(''crossfade.filling'', true)');
                        ASSERT source !~ 'made_for|fills';
                        EXECUTE replace(pg_get_functiondef(one.oid), one.prosrc, source);
                        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', one.oid::regprocedure);
                        EXECUTE format('COMMENT ON FUNCTION %s IS NULL', one.oid::regprocedure);
                    END LOOP; END $$;
                  DROP FUNCTION crossfade.keep_function, crossfade.is_made_for, crossfade.made_for, crossfade.fills,
                      crossfade.names_new_side, crossfade.gives_values, crossfade.without_literals, crossfade.folded;
                  DELETE FROM crossfade.write_sightings WHERE side = 'untold';
                  ALTER TABLE crossfade.write_sightings DROP CONSTRAINT write_sightings_side_check,
                      ADD CONSTRAINT write_sightings_side_check CHECK (side IN ('old', 'new'));
                  UPDATE crossfade.runs SET sync_stood = NULL",
            )
            .await;
        let names = functions(&client).await;
        for (name, schema) in names.iter().zip(["one", "two", "three"]) {
            let (attach, _) = TRAPS[1];
            let attach = attach.replace("{f}", &format!("crossfade.\"{name}\""));
            let attach = attach.replace("lair.vehicles", &format!("lair.{schema}"));
            client.batch_execute(&attach).await.expect("it may, then");
        }
        database.execute(&upgrade).await;
        for table in ["one", "two", "three"] {
            let fired = client
                .batch_execute(&format!("INSERT INTO lair.{table} (id, status, label, parent_id) VALUES (1, 'x', 'x', 1)"))
                .await
                .expect_err("it was attached before, and is for another table");
            assert_eq!(
                fired.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                "{fired:?}"
            );
        }
        for name in &names {
            let attach = format!(
                "CREATE TEMP TABLE t (id bigint); CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION crossfade.\"{name}\"()"
            );
            let refused = client
                .batch_execute(&attach)
                .await
                .expect_err("not its function");
            assert_eq!(
                refused.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                "{refused:?}"
            );
        }
        nothing_was_forged(database, &role).await;
        // The application goes on, and so does the run, with its table under another name meanwhile.
        database
            .execute(
                "SET crossfade.filling = 'on'; UPDATE vehicles SET status = 'a' WHERE id = 1;
                 ALTER TABLE vehicles RENAME TO cars; UPDATE cars SET st = 'b' WHERE id = 2; ALTER TABLE cars RENAME TO vehicles;
                 UPDATE children SET label = 'c' WHERE parent_id = 1; UPDATE parents SET label = 'd' WHERE id = 2",
            )
            .await;
        for (sql, expected) in [
            ("SELECT st FROM vehicles WHERE id = 1", "a"),
            ("SELECT status FROM vehicles WHERE id = 2", "b"),
            ("SELECT label FROM parents WHERE id = 1", "c"),
            ("SELECT label FROM children WHERE parent_id = 2", "d"),
        ] {
            assert_eq!(database.value(sql).await, expected, "{sql}");
        }
        drop(client);
        remove(database, &role).await;
        for run in ["r", "fold"] {
            advance(database, run, "contract");
        }
    });
}

#[test]
fn the_table_keeps_its_triggers_under_another_name_and_its_owner_adds_partitions() {
    on_postgresql(async |database| {
        let owner = format!("owner_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {owner} LOGIN; GRANT CREATE ON SCHEMA public TO {owner}; SET ROLE {owner};
                 CREATE TABLE vehicles (id bigint NOT NULL, status text DEFAULT 'active', note text) PARTITION BY RANGE (id);
                 CREATE TABLE low PARTITION OF vehicles FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
                 CREATE TABLE lowest PARTITION OF low FOR VALUES FROM (0) TO (50);
                 INSERT INTO vehicles SELECT i, 's' || i FROM generate_series(1, 20) AS i"
            ))
            .await;
        start(database, RENAME);
        advance(database, "r", "dual_write");
        let client = connect(&database.url.replace("postgres@", &format!("{owner}@"))).await;
        let both = async |sql: &str, expected: &str| {
            client
                .batch_execute(sql)
                .await
                .unwrap_or_else(|error| panic!("{error:?}: {sql}"));
            let found = "SELECT DISTINCT ROW(status, st)::text FROM vehicles WHERE note = 'now'";
            assert_eq!(database.value(found).await, expected, "{sql}");
            database
                .execute("UPDATE vehicles SET note = NULL WHERE note = 'now'")
                .await;
        };
        both(
            "INSERT INTO vehicles (id, status, note) VALUES (30, 'a', 'now')",
            "(a,a)",
        )
        .await;
        both("CREATE TABLE later PARTITION OF low FOR VALUES FROM (50) TO (100); INSERT INTO later (id, st, note) VALUES (60, NULL, 'now')", "(,)").await;
        both(
            "INSERT INTO vehicles (id, note) VALUES (61, 'now')",
            "(active,active)",
        )
        .await;
        both(
            "CREATE TABLE high (LIKE vehicles INCLUDING DEFAULTS); ALTER TABLE vehicles ATTACH PARTITION high FOR VALUES FROM (100) TO (200);
             INSERT INTO vehicles (id, st, note) VALUES (150, 'b', 'now')",
            "(b,b)",
        )
        .await;
        // By hand, with a view under the old name, as one does.
        client
            .batch_execute(
                "ALTER TABLE vehicles RENAME TO cars; CREATE VIEW vehicles AS SELECT * FROM cars",
            )
            .await
            .expect("renamed");
        both(
            "INSERT INTO vehicles (id, st, note) VALUES (31, 'c', 'now')",
            "(c,c)",
        )
        .await;
        client
            .batch_execute("DROP VIEW vehicles; ALTER TABLE cars RENAME TO vehicles")
            .await
            .expect("renamed");
        advance(database, "r", "verify");
        assert_eq!(database.status("r")["verification"]["rows_different"], 0);
        drop(client);
        advance(database, "r", "contract");
        database
            .execute(&format!(
                "DROP TABLE vehicles; DROP OWNED BY {owner}; DROP ROLE {owner}"
            ))
            .await;
    });
}

#[test]
fn no_setting_of_the_applications_makes_the_triggers_stand_aside() {
    on_postgresql(async |database| {
        two_runs(database).await;
        let client = database.client().await;
        let marks = "SELECT substr(proname, 8) FROM pg_proc WHERE proname LIKE 'parent\\_fold\\_%'";
        let mark = database.value(marks).await;
        // An application's own trigger: what it writes is nested, as what ours write is.
        database
            .execute(
                "CREATE TABLE orders (id bigint, label text); CREATE FUNCTION pass_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     UPDATE children SET label = new.label WHERE parent_id = new.id; UPDATE vehicles SET st = new.label WHERE id = new.id; RETURN new; END $$; \
                 CREATE TRIGGER pass_on BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION pass_on()",
            )
            .await;
        // Numbers of guards have been drawn in this session, and are worth nothing any more.
        client
            .batch_execute("UPDATE children SET label = 'first' WHERE parent_id = 1")
            .await
            .expect("written");
        let last = "SELECT last_value FROM crossfade.\"guard_fold_";
        let sequence = format!("{last}{}\"", mark.trim_start_matches("fold_"));
        let last: i64 = database.value(&sequence).await.parse().expect("a number");
        let mut settings = vec![
            "SET crossfade.filling = 'on'".to_owned(),
            "SET session_replication_role = origin".to_owned(),
        ];
        for to in ["parent", "child"] {
            settings.push(format!("SET crossfade.link = '{mark} to {to}'"));
            for number in [last - 1, last, last + 1] {
                settings.push(format!("SET crossfade.link = '{mark} to {to} {number}'"));
            }
        }
        for (number, setting) in settings.iter().enumerate() {
            client
                .batch_execute(setting)
                .await
                .expect("anybody may set it");
            for sql in [
                "UPDATE vehicles SET st = '{v}' WHERE id = 3; UPDATE vehicles SET status = '{v}' WHERE id = 4; INSERT INTO vehicles (id, st) VALUES (1000 + {n}, '{v}')",
                "UPDATE children SET label = '{v}' WHERE parent_id = 3; UPDATE parents SET label = '{v}' WHERE id = 4",
                "INSERT INTO orders VALUES (5, '{v}')",
            ] {
                let sql = sql
                    .replace("{v}", &format!("v{number}"))
                    .replace("{n}", &number.to_string());
                if let Err(error) = client.batch_execute(&sql).await {
                    panic!("{error:?}: {setting}: {sql}");
                }
            }
            for apart in [
                "SELECT count(*) FROM vehicles WHERE (id IN (3, 4, 5) OR id > 1000) AND status IS DISTINCT FROM st",
                "SELECT count(*) FROM parents AS p JOIN children AS c ON c.parent_id = p.id WHERE p.id IN (1, 3, 4, 5) AND p.label IS DISTINCT FROM c.label",
            ] {
                assert_eq!(database.value(apart).await, "0", "{setting}: {apart}");
            }
            client.batch_execute("RESET ALL").await.expect("reset");
        }
        for run in ["r", "fold"] {
            advance(database, run, "contract");
        }
    });
}

/// A role that cannot keep triggers out of its batches, so that ours stand aside: for its own rows, and nobody else's.
#[test]
fn the_triggers_stand_aside_for_a_worker_of_the_run() {
    on_empty_postgresql(async |database| {
        let role = format!("owner_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role}; GRANT CREATE ON SCHEMA public TO {role}; SET ROLE {role};
                 CREATE FUNCTION public.amount(text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$SELECT coalesce(pg_catalog.substring($1, '[0-9.]+'), '1')::numeric / CASE $1 WHEN 'free' THEN 0 ELSE 1 END$$;
                 CREATE TABLE orders (id bigint PRIMARY KEY, price text NOT NULL);
                 INSERT INTO orders SELECT i, '00' || i || '.5 EUR' FROM generate_series(1, 3000) AS i; INSERT INTO orders VALUES (9001, 'free')",
                database.name
            ))
            .await;
        let url = database.url.replace("postgres@", &format!("{role}@"));
        let run = |arguments: &[&str]| -> Ran {
            database.crossfade_with(&[("CROSSFADE_DATABASE_URL", &url)], arguments)
        };
        run(&["init"]).exits(0);
        let file = plan_file(
            "version: 1\nname: price\nchange:\n  change_column_type:\n    table: public.orders\n    column: price\n    to: amount\n    type: numeric\n    \
             forward: public.amount(price)\n    backward: round(amount, 2)::text || ' EUR'\n",
        );
        run(&["start", file.path().to_str().expect("a path")]).exits(0);
        run(&["advance", "price", "--to", "backfill"]).exits(0);
        // A retry of what was in quarantine, too, writes nothing back.
        database
            .execute("CREATE OR REPLACE FUNCTION public.amount(text) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 0.0'")
            .await;
        run(&["quarantine", "retry", "price"]).exits(0);
        for (sql, expected) in [
            (
                "SELECT count(*) FROM orders WHERE id <= 3000 AND (price <> '00' || id || '.5 EUR' OR amount <> id + 0.5)",
                "0",
            ),
            (
                "SELECT ROW(price, amount) FROM orders WHERE id = 9001",
                "(free,0.0)",
            ),
            ("SELECT count(*) FROM crossfade.workers", "0"),
        ] {
            assert_eq!(database.value(sql).await, expected, "{sql}");
        }
        database
            .execute(&format!(
                "DROP SCHEMA crossfade CASCADE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}"
            ))
            .await;
    });
}

/// What the owner of a table can have run with the driver's rights is said before a run begins.
#[test]
fn a_driver_with_other_rights_than_the_tables_owner_is_warned() {
    on_postgresql(async |database| {
        let owner = format!("owner_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {owner} LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO {owner}; GRANT CREATE ON DATABASE {} TO {owner}; SET ROLE {owner};
                 CREATE TABLE orders (id bigint PRIMARY KEY, price text NOT NULL);
                 CREATE TABLE notes (id bigint PRIMARY KEY, note text)",
                database.name
            ))
            .await;
        let warning = format!("{owner}, who owns the table, can use them");
        let url = database.url.replace("postgres@", &format!("{owner}@"));
        for (change, lends) in [
            (
                "change_column_type: {table: public.orders, column: price, type: integer, to: amount, forward: 'price::integer', backward: 'amount::text'}",
                true,
            ),
            (
                "move_columns: {table: public.orders, to: public.notes, by: {id: id}, columns: {price: {}}}",
                true,
            ),
            (
                "rename_column: {table: public.orders, from: price, to: amount}",
                false,
            ),
        ] {
            let file = plan_file(&format!("version: 1\nname: r\nchange:\n  {change}\n"));
            let check = ["check", file.path().to_str().expect("a path")];
            let ran = database.crossfade(&check);
            let said = ran.stdout + &ran.stderr;
            assert_eq!(said.contains(&warning), lends, "{change}: {said}");
            let as_owner = [("CROSSFADE_DATABASE_URL", url.as_str())];
            let ran = database.crossfade_with(&as_owner, &check);
            let said = ran.stdout + &ran.stderr;
            assert!(!said.contains(&warning), "{change}: {said}");
        }
        database
            .execute(&format!(
                "DROP TABLE orders, notes; DROP OWNED BY {owner}; DROP ROLE {owner}"
            ))
            .await;
    });
}

//! What `check` must know of rows that are read as a whole, that cannot be updated, and of values that depend on the moment.

use crate::support::{Database, connect, on_empty_postgresql, on_postgresql, plan_file};

/// What `check` says of a plan with this change.
fn said(database: &Database, change: &str) -> (Option<i32>, String) {
    let file = plan_file(&format!("version: 1\nname: plan\n{change}\n"));
    let check = database.crossfade(&["check", file.path().to_str().unwrap()]);
    (check.code, format!("{}{}", check.stdout, check.stderr))
}

#[track_caller]
fn refused(database: &Database, change: &str, why: &[&str]) {
    let (code, said) = said(database, change);
    assert_eq!(code, Some(1), "{change}: {said}");
    assert!(why.iter().all(|why| said.contains(why)), "{change}: {said}");
}

#[track_caller]
fn warned(database: &Database, change: &str, of: &[&str]) {
    let (code, said) = said(database, change);
    assert_eq!(code, Some(0), "{change}: {said}");
    assert!(of.iter().all(|of| said.contains(of)), "{change}: {said}");
}

#[track_caller]
fn silent(database: &Database, change: &str, of: &str) {
    let (code, said) = said(database, change);
    assert!(code == Some(0) && !said.contains(of), "{change}: {said}");
}

const RENAME: &str = "change: {rename_column: {table: public.rows, from: status, to: state}}";

/// Every place in which the server keeps an expression over a whole row, of a partition too.
#[test]
fn functions_that_are_given_a_whole_row_and_read_the_column_of_it() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE rows (id int PRIMARY KEY, status text, b int) PARTITION BY RANGE (id); \
                 CREATE TABLE part PARTITION OF rows FOR VALUES FROM (0) TO (100); \
                 CREATE FUNCTION fit(r rows) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT r.status IS NOT NULL'; \
                 CREATE FUNCTION fit(r part) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN r.\"status\" IS NOT NULL; END'; \
                 CREATE FUNCTION any_fit(record) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1.status IS NOT NULL; END'; \
                 CREATE FUNCTION other(r rows) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT r.b > 0'; \
                 CREATE FUNCTION lower_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := lower(NEW.status); RETURN NEW; END'; \
                 CREATE FUNCTION by_table() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF TG_TABLE_NAME = ''x'' THEN NEW.status := 1; END IF; RETURN NEW; END'; \
                 CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
                 CREATE TRIGGER changes BEFORE UPDATE ON rows FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION nothing(); \
                 CREATE TRIGGER fits AFTER UPDATE ON rows FOR EACH ROW WHEN (fit(NEW.*)) EXECUTE FUNCTION nothing(); \
                 CREATE TRIGGER quoted AFTER UPDATE ON rows FOR EACH ROW WHEN (to_jsonb(NEW.*) ->> 'status' = 'x') EXECUTE FUNCTION nothing(); \
                 CREATE TRIGGER lowers BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION lower_it(); \
                 CREATE TRIGGER asks BEFORE INSERT ON rows FOR EACH ROW EXECUTE FUNCTION by_table(); \
                 CREATE POLICY seen ON rows USING (any_fit(rows.*)); \
                 CREATE POLICY written ON rows FOR INSERT WITH CHECK (fit(rows.*)); \
                 CREATE POLICY of_b ON rows USING (other(rows.*)); \
                 ALTER TABLE part ADD CONSTRAINT own_check CHECK (fit(part.*)); \
                 CREATE INDEX own_index ON part (id) WHERE fit(part.*); \
                 CREATE VIEW fitting AS SELECT id FROM rows WHERE fit(rows.*)",
            )
            .await;
        let sure = [
            "trigger fits on table public.rows calls function public.fit(public.rows), which reads status",
            "trigger lowers on table public.part calls function public.lower_it(), which reads status",
            "policy seen on table public.rows calls function public.any_fit(record), which reads status",
            "policy written on table public.rows calls function public.fit(public.rows), which reads status",
            "constraint own_check on table public.part calls function public.fit(public.part), which reads status",
            "index public.own_index calls function public.fit(public.part), which reads status",
            "on view public.fitting calls function public.fit(public.rows), which reads status",
        ];
        warned(database, RENAME, &sure);
        let unsure = [
            "trigger quoted on table public.rows reads the whole row, and has the name status in a text",
            "trigger asks on table public.rows calls function public.by_table(), which may read status",
        ];
        warned(database, RENAME, &unsure);
        for other in ["trigger changes", "policy of_b", "nothing()"] {
            silent(database, RENAME, other);
        }
        // Its name stays: another column has it.
        let kept = "change: {change_column_type: {table: public.rows, column: status, type: varchar, keep_name: true}}";
        silent(database, kept, "of the row");
    });
}

/// A function of a view over two tables that gets the other one's rows is no reader of this one's.
#[test]
fn functions_over_rows_of_another_table_hold_nothing_up() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE rows (id int PRIMARY KEY, status text, b int); INSERT INTO rows VALUES (1, 'a', 1); CREATE TABLE others (id int, status text); \
                 CREATE FUNCTION fit(r others) RETURNS boolean LANGUAGE sql AS 'SELECT r.status IS NOT NULL'; \
                 CREATE FUNCTION any_fit(record) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1.status IS NOT NULL; END'; \
                 CREATE VIEW both_of_them AS SELECT r.id, fit(o.*) FROM rows AS r JOIN others AS o ON o.id = r.id; \
                 CREATE VIEW with_any AS SELECT r.id, any_fit(o.*) FROM rows AS r JOIN others AS o ON o.id = r.id",
            )
            .await;
        silent(database, RENAME, "public.fit(");
        // Whose rows these are nobody can tell: that is said, and no gate waits.
        let unsure =
            "on view public.with_any calls function public.any_fit(record), which may read status";
        warned(database, RENAME, &[unsure]);
        let file = plan_file(&format!("version: 1\nname: plan\n{RENAME}\n"));
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "plan", "--to", "contract", "--yes"])
            .exits(0);
    });
}

#[test]
fn the_gate_of_retire_waits_for_such_functions_and_the_advice_opens_it() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE rows (id int PRIMARY KEY, status text); INSERT INTO rows VALUES (1, 'a'); \
                 CREATE FUNCTION lower_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := lower(NEW.status); RETURN NEW; END'; \
                 CREATE TRIGGER lowers BEFORE INSERT OR UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION lower_it()",
            )
            .await;
        let file = plan_file(&format!("version: 1\nname: plan\n{RENAME}\n"));
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        let all = ["advance", "plan", "--to", "contract", "--yes"];
        let waits = database.crossfade(&all).exits(3);
        let why = "trigger lowers on table public.rows calls function public.lower_it(), which reads status of the row";
        assert!((waits.stdout + &waits.stderr).contains(why));
        database
            .execute("CREATE OR REPLACE FUNCTION lower_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.state := lower(NEW.state); RETURN NEW; END'")
            .await;
        database.crossfade(&all).exits(0);
        database.execute("INSERT INTO rows VALUES (2, 'B')").await;
        let state = database.value("SELECT state FROM rows WHERE id = 2").await;
        assert_eq!(state, "b");
    });
}

#[test]
fn a_rename_by_view_and_a_generated_column_say_what_can_be_done() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE rows (id int PRIMARY KEY, status text, made text GENERATED ALWAYS AS (status || 'x') STORED); \
                 INSERT INTO rows VALUES (1, 'A'); \
                 CREATE FUNCTION lower_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.status := lower(NEW.status); RETURN NEW; END'; \
                 CREATE TRIGGER lowers BEFORE UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION lower_it()",
            )
            .await;
        let generated = [
            "column made of table public.rows still names public.rows.status",
            "to rename only, `strategy: alias`",
        ];
        warned(database, RENAME, &generated);
        let by_view = RENAME.replace("to: state", "to: state, strategy: alias");
        let of_function = [
            "function public.lower_it(), which reads status of the row: what comes to it fails once the table's column is called state, in `contract`",
            "IF to_jsonb(NEW) ? 'state' THEN",
        ];
        warned(database, &by_view, &of_function);
        silent(database, &by_view, "still names");
        database
            .execute(
                "CREATE OR REPLACE FUNCTION lower_it() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN IF to_jsonb(NEW) ? ''state'' THEN NEW.state := lower(NEW.state); ELSE NEW.status := lower(NEW.status); END IF; RETURN NEW; END'",
            )
            .await;
        let file = plan_file(&format!("version: 1\nname: plan\n{by_view}\n"));
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "plan", "--to", "contract", "--yes"])
            .exits(0);
        database.execute("UPDATE rows SET id = 2").await;
        let rows = database.value("SELECT made FROM rows").await;
        assert_eq!(rows, "ax");
    });
}

#[test]
fn a_check_that_is_not_valid_is_said_where_rows_are_filled() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE rows (id int PRIMARY KEY, status text, b int) PARTITION BY RANGE (id); \
                 CREATE TABLE part PARTITION OF rows FOR VALUES FROM (0) TO (100); INSERT INTO rows VALUES (1, 'a', -1); \
                 ALTER TABLE part ADD CONSTRAINT positive CHECK (b > 0) NOT VALID; \
                 ALTER TABLE rows ADD CONSTRAINT small CHECK (b < 9) NOT VALID",
            )
            .await;
        let what = [
            "the CHECK positive of public.part is NOT VALID",
            "SELECT * FROM public.part WHERE NOT ((b > 0))",
            "the CHECK small of public.rows is NOT VALID",
        ];
        warned(database, RENAME, &what);
        silent(database, RENAME, "small of public.part");
        let version = database
            .value("SELECT current_setting('server_version_num')::int >= 180000")
            .await;
        if version == "true" {
            database
                .execute(
                    "ALTER TABLE rows ADD CONSTRAINT of_no_weight CHECK (b > 100) NOT ENFORCED",
                )
                .await;
            silent(database, RENAME, "of_no_weight");
        }
        // No row is written.
        silent(
            database,
            "change: {add_column: {table: public.rows, column: note, type: text}}",
            "NOT VALID",
        );
    });
}

#[test]
fn triggers_of_partitions_that_a_backfill_fires_are_named() {
    on_empty_postgresql(async |database| {
        let role = format!("driver_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; \
                 CREATE TABLE rows (id int PRIMARY KEY, status text) PARTITION BY RANGE (id); \
                 CREATE TABLE part PARTITION OF rows FOR VALUES FROM (0) TO (100); \
                 CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
                 CREATE TRIGGER above AFTER UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION nothing(); \
                 CREATE TRIGGER own BEFORE UPDATE ON part FOR EACH ROW EXECUTE FUNCTION nothing(); \
                 GRANT ALL ON SCHEMA public TO {role}; ALTER TABLE rows OWNER TO {role}; ALTER TABLE part OWNER TO {role}"
            ))
            .await;
        let url = database
            .url
            .replace("user=postgres", &format!("user={role}"))
            .replace("postgres@", &format!("{role}@"));
        connect(&url).await;
        let file = plan_file(&format!("version: 1\nname: plan\n{RENAME}\n"));
        let path = file.path().to_str().unwrap();
        let check = database.crossfade(&["--database-url", &url, "check", path]);
        let said = check.stdout + &check.stderr;
        assert!(
            said.contains("fires the application's triggers on public.rows, once for each row: above, own of public.part"),
            "{said}"
        );
        for effect in [
            "a BEFORE trigger changes every row as it does for the application",
            "an AFTER trigger writes for every row",
            "a row for which one fails goes to quarantine",
        ] {
            assert!(said.contains(effect), "{said}");
        }
        database
            .execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
            .await;
    });
}

/// As the ones that are kept out are not, and those that a batch cannot fire.
#[test]
fn only_triggers_that_a_batch_fires_are_named_and_they_do_what_is_said() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE rows (id int PRIMARY KEY, status text, n int DEFAULT 0); INSERT INTO rows SELECT i, 's' || i FROM generate_series(1, 20) AS i; \
                 CREATE TABLE audit (id int, by_what text); \
                 CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := NEW.n + 1; RETURN NEW; END'; \
                 CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS \
                    'BEGIN INSERT INTO public.audit VALUES (CASE TG_LEVEL WHEN ''ROW'' THEN NEW.id END, TG_NAME); RETURN NULL; END'; \
                 CREATE TRIGGER kept_away AFTER UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION notes(); \
                 CREATE TRIGGER always BEFORE UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION counts(); \
                 CREATE TRIGGER replica AFTER UPDATE ON rows FOR EACH STATEMENT EXECUTE FUNCTION notes(); \
                 CREATE TRIGGER of_n AFTER UPDATE OF n ON rows FOR EACH ROW EXECUTE FUNCTION notes(); \
                 CREATE TRIGGER off AFTER UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION notes(); \
                 CREATE TRIGGER inserts AFTER INSERT ON rows FOR EACH ROW EXECUTE FUNCTION notes(); \
                 ALTER TABLE rows ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica, ENABLE ALWAYS TRIGGER of_n, DISABLE TRIGGER off",
            )
            .await;
        // A superuser keeps the ordinary ones out.
        let fired = [
            "which session_replication_role does not keep out, once for each row: always; once for each batch: replica",
            "ALTER TABLE public.rows ENABLE TRIGGER always; ALTER TABLE public.rows ENABLE TRIGGER replica;",
        ];
        warned(database, RENAME, &fired);
        for other in ["kept_away", "of_n", "inserts"] {
            silent(database, RENAME, other);
        }
        let file = plan_file(&format!("version: 1\nname: run\n{RENAME}\n"));
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "run", "--to", "verify"])
            .exits(0);
        let changed = "SELECT count(*) FROM rows WHERE n = 1 AND state = status";
        assert_eq!(database.value(changed).await, "20");
        let noted = "SELECT string_agg(DISTINCT by_what, ',') FROM audit";
        assert_eq!(database.value(noted).await, "replica");
        // What is advised.
        database
            .execute("ALTER TABLE public.rows ENABLE TRIGGER always; ALTER TABLE public.rows ENABLE TRIGGER replica")
            .await;
        database.crossfade(&["rollback", "run", "--yes"]).exits(0);
        silent(database, RENAME, "fires the application's triggers");
    });
}

#[test]
fn an_expression_that_depends_on_the_moment_or_the_session_by_a_text() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TYPE span AS (at timestamptz); CREATE TYPE days AS RANGE (subtype = date); CREATE TABLE rows (id int PRIMARY KEY, a text, m money, d date)")
            .await;
        let new = |type_name: &str, forward: &str| {
            format!(
                "change: {{add_column: {{table: public.rows, column: new, type: \"{type_name}\", forward: \"{forward}\"}}}}"
            )
        };
        let more = "depends on more than its row";
        for (type_name, forward) in [
            (
                "timestamptz",
                "coalesce(a::timestamptz, 'now'::timestamptz)",
            ),
            ("timestamptz", "coalesce(a::timestamptz, 'Now')"),
            ("date", "coalesce(d, date ' tomorrow ')"),
            ("timestamptz", "coalesce(a::timestamptz, 'today 10:00')"),
            ("boolean", "d <@ '[yesterday,)'::daterange"),
            ("boolean", "d = ANY ('{today}'::date[])"),
            ("timestamptz", "('no' || 'w')::timestamptz"),
            ("text", "(('{' || a || '}')::regclass[])::text"),
            ("timestamptz", r"coalesce(a::timestamptz, E'\\x6eow')"),
            (
                "timestamptz",
                "coalesce(a::timestamptz, timestamptz_in('now', 0, -1))",
            ),
            ("text", "('(now)'::span)::text"),
            ("boolean", "d <@ ANY (ARRAY['[today,)']::days[])"),
        ] {
            refused(database, &new(type_name, forward), &[more]);
        }
        for (type_name, forward) in [
            ("timestamptz", "a::timestamptz"),
            (
                "timestamptz",
                "CASE WHEN a = 'now' THEN timestamptz '2020-01-01' ELSE 'infinity' END",
            ),
            ("text", "CASE a WHEN 'x' THEN 'today' END"),
            ("text", "nullif(a, 'nowhere') || d"),
        ] {
            silent(database, &new(type_name, forward), more);
        }
        for (number, (forward, setting)) in [
            ("m::text", "lc_monetary"),
            ("concat(m)", "lc_monetary"),
            ("ARRAY[m]::text", "lc_monetary"),
            ("xmlelement(name x, a)::text", "xmlbinary"),
            ("(a @@ 'x')::text", "default_text_search_config"),
        ]
        .into_iter()
        .enumerate()
        {
            let change =
                new("text", forward).replace("column: new", &format!("column: new{number}"));
            let file = plan_file(&format!("version: 1\nname: plan{number}\n{change}\n"));
            database
                .crossfade(&["start", file.path().to_str().unwrap()])
                .exits(0);
            let pinned = format!(
                "SELECT count(*) FROM crossfade.runs WHERE name = 'plan{number}' AND plan -> 'session' @> '[[\"{setting}\"]]'"
            );
            assert_eq!(database.value(&pinned).await, "1", "{forward}");
        }
    });
}

#[test]
fn a_default_that_gives_less_than_the_wider_column_holds() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE SEQUENCE s; CREATE FUNCTION next_id() RETURNS int LANGUAGE sql AS 'SELECT nextval(''s'')::int'; \
                 CREATE FUNCTION next_big() RETURNS bigint LANGUAGE sql AS 'SELECT nextval(''s'')'; \
                 CREATE FUNCTION fit(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0'; \
                 CREATE DOMAIN number AS int; \
                 CREATE TABLE cast_one (id int PRIMARY KEY DEFAULT nextval('s')::int); \
                 CREATE TABLE sum (id int PRIMARY KEY DEFAULT nextval('s')::integer + 0); \
                 CREATE TABLE back (id int PRIMARY KEY DEFAULT nextval('s')::int::bigint); \
                 CREATE TABLE called (id int PRIMARY KEY DEFAULT next_id()); \
                 CREATE TABLE plain (id int PRIMARY KEY DEFAULT nextval('s')); \
                 CREATE TABLE big (id int PRIMARY KEY DEFAULT next_big()); \
                 CREATE TABLE constant (id int PRIMARY KEY DEFAULT 7); \
                 CREATE TABLE narrow (id smallint PRIMARY KEY DEFAULT nextval('s')::int); \
                 CREATE TABLE checked (id int PRIMARY KEY CHECK (fit(id))); \
                 CREATE TABLE referred (id int PRIMARY KEY); CREATE TABLE referring (id int REFERENCES referred)  ; \
                 ALTER TABLE referring ADD of_domain number REFERENCES referred",
            )
            .await;
        let widen = |table: &str, type_name: &str| {
            format!(
                "change: {{widen_key: {{table: public.{table}, column: id, type: {type_name}}}}}"
            )
        };
        for table in ["cast_one", "sum", "back"] {
            let why = [
                "gives integer, and the column becomes bigint",
                "SET DEFAULT nextval('public.s')",
            ];
            refused(database, &widen(table, "bigint"), &why);
        }
        refused(
            database,
            &widen("called", "bigint"),
            &["the default of public.called.id gives integer"],
        );
        refused(
            database,
            &widen("checked", "bigint"),
            &["does not fit the new column", "fit(bigint) does not exist"],
        );
        for table in ["plain", "big", "constant"] {
            silent(database, &widen(table, "bigint"), "gives integer");
        }
        silent(database, &widen("narrow", "integer"), "gives integer");
        let stays = "public.referring.of_domain refers to public.referred and stays public.number";
        warned(database, &widen("referred", "bigint"), &[stays]);
        // What is advised.
        database
            .execute(
                "ALTER TABLE cast_one ALTER COLUMN id SET DEFAULT nextval('public.s'); \
                 ALTER TABLE called ALTER COLUMN id SET DEFAULT next_big(); ALTER TABLE referring ALTER of_domain TYPE int",
            )
            .await;
        for table in ["cast_one", "called", "referred"] {
            silent(database, &widen(table, "bigint"), "warning: public.");
        }
    });
}

#[test]
fn a_column_that_no_trigger_fills_is_not_filled_beside_those_that_triggers_fill() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE rows (id int PRIMARY KEY, status text)")
            .await;
        let plan = "phases:\n  - phase: expand\n    steps:\n      - add_column: {table: public.rows, column: state, type: text}\n      \
            - add_column: {table: public.rows, column: token, type: uuid, default: gen_random_uuid(), default_for: new_rows}\n  \
            - phase: dual_write\n    steps:\n      - sync_columns: {table: public.rows, forward: {state: status}, backward: {status: state}}\n  \
            - phase: backfill\n    steps:\n      - fill: {table: public.rows, set: {state: status, token: gen_random_uuid()}}\n  \
            - phase: verify\n    steps:\n      - match: {table: public.rows, columns: {state: status}}";
        refused(
            database,
            plan,
            &["token is filled together with columns that triggers fill, but no trigger fills it"],
        );
        let apart = plan.replace(", token: gen_random_uuid()", "");
        assert_eq!(
            said(database, &apart).0,
            Some(0),
            "{}",
            said(database, &apart).1
        );
    });
}

#[test]
fn of_a_key_that_is_unique_in_a_part_of_the_rows_only_that_is_what_is_said() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE parent (id int NOT NULL, live boolean); CREATE UNIQUE INDEX part ON parent (id) WHERE live; \
                 CREATE TABLE child (parent_id int PRIMARY KEY, x text)",
            )
            .await;
        let change = "change: {move_columns: {table: public.child, to: public.parent, by: {id: parent_id}, columns: {x: {}}}}";
        refused(
            database,
            change,
            &["id is not unique in public.parent", "add_unique"],
        );
        let (_, before) = said(database, change);
        assert!(!before.contains("one type"), "{before}");
        database
            .execute("ALTER TABLE parent ADD CONSTRAINT whole UNIQUE (id)")
            .await;
        silent(database, change, "not unique");
    });
}

/// Every unique index that does not keep all rows apart at any time, by name and why; and one that does.
#[test]
fn a_unique_index_that_does_not_count_is_named_with_the_reason() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE parent (id text NOT NULL, live boolean, other text); INSERT INTO parent VALUES ('a', true, 'x'), ('a', false, 'y'); \
                 CREATE TABLE child (parent_id text PRIMARY KEY, x text)",
            )
            .await;
        let invalid = "CREATE UNIQUE INDEX CONCURRENTLY near ON parent (id)";
        assert!(
            database
                .client()
                .await
                .batch_execute(invalid)
                .await
                .is_err()
        );
        let moved = "change: {move_columns: {table: public.child, to: public.parent, by: {id: parent_id}, columns: {x: {}}}}";
        let folded = "change: {fold_table: {table: public.child, into: public.parent, by: {id: parent_id}, columns: {x: {}}}}";
        let says = |why: &str| {
            for change in [moved, folded] {
                let not_unique = format!("id is not unique in public.parent{why}");
                refused(
                    database,
                    change,
                    &[&not_unique, "add_unique or add_primary_key first"],
                );
                let (_, said) = said(database, change);
                assert!(!said.contains("one type"), "{said}");
            }
        };
        says(" (the unique index near is INVALID (rebuild_index))");
        for (index, why) in [
            (
                "CREATE UNIQUE INDEX near ON parent (id) WHERE live",
                "is over a part of the rows",
            ),
            (
                "CREATE UNIQUE INDEX near ON parent (lower(id))",
                "is over an expression",
            ),
            (
                "ALTER TABLE parent ADD CONSTRAINT near UNIQUE (id) DEFERRABLE",
                "is deferrable: within a transaction",
            ),
        ] {
            database
                .execute(&format!("DROP INDEX near; DELETE FROM parent; {index}"))
                .await;
            says(&format!(" (the unique index near {why}"));
            if index.starts_with("ALTER") {
                database
                    .execute("ALTER TABLE parent DROP CONSTRAINT near; CREATE INDEX near ON parent (other)")
                    .await;
            }
        }
        database
            .execute("CREATE UNIQUE INDEX of_two ON parent (id, other)")
            .await;
        says("");
        database
            .execute("CREATE UNIQUE INDEX whole ON parent (id)")
            .await;
        for change in [moved, folded] {
            silent(database, change, "not unique");
        }
    });
}

/// It is another one each time: nothing that is kept in step, or compared, can go by it.
#[test]
fn a_default_that_is_another_one_for_each_row_is_computed_once() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE rows (id int PRIMARY KEY, status text)")
            .await;
        let plan = |forward: &str, set: &str, columns: &str| {
            format!(
                "phases:\n  - phase: expand\n    steps:\n      - add_column: {{table: public.rows, column: state, type: text}}\n      \
                 - add_column: {{table: public.rows, column: token, type: text, default: gen_random_uuid()::text, default_for: new_rows}}\n  \
                 - phase: dual_write\n    steps:\n      - sync_columns: {{table: public.rows, forward: {{{forward}}}, backward: {{status: state}}}}\n  \
                 - phase: backfill\n    steps:\n      - fill: {{table: public.rows, set: {{{set}}}}}\n  \
                 - phase: verify\n    steps:\n      - match: {{table: public.rows, columns: {{{columns}}}}}"
            )
        };
        let volatile = "gen_random_uuid()::text";
        let both = format!("state: status, token: {volatile}");
        refused(database, &plan(&both, &both, &both), &["is volatile"]);
        // Of another column's.
        let other = format!("state: {volatile}");
        refused(
            database,
            &plan("state: status", &other, "state: status"),
            &["is volatile"],
        );
        let of_its_value = format!("state: token, token: {volatile}");
        refused(
            database,
            &plan("state: token", &of_its_value, "state: token"),
            &["no trigger fills it"],
        );
    });
}

//! One table with everything that can hang on one: whatever a recipe puts in its place, or in a column's, has it all, or
//! the plan is refused by name, or waits for what is in the way by name.

use crate::every_plan::{differences, objects};
use crate::support::{Database, on_postgresql, plan_file};

/// All that a recipe carries over by itself: `"Status"` and `id` are what the plans here are about. The names of roles and
/// of the tablespace are the whole server's.
const CARRIED: &str = r#"
CREATE SCHEMA app;
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE app.kinds (kind text COLLATE "C", area int, PRIMARY KEY (kind, area));
INSERT INTO app.kinds SELECT 's' || i, 1 FROM generate_series(1, 60) AS i;
CREATE TABLE app.things (
    id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME app.numbers START 7 INCREMENT 3 CACHE 5) PRIMARY KEY,
    area int DEFAULT 1,
    "Status" text COLLATE "C" NOT NULL DEFAULT 'new',
    other text,
    number serial,
    CONSTRAINT status_present CHECK ("Status" <> '') NO INHERIT
);
INSERT INTO app.things ("Status", other) SELECT 's' || i, 'o' FROM generate_series(1, 60) AS i;
ALTER TABLE app.things ADD CONSTRAINT status_short CHECK (length("Status") < 40) NOT VALID,
    ADD CONSTRAINT status_kind FOREIGN KEY ("Status", area) REFERENCES app.kinds ON DELETE SET NULL ("Status") DEFERRABLE INITIALLY DEFERRED NOT VALID,
    ADD CONSTRAINT status_once UNIQUE NULLS NOT DISTINCT ("Status", number) INCLUDE (other) WITH (fillfactor = 70) DEFERRABLE,
    ADD CONSTRAINT status_only UNIQUE ("Status") USING INDEX TABLESPACE kept_elsewhere;
CREATE INDEX status_lower ON app.things (lower("Status") DESC NULLS LAST, "Status" COLLATE "POSIX" text_pattern_ops, (other || "Status"))
    INCLUDE (id) WITH (fillfactor = 60, deduplicate_items = off) TABLESPACE kept_elsewhere WHERE "Status" <> 'x';
ALTER INDEX app.status_lower ALTER COLUMN 1 SET STATISTICS 77, ALTER COLUMN 3 SET STATISTICS 0;
CREATE UNIQUE INDEX status_lower_once ON app.things (lower("Status")) NULLS NOT DISTINCT;
CREATE INDEX status_plain ON app.things ("Status");
ALTER TABLE app.things CLUSTER ON status_plain;
COMMENT ON TABLE app.things IS 'things';
COMMENT ON COLUMN app.things."Status" IS 'its status';
COMMENT ON COLUMN app.things.id IS 'its number';
COMMENT ON SEQUENCE app.numbers IS 'numbers';
COMMENT ON INDEX app.status_lower IS 'an index';
COMMENT ON INDEX app.status_once IS 'the index of a constraint';
COMMENT ON INDEX app.things_pkey IS 'the index of the key';
COMMENT ON CONSTRAINT things_pkey ON app.things IS 'the key';
COMMENT ON CONSTRAINT status_once ON app.things IS 'once';
COMMENT ON CONSTRAINT status_present ON app.things IS 'present';
COMMENT ON CONSTRAINT status_kind ON app.things IS 'kind';
ALTER TABLE app.things ALTER "Status" SET STATISTICS 333, ALTER "Status" SET STORAGE EXTERNAL, ALTER "Status" SET COMPRESSION pglz,
    ALTER "Status" SET (n_distinct = -0.5, n_distinct_inherited = 7), ALTER id SET STATISTICS 5, ALTER id SET (n_distinct = -1);
GRANT USAGE ON SEQUENCE app.numbers TO kept_one WITH GRANT OPTION;
GRANT SELECT ON SEQUENCE app.things_number_seq TO kept_one;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO kept_two;
GRANT SELECT, DELETE ON app.things TO kept_two;
GRANT SELECT ("Status"), UPDATE ("Status"), SELECT (id) ON app.things TO kept_one WITH GRANT OPTION;
GRANT REFERENCES ("Status"), INSERT ("Status") ON app.things TO PUBLIC, kept_two;
-- What refers to it; a constraint and an index of one name.
CREATE TABLE app.owners (thing int, status text COLLATE "C", n int DEFAULT nextval('app.things_number_seq'), "cascade" int);
ALTER TABLE app.owners ADD CONSTRAINT owners_thing FOREIGN KEY (thing) REFERENCES app.things ON DELETE SET NULL (thing) DEFERRABLE NOT VALID,
    ADD CONSTRAINT owners_status FOREIGN KEY (status) REFERENCES app.things ("Status") ON UPDATE CASCADE ON DELETE SET DEFAULT (status) NOT VALID,
    ALTER thing SET STATISTICS 6;
CREATE INDEX owners_thing ON app.owners ((thing + 1));
ALTER INDEX app.owners_thing ALTER COLUMN 1 SET STATISTICS 9;
COMMENT ON CONSTRAINT owners_status ON app.owners IS 'whose';
COMMENT ON CONSTRAINT owners_thing ON app.owners IS 'what';
-- What is about other columns stays as it is.
CREATE TRIGGER other AFTER UPDATE OF other ON app.things FOR EACH ROW WHEN (NEW.other <> '') EXECUTE FUNCTION app.note();
ALTER TABLE app.things ENABLE ALWAYS TRIGGER other;
COMMENT ON TRIGGER other ON app.things IS 'a trigger';
CREATE TRIGGER quiet BEFORE INSERT ON app.things FOR EACH ROW EXECUTE FUNCTION app.note();
ALTER TABLE app.things DISABLE TRIGGER quiet, ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.things TO kept_two USING (other = 'o') WITH CHECK (other <> 'p');
COMMENT ON POLICY mine ON app.things IS 'a policy';
CREATE STATISTICS app.others (mcv) ON area, (lower(other)) FROM app.things;
ALTER STATISTICS app.others SET STATISTICS 55;
COMMENT ON STATISTICS app.others IS 'statistics';
"#;

/// What names the columns and is nobody's to change but its owner's, each with what undoes it.
const NAMED: [(&str, &str, &str); 12] = [
    (
        r#"CREATE VIEW app.seen AS SELECT id, "Status" FROM app.things"#,
        "view app.seen",
        "DROP VIEW app.seen",
    ),
    (
        r#"CREATE MATERIALIZED VIEW app.stored AS SELECT "Status" FROM app.things"#,
        "materialized view app.stored",
        "DROP MATERIALIZED VIEW app.stored",
    ),
    (
        r#"CREATE FUNCTION app.count(s text) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM app.things WHERE "Status" = s; END"#,
        "function app.count(text)",
        "DROP FUNCTION app.count",
    ),
    (
        r#"CREATE TRIGGER watch BEFORE UPDATE OF "Status" ON app.things FOR EACH ROW EXECUTE FUNCTION app.note()"#,
        "trigger watch on table app.things",
        "DROP TRIGGER watch ON app.things",
    ),
    (
        r#"CREATE TRIGGER whence BEFORE UPDATE ON app.things FOR EACH ROW WHEN (OLD."Status" <> NEW."Status") EXECUTE FUNCTION app.note()"#,
        "trigger whence on table app.things",
        "DROP TRIGGER whence ON app.things",
    ),
    (
        r#"CREATE POLICY by_status ON app.things USING ("Status" <> 'secret')"#,
        "policy by_status on table app.things",
        "DROP POLICY by_status ON app.things",
    ),
    (
        r#"CREATE STATISTICS app.pairs ON "Status", area FROM app.things"#,
        "statistics object app.pairs",
        "DROP STATISTICS app.pairs",
    ),
    (
        r#"CREATE STATISTICS app.computed ON (lower("Status")) FROM app.things"#,
        "statistics object app.computed",
        "DROP STATISTICS app.computed",
    ),
    (
        r#"ALTER TABLE app.things ADD upper_status text GENERATED ALWAYS AS (upper("Status")) STORED"#,
        "default value for column upper_status of table app.things",
        "ALTER TABLE app.things DROP upper_status",
    ),
    (
        r#"CREATE PUBLICATION listed FOR TABLE app.things (id, "Status") WITH (publish = 'insert')"#,
        "publication listed",
        "DROP PUBLICATION listed",
    ),
    (
        r#"CREATE PUBLICATION filtered FOR TABLE app.things WHERE ("Status" <> 'x') WITH (publish = 'insert')"#,
        "publication filtered",
        "DROP PUBLICATION filtered",
    ),
    (
        r#"CREATE RULE locked AS ON UPDATE TO app.things WHERE OLD."Status" = 'locked' DO INSTEAD NOTHING"#,
        "rule locked on table app.things",
        "DROP RULE locked ON app.things",
    ),
];

/// A change, and what one would do instead while nobody uses the table. PostgreSQL itself loses how a column is stored, and
/// the statistics targets of indexes, with `ALTER COLUMN … TYPE`.
const CHANGES: [(&str, &str); 10] = [
    (
        r#"rename_column: {table: app.things, from: '"Status"', to: state}"#,
        r#"ALTER TABLE app.things RENAME "Status" TO state"#,
    ),
    (
        r#"rename_column: {table: app.things, from: '"Status"', to: state, strategy: alias}"#,
        r#"ALTER TABLE app.things RENAME "Status" TO state"#,
    ),
    (
        r#"transform_columns: {table: app.things, from: ['"Status"'], to: {state: {type: text, comment: its state}}, forward: {state: '"Status"'}, backward: {'"Status"': state}}"#,
        r#"ALTER TABLE app.things RENAME "Status" TO state; COMMENT ON COLUMN app.things.state IS 'its state'"#,
    ),
    (
        r#"transform_columns: {table: app.parents, from: [x, y], to: {x1: {type: text, collation: '"C"'}, x2: {type: text}, z: {type: varchar(40), collation: '"POSIX"', not_null: true, comment: its z}}, forward: {x1: 'left(x, 1)', x2: 'x || y', z: y}, backward: {x: "x1 || left(x2, -length(z))", y: z}}"#,
        "ALTER TABLE app.parents ADD x1 text COLLATE \"C\", ADD x2 text, ADD z varchar(40) COLLATE \"POSIX\"; UPDATE app.parents SET z = y; ALTER TABLE app.parents ALTER z SET NOT NULL; \
         COMMENT ON COLUMN app.parents.z IS 'its z'; GRANT SELECT (x1), UPDATE (x1) ON app.parents TO kept_one WITH GRANT OPTION; ALTER TABLE app.parents DROP x, DROP y",
    ),
    (
        r#"change_column_type: {table: app.things, column: '"Status"', type: varchar(90), keep_name: true}"#,
        r#"ALTER TABLE app.things ALTER "Status" TYPE varchar(90) COLLATE "C", ALTER "Status" SET STORAGE EXTERNAL, ALTER "Status" SET COMPRESSION pglz;
           ALTER INDEX app.status_lower ALTER COLUMN 1 SET STATISTICS 77, ALTER COLUMN 3 SET STATISTICS 0"#,
    ),
    (
        r#"change_column_type: {table: app.things, column: '"Status"', type: varchar(90), to: state}"#,
        r#"ALTER TABLE app.things ALTER "Status" TYPE varchar(90) COLLATE "C", ALTER "Status" SET STORAGE EXTERNAL, ALTER "Status" SET COMPRESSION pglz;
           ALTER TABLE app.things RENAME "Status" TO state;
           ALTER INDEX app.status_lower ALTER COLUMN 1 SET STATISTICS 77, ALTER COLUMN 3 SET STATISTICS 0"#,
    ),
    (
        "change_column_type: {table: app.short, column: a, type: varchar(60), irreversible: true}",
        r#"ALTER TABLE app.short ALTER a TYPE varchar(60) COLLATE "C", ALTER a SET STORAGE EXTERNAL, ALTER a SET COMPRESSION pglz"#,
    ),
    (
        "widen_key: {table: app.things, column: id, type: bigint}",
        "ALTER TABLE app.things ALTER id TYPE bigint; ALTER TABLE app.owners ALTER thing TYPE bigint; ALTER SEQUENCE app.numbers AS bigint;
         ALTER INDEX app.status_lower ALTER COLUMN 1 SET STATISTICS 77, ALTER COLUMN 3 SET STATISTICS 0;
         ALTER INDEX app.owners_thing ALTER COLUMN 1 SET STATISTICS 9",
    ),
    ("rename_table: {table: app.things, to: items}", "ALTER TABLE app.things RENAME TO items"),
    ("rebuild_index: {table: app.things, name: status_lower}", "SELECT"),
];

/// In place, a column keeps what is not its type's own.
const SHORT: &str = r#"
CREATE TABLE app.short (a varchar(30) COLLATE "C");
ALTER TABLE app.short ALTER a SET STORAGE EXTERNAL, ALTER a SET COMPRESSION pglz, ALTER a SET STATISTICS 7, ALTER a SET (n_distinct = 4);
GRANT SELECT (a) ON app.short TO kept_one;
COMMENT ON COLUMN app.short.a IS 'short';
CREATE UNIQUE INDEX short_a ON app.short (a);
ALTER TABLE app.short REPLICA IDENTITY FULL, CLUSTER ON short_a"#;

/// Two tables that move columns from one to the other.
const ACROSS: &str = r#"
CREATE TABLE app.parents (id int PRIMARY KEY, x text COLLATE "C", y varchar(40));
INSERT INTO app.parents SELECT i, 'x' || i, 'y' || i FROM generate_series(1, 60) AS i;
CREATE TABLE app.children (parent int PRIMARY KEY REFERENCES app.parents, a text COLLATE "C", b varchar(30));
INSERT INTO app.children SELECT i, 'a' || i, 'b' || i FROM generate_series(1, 40) AS i;
COMMENT ON COLUMN app.children.a IS 'its a';
COMMENT ON COLUMN app.parents.x IS 'its x';
ALTER TABLE app.children ALTER a SET STATISTICS 44, ALTER a SET STORAGE EXTERNAL, ALTER a SET COMPRESSION pglz, ALTER a SET (n_distinct = 9);
ALTER TABLE app.parents ALTER x SET STATISTICS 44, ALTER x SET STORAGE EXTERNAL, ALTER x SET COMPRESSION pglz, ALTER x SET (n_distinct = 9);
GRANT SELECT ON app.children TO kept_two;
GRANT SELECT (a), UPDATE (a) ON app.children TO kept_one WITH GRANT OPTION;
GRANT SELECT ON app.parents TO kept_two;
GRANT SELECT (id, x), UPDATE (x) ON app.parents TO kept_one WITH GRANT OPTION;
"#;

/// As the columns of `ACROSS` have it, `{table}` being where they come to.
const SET_ON: &str = "
ALTER TABLE {table} ALTER {column} SET STATISTICS 44, ALTER {column} SET STORAGE EXTERNAL, ALTER {column} SET COMPRESSION pglz, ALTER {column} SET (n_distinct = 9);
GRANT SELECT ({column}), UPDATE ({column}) ON {table} TO kept_one WITH GRANT OPTION;
COMMENT ON COLUMN {table}.{column} IS 'its {column}';";

fn set_on(table: &str, column: &str) -> String {
    SET_ON.replace("{table}", table).replace("{column}", column)
}

/// The plan of one change, named as nothing else here.
fn change(what: &str) -> tempfile::NamedTempFile {
    plan_file(&format!("version: 1\nname: kept\nchange:\n  {what}\n"))
}

/// Several of what hangs here came with PostgreSQL 15.
async fn is_new_enough(database: &Database) -> bool {
    let version = "SELECT current_setting('server_version_num')::integer >= 150000";
    database.value(version).await == "true"
}

/// A database with everything, to be copied.
async fn everything(database: &Database) -> Database {
    static ONCE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    {
        let _turn = ONCE.lock().await;
        let there = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kept_two')";
        if database.value(there).await == "false" {
            // A tablespace is made by itself, outside a transaction.
            let client = database.client().await;
            for statement in [
                "SET allow_in_place_tablespaces = on",
                "CREATE TABLESPACE kept_elsewhere LOCATION ''",
                "CREATE ROLE kept_one",
                "CREATE ROLE kept_two",
            ] {
                client.batch_execute(statement).await.expect(statement);
            }
        }
    }
    let template = database.copy().await;
    template
        .execute(&format!("{CARRIED}{SHORT};{ACROSS}"))
        .await;
    template
}

async fn ends_as_by_hand(template: &Database, what: &str, by_hand: &str) {
    let database = template.copy().await;
    let file = change(what);
    database
        .crossfade(&["start", file.path().to_str().expect("a path of text")])
        .exits(0);
    let phases = database.status("kept")["phases"].clone();
    let last = phases
        .as_array()
        .and_then(|all| all.last())
        .expect("a phase")["name"]
        .clone();
    let last = last.as_str().expect("a name");
    database
        .crossfade(&["advance", "kept", "--to", last, "--yes"])
        .exits(0);
    let expected = template.copy().await;
    expected.execute(by_hand).await;
    let (wanted, found) = (
        objects(&expected.dump_schema()),
        objects(&database.dump_schema()),
    );
    let differences = differences(&wanted, &found);
    assert!(
        differences.is_empty(),
        "{what}:\n{}",
        differences.join("\n")
    );
    expected.remove().await;
    database.remove().await;
}

#[test]
fn whatever_hangs_on_a_column_or_a_table_is_there_when_another_has_taken_its_place() {
    on_postgresql(async |database| {
        if !is_new_enough(database).await {
            return;
        }
        let template = everything(database).await;
        for (what, by_hand) in CHANGES {
            ends_as_by_hand(&template, what, by_hand).await;
        }
        template.remove().await;
    });
}

#[test]
fn whatever_hangs_on_a_column_comes_along_into_another_table() {
    on_postgresql(async |database| {
        if !is_new_enough(database).await {
            return;
        }
        let template = everything(database).await;
        let added = format!(
            "ALTER TABLE app.parents ADD a text COLLATE \"C\", ADD b varchar(30); {}",
            set_on("app.parents", "a")
        );
        let into = "app.children, into: app.parents, by: {id: parent}";
        let by_hand = format!("{added} DROP TABLE app.children");
        ends_as_by_hand(
            &template,
            &format!("fold_table: {{table: {into}}}"),
            &by_hand,
        )
        .await;
        let to = "table: app.children, to: app.parents, by: {id: parent}, columns: {a: {}, b: {}}";
        let by_hand = format!("{added} ALTER TABLE app.children DROP a, DROP b");
        ends_as_by_hand(&template, &format!("move_columns: {{{to}}}"), &by_hand).await;
        let to = "table: app.parents, to: app.parts, by: {parent: id}, columns: {x: x, y: y}";
        let by_hand = format!(
            "CREATE TABLE app.parts (parent int PRIMARY KEY REFERENCES app.parents ON DELETE CASCADE, x text COLLATE \"C\", y varchar(40)); {}
             GRANT SELECT ON app.parts TO kept_two; GRANT SELECT (parent) ON app.parts TO kept_one WITH GRANT OPTION;
             ALTER TABLE app.parents DROP x, DROP y",
            set_on("app.parts", "x")
        );
        ends_as_by_hand(&template, &format!("extract_table: {{{to}}}"), &by_hand).await;
        template.remove().await;
    });
}

#[test]
fn what_names_a_column_from_outside_is_said_at_once_and_waited_for_by_name() {
    on_postgresql(async |database| {
        if !is_new_enough(database).await {
            return;
        }
        let database = everything(database).await;
        for (statement, ..) in NAMED {
            database.execute(statement).await;
        }
        let file = change(CHANGES[0].0);
        let path = file.path().to_str().expect("a path of text");
        let said = database.crossfade(&["check", path]).exits(0).stdout;
        database.crossfade(&["start", path]).exits(0);
        let gate = database
            .crossfade(&["advance", "kept", "--to", "retire", "--yes"])
            .exits(3);
        for (statement, name, undone) in NAMED {
            assert!(said.contains(name), "{statement}: {said}");
            assert!(gate.stderr.contains(name), "{statement}: {}", gate.stderr);
            database.execute(undone).await;
        }
        database
            .crossfade(&["advance", "kept", "--to", "retire", "--yes"])
            .exits(0);
        database.remove().await;
    });
}

/// What is made on top of everything, the change, and what it is refused with.
const REFUSED: [(&str, &str, &str); 18] = [
    (
        "CREATE TYPE app.pair AS (a int, b int); ALTER TABLE app.things ADD COLUMN pair app.pair",
        "add_column: {table: app.things, column: first, type: integer, forward: '(pair).a'}",
        "app.things.pair is of the composite type app.pair",
    ),
    (
        "CREATE TYPE app.pair AS (a int, b int); ALTER TABLE app.things ADD COLUMN pair app.pair",
        "rename_column: {table: app.things, from: pair, to: two}",
        "app.things.pair is of the composite type app.pair",
    ),
    (
        "CREATE TABLE app.log (thing app.things)",
        "widen_key: {table: app.things, column: id, type: bigint}",
        "column thing of table app.log holds whole rows of app.things",
    ),
    (
        "CREATE TABLE app.log (thing app.things); INSERT INTO app.log SELECT t FROM app.things AS t",
        CHANGES[0].0,
        "column thing of table app.log holds whole rows of app.things",
    ),
    (
        "CREATE DOMAIN app.thing AS app.things; CREATE TYPE app.pair AS (one app.thing[]); CREATE TABLE app.log (two app.pair)",
        CHANGES[0].0,
        "column two of table app.log holds whole rows of app.things",
    ),
    (
        "INSERT INTO pg_seclabel VALUES ('app.things'::regclass, 'pg_class'::regclass, 3, 'masks', 'x')",
        CHANGES[0].0,
        "app.things.\"Status\" has a security label of masks",
    ),
    (
        "INSERT INTO pg_seclabel VALUES ('app.things'::regclass, 'pg_class'::regclass, 3, 'masks', 'x')",
        CHANGES[1].0,
        "has a security label of masks, and a view would have none",
    ),
    (
        "INSERT INTO pg_seclabel VALUES ('app.things'::regclass, 'pg_class'::regclass, 0, 'masks', 'x')",
        "rename_table: {table: app.things, to: items}",
        "app.things has a security label of masks",
    ),
    (
        "INSERT INTO pg_seclabel VALUES ('app.numbers'::regclass, 'pg_class'::regclass, 0, 'masks', 'x')",
        "widen_key: {table: app.things, column: id, type: bigint}",
        "app.things.id has a security label of masks",
    ),
    (
        r#"GRANT USAGE ON SCHEMA app TO kept_one; SET ROLE kept_one; GRANT SELECT ("Status") ON app.things TO kept_two; RESET ROLE"#,
        CHANGES[0].0,
        "rights on app.things.\"Status\" were given by kept_one",
    ),
    (
        "GRANT USAGE ON SCHEMA app TO kept_one; SET ROLE kept_one; GRANT USAGE ON SEQUENCE app.numbers TO kept_two; RESET ROLE",
        "widen_key: {table: app.things, column: id, type: bigint}",
        "rights on app.numbers were given by kept_one",
    ),
    (
        "CREATE TABLE app.more (n bigint DEFAULT nextval('app.numbers'))",
        "widen_key: {table: app.things, column: id, type: bigint}",
        "the sequence of app.things.id goes with it, and is used by default value for column n of table app.more",
    ),
    (
        "ALTER TABLE app.children ADD n serial; CREATE VIEW app.last AS SELECT last_value FROM app.children_n_seq",
        "drop_column: {table: app.children, column: n}",
        "the sequence of app.children.n goes with it, and is used by view app.last",
    ),
    (
        "CREATE TYPE app.pair AS (a text); CREATE TABLE app.typed OF app.pair",
        "rename_column: {table: app.typed, from: a, to: c, strategy: alias}",
        "app.typed is a table of the type app.pair",
    ),
    (
        "CREATE DOMAIN app.word AS text CHECK (VALUE <> ''); CREATE TABLE app.words (a app.word)",
        "rename_column: {table: app.words, from: a, to: c}",
        "app.word is a domain with constraints or a default",
    ),
    (
        "CREATE RULE never AS ON UPDATE TO app.things DO INSTEAD NOTHING; ALTER TABLE app.things ENABLE ALWAYS RULE never",
        CHANGES[0].0,
        "the backfill's UPDATE of app.things would be rewritten by its rules: never",
    ),
    (
        "CREATE TRIGGER own BEFORE INSERT ON app.children FOR EACH ROW EXECUTE FUNCTION app.note()",
        "fold_table: {table: app.children, into: app.parents, by: {id: parent}}",
        "the trigger own on table app.children would be lost",
    ),
    (
        "CREATE STATISTICS app.ab ON a, b FROM app.children",
        "fold_table: {table: app.children, into: app.parents, by: {id: parent}}",
        "the statistics object app.ab would be lost",
    ),
];

#[test]
fn what_cannot_come_along_is_refused_by_name() {
    on_postgresql(async |database| {
        if !is_new_enough(database).await {
            return;
        }
        let template = everything(database).await;
        for (statements, what, expected) in REFUSED {
            let database = template.copy().await;
            database.execute(statements).await;
            let file = change(what);
            let path = file.path().to_str().expect("a path of text");
            let said = database.crossfade(&["check", path]).exits(1).stderr;
            assert!(said.contains(expected), "{statements}, {what}: {said}");
            database.remove().await;
        }
        template.remove().await;
    });
}

#[test]
fn a_column_of_a_domain_keeps_it() {
    on_postgresql(async |database| {
        database
            .execute("CREATE DOMAIN word AS text; CREATE TABLE words (a word); INSERT INTO words VALUES ('x')")
            .await;
        let by_hand = "ALTER TABLE words RENAME a TO c";
        ends_as_by_hand(
            database,
            "rename_column: {table: words, from: a, to: c}",
            by_hand,
        )
        .await;
        let by_hand = "ALTER TABLE words ADD c word";
        ends_as_by_hand(
            database,
            "add_column: {table: words, column: c, type: public.word}",
            by_hand,
        )
        .await;
    });
}

#[test]
fn what_holds_of_one_table_only_is_said_when_its_columns_go_to_another() {
    on_postgresql(async |database| {
        if !is_new_enough(database).await {
            return;
        }
        let database = everything(database).await;
        database
            .execute(
                "REVOKE SELECT ON app.parents FROM kept_two; ALTER TABLE app.children ENABLE ROW LEVEL SECURITY; \
                 CREATE PUBLICATION children FOR TABLE app.children",
            )
            .await;
        let file = change(
            "move_columns: {table: app.children, to: app.parents, by: {id: parent}, columns: {a: {}}}",
        );
        let path = file.path().to_str().expect("a path of text");
        let said = database.crossfade(&["check", path]).exits(0).stdout;
        for expected in [
            "app.children has row security, which does not hold of app.parents",
            "app.children is in the publication children",
            "rights on app.children that do not hold of app.parents: those of kept_two",
        ] {
            assert!(said.contains(expected), "{said}");
        }
        let file = change(
            "merge_columns: {table: app.parents, columns: [x, y], to: xy, type: text, forward: x || y, backward: {x: xy, y: xy}}",
        );
        let path = file.path().to_str().expect("a path of text");
        let said = database.crossfade(&["check", path]).exits(0).stdout;
        assert!(said.contains("rights on some of the columns that xy is computed from are not copied: those of kept_one"), "{said}");
        database.remove().await;
    });
}

/// PostgreSQL lets these be names of columns, and writes them without quotes: beside them the same words are syntax.
#[test]
fn a_column_may_have_a_keyword_as_its_name() {
    on_postgresql(async |database| {
        let table = "CREATE TABLE people (id bigint PRIMARY KEY, first text, last text, zone timestamp, year int, double numeric, \"user\" text, second interval); \
             CREATE INDEX people_last ON people (last DESC NULLS LAST, first NULLS FIRST) WITH (fillfactor = 70); \
             ALTER TABLE people ADD CHECK (zone AT TIME ZONE 'UTC' > '2001-01-01'::timestamp with time zone), \
                 ADD CHECK (double::double precision > 0), ADD CHECK (extract(year FROM zone) < year), ADD CHECK (last <> E'it\\'s last'), \
                 ADD CHECK (\"user\" = USER OR \"user\" IS DISTINCT FROM first), ADD CHECK (second::interval day to second > '0'); \
             INSERT INTO people SELECT i, 'f' || i, 'l' || i, '2026-01-01', 3000, 1, USER, '1 day' FROM generate_series(1, 100) AS i";
        database.execute(table).await;
        let by_hand = database.copy().await;
        for column in ["last", "zone", "year", "double", "user", "second"] {
            let rename = format!("ALTER TABLE people RENAME COLUMN \"{column}\" TO the_{column}");
            by_hand.execute(&rename).await;
            let file = plan_file(&format!(
                "version: 1\nname: rename-{column}\nchange:\n  rename_column: {{table: public.people, from: '\"{column}\"', to: the_{column}}}\n"
            ));
            let path = file.path().to_str().expect("a path of text");
            database.crossfade(&["start", path]).exits(0);
            let run = format!("rename-{column}");
            let all = ["advance", &run, "--to", "contract", "--yes"];
            database.crossfade(&all).exits(0);
        }
        let [by_hand_schema, schema] = [&by_hand, database].map(Database::dump_schema);
        let found = differences(&objects(&by_hand_schema), &objects(&schema));
        assert_eq!(found, Vec::<String>::new());
        by_hand.remove().await;
    });
}

#[test]
fn a_constraint_or_an_index_over_the_whole_row_is_said_by_name() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE rows (id bigint PRIMARY KEY, status text); \
                 CREATE FUNCTION fit(r rows) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT r.status <> ''x'''; \
                 ALTER TABLE rows ADD CONSTRAINT rows_fit CHECK (fit(rows)); CREATE INDEX rows_index ON rows (fit(rows))",
            )
            .await;
        let file = plan_file(
            "version: 1\nname: kept\nchange:\n  rename_column: {table: public.rows, from: status, to: state}\n",
        );
        let ran = database.crossfade(&["check", file.path().to_str().expect("a path")]);
        let said = ran.stdout + &ran.stderr;
        assert!(
            said.contains("constraint rows_fit on table public.rows calls function public.fit(public.rows), which reads status of the row")
                && said.contains("index public.rows_index calls function public.fit(public.rows), which reads status of the row"),
            "{said}"
        );
    });
}

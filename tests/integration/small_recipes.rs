//! Recipes that move no rows: what does not fit is refused by name, with its place and what to do; odd names work.

use crate::support::{Database, on_postgresql, plan_file};

const TABLES: &str = r#"
    CREATE TABLE items (id bigint PRIMARY KEY, name text, price numeric(10,2) DEFAULT 1, a integer, b integer, UNIQUE (a, b));
    CREATE INDEX items_a_name ON items (a, name);
    INSERT INTO items (id, name) SELECT i, 'n' || i FROM generate_series(1, 100) AS i;
    CREATE VIEW item_names AS SELECT id, name FROM items;
    CREATE TABLE parts (item bigint REFERENCES items);
    CREATE TABLE measured (at date) PARTITION BY RANGE (at);
    CREATE TABLE parent (x integer);
    CREATE TABLE child () INHERITS (parent);
    CREATE TYPE kind AS ENUM ('small', 'large');
    CREATE SCHEMA "Odd one";
    CREATE TABLE "Odd one"."select" ("Order" integer, "a,b" text NOT NULL DEFAULT 'x', "from""to" text, plain text);
    INSERT INTO "Odd one"."select" ("Order", "a,b") SELECT i, 'v' || i FROM generate_series(1, 50) AS i;
    ANALYZE;
    CREATE TABLE uncounted (a integer) WITH (autovacuum_enabled = false);
    INSERT INTO uncounted SELECT generate_series(1, 20000);
"#;

fn check(database: &Database, change: &str) -> crate::support::Ran {
    let file = plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"));
    database.crossfade(&["check", file.path().to_str().expect("a path")])
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let mut wrong = Vec::new();
        for (change, told) in [
            (
                "add_index: {table: items, columns: [nmae]}",
                "has no column nmae",
            ),
            (
                "add_index: {table: items, columns: [name], where: name = 1}",
                "operator does not exist",
            ),
            (
                "add_index: {table: items, columns: [name], where: \"true) WITH (x\"}",
                "closes a parenthesis",
            ),
            (
                "add_index: {table: items, columns: [name], with: \"fillfactor = 10); DROP TABLE items; --\"}",
                "closes a parenthesis",
            ),
            (
                "add_index: {table: items, expressions: lower(name)}",
                "has no `name`",
            ),
            ("add_index: {table: item_names, columns: [id]}", "is a view"),
            (
                "add_index: {table: parent, columns: [x]}",
                "inherit from it",
            ),
            (
                "drop_index: {table: items, name: items_pkey}",
                "serves the constraint items_pkey",
            ),
            (
                "set_not_null: {table: items, column: id}",
                "is NOT NULL already",
            ),
            (
                "add_exclusion: {table: measured, name: e, exclude: USING gist (at WITH =)}",
                "is partitioned",
            ),
            (
                "add_check: {table: items, name: c, check: price}",
                "is numeric, not boolean",
            ),
            (
                "add_check: {table: items, name: c, check: random() > price}",
                "is volatile",
            ),
            (
                "add_unique: {table: items, columns: [name, name]}",
                "is there twice",
            ),
            (
                "add_foreign_key: {table: parts, columns: [item], references: public.items, to: [name]}",
                "nothing unique over name",
            ),
            (
                "add_primary_key: {table: items, columns: [id]}",
                "has the primary key items_pkey",
            ),
            (
                "add_column: {table: items, column: c, type: text, not_null: true}",
                "no row has a value",
            ),
            (
                "add_column: {table: items, column: c, type: integer, default: \"'x'::text\"}",
                "not integer",
            ),
            (
                "add_column: {table: items, column: c, type: integer, default: a + 1}",
                "reads columns",
            ),
            (
                "add_column: {table: items, column: c, type: bigserial}",
                "bigserial",
            ),
            (
                "add_column: {table: items, column: name, type: text}",
                "already has a column name",
            ),
            (
                "drop_column: {table: items, column: a}",
                "items_a_name would be dropped with a",
            ),
            (
                "drop_column: {table: items, column: id}",
                "parts_item_fkey of public.parts refers to id",
            ),
            (
                "drop_table: {table: items}",
                "item_names depends on public.items",
            ),
            (
                "drop_table: {table: items}",
                "parts_item_fkey of public.parts refers to public.items",
            ),
            (
                "drop_constraint: {table: items, name: items_pkey}",
                "relies on items_pkey",
            ),
            (
                "add_exclusion: {table: items, name: e, exclude: USING gist (a WITH =), max_rows: 10}",
                "`max_rows` is 10",
            ),
            (
                "add_exclusion: {table: uncounted, name: e, exclude: USING gist (a WITH =)}",
                "public.uncounted was never analyzed and may have up to",
            ),
            (
                "add_enum_value: {name: public.kind, value: x}",
                "cannot be taken back",
            ),
            (
                "change_column_type: {table: items, column: name, type: varchar(10), irreversible: true}",
                "in place",
            ),
            (
                "create_table: {table: fresh, columns: \"id bigint); DROP TABLE items; --\"}",
                "closes a parenthesis",
            ),
            (
                "create_table: {table: fresh, columns: id bigint PRIMARI KEY}",
                "syntax error",
            ),
            (
                "create_table: {table: items, columns: id bigint}",
                "is there already",
            ),
            (
                "add_column: {table: items, column: ctid, type: tid}",
                "a column ctid of PostgreSQL's own",
            ),
            (
                "add_column: {table: items, column: c, type: 'text COLLATE \"C\"'}",
                "syntax error",
            ),
            (
                "add_column: {table: items, column: c, type: \"text || 'x'\"}",
                "syntax error",
            ),
            (
                "add_column: {table: crossfade.runs, column: c, type: text}",
                "one of Crossfade's own tables",
            ),
            (
                "add_index: {table: pg_catalog.pg_class, columns: [relname]}",
                "one of PostgreSQL's own tables",
            ),
            ("add_index: {table: items}", "has no columns"),
            (
                "add_enum_value: {name: public.nothing, value: x, irreversible: true}",
                "type \"public.nothing\" does not exist",
            ),
            (
                "change_column_type: {table: items, column: a, type: int4, keep_name: true}",
                "a is integer already",
            ),
            (
                "set_replica_identity: {table: items, index: items_a_b_key}",
                "a may be NULL, and is in items_a_b_key",
            ),
            (
                "drop_index: {table: parts, name: nothing}",
                "it has no indexes",
            ),
            (
                "sql: {name: s, forward: SELECT 1, reverse: SELECT 1, done_when: nonsense}",
                "`done_when` cannot be answered",
            ),
            (
                "sql: {name: s, forward: COMMIT, reverse: SELECT 1, done_when: SELECT true}",
                "COMMIT of its own",
            ),
            (
                "sql: {name: s, forward: SELEC 1, reverse: SELECT 1, done_when: SELECT true}",
                "not SQL that is understood",
            ),
            (
                "sql: {name: s, forward: VACUUM, reverse: SELECT 1, done_when: SELECT true}",
                "refuses to run it within a transaction",
            ),
            (
                "sql: {name: s, forward: SELECT 1, done_when: SELECT true}",
                "irreversible: true",
            ),
        ] {
            let ran = check(database, change);
            let helps = ["= help:", "name each column once"];
            let is_told =
                ran.stderr.contains(told) && helps.iter().any(|help| ran.stderr.contains(help));
            if ran.code != Some(1) || !is_told {
                wrong.push(format!("{change}: {:?} {}", ran.code, ran.stderr));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn odd_names_go_all_the_way_and_back() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let original = database.dump_schema();
        let table = r#"table: '"Odd one"."select"'"#;
        for change in [
            r#"add_index: {TABLE, columns: ['"Order"', '"a,b"']}"#,
            r#"add_unique: {TABLE, columns: '"a,b"'}"#,
            r#"add_primary_key: {TABLE, columns: ['"Order"']}"#,
            r#"set_not_null: {TABLE, column: '"Order"'}"#,
            r#"add_check: {TABLE, name: '"a check"', check: '"a,b" <> '''' and "Order" > 0'}"#,
            r#"drop_not_null: {TABLE, column: '"a,b"'}"#,
            r#"set_default: {TABLE, column: '"from""to"', default: '''it''''s'''}"#,
            r#"set_comment: {TABLE, column: '"from""to"', comment: "it's \"\\ odd"}"#,
            r#"add_column: {TABLE, column: '"select"', type: text, default: '''x'' || ''y''', not_null: true}"#,
            r#"add_column: {TABLE, column: '"group"', type: uuid, default: gen_random_uuid(), not_null: true}"#,
            r#"add_column: {TABLE, column: '"case"', type: text, forward: '"a,b" || "Order"', keep_sync: true}"#,
            r#"change_column_type: {TABLE, column: plain, type: varchar}"#,
            r#"create_table: {table: '"Odd one"."Table"', columns: '"Id" bigint PRIMARY KEY'}"#,
            r#"create_enum: {name: '"Odd one"."Kind"', values: ["it's", "a \"b\""]}"#,
        ] {
            let text = format!(
                "version: 1\nname: odd\nchange:\n  {}\n",
                change.replace("TABLE", table)
            );
            let file = plan_file(&text);
            database
                .crossfade(&["start", file.path().to_str().expect("a path")])
                .exits(0);
            for _ in 0..8 {
                if database.status("odd")["state"] == "completed" {
                    break;
                }
                database.crossfade(&["advance", "odd"]).exits(0);
            }
            assert_eq!(database.status("odd")["state"], "completed", "{change}");
            assert_ne!(database.dump_schema(), original, "{change}");
            let mut back = vec!["rollback", "odd", "--yes"];
            if change.contains("gen_random_uuid") {
                back.extend(["--discard", r#""Odd one"."select"."group""#]);
            }
            database.crossfade(&back).exits(0);
            assert_eq!(database.dump_schema(), original, "{change}");
        }
    });
}

#[test]
fn what_was_written_meanwhile_is_not_lost_by_going_back() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let run = |change: &str| {
            let file = plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"));
            database
                .crossfade(&["start", file.path().to_str().expect("a path")])
                .exits(0);
            database.crossfade(&["advance", "x"]).exits(0);
        };
        run("create_table: {table: fresh, columns: id bigint}");
        database.execute("INSERT INTO fresh VALUES (1)").await;
        let refused = database.crossfade(&["rollback", "x", "--yes"]).exits(1);
        assert!(
            refused.stderr.contains("1 row of public.fresh"),
            "{}",
            refused.stderr
        );
        database.execute("DELETE FROM fresh").await;
        database.crossfade(&["rollback", "x", "--yes"]).exits(0);
        assert_eq!(database.value("SELECT to_regclass('fresh')").await, "NULL");

        run("drop_column: {table: parts, column: item}");
        database.execute("INSERT INTO parts VALUES (1)").await;
        // A column that may be NULL is first renamed: what was in it is there again.
        database.crossfade(&["rollback", "x", "--yes"]).exits(0);
        assert_eq!(database.value("SELECT count(item) FROM parts").await, "1");
    });
}

#[test]
fn what_a_step_found_under_its_name_is_left_alone_by_going_back() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let original = database.dump_schema();
        for (change, meanwhile, told) in [
            (
                "add_column: {table: items, column: note, type: varchar(20)}",
                "ALTER TABLE items ADD COLUMN note text DEFAULT 'by hand'",
                "is there with type text",
            ),
            (
                "add_index: {table: items, columns: [b], name: parts_item}",
                "CREATE INDEX parts_item ON parts (item)",
                "another index is called parts_item",
            ),
            (
                "create_table: {table: later, columns: id bigint}",
                "CREATE INDEX later ON items (a)",
                "is not a table",
            ),
            (
                "create_enum: {name: public.kind, values: [other]}",
                "SELECT 1",
                "is there with the labels small, large",
            ),
            (
                "add_enum_value: {name: public.kind, value: x, before: y, irreversible: true}",
                "SELECT 1",
                "is not an existing enum label",
            ),
        ] {
            let file = plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"));
            let path = file.path().to_str().expect("a path");
            database.crossfade(&["start", path]).exits(0);
            database.execute(meanwhile).await;
            let found = database.dump_schema();
            let failed = database.crossfade(&["advance", "x"]).exits(1);
            assert!(failed.stderr.contains(told), "{change}: {}", failed.stderr);
            let back = database.crossfade(&["rollback", "x", "--yes"]).exits(0);
            assert!(
                told.contains("label") && told.starts_with("is not an")
                    || back.stderr.contains("had changed nothing"),
                "{change}: {}",
                back.stderr
            );
            assert_eq!(database.dump_schema(), found, "{change}");
        }
        database
            .execute("ALTER TABLE items DROP COLUMN note; DROP INDEX parts_item, later")
            .await;
        assert_eq!(database.dump_schema(), original);
    });
}

#[test]
fn statements_that_leave_their_question_unanswered_are_rolled_back() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let original = database.dump_schema();
        let change = "sql: {name: s, forward: ALTER TABLE public.items ADD COLUMN c text, \
                      reverse: ALTER TABLE public.items DROP COLUMN c, done_when: SELECT false}";
        let file = plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"));
        let path = file.path().to_str().expect("a path");
        database.crossfade(&["start", path]).exits(0);
        let failed = database.crossfade(&["advance", "x"]).exits(1);
        assert!(
            failed.stderr.contains("`done_when` is not true after them"),
            "{}",
            failed.stderr
        );
        assert_eq!(database.dump_schema(), original);
        database.crossfade(&["rollback", "x", "--yes"]).exits(0);
        assert_eq!(database.dump_schema(), original);
    });
}

#[test]
fn a_row_that_is_in_the_way_is_told_by_its_key() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database
            .execute("UPDATE items SET name = NULL WHERE id = 42")
            .await;
        for (change, told) in [
            ("set_not_null: {table: items, column: name}", r#"{"id":42}"#),
            (
                "add_check: {table: items, name: c, check: id <> 7}",
                r#"{"id":7}"#,
            ),
            (
                "add_unique: {table: items, columns: [price]}",
                r#"{"price":1.0"#,
            ),
        ] {
            let file = plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"));
            let path = file.path().to_str().expect("a path");
            database.crossfade(&["start", path]).exits(0);
            let failed = database.crossfade(&["advance", "x"]).exits(1);
            assert!(failed.stderr.contains(told), "{}", failed.stderr);
            database.crossfade(&["rollback", "x", "--yes"]).exits(0);
        }
    });
}

#[test]
fn what_is_wrong_is_said_once_and_what_would_be_lost_is_warned_of() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        let wrong = check(
            database,
            "add_check: {table: items, name: c, check: prise > 0}",
        )
        .exits(1);
        assert_eq!(
            wrong.stderr.matches("error: ").count(),
            1,
            "{}",
            wrong.stderr
        );
        let braces = check(
            database,
            "add_column: {table: items, column: c, type: numeric(12,2)}",
        );
        let told = braces.exits(1).stderr;
        assert!(told.contains("stands in quotes"), "{told}");
        let lossy = "transform_columns: {table: items, from: [name, price], to: {label: {type: text}}, \
                     forward: {label: name}, backward: {name: label, price: \"0\"}}";
        let warned = check(database, lossy).exits(0).stdout;
        assert!(
            warned.contains("no new column is computed from price"),
            "{warned}"
        );
    });
}

#[test]
fn before_contract_it_is_said_that_there_is_no_way_back_and_after_it_why() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        // What depends on its columns and goes with them, in its partitions too.
        database
            .execute(
                "ALTER TABLE measured ADD number serial; \
                 CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; \
                 CREATE TRIGGER noted AFTER UPDATE OF at ON measured FOR EACH ROW EXECUTE FUNCTION noted()",
            )
            .await;
        let file = plan_file("version: 1\nname: x\nchange:\n  drop_table: {table: measured}\n");
        let path = file.path().to_str().expect("a path");
        database.crossfade(&["start", path]).exits(0);
        let retired = database.crossfade(&["advance", "x"]).exits(0).stderr;
        assert!(
            retired.contains("runs contract, which cannot be undone"),
            "{retired}"
        );
        database.crossfade(&["advance", "x", "--yes"]).exits(0);
        let refused = database
            .crossfade(&["rollback", "x", "--yes"])
            .exits(1)
            .stderr;
        assert!(refused.contains("`contract` has completed"), "{refused}");
    });
}

#[test]
fn new_knows_every_recipe() {
    on_postgresql(async |database| {
        let listed = database
            .crossfade(&["new", "--list", "--format", "json"])
            .exits(0);
        let recipes = listed.json();
        assert!(
            recipes.as_array().is_some_and(|list| list.len() > 25),
            "{recipes}"
        );
        let text = database.crossfade(&["new"]).exits(0).stdout;
        for recipe in recipes.as_array().expect("a list") {
            let name = recipe["name"].as_str().expect("a name");
            assert!(text.contains(name), "{name}");
        }
        let index = [
            "new",
            "add-index",
            "table=public.items",
            "columns=[a, b]",
            "unique=true",
        ];
        let written = database.crossfade(&index).exits(0).stdout;
        assert!(written.contains("columns: [a, b]"), "{written}");
        let unknown = database
            .crossfade(&["new", "add_idnex", "table=t"])
            .exits(2);
        assert!(unknown.stderr.contains("no recipe"), "{}", unknown.stderr);
    });
}

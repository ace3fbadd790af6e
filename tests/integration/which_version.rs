//! Which version an INSERT is from, told by the columns that its statement names: a NULL that the new version gives stays one,
//! although the old column has a default; a column that is left out gets that default. In every shape of statement.

use crate::support::{Database, on_postgresql, plan_file};
use futures_util::SinkExt;
use tokio_postgres::Client;

fn start(database: &Database, plan: &str) {
    let file = plan_file(plan);
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
}

fn advance(database: &Database, run: &str, phase: &str) {
    let arguments = ["advance", run, "--to", phase, "--yes"];
    database.crossfade(&arguments).exits(0);
}

/// What a statement gives for the column of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    Null,
    Value,
    Default,
    /// It does not name the column.
    Nothing,
}

const GIVES: [Gives; 4] = [Gives::Null, Gives::Value, Gives::Default, Gives::Nothing];

/// How a row of these columns and values is inserted; `{id}` is its key. One statement for each line.
const SHAPES: [&str; 13] = [
    "INSERT INTO {table} ({columns}) VALUES ({values})",
    "/* {other} */ insert into\tpublic . \"{table}\" AS z ({columns}) -- {other}, ({other})\n VALUES ({values}) RETURNING {other}, *",
    "INSERT INTO {table} (note, {columns}) OVERRIDING USER VALUE VALUES ('it''s {other} (DEFAULT), \"{other}\"', {values}), (E'\\'{other}', {more})",
    "INSERT INTO {table} ({columns}, note) VALUES ({values}, $$insert into {table} ({other})$$) ON CONFLICT (id) DO UPDATE SET note = excluded.{other}",
    "WITH w AS (INSERT INTO {table} ({columns}) VALUES ({values}) RETURNING {other}) SELECT count({other}) FROM w",
    "INSERT INTO {table} ({columns}) SELECT {values}",
    "INSERT INTO audit (id, {other}) VALUES (1, NULL); INSERT INTO {table} ({columns}) VALUES ({values})",
    "PREPARE one AS INSERT INTO {table} ({columns}) VALUES ({values})\nEXECUTE one\nDEALLOCATE one",
    "DO $do$ BEGIN INSERT INTO {table} ({columns}) VALUES ({values}); PERFORM {id} AS {other}; END $do$",
    "DO $do$ BEGIN EXECUTE 'INSERT INTO {table} ({columns}) VALUES ({quoted})'; END $do$",
    "SELECT write_row({id}, '{columns}', '{quoted}', '{other}')",
    "INSERT INTO by_trigger (columns, values) VALUES ('{columns}', '{quoted}')",
    "MERGE INTO {table} USING (VALUES (NULL)) AS s ({other}) ON {table}.id = {id} WHEN MATCHED THEN UPDATE SET note = s.{other}\
     \tWHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})",
];

/// What the shapes need beside the table.
const BESIDE: &str = "CREATE TABLE audit (id bigint, status text, st text, other text); \
    CREATE FUNCTION write_row(id bigint, columns text, given text, other text) RETURNS void LANGUAGE plpgsql AS \
        $$ BEGIN EXECUTE 'INSERT INTO things (' || columns || ') VALUES (' || given || ')'; END $$; \
    CREATE TABLE by_trigger (columns text, values text); \
    CREATE FUNCTION pass_on() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN EXECUTE 'INSERT INTO things (' || new.columns || ') VALUES (' || new.values || ')'; RETURN new; END $$; \
    CREATE TRIGGER pass_on BEFORE INSERT ON by_trigger FOR EACH ROW EXECUTE FUNCTION pass_on();";

/// The statements of a shape; `None` where it has no such thing.
fn statements(shape: &str, id: i64, column: &str, other: &str, gives: Gives) -> Option<String> {
    if gives == Gives::Default && shape.contains("SELECT {values}") {
        return None;
    }
    let value = match gives {
        Gives::Null | Gives::Nothing => "NULL",
        Gives::Value => "'given'",
        Gives::Default => "DEFAULT",
    };
    // What is left out must be named by nothing but the column list.
    let column = match gives {
        Gives::Nothing => "remark",
        Gives::Null | Gives::Value | Gives::Default => column,
    };
    let values = format!("{id}, {value}");
    let more = format!("{}, {value}", id + 1);
    Some(
        shape
            .replace("{values}", &values)
            .replace("{quoted}", &values.replace('\'', "''"))
            .replace("{more}", &more)
            .replace("{columns}", &format!("id, {column}"))
            .replace("{other}", other)
            .replace("{table}", "things")
            .replace("{id}", &id.to_string()),
    )
}

/// Both sides of a row, as text.
async fn row(client: &Client, columns: &str, id: i64) -> (Option<String>, Option<String>) {
    let sql = format!("SELECT {columns} FROM things WHERE id = $1");
    let row = client.query_one(&sql, &[&id]).await.expect("the row");
    (row.get(0), row.get(1))
}

struct Case<'a> {
    old: &'a str,
    new: &'a str,
    /// Both sides of a row with the default, as text.
    default: (&'a str, &'a str),
    /// `'given'` as each version writes it, in both sides.
    given: [(&'a str, &'a str); 2],
    /// What a NULL of each version is in both sides.
    null: [(Option<&'a str>, Option<&'a str>); 2],
    versions: &'a [usize],
}

/// Every shape of every version in a table that is kept in step.
async fn every_shape(database: &Database, client: &Client, case: &Case<'_>, first_id: i64) {
    let can_merge = client
        .query_one(
            "SELECT current_setting('server_version_num')::int >= 150000",
            &[],
        )
        .await
        .expect("the version")
        .get::<_, bool>(0);
    let mut id = first_id;
    for shape in SHAPES {
        if shape.starts_with("MERGE") && !can_merge {
            continue;
        }
        for &version in case.versions {
            let (own, other) = if version == 0 {
                (case.old, case.new)
            } else {
                (case.new, case.old)
            };
            for gives in GIVES {
                id += 10;
                let Some(sql) = statements(shape, id, own, other, gives) else {
                    continue;
                };
                for statement in sql.split('\n').filter(|_| shape.starts_with("PREPARE")) {
                    let done = client.batch_execute(statement).await;
                    done.unwrap_or_else(|error| panic!("{error:?}: {statement}"));
                }
                if !shape.starts_with("PREPARE") {
                    let done = client.batch_execute(&sql).await;
                    done.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
                }
                let some = |(old, new): (&str, &str)| (Some(old.to_owned()), Some(new.to_owned()));
                let expected = match gives {
                    Gives::Null => {
                        let (old, new) = case.null[version];
                        (old.map(str::to_owned), new.map(str::to_owned))
                    }
                    Gives::Value => some(case.given[version]),
                    // A DEFAULT of the new column is that of the old one until `contract`.
                    Gives::Default | Gives::Nothing => some(case.default),
                };
                let columns = format!("{}::text, {}::text", case.old, case.new);
                let ids = if shape.contains("{more}") {
                    id..=id + 1
                } else {
                    id..=id
                };
                for id in ids {
                    assert_eq!(row(client, &columns, id).await, expected, "{sql}");
                }
            }
        }
    }
    let untold = database.status("r")["untold_writes"].clone();
    assert_eq!(untold, 0, "every one of these could be told");
}

const THINGS: &str = "CREATE TABLE things (id bigint PRIMARY KEY, status text DEFAULT 'active', note text, remark text);";

const RENAME: &str =
    "version: 1\nname: r\nchange:\n  rename_column: {table: public.things, from: status, to: st}\n";

const COPIED: Case<'static> = Case {
    old: "status",
    new: "st",
    default: ("active", "active"),
    given: [("given", "given"), ("given", "given")],
    null: [(None, None), (None, None)],
    versions: &[0, 1],
};

#[test]
fn a_null_that_the_new_version_gives_stays_one_however_it_is_written() {
    on_postgresql(async |database| {
        database.execute(&format!("{THINGS} {BESIDE}")).await;
        start(database, RENAME);
        advance(database, "r", "dual_write");
        let client = database.client().await;
        every_shape(database, &client, &COPIED, 100_000).await;
        prepared_and_copied(&client, "status", "st", 10_000).await;
        advance(database, "r", "switch_reads");
        every_shape(database, &client, &COPIED, 200_000).await;
        let before = "SELECT md5(string_agg(id || coalesce(st, '-'), ',' ORDER BY id)) FROM things";
        let rows = database.value(before).await;
        let found = database.crossfade(&["verify", "r", "--format", "json"]);
        assert_eq!(found.exits(0).json()["rows_different"], 0);
        // The old column has another name then, and nobody names it.
        advance(database, "r", "retire");
        let retired = Case {
            old: "status_crossfade_retired",
            versions: &[1],
            ..COPIED
        };
        assert_eq!(database.value(before).await, rows);
        database
            .execute("ALTER TABLE audit ADD COLUMN status_crossfade_retired text")
            .await;
        every_shape(database, &client, &retired, 300_000).await;
        prepared_and_copied(&client, "status_crossfade_retired", "st", 30_000).await;
        advance(database, "r", "contract");
    });
}

/// Through the extended protocol, and COPY.
async fn prepared_and_copied(client: &Client, old: &str, new: &str, id: i64) {
    let columns = format!("{old}, {new}");
    let null: Option<&str> = None;
    let insert = client
        .prepare(&format!(
            "INSERT INTO things (id, {new}) VALUES ($1, $2), ($1 + 1, $2) RETURNING {old}"
        ))
        .await
        .expect("it is prepared");
    let left_out = client
        .prepare(&format!(
            "INSERT INTO things (id, note) VALUES ($1, $2) RETURNING {new}"
        ))
        .await
        .expect("it is prepared");
    for id in [id, id + 10] {
        client
            .execute(&insert, &[&id, &null])
            .await
            .expect("written");
        client
            .execute(&left_out, &[&(id + 2), &null])
            .await
            .expect("written");
        for null in [id, id + 1] {
            assert_eq!(row(client, &columns, null).await, (None, None));
        }
        let default = Some("active".to_owned());
        assert_eq!(
            row(client, &columns, id + 2).await,
            (default.clone(), default)
        );
    }
    for (id, list, line, expected) in [
        (id + 20, format!("(id, {new})"), "\\N", None),
        (
            id + 21,
            format!("(\"id\", \"{new}\", note)"),
            "\\N\tstatus",
            None,
        ),
        (
            id + 22,
            "(id, note)".to_owned(),
            "st",
            Some("active".to_owned()),
        ),
    ] {
        let lines = format!("{id}\t{line}\n").into_boxed_str();
        let copied: &'static [u8] = Box::leak(lines).as_bytes();
        let sink = client
            .copy_in::<_, &'static [u8]>(&format!("COPY things {list} FROM STDIN"))
            .await
            .expect("COPY");
        let mut sink = std::pin::pin!(sink);
        sink.send(copied).await.expect("sent");
        sink.finish().await.expect("copied");
        let found = row(client, &columns, id).await;
        assert_eq!(found, (expected.clone(), expected), "COPY {list}");
    }
}

#[test]
fn a_null_that_the_new_version_gives_is_converted_and_stays_one() {
    on_postgresql(async |database| {
        database
            .execute(&format!(
                "CREATE TABLE things (id bigint PRIMARY KEY, status text DEFAULT 'active', note text, remark text); {BESIDE}"
            ))
            .await;
        start(
            database,
            "version: 1\nname: r\nchange:\n  change_column_type:\n    table: public.things\n    column: status\n    to: st\n    type: text\n    \
             forward: upper(status)\n    backward: lower(st)\n",
        );
        let case = Case {
            default: ("active", "ACTIVE"),
            given: [("given", "GIVEN"), ("given", "given")],
            ..COPIED
        };
        let client = database.client().await;
        for (phase, first) in [("dual_write", 100_000), ("switch_reads", 200_000)] {
            advance(database, "r", phase);
            every_shape(database, &client, &case, first).await;
        }
    });
}

#[test]
fn nulls_in_several_new_columns_are_told_from_columns_that_were_left_out() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE people (id bigint PRIMARY KEY, full_name text DEFAULT 'no body', note text);
                 CREATE TABLE items (id bigint PRIMARY KEY, item_name text DEFAULT 'thing', lot integer DEFAULT 7, note text)",
            )
            .await;
        start(
            database,
            "version: 1\nname: split\nchange:\n  split_column:\n    table: public.people\n    column: full_name\n    \
             into: {first_name: {type: text}, last_name: {type: text}}\n    \
             forward: {first_name: \"nullif(split_part(full_name, ' ', 1), '')\", last_name: \"nullif(split_part(full_name, ' ', 2), '')\"}\n    \
             backward: \"nullif(concat_ws(' ', first_name, last_name), '')\"\n",
        );
        start(
            database,
            "version: 1\nname: merge\nchange:\n  merge_columns:\n    table: public.items\n    columns: [item_name, lot]\n    to: sku\n    type: text\n    \
             forward: \"item_name || '/' || coalesce(lot::text, '')\"\n    backward: {lot: \"nullif(split_part(sku, '/', 2), '')::integer\"}\n    keep: [item_name]\n",
        );
        for run in ["split", "merge"] {
            advance(database, run, "dual_write");
        }
        for phase in ["dual_write", "switch_reads"] {
            for (table, sql, columns, expected) in [
                (
                    "people",
                    "(id, first_name, last_name) VALUES (1, NULL, NULL)",
                    "full_name, first_name, last_name",
                    "(,,)",
                ),
                (
                    "people",
                    "(id, last_name) VALUES (1, NULL), (2, NULL)",
                    "full_name, first_name, last_name",
                    "(,,)",
                ),
                (
                    "people",
                    "(id, first_name, last_name) VALUES (1, DEFAULT, DEFAULT)",
                    "full_name, first_name, last_name",
                    "(\"no body\",no,body)",
                ),
                (
                    "people",
                    "(id, first_name, last_name) VALUES (1, DEFAULT, NULL)",
                    "full_name, first_name, last_name",
                    "(,,)",
                ),
                (
                    "people",
                    "(id, first_name, last_name) VALUES (1, NULL, 'x')",
                    "full_name, first_name, last_name",
                    "(x,,x)",
                ),
                (
                    "people",
                    "(id, note) VALUES (1, 'first_name') RETURNING first_name",
                    "full_name, first_name, last_name",
                    "(\"no body\",no,body)",
                ),
                (
                    "people",
                    "(id, full_name) VALUES (1, NULL)",
                    "full_name, first_name, last_name",
                    "(,,)",
                ),
                // The column that stays is named by both versions.
                (
                    "items",
                    "(id, item_name, sku) VALUES (1, 'nut', NULL)",
                    "item_name, lot, sku",
                    "(nut,,)",
                ),
                (
                    "items",
                    "(id, item_name) VALUES (1, 'nut')",
                    "item_name, lot, sku",
                    "(nut,7,nut/7)",
                ),
                (
                    "items",
                    "(id, item_name, lot) VALUES (1, 'nut', NULL)",
                    "item_name, lot, sku",
                    "(nut,,nut/)",
                ),
                (
                    "items",
                    "(id, sku) VALUES (1, NULL)",
                    "item_name, lot, sku",
                    "(thing,,)",
                ),
            ] {
                let sql = format!("DELETE FROM {table} WHERE id < 3; INSERT INTO {table} {sql}");
                database.execute(&sql).await;
                let found = format!("SELECT ROW({columns}) FROM {table} WHERE id = 1");
                assert_eq!(database.value(&found).await, expected, "{phase}: {sql}");
            }
            for run in ["split", "merge"] {
                advance(database, run, "switch_reads");
            }
        }
    });
}

#[test]
fn defaults_of_domains_and_defaults_that_are_computed_are_told_by_the_statement() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE DOMAIN kind AS text DEFAULT 'plain'; CREATE SEQUENCE numbers;
                 CREATE TABLE things (id bigint PRIMARY KEY, status kind, note text);
                 CREATE TABLE numbered (id bigint PRIMARY KEY, status text DEFAULT 'n' || nextval('numbers'), note text)",
            )
            .await;
        for (run, table) in [("r", "things"), ("n", "numbered")] {
            let plan = match table {
                "numbered" => RENAME.replace("name: r", "name: n").replace("things", table),
                _ => "version: 1\nname: r\nchange:\n  change_column_type:\n    table: public.things\n    column: status\n    to: st\n    type: text\n    \
                      forward: status::text\n    backward: st::public.kind\n".to_owned(),
            };
            start(database, &plan);
            advance(database, run, "dual_write");
            database
                .execute(&format!(
                    "INSERT INTO {table} (id, st) VALUES (1, NULL); INSERT INTO {table} (id, st) VALUES (2, NULL), (3, NULL)"
                ))
                .await;
            database
                .execute(&format!("INSERT INTO {table} (id, note) VALUES (4, 'st')"))
                .await;
            let found = format!(
                "SELECT ARRAY(SELECT ROW(id, status IS NULL, st IS NULL, status = st) FROM {table} ORDER BY id)::text"
            );
            assert_eq!(
                database.value(&found).await,
                "{\"(1,t,t,)\",\"(2,t,t,)\",\"(3,t,t,)\",\"(4,f,f,t)\"}",
                "{table}"
            );
        }
    });
}

#[test]
fn a_label_that_is_renamed_and_a_default_fails_no_write() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TYPE kind AS ENUM ('plain', 'it''s', 'own'); \
                 CREATE TABLE things (id bigint PRIMARY KEY, status kind NOT NULL DEFAULT 'it''s', note text); \
                 INSERT INTO things SELECT generate_series(1, 3)",
            )
            .await;
        start(database, RENAME);
        advance(database, "r", "dual_write");
        let inserts = "INSERT INTO things (id, note) VALUES (%0, 'neither'); INSERT INTO things (id, status) VALUES (%1, 'own'); \
             INSERT INTO things (id, st) VALUES (%2, 'own'); UPDATE things SET status = 'plain' WHERE id = %0";
        let written = "SELECT ARRAY(SELECT ROW(status, st) FROM things WHERE id >= 10 AND id % 10 < 3 ORDER BY id)::text";
        database.execute(&inserts.replace('%', "1")).await;
        let before = database.value(written).await;
        assert_eq!(before, "{\"(plain,plain)\",\"(own,own)\",\"(own,own)\"}");
        database
            .execute("ALTER TYPE kind RENAME VALUE 'it''s' TO 'is'")
            .await;
        database.execute("DELETE FROM things WHERE id >= 10").await;
        database.execute(&inserts.replace('%', "1")).await;
        assert_eq!(database.value(written).await, before);
        advance(database, "r", "verify");
        database.execute("DELETE FROM things WHERE id >= 10").await;
        database.execute(&inserts.replace('%', "1")).await;
        assert_eq!(database.value(written).await, before);
        // What is to become the new column's default has no such label: that closes the gate, and there is a way back.
        database
            .crossfade(&["advance", "r", "--to", "retire"])
            .exits(3);
        database.crossfade(&["rollback", "r", "--yes"]).exits(0);
        let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'things'::regclass AND attname = 'st'";
        assert_eq!(database.value(columns).await, "0");
    });
}

#[test]
fn a_default_of_a_new_column_is_refused_as_it_would_pass_for_a_value_of_the_new_version() {
    on_postgresql(async |database| {
        database
            .execute(&format!(
                "{THINGS} ALTER TABLE things ADD COLUMN there text DEFAULT 'x';"
            ))
            .await;
        let checked = |add: &str, column: &str| {
            let plan = format!(
                "version: 1\nname: r\nphases:\n- phase: expand\n  steps: [{add}]\n- phase: dual_write\n  steps:\n  \
                 - sync_columns: {{table: public.things, forward: {{{column}: status}}, backward: {{status: {column}}}}}\n\
                 - phase: backfill\n  steps:\n  - fill: {{table: public.things, set: {{{column}: status}}}}\n"
            );
            let file = plan_file(&plan);
            let said = database.crossfade(&["check", file.path().to_str().expect("a path")]);
            (said.code, said.stderr)
        };
        let added = "{add_column: {table: public.things, column: st, type: text}}";
        let set = "{set_default: {table: public.things, column: st, default: \"'d'\"}}";
        let with = |more: &str| {
            format!(
                "{{add_column: {{table: public.things, column: st, type: text, default: \"'d'\"{more}}}}}"
            )
        };
        for (add, column, is_refused) in [
            (added.to_owned(), "st", false),
            (format!("{added}, {set}"), "st", true),
            (with(", default_for: new_rows"), "st", true),
            (with(""), "st", true),
            (String::new(), "there", true),
        ] {
            let (code, said) = checked(&add, column);
            let says = said.contains("has a default while it is kept in step");
            assert_eq!(
                (says, code == Some(0)),
                (is_refused, !is_refused),
                "{add}: {said}"
            );
        }
    });
}

#[test]
fn what_cannot_be_told_gets_the_default_is_counted_and_shown() {
    on_postgresql(async |database| {
        database
            .execute(&format!(
                "{THINGS} CREATE VIEW seen AS SELECT id FROM things;"
            ))
            .await;
        start(database, RENAME);
        advance(database, "r", "dual_write");
        let shown = "inserts that may have meant NULL in a new column: ";
        assert!(
            !database
                .crossfade(&["status", "r"])
                .exits(0)
                .stdout
                .contains(shown)
        );
        database
            .execute("CREATE FUNCTION add_thing(bigint) RETURNS void LANGUAGE sql AS 'INSERT INTO things (id, st) VALUES ($1, NULL)'")
            .await;
        for (number, sql) in [
            // A function in SQL shows nothing of its text.
            "SELECT add_thing(1)",
            // Rows of one statement differ in it.
            "INSERT INTO things (id, st) VALUES (1, DEFAULT), (2, NULL)",
            // A view may call its columns otherwise.
            "CREATE OR REPLACE VIEW seen AS SELECT id, st AS other FROM things; INSERT INTO seen (id, other) VALUES (1, NULL)",
            // Which of the two this row is from is not known.
            "INSERT INTO things (id, note) VALUES (2, ''); INSERT INTO things (id, st) VALUES (1, NULL)",
        ]
        .into_iter()
        .enumerate()
        {
            database.execute(&format!("DELETE FROM things; {sql}")).await;
            assert_eq!(
                database.value("SELECT ROW(status, st) FROM things WHERE id = 1").await,
                "(active,active)",
                "{sql}"
            );
            let counted = database.status("r")["untold_writes"].as_i64().expect("a count");
            assert!(counted > number as i64, "{counted} after {sql}");
        }
        database.execute("DROP VIEW seen").await;
        // The value is none that a default gave: the old version's.
        let before = database.status("r")["untold_writes"].clone();
        database
            .execute(
                "CREATE FUNCTION add_old(bigint) RETURNS void LANGUAGE sql AS 'INSERT INTO things (id, status) VALUES ($1, ''busy'')'; SELECT add_old(5)",
            )
            .await;
        assert_eq!(database.status("r")["untold_writes"], before);
        let said = database.crossfade(&["status", "r"]).exits(0).stdout;
        assert!(said.contains(&format!("{shown}{before}")), "{said}");
        // Saying it outright decides.
        database
            .execute("ALTER FUNCTION add_thing SET crossfade.writer = 'new'; SELECT add_thing(6)")
            .await;
        assert_eq!(
            database
                .value("SELECT ROW(status, st) FROM things WHERE id = 6")
                .await,
            "(,)"
        );
        assert_eq!(database.status("r")["untold_writes"], before);
        // What was counted outlives the counter.
        advance(database, "r", "contract");
        assert_eq!(database.status("r")["untold_writes"], before);
    });
}

#[test]
fn a_name_in_unicode_notation_is_read_like_one_in_quotation_marks() {
    on_postgresql(async |database| {
        database.execute(THINGS).await;
        start(database, RENAME);
        advance(database, "r", "dual_write");
        for (sql, row, is_untold) in [
            (
                r#"INSERT INTO things (id, U&"st") VALUES (1, NULL)"#,
                "(,)",
                false,
            ),
            (
                r#"insert into things (id, u&"st") values (1, null)"#,
                "(,)",
                false,
            ),
            (
                r#"INSERT INTO U&"things" (id, "st") VALUES (1, NULL)"#,
                "(,)",
                false,
            ),
            (
                r#"INSERT INTO things (id, U&"st", note) VALUES (1, NULL, U&'caf\00e9')"#,
                "(,)",
                false,
            ),
            (
                r#"INSERT INTO things (id, U&"status") VALUES (1, NULL)"#,
                "(,)",
                false,
            ),
            // With an escape it cannot be told.
            (
                r#"INSERT INTO things (id, U&"st", U&"n\006fte") VALUES (1, NULL, '')"#,
                "(active,active)",
                true,
            ),
        ] {
            let before = database.status("r")["untold_writes"].clone();
            database
                .execute(&format!("DELETE FROM things; {sql}"))
                .await;
            let found = "SELECT ROW(status, st) FROM things WHERE id = 1";
            assert_eq!(database.value(found).await, row, "{sql}");
            let after = database.status("r")["untold_writes"].clone();
            assert_eq!(before != after, is_untold, "{sql}: {before}, {after}");
        }
    });
}

#[test]
fn a_long_statement_is_told_once_for_all_its_rows() {
    on_postgresql(async |database| {
        database.execute(THINGS).await;
        start(database, RENAME);
        advance(database, "r", "dual_write");
        let rows = |from: i64, value: &str| {
            let rows: Vec<String> = (from..from + 4_000)
                .map(|id| format!("({id}, {value}, 'status of {id}')"))
                .collect();
            rows.join(", ")
        };
        // One after the other in one transaction: the answer for one statement is none for the next.
        let client = database.client().await;
        client.batch_execute("BEGIN").await.expect("it begins");
        for (from, columns, value) in [
            (0, "id, st, note", "NULL"),
            (100_000, "id, status, note", "'active'"),
            (200_000, "id, st, note", "NULL"),
        ] {
            let sql = format!(
                "INSERT INTO things ({columns}) VALUES {}",
                rows(from, value)
            );
            client.batch_execute(&sql).await.expect("written");
        }
        client.batch_execute("COMMIT").await.expect("it commits");
        let found = "SELECT string_agg(n || ' ' || coalesce(status, '-') || ' ' || coalesce(st, '-'), ', ' ORDER BY s) \
             FROM (SELECT id / 100000 AS s, status, st, count(*) AS n FROM things GROUP BY 1, 2, 3) AS q";
        assert_eq!(
            database.value(found).await,
            "4000 - -, 4000 active active, 4000 - -"
        );
        assert_eq!(database.status("r")["untold_writes"], 0);
    });
}

#[test]
fn what_an_application_says_of_itself_loses_no_value_that_it_gives() {
    on_postgresql(async |database| {
        database
            .execute(&format!(
                "{THINGS} CREATE TABLE plain (id bigint PRIMARY KEY, status text, note text);"
            ))
            .await;
        for (run, table) in [("r", "things"), ("p", "plain")] {
            let plan = RENAME
                .replace("name: r", &format!("name: {run}"))
                .replace("things", table);
            start(database, &plan);
            advance(database, run, "dual_write");
            let default = if table == "things" { "active" } else { "" };
            for (number, (writer, sql, expected)) in [
                ("old", "(id, st) VALUES ({id}, 'x')", "(x,x)".to_owned()),
                ("old", "(id, st) VALUES ({id}, NULL)", "(,)".to_owned()),
                (
                    "old",
                    "(id, note) VALUES ({id}, 'st')",
                    format!("({default},{default})"),
                ),
                ("old", "(id, status) VALUES ({id}, 'x')", "(x,x)".to_owned()),
                (
                    "old",
                    "(id, status, st) VALUES ({id}, 'x', 'y')",
                    "(x,x)".to_owned(),
                ),
                ("new", "(id, status) VALUES ({id}, 'x')", "(x,x)".to_owned()),
                (
                    "new",
                    "(id, note) VALUES ({id}, 'st')",
                    format!("({default},{default})"),
                ),
                ("new", "(id, st) VALUES ({id}, NULL)", "(,)".to_owned()),
                (
                    "new",
                    "(id, status, st) VALUES ({id}, 'x', 'y')",
                    "(y,y)".to_owned(),
                ),
            ]
            .into_iter()
            .enumerate()
            {
                let sql = format!(
                    "INSERT INTO {table} {}",
                    sql.replace("{id}", &number.to_string())
                );
                database
                    .execute(&format!("SET crossfade.writer = '{writer}'; {sql}"))
                    .await;
                let found = format!("SELECT ROW(status, st) FROM {table} WHERE id = {number}");
                assert_eq!(database.value(&found).await, expected, "{writer}: {sql}");
            }
        }
    });
}

#[test]
fn a_null_that_the_new_version_gives_stays_one_where_the_old_side_is_another_table() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE parents (id bigint PRIMARY KEY, note text);
                 CREATE TABLE children (parent_id bigint UNIQUE, label text DEFAULT 'plain');",
            )
            .await;
        start(
            database,
            "version: 1\nname: fold\nchange:\n  fold_table:\n    table: public.children\n    into: public.parents\n    by: {id: parent_id}\n    \
             columns: {label: {type: text}}\n    forward: {label: \"coalesce(label, 'none')\"}\n    backward: {label: \"nullif(label, 'none')\"}\n",
        );
        advance(database, "fold", "dual_write");
        database
            .execute(
                "INSERT INTO parents (id, note) VALUES (2, 'label'); INSERT INTO children (parent_id) VALUES (2);",
            )
            .await;
        database
            .execute("INSERT INTO parents (id, label) VALUES (1, NULL)")
            .await;
        for (sql, expected) in [
            ("SELECT label FROM parents WHERE id = 1", "NULL"),
            ("SELECT label FROM parents WHERE id = 2", "plain"),
        ] {
            assert_eq!(database.value(sql).await, expected, "{sql}");
        }
    });
}

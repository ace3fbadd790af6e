//! Settings that the application's sessions may have change nothing of what the triggers compute, nor of how they tell which version
//! wrote.

use crate::support::{Database, on_postgresql, plan_file};

const RUN: &str = "run";

async fn start(database: &Database, tables: &str, change: &str) {
    database.execute(tables).await;
    let file = plan_file(&format!("version: 1\nname: {RUN}\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
    database
        .crossfade(&["advance", RUN, "--to", "backfill"])
        .exits(0);
}

const SETTINGS: [&str; 14] = [
    "standard_conforming_strings = off; SET escape_string_warning = off",
    "array_nulls = off",
    "transform_null_equals = on",
    "quote_all_identifiers = on",
    "backslash_quote = off",
    "extra_float_digits = -10",
    "bytea_output = escape",
    "DateStyle = 'German, DMY'",
    "IntervalStyle = sql_standard",
    "TimeZone = 'Asia/Kathmandu'",
    "xmloption = document",
    "search_path = pg_temp",
    "default_text_search_config = 'pg_catalog.german'",
    "statement_timeout = 60000; SET check_function_bodies = off; SET client_min_messages = error; SET row_security = off; SET plan_cache_mode = force_generic_plan",
];

/// Target, type, and an expression over `status`.
const EXPRESSIONS: [(&str, &str, &str); 9] = [
    ("a1", "text", r"regexp_replace(status, '\d+', '#')"),
    ("a2", "text[]", "'{NULL,b}'::text[] || status"),
    (
        "a3",
        "text",
        "CASE WHEN nullif(status, status) = NULL THEN 'x' ELSE status END",
    ),
    ("a4", "text", "quote_ident(status)"),
    ("a5", "text", r"'a\b' || status"),
    (
        "a6",
        "text",
        "(length(status) / 3.0::double precision)::text",
    ),
    ("a7", "text", "convert_to(status, 'UTF8')::text"),
    ("a8", "text", "format('%I', status)"),
    ("a9", "text", r"E'it\'s ' || status"),
];

#[test]
fn what_the_triggers_compute_is_the_same_in_every_session() {
    on_postgresql(async |database| {
        let columns: Vec<String> = EXPRESSIONS
            .iter()
            .map(|(name, kind, _)| format!("{name}: {{type: '{kind}'}}"))
            .collect();
        let forward: Vec<String> = EXPRESSIONS
            .iter()
            .map(|(name, _, expression)| format!("{name}: '{}'", expression.replace('\'', "''")))
            .collect();
        start(
            database,
            "CREATE TABLE t (id integer PRIMARY KEY, status text); INSERT INTO t SELECT i, 's' || i FROM generate_series(1, 20) AS i",
            &format!(
                "transform_columns: {{table: public.t, from: [status], to: {{{}}}, forward: {{{}}}, backward: {{status: a4}}}}",
                columns.join(", "),
                forward.join(", ")
            ),
        )
        .await;
        for (number, setting) in SETTINGS.iter().enumerate() {
            let id = 100 + number;
            database
                .execute(&format!(
                    "SET {setting}; INSERT INTO public.t (id, status) VALUES ({id}, 'q7d'); UPDATE public.t SET status = 'n42 x' WHERE id = {number} + 1"
                ))
                .await;
            for (name, kind, expression) in EXPRESSIONS {
                let wrong = database
                    .value(&format!(
                        "SELECT coalesce(string_agg(id || ': ' || {name}::text, ', '), 'none') FROM t WHERE {name} IS DISTINCT FROM ({expression})::{kind}"
                    ))
                    .await;
                assert_eq!(wrong, "none", "{setting}: {expression}");
            }
        }
    });
}

#[test]
fn a_null_of_the_new_version_is_one_in_every_session() {
    on_postgresql(async |database| {
        start(
            database,
            "CREATE TABLE t (id integer PRIMARY KEY, status text DEFAULT 'new'); INSERT INTO t SELECT i, 's' || i FROM generate_series(1, 20) AS i",
            "rename_column: {table: public.t, from: status, to: st}",
        )
        .await;
        for (number, setting) in SETTINGS.iter().enumerate() {
            let id = 100 + 4 * number;
            for statement in [
                format!("INSERT INTO public.\"t\"(\"id\",\"st\") VALUES ({id}, null)"),
                format!("INSERT INTO public.t AS x (id, st) VALUES ({id} + 1, NULL) /* it's */"),
                format!("INSERT INTO public.t (id, st) SELECT {id} + 2, NULL"),
            ] {
                // A statement of its own: the text of all of one message would be looked at.
                let client = database.client().await;
                client
                    .batch_execute(&format!("SET {setting}"))
                    .await
                    .expect("a setting");
                client.batch_execute(&statement).await.expect("an insert");
            }
            let found = database
                .value(&format!(
                    "SELECT string_agg(concat(coalesce(status, '-'), coalesce(st, '-')), ',' ORDER BY id) FROM t WHERE id BETWEEN {id} AND {id} + 3"
                ))
                .await;
            assert_eq!(found, "--,--,--", "{setting}");
        }
    });
}

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

/// Settings that a session may have and that change what a value is as text, or what a text is as a value: how it may be set otherwise,
/// and an expression over `a text, f float8, t timestamptz, i interval, b bytea, m money, n numeric` that then gives something else.
const OF_VALUES: [(&str, &str, &str); 18] = [
    ("DateStyle", "'German, DMY'", "t::text"),
    ("IntervalStyle", "sql_standard", "i::text"),
    ("TimeZone", "'Asia/Kathmandu'", "concat(t)"),
    (
        "array_nulls",
        "off",
        "array_to_string('{NULL}'::text[] || a::text[], ',', '*')",
    ),
    ("bytea_output", "escape", "b::text"),
    (
        "default_text_search_config",
        "'pg_catalog.german'",
        "to_tsvector(a)::text",
    ),
    ("extra_float_digits", "-10", "format('%s', f)"),
    ("lc_monetary", "$l", "m::text"),
    ("lc_monetary", "$l", "to_json(m)::text"),
    ("lc_numeric", "$l", "to_char(n, '9G999D99')"),
    ("lc_time", "$l", "to_char(t, 'TMMonth')"),
    ("quote_all_identifiers", "on", "quote_ident('a')"),
    ("standard_conforming_strings", "off", "'a\\b' || a"),
    (
        "timezone_abbreviations",
        "'India'",
        "(t AT TIME ZONE 'IST')::text",
    ),
    (
        "timezone_abbreviations",
        "'India'",
        "('2020-01-01 00:00 ' || 'IST'::text || left(a, 0))::timestamptz::text",
    ),
    (
        "transform_null_equals",
        "on",
        "coalesce((nullif(a, a) = NULL)::text, 'none')",
    ),
    ("xmlbinary", "hex", "xmlelement(name x, b)::text"),
    (
        "xmloption",
        "document",
        "xmlserialize(content ('x' || left(a, 0))::xml AS text)",
    ),
];

/// They change no value, or say how a statement is read, planned, waited for or told of.
const OF_NO_VALUE: [&str; 34] = [
    "backslash_quote",
    "client_encoding",
    "client_min_messages",
    "check_function_bodies",
    "createrole_self_grant",
    "default_table_access_method",
    "default_tablespace",
    "default_toast_compression",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "escape_string_warning",
    "event_triggers",
    "gin_fuzzy_search_limit",
    "gin_pending_list_limit",
    "icu_validation_level",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "lc_messages",
    "lo_compat_privileges",
    "lock_timeout",
    "restrict_nonsystem_relation_kind",
    "row_security",
    "search_path",
    "session_replication_role",
    "statement_timeout",
    "synchronize_seqscans",
    "temp_tablespaces",
    "transaction_deferrable",
    "transaction_isolation",
    "transaction_read_only",
    "transaction_timeout",
    "vacuum_truncate",
    "allow_alter_system",
];

/// Walks through the settings that the server has for what statements mean and for how values look: each is one of these.
#[test]
fn every_setting_that_a_value_depends_on_is_pinned() {
    on_postgresql(async |database| {
        let known: Vec<&str> = OF_VALUES
            .iter()
            .map(|(name, ..)| *name)
            .chain(OF_NO_VALUE)
            .collect();
        let unknown = database
            .value(&format!(
                "SELECT coalesce(string_agg(name, ', '), 'none') FROM pg_settings WHERE context IN ('user', 'superuser') \
                 AND (category LIKE 'Client Connection Defaults / Locale%' OR category LIKE 'Client Connection Defaults / Statement%' \
                      OR category LIKE 'Version and Platform%') AND category NOT LIKE '%Preload%' AND name NOT LIKE 'vacuum%' AND NOT name = ANY ('{{{}}}')",
                known.join(",")
            ))
            .await;
        assert_eq!(unknown, "none");
        let other_locale = "SELECT coalesce((SELECT collname FROM pg_collation WHERE collprovider = 'c' AND collname ~ '^(de_DE|fr_FR)([.@].*)?$' LIMIT 1), '')";
        let other_locale = database.value(other_locale).await;
        let cases: Vec<(&str, String, &str)> = OF_VALUES
            .iter()
            .filter(|(_, value, _)| *value != "$l" || !other_locale.is_empty())
            .map(|(name, value, expression)| {
                (
                    *name,
                    value.replace("$l", &format!("'{other_locale}'")),
                    *expression,
                )
            })
            .collect();
        let fields: Vec<String> = (0..cases.len())
            .map(|at| format!("v{at}: {{type: text}}"))
            .collect();
        let forward: Vec<String> = cases
            .iter()
            .enumerate()
            .map(|(at, (.., expression))| format!("v{at}: '{}'", expression.replace('\'', "''")))
            .collect();
        start(
            database,
            "CREATE TABLE t (id integer PRIMARY KEY, a text DEFAULT '{running,NULL}', f float8 DEFAULT 1.23456789012345, t timestamptz DEFAULT '2020-05-06 07:08:09+00', \
                i interval DEFAULT '1 day 02:03:04', b bytea DEFAULT '\\xdeadbeef', m money DEFAULT 1234.5, n numeric DEFAULT 1234.5, status text DEFAULT 's'); \
             INSERT INTO t (id) VALUES (1)",
            &format!(
                "transform_columns: {{table: public.t, from: [status, a, f, t, i, b, m, n], to: {{s: {{type: text}}, {}}}, forward: {{s: status, {}}}, \
                 backward: {{status: s}}, keep: [a, f, t, i, b, m, n]}}",
                fields.join(", "),
                forward.join(", ")
            ),
        )
        .await;
        let client = database.client().await;
        for (at, (name, value, expression)) in cases.iter().enumerate() {
            client.batch_execute("BEGIN").await.expect("a transaction");
            let given = format!("SELECT ({expression})::text FROM t WHERE id = 1");
            let usual: Option<String> = client
                .query_one(&given, &[])
                .await
                .expect(expression)
                .get(0);
            client
                .batch_execute(&format!(
                    "SET LOCAL {name} = {value}; INSERT INTO t (id) VALUES (1000 + {at})"
                ))
                .await
                .expect("an insert");
            // Without this the setting would be none that matters. An error is another value, too.
            let row = client.simple_query(&given).await;
            let differs = match &row {
                Err(_) => true,
                Ok(messages) => messages.iter().any(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0) != usual.as_deref(),
                    _ => false,
                }),
            };
            assert!(differs, "{name} does not change {expression}: {usual:?}");
            if row.is_err() {
                client.batch_execute("ROLLBACK").await.expect("a rollback");
                client
                    .batch_execute(&format!(
                        "BEGIN; SET LOCAL {name} = {value}; INSERT INTO t (id) VALUES (1000 + {at})"
                    ))
                    .await
                    .expect("an insert");
            }
            client.batch_execute("COMMIT").await.expect("a commit");
            let written = database
                .value(&format!(
                    "SELECT coalesce(v{at}, 'nothing') FROM t WHERE id = 1000 + {at}"
                ))
                .await;
            assert_eq!(Some(written), usual, "{name}: {expression}");
        }
    });
}

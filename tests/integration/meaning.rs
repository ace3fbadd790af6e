//! What SQL means in the application's sessions it means in ours: keys, expressions, conditions, and code of the application that
//! runs as we write, whichever schemas types, operators and functions are in.

use crate::support::{Database, on_postgresql, plan_file};

/// A type whose values are equal more often, or of another kind, than their text: what makes it, and how to write a value for
/// a number on either side.
struct Kind {
    name: &'static str,
    makes: &'static str,
    type_name: &'static str,
    parent: &'static str,
    child: &'static str,
}

const CITEXT: Kind = Kind {
    name: "citext",
    makes: "CREATE EXTENSION citext",
    type_name: "citext",
    parent: "'key' || i",
    child: "CASE i % 2 WHEN 0 THEN 'key' || i ELSE 'KEY' || i END",
};

/// The extension's schema is on the path of the database only.
const CITEXT_ELSEWHERE: Kind = Kind {
    name: "citext in a schema of its own",
    makes: "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; SET search_path = public, ext",
    ..CITEXT
};

/// Its own operators, and none that it converts to.
const LTREE: Kind = Kind {
    name: "ltree",
    makes: "CREATE EXTENSION ltree",
    type_name: "ltree",
    parent: "('key.n' || i)::ltree",
    child: "('key.n' || i)::ltree",
};

/// Converts to ean13 by itself; written with and without hyphens.
const ISN: Kind = Kind {
    name: "isn",
    makes: "CREATE EXTENSION isn",
    type_name: "issn",
    parent: "('1436' || lpad(i::text, 3, '0') || '?')::issn",
    child: "('1436-' || lpad(i::text, 3, '0') || '?')::issn",
};

/// A type of a user's own, with an operator and an operator class in SQL that call a function without its schema.
const OWN: Kind = Kind {
    name: "a type of one's own",
    makes: "CREATE SCHEMA app; CREATE TYPE app.code AS (text text); \
        CREATE FUNCTION app.folded(app.code) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(($1).text)'; \
        CREATE FUNCTION app.code_eq(app.code, app.code) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN folded($1) = folded($2); END'; \
        CREATE FUNCTION app.code_cmp(app.code, app.code) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN bttextcmp(folded($1), folded($2)); END'; \
        CREATE FUNCTION app.code_lt(app.code, app.code) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT app.code_cmp($1, $2) < 0'; \
        CREATE FUNCTION app.code_gt(app.code, app.code) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT app.code_cmp($1, $2) > 0'; \
        CREATE FUNCTION app.code_le(app.code, app.code) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT app.code_cmp($1, $2) <= 0'; \
        CREATE FUNCTION app.code_ge(app.code, app.code) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT app.code_cmp($1, $2) >= 0'; \
        CREATE OPERATOR app.= (LEFTARG = app.code, RIGHTARG = app.code, FUNCTION = app.code_eq, COMMUTATOR = OPERATOR(app.=), MERGES); \
        CREATE OPERATOR app.< (LEFTARG = app.code, RIGHTARG = app.code, FUNCTION = app.code_lt, COMMUTATOR = OPERATOR(app.>)); \
        CREATE OPERATOR app.> (LEFTARG = app.code, RIGHTARG = app.code, FUNCTION = app.code_gt, COMMUTATOR = OPERATOR(app.<)); \
        CREATE OPERATOR app.<= (LEFTARG = app.code, RIGHTARG = app.code, FUNCTION = app.code_le, COMMUTATOR = OPERATOR(app.>=)); \
        CREATE OPERATOR app.>= (LEFTARG = app.code, RIGHTARG = app.code, FUNCTION = app.code_ge, COMMUTATOR = OPERATOR(app.<=)); \
        CREATE OPERATOR CLASS app.code_ops DEFAULT FOR TYPE app.code USING btree AS \
            OPERATOR 1 app.<, OPERATOR 2 app.<=, OPERATOR 3 app.=, OPERATOR 4 app.>=, OPERATOR 5 app.>, FUNCTION 1 app.code_cmp(app.code, app.code); \
        SET search_path = app, public",
    type_name: "code",
    parent: "ROW('key' || i)::code",
    child: "ROW(upper('key' || i))::code",
};

/// Equality by a collation.
const COLLATED: Kind = Kind {
    name: "a collation that ignores case",
    makes: "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    type_name: "text COLLATE nocase",
    parent: "'key' || i",
    child: "upper('key' || i)",
};

const ROWS: u32 = 60;

/// 60 rows that join, in the eyes of the application; what the database's sessions begin with is what `makes` has set.
async fn two_tables(database: &Database, kind: &Kind) {
    let Kind {
        makes,
        type_name,
        parent,
        child,
        ..
    } = kind;
    let pin = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = %s', current_database(), current_setting('search_path')); END $$";
    database
        .execute(&format!(
            "{makes}; CREATE TABLE public.users (email {type_name} PRIMARY KEY, note text); \
             CREATE TABLE public.profiles (email {type_name} UNIQUE REFERENCES public.users, photo text); \
             INSERT INTO public.users SELECT {parent}, 'n' || i FROM generate_series(1, {ROWS}) AS i; \
             INSERT INTO public.profiles SELECT {child}, 'p' || i FROM generate_series(1, {ROWS}) AS i; {pin}"
        ))
        .await;
}

fn start(database: &Database, text: &str) {
    let file = plan_file(text);
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["check", path]).exits(0);
    database.crossfade(&["start", path]).exits(0);
}

fn to(database: &Database, run: &str, phase: &str) {
    database
        .crossfade(&["advance", run, "--to", phase, "--yes"])
        .exits(0);
}

const MOVE: &str = "version: 1\nname: keys\nchange:\n  move_columns:\n    table: public.profiles\n    to: public.users\n    by: {email: email}\n    columns: {photo: {}}\n";
const FOLD: &str = "version: 1\nname: keys\nchange:\n  fold_table:\n    table: public.profiles\n    into: public.users\n    by: {email: email}\n    columns: {photo: {}}\n";

/// Nothing is lost on the way, whichever version writes, and a difference is seen.
async fn both_ways(database: &Database, kind: &Kind, plan: &str) {
    two_tables(database, kind).await;
    start(database, plan);
    to(database, "keys", "verify");
    let there = "SELECT count(*) FROM public.users WHERE photo = replace(note, 'n', 'p')";
    let all = ROWS.to_string();
    assert_eq!(database.value(there).await, all, "{}: filled", kind.name);
    // The old version, and then the new one.
    database
        .execute("UPDATE public.profiles SET photo = 'old' WHERE photo = 'p1'; UPDATE public.users SET photo = 'new' WHERE note = 'n2'")
        .await;
    let moved =
        "SELECT string_agg(photo, ' ' ORDER BY photo) FROM public.users WHERE note IN ('n1', 'n2')";
    assert_eq!(database.value(moved).await, "new old", "{}", kind.name);
    let back = "SELECT count(*) FROM public.profiles WHERE photo = 'new'";
    assert_eq!(database.value(back).await, "1", "{}", kind.name);
    database.crossfade(&["verify", "keys"]).exits(0);
    database
        .execute("SET session_replication_role = replica; UPDATE public.users SET photo = 'wrong' WHERE note IN ('n3', 'n4')")
        .await;
    let found = database.crossfade(&["verify", "keys"]).exits(5);
    assert!(found.stdout.contains("2 differ"), "{}", found.stdout);
    database.crossfade(&["verify", "keys", "--repair"]).exits(0);
    to(database, "keys", "contract");
    let left = "SELECT count(*) FROM public.users WHERE photo IS NOT NULL";
    assert_eq!(database.value(left).await, all, "{}", kind.name);
}

#[test]
fn keys_of_citext_match_as_the_application_matches_them_moved() {
    on_postgresql(async |database| both_ways(database, &CITEXT, MOVE).await);
}

#[test]
fn keys_of_citext_in_a_schema_on_the_databases_path_match_folded() {
    on_postgresql(async |database| both_ways(database, &CITEXT_ELSEWHERE, FOLD).await);
}

#[test]
fn keys_of_ltree_match() {
    on_postgresql(async |database| both_ways(database, &LTREE, MOVE).await);
}

#[test]
fn keys_of_isn_match() {
    on_postgresql(async |database| both_ways(database, &ISN, FOLD).await);
}

#[test]
fn keys_of_a_type_with_an_operator_class_of_ones_own_match() {
    on_postgresql(async |database| both_ways(database, &OWN, MOVE).await);
}

#[test]
fn keys_that_a_collation_makes_equal_match() {
    on_postgresql(async |database| both_ways(database, &COLLATED, FOLD).await);
}

#[test]
fn a_check_over_citext_is_one_of_citext_and_a_reference_refers() {
    on_postgresql(async |database| {
        two_tables(database, &CITEXT).await;
        database
            .execute("ALTER TABLE public.profiles DROP CONSTRAINT profiles_email_fkey")
            .await;
        start(
            database,
            "version: 1\nname: check\nchange:\n  add_check:\n    table: public.users\n    check: \"email <> 'ROOT'\"\n    name: not_root\n",
        );
        to(database, "check", "enforce");
        let client = database.client().await;
        let root = client
            .batch_execute("INSERT INTO public.users VALUES ('root')")
            .await;
        assert!(root.is_err(), "text's <> was taken");
        start(
            database,
            "version: 1\nname: refer\nchange:\n  add_foreign_key:\n    table: public.profiles\n    columns: [email]\n    references: public.users\n",
        );
        to(database, "refer", "enforce");
        let refers = "SELECT convalidated FROM pg_constraint WHERE conname = 'profiles_email_fkey'";
        assert_eq!(database.value(refers).await, "true");
    });
}

/// A CHECK, an index, a default, a trigger, an event trigger: each calls what it does not name a schema for.
const CODE: &str = "CREATE SCHEMA app; CREATE TABLE app.log (what text); \
    CREATE FUNCTION app.inner_fits(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 <> ''bad'''; \
    CREATE FUNCTION app.fits(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN inner_fits($1); END'; \
    CREATE FUNCTION app.inner_form(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)'; \
    CREATE FUNCTION app.form(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN inner_form($1); END'; \
    CREATE FUNCTION app.next_code() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN form(''X'') || (SELECT count(*) FROM log); END'; \
    CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (tg_op); RETURN new; END'; \
    CREATE FUNCTION app.noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (tg_tag); END'; \
    CREATE TABLE app.items (id integer PRIMARY KEY, code text CHECK (app.fits(code)), state text DEFAULT app.next_code()); \
    CREATE INDEX ON app.items (app.form(state)) WHERE app.fits(state); \
    INSERT INTO app.items SELECT i, 'C' || i, 'S' || i FROM generate_series(1, 50) AS i; \
    CREATE TRIGGER note AFTER UPDATE ON app.items FOR EACH ROW EXECUTE FUNCTION app.note(); \
    CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION app.noted(); \
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END $$";

#[test]
fn code_of_the_application_finds_what_it_finds_in_its_own_sessions() {
    on_postgresql(async |database| {
        database
            .execute(&CODE.replace("SCHEMA app;", "SCHEMA app; SET search_path = app;"))
            .await;
        start(
            database,
            "version: 1\nname: state\nchange:\n  rename_column:\n    table: app.items\n    from: state\n    to: status\n",
        );
        to(database, "state", "contract");
        start(
            database,
            "version: 1\nname: form\nchange:\n  transform_columns:\n    table: app.items\n    from: [code]\n    to: {formed: {type: text}}\n    forward: {formed: form(code)}\n    backward: {code: upper(formed)}\n",
        );
        to(database, "form", "verify");
        database
            .execute("INSERT INTO items (id, code) VALUES (60, 'NEW'); UPDATE items SET formed = 'other' WHERE id = 60")
            .await;
        let row = "SELECT formed || code || status FROM app.items WHERE id = 60";
        assert!(database.value(row).await.starts_with("otherOTHERx"));
        to(database, "form", "contract");
        let all = "SELECT count(*) FROM app.items WHERE formed = lower(formed)";
        assert_eq!(database.value(all).await, "51");
    });
}

/// An operator of one's own that text would win against without the path, a function of one's own, and forms that the server
/// writes back without their operator.
#[test]
fn expressions_are_read_with_the_operators_of_the_path_in_triggers_and_batches_alike() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE EXTENSION citext; CREATE SCHEMA app; \
                 CREATE FUNCTION app.join(citext, integer) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1 || ''-'' || $2'; \
                 CREATE OPERATOR app.|+| (LEFTARG = citext, RIGHTARG = integer, FUNCTION = app.join); \
                 CREATE TABLE app.people (id integer PRIMARY KEY, role citext, n integer); \
                 INSERT INTO app.people SELECT i, (ARRAY['admin', 'ADMIN', 'guest'])[1 + i % 3], i FROM generate_series(1, 30) AS i; \
                 DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database()); END $$",
            )
            .await;
        start(
            database,
            "version: 1\nname: roles\nchange:\n  add_column:\n    table: app.people\n    column: kind\n    type: text\n    \
             forward: \"CASE role WHEN 'Admin' THEN 'a' ELSE 'o' END || (role IS DISTINCT FROM 'Admin')::text || coalesce(nullif(role, 'GUEST')::text, '-') || (role |+| n)\"\n",
        );
        to(database, "roles", "verify");
        // The trigger computes as the batch has.
        database
            .execute(
                "INSERT INTO app.people (id, role, n) SELECT id + 100, role, n FROM app.people",
            )
            .await;
        let kinds = "SELECT string_agg(DISTINCT regexp_replace(kind, '-[0-9]+$', ''), ' ' ORDER BY regexp_replace(kind, '-[0-9]+$', '')) FROM app.people";
        assert_eq!(
            database.value(kinds).await,
            "afalseADMINADMIN afalseadminadmin otrue-guest"
        );
        let same = "SELECT count(*) FROM app.people AS a JOIN app.people AS b ON b.id = a.id + 100 AND b.kind = a.kind";
        assert_eq!(database.value(same).await, "30");
        database.crossfade(&["verify", "roles"]).exits(0);
    });
}

/// What `check` says of an expression, on the plan of an added column.
fn checked(database: &Database, forward: &str) -> crate::support::Ran {
    let text = format!(
        "version: 1\nname: look\nchange:\n  add_column:\n    table: public.people\n    column: extra\n    type: text\n    forward: \"{forward}\"\n"
    );
    let file = plan_file(&text);
    let path = file.path().to_str().expect("a path");
    let explained = database.crossfade(&["explain", path]);
    let checked = database.crossfade(&["check", path]);
    assert_eq!(explained.code, checked.code, "{}", explained.stderr);
    checked
}

/// A function that is IMMUTABLE in name only: planning would evaluate it.
#[test]
fn looking_at_a_plan_evaluates_nothing_of_its_authors() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE people (id integer PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'a'); CREATE SEQUENCE moved; \
                 CREATE FUNCTION moves(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1 || nextval(''moved'')'; \
                 CREATE FUNCTION sleeps() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_sleep(30)::text'; \
                 CREATE DOMAIN watched AS text CHECK (moves(VALUE) IS NOT NULL)",
            )
            .await;
        let began = std::time::Instant::now();
        for forward in [
            "moves('x')",
            "moves(name)",
            "name || sleeps()",
            "coalesce(name, sleeps())",
            "CASE WHEN moves('x') = 'x1' THEN name END",
            "('x'::watched)::text",
        ] {
            checked(database, forward).exits(0);
        }
        assert!(began.elapsed().as_secs() < 25, "it slept");
        let called = "SELECT is_called FROM moved";
        assert_eq!(database.value(called).await, "false");
    });
}

#[test]
fn what_depends_on_the_moment_or_the_session_is_refused_by_name() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE people (id integer PRIMARY KEY, name text, born date, seen timestamptz, pay money, t time); \
                 CREATE FUNCTION today() RETURNS date LANGUAGE sql STABLE AS 'SELECT current_date'",
            )
            .await;
        for (forward, names) in [
            ("coalesce(seen, now())::text", "now()"),
            ("coalesce(born, current_date)::text", "CURRENT_DATE"),
            ("name || current_user", "CURRENT_USER"),
            (
                "name || current_setting('TimeZone')",
                "current_setting(text)",
            ),
            ("age(seen)::text", "age(timestamp with time zone)"),
            ("(born - today())::text", "today()"),
            ("t::timetz::text", "timetz(time without time zone)"),
            ("name || current_schema", "CURRENT_SCHEMA"),
            ("name || random()", "random()"),
        ] {
            let refused = checked(database, forward).exits(1);
            assert!(
                refused.stderr.contains(names),
                "{forward}: {}",
                refused.stderr
            );
        }
        for forward in [
            "seen::text",
            "born::timestamptz::text",
            "to_char(seen, 'YYYY')",
            "pay::numeric::text",
            "name || id",
            "(seen < born)::text",
        ] {
            checked(database, forward).exits(0);
        }
    });
}

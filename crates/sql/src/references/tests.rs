//! What names a column and what does not, text by text.

use super::{
    Column, Naming, Routine, Subject, Table, is_dynamic, is_ours, of_routine, of_statement,
};
use Naming::{ByName, DynamicSql, NotParsed, NotResolved, Positions, Row, Star};

fn status() -> Column {
    let idents = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    Column {
        table: "public.vehicles".parse().unwrap(),
        column: "status".parse().unwrap(),
        of_table: idents(&["id", "status", "vehicle_status", "note"]),
        also_in: vec![
            "public.orders".parse().unwrap(),
            "archive.vehicles".parse().unwrap(),
        ],
    }
}

fn all(cases: &[(&str, Option<Naming>)]) {
    for (sql, expected) in cases {
        assert_eq!(of_statement(sql, &status()), *expected, "{sql}");
    }
}

#[test]
fn the_column_of_the_table_is_told_from_those_of_others() {
    all(&[
        ("SELECT status FROM vehicles", Some(ByName)),
        (
            "select STATUS from Public.Vehicles where id = $1",
            Some(ByName),
        ),
        ("SELECT \"status\" FROM \"vehicles\"", Some(ByName)),
        ("SELECT \"Status\" FROM vehicles", None),
        ("SELECT v.status FROM vehicles AS v", Some(ByName)),
        (
            "SELECT public.vehicles.status FROM public.vehicles",
            Some(ByName),
        ),
        ("SELECT vehicle_status FROM vehicles", None),
        ("SELECT status FROM orders", None),
        ("SELECT status FROM archive.vehicles", None),
        (
            "SELECT o.status FROM vehicles v JOIN orders o ON o.id = v.id",
            None,
        ),
        (
            "SELECT v.id FROM vehicles v JOIN orders o ON o.status = v.status",
            Some(ByName),
        ),
        (
            "SELECT id FROM vehicles JOIN items USING (status)",
            Some(ByName),
        ),
        ("SELECT id FROM items JOIN orders USING (status)", None),
        (
            "SELECT id FROM vehicles NATURAL JOIN items",
            Some(NotResolved),
        ),
        ("SELECT id FROM vehicles ORDER BY status", Some(ByName)),
        (
            "SELECT id FROM vehicles GROUP BY id HAVING max(status) > $1",
            Some(ByName),
        ),
        ("SELECT count(*) FROM vehicles WHERE note = $1", None),
        ("SELECT 1", None),
        ("SELECT 'status' FROM vehicles", None),
        ("SELECT status($1) FROM vehicles", None),
        ("/* status */ SELECT id FROM vehicles -- status", None),
    ]);
}

#[test]
fn names_that_a_query_gives_are_its_own() {
    all(&[
        ("SELECT vehicle_status AS status FROM vehicles", None),
        (
            "SELECT vehicle_status AS status FROM vehicles ORDER BY status",
            None,
        ),
        (
            "SELECT vehicle_status AS status FROM vehicles WHERE status = $1",
            Some(ByName),
        ),
        (
            "SELECT vehicle_status AS status FROM vehicles GROUP BY status",
            Some(ByName),
        ),
        (
            "SELECT s.status FROM (SELECT vehicle_status AS status FROM vehicles) AS s",
            None,
        ),
        (
            "SELECT status FROM (SELECT vehicle_status AS status FROM vehicles) AS s",
            None,
        ),
        (
            "SELECT x.id FROM (SELECT id, status FROM vehicles) AS x",
            Some(ByName),
        ),
        (
            "WITH w AS (SELECT vehicle_status AS status FROM vehicles) SELECT w.status, status FROM w",
            None,
        ),
        (
            "WITH vehicles AS (SELECT 1 AS status) SELECT status FROM vehicles",
            None,
        ),
        (
            "WITH w AS (SELECT status FROM vehicles) SELECT 1 FROM w",
            Some(ByName),
        ),
    ]);
}

#[test]
fn a_query_within_a_query_sees_the_tables_around_it() {
    all(&[
        (
            "SELECT id FROM vehicles v WHERE EXISTS (SELECT FROM items i WHERE i.a = status)",
            Some(ByName),
        ),
        (
            "SELECT id FROM vehicles v WHERE EXISTS (SELECT FROM orders WHERE status = $1)",
            None,
        ),
        (
            "SELECT id FROM orders o WHERE o.id IN (SELECT id FROM vehicles WHERE status = $1)",
            Some(ByName),
        ),
        (
            "SELECT id FROM vehicles WHERE id = ANY (SELECT x FROM f() AS x WHERE status = $1)",
            Some(NotResolved),
        ),
        (
            "SELECT o.status FROM orders o WHERE o.id IN (SELECT v.id FROM vehicles v)",
            None,
        ),
        (
            "SELECT a FROM t UNION SELECT status FROM vehicles ORDER BY 1",
            Some(ByName),
        ),
        ("SELECT ARRAY(SELECT status FROM vehicles)", Some(ByName)),
        ("SELECT $1 = ANY (status) FROM vehicles", Some(ByName)),
    ]);
}

#[test]
fn every_column_is_named_by_a_star_a_place_or_a_row() {
    all(&[
        ("SELECT * FROM vehicles", Some(Star)),
        (
            "SELECT v.* FROM vehicles v JOIN orders o ON true",
            Some(Star),
        ),
        ("SELECT o.* FROM vehicles v JOIN orders o ON true", None),
        ("SELECT * FROM orders", None),
        ("SELECT * FROM (SELECT id FROM vehicles) AS x", None),
        ("SELECT 1 WHERE EXISTS (SELECT * FROM vehicles)", None),
        ("SELECT count(*) FROM vehicles", None),
        ("TABLE vehicles", Some(Star)),
        ("INSERT INTO vehicles VALUES ($1, $2)", Some(Positions)),
        ("INSERT INTO vehicles SELECT id FROM items", Some(Positions)),
        ("INSERT INTO vehicles DEFAULT VALUES", None),
        (
            "INSERT INTO vehicles (id) VALUES ($1) RETURNING *",
            Some(Star),
        ),
        ("INSERT INTO vehicles (id) VALUES ($1) RETURNING id", None),
        ("SELECT row_to_json(v) FROM vehicles v", Some(Row)),
        ("SELECT (v).id FROM vehicles v", Some(Row)),
        ("SELECT vehicles FROM vehicles", Some(Row)),
        ("SELECT note FROM vehicles note", None),
        ("SELECT v::text FROM vehicles v", Some(Row)),
        ("SELECT NULL::vehicles", Some(Row)),
        ("SELECT a FROM vehicles AS v(a, b)", Some(Positions)),
        (
            "SELECT a FROM orders JOIN vehicles v (a) ON true",
            Some(Positions),
        ),
        ("SELECT a FROM orders AS v(a, b), vehicles AS w", None),
        ("COPY vehicles FROM STDIN", Some(Positions)),
        ("COPY vehicles TO STDOUT", Some(Positions)),
    ]);
}

#[test]
fn what_is_written_is_named_too() {
    all(&[
        (
            "UPDATE vehicles SET status = $1 WHERE id = $2",
            Some(ByName),
        ),
        ("UPDATE vehicles SET note = $1 WHERE id = $2", None),
        (
            "UPDATE vehicles v SET (note, status) = ($1, $2)",
            Some(ByName),
        ),
        (
            "UPDATE orders SET status = v.note FROM vehicles v WHERE v.id = orders.id",
            None,
        ),
        (
            "UPDATE vehicles v SET vehicle_status = o.status FROM orders o WHERE o.id = v.id",
            None,
        ),
        ("UPDATE vehicles SET note = status", Some(ByName)),
        (
            "INSERT INTO vehicles (id, status) VALUES ($1, $2)",
            Some(ByName),
        ),
        (
            "INSERT INTO vehicles (id, vehicle_status) SELECT id, status FROM legacy",
            None,
        ),
        (
            "INSERT INTO orders (id, status) SELECT id, note FROM vehicles",
            None,
        ),
        (
            "INSERT INTO vehicles (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.note",
            Some(ByName),
        ),
        (
            "INSERT INTO vehicles (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET note = EXCLUDED.status",
            Some(ByName),
        ),
        (
            "INSERT INTO vehicles (id) VALUES ($1) ON CONFLICT (status) DO NOTHING",
            Some(ByName),
        ),
        ("DELETE FROM vehicles WHERE status = $1", Some(ByName)),
        (
            "DELETE FROM orders o USING vehicles v WHERE o.status = $1 AND v.id = o.id",
            None,
        ),
        (
            "MERGE INTO vehicles v USING orders o ON o.id = v.id WHEN MATCHED THEN UPDATE SET status = o.note",
            Some(ByName),
        ),
        (
            "MERGE INTO orders o USING vehicles v ON o.id = v.id WHEN MATCHED THEN UPDATE SET status = v.note",
            None,
        ),
        (
            "MERGE INTO vehicles v USING orders o ON o.id = v.id WHEN NOT MATCHED THEN INSERT (id, status) VALUES (o.id, o.status)",
            Some(ByName),
        ),
        (
            "MERGE INTO vehicles v USING orders o ON o.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (o.id)",
            Some(Positions),
        ),
        ("COPY vehicles (id, status) FROM STDIN", Some(ByName)),
        ("COPY vehicles (id, note) FROM STDIN", None),
        ("COPY (SELECT status FROM vehicles) TO STDOUT", Some(ByName)),
        // As pg_dump does, which reads the columns from the catalog.
        (
            "COPY public.vehicles (id, note, status, vehicle_status) TO stdout",
            None,
        ),
    ]);
}

#[test]
fn other_statements_and_what_is_not_understood_may_name_it() {
    all(&[
        ("CREATE INDEX ON vehicles (status)", Some(NotResolved)),
        ("CREATE INDEX ON orders (status)", None),
        (
            "CREATE TABLE x AS SELECT status FROM vehicles",
            Some(ByName),
        ),
        ("EXPLAIN ANALYZE SELECT status FROM vehicles", Some(ByName)),
        (
            "DECLARE c CURSOR FOR SELECT status FROM vehicles",
            Some(ByName),
        ),
        ("SELECT status FRM vehicles WHERE", Some(NotParsed)),
        ("SELEC status FROM vehicles", Some(NotParsed)),
        ("SELEC note FROM vehicles", None),
        ("SELECT U&\"st\\0061tus\" FROM vehicles", Some(ByName)),
        (
            "DO $$ BEGIN PERFORM status FROM vehicles; END $$",
            Some(ByName),
        ),
        (
            "DO $$ BEGIN EXECUTE 'UPDATE vehicles SET status = 1'; END $$",
            Some(DynamicSql),
        ),
        ("DO $$ BEGIN RAISE NOTICE 'status'; END $$", None),
    ]);
}

fn routine(language: &str, signature: &str, body: &str) -> Routine {
    Routine {
        object: "function public.f()".to_owned(),
        language: language.to_owned(),
        definition: format!(
            "CREATE OR REPLACE FUNCTION public.f{signature}\n LANGUAGE {language}\nAS $function$\n{body}\n$function$\n"
        ),
        fires_on_table: false,
        transition_tables: Vec::new(),
    }
}

#[test]
fn bodies_of_functions_are_read() {
    for (language, signature, body, expected) in [
        (
            "sql",
            "() RETURNS text",
            "SELECT status FROM public.vehicles",
            Some(ByName),
        ),
        (
            "sql",
            "(status text) RETURNS text",
            "SELECT $1 FROM public.vehicles",
            None,
        ),
        (
            "sql",
            "(status text) RETURNS text",
            "SELECT status FROM public.orders",
            None,
        ),
        ("sql", "() RETURNS SETOF vehicles", "SELECT 1", Some(Row)),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN UPDATE vehicles SET status = 'x'; END",
            Some(ByName),
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE status text; BEGIN status := 'x'; RETURN status; END",
            None,
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE s text; BEGIN SELECT status INTO STRICT s FROM vehicles WHERE id = 1; RETURN s; END",
            Some(ByName),
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE s text; BEGIN s := status FROM vehicles WHERE id = 1; RETURN s; END",
            Some(ByName),
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE s text; BEGIN IF note = 'x' FROM vehicles WHERE id = 1 THEN s = status FROM orders; END IF; RETURN s; END",
            None,
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "BEGIN RETURN note FROM vehicles WHERE status = 'x'; END",
            Some(ByName),
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE s text; BEGIN SELECT vehicle_status INTO s FROM vehicles; PERFORM status FROM orders; RETURN s; END",
            None,
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE s vehicles.status%TYPE; BEGIN RETURN s; END",
            Some(ByName),
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE s vehicles%ROWTYPE; BEGIN RETURN s; END",
            Some(Row),
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE r record; BEGIN FOR r IN SELECT id FROM vehicles LOOP RETURN r.status; END LOOP; END",
            Some(NotResolved),
        ),
        (
            "plpgsql",
            "() RETURNS text",
            "DECLARE r record; BEGIN FOR r IN SELECT * FROM orders LOOP RETURN r.status; END LOOP; END",
            None,
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN EXECUTE format('UPDATE %I SET status = $1', 'vehicles') USING 1; END",
            Some(DynamicSql),
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN EXECUTE 'SELECT * FROM vehicles'; END",
            Some(DynamicSql),
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN EXECUTE 'UPDATE vehicles SET note = ''x'''; END",
            None,
        ),
        (
            "plpgsql",
            "(c text) RETURNS void",
            "BEGIN EXECUTE format('SELECT %I FROM vehicles', c); END",
            Some(DynamicSql),
        ),
        (
            "plpgsql",
            "(c text) RETURNS void",
            "BEGIN EXECUTE 'UPDATE vehicles SET note = 1 WHERE ' || c; END",
            Some(DynamicSql),
        ),
        (
            "plpgsql",
            "(c text) RETURNS void",
            "BEGIN EXECUTE format('SELECT %I FROM orders', c); END",
            None,
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN RAISE NOTICE 'vehicles are counted'; PERFORM count(*) FROM vehicles; END",
            None,
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN this is not plpgsql but has status; END",
            Some(NotParsed),
        ),
        (
            "plpython3u",
            "() RETURNS void",
            "plpy.execute('select status from vehicles')",
            Some(NotParsed),
        ),
        (
            "plpython3u",
            "() RETURNS void",
            "plpy.execute('select note from vehicles')",
            Some(NotParsed),
        ),
        (
            "plpython3u",
            "() RETURNS void",
            "plpy.execute('select note from cars')",
            None,
        ),
        (
            "c",
            "(s text) RETURNS text",
            "vehicles_normal",
            Some(NotParsed),
        ),
        ("c", "(s text) RETURNS text", "cars_normal", None),
    ] {
        let routine = routine(language, signature, body);
        assert_eq!(of_routine(&routine, &status()), expected, "{body}");
    }
}

#[test]
fn new_and_old_are_rows_of_the_table_that_a_trigger_is_on() {
    for (body, on_table) in [
        (
            "BEGIN IF NEW.status <> OLD.status THEN RAISE NOTICE 'x'; END IF; RETURN NEW; END",
            ByName,
        ),
        ("BEGIN NEW.status := 'x'; RETURN NEW; END", ByName),
        ("BEGIN INSERT INTO log SELECT NEW.*; RETURN NEW; END", Star),
        (
            "BEGIN INSERT INTO log VALUES (OLD.status); RETURN NEW; END",
            ByName,
        ),
    ] {
        let mut routine = routine("plpgsql", "() RETURNS trigger", body);
        // The table's name is there, and yet the rows are another's.
        routine.definition.push_str("-- vehicles");
        assert_eq!(of_routine(&routine, &status()), None, "{body}");
        routine.fires_on_table = true;
        assert_eq!(of_routine(&routine, &status()), Some(on_table), "{body}");
    }
}

#[test]
fn new_and_old_as_whole_rows_are_uses_of_the_column_unless_they_only_pass_by() {
    for (statements, expected) in [
        ("PERFORM log(to_jsonb(new)->>'status')", Some(Row)),
        ("INSERT INTO log SELECT row_to_json(NEW)", Some(Row)),
        ("INSERT INTO log SELECT (old).*", Some(Star)),
        ("INSERT INTO log VALUES ((new).status)", Some(ByName)),
        ("INSERT INTO log VALUES ((new).note)", None),
        ("new := jsonb_populate_record(new, '{}')", Some(Row)),
        ("new := changed(1)", Some(Row)),
        ("r := new", Some(Row)),
        ("PERFORM helper((new))", Some(Row)),
        (
            "IF new IS DISTINCT FROM old THEN RAISE NOTICE 'x'; END IF",
            None,
        ),
        (
            "IF old.* IS DISTINCT FROM new.* THEN RAISE NOTICE 'x'; END IF",
            None,
        ),
        (
            "IF (old.*) IS NOT DISTINCT FROM ((new).*) OR new *<> old THEN RETURN old; END IF",
            None,
        ),
        (
            "IF helper(new) IS DISTINCT FROM old THEN RETURN old; END IF",
            Some(Row),
        ),
        ("IF new IS NULL THEN RETURN old; END IF", None),
        ("RETURN coalesce(new, old)", None),
        ("RETURN helper(new)", Some(Row)),
        ("NEW.note := 'x'", None),
        (
            "PERFORM n.note FROM notes AS new, notes AS n WHERE f(new)",
            None,
        ),
    ] {
        let body = format!("BEGIN {statements}; RETURN new; END");
        let mut routine = routine("plpgsql", "() RETURNS trigger", &body);
        assert_eq!(of_routine(&routine, &status()), None, "{body}");
        routine.fires_on_table = true;
        assert_eq!(of_routine(&routine, &status()), expected, "{body}");
    }
}

#[test]
fn the_rows_of_a_statement_have_the_names_that_the_trigger_gives_them() {
    for (statement, expected) in [
        ("INSERT INTO log SELECT status FROM newtab", Some(ByName)),
        (
            "INSERT INTO log SELECT n.status FROM newtab AS n",
            Some(ByName),
        ),
        ("INSERT INTO log SELECT * FROM newtab", Some(Star)),
        ("INSERT INTO log TABLE newtab", Some(Star)),
        (
            "INSERT INTO log SELECT to_jsonb(n) FROM newtab AS n",
            Some(Row),
        ),
        ("INSERT INTO log SELECT note FROM newtab", None),
        ("INSERT INTO log SELECT status FROM public.newtab", None),
        (
            "WITH newtab AS (SELECT 1 AS status) INSERT INTO log SELECT status FROM newtab",
            None,
        ),
        (
            "EXECUTE 'INSERT INTO log SELECT status FROM newtab'",
            Some(DynamicSql),
        ),
        ("s := status FROM newtab", Some(ByName)),
    ] {
        let body = format!("BEGIN {statement}; RETURN NULL; END");
        let mut routine = routine("plpgsql", "() RETURNS trigger", &body);
        routine.fires_on_table = true;
        assert_eq!(of_routine(&routine, &status()), None, "{body}");
        routine.transition_tables = vec!["newtab".parse().unwrap()];
        assert_eq!(of_routine(&routine, &status()), expected, "{body}");
    }
}

#[test]
fn no_text_is_too_deep_or_too_long() {
    let n = 200_000;
    let texts = [
        format!("SELECT status {} FROM vehicles", "+ 1".repeat(n)),
        format!(
            "SELECT {}status{} FROM vehicles",
            "(".repeat(n),
            ")".repeat(n)
        ),
        format!("SELECT {} status FROM vehicles", "not ".repeat(n)),
        format!(
            "SELECT status FROM vehicles {}",
            "join b on true ".repeat(n)
        ),
        format!("SELECT status{} FROM vehicles", ".a".repeat(n)),
        format!(
            "SELECT {} status {}",
            "case when true then ".repeat(n),
            "end ".repeat(n)
        ),
    ];
    for text in texts {
        assert_eq!(of_statement(&text, &status()), Some(NotParsed));
    }
    // Right below the bounds.
    let chain = format!("SELECT status {} FROM vehicles", "+ 1 ".repeat(2_900));
    assert_eq!(of_statement(&chain, &status()), Some(ByName));
    let nested = format!(
        "SELECT {}status{} FROM vehicles",
        "(".repeat(90),
        ")".repeat(90)
    );
    assert_eq!(of_statement(&nested, &status()), Some(ByName));
    let list = format!(
        "SELECT id FROM vehicles WHERE id IN ({}status)",
        "$1, ".repeat(30_000)
    );
    assert_eq!(of_statement(&list, &status()), Some(ByName));
}

#[test]
fn nonsense_is_no_panic() {
    let words = [
        "SELECT", "status", "FROM", "vehicles", "(", ")", ",", ".", "*", "'", "\"", "$$", "--",
        "/*", ";", "AS", "v", "INSERT", "INTO", "UPDATE", "SET", "=", "WITH", "MERGE", "USING",
        "ON", "DO", "é", "\u{0}", "U&\"", "$1", "COPY", "%",
    ];
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..24 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(words[(state % words.len() as u64) as usize]);
            if state & 64 != 0 {
                text.push(' ');
            }
        }
        let _ = of_statement(&text, &status());
        let _ = of_routine(&routine("plpgsql", "() RETURNS void", &text), &status());
        let _ = of_routine(&routine("sql", "() RETURNS void", &text), &status());
    }
}

#[test]
fn our_own_statements_are_known() {
    assert!(is_ours(
        "UPDATE ONLY public.vehicles AS vehicles SET a = b WHERE ctid >= ($1::text)::tid AND ctid < ($2::text)::tid AND (a)"
    ));
    assert!(is_ours(
        "SELECT count(*) FROM (SELECT ctid AS crossfade_tid, status FROM ONLY public.vehicles) AS v"
    ));
    assert!(is_ours(
        "ALTER TABLE public.orders RENAME TO orders_crossfade_retired"
    ));
    assert!(!is_ours("SELECT status FROM vehicles"));
    assert!(!is_ours("SELECT id FROM orders_crossfade_retired"));
}

fn orders() -> Subject {
    Subject::Table(Table {
        name: "public.orders".parse().unwrap(),
        columns: vec!["id".parse().unwrap(), "status".parse().unwrap()],
    })
}

#[test]
fn a_table_is_told_from_what_else_has_its_name() {
    for (sql, expected) in [
        ("SELECT 1 FROM orders", Some(ByName)),
        (
            "select 1 from Public.Orders o where o.id = $1",
            Some(ByName),
        ),
        ("SELECT 1 FROM archive.orders", None),
        ("SELECT orders FROM items", None),
        ("SELECT i.orders FROM items AS i", None),
        ("SELECT orders.id FROM items AS orders", None),
        ("SELECT count(*) AS orders FROM items", None),
        ("SELECT orders(1)", None),
        ("SELECT 'orders'", None),
        ("SELECT 1 FROM items JOIN orders USING (id)", Some(ByName)),
        (
            "SELECT 1 FROM items WHERE id IN (SELECT id FROM orders)",
            Some(ByName),
        ),
        ("INSERT INTO orders DEFAULT VALUES", Some(ByName)),
        ("INSERT INTO items (orders) VALUES ($1)", None),
        ("UPDATE orders SET status = $1", Some(ByName)),
        ("UPDATE items SET orders = $1", None),
        ("DELETE FROM ONLY public.orders", Some(ByName)),
        ("DELETE FROM items USING orders WHERE true", Some(ByName)),
        (
            "MERGE INTO items USING orders ON true WHEN MATCHED THEN DELETE",
            Some(ByName),
        ),
        ("TABLE orders", Some(ByName)),
        ("COPY orders FROM STDIN", Some(ByName)),
        ("COPY public.orders (id) TO STDOUT", Some(ByName)),
        ("COPY public.orders (id, status) TO STDOUT", None),
        ("LOCK TABLE public.orders IN ACCESS SHARE MODE", None),
        ("LOCK TABLE public.orders IN SHARE MODE", Some(ByName)),
        (
            "WITH orders AS (SELECT 1) SELECT * FROM orders",
            Some(NotResolved),
        ),
    ] {
        assert_eq!(orders().in_statement(sql), expected, "{sql}");
    }
    // However these are read, none of them is clear.
    for sql in [
        "TRUNCATE orders",
        "TRUNCATE TABLE items, public.orders",
        "ALTER TABLE orders ADD COLUMN a int",
        "CREATE INDEX ON orders (id)",
        "ANALYZE orders",
        "VACUUM orders",
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TABLE x (LIKE orders)",
        "CREATE TABLE x (o bigint REFERENCES orders)",
        "GRANT SELECT ON orders TO r",
        "COMMENT ON TABLE orders IS 'x'",
        "DROP TABLE orders",
        "CREATE VIEW v AS SELECT 1 FROM orders",
    ] {
        assert!(orders().in_statement(sql).is_some(), "{sql}");
    }
}

#[test]
fn bodies_that_are_about_a_table_are_found() {
    for (language, signature, body, expected) in [
        (
            "sql",
            "() RETURNS bigint",
            "SELECT count(id) FROM orders",
            Some(ByName),
        ),
        ("sql", "() RETURNS SETOF orders", "SELECT NULL", Some(Row)),
        (
            "plpgsql",
            "() RETURNS void",
            "DECLARE o orders%ROWTYPE; BEGIN NULL; END",
            Some(Row),
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "DECLARE o public.orders.id%TYPE; BEGIN NULL; END",
            Some(Row),
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "DECLARE orders int; BEGIN orders := 1; END",
            None,
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN EXECUTE 'DELETE FROM orders'; END",
            Some(DynamicSql),
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN EXECUTE 'DELETE FROM items WHERE orders = 1'; END",
            None,
        ),
        (
            "plpgsql",
            "(t text) RETURNS void",
            "BEGIN EXECUTE 'DELETE FROM orders' || t; END",
            Some(DynamicSql),
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN PERFORM pg_relation_size('orders'::regclass); END",
            Some(NotResolved),
        ),
        (
            "plpgsql",
            "() RETURNS void",
            "BEGIN RAISE NOTICE 'orders'; END",
            None,
        ),
        (
            "plpython3u",
            "() RETURNS void",
            "plpy.execute('select 1 from orders')",
            Some(NotParsed),
        ),
    ] {
        let routine = routine(language, signature, body);
        assert_eq!(orders().in_routine(&routine), expected, "{body}");
    }
    // As it is written back, the body's last word touches the quote.
    let mut touching = routine("sql", "() RETURNS bigint", "SELECT count(*) FROM orders");
    touching.definition = touching
        .definition
        .replace("\n$function$\n", "$function$\n");
    assert_eq!(orders().in_routine(&touching), Some(ByName));
    let mut star = routine("sql", "() RETURNS record", "SELECT * FROM vehicles");
    star.definition = star.definition.replace("\n$function$\n", "$function$\n");
    assert_eq!(of_routine(&star, &status()), Some(Star));
    let into = routine(
        "plpgsql",
        "() RETURNS void",
        "DECLARE n int; BEGIN SELECT count(*) INTO STRICT n FROM orders; END",
    );
    assert!(orders().in_routine(&into).is_some());
}

#[test]
fn what_puts_statements_together_is_told() {
    for (language, body, expected) in [
        ("plpgsql", "BEGIN EXECUTE s; END", true),
        ("plpgsql", "BEGIN EXECUTE 'SELECT 1' INTO s; END", false),
        ("plpgsql", "BEGIN EXECUTE 'SELECT ' || s; END", true),
        (
            "plpgsql",
            "BEGIN GRANT EXECUTE ON FUNCTION f() TO r; END",
            false,
        ),
        (
            "plpgsql",
            "BEGIN RETURN QUERY EXECUTE format('SELECT %L', s); END",
            true,
        ),
        ("sql", "SELECT 1", false),
        ("plpython3u", "pass", true),
    ] {
        let routine = routine(language, "(s text) RETURNS text", body);
        assert_eq!(is_dynamic(&routine), expected, "{body}");
    }
}

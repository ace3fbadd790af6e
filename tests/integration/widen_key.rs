//! A key and all that refers to it change their type while everybody writes.

use crate::support::{Database, on_postgresql, plan, plan_file, rest};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const RUN: &str = "widen-order-id";
pub const PHASES: [&str; 6] = [
    "expand",
    "dual_write",
    "backfill",
    "verify",
    "enforce",
    "switch_reads",
];

/// A serial key that its own table refers to, and others by a part of their own keys, twice, deferred, by a wider column, and
/// one after the other.
const ORDERS: &str = "
    CREATE TABLE orders (
        id serial PRIMARY KEY, status text NOT NULL DEFAULT 'new', replaces integer CONSTRAINT replaced REFERENCES orders ON DELETE SET NULL DEFERRABLE,
        part_of integer CONSTRAINT parts REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED
    );
    COMMENT ON CONSTRAINT parts ON orders IS 'a tree';
    CREATE INDEX orders_parts ON orders (part_of) INCLUDE (id) WHERE part_of IS NOT NULL;
    COMMENT ON COLUMN orders.id IS 'its number';
    COMMENT ON CONSTRAINT orders_pkey ON orders IS 'the key';
    CREATE INDEX orders_status ON orders (status, id);
    ALTER TABLE orders CLUSTER ON orders_pkey;
    CREATE TABLE order_items (
        order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE, line integer NOT NULL CHECK (line > order_id - 100000), sku text,
        PRIMARY KEY (order_id, line) INCLUDE (sku)
    );
    CREATE TABLE item_notes (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id integer, line integer, note text,
        FOREIGN KEY (line, order_id) REFERENCES order_items (line, order_id) ON DELETE CASCADE
    );
    CREATE TABLE swaps (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        old_order integer REFERENCES orders ON DELETE SET NULL,
        new_order integer NOT NULL REFERENCES orders ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        wide bigint REFERENCES orders ON DELETE CASCADE
    );
    CREATE INDEX swaps_orders ON swaps (old_order, new_order);
    CREATE TABLE invoices (order_id integer PRIMARY KEY REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE, total numeric);
    CREATE UNIQUE INDEX order_items_by_line ON order_items (line, order_id);
    INSERT INTO orders (status, replaces, part_of) SELECT 's' || i % 7, nullif(i % 100, 0), nullif(i / 10, 0) FROM generate_series(1, 2000) AS i;
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE orders ADD CONSTRAINT parts_too FOREIGN KEY (part_of) REFERENCES orders NOT VALID;
    INSERT INTO order_items SELECT 1 + i % 2000, i, 'sku' || i FROM generate_series(1, 6000) AS i;
    INSERT INTO item_notes (order_id, line, note) SELECT order_id, line, 'n' FROM order_items WHERE line % 3 = 0;
    INSERT INTO swaps (old_order, new_order, wide) SELECT i, i + 1, i FROM generate_series(1, 500) AS i;
    INSERT INTO invoices SELECT i, i FROM generate_series(1, 1000) AS i;
    ANALYZE;
";

const NATIVE: &str = "
    ALTER TABLE orders ALTER id TYPE bigint, ALTER replaces TYPE bigint, ALTER part_of TYPE bigint;
    ALTER SEQUENCE orders_id_seq AS bigint;
    ALTER TABLE order_items ALTER order_id TYPE bigint;
    ALTER TABLE item_notes ALTER order_id TYPE bigint;
    ALTER TABLE swaps ALTER old_order TYPE bigint, ALTER new_order TYPE bigint;
    ALTER TABLE invoices ALTER order_id TYPE bigint;
";

/// The keys' columns come last in their tables now; the rest is as a native change leaves it.
pub fn sorted(dump: &str) -> Vec<String> {
    let mut lines: Vec<String> = dump
        .lines()
        .map(|line| line.trim_end_matches(',').to_owned())
        .collect();
    lines.sort();
    lines
}

pub fn path(file: &std::path::Path) -> &str {
    file.to_str().expect("a path")
}

async fn start(database: &Database, setup: &str) {
    database.execute(setup).await;
    database
        .crossfade(&["start", path(&plan("orders-widen-key.yaml"))])
        .exits(0);
}

pub fn advance(database: &Database, run: &str, to: &str) {
    database
        .crossfade(&["advance", run, "--to", to, "--yes"])
        .exits(0);
}

#[test]
fn a_key_that_is_widened_ends_as_a_native_change_and_can_be_undone_until_then() {
    on_postgresql(async |database| {
        start(database, ORDERS).await;
        let original = database.dump_schema();
        for phase in PHASES {
            advance(database, RUN, phase);
            database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
            assert_eq!(database.dump_schema(), original, "undone after {phase}");
            database
                .crossfade(&["start", path(&plan("orders-widen-key.yaml"))])
                .exits(0);
        }
        let native = database.copy().await;
        native.execute(NATIVE).await;
        advance(database, RUN, "switch_reads");
        // In each of the places where the process can die around the one transaction.
        for place in [
            "contract: after the last look",
            "contract: before its effect",
            "contract: in its effect",
            "contract: after its effect",
        ] {
            let failpoint = format!("kill:{place}");
            let killed = database.crossfade_with(
                &[("CROSSFADE_FAILPOINT", &failpoint)],
                &["advance", RUN, "--yes"],
            );
            assert_eq!(killed.code, None, "{place}: {}", killed.stderr);
        }
        advance(database, RUN, "contract");
        assert_eq!(database.status(RUN)["state"], "completed");
        assert_eq!(
            sorted(&database.dump_schema()),
            sorted(&native.dump_schema())
        );
        database
            .execute(
                "SELECT setval('orders_id_seq', 3000000000); INSERT INTO orders (status) VALUES ('big');
                 INSERT INTO invoices (order_id, total) SELECT max(id), 5 FROM orders;",
            )
            .await;
        assert_eq!(
            database.value("SELECT max(order_id) FROM invoices").await,
            "3000000001"
        );
        native.remove().await;
    });
}

/// A run that is killed now and then, with rows written in between, ends as one that is not.
#[test]
fn a_run_killed_at_a_spread_of_failpoints_ends_as_an_undisturbed_one() {
    on_postgresql(async |database| {
        start(database, ORDERS).await;
        let template = database.copy().await;
        let log = tempfile::NamedTempFile::new().expect("a file");
        database
            .crossfade_with(
                &[("CROSSFADE_FAILPOINT_LOG", path(log.path()))],
                &["advance", RUN, "--to", "contract", "--yes"],
            )
            .exits(0);
        let expected = database.dump_schema();
        let passed = std::fs::read_to_string(log.path()).expect("the log");
        let mut places: Vec<&str> = passed.lines().collect();
        places.dedup();
        assert!(places.len() > 50, "{places:?}");
        // Every seventh, beginning anew where the process died before.
        let mut deaths = 0;
        for place in places.iter().skip(3).step_by(7) {
            let failpoint = format!("kill:{place}");
            let killed = template.crossfade_with(
                &[("CROSSFADE_FAILPOINT", &failpoint)],
                &["advance", RUN, "--to", "contract", "--yes"],
            );
            deaths += i32::from(killed.code.is_none());
            template
                .execute(
                    "INSERT INTO orders DEFAULT VALUES; INSERT INTO orders (replaces, part_of) SELECT min(id), max(id) FROM orders; INSERT INTO order_items (order_id, line, sku) SELECT max(id), max(id), 'x' FROM orders;
                     UPDATE orders SET status = 'seen' WHERE id = (SELECT min(id) FROM orders);
                     DELETE FROM orders WHERE id = (SELECT min(id) FROM orders WHERE id > 5)",
                )
                .await;
        }
        assert!(deaths > 15, "it died only {deaths} times");
        advance(&template, RUN, "contract");
        assert_eq!(template.dump_schema(), expected);
        let orphans = "SELECT count(*) FROM order_items AS i LEFT JOIN orders AS o ON o.id = i.order_id WHERE o.id IS NULL";
        assert_eq!(template.value(orphans).await, "0");
        template.remove().await;
    });
}

/// An order as its client knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Order {
    lines: i64,
    replaces: Option<i64>,
    part_of: Option<i64>,
}

type Orders = BTreeMap<i64, Order>;

/// It takes its parts along, and whatever replaces one of these replaces nothing any more.
fn delete(orders: &mut Orders, id: i64) {
    orders.remove(&id);
    for order in orders.values_mut() {
        order.replaces = order.replaces.filter(|replaced| *replaced != id);
    }
    let is_part = |(part, order): (&i64, &Order)| (order.part_of == Some(id)).then_some(*part);
    let parts: Vec<i64> = orders.iter().filter_map(is_part).collect();
    for part in parts {
        delete(orders, part);
    }
}

/// A client that inserts orders with all that refers to them, deletes some, and knows what must be there.
async fn write_orders(
    database: &Database,
    number: u64,
    stop: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
) -> Result<Orders, String> {
    let client = database.client().await;
    let mut random = fastrand::Rng::with_seed(number);
    let mut ledger = Orders::new();
    let mut straddled = 0;
    let run = async |sql: String| {
        client
            .query(&sql, &[])
            .await
            .map_err(|error| format!("{error:?}: {sql}"))
    };
    let sql = |id: Option<i64>| id.map_or("NULL".to_owned(), |id| id.to_string());
    let mut began = Instant::now();
    while !stop.load(Ordering::SeqCst) {
        rest(began, Duration::from_millis(2)).await;
        began = Instant::now();
        let old: Vec<i64> = ledger.keys().copied().collect();
        let one = (!old.is_empty()).then(|| old[random.usize(..old.len())]);
        match (random.u32(..9), one) {
            (0..=1, _) | (_, None) => {
                let rows = run(format!(
                    "INSERT INTO orders (status, replaces) VALUES ('c{number}', {}) RETURNING id::bigint",
                    sql(one)
                ))
                .await?;
                let id: i64 = rows[0].get(0);
                let lines = random.i64(1..4);
                run(format!(
                    "INSERT INTO order_items (order_id, line, sku) SELECT {id}, {id} + i, 'x' FROM generate_series(1, {lines}) AS i"
                ))
                .await?;
                run(format!(
                    "INSERT INTO item_notes (order_id, line, note) VALUES ({id}, {id} + 1, 'first')"
                ))
                .await?;
                run(format!(
                    "INSERT INTO swaps (old_order, new_order, wide) VALUES ({id}, {id}, {id})"
                ))
                .await?;
                let order = Order {
                    lines,
                    replaces: one,
                    part_of: None,
                };
                ledger.insert(id, order);
            }
            (2, Some(id)) => {
                run(format!(
                    "UPDATE orders SET status = 'again' WHERE id = {id}"
                ))
                .await?;
            }
            (3, Some(id)) => {
                run(format!("INSERT INTO invoices (order_id, total) VALUES ({id}, 1) ON CONFLICT (order_id) DO UPDATE SET total = invoices.total + 1")).await?;
            }
            (4, Some(id)) => {
                run(format!("SELECT o.id::bigint, count(i.line) FROM orders AS o JOIN order_items AS i ON i.order_id = o.id WHERE o.id = {id} GROUP BY o.id")).await?;
            }
            // An order and a part of it, in one statement.
            (5, one) => {
                let rows = run(format!(
                    "WITH whole AS (INSERT INTO orders (part_of) VALUES ({}) RETURNING id), \
                          part AS (INSERT INTO orders (part_of) SELECT id FROM whole RETURNING id) \
                     SELECT whole.id::bigint, part.id::bigint FROM whole, part",
                    sql(one)
                ))
                .await?;
                let (whole, part): (i64, i64) = (rows[0].get(0), rows[0].get(1));
                let order = |part_of| Order {
                    lines: 0,
                    replaces: None,
                    part_of,
                };
                ledger.insert(whole, order(one));
                ledger.insert(part, order(Some(whole)));
            }
            // The one that refers comes first, as the foreign key that is known by its name is put off.
            (7, one) => {
                let rows =
                    run("SELECT nextval('orders_id_seq'), nextval('orders_id_seq')".to_owned())
                        .await?;
                let (first, second): (i64, i64) = (rows[0].get(0), rows[0].get(1));
                let put_off = run(format!(
                    "DO $$ BEGIN SET CONSTRAINTS replaced DEFERRED; INSERT INTO orders (id, replaces) VALUES ({first}, {second}); \
                     INSERT INTO orders (id, replaces) VALUES ({second}, {}); END $$",
                    sql(one)
                ))
                .await;
                // As `explain` says: contract came after the first of its statements and before the second.
                match put_off {
                    Err(error) if error.contains("23503") && straddled == 0 => {
                        straddled += 1;
                        continue;
                    }
                    put_off => put_off?,
                };
                for (id, replaces) in [(first, Some(second)), (second, one)] {
                    let order = Order {
                        lines: 0,
                        replaces,
                        part_of: None,
                    };
                    ledger.insert(id, order);
                }
            }
            // Never a part of what comes after it: there are no rings.
            (6, Some(id)) => {
                let part_of = old.iter().copied().find(|other| *other < id);
                run(format!(
                    "UPDATE orders SET part_of = {} WHERE id = {id}",
                    sql(part_of)
                ))
                .await?;
                ledger.get_mut(&id).expect("an order").part_of = part_of;
            }
            (_, Some(id)) => {
                run(format!("DELETE FROM orders WHERE id = {id}")).await?;
                delete(&mut ledger, id);
            }
        }
        written.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(ledger)
}

#[test]
fn no_statement_fails_while_a_key_is_widened_and_none_is_lost() {
    on_postgresql(async |database| {
        start(database, ORDERS).await;
        let stop = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicUsize::new(0));
        let url = database.url.clone();
        let clients: Vec<_> = (0..4).collect();
        let (ledgers, ()) = tokio::join!(
            async {
                let one = |number| write_orders(database, number, stop.clone(), written.clone());
                let (a, b, c, d) = tokio::join!(one(0), one(1), one(2), one(3));
                [a, b, c, d]
            },
            async {
                // There and back, and there again.
                tokio::time::sleep(Duration::from_millis(200)).await;
                for command in [
                    vec!["advance", RUN, "--to", "switch_reads"],
                    vec!["rollback", RUN, "--yes"],
                    vec!["start", path(&plan("orders-widen-key.yaml"))],
                ] {
                    let mut running = database.spawn(&[], &command);
                    while !running.has_ended() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    running.wait().exits(0);
                }
                for phase in PHASES.iter().chain(&["contract"]) {
                    let goal = written.load(Ordering::SeqCst) + 25 * clients.len();
                    for _ in 0..3_000 {
                        if written.load(Ordering::SeqCst) >= goal {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    let command = ["advance", RUN, "--to", phase, "--yes"];
                    let mut running = database.spawn(&[], &command);
                    while !running.has_ended() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    running.wait().exits(0);
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
                stop.store(true, Ordering::SeqCst);
            }
        );
        let client = crate::support::connect(&url).await;
        let mut known = BTreeMap::new();
        for ledger in ledgers {
            known.extend(ledger.expect("no statement fails"));
        }
        let rows = client
            .query(
                "SELECT o.id, count(i.line), o.replaces, o.part_of, \
                        (SELECT count(*) FROM item_notes AS n WHERE n.order_id = o.id), \
                        (SELECT count(*) FROM swaps AS s WHERE s.old_order = o.id AND s.new_order = o.id) \
                 FROM orders AS o LEFT JOIN order_items AS i ON i.order_id = o.id WHERE o.id > 2000 GROUP BY o.id",
                &[],
            )
            .await
            .expect("the rows");
        let mut found = Orders::new();
        for row in rows {
            let order = Order {
                lines: row.get(1),
                replaces: row.get(2),
                part_of: row.get(3),
            };
            let has_lines = i64::from(order.lines > 0);
            let noted = (row.get::<_, i64>(4), row.get::<_, i64>(5));
            assert_eq!(noted, (has_lines, has_lines), "{order:?}");
            found.insert(row.get(0), order);
        }
        assert!(found.values().any(|order| order.part_of.is_some()));
        assert_eq!(found, known);
    });
}

/// What explain says an application may notice, and nothing else of it.
#[test]
fn a_prepared_statement_that_returns_the_key_fails_once() {
    on_postgresql(async |database| {
        start(database, ORDERS).await;
        let client = database.client().await;
        let select = client.prepare("SELECT id FROM orders WHERE id = $1").await;
        let select = select.expect("prepared");
        let count = client
            .prepare("SELECT count(*) FROM orders WHERE id = $1 AND status <> ''")
            .await
            .expect("prepared");
        advance(database, RUN, "switch_reads");
        let (before, number) = (client.query_one(&select, &[&5]).await, 5_i32);
        assert_eq!(before.expect("a row").get::<_, i32>(0), number);
        advance(database, RUN, "contract");
        assert!(client.query_one(&count, &[&number]).await.is_ok());
        let failed = client.query_one(&select, &[&number]).await;
        let error = failed.expect_err("another type of result");
        assert_eq!(error.code().map(|code| code.code()), Some("0A000"));
        let again = client.query_one("SELECT id FROM orders WHERE id = 5", &[]);
        assert_eq!(again.await.expect("a row").get::<_, i64>(0), 5);
    });
}

#[test]
fn an_identity_goes_on_counting_with_its_options_and_rights() {
    on_postgresql(async |database| {
        let role = format!("counter_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role};
                 CREATE TABLE orders (id integer GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 10 CACHE 5 MAXVALUE 9000) PRIMARY KEY, status text);
                 COMMENT ON SEQUENCE orders_id_seq IS 'counts'; GRANT USAGE, SELECT ON SEQUENCE orders_id_seq TO {role};
                 INSERT INTO orders (status) SELECT 'x' FROM generate_series(1, 7);
                 CREATE TABLE small (id smallint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a text);
                 INSERT INTO small (a) VALUES ('one');"
            ))
            .await;
        let native = database.copy().await;
        native
            .execute("ALTER TABLE orders ALTER id TYPE bigint; ALTER SEQUENCE orders_id_seq AS bigint; ALTER TABLE small ALTER id TYPE integer; ALTER SEQUENCE small_id_seq AS integer")
            .await;
        database
            .crossfade(&["start", path(&plan("orders-widen-key.yaml"))])
            .exits(0);
        advance(database, RUN, "contract");
        let small = plan_file(
            "version: 1\nname: small\nchange:\n  widen_key: {table: public.small, column: id, type: integer}\n",
        );
        database.crossfade(&["start", path(small.path())]).exits(0);
        advance(database, "small", "contract");
        assert_eq!(
            sorted(&database.dump_schema()),
            sorted(&native.dump_schema())
        );
        // Five of a session's ten numbers were cached, and are not given again.
        database
            .execute(
                "INSERT INTO orders (status) VALUES ('y'); INSERT INTO small (a) VALUES ('two')",
            )
            .await;
        assert_eq!(
            database
                .value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM orders WHERE id > 150")
                .await,
            "160 200"
        );
        assert_eq!(database.value("SELECT max(id) FROM small").await, "2");
        let refused = database
            .client()
            .await
            .batch_execute("INSERT INTO orders (id) VALUES (1)")
            .await;
        assert!(refused.is_err(), "GENERATED ALWAYS");
        database.execute(&format!("DROP OWNED BY {role}")).await;
        native.execute(&format!("DROP OWNED BY {role}")).await;
        native.remove().await;
        database.execute(&format!("DROP ROLE {role}")).await;
    });
}

#[test]
fn a_key_that_cannot_be_widened_is_refused_by_name() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE staff (id integer PRIMARY KEY, boss integer CONSTRAINT boss_of REFERENCES staff, code text);
                 CREATE TABLE wide (id bigint PRIMARY KEY);
                 CREATE TABLE c (id integer PRIMARY KEY);
                 CREATE TABLE c_parts (id integer REFERENCES c) PARTITION BY LIST (id);
                 CREATE TABLE d (id integer PRIMARY KEY); CREATE TABLE d_refs (id integer, d integer REFERENCES d, EXCLUDE USING btree (d WITH =));",
            )
            .await;
        for (table, column, type_name, what) in [
            ("staff", "boss", "bigint", "boss is not in the primary key"),
            ("staff", "nope", "bigint", "has no column nope"),
            ("wide", "id", "bigint", "bigint is not a wider integer type"),
            (
                "wide",
                "id",
                "integer",
                "integer is not a wider integer type",
            ),
            ("c", "id", "text", "text is not a wider integer type"),
            ("c", "id", "bigint", "public.c_parts is partitioned"),
            ("d", "id", "bigint", "exclusion constraint"),
            ("gone", "id", "bigint", "there is no table public.gone"),
        ] {
            let file = plan_file(&format!(
                "version: 1\nname: x\nchange:\n  widen_key: {{table: public.{table}, column: {column}, type: {type_name}}}\n"
            ));
            let said = database
                .crossfade(&["check", path(file.path())])
                .exits(1)
                .stderr;
            assert!(said.contains(what), "{table}.{column}: {said}");
        }
    });
}

/// What was dropped in `contract` has a successor of its name: it must not be dropped when the record is made up for.
#[test]
fn a_foreign_key_survives_a_crash_after_contract() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL UNIQUE);
                 CREATE TABLE trips (id bigint PRIMARY KEY, status varchar(50) REFERENCES vehicles (status));
                 INSERT INTO vehicles VALUES (1, 'a'); INSERT INTO trips VALUES (1, 'a');",
            )
            .await;
        database
            .crossfade(&["start", path(&plan("vehicles-rename-status.yaml"))])
            .exits(0);
        let run = "rename-vehicle-status";
        advance(database, run, "retire");
        let killed = database.crossfade_with(
            &[("CROSSFADE_FAILPOINT", "kill:contract: after its effect")],
            &["advance", run, "--yes"],
        );
        assert_eq!(killed.code, None, "{}", killed.stderr);
        let before = database.dump_schema();
        advance(database, run, "contract");
        assert_eq!(database.dump_schema(), before);
        assert!(before.contains("trips_status_fkey"), "{before}");
    });
}

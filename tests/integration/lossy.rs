//! Expressions that are not each other's inverse: what the new version wrote stays as it wrote it.

use crate::support::{Database, on_postgresql, plan_file};
use serde_json::json;

/// The new version writes 12.345, which the old column holds as '12.35 EUR'; the old one '0012.50 EUR', which the new
/// column holds as 12.50; and a price of NULL is 0.00 to the old version.
const PRICE: &str = "
version: 1
name: price
change:
  change_column_type:
    table: public.orders
    column: price
    to: amount
    type: numeric
    forward: substring(price from '[0-9.]+')::numeric
    backward: coalesce(round(amount, 2)::text || ' EUR', '0.00 EUR')
";

const ORDERS: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, price text NOT NULL DEFAULT '1.00 EUR', note text);
    INSERT INTO orders SELECT i, '00' || i || '.50 EUR', repeat('n', 100) FROM generate_series(1, 2000) AS i;
";

async fn price_and_amount(database: &Database, id: i64) -> (String, String) {
    (
        database
            .value(&format!("SELECT price FROM orders WHERE id = {id}"))
            .await,
        database
            .value(&format!("SELECT amount FROM orders WHERE id = {id}"))
            .await,
    )
}

fn pair(price: &str, amount: &str) -> (String, String) {
    (price.to_owned(), amount.to_owned())
}

fn start(database: &Database, plan: &str) {
    let file = plan_file(plan);
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

fn advance(database: &Database, run: &str, phase: &str) {
    database
        .crossfade(&["advance", run, "--to", phase, "--yes"])
        .exits(0);
}

/// As somebody does who knows better than triggers.
async fn behind_the_triggers(database: &Database, sql: &str) {
    database
        .execute(&format!("SET session_replication_role = replica; {sql}"))
        .await;
}

#[test]
fn what_the_new_version_wrote_is_never_recomputed() {
    on_postgresql(async |database| {
        database.execute(ORDERS).await;
        start(database, PRICE);
        advance(database, "price", "dual_write");
        // Rows that the backfill has not come to, and one that is new.
        database
            .execute(
                "UPDATE orders SET amount = 12.345 WHERE id = 5; UPDATE orders SET amount = 0.001 WHERE id = 1999;
                 INSERT INTO orders (id, amount) VALUES (9001, 7.777)",
            )
            .await;
        // The old version wins where it writes after the new one.
        database
            .execute("UPDATE orders SET amount = 1.111 WHERE id = 6; UPDATE orders SET price = '0002.20 EUR' WHERE id = 6")
            .await;
        let as_written = async |moment: &str| {
            for (id, price, amount) in [
                (5, "12.35 EUR", "12.345"),
                (1999, "0.00 EUR", "0.001"),
                (9001, "7.78 EUR", "7.777"),
                (6, "0002.20 EUR", "2.20"),
            ] {
                assert_eq!(
                    price_and_amount(database, id).await,
                    pair(price, amount),
                    "{id} after {moment}"
                );
            }
        };
        as_written("the writes").await;
        advance(database, "price", "backfill");
        as_written("the backfill").await;
        assert_eq!(
            price_and_amount(database, 100).await,
            pair("00100.50 EUR", "100.50")
        );

        // From here on a NULL of the new version is one, although its old value would convert to another.
        database
            .execute(
                "UPDATE orders SET amount = NULL WHERE id IN (7, 9001); UPDATE orders SET note = 'unrelated' WHERE id = 7;
                 SET crossfade.writer = 'new'; INSERT INTO orders (id, amount) VALUES (9002, NULL)",
            )
            .await;
        let nulls = async |moment: &str| {
            for id in [7, 9001, 9002] {
                assert_eq!(
                    price_and_amount(database, id).await,
                    pair("0.00 EUR", "NULL"),
                    "{id} after {moment}"
                );
            }
        };
        nulls("the writes").await;
        let sides = "SELECT md5(string_agg(id || price || coalesce(amount::text, '-'), ',' ORDER BY id)) FROM orders";
        let before = database.value(sides).await;
        for phase in ["verify", "switch_reads"] {
            advance(database, "price", phase);
            for arguments in [
                &["verify", "price", "--format", "json"][..],
                &["verify", "price", "--repair", "--format", "json"],
            ] {
                let found = database.crossfade(arguments).exits(0).json();
                assert_eq!(found["rows_different"], 0, "{found}");
                assert_eq!(found["steps"][0]["rows_repaired"], 0, "{found}");
                assert_eq!(found["steps"][0]["rows_checked"], 2002, "{found}");
            }
            assert_eq!(
                database.value(sides).await,
                before,
                "nothing was written, {phase}"
            );
        }
        nulls("verification and repair").await;

        // NOT NULL goes with the old column: the NULLs must be mended before it can be enforced.
        database
            .execute("UPDATE orders SET amount = 12.345 WHERE amount IS NULL")
            .await;
        advance(database, "price", "retire");
        database
            .crossfade(&["verify", "price", "--repair"])
            .exits(0);
        advance(database, "price", "contract");
        for (id, amount) in [
            (5, "12.345"),
            (1999, "0.001"),
            (6, "2.20"),
            (7, "12.345"),
            (100, "100.50"),
        ] {
            assert_eq!(
                database
                    .value(&format!("SELECT amount FROM orders WHERE id = {id}"))
                    .await,
                amount
            );
        }
        assert_eq!(database.value("SELECT count(*) FROM orders").await, "2002");
    });
}

#[test]
fn an_explicit_null_of_the_new_version_is_there_after_contract() {
    on_postgresql(async |database| {
        database.execute(ORDERS).await;
        database
            .execute("ALTER TABLE orders ALTER price DROP NOT NULL")
            .await;
        start(database, PRICE);
        advance(database, "price", "backfill");
        database
            .execute("UPDATE orders SET amount = NULL WHERE id = 7; UPDATE orders SET note = 'unrelated' WHERE id = 7")
            .await;
        assert_eq!(
            price_and_amount(database, 7).await,
            pair("0.00 EUR", "NULL")
        );
        advance(database, "price", "retire");
        database
            .crossfade(&["verify", "price", "--repair"])
            .exits(0);
        advance(database, "price", "contract");
        assert_eq!(
            database
                .value("SELECT amount FROM orders WHERE id = 7")
                .await,
            "NULL"
        );
        assert_eq!(
            database
                .value("SELECT count(*) FROM orders WHERE amount IS NULL")
                .await,
            "1"
        );
    });
}

#[test]
fn hours_that_the_new_type_cannot_hold_stay_in_the_old_column_until_it_goes() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE trips (id bigint PRIMARY KEY, day timestamptz NOT NULL);
                 INSERT INTO trips SELECT i, '2026-01-01 00:30:00+00'::timestamptz + i * interval '7 hours' FROM generate_series(1, 2000) AS i;",
            )
            .await;
        start(
            database,
            "
version: 1
name: day
change:
  change_column_type:
    table: public.trips
    column: day
    type: date
    forward: (day AT TIME ZONE 'UTC')::date
    backward: day_new::timestamp AT TIME ZONE 'UTC'
    keep_name: true
",
        );
        let hours =
            "SELECT md5(string_agg((day AT TIME ZONE 'UTC')::text, ',' ORDER BY id)) FROM trips";
        let before = database.value(hours).await;
        advance(database, "day", "verify");
        database.crossfade(&["verify", "day", "--repair"]).exits(0);
        assert_eq!(database.value(hours).await, before);
        advance(database, "day", "switch_reads");
        // The same day again is no write of the new version's: the hours stay.
        database
            .execute("UPDATE trips SET day_new = day_new; UPDATE trips SET day_new = '2027-07-07' WHERE id = 3")
            .await;
        database.crossfade(&["verify", "day", "--repair"]).exits(0);
        assert_eq!(
            database
                .value("SELECT day AT TIME ZONE 'UTC' FROM trips WHERE id = 3")
                .await,
            "2027-07-07 00:00:00"
        );
        assert_eq!(
            database
                .value("SELECT day AT TIME ZONE 'UTC' FROM trips WHERE id = 4")
                .await,
            "2026-01-02 04:30:00"
        );
        advance(database, "day", "retire");
        database.crossfade(&["verify", "day", "--repair"]).exits(0);
        // Undone, the old version finds its hours again.
        database
            .crossfade(&["rollback", "day", "--to", "switch_reads", "--yes"])
            .exits(0);
        assert_eq!(
            database
                .value("SELECT day AT TIME ZONE 'UTC' FROM trips WHERE id = 4")
                .await,
            "2026-01-02 04:30:00"
        );
        advance(database, "day", "contract");
        assert_eq!(
            database.value("SELECT day FROM trips WHERE id = 4").await,
            "2026-01-02"
        );
        assert_eq!(
            database.value("SELECT day FROM trips WHERE id = 3").await,
            "2027-07-07"
        );
    });
}

#[test]
fn a_broken_row_is_named_stops_contract_and_is_repaired_from_the_side_that_reads_are_on() {
    on_postgresql(async |database| {
        database.execute(ORDERS).await;
        start(database, PRICE);
        advance(database, "price", "verify");
        let broken = |ran: crate::support::Ran| {
            let found = ran.exits(5).json();
            assert_eq!(found["rows_different"], 1, "{found}");
            assert_eq!(
                found["steps"][0]["examples"],
                json!([{"key": {"id": 3}}]),
                "{found}"
            );
        };
        let verify = ["verify", "price", "--format", "json"];
        let repair = ["verify", "price", "--repair", "--format", "json"];

        behind_the_triggers(database, "UPDATE orders SET amount = 99 WHERE id = 3").await;
        broken(database.crossfade(&verify));
        broken(database.crossfade(&verify));
        let repaired = database.crossfade(&repair).exits(0).json();
        assert_eq!(repaired["steps"][0]["rows_repaired"], 1, "{repaired}");
        assert_eq!(
            price_and_amount(database, 3).await,
            pair("003.50 EUR", "3.50"),
            "reads are on the old side"
        );
        database.crossfade(&verify).exits(0);

        advance(database, "price", "switch_reads");
        behind_the_triggers(database, "UPDATE orders SET amount = 99.999 WHERE id = 3").await;
        broken(database.crossfade(&verify));
        database.crossfade(&repair).exits(0);
        assert_eq!(
            price_and_amount(database, 3).await,
            pair("100.00 EUR", "99.999"),
            "reads are on the new side"
        );
        database.crossfade(&verify).exits(0);

        advance(database, "price", "retire");
        behind_the_triggers(database, "UPDATE orders SET amount = 55 WHERE id = 3").await;
        let schema = database.dump_schema();
        for _ in 0..2 {
            let refused = database
                .crossfade(&["advance", "price", "--to", "contract", "--yes"])
                .exits(5);
            assert!(refused.stderr.contains(r#"{"id":3}"#), "{}", refused.stderr);
            assert_eq!(database.dump_schema(), schema, "nothing was dropped");
        }
        broken(database.crossfade(&verify));
        database.crossfade(&repair).exits(0);
        assert_eq!(
            database
                .value("SELECT price_crossfade_retired FROM orders WHERE id = 3")
                .await,
            "55.00 EUR"
        );
        advance(database, "price", "contract");
        assert_eq!(
            database
                .value("SELECT amount FROM orders WHERE id = 3")
                .await,
            "55"
        );
        assert_eq!(database.status("price")["state"], "completed");
    });
}

#[test]
fn values_that_a_narrowing_would_not_take_or_lose_are_counted_before_it_is_run() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE narrow (id bigint PRIMARY KEY, code text, price numeric(10,2), big bigint, \"Odd one\" varchar(9));
                 INSERT INTO narrow SELECT i, i::text, i, i, 'abc' FROM generate_series(1, 200) AS i;
                 UPDATE narrow SET code = 'none' WHERE id <= 3; UPDATE narrow SET code = '0' || id WHERE id BETWEEN 4 AND 8;
                 UPDATE narrow SET price = 1.25 WHERE id <= 7; UPDATE narrow SET big = 3000000000 + id WHERE id <= 2;
                 UPDATE narrow SET \"Odd one\" = 'abcdefg' WHERE id <= 5;
                 CREATE TABLE large (id bigint PRIMARY KEY, big bigint, filler text) WITH (fillfactor = 10);
                 INSERT INTO large SELECT i, i, repeat('x', 500) FROM generate_series(1, 2500) AS i; ANALYZE",
            )
            .await;
        let notes = |change: &str| {
            let plan = plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"));
            let path = plan.path().to_str().expect("a path of text");
            database.crossfade(&["explain", path]).exits(0).stdout
        };
        for (change, expected) in [
            (
                "change_column_type: {table: public.narrow, column: code, type: integer, forward: 'code::integer', keep_name: true}",
                "of all 200 rows of public.narrow 3 have a value that code_new cannot take. They go to quarantine, and the gates stay closed until the value is corrected or the row is accepted. 5 would not survive",
            ),
            (
                "change_column_type: {table: public.narrow, column: price, to: rounded, type: 'numeric(10,1)'}",
                "of all 200 rows of public.narrow 0 have a value that rounded cannot take. They go to quarantine, and the gates stay closed until the value is corrected or the row is accepted. 7 would not survive",
            ),
            (
                "change_column_type: {table: public.narrow, column: big, type: integer, keep_name: true}",
                "of all 200 rows of public.narrow 2 have a value that big_new cannot take",
            ),
            (
                "change_column_type: {table: public.narrow, column: '\"Odd one\"', type: varchar(3), to: short}",
                "of all 200 rows of public.narrow 5 have a value that short cannot take",
            ),
            (
                "change_column_type: {table: public.narrow, column: '\"Odd one\"', type: varchar(3), to: short, forward: 'substring(narrow.\"Odd one\", 1, 3)'}",
                "cannot take. They go to quarantine, and the gates stay closed until the value is corrected or the row is accepted. 5 would not survive",
            ),
        ] {
            let said = notes(change);
            assert!(said.contains(expected), "{change}: {said}");
        }
        // Of a table of some 2,500 blocks a part is looked at.
        let said = notes(
            "change_column_type: {table: public.large, column: big, type: integer, keep_name: true}",
        );
        let sample = said
            .split_once("of a sample of ")
            .and_then(|(_, rest)| rest.split_once(" rows of public.large none"));
        let rows: u64 = sample
            .and_then(|(rows, _)| rows.parse().ok())
            .unwrap_or_else(|| panic!("{said}"));
        assert!((100..2_000).contains(&rows), "{rows}");
    });
}

/// One-way: `total` is computed from columns that stay, and the new version may write another.
#[test]
fn an_insert_that_finds_its_row_there_already_changes_nothing_of_what_is_noted() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE stock (id bigint PRIMARY KEY, quantity integer, note text);
                 INSERT INTO stock SELECT i, i FROM generate_series(1, 100) AS i",
            )
            .await;
        start(
            database,
            "version: 1\nname: total\nchange:\n  add_column: {table: public.stock, column: total, type: integer, forward: quantity * 2}\n",
        );
        advance(database, "total", "verify");
        database
            .execute("UPDATE stock SET total = 7 WHERE id IN (1, 2, 3); INSERT INTO stock (id, quantity, total) VALUES (101, 5, 7)")
            .await;
        // By the old version, and by the new one.
        database
            .execute(
                "INSERT INTO stock (id, quantity) VALUES (1, 1) ON CONFLICT DO NOTHING; \
                 INSERT INTO stock (id, quantity) VALUES (2, 2) ON CONFLICT (id) DO UPDATE SET note = 'n'; \
                 INSERT INTO stock (id, quantity, total) VALUES (10, 1, 7) ON CONFLICT DO NOTHING; \
                 INSERT INTO stock (id, quantity, total) VALUES (11, 1, 7) ON CONFLICT (id) DO UPDATE SET note = 'n'; \
                 INSERT INTO stock (id, quantity, total) VALUES (12, 1, 7) ON CONFLICT (id) DO UPDATE SET total = excluded.total",
            )
            .await;
        // Those rows that the new version wrote, and no other, need not agree.
        let noted = "SELECT string_agg(row_key ->> 'id', ',' ORDER BY (row_key ->> 'id')::integer) FROM crossfade.overtaken";
        assert_eq!(database.value(noted).await, "1,2,3,12,101");
        database.crossfade(&["verify", "total"]).exits(0);
        behind_the_triggers(database, "UPDATE stock SET total = 0 WHERE id = 10").await;
        database.crossfade(&["verify", "total"]).exits(5);
        // The old version writes the row after all.
        database
            .execute("INSERT INTO stock (id, quantity) VALUES (3, 30) ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity")
            .await;
        assert_eq!(database.value(noted).await, "1,2,12,101");
    });
}

//! One statement that writes both of two tables which are kept in step, as an application with writable CTEs sends it:
//! nothing of it is lost, whichever version sends it, and both tables say the same.

use crate::support::{Database, on_postgresql, plan_file};

const TABLES: &str = "
    CREATE TABLE shipments (id bigint PRIMARY KEY, note text, sent_on date, sent_at time);
    INSERT INTO shipments SELECT i, 'n' || i, '2026-01-01', '08:00' FROM generate_series(1, 20) AS i;
    CREATE TABLE proofs (shipment_id bigint PRIMARY KEY REFERENCES shipments ON DELETE CASCADE, signature text);
    INSERT INTO proofs SELECT i, 's' || i FROM generate_series(1, 20, 2) AS i;
";
const EXTRACT: &str = "version: 1\nname: x\nchange:\n  extract_table: {table: public.shipments, to: public.dispatches, by: {shipment_id: id}, \
    columns: {sent_on: sent_on, sent_at: sent_at}}\n";
const FOLD: &str = "version: 1\nname: x\nchange:\n  fold_table: {table: public.proofs, into: public.shipments, by: {id: shipment_id}, \
    columns: {signature: {}}}\n";

/// Rows in which the two say other things.
const EXTRACTED_OTHERWISE: &str = "SELECT count(*) FROM shipments AS s FULL JOIN dispatches AS d ON d.shipment_id = s.id \
    WHERE (s.sent_on, s.sent_at) IS DISTINCT FROM (d.sent_on, d.sent_at)";
const FOLDED_OTHERWISE: &str = "SELECT count(*) FROM shipments AS s FULL JOIN proofs AS p ON p.shipment_id = s.id \
    WHERE s.signature IS DISTINCT FROM p.signature";

async fn in_step(database: &Database, plan: &str) {
    database.execute(TABLES).await;
    let file = plan_file(plan);
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
    database
        .crossfade(&["advance", "x", "--to", "verify"])
        .exits(0);
}

/// What each statement leaves in one of the rows that it writes, and that nothing differs.
async fn each_leaves(database: &Database, statements: &[(&str, &str, &str)], otherwise: &str) {
    for (statement, look, left) in statements {
        database.execute(statement).await;
        assert_eq!(database.value(look).await, *left, "{statement}");
        assert_eq!(database.value(otherwise).await, "0", "{statement}");
    }
    database.crossfade(&["verify", "x"]).exits(0);
}

#[test]
fn a_row_and_what_was_extracted_from_it_may_be_written_by_one_statement() {
    let old = "SELECT sent_on || ' ' || sent_at FROM shipments WHERE id = ";
    let new = "SELECT sent_on || ' ' || sent_at FROM dispatches WHERE shipment_id = ";
    on_postgresql(async |database| {
        in_step(database, EXTRACT).await;
        each_leaves(
            database,
            &[
                (
                    "WITH s AS (INSERT INTO shipments (id, note) VALUES (100, 'new') RETURNING id) \
                     INSERT INTO dispatches (shipment_id, sent_on, sent_at) SELECT id, '2026-02-02', '09:00' FROM s",
                    &format!("{old}100"),
                    "2026-02-02 09:00:00",
                ),
                (
                    "WITH s AS (INSERT INTO shipments (id, note) SELECT i, 'many' FROM generate_series(101, 105) AS i RETURNING id) \
                     INSERT INTO dispatches (shipment_id, sent_on, sent_at) SELECT id, '2026-02-03', '10:00' FROM s WHERE id < 105",
                    &format!("{new}104"),
                    "2026-02-03 10:00:00",
                ),
                (
                    "WITH d AS (UPDATE dispatches SET sent_at = '11:00' WHERE shipment_id = 1) UPDATE shipments SET note = 'x' WHERE id = 1",
                    &format!("{old}1"),
                    "2026-01-01 11:00:00",
                ),
                (
                    "WITH d AS (DELETE FROM dispatches WHERE shipment_id = 2) UPDATE shipments SET note = 'x' WHERE id = 2",
                    &format!("SELECT count(*) FROM ({old}2) AS q (v) WHERE v IS NOT NULL"),
                    "0",
                ),
                (
                    "INSERT INTO shipments (id, sent_on, sent_at) VALUES (106, '2026-02-04', '12:00')",
                    &format!("{new}106"),
                    "2026-02-04 12:00:00",
                ),
            ],
            EXTRACTED_OTHERWISE,
        )
        .await;
    });
}

#[test]
fn a_row_and_what_is_folded_into_it_may_be_written_by_one_statement() {
    let old = "SELECT signature FROM proofs WHERE shipment_id = ";
    let new = "SELECT signature FROM shipments WHERE id = ";
    on_postgresql(async |database| {
        in_step(database, FOLD).await;
        each_leaves(
            database,
            &[
                (
                    "WITH s AS (INSERT INTO shipments (id, note) VALUES (100, 'old') RETURNING id) \
                     INSERT INTO proofs (shipment_id, signature) SELECT id, 'one' FROM s",
                    &format!("{new}100"),
                    "one",
                ),
                (
                    "WITH p AS (INSERT INTO proofs VALUES (2, 'two') ON CONFLICT (shipment_id) DO UPDATE SET signature = 'two') \
                     UPDATE shipments SET note = 'x' WHERE id = 2",
                    &format!("{new}2"),
                    "two",
                ),
                (
                    "INSERT INTO shipments (id, note, signature) VALUES (101, 'new', 'three')",
                    &format!("{old}101"),
                    "three",
                ),
                (
                    "WITH p AS (DELETE FROM proofs WHERE shipment_id = 101) DELETE FROM shipments WHERE id = 101",
                    "SELECT count(*) FROM shipments WHERE id = 101",
                    "0",
                ),
            ],
            FOLDED_OTHERWISE,
        )
        .await;
    });
}

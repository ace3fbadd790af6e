//! Another session drops objects while the catalog is read: they are not there, and that is no error.

use crate::support::{on_postgresql, plan_file};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};
use tokio_postgres::Client;

const TABLES: &str = "
    CREATE TABLE vehicles (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text NOT NULL, mileage integer NOT NULL DEFAULT 0);
    INSERT INTO vehicles (status) SELECT 'active' FROM generate_series(1, 100);
    CREATE TABLE trips (id bigint NOT NULL, status text NOT NULL, vehicle bigint) PARTITION BY RANGE (id);
    CREATE TABLE trips_1 PARTITION OF trips FOR VALUES FROM (0) TO (100);
";

/// One object of each kind that is described or defined, `%` being its number.
const OBJECTS: [&str; 9] = [
    "CREATE VIEW seen_% AS SELECT id, status, mileage FROM vehicles",
    "CREATE FUNCTION reads_%() RETURNS text LANGUAGE sql AS 'SELECT status FROM vehicles LIMIT 1'",
    "CREATE FUNCTION takes_%(vehicles) RETURNS text LANGUAGE sql AS 'SELECT $1.status'",
    "CREATE INDEX status_% ON vehicles (lower(status))",
    "ALTER TABLE vehicles ADD CONSTRAINT known_% CHECK (status <> '%')",
    "CREATE TABLE refers_% (vehicle bigint REFERENCES vehicles)",
    "CREATE POLICY of_% ON vehicles USING (status <> '%')",
    "CREATE TRIGGER fires_% BEFORE INSERT ON vehicles FOR EACH ROW WHEN (NEW.status = 'none') EXECUTE FUNCTION nothing('%')",
    "CREATE INDEX part_% ON trips_1 (status, (vehicle + %))",
];

/// A schema for each round, so that one statement drops everything at once.
async fn come_and_go(client: Client, stop: Arc<AtomicBool>, rounds: Arc<AtomicU32>) {
    while !stop.load(Ordering::SeqCst) {
        let mut drop = String::from("BEGIN;");
        for number in 1..=12 {
            for object in OBJECTS {
                let object = object.replace('%', &number.to_string());
                client.batch_execute(&object).await.expect(&object);
            }
            drop += &format!(
                "DROP VIEW seen_{number}; DROP FUNCTION reads_{number}, takes_{number}; DROP INDEX status_{number}, part_{number}; \
                 ALTER TABLE vehicles DROP CONSTRAINT known_{number}; DROP TABLE refers_{number}; DROP POLICY of_{number} ON vehicles; \
                 DROP TRIGGER fires_{number} ON vehicles;"
            );
        }
        client.batch_execute(&(drop + "COMMIT")).await.unwrap();
        rounds.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn objects_that_go_while_the_catalog_is_read_are_left_out() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database
            .execute(
                "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            )
            .await;
        let run = plan_file(
            "version: 1\nname: rename\nchange:\n  rename_column: {table: public.vehicles, from: status, to: state}\ngates: {retire: {bake: 1h}}\n",
        );
        let distance = plan_file(
            "version: 1\nname: rename-of-distance\nchange:\n  rename_column: {table: public.vehicles, from: mileage, to: distance}\n",
        );
        let other = plan_file(
            "version: 1\nname: rename-of-trips\nchange:\n  rename_column: {table: public.trips, from: status, to: state}\n",
        );
        let [run, distance, other] =
            [&run, &distance, &other].map(|file| file.path().to_str().unwrap());
        database.crossfade(&["start", run]).exits(0);
        database
            .crossfade(&["advance", "rename", "--to", "switch_reads"])
            .exits(0);
        let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let churn = tokio::spawn(come_and_go(
            database.client().await,
            Arc::clone(&stop),
            Arc::clone(&rounds),
        ));
        for _ in 0..8 {
            let ran = database.crossfade(&["check", distance, other]);
            assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.stderr);
            database.crossfade(&["advance", "rename"]).exits(3);
        }
        stop.store(true, Ordering::SeqCst);
        churn.await.unwrap();
        assert!(rounds.load(Ordering::SeqCst) > 2, "{rounds:?}");
    });
}

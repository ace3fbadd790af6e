//! Tables that Citus, TimescaleDB, Spock or pglogical keep or write to are refused by name, in their own catalogs' words. The products
//! cannot be installed here: their catalogs are stubs.

use crate::support::{Database, on_postgresql, plan_file};

const TABLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL);
    INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 10) AS i;
";
const RENAME: &str = "version: 1\nname: rename\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\n";
const INDEX: &str =
    "version: 1\nname: index\nchange:\n  add_index: {table: public.vehicles, columns: [status]}\n";

const CITUS: &str = "
    SET allow_system_table_mods = on;
    CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod \"char\" NOT NULL, repmodel \"char\" NOT NULL);
    GRANT SELECT ON pg_catalog.pg_dist_partition TO public;
";
const TIMESCALE: &str = "
    CREATE SCHEMA _timescaledb_catalog;
    CREATE TABLE _timescaledb_catalog.hypertable (id serial PRIMARY KEY, schema_name name NOT NULL, table_name name NOT NULL);
    CREATE TABLE _timescaledb_catalog.chunk (id serial PRIMARY KEY, hypertable_id integer NOT NULL, schema_name name NOT NULL, table_name name NOT NULL);
";

fn replicator(schema: &str) -> String {
    format!(
        "CREATE SCHEMA {schema};
         CREATE TABLE {schema}.replication_set (set_id oid PRIMARY KEY, set_nodeid oid NOT NULL, set_name name NOT NULL);
         CREATE TABLE {schema}.replication_set_table (set_id oid NOT NULL, set_reloid regclass NOT NULL);
         CREATE TABLE {schema}.subscription (sub_id oid PRIMARY KEY, sub_name name NOT NULL, sub_enabled boolean NOT NULL DEFAULT true);
         CREATE TABLE {schema}.local_sync_status (sync_kind \"char\" NOT NULL, sync_subid oid NOT NULL, sync_nspname name, sync_relname name, sync_status \"char\" NOT NULL);"
    )
}

/// `check` and `start` of a plan refuse with these words.
fn refused(database: &Database, plan: &str, words: &str) {
    let file = plan_file(plan);
    let path = file.path().to_str().unwrap();
    for command in ["check", "start"] {
        let ran = database.crossfade(&[command, path]).exits(1);
        assert!(ran.stderr.contains(words), "{command}: {}", ran.stderr);
    }
}

fn fits(database: &Database, plan: &str) -> String {
    let file = plan_file(plan);
    let ran = database.crossfade(&["check", file.path().to_str().unwrap()]);
    let ran = ran.exits(0);
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn tables_of_citus_are_refused_where_rows_are_walked() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database.execute(CITUS).await;
        fits(database, RENAME);
        for (partmethod, repmodel, words) in [
            ("h", "s", "public.vehicles is a distributed table of Citus"),
            ("n", "t", "public.vehicles is a reference table of Citus"),
            ("n", "s", "public.vehicles is a table that Citus manages"),
        ] {
            database
                .execute(&format!(
                    "SET allow_system_table_mods = on; TRUNCATE pg_catalog.pg_dist_partition; \
                     INSERT INTO pg_catalog.pg_dist_partition VALUES ('vehicles', '{partmethod}', '{repmodel}')"
                ))
                .await;
            refused(database, RENAME, words);
        }
        // PostgreSQL's own statement is enough for this one.
        fits(database, INDEX);
    });
}

#[test]
fn hypertables_and_their_chunks_are_refused_by_name() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database.execute(TIMESCALE).await;
        fits(database, RENAME);
        database
            .execute("INSERT INTO _timescaledb_catalog.hypertable (schema_name, table_name) VALUES ('public', 'vehicles')")
            .await;
        let words = "public.vehicles is a hypertable of TimescaleDB";
        refused(database, RENAME, words);
        // With chunks it is a table that others inherit from, and still called what it is.
        database
            .execute("CREATE SCHEMA chunks; CREATE TABLE chunks.one () INHERITS (public.vehicles); \
                      INSERT INTO _timescaledb_catalog.chunk (hypertable_id, schema_name, table_name) VALUES (1, 'chunks', 'one')")
            .await;
        refused(database, RENAME, words);
        let chunk = RENAME.replace("public.vehicles", "chunks.one");
        refused(
            database,
            &chunk,
            "chunks.one is a chunk of a hypertable of TimescaleDB",
        );
    });
}

#[test]
fn rows_that_spock_or_pglogical_bring_come_past_the_triggers() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        for (schema, product) in [("spock", "Spock"), ("pglogical", "pglogical")] {
            database.execute(&replicator(schema)).await;
            fits(database, RENAME);
            database
                .execute(&format!(
                    "INSERT INTO {schema}.replication_set VALUES (1, 1, 'default'); INSERT INTO {schema}.replication_set_table VALUES (1, 'vehicles')"
                ))
                .await;
            // Only sent on: the column has to be there first.
            let told = fits(database, RENAME);
            assert!(
                told.contains(&format!("is in the replication set default of {product}")),
                "{told}"
            );
            database
                .execute(&format!(
                    "INSERT INTO {schema}.subscription VALUES (7, 'from_b', true)"
                ))
                .await;
            let words = format!("receives rows by the subscription from_b of {product}");
            refused(database, RENAME, &words);
            // The subscriber of one direction has no set.
            database
                .execute(&format!(
                    "DELETE FROM {schema}.replication_set_table; INSERT INTO {schema}.local_sync_status VALUES ('f', 7, 'public', 'vehicles', 'r')"
                ))
                .await;
            refused(database, RENAME, &words);
            database
                .execute(&format!(
                    "UPDATE {schema}.subscription SET sub_enabled = false"
                ))
                .await;
            fits(database, RENAME);
            database
                .execute(&format!("DROP SCHEMA {schema} CASCADE"))
                .await;
        }
    });
}

/// A role that may make a schema could otherwise have code of its own run by whoever checks a plan.
#[test]
fn catalogs_of_such_names_that_somebody_made_run_no_code() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database
            .execute(
                "CREATE TABLE ran (at timestamptz); \
                 CREATE FUNCTION trap() RETURNS name LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''code ran''; END'; \
                 CREATE SCHEMA _timescaledb_catalog; \
                 CREATE VIEW _timescaledb_catalog.hypertable AS SELECT trap() AS schema_name, trap() AS table_name; \
                 CREATE DOMAIN tricky AS text; \
                 CREATE TABLE _timescaledb_catalog.chunk (schema_name tricky, table_name tricky); \
                 CREATE SCHEMA spock; CREATE TABLE spock.subscription (mine int)",
            )
            .await;
        fits(database, RENAME);
    });
}

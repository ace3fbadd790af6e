//! What PostgreSQL would refuse in the middle of a run is refused by `check`, by name.

use crate::support::{Database, on_postgresql, plan_file};

/// What `check` says of a plan with this change.
fn said(database: &Database, change: &str) -> (Option<i32>, String) {
    let file = plan_file(&format!("version: 1\nname: plan\n{change}\n"));
    let check = database.crossfade(&["check", file.path().to_str().unwrap()]);
    (check.code, format!("{}{}", check.stdout, check.stderr))
}

#[track_caller]
fn refused(database: &Database, change: &str, why: &str) {
    let (code, said) = said(database, change);
    assert!(
        code == Some(1) && said.contains(why),
        "{change}: {code:?} {said}"
    );
}

#[track_caller]
fn fits(database: &Database, change: &str) {
    let (code, said) = said(database, change);
    assert_eq!(code, Some(0), "{change}: {said}");
}

#[test]
fn a_foreign_key_between_types_that_do_not_compare() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE DOMAIN code AS text; CREATE TYPE kind AS ENUM ('a'); \
                 CREATE TABLE depots (id bigint PRIMARY KEY, code text UNIQUE, small int UNIQUE, day date UNIQUE, amount numeric UNIQUE, kind kind UNIQUE, UNIQUE (id, code)); \
                 CREATE TABLE vehicles (id bigint PRIMARY KEY, plate text, coded code, letters varchar(9), num int, big bigint, amount numeric, stamp timestamp, kind kind)",
            )
            .await;
        let key = |own: &str, to: &str| {
            format!(
                "change: {{add_foreign_key: {{table: public.vehicles, columns: [{own}], references: public.depots, to: [{to}]}}}}"
            )
        };
        for (own, to, why) in [
            (
                "plate",
                "small",
                "public.vehicles.plate (text) cannot refer to public.depots.small (integer)",
            ),
            (
                "num",
                "day",
                "public.vehicles.num (integer) cannot refer to public.depots.day (date)",
            ),
            // `=` between them is there, and no index of the other table goes by it.
            (
                "amount",
                "id",
                "public.vehicles.amount (numeric) cannot refer to public.depots.id (bigint)",
            ),
            (
                "plate",
                "kind",
                "public.vehicles.plate (text) cannot refer to public.depots.kind",
            ),
            (
                "num, big",
                "id, code",
                "public.vehicles.big (bigint) cannot refer to public.depots.code (text)",
            ),
        ] {
            refused(database, &key(own, to), why);
        }
        for (own, to) in [
            ("num", "id"),
            ("big", "small"),
            ("big", "amount"),
            ("coded", "code"),
            ("letters", "code"),
            ("stamp", "day"),
            ("kind", "kind"),
            ("num, plate", "id, code"),
        ] {
            fits(database, &key(own, to));
        }
        // The explicit form, over a column that the plan adds.
        refused(
            database,
            "phases:\n  - phase: expand\n    steps:\n      - add_column: {table: public.vehicles, column: depot, type: text}\n  - phase: enforce\n    steps:\n      - add_constraint: {table: public.vehicles, name: f, definition: \"FOREIGN KEY (depot) REFERENCES public.depots(id)\", references: public.depots}",
            "public.vehicles.depot (text) cannot refer to public.depots.id (bigint)",
        );
    });
}

#[test]
fn a_name_that_something_else_of_the_schema_has() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, plate text NOT NULL, num int); CREATE TABLE depots (id bigint PRIMARY KEY); \
                 CREATE INDEX depots_index ON depots (id); CREATE SEQUENCE a_sequence; CREATE VIEW a_view AS SELECT 1; CREATE TYPE a_type AS (x int); \
                 CREATE TYPE an_enum AS ENUM ('a'); CREATE DOMAIN a_domain AS text; CREATE SCHEMA other; CREATE SEQUENCE other.elsewhere",
            )
            .await;
        let index = |name: &str| {
            format!(
                "change: {{add_index: {{table: public.vehicles, columns: [num], name: {name}}}}}"
            )
        };
        for (name, what) in [
            ("a_sequence", "a sequence"),
            ("a_view", "a view"),
            ("a_type", "a type"),
            ("depots", "a table"),
            ("depots_index", "an index of public.depots"),
        ] {
            let why = format!("the schema public has {what} {name}");
            refused(database, &index(name), &why);
            refused(
                database,
                &format!(
                    "change: {{add_unique: {{table: public.vehicles, columns: [plate], name: {name}}}}}"
                ),
                &why,
            );
            refused(
                database,
                &format!(
                    "change: {{rename_constraint: {{table: public.vehicles, from: vehicles_pkey, to: {name}}}}}"
                ),
                &why,
            );
        }
        // No index is in the way of a type, and no type in that of an index.
        for name in ["an_enum", "a_domain", "elsewhere"] {
            fits(database, &index(name));
        }
        for (name, what) in [
            ("a_sequence", "a sequence"),
            ("an_enum", "a type"),
            ("a_domain", "a type"),
            ("depots_index", "an index of public.depots"),
        ] {
            let why = format!("the schema public has {what} {name}");
            refused(
                database,
                &format!("change: {{rename_table: {{table: public.vehicles, to: {name}}}}}"),
                &why,
            );
        }
        for (name, what) in [
            ("an_enum", "a type"),
            ("a_type", "a type"),
            ("depots_index", "an index of public.depots"),
        ] {
            let why = format!("the schema public has {what} {name}");
            refused(
                database,
                &format!(
                    "change: {{create_table: {{table: public.{name}, columns: id bigint PRIMARY KEY}}}}"
                ),
                &why,
            );
        }
        for (name, what) in [
            ("depots", "a table"),
            ("a_view", "a view"),
            ("a_domain", "a type"),
        ] {
            let why = format!("the schema public has {what} {name}");
            refused(
                database,
                &format!("change: {{create_enum: {{name: public.{name}, values: [a]}}}}"),
                &why,
            );
        }
        fits(
            database,
            "change: {create_enum: {name: public.depots_index, values: [a]}}",
        );
        fits(
            database,
            "change: {rename_table: {table: public.vehicles, to: cars}}",
        );
    });
}

#[test]
fn a_published_table_whose_rows_cannot_be_told_apart() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint NOT NULL, status text); CREATE PUBLICATION p FOR TABLE vehicles; \
                 CREATE TABLE depots (id bigint PRIMARY KEY, status text); CREATE PUBLICATION q FOR TABLE depots; \
                 CREATE TABLE plain (id bigint NOT NULL, status text); CREATE PUBLICATION r FOR TABLE plain WITH (publish = 'insert'); \
                 INSERT INTO vehicles SELECT i, 's' FROM generate_series(1, 100) AS i",
            )
            .await;
        let rename = |table: &str| {
            format!("change: {{rename_column: {{table: public.{table}, from: status, to: state}}}}")
        };
        let why = "public.vehicles is published (p) and has no replica identity: PostgreSQL refuses to update and delete its rows";
        refused(database, &rename("vehicles"), why);
        refused(
            database,
            "change: {set_replica_identity: {table: public.depots, identity: nothing}}",
            "public.depots is published (q): without a replica identity PostgreSQL refuses to update and delete its rows",
        );
        refused(
            database,
            "change: {drop_constraint: {table: public.depots, name: depots_pkey}}",
            "public.depots is published (q): without a replica identity PostgreSQL refuses to update and delete its rows",
        );
        fits(database, &rename("depots"));
        fits(
            database,
            "change: {set_replica_identity: {table: public.depots, identity: full}}",
        );
        fits(
            database,
            "change: {set_replica_identity: {table: public.plain, identity: nothing}}",
        );
        fits(
            database,
            "change: {set_replica_identity: {table: public.vehicles, identity: full}}",
        );
        database
            .execute("ALTER TABLE vehicles REPLICA IDENTITY FULL")
            .await;
        fits(database, &rename("vehicles"));
    });
}

#[test]
fn an_index_is_one_whatever_its_name() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, plate text NOT NULL, status text NOT NULL); \
                 CREATE INDEX plates_ccnew ON vehicles (plate); CREATE UNIQUE INDEX my_ccnew_index ON vehicles (plate, status); CREATE UNIQUE INDEX dup ON vehicles (status); \
                 INSERT INTO vehicles SELECT i, 'p' || i, 's' || i FROM generate_series(1, 100) AS i",
            )
            .await;
        fits(
            database,
            "change: {drop_index: {table: public.vehicles, name: plates_ccnew}}",
        );
        let file = plan_file(
            "version: 1\nname: run\nchange: {rename_column: {table: public.vehicles, from: plate, to: number}}\n",
        );
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "run", "--to", "contract", "--yes"])
            .exits(0);
        let left = "SELECT string_agg(indexrelid::regclass::text, ', ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 'vehicles'::regclass";
        assert_eq!(
            database.value(left).await,
            "dup, my_ccnew_index, plates_ccnew, vehicles_pkey"
        );
    });
}

#[test]
fn an_index_that_goes_with_an_extension() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE EXTENSION pg_trgm; CREATE TABLE vehicles (id bigint PRIMARY KEY, plate text NOT NULL UNIQUE, status text); \
                 CREATE INDEX by_plate ON vehicles USING gin (plate gin_trgm_ops); ALTER INDEX by_plate DEPENDS ON EXTENSION pg_trgm; \
                 ALTER INDEX vehicles_plate_key DEPENDS ON EXTENSION pg_trgm",
            )
            .await;
        let why = "the index by_plate on plate depends on the extension pg_trgm, and its replacement would not";
        refused(
            database,
            "change: {rename_column: {table: public.vehicles, from: plate, to: number}}",
            why,
        );
        let why = "depends on the extension pg_trgm, and a rollback would create one that does not";
        refused(
            database,
            "change: {drop_index: {table: public.vehicles, name: by_plate}}",
            why,
        );
        refused(
            database,
            "change: {drop_constraint: {table: public.vehicles, name: vehicles_plate_key}}",
            why,
        );
        // A rebuild keeps it.
        let file = plan_file(
            "version: 1\nname: run\nchange: {rebuild_index: {table: public.vehicles, name: by_plate}}\n",
        );
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "run", "--to", "expand"])
            .exits(0);
        database
            .execute(
                "ALTER TABLE vehicles DROP CONSTRAINT vehicles_plate_key; DROP EXTENSION pg_trgm",
            )
            .await;
        assert_eq!(
            database
                .value("SELECT to_regclass('by_plate') IS NULL")
                .await,
            "true"
        );
    });
}

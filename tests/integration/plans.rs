//! Every plan in `plans/`: it compiles, its explicit form is the same plan, and it runs to the end.

use crate::support::{Database, on_postgresql, plan, plan_file};

/// The tables that the plans are about, as their teams have them.
const TABLES: &str = "
    CREATE TABLE vehicles (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        status varchar(50) NOT NULL DEFAULT 'active' CHECK (status <> ''),
        license_plate varchar(20) NOT NULL UNIQUE
    );
    CREATE INDEX vehicles_status_idx ON vehicles (status);
    INSERT INTO vehicles (status, license_plate) SELECT 'idle', 'P-' || i FROM generate_series(1, 1000) AS i;
    CREATE TABLE inventory_items (
        id serial PRIMARY KEY,
        item_name text NOT NULL,
        batch text NOT NULL,
        quantity integer NOT NULL DEFAULT 0 CHECK (quantity >= 0)
    );
    CREATE INDEX inventory_items_name_batch ON inventory_items (item_name, batch);
    INSERT INTO inventory_items (item_name, batch, quantity)
        SELECT 'item ' || i % 50, 'B' || i, i FROM generate_series(1, 1000) AS i;
    ANALYZE;
";

async fn run_to_the_end(database: &Database, file: &str, run: &str) {
    database.execute(TABLES).await;
    database.crossfade(&["init"]).exits(0);
    let plan = plan(file);
    let plan = plan.to_str().expect("a path of text");
    database.crossfade(&["check", "--offline", plan]).exits(0);
    database.crossfade(&["check", plan]).exits(0);
    let explained = database
        .crossfade(&["explain", plan, "--format", "json"])
        .exits(0);
    assert_eq!(explained.json()["phases"].as_array().map(Vec::len), Some(8));

    let expanded = plan_file(&database.crossfade(&["expand", plan]).exits(0).stdout);
    let fingerprint = |path: &str| {
        database.crossfade(&["start", path]).exits(0);
        let fingerprint = database.status(run)["plan_fingerprint"].clone();
        database.crossfade(&["rollback", run, "--yes"]).exits(0);
        fingerprint
    };
    assert_eq!(
        fingerprint(expanded.path().to_str().expect("a path of text")),
        fingerprint(plan),
        "the explicit form is the same plan"
    );
    database.crossfade(&["start", plan]).exits(0);
    database
        .crossfade(&["advance", run, "--to", "contract", "--yes"])
        .exits(0);
    assert_eq!(database.status(run)["state"], "completed");
    database.crossfade(&["history", run, "--verify"]).exits(0);
}

#[test]
fn the_rename_of_the_fleet_runs_to_the_end() {
    on_postgresql(async |database| {
        run_to_the_end(
            database,
            "vehicles-rename-status.yaml",
            "rename-vehicle-status",
        )
        .await;
        assert_eq!(
            database
                .value("SELECT count(*) FROM vehicles WHERE vehicle_status = 'idle'")
                .await,
            "1000"
        );
    });
}

#[test]
fn the_change_of_type_of_the_fleet_runs_to_the_end_and_keeps_the_name() {
    on_postgresql(async |database| {
        run_to_the_end(
            database,
            "vehicles-narrow-plate.yaml",
            "narrow-license-plate",
        )
        .await;
        let type_name = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute \
                         WHERE attrelid = 'vehicles'::regclass AND attname = 'license_plate'";
        assert_eq!(database.value(type_name).await, "character varying(10)");
        assert_eq!(
            database
                .value("SELECT count(DISTINCT license_plate) FROM vehicles")
                .await,
            "1000"
        );
    });
}

#[test]
fn the_rename_of_the_inventory_runs_to_the_end() {
    on_postgresql(async |database| {
        run_to_the_end(
            database,
            "inventory-rename-batch.yaml",
            "rename-inventory-batch",
        )
        .await;
        let index = "SELECT pg_get_indexdef('inventory_items_name_batch'::regclass)";
        assert!(
            database
                .value(index)
                .await
                .ends_with("(item_name, batch_number)")
        );
    });
}

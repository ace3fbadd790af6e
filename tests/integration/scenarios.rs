//! Three teams' whole runbooks, plan after plan on one database, while their applications write: no statement fails, and in
//! the end every row is what its owner wrote last.

use crate::support::{Database, connect, on_postgresql_with_statistics, plan, plan_file};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::RwLock, task::JoinHandle};
use tokio_postgres::{Client, types::ToSql};

/// One release of an application: what it sends, with its values as text, and what it writes.
#[derive(Clone)]
struct Release {
    /// Gives the row's id.
    insert: &'static str,
    /// `$1` is the id.
    update: &'static str,
    read: &'static str,
    delete: &'static str,
    values: fn(u64) -> Vec<String>,
}

/// A deployment: some releases are in service beside each other, each in a slot of its own.
struct Slot {
    release: RwLock<Option<Release>>,
    operations: AtomicU64,
}

type Rows = BTreeMap<i64, Vec<String>>;

struct Application {
    slots: Vec<Arc<Slot>>,
    stop: Arc<AtomicBool>,
    failures: Arc<Mutex<Vec<String>>>,
    clients: Vec<JoinHandle<Rows>>,
}

const CLIENTS_PER_SLOT: u64 = 2;
/// Between two deployments each release does so much at least.
const ENOUGH: u64 = 60;
const ROWS_PER_CLIENT: usize = 40;

impl Application {
    async fn start(database: &Database, release: Release) -> Self {
        let slot = || {
            Arc::new(Slot {
                release: RwLock::default(),
                operations: AtomicU64::new(0),
            })
        };
        let mut application = Self {
            slots: vec![slot(), slot()],
            stop: Arc::default(),
            failures: Arc::default(),
            clients: Vec::new(),
        };
        for (number, slot) in (0..).zip(&application.slots) {
            for client in 0..CLIENTS_PER_SLOT {
                let service = Service {
                    client: connect(&database.url).await,
                    slot: slot.clone(),
                    number: (number * CLIENTS_PER_SLOT + client + 1) * 1_000_000,
                    rows: Rows::new(),
                };
                let (stop, failures) = (application.stop.clone(), application.failures.clone());
                application
                    .clients
                    .push(tokio::spawn(service.run(stop, failures)));
            }
        }
        application.deploy(0, Some(release)).await;
        application
    }

    /// Waits for the statements under way, and then until the release has done something.
    async fn deploy(&self, slot: usize, release: Option<Release>) {
        let serves = release.is_some();
        *self.slots[slot].release.write().await = release;
        if serves {
            self.work(slot).await;
        }
    }

    async fn work(&self, slot: usize) {
        let before = self.slots[slot].operations.load(Ordering::SeqCst);
        for _ in 0..6_000 {
            if self.slots[slot].operations.load(Ordering::SeqCst) >= before + ENOUGH {
                return;
            }
            let failures = self.failures.lock().expect("a list").clone();
            assert_eq!(failures, Vec::<String>::new());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the application stands still");
    }

    /// Every row of theirs, as it was written last.
    async fn stop(self) -> Rows {
        self.stop.store(true, Ordering::SeqCst);
        let mut rows = Rows::new();
        for client in self.clients {
            rows.extend(client.await.expect("a client"));
        }
        let failures = std::mem::take(&mut *self.failures.lock().expect("a list"));
        assert_eq!(failures, Vec::<String>::new());
        assert!(!rows.is_empty());
        rows
    }
}

/// One client: its rows are nobody else's.
struct Service {
    client: Client,
    slot: Arc<Slot>,
    number: u64,
    rows: Rows,
}

impl Service {
    async fn run(mut self, stop: Arc<AtomicBool>, failures: Arc<Mutex<Vec<String>>>) -> Rows {
        let slot = self.slot.clone();
        while !stop.load(Ordering::SeqCst) {
            {
                let release = slot.release.read().await;
                if let Some(release) = &*release {
                    match self.operate(release).await {
                        Ok(()) => _ = slot.operations.fetch_add(1, Ordering::SeqCst),
                        Err(error) => {
                            failures.lock().expect("a list").push(error);
                            break;
                        }
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.rows
    }

    /// A write, and a look whether it is what is there.
    async fn operate(&mut self, release: &Release) -> Result<(), String> {
        self.number += 1;
        let mut rows = self.rows.keys();
        // Any of them, another each time.
        let place = usize::try_from(self.number * 7919).unwrap_or(0) % self.rows.len().max(1);
        let any = rows.nth(place).copied();
        let (id, sql) = match (any, self.number % 4) {
            (Some(id), 1 | 2) => (Some(id), release.update),
            (Some(id), 3) if self.rows.len() > ROWS_PER_CLIENT => {
                self.query(release.delete, Some(id), &[]).await?;
                self.rows.remove(&id);
                return Ok(());
            }
            _ => (None, release.insert),
        };
        let values = (release.values)(self.number);
        let written = self.query(sql, id, &values).await?;
        let id: i64 = written.first().map_or(0, |row| row.get(0));
        let read = self.query(release.read, Some(id), &[]).await?;
        let read: Vec<String> = match read.first() {
            Some(row) => (0..row.len()).map(|place| row.get(place)).collect(),
            None => Vec::new(),
        };
        self.rows.insert(id, values.clone());
        if read != values {
            return Err(format!("{sql}: wrote {values:?}, read {read:?}"));
        }
        Ok(())
    }

    async fn query(
        &self,
        sql: &str,
        id: Option<i64>,
        values: &[String],
    ) -> Result<Vec<tokio_postgres::Row>, String> {
        let mut parameters: Vec<&(dyn ToSql + Sync)> = Vec::new();
        parameters.extend(id.iter().map(|id| id as &(dyn ToSql + Sync)));
        parameters.extend(values.iter().map(|value| value as &(dyn ToSql + Sync)));
        let rows = self.client.query(sql, &parameters).await;
        rows.map_err(|error| format!("{sql}: {error:?}"))
    }
}

/// One plan of the runbook. A day is a second.
struct Run<'a> {
    database: &'a Database,
    name: String,
}

impl<'a> Run<'a> {
    fn start(database: &'a Database, file: &str) -> Self {
        let text = std::fs::read_to_string(plan(file)).expect("the plan");
        let name = text.lines().find_map(|line| line.strip_prefix("name: "));
        let name = name.expect("a name").to_owned();
        let file = plan_file(&text.replace("24h", "1s"));
        let path = file.path().to_str().expect("a path");
        database.crossfade(&["check", path]).exits(0);
        database.crossfade(&["explain", path]).exits(0);
        database.crossfade(&["start", path]).exits(0);
        Self { database, name }
    }

    fn to(&self, phase: &str) {
        let arguments = ["advance", &self.name, "--to", phase, "--wait", "--yes"];
        self.database.crossfade(&arguments).exits(0);
    }

    fn ends(&self, phase: &str) {
        self.to(phase);
        assert_eq!(self.database.status(&self.name)["state"], "completed");
        self.database
            .crossfade(&["history", &self.name, "--verify"])
            .exits(0);
    }
}

async fn tables(database: &Database) {
    let tables = std::fs::read_to_string(plan("tables.sql")).expect("the tables");
    database.execute(&tables).await;
}

/// The rows that `sql` gives: an id, and the rest as text.
async fn rows(database: &Database, sql: &str) -> Rows {
    let client = database.client().await;
    let rows = client.query(sql, &[]).await.expect("the rows");
    rows.iter()
        .map(|row| {
            let values = (1..row.len()).map(|place| row.get(place)).collect();
            (row.get(0), values)
        })
        .collect()
}

async fn assert_nothing_is_left(database: &Database) {
    let left = "SELECT count(*) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n \
                ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND (a.attname LIKE '%crossfade%' OR c.relname LIKE '%crossfade%')";
    assert_eq!(database.value(left).await, "0");
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE '%crossfade%'";
    assert_eq!(database.value(triggers).await, "0");
}

// ------------------------------------------------------------------------------------------------- vehicles

const DELETE_VEHICLE: &str = "DELETE FROM vehicles WHERE id = $1";

/// Plates have up to 20 characters, of which ten tell one from another.
fn long_plate(number: u64) -> Vec<String> {
    vec![format!("s{}", number % 9), format!("S{number:09} (spare)")]
}

const FIRST: Release = Release {
    insert: "INSERT INTO vehicles (status, license_plate, depot, radio_code) VALUES ($1, $2, 'D1', 'R1') RETURNING id",
    update: "UPDATE vehicles SET status = $2, license_plate = $3 WHERE id = $1 RETURNING id",
    read: "SELECT status, license_plate FROM vehicles WHERE id = $1",
    delete: DELETE_VEHICLE,
    values: long_plate,
};
/// What it reads has a type of its own: else a statement prepared before a column is widened fails once after it, as
/// `explain` says.
const WITH_REGION: Release = Release {
    insert: "INSERT INTO vehicles (status, license_plate, region, depot, radio_code) VALUES ($1, $2, $3, 'D1', 'R1') RETURNING id",
    update: "UPDATE vehicles SET status = $2, license_plate = $3, region = $4 WHERE id = $1 RETURNING id",
    read: "SELECT status, license_plate, region::text FROM vehicles WHERE id = $1",
    values: |number| [long_plate(number), vec!["south".to_owned()]].concat(),
    ..FIRST
};
const LONG_REGION: &str = "the south, and what is beyond it";
const VEHICLE_STATUS: Release = Release {
    insert: "INSERT INTO vehicles (vehicle_status, license_plate, region, depot, radio_code) VALUES ($1, $2, $3, 'D1', 'R1') RETURNING id",
    update: "UPDATE vehicles SET vehicle_status = $2, license_plate = $3, region = $4 WHERE id = $1 RETURNING id",
    read: "SELECT vehicle_status, license_plate, region FROM vehicles WHERE id = $1",
    values: |number| [long_plate(number), vec![LONG_REGION.to_owned()]].concat(),
    ..FIRST
};
fn short_plate(number: u64) -> Vec<String> {
    let mut values = (VEHICLE_STATUS.values)(number);
    values[1].truncate(10);
    values
}
/// What it reads has a type of its own: else a statement prepared before `retire` fails once after it, as `explain` says.
const SHORT_PLATE: Release = Release {
    read: "SELECT vehicle_status, license_plate::text, region FROM vehicles WHERE id = $1",
    values: short_plate,
    ..VEHICLE_STATUS
};
const NEW_PLATE: Release = Release {
    insert: "INSERT INTO vehicles (vehicle_status, license_plate_new, region, depot, radio_code) VALUES ($1, $2, $3, 'D1', 'R1') RETURNING id",
    update: "UPDATE vehicles SET vehicle_status = $2, license_plate_new = $3, region = $4 WHERE id = $1 RETURNING id",
    read: "SELECT vehicle_status, license_plate_new, region FROM vehicles WHERE id = $1",
    ..SHORT_PLATE
};

async fn four_weeks_of_the_fleet(database: &Database, application: &Application) {
    Run::start(database, "fleet/1-add-region.yaml").ends("expand");
    application.deploy(1, Some(WITH_REGION)).await;
    Run::start(database, "fleet/2-index-depot.yaml").ends("expand");
    Run::start(database, "fleet/3-widen-region.yaml").ends("expand");
    application.deploy(0, Some(WITH_REGION)).await;
    application.deploy(1, None).await;

    let rename = Run::start(database, "vehicles-rename-status.yaml");
    rename.to("dual_write");
    application.deploy(1, Some(VEHICLE_STATUS)).await;
    rename.to("switch_reads");
    application.work(0).await;
    application.deploy(0, None).await;
    rename.to("retire");
    application.work(1).await;
    rename.ends("contract");
    application.deploy(0, Some(VEHICLE_STATUS)).await;

    let narrow = Run::start(database, "vehicles-narrow-plate.yaml");
    narrow.to("dual_write");
    application.deploy(1, Some(NEW_PLATE)).await;
    narrow.to("switch_reads");
    // Short plates under the old name: it may be the one column or the other.
    application.deploy(0, Some(SHORT_PLATE)).await;
    application.deploy(1, None).await;
    narrow.to("retire");
    application.work(0).await;
    narrow.ends("contract");
    application.deploy(1, Some(SHORT_PLATE)).await;
}

#[test]
fn the_fleet_goes_through_its_four_weeks() {
    on_postgresql_with_statistics(async |database| {
        tables(database).await;
        let mut expected = rows(database, "SELECT id, status, license_plate FROM vehicles").await;
        let application = Application::start(database, FIRST).await;
        four_weeks_of_the_fleet(database, &application).await;
        expected.extend(application.stop().await);
        for values in expected.values_mut() {
            if values.len() == 2 {
                values.push("north".to_owned());
            }
            values[1].truncate(10);
        }
        let last = "SELECT id, vehicle_status, license_plate, region FROM vehicles";
        assert!(
            rows(database, last).await == expected,
            "every row is as it was written last"
        );
        assert_nothing_is_left(database).await;
    });
}

// ------------------------------------------------------------------------------------------------- inventory

const PERSON: Release = Release {
    insert: "INSERT INTO users (full_name, email) VALUES ($1, $2) RETURNING id",
    update: "UPDATE users SET full_name = $2, email = $3 WHERE id = $1 RETURNING id",
    read: "SELECT full_name, email FROM users WHERE id = $1",
    delete: "DELETE FROM users WHERE id = $1",
    values: |number| vec![format!("Name {number}"), format!("{number}@example.org")],
};
const WITH_PREFERENCES: Release = Release {
    insert: "INSERT INTO users (full_name, email, preferences) VALUES ($1, $2, $3::text::jsonb) RETURNING id",
    update: "UPDATE users SET full_name = $2, email = $3, preferences = $4::text::jsonb WHERE id = $1 RETURNING id",
    read: "SELECT full_name, email, preferences::text FROM users WHERE id = $1",
    values: |number| {
        [
            (PERSON.values)(number),
            vec![format!("{{\"theme\": {number}}}")],
        ]
        .concat()
    },
    ..PERSON
};

const ITEM: Release = Release {
    insert: "INSERT INTO inventory_items (item_name, batch, quantity, lot) VALUES ('item', $1, $2::text::integer, 7) RETURNING id::bigint",
    update: "UPDATE inventory_items SET batch = $2, quantity = $3::text::integer WHERE id = ($1::bigint)::integer RETURNING id::bigint",
    read: "SELECT batch, trim_scale(quantity::numeric)::text FROM inventory_items WHERE id = ($1::bigint)::integer",
    delete: "DELETE FROM inventory_items WHERE id = ($1::bigint)::integer",
    values: |number| vec![format!("B{number}"), format!("{}", number % 1000)],
};
const NUMBERED: Release = Release {
    insert: "INSERT INTO inventory_items (item_name, batch_number, quantity, lot) VALUES ('item', $1, $2::text::integer, 7) RETURNING id::bigint",
    update: "UPDATE inventory_items SET batch_number = $2, quantity = $3::text::integer WHERE id = ($1::bigint)::integer RETURNING id::bigint",
    read: "SELECT batch_number, trim_scale(quantity::numeric)::text FROM inventory_items WHERE id = ($1::bigint)::integer",
    ..ITEM
};
const NEW_QUANTITY: Release = Release {
    insert: "INSERT INTO inventory_items (item_name, batch_number, quantity_new, lot) VALUES ('item', $1, $2::text::numeric, 7) RETURNING id::bigint",
    update: "UPDATE inventory_items SET batch_number = $2, quantity_new = $3::text::numeric WHERE id = ($1::bigint)::integer RETURNING id::bigint",
    read: "SELECT batch_number, trim_scale(quantity_new)::text FROM inventory_items WHERE id = ($1::bigint)::integer",
    values: |number| vec![format!("B{number}"), format!("{}.125", number % 1000)],
    ..ITEM
};
const WITHOUT_LOT: Release = Release {
    insert: "INSERT INTO inventory_items (item_name, batch_number, quantity) VALUES ('item', $1, $2::text::numeric) RETURNING id::bigint",
    update: "UPDATE inventory_items SET batch_number = $2, quantity = $3::text::numeric WHERE id = ($1::bigint)::integer RETURNING id::bigint",
    read: NUMBERED.read,
    ..NEW_QUANTITY
};

async fn stages_of_the_inventory(database: &Database, items: &Application) {
    Run::start(database, "inventory/2-index-batch.yaml").ends("expand");

    let rename = Run::start(database, "inventory-rename-batch.yaml");
    rename.to("dual_write");
    items.deploy(1, Some(NUMBERED)).await;
    rename.to("switch_reads");
    items.work(0).await;
    items.deploy(0, None).await;
    rename.to("retire");
    rename.ends("contract");
    Run::start(database, "inventory/4-require-batch-number.yaml").ends("enforce");

    let decimal = Run::start(database, "inventory-quantity-decimal.yaml");
    decimal.to("dual_write");
    items.deploy(0, Some(NEW_QUANTITY)).await;
    decimal.to("switch_reads");
    items.work(1).await;
    // Whole numbers under the old name: it may be the one column or the other.
    items.deploy(0, None).await;
    decimal.to("retire");
    items.work(1).await;
    decimal.ends("contract");

    let drop = Run::start(database, "inventory/6-drop-lot.yaml");
    items.deploy(0, Some(WITHOUT_LOT)).await;
    let closed = database.crossfade(&["advance", &drop.name]).exits(3);
    assert!(closed.stderr.contains("no_references"), "{}", closed.stderr);
    items.deploy(1, Some(WITHOUT_LOT)).await;
    drop.to("retire");
    items.work(0).await;
    drop.ends("contract");
    items.work(1).await;
}

#[test]
fn the_inventory_goes_through_its_stages() {
    on_postgresql_with_statistics(async |database| {
        database
            .execute("CREATE EXTENSION pg_stat_statements")
            .await;
        tables(database).await;
        let people = "SELECT id, full_name, email FROM users";
        let mut users = rows(database, people).await;
        let application = Application::start(database, PERSON).await;
        Run::start(database, "inventory/1-add-preferences.yaml").ends("expand");
        application.deploy(1, Some(WITH_PREFERENCES)).await;
        application.work(0).await;
        users.extend(application.stop().await);
        for values in users.values_mut().filter(|values| values.len() == 2) {
            values.push(String::new());
        }
        let people = "SELECT id, full_name, email, coalesce(preferences::text, '') FROM users";
        assert!(
            rows(database, people).await == users,
            "every user is as it was written last"
        );

        let quantities = "SELECT id::bigint, batch, quantity::text FROM inventory_items";
        let mut expected = rows(database, quantities).await;
        let items = Application::start(database, ITEM).await;
        stages_of_the_inventory(database, &items).await;
        expected.extend(items.stop().await);
        let last =
            "SELECT id::bigint, batch_number, trim_scale(quantity)::text FROM inventory_items";
        assert!(
            rows(database, last).await == expected,
            "every item is as it was written last"
        );
        assert_nothing_is_left(database).await;
        let index = "SELECT pg_get_indexdef('inventory_items_item_name_batch_idx'::regclass)";
        let index = database.value(index).await;
        assert!(index.ends_with("(item_name, batch_number)"), "{index}");
    });
}

// ------------------------------------------------------------------------------------------------- shipments

/// In three tables. Every second shipment has been acknowledged.
const NOTED: Release = Release {
    insert: "WITH s AS (INSERT INTO shipments (note) VALUES ($1) RETURNING id), \
             a AS (INSERT INTO acknowledgments (shipment_id, signature_url) SELECT id, $2 FROM s WHERE $2 <> ''), \
             t AS (INSERT INTO sync_status (shipment_id, attempts) SELECT id, $3::text::integer FROM s) SELECT id FROM s",
    update: "WITH a AS (INSERT INTO acknowledgments (shipment_id, signature_url) SELECT $1, nullif($3, '') \
                 ON CONFLICT (shipment_id) DO UPDATE SET signature_url = excluded.signature_url), \
             t AS (UPDATE sync_status SET attempts = $4::text::integer WHERE shipment_id = $1) \
             UPDATE shipments SET note = $2 WHERE id = $1 RETURNING id",
    read: "SELECT note, coalesce(a.signature_url, ''), coalesce(t.attempts, 0)::text FROM shipments AS s \
           LEFT JOIN acknowledgments AS a ON a.shipment_id = s.id LEFT JOIN sync_status AS t ON t.shipment_id = s.id WHERE s.id = $1",
    delete: "WITH a AS (DELETE FROM acknowledgments WHERE shipment_id = $1), t AS (DELETE FROM sync_status WHERE shipment_id = $1) \
             DELETE FROM shipments WHERE id = $1",
    values: |number| {
        let signature = match number % 2 {
            0 => format!("s{number}"),
            _ => String::new(),
        };
        vec![format!("n{number}"), signature, format!("{}", number % 3)]
    },
};
/// No row of sync_status where no attempt was made.
const COUNTED: Release = Release {
    insert: "WITH s AS (INSERT INTO shipments (note) VALUES ($1) RETURNING id), \
             a AS (INSERT INTO acknowledgments (shipment_id, signature_url) SELECT id, $2 FROM s WHERE $2 <> ''), \
             t AS (INSERT INTO sync_status (shipment_id, attempts) SELECT id, $3::text::integer FROM s WHERE $3 <> '0') SELECT id FROM s",
    update: "WITH a AS (INSERT INTO acknowledgments (shipment_id, signature_url) SELECT $1, nullif($3, '') \
                 ON CONFLICT (shipment_id) DO UPDATE SET signature_url = excluded.signature_url), \
             t AS (INSERT INTO sync_status (shipment_id, attempts) SELECT $1, $4::text::integer \
                 ON CONFLICT (shipment_id) DO UPDATE SET attempts = excluded.attempts) \
             UPDATE shipments SET note = $2 WHERE id = $1 RETURNING id",
    ..NOTED
};
const SIGNED: Release = Release {
    insert: "WITH s AS (INSERT INTO shipments (note, signature_url) VALUES ($1, nullif($2, '')) RETURNING id), \
             t AS (INSERT INTO sync_status (shipment_id, attempts) SELECT id, $3::text::integer FROM s WHERE $3 <> '0') SELECT id FROM s",
    update: "WITH t AS (INSERT INTO sync_status (shipment_id, attempts) SELECT $1, $4::text::integer \
                 ON CONFLICT (shipment_id) DO UPDATE SET attempts = excluded.attempts) \
             UPDATE shipments SET note = $2, signature_url = nullif($3, '') WHERE id = $1 RETURNING id",
    read: "SELECT note, coalesce(signature_url, ''), coalesce(t.attempts, 0)::text FROM shipments AS s \
           LEFT JOIN sync_status AS t ON t.shipment_id = s.id WHERE s.id = $1",
    delete: "WITH t AS (DELETE FROM sync_status WHERE shipment_id = $1) DELETE FROM shipments WHERE id = $1",
    ..NOTED
};
/// One table, and a deletion that knows of no other.
const WHOLE: Release = Release {
    insert: "INSERT INTO shipments (note, signature_url, sync_attempts) VALUES ($1, nullif($2, ''), $3::text::integer) RETURNING id",
    update: "UPDATE shipments SET note = $2, signature_url = nullif($3, ''), sync_attempts = $4::text::integer WHERE id = $1 RETURNING id",
    read: "SELECT note, coalesce(signature_url, ''), sync_attempts::text FROM shipments WHERE id = $1",
    delete: "DELETE FROM shipments WHERE id = $1",
    ..NOTED
};

async fn shipments_become_one_table(database: &Database, application: &Application) {
    Run::start(database, "shipments/1-unique-sync-status.yaml").ends("enforce");
    Run::start(database, "shipments/2-add-expected-delivery.yaml").ends("expand");
    application.deploy(0, Some(COUNTED)).await;

    let acknowledgments = Run::start(database, "acknowledgments-fold.yaml");
    acknowledgments.to("dual_write");
    application.deploy(1, Some(SIGNED)).await;
    acknowledgments.to("switch_reads");
    application.work(0).await;
    application.deploy(0, Some(SIGNED)).await;
    acknowledgments.to("retire");
    application.work(1).await;
    acknowledgments.ends("contract");

    let attempts = Run::start(database, "shipments/3-fold-sync-status.yaml");
    attempts.to("dual_write");
    application.deploy(1, Some(WHOLE)).await;
    attempts.to("switch_reads");
    application.work(0).await;
    application.deploy(0, None).await;
    attempts.to("retire");
    // One command brings the table back, and what was written meanwhile is in it.
    let back = ["rollback", &attempts.name, "--to", "switch_reads", "--yes"];
    database.crossfade(&back).exits(0);
    application.work(1).await;
    attempts.to("retire");
    attempts.ends("contract");
    application.deploy(0, Some(WHOLE)).await;
}

#[test]
fn the_shipments_become_one_table() {
    on_postgresql_with_statistics(async |database| {
        tables(database).await;
        let before = "SELECT s.id, coalesce(note, ''), coalesce(a.signature_url, ''), coalesce(t.attempts, 0)::text FROM shipments AS s \
                      LEFT JOIN acknowledgments AS a ON a.shipment_id = s.id LEFT JOIN sync_status AS t ON t.shipment_id = s.id";
        let mut expected = rows(database, before).await;
        let application = Application::start(database, NOTED).await;
        shipments_become_one_table(database, &application).await;
        expected.extend(application.stop().await);
        let last = "SELECT id, coalesce(note, ''), coalesce(signature_url, ''), sync_attempts::text FROM shipments";
        assert!(
            rows(database, last).await == expected,
            "every shipment is as it was written last"
        );
        assert_nothing_is_left(database).await;
    });
}

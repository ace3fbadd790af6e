//! Going back takes nothing of the application's without a word: what would be lost is counted and named, what keeps a
//! condition from being put back is named by its key, and a refusal changes nothing at all, whatever recipe the run is of.

use crate::crash_everywhere::all_of;
use crate::every_plan::{State, subjects};
use crate::support::{Database, Ran, on_postgresql, plan, plan_file};

/// What going back would cost after the application's writes.
enum Costs {
    /// Nothing of the application's goes.
    Nothing,
    /// These go, as `--discard` is told.
    Loses(&'static [&'static str]),
    /// A row of this key is in the way of a condition, until this statement.
    InTheWay(&'static str, &'static str),
    /// It says `irreversible: true`.
    NoWayBack,
}
use Costs::{InTheWay, Loses, NoWayBack, Nothing};

/// Each plan: the last phase to be run (the end of the run unless given), what the application writes then that it could
/// not, or need not, have written before, and what going back costs. The writes can be made twice.
const CASES: &[(&str, &str, &str, Costs)] = &[
    (
        "acknowledgments-fold",
        "retire",
        "UPDATE shipments SET signature_url = 'by the new version' WHERE id = 3",
        Nothing,
    ),
    (
        "acknowledgments-rename-table",
        "expand",
        "UPDATE delivery_proofs SET photo_url = 'new' WHERE shipment_id = 3",
        Nothing,
    ),
    (
        "bookings-channel-text",
        "switch_reads",
        "UPDATE bookings SET channel_new = 'phone' WHERE vehicle_id = 3",
        Nothing,
    ),
    (
        "bookings-exclude-overlap",
        "",
        "UPDATE bookings SET priority = 'high' WHERE vehicle_id = 3",
        Nothing,
    ),
    (
        "bookings-priority-enum",
        "switch_reads",
        "UPDATE bookings SET priority_new = 'high' WHERE vehicle_id = 3",
        Nothing,
    ),
    (
        "categories-widen-key",
        "switch_reads",
        "UPDATE categories SET name = 'new' WHERE id = 3",
        Nothing,
    ),
    ("depots-add-kind", "", "SELECT 1", NoWayBack),
    (
        "depots-primary-key",
        "",
        "UPDATE depots SET name = 'new' WHERE code = 'D3'",
        Nothing,
    ),
    (
        "inventory-add-note",
        "",
        "UPDATE inventory_items SET note = 'fragile' WHERE id IN (3, 4)",
        Loses(&["public.inventory_items.note"]),
    ),
    (
        "inventory-add-value",
        "",
        "UPDATE inventory_items SET label = 'by hand' WHERE id = 3",
        Loses(&["public.inventory_items.label"]),
    ),
    (
        "inventory-default-quantity",
        "",
        "INSERT INTO inventory_items (item_name) VALUES ('new')",
        Nothing,
    ),
    (
        "inventory-drop-default",
        "",
        "INSERT INTO inventory_items (item_name, quantity) VALUES ('new', 7)",
        Nothing,
    ),
    (
        "inventory-merge-lot",
        "retire",
        "UPDATE inventory_items SET sku = 'new/7' WHERE id = 3",
        Nothing,
    ),
    (
        "inventory-quantity-decimal",
        "switch_reads",
        "UPDATE inventory_items SET quantity_new = 7.5 WHERE id = 3",
        Nothing,
    ),
    (
        "inventory-rename-batch",
        "retire",
        "UPDATE inventory_items SET batch_number = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "orders-widen-key",
        "switch_reads",
        "UPDATE orders SET placed_on = '2026-07-01' WHERE id = 3",
        Nothing,
    ),
    (
        "positions-add-index",
        "",
        "UPDATE positions SET latitude = 1 WHERE vehicle_id = 3",
        Nothing,
    ),
    ("shipments-create-state", "", "SELECT 1", Nothing),
    (
        "shipments-extract-dispatch",
        "retire",
        "UPDATE dispatches SET sent_at = '09:00' WHERE shipment_id = 3",
        Nothing,
    ),
    (
        "shipments-note-varchar",
        "",
        "UPDATE shipments SET note = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "shipments-reference-vehicle",
        "",
        "UPDATE shipments SET vehicle_id = 7 WHERE id = 3",
        Nothing,
    ),
    (
        "shipments-replica-identity",
        "",
        "UPDATE shipments SET note = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "shipments-transform-dates",
        "retire",
        "UPDATE shipments SET carrier_code = 'new' WHERE id = 3",
        Nothing,
    ),
    ("shipments-widen-carrier", "", "SELECT 1", NoWayBack),
    ("sync-status-drop", "retire", "SELECT 1", Nothing),
    (
        "sync-status-move-attempts",
        "switch_reads",
        "UPDATE shipments SET sync_attempts = 70 WHERE id IN (3, 4, 5)",
        Loses(&["public.shipments.sync_attempts"]),
    ),
    (
        "sync-status-rename-constraint",
        "",
        "UPDATE sync_status SET attempts = 7 WHERE shipment_id = 3",
        Nothing,
    ),
    (
        "trips-create",
        "",
        "INSERT INTO trips (vehicle_id) VALUES (3)",
        Loses(&["public.trips"]),
    ),
    (
        "users-add-email-index",
        "",
        "UPDATE users SET email = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "users-add-plan",
        "",
        "UPDATE users SET plan = 'paid' WHERE id IN (3, 4)",
        Loses(&["public.users.plan"]),
    ),
    (
        "users-add-token",
        "",
        "UPDATE users SET token = '00000000-0000-0000-0000-000000000001' WHERE id = 3",
        Loses(&["public.users.token"]),
    ),
    (
        "users-and-shipments",
        "retire",
        "UPDATE users SET display_name = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "users-lower-email",
        "switch_reads",
        "UPDATE users SET email_new = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "users-normalize-email",
        "",
        "INSERT INTO users (id, email, email_as_typed) VALUES (5000, 'x', 'X') ON CONFLICT DO NOTHING",
        Loses(&["public.users.email_as_typed"]),
    ),
    (
        "users-require-email",
        "",
        "UPDATE users SET email = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "users-split-name",
        "retire",
        "UPDATE users SET first_name = 'New' WHERE id = 3",
        Nothing,
    ),
    (
        "users-unique-email",
        "",
        "UPDATE users SET email = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "vehicles-add-plate-key",
        "retire",
        "UPDATE vehicles SET plate_key = 'by hand' WHERE id = 3",
        Loses(&["public.vehicles.plate_key"]),
    ),
    (
        "vehicles-check-mileage",
        "",
        "UPDATE vehicles SET mileage = 7 WHERE id = 3",
        Nothing,
    ),
    ("vehicles-comment-mileage", "", "SELECT 1", Nothing),
    (
        "vehicles-drop-color-index",
        "",
        "UPDATE vehicles SET color = 'Blue' WHERE id = 3",
        Nothing,
    ),
    (
        "vehicles-drop-mileage-limit",
        "",
        "UPDATE vehicles SET mileage = 6000000 WHERE id = 3",
        InTheWay(
            r#"{"id": 3}"#,
            "UPDATE vehicles SET mileage = 3 WHERE id = 3",
        ),
    ),
    (
        "vehicles-drop-plate-unique",
        "",
        "UPDATE vehicles SET license_plate = 'P-4' WHERE id = 3",
        InTheWay(
            r#"{"id": 3}"#,
            "UPDATE vehicles SET license_plate = 'P-3' WHERE id = 3",
        ),
    ),
    (
        "vehicles-drop-radio-code",
        "retire",
        "INSERT INTO vehicles (license_plate, depot) SELECT 'N-' || count(*), 'D1' FROM vehicles",
        Nothing,
    ),
    (
        "vehicles-narrow-plate",
        "switch_reads",
        "UPDATE vehicles SET license_plate_new = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "vehicles-radio-code-optional",
        "",
        "UPDATE vehicles SET radio_code = NULL WHERE id = 3",
        InTheWay(
            r#"{"id": 3}"#,
            "UPDATE vehicles SET radio_code = 'R3' WHERE id = 3",
        ),
    ),
    ("vehicles-rebuild-status-index", "", "SELECT 1", Nothing),
    (
        "vehicles-rename-status-alias",
        "expand",
        "UPDATE vehicles SET vehicle_status = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "vehicles-rename-status",
        "retire",
        "UPDATE vehicles SET vehicle_status = 'new' WHERE id = 3",
        Nothing,
    ),
    (
        "vehicles-several-changes",
        "retire",
        "UPDATE vehicles SET vehicle_status = 'new', plate_key = 'by hand' WHERE id = 3",
        Loses(&["public.vehicles.plate_key"]),
    ),
    (
        "vehicles-status-statistics",
        "",
        "UPDATE vehicles SET status = 'new' WHERE id = 3",
        Nothing,
    ),
];

/// All that Crossfade has recorded, but for who holds the lease and what was counted.
const RECORDS: &str = "SELECT md5(concat_ws('|', \
    (SELECT string_agg(r::text, '|' ORDER BY r.id) FROM crossfade.runs AS r), (SELECT string_agg(p::text, '|' ORDER BY p::text) FROM crossfade.phases AS p), \
    (SELECT string_agg(s::text, '|' ORDER BY s::text) FROM crossfade.steps AS s), (SELECT string_agg(e::text, '|' ORDER BY e::text) FROM crossfade.events AS e), \
    (SELECT string_agg(c::text, '|' ORDER BY c::text) FROM crossfade.claims AS c)))";

async fn everything(database: &Database) -> (State, String) {
    (State::of(database).await, database.value(RECORDS).await)
}

/// Going back is refused for this reason, and nothing at all has changed by it.
async fn is_refused(database: &Database, run: &str, told: &[&str]) -> Ran {
    let before = everything(database).await;
    let refused = database.crossfade(&["rollback", run, "--yes"]).exits(1);
    for one in told {
        assert!(refused.stderr.contains(one), "{run}: {}", refused.stderr);
    }
    let after = everything(database).await;
    assert!(before == after, "{run}: something has changed");
    refused
}

async fn start(database: &Database, path: &str, phase: &str) -> String {
    database.crossfade(&["start", path]).exits(0);
    let run = database
        .value("SELECT name FROM crossfade.runs ORDER BY id DESC LIMIT 1")
        .await;
    let last = "SELECT phase FROM crossfade.phases ORDER BY run_id DESC, position DESC LIMIT 1";
    let last = database.value(last).await;
    let phase = if phase.is_empty() { &last } else { phase };
    database
        .crossfade(&["advance", &run, "--to", phase, "--yes"])
        .exits(0);
    run
}

async fn costs(template: &Database, (file, phase, writes, costs): &(&str, &str, &str, Costs)) {
    let database = template.copy().await;
    let path = plan(&format!("{file}.yaml"));
    let run = start(&database, path.to_str().expect("a path"), phase).await;
    database.execute(writes).await;
    let mut back = vec!["rollback", &run, "--yes"];
    match costs {
        NoWayBack => {
            is_refused(&database, &run, &["cannot be taken back"]).await;
            database.remove().await;
            return;
        }
        Nothing => {}
        Loses(things) => {
            is_refused(&database, &run, things).await;
            // Both versions go on.
            database.execute(writes).await;
            let json = ["rollback", &run, "--yes", "--format", "json"];
            let told = database.crossfade(&json).exits(1).json();
            for thing in *things {
                let lost = told["would_lose"].as_array().expect("what would be lost");
                let lost = lost.iter().find(|one| one["discard"] == *thing);
                assert!(
                    lost.is_some_and(|one| one["rows"].as_i64() > Some(0)),
                    "{run}: {told}"
                );
                back.extend(["--discard", thing]);
            }
        }
        InTheWay(key, mended) => {
            is_refused(&database, &run, &[key]).await;
            database.execute(writes).await;
            database.execute(mended).await;
        }
    }
    let done = database.crossfade(&back).exits(0);
    assert_eq!(
        database.status(&run)["state"],
        "rolled_back",
        "{run}: {}",
        done.stderr
    );
    if let Loses(things) = costs {
        let said = "SELECT detail FROM crossfade.events WHERE kind = 'rollback begun'";
        let said = database.value(said).await;
        assert!(
            things.iter().all(|thing| said.contains(thing)),
            "{run}: {said}"
        );
    }
    database.remove().await;
}

#[test]
fn going_back_from_every_recipe_counts_what_would_be_lost_and_changes_nothing_without_a_word() {
    let known: Vec<String> = CASES
        .iter()
        .map(|(file, ..)| plan(&format!("{file}.yaml")).display().to_string())
        .collect();
    for file in subjects() {
        assert!(known.contains(&file), "{file}: what does going back cost?");
    }
    on_postgresql(async |database| {
        let tables = std::fs::read_to_string(plan("tables.sql")).expect("the tables");
        database.execute(&tables).await;
        database.execute("UPDATE users SET email = 'u' || id").await;
        let template = database.copy().await;
        all_of(CASES, async |case| costs(&template, case).await);
        template.remove().await;
    });
}

const TABLE: &str = "CREATE TABLE t (id integer PRIMARY KEY, a text NOT NULL); \
    INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 100) AS i";

/// A run of this change that has come to its end.
async fn completed(database: &Database, change: &str) {
    database.execute(TABLE).await;
    let file = plan_file(&format!("version: 1\nname: back\nchange:\n  {change}\n"));
    start(database, file.path().to_str().expect("a path"), "").await;
}

#[test]
fn a_rollback_that_was_stuck_between_going_back_and_coming_forward_has_two_ways_out() {
    for forward in [true, false] {
        on_postgresql(async |database| {
            completed(
                database,
                "create_table: {table: public.fresh, columns: id bigint}",
            )
            .await;
            database.execute("INSERT INTO fresh VALUES (1)").await;
            // As an earlier release left it.
            database
                .execute(
                    "UPDATE crossfade.runs SET state = 'active', finished_at = NULL, rolling_back_to = 'start'; \
                     UPDATE crossfade.phases SET state = 'reverting', finished_at = NULL; UPDATE crossfade.steps SET state = 'reverting'",
                )
                .await;
            let stuck = database.crossfade(&["advance", "back"]).exits(3);
            assert!(stuck.stderr.contains("has begun"), "{}", stuck.stderr);
            let refused = database.crossfade(&["rollback", "back", "--yes"]).exits(1);
            assert!(
                refused.stderr.contains("--discard public.fresh"),
                "{}",
                refused.stderr
            );
            assert!(
                refused.stderr.contains("crossfade advance back"),
                "{}",
                refused.stderr
            );
            if forward {
                database.crossfade(&["advance", "back"]).exits(0);
                assert_eq!(database.status("back")["state"], "completed");
                assert_eq!(database.value("SELECT count(*) FROM fresh").await, "1");
            } else {
                let discard = ["rollback", "back", "--yes", "--discard", "public.fresh"];
                database.crossfade(&discard).exits(0);
                assert_eq!(database.value("SELECT to_regclass('fresh')").await, "NULL");
            }
        });
    }
}

#[test]
fn what_is_written_between_the_count_and_the_drop_is_seen_under_the_lock() {
    for (change, write, kept) in [
        (
            "add_column: {table: public.t, column: note, type: text}",
            "UPDATE t SET note = 'late' WHERE id = 7",
            "SELECT note FROM t WHERE id = 7",
        ),
        (
            "create_table: {table: public.fresh, columns: note text}",
            "INSERT INTO fresh VALUES ('late')",
            "SELECT note FROM fresh",
        ),
    ] {
        on_postgresql(async |database| {
            completed(database, change).await;
            let mut client = database.client().await;
            let transaction = client.transaction().await.expect("a transaction");
            transaction.batch_execute(write).await.expect("a write");
            let rollback = database.spawn(&[], &["rollback", "back", "--yes"]);
            let waits = "SELECT EXISTS (SELECT FROM crossfade.events WHERE kind = 'blocked')";
            database.wait_until(waits).await;
            transaction.commit().await.expect("it is committed");
            let refused = rollback.wait().exits(1);
            assert!(refused.stderr.contains("--discard"), "{}", refused.stderr);
            assert_eq!(database.value(kept).await, "late", "{change}");
            // It is not half way back: it comes forward, and to its end.
            database.crossfade(&["advance", "back"]).exits(0);
            assert_eq!(database.status("back")["state"], "completed");
        });
    }
}

#[test]
fn a_row_that_breaks_a_condition_while_it_is_put_back_leaves_nothing_of_it_behind() {
    on_postgresql(async |database| {
        completed(database, "drop_not_null: {table: public.t, column: a}").await;
        let original = database.dump_schema();
        let mut client = database.client().await;
        let transaction = client.transaction().await.expect("a transaction");
        let write = "UPDATE t SET a = NULL WHERE id = 7";
        transaction.batch_execute(write).await.expect("a write");
        let rollback = database.spawn(&[], &["rollback", "back", "--yes"]);
        let waits = "SELECT EXISTS (SELECT FROM crossfade.events WHERE kind = 'blocked')";
        database.wait_until(waits).await;
        transaction.commit().await.expect("it is committed");
        let refused = rollback.wait().exits(1);
        assert!(
            refused.stderr.contains(r#"{"id": 7}"#),
            "{}",
            refused.stderr
        );
        assert_eq!(database.dump_schema(), original);
        database.execute("UPDATE t SET a = NULL WHERE id = 8").await;
        database.crossfade(&["advance", "back"]).exits(0);
        assert_eq!(database.status("back")["state"], "completed");
    });
}

#[test]
fn what_a_step_found_there_stays_when_it_is_undone() {
    for (change, by_hand) in [
        (
            "add_column: {table: public.t, column: note, type: text}",
            "ALTER TABLE t ADD COLUMN note text",
        ),
        (
            "create_table: {table: public.fresh, columns: id bigint}",
            "CREATE TABLE fresh (id bigint)",
        ),
        (
            "create_enum: {name: public.kind, values: [x, y]}",
            "CREATE TYPE kind AS ENUM ('x', 'y')",
        ),
        (
            "add_index: {table: public.t, columns: [a], name: by_a}",
            "CREATE INDEX by_a ON t (a)",
        ),
        (
            "add_check: {table: public.t, name: c, check: \"a <> ''\"}",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a <> '')",
        ),
        (
            "add_check: {table: public.t, name: c, check: \"a <> ''\"}",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a <> '') NOT VALID",
        ),
        (
            "add_unique: {table: public.t, columns: [a], name: u}",
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a)",
        ),
        (
            "set_default: {table: public.t, column: a, default: \"'x'\"}",
            "ALTER TABLE t ALTER COLUMN a SET DEFAULT 'x'",
        ),
        (
            "set_comment: {table: public.t, column: a, comment: x}",
            "COMMENT ON COLUMN t.a IS 'x'",
        ),
        (
            "drop_not_null: {table: public.t, column: a}",
            "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
        ),
        (
            "sql: {name: own, forward: CREATE VIEW public.v AS SELECT id FROM public.t, reverse: DROP VIEW public.v, \
             done_when: \"SELECT to_regclass('public.v') IS NOT NULL\"}",
            "CREATE VIEW v AS SELECT id FROM t",
        ),
    ] {
        on_postgresql(async |database| {
            database.execute(TABLE).await;
            let file = plan_file(&format!("version: 1\nname: back\nchange:\n  {change}\n"));
            let path = file.path().to_str().expect("a path");
            database.crossfade(&["start", path]).exits(0);
            database.execute(by_hand).await;
            let found = database.dump_schema();
            let last = "SELECT phase FROM crossfade.phases ORDER BY position DESC LIMIT 1";
            let last = database.value(last).await;
            let forward = ["advance", "back", "--to", &last];
            // A crash between the effect and its record does not make it the run's own.
            let place = "SELECT step FROM crossfade.steps ORDER BY position LIMIT 1";
            let place = format!(
                "kill:{} be completed: before its record",
                database.value(place).await
            );
            let environment = [("CROSSFADE_FAILPOINT", place.as_str())];
            database.crossfade_with(&environment, &forward);
            database.crossfade(&forward).exits(0);
            // It is validated, if not added.
            let found = match by_hand.contains("NOT VALID") {
                true => database.dump_schema(),
                false => found,
            };
            assert_eq!(database.dump_schema(), found, "{change}");
            let back = database.crossfade(&["rollback", "back", "--yes"]).exits(0);
            assert!(
                back.stderr.contains("leaves what was there before it"),
                "{change}: {}",
                back.stderr
            );
            assert_eq!(database.dump_schema(), found, "{change}");
        });
    }
}

#[test]
fn going_back_wins_over_a_pause_of_all_runs_and_a_pause_says_which_one_it_replaces() {
    on_postgresql(async |database| {
        completed(
            database,
            "add_column: {table: public.t, column: note, type: text}",
        )
        .await;
        let file = plan_file(
            "version: 1\nname: other\nchange:\n  rename_column: {table: public.t, from: a, to: b}\n",
        );
        start(
            database,
            file.path().to_str().expect("a path"),
            "dual_write",
        )
        .await;
        let first = ["pause", "other", "--reason", "the night", "--for", "2h"];
        database.crossfade(&first).exits(0);
        let again = ["pause", "other", "--reason", "a lagging replica"];
        let told = database.crossfade(&again).exits(0);
        assert!(
            told.stdout.contains("the night") && told.stdout.contains("until"),
            "{}",
            told.stdout
        );
        let replaced = "SELECT detail::jsonb #>> '{replaced,reason}' FROM crossfade.events WHERE kind = 'paused' ORDER BY number DESC LIMIT 1";
        assert_eq!(database.value(replaced).await, "the night");
        database
            .crossfade(&["resume", "other", "--detach"])
            .exits(0);

        database
            .crossfade(&["pause", "--all", "--reason", "an incident"])
            .exits(0);
        let back = database.crossfade(&["rollback", "other", "--yes"]).exits(0);
        assert!(back.stderr.contains("an incident"), "{}", back.stderr);
        assert_eq!(database.status("other")["state"], "rolled_back");
    });
}

#[test]
fn contract_says_what_it_takes_away_for_good() {
    on_postgresql(async |database| {
        database.execute(TABLE).await;
        for (change, told) in [
            (
                "drop_column: {table: public.t, column: a}",
                "97 rows of public.t with a value in a",
            ),
            ("drop_table: {table: public.t}", "100 rows of public.t"),
        ] {
            let file = plan_file(&format!("version: 1\nname: back\nchange:\n  {change}\n"));
            let path = file.path().to_str().expect("a path");
            let explained = database.crossfade(&["explain", path]).exits(0).stdout;
            assert!(explained.contains(", for good"), "{explained}");
            start(database, path, "retire").await;
            if change.starts_with("drop_column") {
                let aside = "UPDATE t SET a_crossfade_retired = NULL WHERE id < 4";
                database.execute(aside).await;
            }
            let dry = ["advance", "back", "--dry-run", "--format", "json"];
            let dropped = &database.crossfade(&dry).exits(0).json()["drops_for_good"];
            assert_eq!(dropped[0], told, "{change}");
            let asked = database.crossfade(&["advance", "back"]).exits(2);
            assert!(asked.stderr.contains(told), "{}", asked.stderr);
            let done = database.crossfade(&["advance", "back", "--yes"]).exits(0);
            assert!(done.stderr.contains(told), "{}", done.stderr);
            database
                .execute("ALTER TABLE crossfade.runs DISABLE TRIGGER never_changes; UPDATE crossfade.runs SET name = 'x' || id; ALTER TABLE crossfade.runs ENABLE ALWAYS TRIGGER never_changes")
                .await;
        }
    });
}

/// Types without an equality of their own, with a precision, of several values, with parts that are NULL.
#[test]
fn a_value_is_told_from_a_default_whatever_its_type_is() {
    for (type_name, default, value) in [
        ("json", "'{}'", "'{\"a\": 1}'"),
        ("integer[]", "'{1,2}'", "'{3}'"),
        ("varchar(3)", "'abc'", "'abd'"),
        ("char(5)", "'a'", "'b'"),
        ("boolean", "false", "true"),
        ("timestamptz", "now()", "'2020-01-01'"),
        ("numeric", "1.0", "1.00"),
        ("public.pair", "", "(1, NULL)"),
        ("public.pair", "", "(NULL, NULL)"),
    ] {
        on_postgresql(async |database| {
            database
                .execute("CREATE TYPE pair AS (x integer, y integer)")
                .await;
            let default = match default {
                "" => String::new(),
                default => format!(", default: \"{default}\""),
            };
            let change = format!(
                "add_column: {{table: public.t, column: note, type: '{type_name}'{default}}}"
            );
            completed(database, &change).await;
            let nothing = database.copy().await;
            nothing.crossfade(&["rollback", "back", "--yes"]).exits(0);
            nothing.remove().await;
            let write = format!("UPDATE t SET note = {value} WHERE id IN (3, 4)");
            database.execute(&write).await;
            is_refused(database, "back", &["2 rows of public.t"]).await;
            let back = ["rollback", "back", "--yes", "--discard", "public.t.note"];
            database.crossfade(&back).exits(0);
        });
    }
}

#[test]
fn a_table_that_is_gone_already_keeps_nobody_from_going_back() {
    for (change, by_hand) in [
        (
            "add_column: {table: public.t, column: note, type: text}",
            "ALTER TABLE t DROP COLUMN note",
        ),
        (
            "create_table: {table: public.fresh, columns: id bigint}",
            "DROP TABLE fresh",
        ),
    ] {
        on_postgresql(async |database| {
            completed(database, change).await;
            database.execute(by_hand).await;
            database.crossfade(&["rollback", "back", "--yes"]).exits(0);
        });
    }
}

//! One plan with several changes: what they contradict each other in, what they share, and that both versions of the
//! application write while it runs and may go back, as with a plan for each.

use crate::every_plan::State;
use crate::support::{Database, on_postgresql, on_tables_of_plans, plan_file};

const FLEET: &str = "
    CREATE TABLE vehicles (
        id integer PRIMARY KEY,
        status text NOT NULL DEFAULT 'active',
        plate varchar(20) NOT NULL,
        mileage integer NOT NULL DEFAULT 0,
        code text NOT NULL,
        note text
    );
    CREATE INDEX vehicles_both ON vehicles (status, mileage);
    INSERT INTO vehicles SELECT i, 'idle', 'p-' || i, i, 'c' || i, 'n' FROM generate_series(1, 300) AS i;
    CREATE TABLE trips (
        id bigint PRIMARY KEY,
        vehicle integer CONSTRAINT trips_vehicle REFERENCES vehicles,
        driver text,
        km text
    );
    CREATE INDEX trips_driver ON trips (driver);
    INSERT INTO trips SELECT i, i, 'd' || i, i::text FROM generate_series(1, 300) AS i;
    CREATE TABLE depots (code text UNIQUE, name text);
    CREATE TABLE staff (id bigint PRIMARY KEY, depot text CONSTRAINT staff_depot REFERENCES depots (code));
    CREATE TABLE crews (code text NOT NULL UNIQUE, name text);
    ANALYZE;
";

fn plan_of(changes: &[&str]) -> String {
    let list: String = changes.iter().map(|one| format!("  - {one}\n")).collect();
    format!("version: 1\nname: several\nchanges:\n{list}")
}

const RENAME: &str = "rename_column: {table: public.vehicles, from: status, to: vehicle_status}";
const WIDEN: &str =
    "change_column_type: {table: public.vehicles, column: mileage, type: bigint, keep_name: true}";
const COMPUTED: &str =
    "add_column: {table: public.vehicles, column: plate_key, type: text, forward: upper(plate)}";
const DRIVER: &str = "rename_column: {table: public.trips, from: driver, to: driver_name}";
const CONVERTED: &str = "change_column_type: {table: public.trips, column: km, type: integer, to: kilometers, forward: 'km::integer', backward: 'kilometers::text'}";

fn start(database: &Database, text: &str) {
    let file = plan_file(text);
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
}

fn advance(database: &Database, phase: &str) {
    database
        .crossfade(&["advance", "several", "--to", phase, "--yes"])
        .exits(0);
}

fn back(database: &Database, arguments: &[&str]) {
    let command = [&["rollback", "several", "--yes"], arguments].concat();
    database.crossfade(&command).exits(0);
}

#[test]
fn a_contradiction_is_shown_with_its_place_without_a_database() {
    on_postgresql(async |database| {
        let drop = "drop_column: {table: public.vehicles, column: status}";
        let file = plan_file(&plan_of(&[RENAME, DRIVER, drop]));
        let path = file.path().to_str().expect("a path");
        let told = database
            .crossfade(&["check", "--offline", path])
            .exits(1)
            .stderr;
        for line in [
            "public.vehicles.status is changed by changes[0].rename_column.from too",
            ":6:51",
            "^^^^^^",
            "= help: make two plans, and start the second when the first is completed",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
        let json = database
            .crossfade(&["check", "--offline", path, "--format", "json"])
            .exits(1)
            .json();
        assert_eq!(
            json["plans"][0]["problems"][0]["path"], "changes[2].drop_column.column",
            "{json}"
        );
    });
}

/// What only the tables tell is refused by `check`, and by `start` with the same words.
#[test]
fn what_would_meet_in_the_tables_is_refused_before_it_starts() {
    on_postgresql(async |database| {
        database.execute(FLEET).await;
        let cases: [(&[&str], &str, &str); 10] = [
            // The foreign key is between two columns that are replaced.
            (
                &[
                    "rename_column: {table: public.depots, from: code, to: depot_code}",
                    "rename_column: {table: public.staff, from: depot, to: depot_code}",
                ],
                "changes[1].rename_column",
                "changes[0].rename_column changes staff_depot of public.staff too",
            ),
            (
                &[
                    "rename_column: {table: public.depots, from: code, to: depot_code}",
                    "drop_constraint: {table: public.staff, name: staff_depot}",
                ],
                "changes[1].drop_constraint",
                "changes staff_depot of public.staff too",
            ),
            (
                &[
                    RENAME,
                    "drop_index: {table: public.vehicles, name: vehicles_both}",
                ],
                "changes[1].drop_index",
                "changes vehicles_both of public.vehicles too",
            ),
            (
                &[
                    "drop_column: {table: public.trips, column: driver}",
                    "rebuild_index: {table: public.trips, name: trips_driver}",
                ],
                "changes[1].rebuild_index.name",
                "trips_driver is over public.trips.driver, which changes[0].drop_column.column replaces or drops",
            ),
            // Both would be one group of columns.
            (
                &[
                    COMPUTED,
                    "add_column: {table: public.vehicles, column: plate_low, type: text, forward: lower(plate)}",
                ],
                "changes[1].add_column",
                "changes[0].add_column computes columns from public.vehicles.plate too",
            ),
            (
                &[
                    RENAME,
                    "add_column: {table: public.vehicles, column: token, type: uuid, default: gen_random_uuid()}",
                ],
                "changes[1].add_column",
                "the default of the new column differs for each row",
            ),
            // The table that refers to the key is found by the facts alone.
            (
                &[
                    DRIVER,
                    "widen_key: {table: public.vehicles, column: id, type: bigint}",
                ],
                "changes[1].widen_key",
                "changes[0].rename_column changes the table public.trips too, and only one of them can",
            ),
            (
                &[
                    "rename_column: {table: public.depots, from: name, to: title}",
                    "add_foreign_key: {table: public.trips, columns: driver, references: public.staff, to: depot}",
                ],
                "changes[1].add_foreign_key.references",
                "public.staff has nothing unique over depot",
            ),
            // By its key a row is noted.
            (
                &[
                    "add_column: {table: public.crews, column: short, type: text, forward: lower(name)}",
                    "drop_not_null: {table: public.crews, column: code}",
                ],
                "changes[1].drop_not_null.column",
                "code is in the key of public.crews, by which changes[0].add_column tells the rows apart",
            ),
            // Each change by itself is refused at its own place, all at once.
            (
                &[
                    "rename_column: {table: public.vehicles, from: stat, to: vehicle_status}",
                    "set_not_null: {table: public.trips, column: drivers}",
                ],
                "changes[1].set_not_null.column",
                "public.trips has no column drivers",
            ),
        ];
        for (changes, place, message) in cases {
            let file = plan_file(&plan_of(changes));
            let path = file.path().to_str().expect("a path");
            let checked = database
                .crossfade(&["check", path, "--format", "json"])
                .exits(1)
                .json();
            let errors = checked["plans"][0]["problems"].as_array().expect("errors");
            let found = errors.iter().any(|error| {
                error["path"] == place
                    && error["message"]
                        .as_str()
                        .is_some_and(|text| text.contains(message))
            });
            assert!(found, "{changes:?}: {checked:#}");
            database.crossfade(&["start", path]).exits(1);
        }
        assert_eq!(
            database
                .value("SELECT count(*)::text FROM crossfade.runs")
                .await,
            "0"
        );
    });
}

#[test]
fn one_table_has_one_set_of_triggers_and_one_walk() {
    on_postgresql(async |database| {
        database.execute(FLEET).await;
        start(
            database,
            &plan_of(&[RENAME, DRIVER, WIDEN, COMPUTED, CONVERTED]),
        );
        advance(database, "verify");
        let triggers = "SELECT string_agg(t, ' ' ORDER BY t) FROM (SELECT tgrelid::regclass || ':' || count(*) || ':' || count(DISTINCT tgfoid) AS t \
             FROM pg_trigger WHERE tgname LIKE 'zz_crossfade%' GROUP BY tgrelid) AS q";
        assert_eq!(database.value(triggers).await, "trips:2:1 vehicles:2:1");
        let steps = "SELECT string_agg(step, ' ' ORDER BY step) FROM crossfade.steps WHERE phase IN ('dual_write', 'backfill', 'verify')";
        assert_eq!(
            database.value(steps).await,
            "fill:public.trips fill:public.vehicles match:public.trips match:public.vehicles sync_columns:public.trips sync_columns:public.vehicles"
        );
        let walks = "SELECT string_agg(step, ' ' ORDER BY step) FROM crossfade.walks";
        assert_eq!(
            database.value(walks).await,
            "fill:public.trips fill:public.vehicles match:public.trips match:public.vehicles"
        );
        // The first pass wrote each row once, for all three changes.
        let written =
            "SELECT rows_before::text FROM crossfade.walks WHERE step = 'fill:public.vehicles'";
        assert_eq!(database.value(written).await, "300");
        let filled = "SELECT count(*)::text FROM vehicles WHERE vehicle_status = status AND mileage_new = mileage AND plate_key = upper(plate)";
        assert_eq!(database.value(filled).await, "300");
        // The index over two columns that are both replaced has one successor, over both.
        advance(database, "contract");
        let index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'vehicles_both'";
        assert_eq!(
            database.value(index).await,
            "CREATE INDEX vehicles_both ON public.vehicles USING btree (vehicle_status, mileage)"
        );
        let left = "SELECT count(*)::text FROM pg_trigger WHERE tgname LIKE 'zz_crossfade%'";
        assert_eq!(database.value(left).await, "0");
        let columns = "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attname) FROM pg_attribute \
             WHERE attrelid = 'vehicles'::regclass AND attnum > 0 AND NOT attisdropped";
        assert_eq!(
            database.value(columns).await,
            "code text, id integer, mileage bigint, note text, plate character varying(20), plate_key text, vehicle_status text"
        );
    });
}

#[test]
fn its_explicit_form_and_a_list_of_one_are_the_same_plan() {
    on_postgresql(async |database| {
        database.execute(FLEET).await;
        let fingerprint = |text: &str| {
            let file = plan_file(text);
            let path = file.path().to_str().expect("a path");
            database.crossfade(&["start", path]).exits(0);
            let status = database.status("several");
            back(database, &[]);
            status["plan_fingerprint"].clone()
        };
        let several = plan_of(&[RENAME, DRIVER, WIDEN, COMPUTED]);
        let file = plan_file(&several);
        let expand = ["expand", file.path().to_str().expect("a path")];
        let expanded = database.crossfade(&expand).exits(0).stdout;
        assert!(!expanded.contains("changes:"), "{expanded}");
        assert_eq!(fingerprint(&several), fingerprint(&expanded));
        let list = plan_of(&[RENAME]);
        let one = format!("version: 1\nname: several\nchange:\n  {RENAME}\n");
        assert_eq!(fingerprint(&list), fingerprint(&one));
        assert_ne!(fingerprint(&list), fingerprint(&several));
        // A run that was started with one form is known by the other.
        start(database, &one);
        let file = plan_file(&list);
        let path = file.path().to_str().expect("a path");
        let known = database.crossfade(&["check", path]).exits(0);
        assert!(known.stdout.contains("several"), "{}", known.stdout);
    });
}

/// Each row as both versions see it.
async fn row(database: &Database, columns: &str, table: &str, id: i64) -> String {
    let query = format!(
        "SELECT concat_ws('|', {columns}) FROM (SELECT * FROM {table} WHERE id = {id}) AS r"
    );
    database.value(&query).await
}

#[test]
fn both_versions_write_while_it_runs_and_each_change_is_decided_for_itself() {
    on_postgresql(async |database| {
        database.execute(FLEET).await;
        start(
            database,
            &plan_of(&[RENAME, DRIVER, WIDEN, COMPUTED, CONVERTED]),
        );
        for phase in ["dual_write", "backfill", "enforce"] {
            advance(database, phase);
            database
                .execute(
                    "UPDATE vehicles SET status = 'old' WHERE id = 1;
                     UPDATE vehicles SET vehicle_status = 'new', mileage_new = 5000000000 - 4999999000 WHERE id = 2;
                     -- Of one change the new side, of another the old one.
                     UPDATE vehicles SET vehicle_status = 'mixed', mileage = 7, plate = 'q-3' WHERE id = 3;
                     DELETE FROM vehicles WHERE id IN (1001, 1002);
                     INSERT INTO vehicles (id, status, plate, mileage, code) VALUES (1001, 'old', 'o-1', 1, 'x');
                     INSERT INTO vehicles (id, vehicle_status, plate, mileage_new, plate_key, code) VALUES (1002, 'new', 'o-2', 2, 'by hand', 'y');
                     UPDATE trips SET driver = 'old', kilometers = 12 WHERE id = 4;
                     -- What does not convert fails no write, and keeps nothing else from being set.
                     UPDATE trips SET driver = 'kept', km = 'far' WHERE id = 5;
                     UPDATE trips SET km = '5' WHERE id = 5;",
                )
                .await;
            let columns = "status, vehicle_status, mileage, mileage_new, plate_key";
            for (id, expected) in [
                (1, "old|old|1|1|P-1"),
                (2, "new|new|1000|1000|P-2"),
                (3, "mixed|mixed|7|7|Q-3"),
                (1001, "old|old|1|1|O-1"),
                (1002, "new|new|2|2|by hand"),
            ] {
                let found = row(database, columns, "vehicles", id).await;
                // Before the backfill a row is filled as it is written.
                assert_eq!(found, expected, "{phase}");
            }
            let trips = "driver, driver_name, km, kilometers";
            assert_eq!(row(database, trips, "trips", 4).await, "old|old|12|12");
            assert_eq!(row(database, trips, "trips", 5).await, "kept|kept|5|5");
        }
        advance(database, "contract");
        let columns = "vehicle_status, mileage, plate_key";
        assert_eq!(row(database, columns, "vehicles", 3).await, "mixed|7|Q-3");
        assert_eq!(
            row(database, "driver_name, kilometers", "trips", 5).await,
            "kept|5"
        );
    });
}

#[test]
fn it_goes_back_from_the_middle_and_forward_again() {
    on_postgresql(async |database| {
        database.execute(FLEET).await;
        let before = State::of(database).await;
        let others = [
            "add_column: {table: public.vehicles, column: fuel, type: text, default: \"'gas'\"}",
            "add_index: {table: public.vehicles, columns: fuel}",
            "set_not_null: {table: public.trips, column: driver}",
            "drop_column: {table: public.vehicles, column: note}",
        ];
        let changes = [&[RENAME, WIDEN, COMPUTED, CONVERTED][..], &others].concat();
        start(database, &plan_of(&changes));
        advance(database, "retire");
        database
            .execute("UPDATE vehicles SET vehicle_status = 'kept' WHERE id = 7")
            .await;
        back(database, &["--to", "verify"]);
        assert_eq!(
            row(database, "status, mileage_new, note", "vehicles", 7).await,
            "kept|7|n"
        );
        back(database, &["--to", "expand"]);
        assert_eq!(
            row(database, "status, vehicle_status, fuel", "vehicles", 7).await,
            "kept|gas"
        );
        advance(database, "enforce");
        assert_eq!(
            row(database, "status, vehicle_status", "vehicles", 7).await,
            "kept|kept"
        );
        database
            .execute("UPDATE vehicles SET status = 'idle' WHERE id = 7")
            .await;
        back(database, &[]);
        assert_eq!(State::of(database).await, before, "as it was");
    });
}

/// A change between tables and one within another table: each goes back by itself.
#[test]
fn a_table_that_is_folded_and_a_column_that_is_renamed_go_together() {
    on_tables_of_plans(async |database| {
        let before = State::of(database).await;
        let fold = "fold_table: {table: public.acknowledgments, into: public.shipments, by: {id: shipment_id}}";
        let rename = "rename_column: {table: public.vehicles, from: depot, to: depot_code}";
        start(database, &plan_of(&[fold, rename]));
        advance(database, "retire");
        database
            .execute("UPDATE vehicles SET depot_code = 'D9' WHERE id = 3; UPDATE vehicles SET depot_code = 'D4' WHERE id = 3")
            .await;
        back(database, &["--to", "expand"]);
        advance(database, "switch_reads");
        back(database, &[]);
        assert_eq!(State::of(database).await, before, "as it was");
        start(database, &plan_of(&[fold, rename]));
        advance(database, "contract");
        let signed = "SELECT count(*)::text FROM shipments WHERE signature_url IS NOT NULL";
        assert_eq!(database.value(signed).await, "800");
        assert_eq!(row(database, "depot_code", "vehicles", 3).await, "D4");
    });
}

#[test]
fn the_columns_of_all_changes_are_the_runs_own() {
    on_postgresql(async |database| {
        database.execute(FLEET).await;
        start(database, &plan_of(&[RENAME, DRIVER]));
        let other = |change: &str| {
            let text = format!("version: 1\nname: other\nchange:\n  {change}\n");
            let file = plan_file(&text);
            let path = file.path().to_str().expect("a path");
            database.crossfade(&["check", path]).exits(1).stderr
        };
        for (change, column) in [
            (
                "drop_column: {table: public.trips, column: driver}",
                "public.trips.driver",
            ),
            (
                "drop_not_null: {table: public.vehicles, column: status}",
                "public.vehicles.status",
            ),
        ] {
            let told = other(change);
            assert!(
                told.contains("the active run several is in the way"),
                "{told}"
            );
            assert!(told.contains(column), "{told}");
        }
        // And a plan with several changes is told of a run, at its list.
        let file = plan_file(&plan_of(&[WIDEN, DRIVER]).replace("name: several", "name: third"));
        let told = database
            .crossfade(&["check", file.path().to_str().expect("a path")])
            .exits(1)
            .stderr;
        assert!(told.contains("public.trips.driver"), "{told}");
        assert!(told.contains(":3:1"), "{told}");
    });
}

#[test]
fn gates_and_settings_are_those_of_the_whole_plan() {
    on_postgresql(async |database| {
        database.execute(FLEET).await;
        let gated = format!(
            "{}gates:\n  enforce: {{approvals: 1}}\nsettings: {{lock_timeout: 300ms}}\n",
            plan_of(&[
                RENAME,
                "set_not_null: {table: public.trips, column: driver}"
            ])
        );
        let file = plan_file(&gated);
        let path = file.path().to_str().expect("a path");
        let explained = database
            .crossfade(&["explain", path, "--format", "json"])
            .exits(0)
            .json();
        let phases: Vec<&str> = explained["phases"]
            .as_array()
            .expect("phases")
            .iter()
            .filter_map(|phase| phase["phase"].as_str())
            .collect();
        assert_eq!(
            phases,
            [
                "expand",
                "dual_write",
                "backfill",
                "verify",
                "enforce",
                "switch_reads",
                "retire",
                "contract"
            ]
        );
        for format in [&[][..], &["--format", "markdown"]] {
            let arguments = [&["explain", path], format].concat();
            let text = database.crossfade(&arguments).exits(0).stdout;
            for part in ["public.trips", "public.vehicles", "vehicle_status"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
        // A gate of a phase that none of the changes has.
        let text = format!(
            "{}gates:\n  dual_write: {{approvals: 1}}\n",
            plan_of(&[
                "set_not_null: {table: public.trips, column: driver}",
                "set_default: {table: public.trips, column: km, default: \"'0'\"}"
            ])
        );
        let file = plan_file(&text);
        let told = database
            .crossfade(&["check", file.path().to_str().expect("a path")])
            .exits(1)
            .stderr;
        assert!(told.contains("the plan has no phase dual_write"), "{told}");
        assert!(
            told.contains("its phases are expand, verify, enforce"),
            "{told}"
        );
    });
}

/// Changes of the tables of `plans/`, each of which can be made by itself.
const PALETTE: [&str; 22] = [
    "rename_column: {table: public.vehicles, from: status, to: vehicle_status}",
    "rename_column: {table: public.vehicles, from: color, to: paint}",
    "change_column_type: {table: public.vehicles, column: mileage, type: bigint, keep_name: true}",
    "change_column_type: {table: public.vehicles, column: license_plate, type: text, to: plate, forward: upper(license_plate), backward: plate}",
    "split_column: {table: public.vehicles, column: depot, into: {depot_kind: {type: text}, depot_number: {type: text}}, forward: {depot_kind: 'left(depot, 1)', depot_number: 'substr(depot, 2)'}, backward: depot_kind || depot_number}",
    "add_column: {table: public.vehicles, column: plate_key, type: text, forward: lower(license_plate)}",
    "add_column: {table: public.vehicles, column: fuel, type: text, default: \"'gas'\", not_null: true}",
    "add_column: {table: public.vehicles, column: token, type: uuid, default: gen_random_uuid()}",
    "add_index: {table: public.vehicles, columns: fuel}",
    "add_index: {table: public.vehicles, columns: radio_code}",
    "add_check: {table: public.vehicles, name: vehicles_far, check: mileage >= 0}",
    "drop_column: {table: public.vehicles, column: color}",
    "drop_not_null: {table: public.vehicles, column: radio_code}",
    "set_default: {table: public.vehicles, column: radio_code, default: \"'R0'\"}",
    "drop_index: {table: public.vehicles, name: vehicles_color}",
    "drop_constraint: {table: public.vehicles, name: vehicles_mileage_low}",
    "rename_constraint: {table: public.vehicles, from: vehicles_license_plate_key, to: vehicles_plate_unique}",
    "set_comment: {table: public.vehicles, column: mileage, comment: in miles}",
    "set_replica_identity: {table: public.vehicles, identity: full}",
    "rename_column: {table: public.users, from: full_name, to: display_name}",
    "add_foreign_key: {table: public.shipments, columns: vehicle_id, references: public.vehicles}",
    "rename_table: {table: public.vehicles, to: cars}",
];

/// Every so many pairs, unless all are asked for: the test takes some seconds for each.
const PAIRS: usize = 23;

fn phases_of(database: &Database, run: &str) -> Vec<String> {
    let status = database.status(run);
    let phases = status["phases"].as_array().expect("phases").iter();
    let names = phases.filter_map(|phase| phase["name"].as_str());
    names.map(str::to_owned).collect()
}

fn run_to_its_end(database: &Database, run: &str) {
    let phases = phases_of(database, run);
    let last = phases.last().expect("a phase");
    database
        .crossfade(&["advance", run, "--to", last, "--yes"])
        .exits(0);
}

/// A pair is refused before it starts; or it goes back to where it began, and ends where one after the other ends.
async fn pair(template: &Database, one: &str, other: &str) -> bool {
    let text = plan_of(&[one, other]);
    let file = plan_file(&text);
    let path = file.path().to_str().expect("a path");
    let database = template.copy().await;
    let before = State::of(&database).await;
    let checked = database.crossfade(&["check", path]);
    if checked.code != Some(0) {
        assert!(
            checked.stderr.contains("= help: "),
            "{text}: {}",
            checked.stderr
        );
        assert!(
            !checked.stderr.contains("the step"),
            "{text}: {}",
            checked.stderr
        );
        database.remove().await;
        return false;
    }
    start(&database, &text);
    let phases = phases_of(&database, "several");
    let undoable: Vec<&String> = phases.iter().filter(|phase| *phase != "contract").collect();
    for phase in &undoable {
        advance(&database, phase);
    }
    // What the backfill has written by chance cannot be told from what an application would have.
    let discard: &[&str] = match text.contains("token") {
        true => &["--discard", "public.vehicles.token"],
        false => &[],
    };
    for phase in undoable.iter().rev().skip(1) {
        back(&database, &[&["--to", phase], discard].concat());
    }
    back(&database, discard);
    assert_eq!(State::of(&database).await, before, "{text}");
    start(&database, &text);
    run_to_its_end(&database, "several");
    let together = State::of(&database).await;
    database.remove().await;
    let database = template.copy().await;
    for (name, change) in [("one", one), ("other", other)] {
        let text = format!("version: 1\nname: {name}\nchange:\n  {change}\n");
        let file = plan_file(&text);
        let path = file.path().to_str().expect("a path");
        database.crossfade(&["start", path]).exits(0);
        run_to_its_end(&database, name);
    }
    together.assert_same_as(&State::of(&database).await, &text);
    database.remove().await;
    true
}

#[test]
fn pairs_of_changes_are_refused_or_end_where_one_after_the_other_ends() {
    on_tables_of_plans(async |template| {
        let every = match std::env::var("CROSSFADE_TEST_THOROUGH") {
            Ok(_) => 1,
            Err(_) => PAIRS,
        };
        let all: Vec<(&str, &str)> = PALETTE
            .iter()
            .enumerate()
            .flat_map(|(number, one)| PALETTE[number + 1..].iter().map(|other| (*one, *other)))
            .collect();
        let mut taken = 0;
        let mut refused = 0;
        for (one, other) in all.iter().step_by(every) {
            println!("{one}\n{other}");
            match pair(template, one, other).await {
                true => taken += 1,
                false => refused += 1,
            }
        }
        assert!(
            taken > refused && refused > 0,
            "{taken} taken, {refused} refused"
        );
    });
}

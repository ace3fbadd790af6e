//! Every plan in `plans/`, without a line of code for any of them: it compiles, its explicit form is the same plan, it
//! runs to its end, which is where the statements that one would write by hand lead, every step may be run twice, every
//! phase can be undone, and killed on the way, forward and back, it ends where an undisturbed run ends.

use crate::crash_everywhere::{all_of, failpoints, sessions_end};
use crate::repeat_everything::{forget, steps_of};
use crate::support::{Database, Onlooker, on_tables_of_plans, plan, plan_file};
use std::{collections::BTreeMap, os::unix::process::ExitStatusExt};
use tokio_postgres::Client;

/// So many kills in one chain: one after the other, each further on than the one before.
const KILLS: usize = 5;

/// What rows there are, by table. Values of type uuid are given by chance: only whether there are any counts.
type Digest = BTreeMap<String, String>;

/// A plan and how an undisturbed run of it goes.
struct Subject {
    file: String,
    run: String,
    phases: Vec<String>,
    /// What cannot be taken back is said to be so in the plan.
    irreversible: bool,
}

/// The schema, as a dump shows it, and the rows: where a run begins and where it ends.
#[derive(Debug, PartialEq)]
pub struct State {
    schema: String,
    rows: Digest,
}

impl State {
    pub async fn of(database: &Database) -> Self {
        Self {
            schema: database.dump_schema(),
            rows: digest(&database.client().await).await,
        }
    }

    /// The same things with the same rows: where a column stands among the others is no difference.
    #[track_caller]
    fn assert_as_by_hand(&self, by_hand: &Self, file: &str) {
        let differences = differences(&objects(&by_hand.schema), &objects(&self.schema));
        let expected = DIFFERENCES.iter().find(|(name, _)| file.ends_with(name));
        match expected {
            None => assert!(differences.is_empty(), "{file}: {}", differences.join("\n")),
            Some((_, mark)) => {
                assert!(!differences.is_empty(), "{file} is as by hand now");
                let other = differences.iter().find(|line| !line.contains(mark));
                assert_eq!(other, None, "{file}");
            }
        }
        assert_eq!(self.rows, by_hand.rows, "{file}: the rows");
    }

    #[track_caller]
    fn assert_is(&self, wanted: &Self, at: &str) {
        assert_eq!(self.schema, wanted.schema, "{at}: the schema");
        assert_eq!(self.rows, wanted.rows, "{at}: the rows");
    }

    /// The same things with the same rows, but for the order of columns.
    #[track_caller]
    pub fn assert_same_as(&self, wanted: &Self, at: &str) {
        let differences = differences(&objects(&wanted.schema), &objects(&self.schema));
        assert!(differences.is_empty(), "{at}: {}", differences.join("\n"));
        assert_eq!(self.rows, wanted.rows, "{at}: the rows");
    }
}

/// The same on the way, where there is much to compare, from the catalog.
#[derive(Debug, PartialEq)]
struct Sight {
    schema: Vec<String>,
    rows: Digest,
}

impl Sight {
    async fn by(onlooker: &Onlooker) -> Self {
        Self {
            schema: onlooker.schema().await,
            rows: digest(&onlooker.client).await,
        }
    }

    #[track_caller]
    fn assert_is(&self, wanted: &Self, at: &str) {
        assert_eq!(self.schema, wanted.schema, "{at}: the schema");
        assert_eq!(self.rows, wanted.rows, "{at}: the rows");
    }
}

/// What is not as by hand, by what each line of it contains, and why.
const DIFFERENCES: [(&str, &str); 2] = [
    // The triggers that keep the column computed stay.
    ("inventory-add-value.yaml", "zz_crossfade_"),
    // Each partition's index has a name that is its own: PostgreSQL's may be taken.
    ("positions-add-index.yaml", "positions_202"),
];

/// What going back takes away that the run itself has written, and cannot be told from what an application would have.
const DISCARDS: [(&str, &str); 2] = [
    ("add-user-token", "public.users.token"),
    ("normalize-email", "public.users.email_as_typed"),
];

/// The things of a dump by their headings, each with its lines in alphabetical order.
pub fn objects(dump: &str) -> BTreeMap<String, Vec<String>> {
    let mut objects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut heading = String::new();
    for line in dump.lines() {
        if line.starts_with("-- Name: ") {
            heading = line.to_owned();
        }
        let lines = objects.entry(heading.clone()).or_default();
        if !line.is_empty() && !line.starts_with("--") {
            lines.push(line.trim_end_matches(',').to_owned());
        }
    }
    for lines in objects.values_mut() {
        lines.sort();
    }
    objects
}

/// What one has and the other does not, a line for each.
pub fn differences(
    wanted: &BTreeMap<String, Vec<String>>,
    found: &BTreeMap<String, Vec<String>>,
) -> Vec<String> {
    let nothing = Vec::new();
    let headings: std::collections::BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let of = |heading: &String| {
        let wanted = wanted.get(heading).unwrap_or(&nothing);
        let found = found.get(heading).unwrap_or(&nothing);
        let missing = wanted.iter().filter(|line| !found.contains(line));
        let missing = missing.map(|line| format!("missing: {line}"));
        let further = found.iter().filter(|line| !wanted.contains(line));
        let further = further.map(|line| format!("besides: {line}"));
        missing.chain(further).collect::<Vec<_>>()
    };
    headings.into_iter().flat_map(of).collect()
}

/// Where the statements lead that the plan's comment gives, run while nobody uses the tables.
async fn by_hand(template: &Database, file: &str) -> State {
    let text = std::fs::read_to_string(file).expect("the plan");
    let lines = text.lines();
    let statements: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("# by hand: "))
        .collect();
    assert!(
        !statements.is_empty(),
        "{file} does not say what one would do without it: add a line `# by hand: ALTER TABLE …;` above `version`"
    );
    let database = template.copy().await;
    for statement in statements {
        database.execute(statement).await;
    }
    let state = State::of(&database).await;
    database.remove().await;
    state
}

async fn digest(client: &Client) -> Digest {
    let tables = client
        .query(
            "SELECT c.oid::regclass::text, (SELECT string_agg(CASE WHEN a.atttypid = 'uuid'::regtype THEN format('(t.%I IS NULL)::text', a.attname) \
                    ELSE format('t.%I::text', a.attname) END, ', ' ORDER BY a.attname) \
                    FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) \
             FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition",
            &[],
        )
        .await
        .expect("the tables");
    let mut digest = Digest::new();
    for table in tables {
        let (name, columns): (String, String) = (table.get(0), table.get(1));
        let query = format!(
            "SELECT count(*) || ' ' || coalesce(sum(hashtext(concat_ws('|', {columns}))::bigint), 0) FROM {name} AS t"
        );
        let row = client.query_one(&query, &[]).await.expect("the rows");
        digest.insert(name, row.get(0));
    }
    digest
}

pub fn subjects() -> Vec<String> {
    let folder = plan("");
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder of plans")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .map(|path| path.to_str().expect("a path of text").to_owned())
        .collect();
    files.sort();
    assert!(files.len() > 30, "{files:?}");
    files
}

/// Compiles, explains itself, and is the same plan in its explicit form. Leaves a run that has been started.
fn compiles(database: &Database, file: &str) -> Subject {
    database.crossfade(&["check", "--offline", file]).exits(0);
    database.crossfade(&["check", file]).exits(0);
    database
        .crossfade(&["explain", file, "--format", "json"])
        .exits(0);
    let text = database.crossfade(&["expand", file]).exits(0).stdout;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("name: "))
        .expect("a plan has a name");
    let expanded = plan_file(&text);
    let start = |path: &str| {
        database.crossfade(&["start", path]).exits(0);
        database.status(name)
    };
    let explicit = start(expanded.path().to_str().expect("a path of text"));
    database.crossfade(&["rollback", name, "--yes"]).exits(0);
    let status = start(file);
    assert_eq!(
        explicit["plan_fingerprint"], status["plan_fingerprint"],
        "{file}: the explicit form is the same plan"
    );
    // Started already, whichever form says so.
    let again = database.crossfade(&["start", expanded.path().to_str().expect("a path of text")]);
    assert!(
        again.exits(0).stdout.starts_with("nothing to start"),
        "{file}"
    );
    let phases = status["phases"].as_array().expect("phases");
    Subject {
        file: file.to_owned(),
        run: name.to_owned(),
        phases: phases
            .iter()
            .map(|phase| phase["name"].as_str().expect("a name").to_owned())
            .collect(),
        irreversible: text.contains("irreversible: true"),
    }
}

impl Subject {
    fn forward<'a>(&'a self, phase: &'a str) -> Vec<&'a str> {
        vec!["advance", &self.run, "--to", phase, "--yes"]
    }

    /// From the end of a phase to the end of the one before it.
    fn backward(&self, number: usize) -> Vec<&str> {
        let mut back = vec!["rollback", &self.run, "--yes"];
        if let Some(before) = number.checked_sub(1) {
            back.extend(["--to", &self.phases[before]]);
        }
        let own = DISCARDS.iter().filter(|(run, _)| *run == self.run);
        back.extend(own.flat_map(|(_, thing)| ["--discard", thing]));
        back
    }

    /// The phases that can be undone.
    fn undoable(&self) -> usize {
        if self.irreversible {
            return 0;
        }
        let contract = self.phases.iter().position(|phase| phase == "contract");
        contract.unwrap_or(self.phases.len())
    }

    /// One phase, and then each of its steps again as if a crash had lost its record.
    async fn run_twice(&self, database: &Database, phase: &str) -> (Sight, Vec<String>) {
        let forward = self.forward(phase);
        let passed = failpoints(database, &forward);
        let onlooker = Onlooker::of(database).await;
        let once = Sight::by(&onlooker).await;
        let mut repeats: Vec<Option<String>> = Vec::new();
        if phase != "contract" {
            repeats.extend(steps_of(database, phase).await.into_iter().map(Some));
        }
        if repeats.len() != 1 {
            repeats.push(None);
        }
        for step in repeats {
            forget(database, phase, step.as_deref()).await;
            database.crossfade(&forward).exits(0);
            let at = format!("{} {phase} {step:?} again", self.run);
            Sight::by(&onlooker).await.assert_is(&once, &at);
        }
        (once, passed.into_iter().map(|(name, _)| name).collect())
    }

    /// Kills the program at a spread of these places, one after the other, and then lets it come to its end.
    async fn killed_often(&self, database: &Database, places: &[String], arguments: &[&str]) {
        let every = places.len().div_ceil(KILLS).max(1);
        // Another spread for each plan, and the same in every run.
        let first = self.run.len() % every;
        let state = format!(
            "SELECT state FROM crossfade.runs WHERE name = '{}' ORDER BY id DESC LIMIT 1",
            self.run
        );
        for place in places.iter().skip(first).step_by(every) {
            let output = database
                .command(arguments)
                .env("CROSSFADE_FAILPOINT", format!("kill:{place}"))
                .output()
                .expect("the program runs");
            // What an earlier crash left done is not passed again.
            let killed = output.status.signal() == Some(9);
            assert!(
                killed || output.status.success(),
                "{} at {place}: {}",
                self.run,
                String::from_utf8_lossy(&output.stderr)
            );
            if !killed {
                break;
            }
            sessions_end(database).await;
            if database.value(&state).await == "rolled_back" {
                break;
            }
        }
        // The last crash may have been after the end.
        if arguments[0] == "advance" || database.value(&state).await != "rolled_back" {
            database.crossfade(arguments).exits(0);
        }
    }
}

async fn there_and_back(template: &Database, file: &str) {
    let database = template.copy().await;
    let original = State::of(&database).await;
    let subject = compiles(&database, file);
    let mut states = Vec::new();
    let mut forward = Vec::new();
    let mut before_contract = None;
    for phase in &subject.phases {
        if phase == "contract" && subject.undoable() > 0 {
            before_contract = Some(database.copy().await);
        }
        let (state, places) = subject.run_twice(&database, phase).await;
        states.push(state);
        forward.push(places);
    }
    let run = &subject.run;
    assert_eq!(database.status(run)["state"], "completed", "{run}");
    database.crossfade(&["history", run, "--verify"]).exits(0);
    let last = State::of(&database).await;

    let mut backward = Vec::new();
    let back = before_contract.as_ref().unwrap_or(&database);
    let onlooker = Onlooker::of(back).await;
    for number in (0..subject.undoable()).rev() {
        backward.push(failpoints(back, &subject.backward(number)));
        let at = format!("{run}, {} undone", subject.phases[number]);
        match number.checked_sub(1) {
            // Going back to `expand` empties the new columns again: rows are compared where they are the application's.
            Some(before) => assert_eq!(onlooker.schema().await, states[before].schema, "{at}"),
            None => State::of(back).await.assert_is(&original, &at),
        }
    }
    drop(onlooker);
    if let Some(copy) = before_contract {
        copy.remove().await;
    }
    database.remove().await;
    let backward = places_of_one_rollback(backward);
    last.assert_as_by_hand(&by_hand(template, file).await, file);
    let ends = (&original, &last);
    killed_there_and_back(template, &subject, ends, &forward, &backward).await;
}

/// Phase by phase it began and ended often; in one go it does so once.
fn places_of_one_rollback(passed: Vec<Vec<(String, usize)>>) -> Vec<String> {
    let last = passed.len().saturating_sub(1);
    let mut places: Vec<String> = Vec::new();
    for (number, phase) in passed.into_iter().enumerate() {
        for (place, _) in phase {
            let too_early = place.starts_with("rollback end") && number < last;
            if !too_early && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

/// The same with kills: as far as it can be undone, back, and from there to the end.
async fn killed_there_and_back(
    template: &Database,
    subject: &Subject,
    (original, last): (&State, &State),
    forward: &[Vec<String>],
    backward: &[String],
) {
    let database = template.copy().await;
    let undoable = subject.undoable();
    if let Some(number) = undoable.checked_sub(1) {
        database.crossfade(&["start", &subject.file]).exits(0);
        let places: Vec<String> = forward[..undoable].concat();
        let there = subject.forward(&subject.phases[number]);
        subject.killed_often(&database, &places, &there).await;
        let back = subject.backward(0);
        subject.killed_often(&database, backward, &back).await;
        let at = format!("{}, undone and killed on the way", subject.run);
        State::of(&database).await.assert_is(original, &at);
    }
    database.crossfade(&["start", &subject.file]).exits(0);
    if undoable < subject.phases.len() {
        let end = subject.forward(subject.phases.last().expect("a phase"));
        subject
            .killed_often(&database, &forward[undoable..].concat(), &end)
            .await;
    } else {
        let end = subject.forward(subject.phases.last().expect("a phase"));
        database.crossfade(&end).exits(0);
    }
    let at = format!("{}, killed on the way", subject.run);
    State::of(&database).await.assert_is(last, &at);
    assert_eq!(database.status(&subject.run)["state"], "completed", "{at}");
    database.remove().await;
}

/// A test for each plan, so that one can be run alone and several run at a time.
macro_rules! each_is_run_repeated_undone_and_killed_anywhere {
    ($($name:ident: $file:literal,)*) => {
        /// Those that have a test.
        const TESTED: &[&str] = &[$($file),*];

        $(#[test]
        fn $name() {
            on_tables_of_plans(async |database| {
                let path = plan($file);
                there_and_back(database, path.to_str().expect("a path of text")).await;
            });
        })*
    };
}

each_is_run_repeated_undone_and_killed_anywhere! {
    acknowledgments_fold: "acknowledgments-fold.yaml",
    acknowledgments_rename_table: "acknowledgments-rename-table.yaml",
    bookings_channel_text: "bookings-channel-text.yaml",
    bookings_exclude_overlap: "bookings-exclude-overlap.yaml",
    bookings_priority_enum: "bookings-priority-enum.yaml",
    categories_widen_key: "categories-widen-key.yaml",
    depots_add_kind: "depots-add-kind.yaml",
    depots_primary_key: "depots-primary-key.yaml",
    inventory_add_note: "inventory-add-note.yaml",
    inventory_add_value: "inventory-add-value.yaml",
    inventory_default_quantity: "inventory-default-quantity.yaml",
    inventory_drop_default: "inventory-drop-default.yaml",
    inventory_merge_lot: "inventory-merge-lot.yaml",
    inventory_quantity_decimal: "inventory-quantity-decimal.yaml",
    inventory_rename_batch: "inventory-rename-batch.yaml",
    orders_widen_key: "orders-widen-key.yaml",
    positions_add_index: "positions-add-index.yaml",
    shipments_create_state: "shipments-create-state.yaml",
    shipments_extract_dispatch: "shipments-extract-dispatch.yaml",
    shipments_note_varchar: "shipments-note-varchar.yaml",
    shipments_reference_vehicle: "shipments-reference-vehicle.yaml",
    shipments_replica_identity: "shipments-replica-identity.yaml",
    shipments_transform_dates: "shipments-transform-dates.yaml",
    shipments_widen_carrier: "shipments-widen-carrier.yaml",
    sync_status_drop: "sync-status-drop.yaml",
    sync_status_move_attempts: "sync-status-move-attempts.yaml",
    sync_status_rename_constraint: "sync-status-rename-constraint.yaml",
    trips_create: "trips-create.yaml",
    users_add_email_index: "users-add-email-index.yaml",
    users_add_plan: "users-add-plan.yaml",
    users_add_token: "users-add-token.yaml",
    users_and_shipments: "users-and-shipments.yaml",
    users_lower_email: "users-lower-email.yaml",
    users_normalize_email: "users-normalize-email.yaml",
    users_require_email: "users-require-email.yaml",
    users_split_name: "users-split-name.yaml",
    users_unique_email: "users-unique-email.yaml",
    vehicles_add_plate_key: "vehicles-add-plate-key.yaml",
    vehicles_check_mileage: "vehicles-check-mileage.yaml",
    vehicles_comment_mileage: "vehicles-comment-mileage.yaml",
    vehicles_drop_color_index: "vehicles-drop-color-index.yaml",
    vehicles_drop_mileage_limit: "vehicles-drop-mileage-limit.yaml",
    vehicles_drop_plate_unique: "vehicles-drop-plate-unique.yaml",
    vehicles_drop_radio_code: "vehicles-drop-radio-code.yaml",
    vehicles_narrow_plate: "vehicles-narrow-plate.yaml",
    vehicles_radio_code_optional: "vehicles-radio-code-optional.yaml",
    vehicles_rebuild_status_index: "vehicles-rebuild-status-index.yaml",
    vehicles_rename_status_alias: "vehicles-rename-status-alias.yaml",
    vehicles_rename_status: "vehicles-rename-status.yaml",
    vehicles_several_changes: "vehicles-several-changes.yaml",
    vehicles_status_statistics: "vehicles-status-statistics.yaml",
}

#[test]
fn every_plan_is_run_repeated_undone_and_killed_anywhere() {
    let tested: Vec<String> = TESTED
        .iter()
        .map(|file| plan(file).to_str().expect("a path of text").to_owned())
        .collect();
    assert_eq!(
        tested,
        subjects(),
        "give each plan its line in tests/integration/every_plan.rs"
    );
}

/// What an onlooker does not see, only the ends of a run would show.
#[test]
fn an_onlooker_sees_what_a_dump_sees() {
    const CHANGES: [&str; 34] = [
        "ALTER TABLE vehicles ADD further integer",
        "ALTER TABLE vehicles DROP mileage",
        "ALTER TABLE vehicles ALTER mileage TYPE bigint",
        "ALTER TABLE vehicles ALTER mileage SET DEFAULT 7",
        "ALTER TABLE vehicles ALTER mileage DROP NOT NULL",
        "ALTER TABLE vehicles ALTER mileage SET STATISTICS 7",
        "ALTER TABLE vehicles ALTER status SET STORAGE external",
        "ALTER TABLE vehicles ALTER mileage SET (n_distinct = 7)",
        "ALTER TABLE vehicles RENAME mileage TO distance",
        "ALTER TABLE vehicles RENAME TO cars",
        "ALTER TABLE vehicles SET (fillfactor = 70)",
        "ALTER TABLE vehicles SET UNLOGGED",
        "ALTER TABLE vehicles ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE vehicles REPLICA IDENTITY FULL",
        "ALTER TABLE vehicles OWNER TO pg_monitor",
        "ALTER TABLE vehicles ADD CHECK (mileage <> 7) NOT VALID",
        "ALTER TABLE positions DETACH PARTITION positions_2025",
        "CREATE INDEX ON vehicles (mileage) WHERE mileage > 7",
        "CREATE INDEX ON vehicles ((mileage + 7))",
        "CREATE STATISTICS further ON mileage, status FROM vehicles",
        "CREATE FUNCTION further() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER further BEFORE UPDATE ON vehicles FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE POLICY further ON vehicles USING (mileage > 7)",
        "CREATE RULE further AS ON DELETE TO vehicles DO INSTEAD NOTHING",
        "CREATE VIEW further AS SELECT mileage FROM vehicles",
        "CREATE SEQUENCE further CACHE 7",
        "CREATE TYPE further AS ENUM ('seven')",
        "CREATE DOMAIN further AS integer CHECK (VALUE <> 7)",
        "CREATE SCHEMA further",
        "GRANT SELECT ON vehicles TO pg_monitor",
        "GRANT SELECT (mileage) ON vehicles TO pg_monitor",
        "COMMENT ON TABLE vehicles IS 'seven'",
        "COMMENT ON COLUMN vehicles.mileage IS 'seven'",
        "CREATE PUBLICATION further FOR TABLE vehicles",
    ];
    on_tables_of_plans(async |database| {
        let onlooker = Onlooker::of(database).await;
        let before = onlooker.schema().await;
        assert!(before.len() > 100, "{before:?}");
        for change in CHANGES {
            let sql = format!("BEGIN; {change}");
            onlooker.client.batch_execute(&sql).await.expect(change);
            let seen = onlooker.schema().await != before;
            onlooker
                .client
                .batch_execute("ROLLBACK")
                .await
                .expect("undone");
            assert!(seen, "{change}");
        }
        assert_eq!(onlooker.schema().await, before);
    });
}

/// The runbooks of the folders, each plan with what comes before it in its folder and is not there.
const RUNBOOKS: [&[(&str, &str)]; 3] = [
    &[
        ("fleet/1-add-region.yaml", ""),
        ("fleet/2-index-depot.yaml", ""),
        ("fleet/3-widen-region.yaml", ""),
    ],
    &[
        ("inventory/1-add-preferences.yaml", ""),
        ("inventory/2-index-batch.yaml", ""),
        (
            "inventory/4-require-batch-number.yaml",
            "ALTER TABLE inventory_items RENAME batch TO batch_number",
        ),
        ("inventory/6-drop-lot.yaml", ""),
    ],
    &[
        ("shipments/1-unique-sync-status.yaml", ""),
        ("shipments/2-add-expected-delivery.yaml", ""),
        ("shipments/3-fold-sync-status.yaml", ""),
    ],
];

/// A sample, as its steps are those of other plans, killed at every place there: undone from as far as it can be, killed
/// once, and as by hand. Its gates would wait for days.
async fn there_back_and_killed_once(database: &Database, file: &str) {
    let text = std::fs::read_to_string(file).expect("the plan");
    let without_gates = plan_file(text.split("\ngates:").next().expect("a text"));
    let before = database.copy().await;
    let original = State::of(database).await;
    let path = without_gates.path().to_str().expect("a path of text");
    let subject = compiles(database, path);
    let mut places = Vec::new();
    if let Some(number) = subject.undoable().checked_sub(1) {
        places = failpoints(database, &subject.forward(&subject.phases[number]));
        database.crossfade(&subject.backward(0)).exits(0);
        let at = format!("{file} undone");
        State::of(database).await.assert_is(&original, &at);
        database.crossfade(&["start", path]).exits(0);
    }
    let middle: Vec<String> = places
        .get(places.len() / 2)
        .map(|(place, _)| place.clone())
        .into_iter()
        .collect();
    let end = subject.forward(subject.phases.last().expect("a phase"));
    subject.killed_often(database, &middle, &end).await;
    assert_eq!(
        database.status(&subject.run)["state"],
        "completed",
        "{file}"
    );
    let last = State::of(database).await;
    last.assert_as_by_hand(&by_hand(&before, file).await, file);
    before.remove().await;
}

#[test]
fn the_plans_of_a_runbook_can_be_undone_and_killed_one_after_the_other() {
    on_tables_of_plans(async |database| {
        let mut found: Vec<String> = RUNBOOKS
            .concat()
            .iter()
            .map(|(file, _)| (*file).to_owned())
            .collect();
        for folder in ["fleet", "inventory", "shipments"] {
            let files = std::fs::read_dir(plan(folder)).expect("the folder");
            let names = files.map(|file| file.expect("a file").file_name());
            for name in names {
                let file = format!("{folder}/{}", name.to_str().expect("a name of text"));
                assert!(found.contains(&file), "{file} is in no runbook here");
                found.retain(|known| *known != file);
            }
        }
        assert_eq!(found, Vec::<String>::new());
        let template = database.copy().await;
        all_of(&RUNBOOKS, async |runbook| {
            let database = template.copy().await;
            for (file, first) in *runbook {
                database.execute(first).await;
                let path = plan(file);
                there_back_and_killed_once(&database, path.to_str().expect("a path of text")).await;
            }
            database.remove().await;
        });
        template.remove().await;
    });
}

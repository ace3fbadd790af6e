//! No write fails between two statements of ours: clients of every version go on while each phase runs and is undone.

use crate::support::{Database, Ran, connect, on_postgresql, plan_file, rest};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::RwLock;
use tokio_postgres::{Client, Statement};

/// What is there of the old column.
#[derive(Clone, Copy)]
struct Shape {
    table: &'static str,
    not_null: bool,
    default: Option<i64>,
}

const REQUIRED_WITH_DEFAULT: Shape = Shape {
    table: "required_with_default",
    not_null: true,
    default: Some(7),
};
const REQUIRED_WITHOUT_DEFAULT: Shape = Shape {
    table: "required_without_default",
    not_null: true,
    default: None,
};
const OPTIONAL_WITH_DEFAULT: Shape = Shape {
    table: "optional_with_default",
    not_null: false,
    default: Some(7),
};
const OPTIONAL_WITHOUT_DEFAULT: Shape = Shape {
    table: "optional_without_default",
    not_null: false,
    default: None,
};

#[derive(Clone, Copy)]
struct Change {
    old_type: &'static str,
    new_type: &'static str,
    recipe: fn(&str) -> String,
}

/// The column that a statement names, and with it the version of the application that it is from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Old,
    New,
    Neither,
}

/// One kind of client of one table.
struct Lane {
    names: Names,
    /// Held for reading during statements: who has it for writing knows that none is under way.
    in_service: RwLock<bool>,
    statements: AtomicU64,
    /// What its rows must hold.
    ledger: Mutex<BTreeMap<i64, Option<i64>>>,
}

struct Site {
    url: String,
    shape: Shape,
    change: Change,
    lanes: [Lane; 3],
    failures: Mutex<Vec<String>>,
    closing: AtomicBool,
}

/// Rows that all clients upsert at the same time.
const CONTENDED: i64 = 16;
const ROWS_BEFORE: i64 = 3_000;
/// Of a client between two rounds.
const PAUSE: Duration = Duration::from_millis(5);

impl Site {
    fn new(database: &Database, shape: Shape, change: Change) -> Arc<Self> {
        let lane = |names, in_service| Lane {
            names,
            in_service: RwLock::new(in_service),
            statements: AtomicU64::new(0),
            ledger: Mutex::default(),
        };
        Arc::new(Self {
            url: database.url.clone(),
            shape,
            change,
            lanes: [
                lane(Names::Old, true),
                lane(Names::New, false),
                lane(Names::Neither, true),
            ],
            failures: Mutex::default(),
            closing: AtomicBool::new(false),
        })
    }

    fn lane(&self, names: Names) -> &Lane {
        self.lanes
            .iter()
            .find(|lane| lane.names == names)
            .expect("there is one of each")
    }

    async fn set(&self, names: Names, in_service: bool) {
        *self.lane(names).in_service.write().await = in_service;
    }

    fn insert(&self, names: Names) -> String {
        let table = self.shape.table;
        match names {
            Names::Old => format!(
                "INSERT INTO {table} (id, level) VALUES ($1, ($2::text)::{})",
                self.change.old_type
            ),
            Names::New => format!(
                "INSERT INTO {table} (id, rank) VALUES ($1, ($2::text)::{})",
                self.change.new_type
            ),
            Names::Neither => format!("INSERT INTO {table} (id, note) VALUES ($1, $2::text)"),
        }
    }

    fn upsert(&self, names: Names) -> String {
        let column = match names {
            Names::Old => "level",
            Names::New => "rank",
            Names::Neither => "note",
        };
        format!(
            "{} ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column}",
            self.insert(names)
        )
    }

    async fn client(self: Arc<Self>, number: usize) {
        let lane = &self.lanes[number];
        let client = connect(&self.url).await;
        let mut prepared = None;
        let mut round = 0;
        while !self.closing.load(Ordering::SeqCst) {
            let in_service = lane.in_service.read().await;
            let began = Instant::now();
            if *in_service {
                round += 1;
                if let Err(error) = self.round(&client, lane, &mut prepared, round).await {
                    let what = error
                        .as_db_error()
                        .map_or(error.to_string(), |error| format!("{error:?}"));
                    let column = match lane.names {
                        Names::Old => "the old column",
                        Names::New => "the new column",
                        Names::Neither => "neither column",
                    };
                    let failure = format!("{}, naming {column}: {what}", self.shape.table);
                    self.failures.lock().unwrap().push(failure);
                }
            }
            drop(in_service);
            rest(began, PAUSE).await;
        }
    }

    /// An insert, an upsert of the same row, an upsert of a row that others upsert too, an unrelated update.
    async fn round(
        &self,
        client: &Client,
        lane: &Lane,
        prepared: &mut Option<(Statement, Statement)>,
        round: i64,
    ) -> Result<(), tokio_postgres::Error> {
        let neither = lane.names == Names::Neither;
        let count = || lane.statements.fetch_add(1, Ordering::SeqCst);
        // Each lane has ids of its own.
        let id = 1_000_000 * (1 + lane.names as i64) + round;
        // Without a default, NULL is no value that the application could have.
        if !(neither && self.shape.not_null && self.shape.default.is_none()) {
            if prepared.is_none() {
                *prepared = Some((
                    client.prepare(&self.insert(lane.names)).await?,
                    client.prepare(&self.upsert(lane.names)).await?,
                ));
            }
            let (insert, upsert) = prepared.as_ref().expect("prepared just now");
            // An explicit NULL of the new version, where there is an old default, is told only by `crossfade.writer`.
            let null = !self.shape.not_null && round % 5 == 0 && lane.names == Names::Old;
            let value = |value: i64| Some(value.to_string()).filter(|_| !null);
            let kept = |value: i64| match lane.names {
                Names::Neither => self.shape.default,
                Names::Old | Names::New => Some(value).filter(|_| !null),
            };
            client.execute(insert, &[&id, &value(round)]).await?;
            count();
            lane.ledger.lock().unwrap().insert(id, kept(round));
            if round % 2 == 0 {
                client.execute(upsert, &[&id, &value(round + 1)]).await?;
                count();
                lane.ledger.lock().unwrap().insert(id, kept(round + 1));
            }
            let contended = -(round % CONTENDED) - 1;
            client
                .execute(upsert, &[&contended, &Some(round.to_string())])
                .await?;
            count();
        }
        let update = format!(
            "UPDATE {} SET note = $2::text WHERE id = $1",
            self.shape.table
        );
        let elsewhere = (round * 7919) % ROWS_BEFORE;
        client
            .execute(&update, &[&elsewhere, &round.to_string()])
            .await?;
        count();
        Ok(())
    }

    /// Everybody in service has made some statements more since now.
    async fn traffic_goes_on(&self) {
        for lane in &self.lanes {
            if !*lane.in_service.read().await {
                continue;
            }
            let before = lane.statements.load(Ordering::SeqCst);
            for _ in 0..10_000 {
                if lane.statements.load(Ordering::SeqCst) >= before + 4
                    || !self.failures.lock().unwrap().is_empty()
                {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        let failures = self.failures.lock().unwrap();
        assert!(failures.is_empty(), "{failures:#?}");
    }

    /// Between two statements of everybody: the column holds what each client wrote last.
    async fn contents_are_right(&self, column: &str) {
        let mut held = Vec::new();
        for lane in &self.lanes {
            held.push(lane.in_service.write().await);
        }
        let client = connect(&self.url).await;
        let query = format!(
            "SELECT id, trunc({column})::bigint FROM {} WHERE id >= 0",
            self.shape.table
        );
        let found: BTreeMap<i64, Option<i64>> = client
            .query(&query, &[])
            .await
            .expect("the table can be read")
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let mut expected: BTreeMap<i64, Option<i64>> =
            (0..ROWS_BEFORE).map(|id| (id, Some(id % 10))).collect();
        for lane in &self.lanes {
            expected.extend(lane.ledger.lock().unwrap().clone());
        }
        let wrong: Vec<String> = expected
            .iter()
            .filter(|(id, value)| found.get(id) != Some(value))
            .map(|(id, value)| format!("{id}: {:?}, not {value:?}", found.get(id)))
            .take(20)
            .collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", self.shape.table);
        assert_eq!(found.len(), expected.len(), "{}", self.shape.table);
    }
}

async fn crossfade(database: &Database, arguments: &[&str]) {
    let mut command = database.command(arguments);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("not cancelled")
        .expect("the program runs");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
    .exits(0);
}

/// Every phase forward, back and forward again; then all the way back; then to the end.
async fn operate(database: &Database, site: &Site) {
    let table = site.shape.table;
    let run = &format!("gap-{}", table.replace('_', "-"));
    let plan = plan_file(&format!(
        "version: 1\nname: {run}\nchange:\n  {}\n",
        (site.change.recipe)(table)
    ));
    let plan = plan.path().to_str().expect("a path in UTF-8");
    let start = async || crossfade(database, &["start", plan]).await;
    let advance = async |phase: &str| {
        if phase == "retire" {
            site.set(Names::Old, false).await;
        }
        crossfade(database, &["advance", run, "--to", phase, "--yes"]).await;
        if phase == "dual_write" {
            site.set(Names::New, true).await;
        }
        site.traffic_goes_on().await;
    };
    let phases = [
        "expand",
        "dual_write",
        "backfill",
        "verify",
        "enforce",
        "switch_reads",
        "retire",
    ];
    start().await;
    for (number, phase) in phases.iter().enumerate() {
        advance(phase).await;
        if *phase == "dual_write" {
            site.set(Names::New, false).await;
        }
        match number.checked_sub(1).map(|before| phases[before]) {
            None => {
                crossfade(database, &["rollback", run, "--yes"]).await;
                start().await;
            }
            Some(before) => {
                crossfade(database, &["rollback", run, "--to", before, "--yes"]).await;
            }
        }
        if *phase == "retire" {
            site.set(Names::Old, true).await;
        }
        site.traffic_goes_on().await;
        advance(phase).await;
    }
    crossfade(
        database,
        &["rollback", run, "--to", "switch_reads", "--yes"],
    )
    .await;
    site.set(Names::Old, true).await;
    site.traffic_goes_on().await;
    site.contents_are_right("level").await;
    site.contents_are_right("rank").await;
    site.set(Names::New, false).await;
    crossfade(database, &["rollback", run, "--yes"]).await;
    site.traffic_goes_on().await;
    site.contents_are_right("level").await;
    start().await;
    for phase in phases.into_iter().chain(["contract"]) {
        advance(phase).await;
    }
    site.contents_are_right("rank").await;
}

/// One table at a time: clients of more of them would only make the program, which they go on beside, slower.
fn no_statement_fails(change: Change, shape: Shape) {
    on_postgresql(async |database| {
        let not_null = if shape.not_null { "NOT NULL" } else { "" };
        let default = shape
            .default
            .map_or(String::new(), |value| format!("DEFAULT {value}"));
        database
            .execute(&format!(
                "CREATE TABLE {table} (id bigint PRIMARY KEY, level {} {not_null} {default}, note text);
                 INSERT INTO {table} SELECT i, i % 10, repeat('n', 40) FROM generate_series(0, {ROWS_BEFORE} - 1) AS i;",
                change.old_type,
                table = shape.table,
            ))
            .await;
        let site = Site::new(database, shape, change);
        let clients: Vec<_> = (0..3)
            .map(|lane| tokio::spawn(site.clone().client(lane)))
            .collect();
        operate(database, &site).await;
        site.closing.store(true, Ordering::SeqCst);
        for client in clients {
            client.await.expect("the client ends");
        }
        let failures = site.failures.lock().unwrap();
        assert!(failures.is_empty(), "{failures:#?}");
    });
}

const RENAME: Change = Change {
    old_type: "integer",
    new_type: "integer",
    recipe: |table| format!("rename_column: {{table: public.{table}, from: level, to: rank}}"),
};
const TO_NUMERIC: Change = Change {
    old_type: "integer",
    new_type: "numeric",
    recipe: |table| {
        format!(
            "change_column_type: {{table: public.{table}, column: level, to: rank, type: numeric}}"
        )
    },
};
const TO_BIGINT: Change = Change {
    old_type: "integer",
    new_type: "bigint",
    recipe: |table| {
        format!(
            "change_column_type: {{table: public.{table}, column: level, to: rank, type: bigint}}"
        )
    },
};

/// A test each, so that they run side by side.
macro_rules! no_statement_fails_while_each_phase_runs_and_is_undone {
    ($($name:ident: $change:ident, $shape:ident;)*) => {
        $(
            #[test]
            fn $name() {
                no_statement_fails($change, $shape);
            }
        )*
    };
}

// The statements of the two types are the same, and in the same order, but for how values are compared: each type has
// the shapes that the other has not, so that each meets NOT NULL and a default, and each shape a change of type.
no_statement_fails_while_each_phase_runs_and_is_undone! {
    no_statement_fails_while_a_required_column_with_a_default_is_renamed: RENAME, REQUIRED_WITH_DEFAULT;
    no_statement_fails_while_a_required_column_is_renamed: RENAME, REQUIRED_WITHOUT_DEFAULT;
    no_statement_fails_while_a_column_with_a_default_is_renamed: RENAME, OPTIONAL_WITH_DEFAULT;
    no_statement_fails_while_a_column_is_renamed: RENAME, OPTIONAL_WITHOUT_DEFAULT;
    no_statement_fails_while_a_required_column_with_a_default_becomes_numeric: TO_NUMERIC, REQUIRED_WITH_DEFAULT;
    no_statement_fails_while_a_column_becomes_numeric: TO_NUMERIC, OPTIONAL_WITHOUT_DEFAULT;
    no_statement_fails_while_a_required_column_becomes_bigint: TO_BIGINT, REQUIRED_WITHOUT_DEFAULT;
    no_statement_fails_while_a_column_with_a_default_becomes_bigint: TO_BIGINT, OPTIONAL_WITH_DEFAULT;
}

#[test]
fn if_asked_thoroughly_no_statement_fails_of_the_shapes_that_each_type_leaves_to_the_other() {
    if std::env::var_os("CROSSFADE_TEST_THOROUGH").is_none() {
        return;
    }
    for (change, shape) in [
        (TO_NUMERIC, REQUIRED_WITHOUT_DEFAULT),
        (TO_NUMERIC, OPTIONAL_WITH_DEFAULT),
        (TO_BIGINT, REQUIRED_WITH_DEFAULT),
        (TO_BIGINT, OPTIONAL_WITHOUT_DEFAULT),
    ] {
        no_statement_fails(change, shape);
    }
}

#[test]
fn what_is_written_while_dual_write_is_undone_is_in_the_new_column_after_it_was_done_again() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE items (id bigint PRIMARY KEY, level integer NOT NULL);
                 INSERT INTO items SELECT i, i FROM generate_series(1, 100) AS i;
                 COMMENT ON COLUMN items.level IS 'of stock';",
            )
            .await;
        let plan = plan_file(
            "version: 1\nname: widen\nchange:\n  change_column_type: {table: public.items, column: level, to: rank, type: bigint}\n",
        );
        let start = ["start", plan.path().to_str().expect("a path in UTF-8")];
        database.crossfade(&start).exits(0);
        let expanded = {
            database.crossfade(&["advance", "widen"]).exits(0);
            database.dump_schema()
        };
        for undone_after in ["dual_write", "backfill", "switch_reads", "retire"] {
            database
                .crossfade(&["advance", "widen", "--to", undone_after])
                .exits(0);
            if undone_after != "retire" {
                database
                    .execute("UPDATE items SET level = level + 1 WHERE id <= 50")
                    .await;
            }
            database
                .crossfade(&["rollback", "widen", "--to", "expand", "--yes"])
                .exits(0);
            assert_eq!(database.dump_schema(), expanded, "after {undone_after}");
            database
                .execute("UPDATE items SET level = level + 1 WHERE id <= 50")
                .await;
        }
        database
            .crossfade(&["advance", "widen", "--to", "contract", "--yes"])
            .exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM items WHERE rank = id + CASE WHEN id <= 50 THEN 7 ELSE 0 END")
                .await,
            "100"
        );
    });
}

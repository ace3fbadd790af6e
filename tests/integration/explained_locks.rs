//! What `explain` says is what happens, for every plan in `plans/`: each statement is run by itself, and what its session
//! holds on the application's tables, and which of them it wrote anew, is what was said of it. Then the program takes the
//! phase over, and finds all of it done: so these are the statements that it would have run (but in `contract`, which
//! stands or falls as one).

use crate::crash_everywhere::all_of;
use crate::every_plan::subjects;
use crate::support::{Database, on_postgresql, plan, plan_file};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio_postgres::Client;

const ORDER: [&str; 8] = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];
/// The application's relations: what a lock is on, where it is stored, and of what kind it is.
const RELATIONS: &str = "SELECT c.oid, format('%I.%I', n.nspname, c.relname), pg_relation_filenode(c.oid), c.relkind::text FROM pg_class AS c \
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') \
    AND n.nspname NOT IN ('crossfade', 'pg_catalog', 'information_schema', 'pg_toast')";
const HELD: &str = "SELECT relation, mode FROM pg_locks WHERE pid = $1 AND locktype = 'relation' AND granted \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// The strongest mode on each table, by its place in `ORDER`.
type Locks = BTreeMap<String, usize>;
type Relations = BTreeMap<u32, Relation>;

#[derive(PartialEq)]
struct Relation {
    name: String,
    file: Option<u32>,
    kind: String,
}

/// What `plans/` has no plan for: foreign keys that go with a column, a table with partitions.
const FURTHER: [&str; 6] = [
    "change: {rename_column: {table: public.sync_status, from: shipment_id, to: shipment}}",
    "change: {drop_column: {table: public.sync_status, column: shipment_id}}",
    "change: {drop_constraint: {table: public.sync_status, name: sync_status_shipment}}",
    "change: {change_column_type: {table: public.sync_status, column: shipment_id, type: integer, keep_name: true}}",
    "change: {rename_column: {table: public.positions, from: latitude, to: lat}}",
    "change: {drop_table: {table: public.positions}}",
];

fn rank(mode: &str) -> usize {
    let place = ORDER.iter().position(|known| *known == mode);
    place.unwrap_or_else(|| panic!("a mode: {mode}"))
}

/// `ACCESS EXCLUSIVE` as `pg_locks` calls it.
fn rank_of_words(words: &str) -> usize {
    let words = words.split(' ');
    let mode: String = words
        .map(|word| format!("{}{}", &word[..1], word[1..].to_lowercase()))
        .collect();
    rank(&(mode + "Lock"))
}

fn said(statement: &Value) -> Locks {
    let mut locks = Locks::new();
    for lock in statement["locks"].as_array().expect("locks") {
        let table = lock["table"].as_str().expect("a table").to_owned();
        let rank = rank_of_words(lock["lock"].as_str().expect("a lock"));
        let strongest = locks.entry(table).or_default();
        *strongest = rank.max(*strongest);
    }
    locks
}

async fn relations(client: &Client) -> Relations {
    let rows = client.query(RELATIONS, &[]).await.expect("the relations");
    let relation = |row: tokio_postgres::Row| {
        let (name, file, kind) = (row.get(1), row.get(2), row.get(3));
        (row.get(0), Relation { name, file, kind })
    };
    rows.into_iter().map(relation).collect()
}

/// On the tables and views that were there before: what a statement makes itself is known to nobody.
async fn held(watcher: &Client, pid: i32, before: &Relations) -> Locks {
    let mut locks = Locks::new();
    for row in watcher.query(HELD, &[&pid]).await.expect("the locks") {
        let relation = before.get(&row.get(0));
        if let Some(relation) = relation.filter(|relation| relation.kind != "S") {
            let strongest = locks.entry(relation.name.clone()).or_default();
            *strongest = rank(row.get(1)).max(*strongest);
        }
    }
    locks
}

/// One database, and what was found in it.
struct Site<'a> {
    database: &'a Database,
    worker: Client,
    watcher: Client,
    worker_pid: i32,
    differences: Vec<String>,
    compared: usize,
}

impl<'a> Site<'a> {
    async fn of(database: &'a Database) -> Self {
        let (worker, watcher) = (database.client().await, database.client().await);
        let pid = worker.query_one("SELECT pg_backend_pid()", &[]).await;
        Self {
            database,
            worker,
            watcher,
            worker_pid: pid.expect("a pid").get(0),
            differences: Vec::new(),
            compared: 0,
        }
    }

    async fn run(&mut self, at: &str, statement: &Value) {
        let sql = statement["sql"].as_str().expect("text");
        let before = relations(&self.watcher).await;
        let held = if statement["in_transaction"] == true {
            self.in_transaction(at, sql, &before).await
        } else {
            self.while_it_waits(at, sql, &before).await
        };
        let after = relations(&self.watcher).await;
        let rewritten = before.iter().any(|(oid, relation)| {
            let now = after.get(oid).filter(|now| now.kind != "S");
            now.is_some_and(|now| now.file != relation.file)
        });
        let mut said = said(statement);
        // A sequence is no table.
        for relation in after.values().filter(|relation| relation.kind == "S") {
            said.remove(&relation.name);
        }
        // Looking is locking too, but holds up nobody who does not change the table as well.
        let told = |table: &String, rank: usize| rank > 0 || said.contains_key(table);
        let held: Locks = held.into_iter().filter(|(t, r)| told(t, *r)).collect();
        if held != said || statement["rewrite"] != rewritten {
            let (held, said) = (words(&held), words(&said));
            self.differences.push(format!(
                "{at}: {sql}\n    held {held}, rewrote: {rewritten}\n    said {said}, rewrites: {}",
                statement["rewrite"]
            ));
        }
        self.compared += 1;
    }

    async fn in_transaction(&self, at: &str, sql: &str, before: &Relations) -> Locks {
        self.execute(at, "BEGIN").await;
        self.execute(at, sql).await;
        let held = held(&self.watcher, self.worker_pid, before).await;
        self.execute(at, "COMMIT").await;
        held
    }

    async fn execute(&self, at: &str, sql: &str) {
        let done = self.worker.batch_execute(sql).await;
        done.unwrap_or_else(|error| panic!("{at}: {error:?}: {sql}"));
    }

    /// What is done concurrently waits for whoever is writing: that is when its locks can be looked at.
    async fn while_it_waits(&self, at: &str, sql: &str, before: &Relations) -> Locks {
        let writer = self.database.client().await;
        for Relation { name, kind, .. } in before.values() {
            if kind == "r" || kind == "p" {
                let lock = format!("BEGIN; LOCK TABLE ONLY {name} IN ROW EXCLUSIVE MODE");
                // Only the first BEGIN begins.
                writer.batch_execute(&lock).await.expect("a writer");
            }
        }
        let looking = async {
            let waits = "SELECT wait_event = 'virtualxid' FROM pg_stat_activity WHERE pid = $1";
            for _ in 0..3_000 {
                let row = self.watcher.query_one(waits, &[&self.worker_pid]).await;
                if row.expect("the session").get::<_, Option<bool>>(0) == Some(true) {
                    let held = held(&self.watcher, self.worker_pid, before).await;
                    writer
                        .batch_execute("COMMIT")
                        .await
                        .expect("the writer ends");
                    return Some(held);
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            None
        };
        let (held, ()) = tokio::join!(looking, self.execute(at, sql));
        held.unwrap_or_else(|| panic!("{at}: never waited: {sql}"))
    }
}

fn words(locks: &Locks) -> String {
    let list = locks.iter();
    let list: Vec<String> = list
        .map(|(table, rank)| format!("{table} {}", ORDER[*rank]))
        .collect();
    list.join(", ")
}

/// What is not as `explain` says, on a copy of that database.
pub async fn as_explained(template: &Database, file: &str) -> Vec<String> {
    let database = template.copy().await;
    let explained = database
        .crossfade(&["explain", file, "--format", "json"])
        .exits(0)
        .json();
    let run = explained["name"].as_str().expect("a name");
    database.crossfade(&["start", file]).exits(0);
    let mut site = Site::of(&database).await;
    for phase in explained["phases"].as_array().expect("phases") {
        let name = phase["phase"].as_str().expect("a name");
        for step in phase["steps"].as_array().expect("steps") {
            let kind = step["kind"].as_str().expect("a kind");
            let at = format!("{run} {name} {}", step["step"]);
            let statements = step["statements"].as_array().expect("statements");
            // What reads and fills rows is the program's to do, in batches.
            let rows = match kind {
                "match" | "query" => statements.len(),
                "fill" => 1,
                _ => 0,
            };
            for statement in &statements[rows..] {
                site.run(&at, statement).await;
            }
        }
        // The triggers are gone by now, which the program would not let pass.
        if name != "contract" {
            // What it keeps of its functions and triggers is part of its own transactions, and not shown.
            database
                .execute("UPDATE crossfade.runs SET sync_stood = NULL")
                .await;
            database
                .crossfade(&["advance", run, "--to", name, "--yes"])
                .exits(0);
        }
    }
    assert!(site.compared > 0, "{run}");
    let differences = std::mem::take(&mut site.differences);
    drop(site);
    database.remove().await;
    differences
}

#[test]
fn the_locks_and_rewrites_of_every_plan_are_those_that_explain_says() {
    on_postgresql(async |database| {
        let tables = std::fs::read_to_string(plan("tables.sql")).expect("the tables");
        database.execute(&tables).await;
        let template = database.copy().await;
        let found = std::sync::Mutex::new(Vec::new());
        let further: Vec<_> = (0..)
            .zip(FURTHER)
            .map(|(number, text)| {
                plan_file(&format!("version: 1\nname: further-{number}\n{text}\n"))
            })
            .collect();
        let paths = further
            .iter()
            .map(|file| file.path().to_str().expect("a path of text"));
        let mut files: Vec<String> = paths.map(str::to_owned).collect();
        files.extend(subjects());
        all_of(&files, async |file| {
            let differences = as_explained(&template, file).await;
            found.lock().expect("a list").extend(differences);
        });
        template.remove().await;
        let found = found.into_inner().expect("a list");
        assert!(found.is_empty(), "{}", found.join("\n"));
    });
}

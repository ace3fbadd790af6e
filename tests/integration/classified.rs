//! The classifier against the server of this test: locks read from `pg_locks`, rewrites from the tables' files.

use crate::support::{Database, on_postgresql};
use crossfade_sql::{
    catalog::Catalog,
    classify::{Effects, Target, classify},
    script::Script,
    statement::{Kind, Statement, TransactionControl},
    syntax,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const FACTS: &str = include_str!("../facts/pg_locks.json");
/// Where it says more than happens, as the unit test beside the classifier explains.
const STRICTER: [&str; 12] = [
    "ADD COLUMN constrained-domain default",
    "DROP COLUMN",
    "DROP SCHEMA CASCADE",
    "SET ACCESS METHOD heap",
    "SET TABLESPACE same",
    "TRUNCATE",
    "TRUNCATE CASCADE",
    "TYPE timestamp->timestamptz (TimeZone=UTC)",
    "GRANT",
    "ANALYZE",
    "ADD UNIQUE",
    "ADD UNIQUE USING INDEX",
];
/// Children of tables are locked from PostgreSQL 18 on.
const STRICTER_BEFORE_18: [&str; 3] = ["ADD FK", "ADD FK NOT VALID", "ADD EXCLUDE"];

const MODES: &str =
    "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'";
const NAMES: &str = "SELECT c.oid, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE n.nspname = 'lk' AND c.relkind IN ('r', 'p', 'v', 'm')";
const FILES: &str = "SELECT c.relname::text, pg_relation_filenode(c.oid) FROM pg_class AS c \
    JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = 'lk' AND c.relkind = 'r'";

fn statements(sql: &str) -> Vec<(Statement, String)> {
    let script = Script::read(sql);
    let read = syntax::read(&script);
    read.into_iter()
        .map(|statement| {
            let text = sql[statement.range.clone()].to_owned();
            (statement, text)
        })
        .collect()
}

/// Table → its strongest lock, and the tables with another file than before.
type Seen = (BTreeMap<String, String>, BTreeSet<String>);

fn classified(effects: &Effects, known: &BTreeSet<String>) -> Seen {
    let name = |target: &Target| match target {
        Target::Table(name) if known.contains(&name.name) => Some(name.name.clone()),
        Target::Table(_) | Target::TableOf(_) => None,
    };
    let locks = effects.locks.iter();
    (
        locks
            .filter_map(|taken| Some((name(&taken.target)?, format!("{:?}", taken.lock))))
            .collect(),
        effects.rewrites.iter().filter_map(name).collect(),
    )
}

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

fn rank(mode: &str) -> usize {
    ORDER
        .iter()
        .position(|known| *known == mode)
        .expect("a mode")
}

async fn files(client: &tokio_postgres::Client) -> BTreeMap<String, u32> {
    let rows = client.query(FILES, &[]).await.expect("the files");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Runs a fact's statements in one transaction and says what they did; `None` where this server refuses them.
async fn run(
    client: &tokio_postgres::Client,
    names: &BTreeMap<u32, String>,
    sql: &[(Statement, String)],
) -> Option<Seen> {
    client.batch_execute("BEGIN").await.expect("a transaction");
    let mut before = BTreeMap::new();
    for (number, (_, text)) in sql.iter().enumerate() {
        if number + 1 == sql.len() {
            before = files(client).await;
        }
        if client.batch_execute(text).await.is_err() {
            client.batch_execute("ROLLBACK").await.expect("a rollback");
            return None;
        }
    }
    let mut locks: BTreeMap<String, String> = BTreeMap::new();
    for row in client.query(MODES, &[]).await.expect("the locks") {
        let (oid, mode): (u32, String) = (row.get(0), row.get(1));
        // By number: what was dropped or renamed has its name no more.
        let Some(table) = names.get(&oid).cloned() else {
            continue;
        };
        let strongest = locks.entry(table).or_insert_with(|| mode.clone());
        if rank(&mode) > rank(strongest) {
            *strongest = mode;
        }
    }
    let after = files(client).await;
    let rewritten = before
        .into_iter()
        .filter(|(table, file)| after.get(table).is_some_and(|now| now != file))
        .map(|(table, _)| table)
        .collect();
    client.batch_execute("ROLLBACK").await.expect("a rollback");
    Some((locks, rewritten))
}

async fn compare(database: &Database) {
    let facts: Value = serde_json::from_str(FACTS).expect("the facts");
    // A tenth of the rows serves as well here.
    let setup = facts["setup"]
        .as_str()
        .expect("text")
        .replace("20000", "2000");
    let client = database.client().await;
    client.batch_execute(&setup).await.expect("the tables");
    let version: i32 = client
        .query_one("SELECT current_setting('server_version_num')::integer", &[])
        .await
        .expect("a version")
        .get(0);
    let mut catalog = Catalog::default();
    for (statement, _) in statements(&setup) {
        catalog.apply(&statement.kind);
    }
    let names: BTreeMap<u32, String> = client
        .query(NAMES, &[])
        .await
        .expect("the names")
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let tables: BTreeSet<String> = names.values().cloned().collect();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for fact in facts["statements"].as_array().expect("a list") {
        let name = fact["name"].as_str().expect("a name");
        let sql = statements(fact["sql"].as_str().expect("text"));
        let commits = sql.iter().any(|(statement, _)| {
            matches!(
                statement.kind,
                Kind::Transaction(TransactionControl::End { .. })
            )
        });
        if commits {
            continue;
        }
        let Some((measured, rewritten)) = run(&client, &names, &sql).await else {
            continue;
        };
        let mut known = catalog.clone();
        let mut effects = Effects::default();
        let mut held = Vec::new();
        for (statement, _) in &sql {
            effects = classify(&statement.kind, &known);
            held.extend(effects.locks.clone());
            known.apply(&statement.kind);
        }
        effects.locks = held;
        let (locks, rewrites) = strongest(&effects, &tables);
        let stricter =
            STRICTER.contains(&name) || (version < 180_000 && STRICTER_BEFORE_18.contains(&name));
        let agrees = if stricter {
            measured.iter().all(|(table, mode)| {
                name == "DROP SCHEMA CASCADE"
                    || locks
                        .get(table)
                        .is_some_and(|said| rank(said) >= rank(mode))
            })
        } else {
            locks == measured && rewrites == rewritten
        };
        if !agrees {
            wrong.push(format!("{name}:\n  server     {measured:?} {rewritten:?}\n  classifier {locks:?} {rewrites:?}"));
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 85, "only {compared} statements could be run");
}

fn strongest(effects: &Effects, tables: &BTreeSet<String>) -> Seen {
    let mut locks: BTreeMap<String, String> = BTreeMap::new();
    for taken in &effects.locks {
        let alone = Effects {
            locks: vec![taken.clone()],
            ..Effects::default()
        };
        for (table, mode) in classified(&alone, tables).0 {
            let strongest = locks.entry(table).or_insert_with(|| mode.clone());
            if rank(&mode) > rank(strongest) {
                *strongest = mode;
            }
        }
    }
    (locks, classified(effects, tables).1)
}

#[test]
fn the_server_does_what_the_classifier_says() {
    on_postgresql(async |database| compare(database).await);
}

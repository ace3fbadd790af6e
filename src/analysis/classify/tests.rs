//! The classifier against what was measured on real servers.

use super::*;
use crate::analysis::{
    script::Script,
    statement::{Statement, TransactionControl},
    syntax,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const FACTS: &str = include_str!("../../../tests/facts/pg_locks.json");
/// What the classifier says beyond what was measured: it cannot know, or what was measured is another thing.
const STRICTER: [(&str, &str); 11] = [
    (
        "DETACH PARTITION CONCURRENTLY",
        "measured while it waited, before it took a lock",
    ),
    (
        "SET NOT NULL (validated NOT NULL NOT VALID proves, 18)",
        "the children are locked without such a constraint",
    ),
    (
        "TYPE timestamp->timestamptz (TimeZone=UTC)",
        "the session's time zone is not known",
    ),
    ("SET TABLESPACE same", "whether it is the same is not known"),
    (
        "SET ACCESS METHOD heap",
        "whether it is the same is not known",
    ),
    ("TRUNCATE", "a new empty file is no rewrite"),
    ("TRUNCATE CASCADE", "a new empty file is no rewrite"),
    (
        "DROP COLUMN",
        "which column a foreign key has is not looked at",
    ),
    (
        "CREATE INDEX CONCURRENTLY",
        "measured while it waited, before it read the table",
    ),
    (
        "REINDEX INDEX CONCURRENTLY",
        "measured while it waited, before it read the table",
    ),
    (
        "REINDEX TABLE CONCURRENTLY",
        "measured while it waited, before it read the table",
    ),
];
/// What is in a schema is not known: there it says so, and takes no part in the comparison.
const NOT_SEEN: [&str; 1] = ["DROP SCHEMA CASCADE"];

/// Tables only: of an index of ours it is the table that matters.
const TABLES: [&str; 14] = [
    "t", "o", "child", "p", "p1", "p2", "p3", "p4", "pd", "td", "v", "mv", "o2", "c2",
];

fn statements(sql: &str) -> Vec<Statement> {
    syntax::read(&Script::read(sql))
}

fn short(lock: Lock) -> &'static str {
    match lock {
        Lock::AccessShareLock => "AS",
        Lock::RowShareLock => "RS",
        Lock::RowExclusiveLock => "RE",
        Lock::ShareUpdateExclusiveLock => "SUE",
        Lock::ShareLock => "S",
        Lock::ShareRowExclusiveLock => "SRE",
        Lock::ExclusiveLock => "E",
        Lock::AccessExclusiveLock => "AE",
    }
}

fn rank(short: &str) -> usize {
    ["AS", "RS", "RE", "SUE", "S", "SRE", "E", "AE"]
        .iter()
        .position(|known| *known == short)
        .unwrap()
}

/// Table → lock, the tables rewritten and the tables scanned.
type Seen = (BTreeMap<String, String>, BTreeSet<String>, BTreeSet<String>);

/// The worst of all versions.
fn measured(entry: &Value) -> Seen {
    let mut seen = Seen::default();
    let is_table = |name: &str| TABLES.contains(&name);
    for result in entry["results"].as_array().unwrap() {
        let Some(locks) = result["measured"]["locks"].as_object() else {
            continue;
        };
        for (table, lock) in locks.iter().filter(|(table, _)| is_table(table)) {
            let lock = lock.as_str().unwrap();
            let worst = seen
                .0
                .entry(table.clone())
                .or_insert_with(|| lock.to_owned());
            if rank(lock) > rank(worst) {
                lock.clone_into(worst);
            }
        }
        for (key, into) in [("rewritten", &mut seen.1), ("scanned", &mut seen.2)] {
            let names = result["measured"][key].as_array().unwrap().iter();
            into.extend(
                names
                    .map(|name| name.as_str().unwrap().to_owned())
                    .filter(|name| is_table(name)),
            );
        }
    }
    seen
}

fn classified(effects: &Effects) -> Seen {
    let named = |target: &Target| match target {
        Target::Table(name) => {
            Some(name.name.clone()).filter(|name| TABLES.contains(&name.as_str()))
        }
        Target::TableOf(_) => None,
    };
    let locks = effects.locks.iter();
    (
        locks
            .filter_map(|taken| Some((named(&taken.target)?, short(taken.lock).to_owned())))
            .collect(),
        effects.rewrites.iter().filter_map(named).collect(),
        effects.scans.iter().filter_map(named).collect(),
    )
}

#[test]
fn it_agrees_with_every_measurement() {
    let facts: Value = serde_json::from_str(FACTS).unwrap();
    let mut setup = Catalog::default();
    for statement in statements(facts["setup"].as_str().unwrap()) {
        assert!(!matches!(statement.kind, Kind::Unknown(_)), "{statement:?}");
        setup.apply(&statement.kind);
    }
    let mut wrong = Vec::new();
    for entry in facts["statements"].as_array().unwrap() {
        let name = entry["name"].as_str().unwrap();
        let mut catalog = setup.clone();
        let mut steps = statements(entry["sql"].as_str().unwrap());
        let last = steps.pop().unwrap();
        // The locks of a transaction are held to its end; rewrites and scans were counted for the last statement.
        let mut held = Effects::default();
        for step in &steps {
            match &step.kind {
                Kind::Transaction(TransactionControl::End { .. }) => held = Effects::default(),
                kind => held.locks.extend(classify(kind, &catalog).locks),
            }
            catalog.apply(&step.kind);
        }
        let mut effects = classify(&last.kind, &catalog);
        for taken in held.locks {
            effects.add_lock(taken.target, taken.lock);
        }
        let (measured, mut classified) = (measured(entry), classified(&effects));
        // An empty child is scanned in no time, and no tuple of it counted.
        if !measured.2.contains("child") {
            classified.2.remove("child");
        }
        let stricter = STRICTER.iter().any(|(stricter, _)| *stricter == name);
        let agrees = if NOT_SEEN.contains(&name) {
            effects.lock_on(&Target::TableOf(Unnamed::Depending)) == Some(Lock::AccessExclusiveLock)
        } else if stricter {
            no_less(&classified, &measured)
        } else {
            classified == measured && !effects.unknown
        };
        if !agrees {
            wrong.push(format!(
                "{name}:\n  measured   {measured:?}\n  classified {classified:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn no_less(classified: &Seen, measured: &Seen) -> bool {
    measured.0.iter().all(|(table, lock)| {
        classified
            .0
            .get(table)
            .is_some_and(|said| rank(said) >= rank(lock))
    }) && classified.2.is_superset(&measured.2)
}

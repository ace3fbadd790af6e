//! The classifier against what was measured on real servers.

use super::*;
use crate::{
    script::Script,
    statement::{Statement, TransactionControl},
    syntax,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const FACTS: &str = include_str!("../../../../tests/facts/pg_locks.json");
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

/// What the last statement does where the others were run before.
fn after(setup: &str, last: &str) -> Effects {
    let mut catalog = Catalog::default();
    for statement in statements(setup) {
        catalog.apply(&statement.kind);
    }
    let [statement] = &statements(last)[..] else {
        panic!("{last}");
    };
    classify(&statement.kind, &catalog)
}

fn table(name: &str) -> Target {
    Target::Table(Name::read(name))
}

fn locks(effects: &Effects) -> Vec<String> {
    let locks = effects.locks.iter();
    let mut locks: Vec<String> = locks
        .map(|taken| format!("{} {}", taken.target, short(taken.lock)))
        .collect();
    locks.sort();
    locks
}

/// `pg_relation_filenode` of the indexes before and after, on PostgreSQL 15.
#[test]
fn an_index_is_built_anew_with_the_type_that_it_was_worked_out_from() {
    let setup = "CREATE TABLE t (a varchar(10), b int, c varchar(10) COLLATE \"C\", d varchar(10));\n\
                 CREATE INDEX ON t (b);CREATE INDEX i ON t (a);CREATE INDEX j ON t (d, lower(a));CREATE INDEX k ON t (c) WHERE b > 0;";
    for (change, built) in [
        ("a TYPE varchar(20)", true),
        ("a TYPE varchar(20) USING (a)", true),
        ("d TYPE varchar(20)", true),
        ("b TYPE int", true),
        ("c TYPE varchar(20)", true),
        ("c TYPE varchar(20) COLLATE \"C\"", true),
    ] {
        let effects = after(setup, &format!("ALTER TABLE t ALTER {change}"));
        assert_eq!(
            (effects.rewrites.len(), !effects.scans.is_empty()),
            (0, built),
            "{change}"
        );
    }
    let plain = "CREATE TABLE t (a varchar(10), c varchar(10) COLLATE \"C\");CREATE INDEX i ON t (a);CREATE INDEX j ON t (c);";
    for (change, built) in [
        ("a TYPE varchar(20)", false),
        ("a TYPE varchar(20) USING (a)", false),
        ("a TYPE varchar(20) USING ((a)::varchar(20))", false),
        ("a TYPE text USING cast(a AS text)", false),
        ("c TYPE varchar(20)", true),
        ("c TYPE varchar(20) COLLATE pg_catalog.\"C\"", false),
        ("c TYPE varchar(10)", true),
    ] {
        let effects = after(plain, &format!("ALTER TABLE t ALTER {change}"));
        assert_eq!(
            (effects.rewrites.len(), !effects.scans.is_empty()),
            (0, built),
            "{change}"
        );
    }
    assert_eq!(
        after(plain, "ALTER TABLE t ALTER a TYPE text USING (a || a)").rewrites,
        [table("t")]
    );
}

/// `pg_locks`, on PostgreSQL 15.
#[test]
fn both_tables_of_a_foreign_key_are_locked_for_the_type_of_its_column() {
    let setup = "CREATE TABLE p (id int PRIMARY KEY, code varchar(10) UNIQUE);\n\
                 CREATE TABLE c (id int, code varchar(10) REFERENCES p (code));";
    for (sql, expected) in [
        (
            "ALTER TABLE p ALTER code TYPE varchar(20)",
            vec!["c AE", "p AE"],
        ),
        (
            "ALTER TABLE c ALTER code TYPE varchar(20)",
            vec!["c AE", "p AE"],
        ),
        ("ALTER TABLE p ALTER id TYPE int", vec!["p AE"]),
        ("ALTER TABLE c ALTER id TYPE int", vec!["c AE"]),
    ] {
        assert_eq!(locks(&after(setup, sql)), expected, "{sql}");
    }
}

#[test]
fn a_column_of_a_domain_with_a_constraint_is_checked_in_every_row() {
    let setup = "CREATE DOMAIN d AS int CHECK (value > 0);CREATE DOMAIN e AS d;CREATE DOMAIN f AS int;CREATE DOMAIN g AS int;\
                 ALTER DOMAIN g SET NOT NULL;CREATE TYPE y AS ENUM ('a');";
    for (type_name, rewritten) in [
        ("d", true),
        ("e", true),
        ("f", false),
        ("g", true),
        ("y", false),
        ("d[]", false),
    ] {
        let effects = after(setup, &format!("ALTER TABLE t ADD x {type_name}"));
        assert_eq!(!effects.rewrites.is_empty(), rewritten, "{type_name}");
    }
}

/// `pg_locks`, on PostgreSQL 15.
#[test]
fn the_parent_and_its_foreign_keys_are_locked_with_a_partition() {
    let setup = "CREATE TABLE r (id int PRIMARY KEY);CREATE TABLE p (id int PRIMARY KEY REFERENCES r) PARTITION BY LIST (id);\n\
                 CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);CREATE TABLE p0 PARTITION OF p DEFAULT;\n\
                 CREATE TABLE c (id int REFERENCES p);CREATE TABLE n (id int NOT NULL);CREATE TABLE m (id int NOT NULL REFERENCES r);\n\
                 CREATE TABLE q (id int) PARTITION BY LIST (id);CREATE TABLE q1 PARTITION OF q FOR VALUES IN (1);CREATE TABLE q0 PARTITION OF q DEFAULT;\n\
                 CREATE TABLE o (id int) PARTITION BY LIST (id);CREATE TABLE o1 PARTITION OF o FOR VALUES IN (1);";
    for (sql, expected) in [
        ("DROP TABLE q1", vec!["q AE", "q0 AE", "q1 AE"]),
        ("DROP TABLE q0", vec!["q AE", "q0 AE"]),
        (
            "ALTER TABLE q DETACH PARTITION q1",
            vec!["q AE", "q0 AE", "q1 AE"],
        ),
        (
            "ALTER TABLE o DETACH PARTITION o1 CONCURRENTLY",
            vec!["o SUE", "o1 AE"],
        ),
        (
            "ALTER TABLE p DETACH PARTITION p1",
            vec!["c AE", "p AE", "p0 AE", "p1 AE", "r SRE"],
        ),
        (
            "ALTER TABLE p ATTACH PARTITION n FOR VALUES IN (3)",
            vec!["c SRE", "n AE", "p SUE", "p0 AE", "r SRE"],
        ),
        (
            "ALTER TABLE p ATTACH PARTITION m FOR VALUES IN (3)",
            vec!["c SRE", "m AE", "p SUE", "p0 AE", "r AE"],
        ),
        (
            "CREATE TABLE p5 PARTITION OF p FOR VALUES IN (5)",
            vec!["c SRE", "p AE", "p0 AE", "r SRE"],
        ),
    ] {
        assert_eq!(locks(&after(setup, sql)), expected, "{sql}");
    }
}

/// Source: `ATExecAlterConstrEnforceability` and the documentation of PostgreSQL 18.
#[test]
fn what_only_postgresql_18_has_is_not_free() {
    let setup =
        "CREATE TABLE r (id int PRIMARY KEY);CREATE TABLE t (a int CONSTRAINT k REFERENCES r);";
    let enforced = after(setup, "ALTER TABLE t ALTER CONSTRAINT k ENFORCED");
    assert_eq!(locks(&enforced), ["r AE", "t AE"]);
    assert_eq!(enforced.scans, [table("t"), table("r")]);
    let not = after(setup, "ALTER TABLE t ALTER CONSTRAINT k NOT ENFORCED");
    assert_eq!(
        (locks(&not), not.scans.len()),
        (vec!["r AE".to_owned(), "t AE".to_owned()], 0)
    );
    let deferrable = after(setup, "ALTER TABLE t ALTER CONSTRAINT k DEFERRABLE");
    assert_eq!(locks(&deferrable), ["t AE"]);
    let child = format!("{setup}CREATE TABLE u () INHERITS (t);");
    let inherited = after(&child, "ALTER TABLE t ALTER CONSTRAINT k INHERIT");
    assert_eq!(
        (locks(&inherited), inherited.scans),
        (vec!["t AE".to_owned(), "u AE".to_owned()], vec![table("u")])
    );
    let unknown = after("", "ALTER TABLE t ALTER CONSTRAINT k ENFORCED");
    assert_eq!(unknown.scans.len(), 2);
    let virtual_column = "ALTER TABLE t ADD z int GENERATED ALWAYS AS (a + 1) VIRTUAL";
    assert!(after(setup, virtual_column).scans.is_empty());
    assert_eq!(
        after(setup, &format!("{virtual_column} NOT NULL")).scans,
        [table("t")]
    );
    // What is not enforced proves nothing.
    let lost = format!(
        "{setup}ALTER TABLE t ADD CONSTRAINT n CHECK (a IS NOT NULL);ALTER TABLE t ALTER CONSTRAINT n NOT ENFORCED;"
    );
    assert_eq!(
        after(&lost, "ALTER TABLE t ALTER a SET NOT NULL").scans,
        [table("t")]
    );
}

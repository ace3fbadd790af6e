//! Partitions that come with rows: written before the triggers were theirs, or while they stood apart. They are noticed like other
//! writes past the triggers. A partition that is created empty is everyday, and is not.

use crate::support::{Database, on_postgresql, plan_file};

const RUN: &str = "run";

const TABLES: &str = "
    CREATE TABLE p (id integer, status text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1000);
    CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (1000) TO (2000) PARTITION BY RANGE (id);
    CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (1000) TO (1500);
    CREATE TABLE p2b PARTITION OF p2 FOR VALUES FROM (1500) TO (2000);
    INSERT INTO p SELECT i, 's' || i FROM generate_series(1, 1999) AS i;
";

async fn start(database: &Database, phase: &str) {
    database.execute(TABLES).await;
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.p, from: status, to: st}}\n"
    ));
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
    database
        .crossfade(&["advance", RUN, "--to", phase])
        .exits(0);
}

/// A transaction for each statement, where they are not one.
async fn each(database: &Database, statements: &str) {
    if statements.starts_with("BEGIN") {
        return database.execute(statements).await;
    }
    for statement in statements.split("; ") {
        database.execute(statement).await;
    }
}

/// Away, written to, and back; each with how many rows differ then.
fn ways() -> Vec<(&'static str, &'static str, i64)> {
    vec![
        (
            "back again",
            "ALTER TABLE p DETACH PARTITION p2; UPDATE p2 SET st = 'NEW' || id WHERE id < 1010; DELETE FROM p2 WHERE id = 1600; \
             INSERT INTO p2 (id, st) VALUES (1600, 'NEWONLY'); \
             ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (1000) TO (2000)",
            11,
        ),
        (
            "a leaf of a partition, in one transaction",
            "BEGIN; ALTER TABLE p2 DETACH PARTITION p2b; UPDATE p2b SET st = 'NEW' || id WHERE id < 1510; \
             ALTER TABLE p2 ATTACH PARTITION p2b FOR VALUES FROM (1500) TO (2000); COMMIT",
            10,
        ),
        (
            "a loaded one",
            "CREATE TABLE p3 (LIKE p INCLUDING ALL); INSERT INTO p3 (id, status) SELECT i, 's' || i FROM generate_series(2000, 2041) AS i; \
             ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (2000) TO (3000)",
            42,
        ),
        (
            "a loaded one, in one transaction",
            "BEGIN; CREATE TABLE p3 (LIKE p INCLUDING ALL); INSERT INTO p3 (id, st) SELECT i, 's' || i FROM generate_series(2000, 2041) AS i; \
             ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (2000) TO (3000); COMMIT",
            42,
        ),
        (
            "one with partitions of its own",
            "CREATE TABLE p3 (LIKE p INCLUDING ALL) PARTITION BY RANGE (id); CREATE TABLE p3a PARTITION OF p3 FOR VALUES FROM (2000) TO (2500); \
             INSERT INTO p3 (id, st) SELECT i, 's' || i FROM generate_series(2000, 2041) AS i; \
             ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (2000) TO (3000)",
            42,
        ),
    ]
}

fn events(database: &Database, kind: &str) -> usize {
    let history = database.crossfade(&["history", RUN, "--format", "json"]);
    let history = history.exits(0).json();
    let events = history["events"].as_array().expect("events");
    events.iter().filter(|event| event["kind"] == kind).count()
}

const NEW: &str = "SELECT coalesce(string_agg(st, ',' ORDER BY id), '') FROM p WHERE id IN (1001, 1501, 1600, 2001)";

#[test]
fn a_partition_that_brings_rows_closes_the_gates_until_all_are_compared() {
    for phase in ["backfill", "verify", "switch_reads"] {
        for (way, statements, rows) in ways() {
            on_postgresql(async |database| {
                start(database, phase).await;
                each(database, statements).await;
                let before = database.value(NEW).await;
                let status = database.status(RUN);
                let what = status["sync_touched"]["what"].to_string();
                assert!(what.contains("was attached"), "{phase}, {way}: {status}");
                let closed = database.crossfade(&["advance", RUN]).exits(3);
                assert!(
                    closed.stderr.contains("crossfade verify run"),
                    "{phase}, {way}: {}",
                    closed.stderr
                );
                assert_eq!(events(database, "sync touched"), 1, "{phase}, {way}");
                let back = database.crossfade(&["rollback", RUN, "--yes"]).exits(1);
                assert!(
                    back.stderr.contains("going back would lose"),
                    "{phase}, {way}: {}",
                    back.stderr
                );
                let found = database.crossfade(&["verify", RUN, "--format", "json"]);
                assert_eq!(found.exits(5).json()["rows_different"], rows, "{way}");
                assert_eq!(database.value(NEW).await, before, "{phase}, {way}");
                database.crossfade(&["advance", RUN]).exits(3);
                // Somebody says which side is right: the triggers write the other.
                database
                    .execute("UPDATE p SET status = st WHERE st IS NOT NULL AND status IS DISTINCT FROM st; UPDATE p SET st = status WHERE st IS NULL")
                    .await;
                database.crossfade(&["verify", RUN]).exits(0);
                database
                    .crossfade(&["advance", RUN, "--to", "retire"])
                    .exits(0);
            });
        }
    }
}

#[test]
fn a_partition_that_comes_back_before_the_rows_are_filled_is_not_gone_back_over() {
    on_postgresql(async |database| {
        start(database, "dual_write").await;
        each(database, ways()[0].1).await;
        let back = database.crossfade(&["rollback", RUN, "--yes"]).exits(1);
        assert!(back.stderr.contains("11 rows"), "{}", back.stderr);
        assert_eq!(database.status(RUN)["state"], "active");
    });
}

#[test]
fn partitions_that_are_created_empty_detached_or_dropped_close_nothing() {
    on_postgresql(async |database| {
        start(database, "verify").await;
        for statements in [
            "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (2000) TO (3000); INSERT INTO p (id, status) SELECT i, 's' FROM generate_series(2000, 2500) AS i",
            "CREATE TABLE p4 PARTITION OF p FOR VALUES FROM (3000) TO (4000) PARTITION BY RANGE (id); CREATE TABLE p4a PARTITION OF p4 DEFAULT; ALTER TABLE p4a SET (fillfactor = 70); CREATE INDEX ON p4a (status); ANALYZE p4a; INSERT INTO p (id, st) VALUES (3001, 'n')",
            // As partition managers do it.
            "BEGIN; CREATE TABLE p5 (LIKE p INCLUDING ALL); ALTER TABLE p ATTACH PARTITION p5 FOR VALUES FROM (5000) TO (6000); COMMIT; INSERT INTO p (id, st) VALUES (5001, 'n')",
            "BEGIN; CREATE TABLE p6 PARTITION OF p FOR VALUES FROM (6000) TO (7000); INSERT INTO p (id, st) SELECT i, 'n' FROM generate_series(6000, 6500) AS i; COMMIT",
            "CREATE TABLE p7 (LIKE p INCLUDING ALL); ALTER TABLE p7 ADD CHECK (id >= 7000 AND id < 8000); ALTER TABLE p ATTACH PARTITION p7 FOR VALUES FROM (7000) TO (8000)",
            "ALTER TABLE p DETACH PARTITION p5; UPDATE p5 SET st = 'apart'",
            "DROP TABLE p4",
            "CREATE TABLE p4 PARTITION OF p FOR VALUES FROM (3000) TO (4000); VACUUM FREEZE p4",
        ] {
            each(database, statements).await;
            let status = database.status(RUN);
            assert!(status["sync_touched"].is_null(), "{statements}: {status}");
        }
        database
            .crossfade(&["advance", RUN, "--to", "switch_reads"])
            .exits(0);
        assert_eq!(events(database, "sync touched"), 0);
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
    });
}

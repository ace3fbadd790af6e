//! What a partition has of its own, on whatever level: it is refused by name before anything is changed, comes along, or
//! closes the gates by name. Nothing is gone in silence, and nothing is met for the first time in `contract`.

use crate::crash_everywhere::all_of;
use crate::support::{Database, on_postgresql, plan_file};

/// Two levels; `p1` and `p2a` have rows, `p2` is partitioned itself.
const TABLE: &str = "
    CREATE TABLE kinds (kind text PRIMARY KEY, n integer UNIQUE);
    INSERT INTO kinds VALUES ('a', 1), ('b', 2);
    CREATE TABLE measured (id bigint NOT NULL, at date NOT NULL, status text, n integer, note text) PARTITION BY RANGE (at);
    CREATE TABLE p1 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE p2 PARTITION OF measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
    CREATE TABLE p2a PARTITION OF p2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    INSERT INTO measured SELECT i, date '2024-06-01' + i * 40, 'a', 1, 's' || i FROM generate_series(1, 12) AS i;
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TABLE refers (note text);
";

/// Each on the column <C> of the partition <P>, with what names it.
const REFUSED: [(&str, &str); 9] = [
    ("CREATE INDEX <P>_own_index ON <P> (<C>)", "<P>_own_index"),
    (
        "CREATE UNIQUE INDEX <P>_own_unique ON <P> (<C>, note)",
        "<P>_own_unique",
    ),
    (
        "CREATE INDEX <P>_own_condition ON <P> (note) WHERE <C> IS NOT NULL",
        "<P>_own_condition",
    ),
    (
        "ALTER TABLE <P> ADD CONSTRAINT <P>_own_key UNIQUE (note, <C>)",
        "<P>_own_key",
    ),
    (
        "ALTER TABLE <P> ADD CONSTRAINT <P>_own_check CHECK (<C> IS NOT NULL)",
        "<P>_own_check",
    ),
    (
        "ALTER TABLE <P> ADD CONSTRAINT <P>_own_foreign FOREIGN KEY (<C>) REFERENCES kinds (<K>)",
        "<P>_own_foreign",
    ),
    (
        "ALTER TABLE <P> ALTER <C> SET DEFAULT <V>",
        "its default <V>",
    ),
    ("ALTER TABLE <P> ALTER <C> SET NOT NULL", "its NOT NULL"),
    (
        "CREATE SEQUENCE <P>_own_numbers OWNED BY <P>.<C>",
        "<P>_own_numbers",
    ),
];

/// As above, of a partition with rows.
const REFUSED_OF_LEAF: [(&str, &str); 2] = [
    (
        "ALTER TABLE <P> ADD CONSTRAINT <P>_own_exclusion EXCLUDE USING btree (<C> WITH =, note WITH =)",
        "<P>_own_exclusion",
    ),
    (
        "ALTER TABLE <P> ADD CONSTRAINT <P>_referred UNIQUE (<C>, note); CREATE TABLE <P>_referring (<C> <T>, note text, \
         CONSTRAINT <P>_own_inbound FOREIGN KEY (<C>, note) REFERENCES <P> (<C>, note))",
        "<P>_own_inbound",
    ),
];

/// Nobody's to change but its owner's: it is told in `check`, and holds the gates of `retire` and `contract` by name.
const NAMED: [(&str, &str, &str); 7] = [
    (
        "CREATE VIEW <P>_seen AS SELECT <C> FROM <P>",
        "view public.<P>_seen",
        "DROP VIEW <P>_seen",
    ),
    (
        "CREATE RULE <P>_rule AS ON UPDATE TO <P> WHERE NEW.<C> IS NULL DO ALSO NOTHING",
        "rule <P>_rule on table public.<P>",
        "DROP RULE <P>_rule ON <P>",
    ),
    (
        "CREATE TRIGGER <P>_of AFTER UPDATE OF <C> ON <P> FOR EACH ROW EXECUTE FUNCTION note()",
        "trigger <P>_of on table public.<P>",
        "DROP TRIGGER <P>_of ON <P>",
    ),
    (
        "CREATE TRIGGER <P>_when AFTER INSERT ON <P> FOR EACH ROW WHEN (NEW.<C> IS NULL) EXECUTE FUNCTION note()",
        "trigger <P>_when on table public.<P>",
        "DROP TRIGGER <P>_when ON <P>",
    ),
    (
        "CREATE POLICY <P>_policy ON <P> USING (<C> IS NOT NULL)",
        "policy <P>_policy on table public.<P>",
        "DROP POLICY <P>_policy ON <P>",
    ),
    (
        "CREATE STATISTICS <P>_both ON <C>, note FROM <P>",
        "statistics object public.<P>_both",
        "DROP STATISTICS <P>_both",
    ),
    (
        "CREATE FUNCTION <P>_atomic() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(<C>) FROM <P>; END",
        "function public.<P>_atomic()",
        "DROP FUNCTION <P>_atomic()",
    ),
];

/// It comes along, with the same values on each partition as an `ALTER TABLE … RENAME` leaves them.
const CARRIED: &str = "
    COMMENT ON COLUMN <P>.<C> IS 'of <P>: it''s';
    ALTER TABLE ONLY <P> ALTER <C> SET STATISTICS 77;
    ALTER TABLE ONLY <P> ALTER <C> SET (n_distinct = -0.5, n_distinct_inherited = 7);
    GRANT SELECT (<C>), UPDATE (<C>) ON <P> TO PUBLIC;
    GRANT REFERENCES (<C>) ON <P> TO pg_monitor WITH GRANT OPTION;
";
const CARRIED_TEXT: &str = "
    ALTER TABLE ONLY <P> ALTER <C> SET STORAGE EXTERNAL;
    ALTER TABLE ONLY <P> ALTER <C> SET COMPRESSION pglz;
";

const SETTINGS: &str = "
    SELECT coalesce(string_agg(concat_ws(' ', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage, a.attcompression,
        nullif(a.attstattarget::integer, -1), a.attoptions::text, col_description(a.attrelid, a.attnum), pg_get_expr(d.adbin, d.adrelid),
        (SELECT string_agg(concat_ws(' ', g.privilege_type, g.grantee::regrole, g.is_grantable), ',' ORDER BY g.privilege_type, g.grantee) FROM aclexplode(a.attacl) AS g)),
        E'\\n' ORDER BY a.attrelid::regclass::text, a.attname), 'none')
    FROM pg_partition_tree('measured') AS t JOIN pg_attribute AS a ON a.attrelid = t.relid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum";

/// What is done to a column of a partitioned table: the change, the column, its type, what it refers to, and a default.
struct Way {
    change: &'static str,
    column: &'static str,
    type_name: &'static str,
    key: &'static str,
    value: &'static str,
    before: &'static str,
}

const RENAME: Way = Way {
    change: "rename_column: {table: measured, from: status, to: state}",
    column: "status",
    type_name: "text",
    key: "kind",
    value: "'a'::text",
    before: "",
};
const REPLACED: [Way; 3] = [
    RENAME,
    Way {
        before: "ALTER TABLE measured ALTER status SET NOT NULL",
        ..RENAME
    },
    Way {
        change: "change_column_type: {table: measured, column: n, type: bigint, keep_name: true}",
        column: "n",
        type_name: "integer",
        key: "n",
        value: "1",
        before: "",
    },
];
const PARTITIONS: [&str; 3] = ["p1", "p2", "p2a"];

fn of(text: &str, way: &Way, partition: &str) -> String {
    text.replace("<P>", partition)
        .replace("<C>", way.column)
        .replace("<T>", way.type_name)
        .replace("<K>", way.key)
        .replace("<V>", way.value)
}

async fn prepared(database: &Database) -> Database {
    database.execute(TABLE).await;
    database.copy().await
}

fn plan(change: &str) -> tempfile::NamedTempFile {
    plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"))
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().expect("a path of text")
}

#[test]
fn what_would_go_with_a_partitions_column_is_refused_by_name_in_check_and_start() {
    on_postgresql(async |database| {
        let template = prepared(database).await;
        let cases: Vec<(&Way, &str)> = REPLACED
            .iter()
            .flat_map(|way| PARTITIONS.map(|partition| (way, partition)))
            .collect();
        all_of(&cases, async |(way, partition)| {
            let database = template.copy().await;
            database.execute(way.before).await;
            let leaf = REFUSED_OF_LEAF.iter().filter(|_| *partition != "p2");
            let mut names = Vec::new();
            for (sql, name) in REFUSED.iter().chain(leaf) {
                // A partitioned partition has nothing unique without its key; what the table requires is no partition's own.
                let is_unique = name.contains("unique") || name.contains("own_key");
                let is_the_tables = name.contains("NOT NULL") && !way.before.is_empty();
                if *partition == "p2" && is_unique || is_the_tables {
                    continue;
                }
                database.execute(&of(sql, way, partition)).await;
                names.push(of(name, way, partition));
            }
            let before = database.dump_schema();
            let plan = plan(way.change);
            for command in ["check", "start"] {
                let refused = database.crossfade(&[command, path(&plan)]).exits(1);
                let said = format!("{}{}", refused.stdout, refused.stderr);
                for name in &names {
                    assert!(
                        said.contains(name),
                        "{}, {partition}, {command}: {name} is not in\n{said}",
                        way.change
                    );
                }
                assert!(
                    said.contains(&format!("the partition public.{partition}")),
                    "{said}"
                );
            }
            assert_eq!(database.dump_schema(), before);
            database.remove().await;
        });
        template.remove().await;
    });
}

#[test]
fn what_can_be_set_on_a_partitions_column_comes_along() {
    on_postgresql(async |database| {
        let template = prepared(database).await;
        all_of(&REPLACED, async |way| {
            let database = template.copy().await;
            database.execute(way.before).await;
            for partition in PARTITIONS {
                database.execute(&of(CARRIED, way, partition)).await;
                if way.type_name == "text" {
                    database.execute(&of(CARRIED_TEXT, way, partition)).await;
                }
            }
            // The table's own go down to none of the partitions.
            let table = of(
                "ALTER TABLE ONLY measured ALTER <C> SET STATISTICS 11; COMMENT ON COLUMN measured.<C> IS 'all'",
                way,
                "",
            );
            database.execute(&table).await;
            let native = database.copy().await;
            native
                .execute(if way.column == "n" {
                    "ALTER TABLE measured ALTER n TYPE bigint"
                } else {
                    "ALTER TABLE measured RENAME status TO state"
                })
                .await;
            let plan = plan(way.change);
            database.crossfade(&["start", path(&plan)]).exits(0);
            database
                .crossfade(&["advance", "x", "--to", "switch_reads"])
                .exits(0);
            database.crossfade(&["rollback", "x", "--yes"]).exits(0);
            database.crossfade(&["start", path(&plan)]).exits(0);
            database
                .crossfade(&["advance", "x", "--to", "contract", "--yes"])
                .exits(0);
            assert_eq!(database.value(SETTINGS).await, native.value(SETTINGS).await);
            native.remove().await;
            database.remove().await;
        });
        template.remove().await;
    });
}

/// Waits at the gate of `phase`, naming each of these.
fn waits(database: &Database, phase: &str, names: &[String]) {
    let waited = database.crossfade(&["advance", "x", "--to", phase, "--yes"]);
    assert_ne!(waited.code, Some(0), "{phase}: {}", waited.stdout);
    let said = format!("{}{}", waited.stdout, waited.stderr);
    for name in names {
        assert!(said.contains(name), "{phase}: {name} is not in\n{said}");
    }
}

#[test]
fn what_names_a_partitions_column_is_told_and_holds_the_gates_by_name() {
    on_postgresql(async |database| {
        let template = prepared(database).await;
        let ways = [
            &RENAME,
            &Way {
                change: "drop_column: {table: measured, column: status}",
                ..RENAME
            },
        ];
        all_of(&ways, async |way| {
            let database = template.copy().await;
            let mut names = Vec::new();
            let each = |text: &str| PARTITIONS.map(|partition| of(text, way, partition));
            for (sql, name, _) in NAMED {
                for (sql, name) in each(sql).into_iter().zip(each(name)) {
                    database.execute(&sql).await;
                    names.push(name);
                }
            }
            let plan = plan(way.change);
            let checked = database.crossfade(&["check", path(&plan)]).exits(0);
            let said = format!("{}{}", checked.stdout, checked.stderr);
            for name in &names {
                assert!(said.contains(name), "{name} is not in\n{said}");
            }
            database.crossfade(&["start", path(&plan)]).exits(0);
            waits(&database, "retire", &names);
            for (_, _, undo) in NAMED {
                for undo in each(undo) {
                    database.execute(&undo).await;
                }
            }
            database
                .crossfade(&["advance", "x", "--to", "contract", "--yes"])
                .exits(0);
            database.remove().await;
        });
        template.remove().await;
    });
}

/// On partitions that are there, and on one that is attached with all of it in the course of the run.
#[test]
fn what_comes_to_a_partition_later_holds_the_gates_by_name() {
    on_postgresql(async |database| {
        let template = prepared(database).await;
        all_of(&REPLACED[..2], async |way| {
            let database = template.copy().await;
            database.execute(way.before).await;
            let plan = plan(way.change);
            database.crossfade(&["start", path(&plan)]).exits(0);
            database
                .crossfade(&["advance", "x", "--to", "switch_reads"])
                .exits(0);
            database
                .execute(
                    "CREATE TABLE p3 (LIKE measured INCLUDING ALL); ALTER TABLE p3 ADD PRIMARY KEY (id);
                     INSERT INTO p3 (id, at, status, state, n, note) VALUES (900, '2023-05-05', 'a', 'a', 1, 'x')",
                )
                .await;
            let attach = "ALTER TABLE measured ATTACH PARTITION p3 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')";
            let parts: Vec<_> = REFUSED.iter().chain(&REFUSED_OF_LEAF).collect();
            let mut names = Vec::new();
            for partition in ["p1", "p2a", "p3"] {
                for (sql, name) in &parts {
                    if name.contains("NOT NULL") && !way.before.is_empty() {
                        continue;
                    }
                    database.execute(&of(sql, way, partition)).await;
                    names.push(of(name, way, partition));
                }
                database.execute(&of(CARRIED, way, partition)).await;
                for what in ["comment", "statistics target", "options", "privileges"] {
                    names.push(format!("its {what} on public.{partition}."));
                }
            }
            database.execute(attach).await;
            waits(&database, "retire", &names);
            database.execute("ALTER TABLE measured DETACH PARTITION p3; ALTER TABLE measured DETACH PARTITION p1; ALTER TABLE p2 DETACH PARTITION p2a").await;
            // One had come with rows.
            database.crossfade(&["verify", "x"]).exits(0);
            database
                .crossfade(&["advance", "x", "--to", "retire"])
                .exits(0);

            // And once the column is out of sight, also when `contract` has begun.
            let aside = "status_crossfade_retired";
            let late = |name: &str| {
                format!(
                    "CREATE UNIQUE INDEX {name} ON p4 ({aside}, note); ALTER TABLE p4 ALTER {aside} SET DEFAULT 'late'"
                )
            };
            database
                .execute("CREATE TABLE p4 PARTITION OF measured FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')")
                .await;
            database.execute(&late("late_index")).await;
            let names = ["late_index", "its default 'late'"].map(str::to_owned);
            waits(&database, "contract", &names);
            database
                .execute(&format!(
                    "DROP INDEX late_index; ALTER TABLE p4 ALTER {aside} DROP DEFAULT"
                ))
                .await;
            let killed = database.crossfade_with(
                &[("CROSSFADE_FAILPOINT", "kill:contract: after the last look")],
                &["advance", "x", "--to", "contract", "--yes"],
            );
            assert_eq!(killed.code, None, "{}", killed.stderr);
            database.execute(&late("later_index")).await;
            waits(
                &database,
                "contract",
                &["later_index", "its default 'late'"].map(str::to_owned),
            );
            let there = "SELECT to_regclass('later_index') IS NOT NULL";
            assert_eq!(database.value(there).await, "true");
            database
                .execute(&format!(
                    "DROP INDEX later_index; ALTER TABLE p4 ALTER {aside} DROP DEFAULT"
                ))
                .await;
            database
                .crossfade(&["advance", "x", "--to", "contract", "--yes"])
                .exits(0);
            assert_eq!(database.status("x")["state"], "completed");
            database.remove().await;
        });
        template.remove().await;
    });
}

/// Nothing takes the place of a column that is dropped: what is its alone goes with it, and is told before.
#[test]
fn a_dropped_column_takes_no_more_of_a_partition_along_than_was_said() {
    on_postgresql(async |database| {
        let template = prepared(database).await;
        let plan = plan("drop_column: {table: measured, column: status}");
        let cases: [(&str, i32, &str); 5] = [
            (
                "CREATE INDEX own_index ON p2a (status)",
                0,
                "its index public.own_index would be dropped with",
            ),
            (
                "CREATE UNIQUE INDEX own_unique ON p1 (status, note)",
                1,
                "own_unique",
            ),
            (
                "ALTER TABLE p1 ADD CONSTRAINT own_check CHECK (status <> note)",
                1,
                "own_check",
            ),
            (
                "ALTER TABLE p1 ADD CONSTRAINT own_key UNIQUE (id, status); CREATE TABLE referring (id bigint, status text, \
                 CONSTRAINT own_inbound FOREIGN KEY (id, status) REFERENCES p1 (id, status))",
                1,
                "own_inbound",
            ),
            (
                "ALTER TABLE p2a ALTER status SET NOT NULL",
                1,
                "it requires status by itself",
            ),
        ];
        all_of(&cases, async |(sql, code, name)| {
            let database = template.copy().await;
            database.execute(sql).await;
            let checked = database.crossfade(&["check", path(&plan)]).exits(*code);
            let said = format!("{}{}", checked.stdout, checked.stderr);
            assert!(said.contains(name), "{sql}: {said}");
            if *code == 0 {
                database.crossfade(&["start", path(&plan)]).exits(0);
                database
                    .crossfade(&["advance", "x", "--to", "contract", "--yes"])
                    .exits(0);
            }
            database.remove().await;
        });
        template.remove().await;
    });
}

#[test]
fn a_type_is_changed_in_place_only_where_no_partition_reads_its_rows_for_that() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE named (id integer, name varchar(10)) PARTITION BY LIST (id);
                 CREATE TABLE named_1 PARTITION OF named FOR VALUES IN (1);",
            )
            .await;
        let plan = plan(
            "change_column_type: {table: named, column: name, type: varchar(20), irreversible: true}",
        );
        database.crossfade(&["check", path(&plan)]).exits(0);
        for (own, undo) in [
            (
                "ALTER TABLE named_1 ADD CONSTRAINT short CHECK (length(name) < 9)",
                "ALTER TABLE named_1 DROP CONSTRAINT short",
            ),
            (
                "CREATE INDEX lower_name ON named_1 (lower(name))",
                "DROP INDEX lower_name",
            ),
            (
                "CREATE VIEW seen AS SELECT name FROM named_1",
                "DROP VIEW seen",
            ),
        ] {
            database.execute(own).await;
            let refused = database.crossfade(&["check", path(&plan)]).exits(1);
            let said = format!("{}{}", refused.stdout, refused.stderr);
            assert!(said.contains("cannot become"), "{own}: {said}");
            database.execute(undo).await;
        }
    });
}

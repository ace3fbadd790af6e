//! Tables with features that few tables have, one at a time, and each recipe that touches such a table: it is refused by name, or
//! waits by name, or goes all the way beside both versions of the application and ends as a person would have it, with every value.

use crate::crash_everywhere::all_of;
use crate::support::{Database, Onlooker, on_postgresql, plan_file, rest};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, error::SqlState};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recipe {
    Rename,
    Alias,
    Type,
    Drop,
    NotNull,
    Split,
    Widen,
}

use Recipe::{Alias, Drop, NotNull, Rename, Split, Type, Widen};

const ALL: [Recipe; 7] = [Rename, Alias, Type, Drop, NotNull, Split, Widen];

#[derive(Clone, Copy, Debug)]
enum Ends {
    /// `check` says no, with this in it.
    Refused(&'static str),
    /// `check` warns of this, and a gate waits and names it.
    Waits(&'static str),
    Completed,
}

use Ends::{Completed, Refused, Waits};

/// A table `app.t` with `id`, a column that the recipes are about, and something odd.
struct Feature {
    name: &'static str,
    /// What the column is called, as SQL; its type; and its value of a row, of which `$n` is the number.
    column: &'static str,
    type_name: &'static str,
    value: &'static str,
    /// Before the table, its definition, and after its rows.
    before: &'static str,
    table: &'static str,
    after: &'static str,
    /// What copies of a database do not have: `$d` is its name.
    of_database: &'static str,
    /// It is computed from `other`: that is written.
    computed: bool,
    /// What is made besides where a person would do it, or not leave it out.
    besides: &'static [(Recipe, &'static str)],
    /// Where it does not end `Completed`.
    ends: &'static [(Recipe, Ends)],
    since: i32,
}

const PLAIN: Feature = Feature {
    name: "plain",
    column: "status",
    type_name: "text",
    value: "'w$n-x'",
    before: "",
    table: "CREATE TABLE app.t (id int PRIMARY KEY, $c $y, other text)",
    after: "",
    of_database: "",
    computed: false,
    besides: &[],
    ends: &[],
    since: 14,
};

impl Feature {
    fn sql(&self, text: &str) -> String {
        text.replace("$c", self.column)
            .replace("$y", self.type_name)
    }

    fn value_of(&self, number: i64) -> String {
        self.value.replace("$n", &number.to_string())
    }

    fn setup(&self) -> String {
        let rows: Vec<String> = (1..=ROWS)
            .map(|id| format!("({id}, {})", self.value_of(id)))
            .collect();
        let writes = format!(
            "INSERT INTO app.t (id, {}) OVERRIDING SYSTEM VALUE VALUES {};",
            self.written(),
            rows.join(", ")
        );
        format!(
            "CREATE SCHEMA app; {}; {}; {writes} CREATE TABLE app.ledger AS SELECT id, ({})::text AS was FROM app.t; {}",
            self.sql(self.before),
            self.sql(self.table),
            self.column,
            self.sql(self.after)
        )
    }

    fn ends(&self, recipe: Recipe) -> Ends {
        let mut ends = self.ends.iter();
        ends.find(|(of, _)| *of == recipe)
            .map_or(Completed, |(_, ends)| *ends)
    }

    /// The plan's change, and what a person would run instead.
    fn change(&self, recipe: Recipe) -> Option<(String, String)> {
        let (column, kind) = (self.column, self.type_name);
        let name = column.replace('\'', "''");
        let alter = "ALTER TABLE app.t";
        let renamed = format!("{alter} RENAME COLUMN {column} TO state");
        let text = kind == "text";
        let change = match recipe {
            Rename => (
                format!("rename_column: {{table: app.t, from: '{name}', to: state}}"),
                renamed,
            ),
            Alias => (
                format!(
                    "rename_column: {{table: app.t, from: '{name}', to: state, strategy: alias}}"
                ),
                renamed,
            ),
            Type if text => (
                format!(
                    "change_column_type: {{table: app.t, column: '{name}', type: varchar(100), to: state, forward: 'substring({name}, 1, 100)', backward: state}}"
                ),
                format!("{alter} ALTER COLUMN {column} TYPE varchar(100); {renamed}"),
            ),
            Type => (
                format!(
                    "change_column_type: {{table: app.t, column: '{name}', type: text, to: state, forward: '({name})::text', backward: 'state::{kind}'}}"
                ),
                format!(
                    "{alter} ALTER COLUMN {column} TYPE text USING ({column})::text; {renamed}"
                ),
            ),
            Drop => (
                format!("drop_column: {{table: app.t, column: '{name}'}}"),
                format!("{alter} DROP COLUMN {column}"),
            ),
            NotNull => (
                format!("set_not_null: {{table: app.t, column: '{name}'}}"),
                format!("{alter} ALTER COLUMN {column} SET NOT NULL"),
            ),
            Split if text => (
                format!(
                    "split_column: {{table: app.t, column: '{name}', into: {{a: {{type: text}}, b: {{type: text}}}}, \
                     forward: {{a: 'split_part({name}, ''-'', 1)', b: 'split_part({name}, ''-'', 2)'}}, backward: 'a || ''-'' || b'}}"
                ),
                format!("{alter} ADD COLUMN a text, ADD COLUMN b text, DROP COLUMN {column}"),
            ),
            Split => return None,
            Widen => (
                "widen_key: {table: app.t, column: id, type: bigint}".to_owned(),
                format!("{alter} ALTER COLUMN id TYPE bigint"),
            ),
        };
        let (change, by_hand) = change;
        let besides = self.besides.iter().find(|(of, _)| *of == recipe);
        let besides = besides.map_or("", |(_, besides)| besides);
        Some((change, format!("{by_hand}; {besides}")))
    }

    /// The column that a version of the application writes, and what is in the ledger then.
    fn written(&self) -> &'static str {
        match self.computed {
            true => "other",
            false => self.column,
        }
    }

    fn ledgered(&self, value: &str) -> String {
        match self.computed {
            true => format!("({value})::text || '!'"),
            false => format!("({value})::text"),
        }
    }

    /// What an assignment of the new version is, in an UPDATE and in an INSERT; none: it writes as the old one does.
    fn new_version(&self, recipe: Recipe, value: &str) -> Option<(String, String, String)> {
        match recipe {
            _ if self.computed => None,
            Rename | Alias => Some((
                format!("state = {value}"),
                "state".to_owned(),
                value.to_owned(),
            )),
            Type => Some((
                format!("state = ({value})::text"),
                "state".to_owned(),
                format!("({value})::text"),
            )),
            Split => {
                let part = |number: i32| format!("split_part({value}, '-', {number})");
                let (a, b) = (part(1), part(2));
                Some((
                    format!("a = {a}, b = {b}"),
                    "a, b".to_owned(),
                    format!("{a}, {b}"),
                ))
            }
            Drop | NotNull | Widen => None,
        }
    }

    /// The rows whose value is another one than was written last, or that are not there.
    fn lost(&self, recipe: Recipe) -> String {
        let now = match recipe {
            Rename | Alias | Type => "state::text".to_owned(),
            Split => "a || '-' || b".to_owned(),
            Drop => "was".to_owned(),
            NotNull | Widen => format!("({})::text", self.column),
        };
        format!(
            "SELECT coalesce(string_agg(concat(coalesce(t.id, l.id), ': ', l.was, ' became ', {now}), ', '), 'none') \
             FROM app.t AS t FULL JOIN app.ledger AS l ON l.id = t.id WHERE {now} IS DISTINCT FROM was OR t.id IS NULL OR l.id IS NULL"
        )
    }
}

const ROWS: i64 = 40;

const ROW_FUNCTION: &str = "CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO app.notes SELECT count(*) FROM changed; RETURN NULL; END'; \
    CREATE TABLE app.notes (n bigint)";

const GATE: &str = "no_dependents";

const FEATURES: &[Feature] = &[
    PLAIN,
    Feature {
        name: "quoted name",
        column: r#""Sta""tus x""#,
        ..PLAIN
    },
    Feature {
        name: "unicode name",
        column: r#""Zustand ß €""#,
        ..PLAIN
    },
    Feature {
        name: "63 bytes",
        column: "c23456789_123456789_123456789_123456789_123456789_123456789_123",
        after: "CREATE INDEX ON app.t ($c); ALTER TABLE app.t ADD CHECK ($c <> ''), ADD UNIQUE ($c, id)",
        ends: &[
            (Drop, Refused("would be dropped with c23456789")),
            (Split, Refused("is in the unique index t_c23456789")),
        ],
        ..PLAIN
    },
    Feature {
        name: "read by a generated column",
        table: "CREATE TABLE app.t (id int PRIMARY KEY, $c $y, other text, g text GENERATED ALWAYS AS ($c || '!') STORED)",
        ends: &[
            (Rename, Waits("column g of table app.t")),
            (Type, Waits("column g of table app.t")),
            (Split, Waits("column g of table app.t")),
            (Drop, Waits("column g of table app.t")),
        ],
        ..PLAIN
    },
    Feature {
        name: "identity ALWAYS",
        table: "CREATE TABLE app.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, $c $y, other text)",
        ..PLAIN
    },
    Feature {
        name: "domain with a CHECK",
        before: "CREATE DOMAIN app.word AS text CHECK (VALUE <> '')",
        type_name: "app.word",
        ends: &[(Rename, Refused("is a domain with constraints or a default"))],
        ..PLAIN
    },
    Feature {
        name: "composite type",
        before: "CREATE TYPE app.pair AS (a int, b text)",
        type_name: "app.pair",
        value: "ROW($n, 'x')::app.pair",
        ends: &[
            (
                Rename,
                Refused("app.t.status is of the composite type app.pair"),
            ),
            (
                Type,
                Refused("app.t.status is of the composite type app.pair"),
            ),
        ],
        ..PLAIN
    },
    Feature {
        name: "array of an enum",
        before: "CREATE TYPE app.kind AS ENUM ('a', 'b')",
        type_name: "app.kind[]",
        value: "array_fill('b'::app.kind, ARRAY[$n % 5 + 1])",
        after: "CREATE INDEX ON app.t USING gin ($c)",
        ends: &[(
            Type,
            Refused("which is text: data type text has no default operator class"),
        )],
        ..PLAIN
    },
    Feature {
        name: "range with an exclusion constraint",
        type_name: "int4range",
        value: "int4range($n * 10, $n * 10 + 5)",
        after: "ALTER TABLE app.t ADD CONSTRAINT apart EXCLUDE USING gist ($c WITH &&)",
        ends: &[
            (Rename, Refused("exclusion constraint apart")),
            (Type, Refused("exclusion constraint apart")),
        ],
        ..PLAIN
    },
    Feature {
        name: "inheritance child",
        before: "CREATE TABLE app.parent (id int NOT NULL, $c $y, other text)",
        table: "CREATE TABLE app.t (PRIMARY KEY (id)) INHERITS (app.parent)",
        ends: &[
            (Rename, Refused("app.t is not an ordinary table")),
            (Alias, Refused("app.t is not an ordinary table")),
            (Type, Refused("app.t is not an ordinary table")),
            (Drop, Refused("app.t is not an ordinary table")),
            (NotNull, Refused("app.t is not an ordinary table")),
            (Split, Refused("app.t is not an ordinary table")),
            (Widen, Refused("app.t is not an ordinary table")),
        ],
        ..PLAIN
    },
    Feature {
        name: "typed table",
        before: "CREATE TYPE app.shape AS (id int, $c $y, other text)",
        table: "CREATE TABLE app.t OF app.shape (PRIMARY KEY (id))",
        ends: &[
            (Rename, Refused("is a table of the type app.shape")),
            (Alias, Refused("is a table of the type app.shape")),
            (Type, Refused("is a table of the type app.shape")),
            (Drop, Refused("is a table of the type app.shape")),
            (Split, Refused("is a table of the type app.shape")),
            (Widen, Refused("is a table of the type app.shape")),
        ],
        ..PLAIN
    },
    Feature {
        name: "unlogged",
        table: "CREATE UNLOGGED TABLE app.t (id int PRIMARY KEY, $c $y, other text)",
        ..PLAIN
    },
    Feature {
        name: "row security forced",
        after: "ALTER TABLE app.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY seen ON app.t USING (other <> 'x')",
        ..PLAIN
    },
    Feature {
        name: "rule on UPDATE",
        after: "CREATE TABLE app.log (id int); CREATE RULE logs AS ON UPDATE TO app.t DO ALSO INSERT INTO app.log VALUES (new.id)",
        ends: &[
            (Alias, Refused("app.t has rules: logs")),
            (Widen, Waits("rule logs on table app.t")),
        ],
        ..PLAIN
    },
    Feature {
        name: "statement triggers with transition tables",
        before: ROW_FUNCTION,
        after: "CREATE TRIGGER noted AFTER UPDATE ON app.t REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION app.noted()",
        ..PLAIN
    },
    Feature {
        name: "deferrable constraint trigger",
        before: "CREATE FUNCTION app.looks() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.other = ''bad'' THEN RAISE ''bad''; END IF; RETURN NULL; END'",
        after: "CREATE CONSTRAINT TRIGGER looks AFTER INSERT OR UPDATE ON app.t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.looks()",
        ..PLAIN
    },
    Feature {
        name: "partition of a partition",
        table: "CREATE TABLE app.t (id int NOT NULL, $c $y, other text, PRIMARY KEY (id)) PARTITION BY RANGE (id); \
            CREATE TABLE app.low PARTITION OF app.t FOR VALUES FROM (0) TO (30) PARTITION BY RANGE (id); \
            CREATE TABLE app.lowest PARTITION OF app.low FOR VALUES FROM (0) TO (10); CREATE TABLE app.lower PARTITION OF app.low DEFAULT; \
            CREATE TABLE app.high PARTITION OF app.t FOR VALUES FROM (30) TO (1000000)",
        after: "CREATE INDEX ON app.t (other)",
        ends: &[
            (Alias, Refused("app.t is partitioned")),
            (Type, Refused("app.t is partitioned")),
            (Split, Refused("app.t is partitioned")),
            (Widen, Refused("app.t is partitioned")),
        ],
        ..PLAIN
    },
    Feature {
        name: "default partition",
        table: "CREATE TABLE app.t (id int NOT NULL, $c $y, other text, PRIMARY KEY (id)) PARTITION BY LIST (id); CREATE TABLE app.rest PARTITION OF app.t DEFAULT",
        ends: &[
            (Alias, Refused("app.t is partitioned")),
            (Type, Refused("app.t is partitioned")),
            (Split, Refused("app.t is partitioned")),
            (Widen, Refused("app.t is partitioned")),
        ],
        ..PLAIN
    },
    Feature {
        name: "foreign partition",
        before: "CREATE FOREIGN DATA WRAPPER none; CREATE SERVER far FOREIGN DATA WRAPPER none",
        table: "CREATE TABLE app.t (id int NOT NULL, $c $y, other text) PARTITION BY RANGE (id); \
            CREATE TABLE app.here PARTITION OF app.t FOR VALUES FROM (0) TO (1000000)",
        after: "CREATE FOREIGN TABLE app.far PARTITION OF app.t FOR VALUES FROM (1000000) TO (2000000) SERVER far",
        ends: &[
            (Rename, Refused("app.far is a foreign table")),
            (Type, Refused("app.far is a foreign table")),
            (Drop, Refused("app.far is a foreign table")),
            (NotNull, Refused("app.far is a foreign table")),
            (Split, Refused("app.far is a foreign table")),
            (Alias, Refused("app.t is partitioned")),
            (Widen, Refused("id is not in the primary key")),
        ],
        ..PLAIN
    },
    Feature {
        name: "column privileges",
        after: "GRANT SELECT ($c), UPDATE ($c) ON app.t TO PUBLIC; GRANT SELECT (id) ON app.t TO PUBLIC",
        besides: &[(
            Split,
            "GRANT SELECT (a, b), UPDATE (a, b) ON app.t TO PUBLIC",
        )],
        ..PLAIN
    },
    Feature {
        name: "view with CHECK OPTION",
        after: "CREATE VIEW app.seen AS SELECT id, $c FROM app.t WHERE $c <> 'hidden' WITH CASCADED CHECK OPTION",
        ends: &[
            (Rename, Waits("view app.seen")),
            (Type, Waits("view app.seen")),
            (Drop, Waits("view app.seen")),
            (Split, Waits("view app.seen")),
            (Widen, Waits("view app.seen")),
        ],
        ..PLAIN
    },
    Feature {
        name: "materialized view",
        after: "CREATE MATERIALIZED VIEW app.counted AS SELECT $c, count(*) FROM app.t GROUP BY $c",
        ends: &[
            (Rename, Waits("materialized view app.counted")),
            (Type, Waits("materialized view app.counted")),
            (Drop, Waits("materialized view app.counted")),
            (Split, Waits("materialized view app.counted")),
        ],
        ..PLAIN
    },
    Feature {
        name: "publication with a row filter",
        after: "ALTER TABLE app.t REPLICA IDENTITY FULL; CREATE PUBLICATION odd FOR TABLE app.t WHERE (other <> 'x')",
        since: 15,
        ends: &[(Alias, Refused("app.t is published: odd"))],
        ..PLAIN
    },
    Feature {
        name: "publication that filters by the column",
        after: "ALTER TABLE app.t REPLICA IDENTITY FULL; CREATE PUBLICATION odd FOR TABLE app.t WHERE ($c <> 'x')",
        since: 15,
        ends: &[
            (Alias, Refused("app.t is published: odd")),
            (Rename, Waits("app.t in publication odd")),
            (Type, Waits("app.t in publication odd")),
            (Drop, Waits("app.t in publication odd")),
            (Split, Waits("app.t in publication odd")),
        ],
        ..PLAIN
    },
    Feature {
        name: "replica identity full",
        after: "ALTER TABLE app.t REPLICA IDENTITY FULL",
        ..PLAIN
    },
    Feature {
        name: "extended statistics",
        after: "CREATE STATISTICS app.pair (dependencies) ON $c, other FROM app.t; CREATE STATISTICS app.others ON id, other FROM app.t",
        ends: &[
            (Rename, Waits("statistics object app.pair")),
            (Type, Waits("statistics object app.pair")),
            (Drop, Waits("statistics object app.pair")),
            (Split, Waits("statistics object app.pair")),
            (Widen, Waits("statistics object app.others")),
        ],
        ..PLAIN
    },
    Feature {
        name: "storage and compression",
        after: "ALTER TABLE app.t ALTER $c SET STORAGE EXTERNAL, ALTER $c SET COMPRESSION pglz, ALTER $c SET STATISTICS 500",
        besides: &[(
            Type,
            "ALTER TABLE app.t ALTER state SET STORAGE EXTERNAL, ALTER state SET COMPRESSION pglz",
        )],
        ..PLAIN
    },
    Feature {
        name: "storage parameters",
        after: "ALTER TABLE app.t SET (fillfactor = 50, autovacuum_enabled = off, toast.autovacuum_enabled = off); CREATE INDEX ON app.t ($c) WITH (fillfactor = 40)",
        ..PLAIN
    },
    Feature {
        name: "another default tablespace",
        after: "CREATE INDEX ON app.t ($c)",
        of_database: "ALTER DATABASE $d SET default_tablespace = odd_space",
        since: 15,
        ..PLAIN
    },
    Feature {
        name: "comments",
        after: "COMMENT ON TABLE app.t IS 'it''s'; COMMENT ON COLUMN app.t.$c IS E'two\\nlines'; COMMENT ON COLUMN app.t.id IS 'key'; \
            COMMENT ON CONSTRAINT t_pkey ON app.t IS 'the key'",
        ..PLAIN
    },
    Feature {
        name: "is generated",
        column: "g",
        computed: true,
        table: "CREATE TABLE app.t (id int PRIMARY KEY, g text GENERATED ALWAYS AS (other || '!') STORED, other text)",
        ends: &[
            (Rename, Refused("g is a generated column")),
            (Type, Refused("g is a generated column")),
            (Split, Refused("g is a generated column")),
        ],
        ..PLAIN
    },
    Feature {
        name: "trigger that is enabled ALWAYS",
        before: "CREATE TABLE app.notes (n bigint); CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO app.notes VALUES (1); RETURN NEW; END'",
        after: "CREATE TRIGGER noted BEFORE UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION app.noted(); ALTER TABLE app.t ENABLE ALWAYS TRIGGER noted",
        ..PLAIN
    },
];

struct Traffic {
    stop: AtomicBool,
    new_version: AtomicBool,
}

/// Statements of both versions, one after another, each with its line in the ledger. A name that is not there yet, or no more, is
/// the application's to know.
async fn write(
    client: Client,
    feature: &'static Feature,
    recipe: Recipe,
    traffic: Arc<Traffic>,
) -> Result<i64, String> {
    let mut written = 0;
    let mut round = 0;
    while !traffic.stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        round += 1;
        let (id, number) = (round % ROWS + 1, 1000 + round);
        let value = feature.value_of(number);
        let column = feature.written();
        let ledgered = feature.ledgered(&value);
        let of_new = match round % 2 == 0 && traffic.new_version.load(Ordering::SeqCst) {
            true => feature.new_version(recipe, &value),
            false => None,
        };
        let (set, names, values) = of_new.unwrap_or_else(|| {
            (
                format!("{column} = {value}"),
                column.to_owned(),
                value.clone(),
            )
        });
        let sql = match round % 3 {
            0 => format!(
                "INSERT INTO app.ledger VALUES ({number}, {ledgered}); INSERT INTO app.t (id, {names}) OVERRIDING SYSTEM VALUE VALUES ({number}, {values})"
            ),
            _ => format!(
                "UPDATE app.ledger SET was = {ledgered} WHERE id = {id}; UPDATE app.t SET {set} WHERE id = {id}"
            ),
        };
        match client.batch_execute(&sql).await {
            Ok(()) => written += 1,
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_COLUMN) => {}
            Err(error) => return Err(format!("{error:?}: {sql}")),
        }
        rest(began, Duration::from_millis(4)).await;
    }
    Ok(written)
}

/// The structure without what may differ: the order of columns, and names that PostgreSQL 18 gives to NOT NULL.
async fn structure(database: &Database) -> Vec<String> {
    let onlooker = Onlooker::of(database).await;
    let lines = onlooker.schema().await;
    let is_index = |name: &str| {
        let mut kinds = ["i", "I"].iter();
        kinds.any(|kind| {
            lines
                .iter()
                .any(|line| line.starts_with(&format!("relation {name} {kind} ")))
        })
    };
    let mut lines: Vec<String> = lines
        .iter()
        // What a column of an index is called nobody sees: it keeps the name that the table's had.
        .filter(|line| {
            line.strip_prefix("order ")
                .is_none_or(|rest| !is_index(rest.split(' ').next().unwrap_or_default()))
        })
        .filter(|line| !line.contains("_not_null ") || line.starts_with("function"))
        .map(|line| match line.strip_prefix("order ") {
            Some(order) => {
                let mut words: Vec<&str> = order.split(' ').collect();
                words.sort_unstable();
                format!("order {}", words.join(" "))
            }
            None => line.clone(),
        })
        .collect();
    lines.sort();
    lines
}

async fn completes(
    database: &Database,
    template: &Database,
    feature: &'static Feature,
    recipe: Recipe,
    (path, by_hand): (&str, &str),
) {
    let of = format!("{}, {recipe:?}", feature.name);
    database.crossfade(&["start", path]).exits(0);
    let keeps_in_step = matches!(recipe, Rename | Type | Split | Widen);
    let last = match recipe {
        NotNull => "enforce",
        Rename | Alias | Type | Drop | Split | Widen => "contract",
    };
    let traffic = Arc::new(Traffic {
        stop: AtomicBool::new(false),
        new_version: AtomicBool::new(!keeps_in_step),
    });
    let writer = tokio::spawn(write(
        database.client().await,
        feature,
        recipe,
        traffic.clone(),
    ));
    if keeps_in_step {
        database
            .crossfade(&["advance", "odd", "--to", "dual_write"])
            .exits(0);
        traffic.new_version.store(true, Ordering::SeqCst);
    }
    let ran = database.crossfade(&["advance", "odd", "--to", last, "--yes"]);
    traffic.stop.store(true, Ordering::SeqCst);
    let written = writer.await.expect("a writer");
    assert_eq!(ran.code, Some(0), "{of}: {}{}", ran.stdout, ran.stderr);
    let written = written.unwrap_or_else(|error| panic!("{of}: {error}"));
    assert!(written > 0, "{of}");
    assert_eq!(database.value(&feature.lost(recipe)).await, "none", "{of}");
    let expected = template.copy().await;
    expected.execute(by_hand).await;
    let (wanted, found) = (structure(&expected).await, structure(database).await);
    let missing = wanted.iter().filter(|line| !found.contains(line));
    let besides = found.iter().filter(|line| !wanted.contains(line));
    let differences: Vec<String> = missing
        .map(|line| format!("missing: {line}"))
        .chain(besides.map(|line| format!("besides: {line}")))
        .collect();
    assert!(differences.is_empty(), "{of}:\n{}", differences.join("\n"));
    expected.remove().await;
}

async fn ends(template: &Database, feature: &'static Feature, recipe: Recipe) {
    let Some((change, by_hand)) = feature.change(recipe) else {
        return;
    };
    let of = format!("{}, {recipe:?}", feature.name);
    let database = template.copy().await;
    if !feature.of_database.is_empty() {
        database
            .execute(&feature.of_database.replace("$d", &database.name))
            .await;
    }
    let file = plan_file(&format!("version: 1\nname: odd\nchange:\n  {change}\n"));
    let path = file.path().to_str().expect("a path of text");
    let check = || {
        let check = database.crossfade(&["check", path]);
        let said = format!("{}{}", check.stdout, check.stderr);
        (check.code, said)
    };
    match feature.ends(recipe) {
        Refused(why) => {
            let (code, said) = check();
            assert_eq!(code, Some(1), "{of}: {said}");
            assert!(said.contains(why), "{of}: {said}");
        }
        Waits(why) => {
            let (code, said) = check();
            assert_eq!(code, Some(0), "{of}: {said}");
            assert!(said.contains(why), "{of}: {said}");
            database.crossfade(&["start", path]).exits(0);
            let gate = database.crossfade(&["advance", "odd", "--to", "contract", "--yes"]);
            let said = format!("{}{}", gate.stdout, gate.stderr);
            assert_eq!(gate.code, Some(3), "{of}: {said}");
            assert!(said.contains(why) && said.contains(GATE), "{of}: {said}");
            assert!(!said.contains("not known (column"), "{of}: {said}");
        }
        // `start` says what `check` says.
        Completed => completes(&database, template, feature, recipe, (path, &by_hand)).await,
    }
    database.remove().await;
}

/// One half of them after the other, so that two run beside each other.
fn every(half: usize) {
    on_postgresql(async |database| {
        let version = database
            .value("SELECT current_setting('server_version_num')::int / 10000")
            .await;
        let version: i32 = version.parse().expect("a version");
        if version >= 15 && half == 1 {
            // A tablespace is made by itself, outside a transaction.
            let client = database.client().await;
            for statement in [
                "SET allow_in_place_tablespaces = on",
                "CREATE TABLESPACE odd_space LOCATION ''",
            ] {
                client.batch_execute(statement).await.expect(statement);
            }
        }
        let mut cases = Vec::new();
        for feature in FEATURES
            .iter()
            .skip(half)
            .step_by(2)
            .filter(|one| one.since <= version)
        {
            let template = database.copy().await;
            template.execute(&feature.setup()).await;
            let template = Arc::new(template);
            cases.extend(ALL.map(|recipe| (template.clone(), feature, recipe)));
        }
        all_of(&cases, async |(template, feature, recipe)| {
            ends(template, feature, *recipe).await;
        });
    });
}

#[test]
fn each_recipe_on_every_other_odd_table() {
    every(0);
}

#[test]
fn each_recipe_on_the_odd_tables_in_between() {
    every(1);
}

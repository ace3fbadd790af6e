//! Tables of every kind go all the way while both versions write, and end with the very values that were written; and
//! rows that row security hides stop a run instead of being left out.

use crate::support::{
    Background, Database, Ran, on_empty_postgresql, on_postgresql, plan_file, rest,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// One kind: a table with a column that is renamed and one whose type changes. `n` is the row in the application's eyes.
#[derive(Clone)]
struct Kind {
    name: &'static str,
    table: &'static str,
    /// What is renamed, and to what.
    renamed: (&'static str, &'static str),
    /// What becomes a number under another name.
    converted: (&'static str, &'static str),
    /// The other columns and constraints, and what follows the table.
    columns: &'static str,
    with: &'static str,
    after: &'static str,
    rows: i64,
}

impl Kind {
    const fn of(name: &'static str, table: &'static str, columns: &'static str) -> Self {
        Self {
            name,
            table,
            renamed: ("status", "state"),
            converted: ("quantity", "amount"),
            columns,
            with: "",
            after: "",
            rows: 1500,
        }
    }

    fn create(&self) -> String {
        let Self {
            table,
            columns,
            with,
            after,
            rows,
            ..
        } = self;
        let ((status, _), (quantity, _)) = (self.renamed, self.converted);
        let unlogged = if self.name == "unlogged" {
            "UNLOGGED"
        } else {
            ""
        };
        format!(
            "CREATE {unlogged} TABLE {table} (n integer NOT NULL, {status} varchar(40) NOT NULL DEFAULT 'new', {quantity} text NOT NULL DEFAULT '0', \
                 note text{columns}) {with}; \
             INSERT INTO {table} (n, {status}, {quantity}) SELECT i, 'status ' || i % 7, (i % 100)::text FROM generate_series(1, {rows}) AS i; \
             INSERT INTO ledger SELECT '{}', n, {status}, {quantity}::integer FROM {table}; {after}",
            self.name
        )
    }

    fn runs(&self) -> [String; 2] {
        [
            format!("{}-rename", self.name),
            format!("{}-convert", self.name),
        ]
    }

    fn plans(&self) -> [String; 2] {
        let ((status, state), (quantity, amount)) = (self.renamed, self.converted);
        let table = self.table;
        let [rename, convert] = self.runs();
        let settings = "settings: {pacing: {batch_target: 2ms, batch_rows_max: 100}}\n";
        [
            format!(
                "version: 1\nname: {rename}\nchange:\n  rename_column: {{table: '{table}', from: '{status}', to: '{state}'}}\n{settings}"
            ),
            format!(
                "version: 1\nname: {convert}\nchange:\n  change_column_type: {{table: '{table}', column: '{quantity}', to: '{amount}', type: integer, \
                 forward: '{quantity}::integer', backward: '{amount}::text'}}\n{settings}"
            ),
        ]
    }

    /// Statements of both versions of the application, and rows that move without a change of either.
    fn write(&self, round: i64, version: Version) -> String {
        let table = self.table;
        let ((status, state), (quantity, amount)) = (self.renamed, self.converted);
        let (word, number) = match version {
            Version::Old => (status, quantity),
            Version::New => (state, amount),
        };
        let (name, text) = (self.name, format!("written {round}"));
        let n = 1 + round.rem_euclid(self.rows.max(1));
        let inserted = 1_000_000 + round;
        match round % 5 {
            0 => format!(
                "UPDATE {table} SET {word} = '{text}' WHERE n = {n}; UPDATE ledger SET status = '{text}' WHERE kind = '{name}' AND n = {n}"
            ),
            1 => format!(
                "UPDATE {table} SET {number} = {round} WHERE n = {n}; UPDATE ledger SET quantity = {round} WHERE kind = '{name}' AND n = {n}"
            ),
            2 => format!(
                "UPDATE {table} SET note = repeat('moves ', 1 + {n} % 40) WHERE n % 50 = {n} % 50"
            ),
            3 => format!(
                "INSERT INTO {table} (n, {word}, {number}) VALUES ({inserted}, '{text}', {round}); INSERT INTO ledger VALUES ('{name}', {inserted}, '{text}', {round})"
            ),
            _ => format!(
                "DELETE FROM {table} WHERE n = {n} + 700; DELETE FROM ledger WHERE kind = '{name}' AND n = {n} + 700"
            ),
        }
    }
}

#[derive(Clone, Copy)]
enum Version {
    Old,
    New,
}

fn kinds() -> Vec<Kind> {
    let of = Kind::of;
    vec![
        of("keyless", "public.keyless", ""),
        of(
            "composite",
            "public.composite",
            ", part smallint NOT NULL DEFAULT 3, PRIMARY KEY (part, n)",
        ),
        of(
            "text-key",
            "public.text_key",
            ", code text PRIMARY KEY DEFAULT 'k''' || gen_random_uuid()",
        ),
        of(
            "uuid-key",
            "public.uuid_key",
            ", id uuid PRIMARY KEY DEFAULT gen_random_uuid()",
        ),
        Kind {
            renamed: (r#""Status Of""#, r#""Vehicle ""State""""#),
            converted: (r#""Order""#, r#""How Many""#),
            ..of(
                "quoted",
                r#""My Schema"."Mixed Case""#,
                r#", "Id No" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"#,
            )
        },
        Kind {
            after: "ALTER TABLE wide ALTER payload SET STORAGE EXTERNAL; UPDATE wide SET payload = repeat(md5(n::text), 300)",
            rows: 300,
            ..of(
                "wide",
                "public.wide",
                ", payload text, id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            )
        },
        Kind {
            after: "CREATE INDEX ON indexed USING brin (n); CREATE INDEX ON indexed USING gin (tags); CREATE INDEX ON indexed (lower(status)); \
                    CREATE INDEX ON indexed (status DESC, n) INCLUDE (note); CREATE INDEX ON indexed USING hash (quantity); \
                    CREATE INDEX ON indexed (n) WHERE status <> 'new'; CREATE INDEX ON indexed USING brin (status); CREATE UNIQUE INDEX ON indexed (n, status)",
            ..of(
                "indexed",
                "public.indexed",
                ", tags integer[] NOT NULL DEFAULT '{1,2}', id bigserial PRIMARY KEY",
            )
        },
        Kind {
            after: "ALTER TABLE secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY few ON secured USING (n < 10)",
            ..of("secured", "public.secured", ", id bigserial PRIMARY KEY")
        },
        Kind {
            with: "WITH (fillfactor = 10)",
            ..of("sparse", "public.sparse", ", id bigserial PRIMARY KEY")
        },
        Kind {
            rows: 0,
            ..of("empty", "public.empty", ", id bigserial PRIMARY KEY")
        },
        Kind {
            rows: 1,
            ..of("single", "public.single", ", id bigserial PRIMARY KEY")
        },
        of("unlogged", "public.unlogged", ", id bigserial PRIMARY KEY"),
        of(
            "computed",
            "public.computed",
            ", doubled integer GENERATED ALWAYS AS (n * 2) STORED, id bigserial PRIMARY KEY",
        ),
    ]
}

/// Writes to these tables until told to stop; how many statements there were. None may fail.
async fn write_on(client: Client, kinds: Vec<Kind>, stop: Arc<AtomicBool>, rounds: Arc<AtomicI64>) {
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        let round = rounds.fetch_add(1, Ordering::SeqCst);
        for (number, kind) in (0_i64..).zip(&kinds) {
            let version = if (round / 5 + number) % 2 == 0 {
                Version::Old
            } else {
                Version::New
            };
            // Statement and ledger in one transaction.
            let statement = kind.write(round + number, version);
            if let Err(error) = client.batch_execute(&statement).await {
                panic!("{error:?}: {statement}");
            }
        }
        rest(began, Duration::from_millis(5)).await;
    }
}

fn advance(database: &Database, kinds: &[Kind], phase: &str) {
    // Two runs beside each other on each table; not so many that the server has no connections left.
    for some in kinds.chunks(3) {
        let drivers: Vec<Background> = some
            .iter()
            .flat_map(Kind::runs)
            .map(|run| database.spawn(&[], &["advance", &run, "--to", phase, "--yes"]))
            .collect();
        for driver in drivers {
            driver.wait().exits(0);
        }
    }
}

/// How many rows are not as they were written, are missing, or too many.
async fn wrong(database: &Database, kind: &Kind) -> String {
    let (name, table, state, amount) = (kind.name, kind.table, kind.renamed.1, kind.converted.1);
    let differs = format!(
        "SELECT count(*) FROM (SELECT n, {state}::text AS status, {amount} AS quantity FROM {table}) AS t \
         FULL JOIN (SELECT * FROM ledger WHERE kind = '{name}') AS l ON l.n = t.n \
         WHERE (t.status, t.quantity) IS DISTINCT FROM (l.status, l.quantity) OR t.n IS NULL OR l.n IS NULL"
    );
    database.value(&differs).await
}

#[test]
fn every_kind_of_table_goes_all_the_way_while_both_versions_write() {
    on_postgresql(async |database| {
        let kinds = kinds();
        database
            .execute("CREATE SCHEMA \"My Schema\"; CREATE TABLE ledger (kind text, n integer, status text, quantity integer, PRIMARY KEY (kind, n))")
            .await;
        for kind in &kinds {
            database.execute(&kind.create()).await;
            for plan in kind.plans() {
                let file = plan_file(&plan);
                database
                    .crossfade(&["start", file.path().to_str().unwrap()])
                    .exits(0);
            }
        }
        advance(database, &kinds, "dual_write");
        let (stop, rounds) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicI64::new(0)),
        );
        let writer = tokio::spawn(write_on(
            database.client().await,
            kinds
                .iter()
                .filter(|kind| kind.rows != 0)
                .cloned()
                .collect(),
            Arc::clone(&stop),
            Arc::clone(&rounds),
        ));
        tokio::task::block_in_place(|| advance(database, &kinds, "switch_reads"));
        stop.store(true, Ordering::SeqCst);
        writer.await.expect("no write failed");
        assert!(rounds.load(Ordering::SeqCst) > 50, "{rounds:?}");
        for kind in &kinds {
            assert_eq!(wrong(database, kind).await, "0", "{}", kind.name);
        }
        advance(database, &kinds, "contract");
        for kind in &kinds {
            assert_eq!(wrong(database, kind).await, "0", "{}", kind.name);
            let (old, other) = (kind.renamed.0, kind.converted.0);
            let left = format!(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = '{}'::regclass AND quote_ident(attname) IN ('{old}', '{other}')",
                kind.table
            );
            assert_eq!(database.value(&left).await, "0", "{}", kind.name);
        }
        // The comparison itself sees a row that is changed, and one that is there twice.
        database
            .execute("UPDATE keyless SET state = 'by nobody' WHERE n = 1; INSERT INTO keyless (n) VALUES (2)")
            .await;
        assert_eq!(wrong(database, &kinds[0]).await, "2");
        let payload =
            "SELECT count(*) FROM wide WHERE n <= 300 AND payload <> repeat(md5(n::text), 300)";
        assert_eq!(database.value(payload).await, "0");
        assert_eq!(
            database
                .value("SELECT count(*) FROM computed WHERE doubled <> n * 2")
                .await,
            "0"
        );
        assert_eq!(
            database
                .value("SELECT relpersistence FROM pg_class WHERE relname = 'unlogged'")
                .await,
            "u"
        );
    });
}

#[test]
fn rows_that_row_security_comes_to_hide_stop_a_run_and_are_not_left_out() {
    on_empty_postgresql(async |database| {
        let role = format!("owner_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role}; GRANT CREATE ON SCHEMA public TO {role}; \
                 CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL); \
                 INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 2000) AS i; \
                 ALTER TABLE vehicles ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON vehicles USING (id < 10); ALTER TABLE vehicles OWNER TO {role}",
                database.name
            ))
            .await;
        let url = database.url.replace("postgres@", &format!("{role}@"));
        let run = |arguments: &[&str]| -> Ran {
            database.crossfade_with(&[("CROSSFADE_DATABASE_URL", &url)], arguments)
        };
        let force = async |word: &str| {
            database
                .execute(&format!("ALTER TABLE vehicles {word} ROW LEVEL SECURITY"))
                .await;
        };
        let file = plan_file(
            "version: 1\nname: rename\nchange:\n  rename_column: {table: public.vehicles, from: status, to: state}\n",
        );
        run(&["init"]).exits(0);
        // An owner sees all rows, unless the security is forced.
        force("FORCE").await;
        let refused = run(&["start", file.path().to_str().unwrap()]).exits(1);
        let remedy = format!("ALTER ROLE {role} BYPASSRLS;");
        assert!(refused.stderr.contains(&remedy), "{}", refused.stderr);
        force("NO FORCE").await;
        run(&["start", file.path().to_str().unwrap()]).exits(0);
        run(&["advance", "rename", "--to", "dual_write"]).exits(0);
        // Each walk begins without rights that it had when the run was started.
        for phase in ["backfill", "verify", "contract"] {
            force("FORCE").await;
            let stopped = run(&["advance", "rename", "--to", phase, "--yes"]).exits(1);
            for said in [
                "row security hides rows of public.vehicles from",
                remedy.trim_end_matches(';'),
                "`advance` continues",
            ] {
                assert!(
                    stopped.stderr.contains(said),
                    "{phase}: {said} in {}",
                    stopped.stderr
                );
            }
            force("NO FORCE").await;
            run(&["advance", "rename", "--to", phase, "--yes"]).exits(0);
            if phase == "backfill" {
                let found = database.status("rename")["backfill"]["rows_changed"].clone();
                assert_eq!(found, 2000);
            }
        }
        assert_eq!(
            database
                .value("SELECT count(*) FROM vehicles WHERE state = 'active'")
                .await,
            "2000"
        );
        database
            .execute(&format!(
                "DROP SCHEMA crossfade CASCADE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}"
            ))
            .await;
    });
}

/// A wrapper without a handler is enough for a foreign table to be there, and heap's handler under another name for an
/// access method that is not known to be heap.
const NOT_WALKED: &str = "
    CREATE TABLE plain (id bigint PRIMARY KEY, status text NOT NULL);
    INSERT INTO plain SELECT i, 'status ' || i FROM generate_series(1, 1000) AS i;
    CREATE FOREIGN DATA WRAPPER nowhere;
    CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
    CREATE FOREIGN TABLE far (id bigint NOT NULL, status text NOT NULL) SERVER nowhere;
    CREATE VIEW seen AS SELECT * FROM plain;
    CREATE MATERIALIZED VIEW kept AS SELECT * FROM plain;
    CREATE FUNCTION other_handler(internal) RETURNS table_am_handler LANGUAGE internal AS 'heap_tableam_handler';
    CREATE ACCESS METHOD other TYPE TABLE HANDLER other_handler;
    CREATE TABLE elsewhere (id bigint PRIMARY KEY, status text NOT NULL) USING other;
    CREATE TABLE parts (id bigint NOT NULL, status text NOT NULL) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
    CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (100) TO (200) USING other;
    INSERT INTO parts SELECT i, 'status ' || i FROM generate_series(1, 99) AS i;
";

fn rename_of(table: &str) -> String {
    format!(
        "version: 1\nname: rename-{table}\nchange:\n  rename_column: {{table: public.{table}, from: status, to: state}}\n"
    )
}

#[test]
fn what_cannot_be_walked_by_address_is_refused_by_name() {
    on_postgresql(async |database| {
        database.execute(NOT_WALKED).await;
        let file = plan_file(&rename_of("plain"));
        let explicit = database
            .crossfade(&["expand", file.path().to_str().unwrap()])
            .exits(0)
            .stdout;
        assert!(explicit.contains("fill"), "{explicit}");
        for (table, why) in [
            ("far", "public.far is a foreign table"),
            ("seen", "public.seen is a view"),
            ("kept", "public.kept is a view"),
            (
                "elsewhere",
                "the rows of public.elsewhere are kept by the access method other",
            ),
            (
                "parts",
                "the rows of public.part_2 are kept by the access method other",
            ),
        ] {
            let by_hand = explicit
                .replace("public.plain", &format!("public.{table}"))
                .replace("rename-plain", &format!("by-hand-{table}"));
            for plan in [rename_of(table), by_hand] {
                let file = plan_file(&plan);
                for command in ["check", "start"] {
                    let refused = database
                        .crossfade(&[command, file.path().to_str().unwrap()])
                        .exits(1);
                    let said = format!("{}{}", refused.stdout, refused.stderr);
                    assert!(said.contains(why), "{command} {plan}: {said}");
                }
            }
        }
        assert_eq!(
            database.value("SELECT count(*) FROM crossfade.runs").await,
            "0"
        );
    });
}

#[test]
fn heap_under_another_name_is_walked_like_heap() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler; \
                 CREATE TABLE second (id bigint PRIMARY KEY, status text NOT NULL) USING heap2; \
                 INSERT INTO second SELECT i, 'status ' || i FROM generate_series(1, 1000) AS i",
            )
            .await;
        let file = plan_file(&rename_of("second"));
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "rename-second", "--to", "contract", "--yes"])
            .exits(0);
        let right = "SELECT count(*) FROM second WHERE state = 'status ' || id";
        assert_eq!(database.value(right).await, "1000");
    });
}

#[test]
fn a_partition_that_cannot_be_walked_and_comes_in_the_course_of_a_run_stops_it_by_name() {
    on_postgresql(async |database| {
        database.execute(NOT_WALKED).await;
        database
            .execute("ALTER TABLE parts DETACH PARTITION part_2")
            .await;
        let file = plan_file(&rename_of("parts"));
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        let advance = |phase: &str| database.crossfade(&["advance", "rename-parts", "--to", phase]);
        advance("dual_write").exits(0);
        for (phase, create, why) in [
            (
                "backfill",
                "CREATE TABLE late PARTITION OF parts FOR VALUES FROM (200) TO (300) USING other",
                "public.late is kept by the access method other",
            ),
            (
                "verify",
                "CREATE FOREIGN TABLE late PARTITION OF parts FOR VALUES FROM (200) TO (300) SERVER nowhere",
                "public.late is a foreign table",
            ),
        ] {
            database.execute(create).await;
            let stopped = advance(phase).exits(1);
            assert!(stopped.stderr.contains(why), "{}", stopped.stderr);
            database
                .execute("ALTER TABLE parts DETACH PARTITION late")
                .await;
            advance(phase).exits(0);
            let kind = if phase == "verify" {
                "FOREIGN TABLE"
            } else {
                "TABLE"
            };
            database.execute(&format!("DROP {kind} late")).await;
        }
        let left = "SELECT count(*) FROM parts WHERE state IS DISTINCT FROM status";
        assert_eq!(database.value(left).await, "0");
    });
}

#[test]
fn what_an_applications_trigger_writes_as_a_backfill_fires_it_is_kept_in_step() {
    on_empty_postgresql(async |database| {
        // A role that cannot keep the application's triggers out.
        let role = format!("owner_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role}; GRANT CREATE ON SCHEMA public TO {role}; \
                 CREATE TABLE customers (id bigint PRIMARY KEY, status text); INSERT INTO customers SELECT i, 's' FROM generate_series(1, 50) AS i; \
                 CREATE TABLE orders (id bigint PRIMARY KEY, amount text); INSERT INTO orders SELECT i, i FROM generate_series(1, 50) AS i; \
                 CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN UPDATE public.customers SET status = 'seen ' || new.id WHERE id = new.id; RETURN NULL; END $$; \
                 CREATE TRIGGER seen AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION seen(); \
                 ALTER TABLE customers OWNER TO {role}; ALTER TABLE orders OWNER TO {role}; ALTER FUNCTION seen() OWNER TO {role}",
                database.name
            ))
            .await;
        let url = database.url.replace("postgres@", &format!("{role}@"));
        let run = |arguments: &[&str]| -> Ran {
            database.crossfade_with(&[("CROSSFADE_DATABASE_URL", &url)], arguments)
        };
        run(&["init"]).exits(0);
        for (name, change, phase) in [
            (
                "rename",
                "rename_column: {table: public.customers, from: status, to: state}",
                "verify",
            ),
            (
                "convert",
                "change_column_type: {table: public.orders, column: amount, to: total, type: integer, forward: 'amount::integer', backward: 'total::text'}",
                "backfill",
            ),
        ] {
            let file = plan_file(&format!("version: 1\nname: {name}\nchange:\n  {change}\n"));
            run(&["start", file.path().to_str().unwrap()]).exits(0);
            run(&["advance", name, "--to", phase]).exits(0);
        }
        let both = "SELECT count(*) FROM customers WHERE status = 'seen ' || id AND state = status";
        assert_eq!(database.value(both).await, "50");
    });
}

//! What somebody puts by hand in the place of what a run made, or on it, is neither taken away nor overwritten without a word. It is
//! named before anything is recorded, by the preview and the rollback alike, and what they advise works.

use crate::crash_everywhere::all_of;
use crate::support::{Database, on_postgresql, plan_file};

const TABLES: &str = "CREATE TABLE t (id integer PRIMARY KEY, a text, n integer DEFAULT 1 NOT NULL); \
    INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 20) AS i; \
    CREATE TABLE p (id integer, a text, PRIMARY KEY (id)) PARTITION BY RANGE (id); \
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200); \
    INSERT INTO p SELECT i, 'v' || i FROM generate_series(0, 199) AS i; \
    CREATE INDEX was ON t (n, a); ALTER TABLE t ADD CONSTRAINT was_checked CHECK (n < 1000); CREATE UNIQUE INDEX of_n ON t (n)";

struct Case {
    change: &'static str,
    /// Up to here it is run, or to its end.
    phase: &'static str,
    by_hand: &'static str,
    /// In the refusal.
    told: &'static str,
    /// What it advises.
    mended: &'static str,
}

const REPLACED: &[Case] = &[
    Case {
        change: "add_index: {table: public.t, name: t_a, columns: [a]}",
        phase: "",
        by_hand: "DROP INDEX t_a; CREATE INDEX t_a ON t (n, a)",
        told: "the index public.t_a is now `btree (n, a)`, and this run has left `btree (a)`",
        mended: "ALTER INDEX t_a RENAME TO by_hand",
    },
    // DROP INDEX names no table.
    Case {
        change: "add_index: {table: public.t, name: t_a, columns: [a]}",
        phase: "",
        by_hand: "DROP INDEX t_a; CREATE INDEX t_a ON p1 (a)",
        told: "the index public.t_a is now `ON public.p1 USING btree (a)`",
        mended: "ALTER INDEX t_a RENAME TO by_hand",
    },
    Case {
        change: "add_index: {table: public.p, name: p_a, columns: [a]}",
        phase: "",
        by_hand: "DROP INDEX p_a; CREATE INDEX p_a ON p (a, id)",
        told: "the index public.p_a is now `btree (a, id)`",
        mended: "ALTER INDEX p_a RENAME TO by_hand",
    },
    Case {
        change: "drop_index: {table: public.t, name: was}",
        phase: "",
        by_hand: "CREATE INDEX was ON t (a)",
        told: "the index public.was is now `btree (a)`, and this run has left none",
        mended: "ALTER INDEX was RENAME TO by_hand",
    },
    Case {
        change: "add_check: {table: public.t, name: t_c, check: n > 0}",
        phase: "",
        by_hand: "ALTER TABLE t DROP CONSTRAINT t_c; ALTER TABLE t ADD CONSTRAINT t_c CHECK (n < 500)",
        told: "the constraint t_c of public.t is now `CHECK ((n < 500))`, and this run has left `CHECK ((n > 0))`",
        mended: "ALTER TABLE t RENAME CONSTRAINT t_c TO by_hand",
    },
    Case {
        change: "add_unique: {table: public.t, name: t_u, columns: [n]}",
        phase: "",
        by_hand: "ALTER TABLE t DROP CONSTRAINT t_u; ALTER TABLE t ADD CONSTRAINT t_u UNIQUE (n, a)",
        told: "the constraint t_u of public.t is now `UNIQUE (n, a)`",
        mended: "ALTER TABLE t RENAME CONSTRAINT t_u TO by_hand",
    },
    Case {
        change: "add_foreign_key: {table: public.t, columns: [id], name: t_p, references: public.t, to: [n]}",
        phase: "",
        by_hand: "ALTER TABLE t DROP CONSTRAINT t_p; ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (n) REFERENCES t (id)",
        told: "the constraint t_p of public.t is now `FOREIGN KEY (n) REFERENCES public.t(id)`",
        mended: "ALTER TABLE t RENAME CONSTRAINT t_p TO by_hand",
    },
    Case {
        change: "set_default: {table: public.t, column: n, default: \"5\"}",
        phase: "",
        by_hand: "ALTER TABLE t ALTER n SET DEFAULT 77",
        told: "`ALTER TABLE public.t ALTER COLUMN n SET DEFAULT 5`",
        mended: "ALTER TABLE public.t ALTER COLUMN n SET DEFAULT 5",
    },
    Case {
        change: "drop_default: {table: public.t, column: n}",
        phase: "",
        by_hand: "ALTER TABLE t ALTER n SET DEFAULT 77",
        told: "the default of public.t.n is now `77`, and this run has left none",
        mended: "ALTER TABLE public.t ALTER COLUMN n DROP DEFAULT",
    },
    Case {
        change: "set_comment: {table: public.t, column: n, comment: \"it's ours\"}",
        phase: "",
        by_hand: "COMMENT ON COLUMN t.n IS 'by hand'",
        told: "`COMMENT ON COLUMN public.t.n IS 'it''s ours'`",
        mended: "COMMENT ON COLUMN public.t.n IS 'it''s ours'",
    },
    Case {
        change: "set_replica_identity: {table: public.t, identity: full}",
        phase: "",
        by_hand: "ALTER TABLE t REPLICA IDENTITY USING INDEX of_n",
        told: "`ALTER TABLE public.t REPLICA IDENTITY FULL`",
        mended: "ALTER TABLE public.t REPLICA IDENTITY FULL",
    },
    Case {
        change: "rename_constraint: {table: public.t, from: was_checked, to: is_checked}",
        phase: "",
        by_hand: "ALTER TABLE t DROP CONSTRAINT is_checked; ALTER TABLE t ADD CONSTRAINT is_checked CHECK (n < 7000)",
        told: "the constraint is_checked of public.t is now `CHECK ((n < 7000))`",
        mended: "ALTER TABLE t DROP CONSTRAINT is_checked; ALTER TABLE t ADD CONSTRAINT is_checked CHECK (n < 1000)",
    },
    Case {
        change: "rename_column: {table: public.t, from: a, to: label, strategy: alias}",
        phase: "expand",
        by_hand: "GRANT SELECT (id), INSERT ON t TO PUBLIC",
        told: "the privileges of the view public.t are now `INSERT to PUBLIC, SELECT (id) to PUBLIC`, and this run has left none. Set on public.t__base",
        mended: "GRANT SELECT (id), INSERT ON t__base TO PUBLIC; REVOKE ALL ON t FROM PUBLIC",
    },
    Case {
        change: "rename_column: {table: public.t, from: a, to: label, strategy: alias}",
        phase: "expand",
        by_hand: "COMMENT ON VIEW t IS 'by hand'; ALTER VIEW t ALTER n SET DEFAULT 99",
        told: "the defaults of the view public.t are now `n = 99`, and this run has left `n = 1`",
        mended: "COMMENT ON VIEW t IS NULL; ALTER VIEW t ALTER n SET DEFAULT 1",
    },
];

/// What depends on what a rollback drops: each is told by this name, and nothing keeps the rollback once it is gone.
const DEPENDENTS: &[Case] = &[
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "ALTER TABLE t ADD CONSTRAINT mine CHECK (b <> 0)",
        told: "constraint mine on table public.t (on public.t.b)",
        mended: "ALTER TABLE t DROP CONSTRAINT mine",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "ALTER TABLE t ADD CONSTRAINT mine UNIQUE (b)",
        told: "constraint mine on table public.t (on public.t.b)",
        mended: "ALTER TABLE t DROP CONSTRAINT mine",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "ALTER TABLE t ADD CONSTRAINT mine FOREIGN KEY (b) REFERENCES t",
        told: "constraint mine on table public.t (on public.t.b)",
        mended: "ALTER TABLE t DROP CONSTRAINT mine",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "CREATE INDEX mine ON t (n) WHERE b > 0",
        told: "index public.mine (on public.t.b)",
        mended: "DROP INDEX mine",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "CREATE STATISTICS mine ON n, b FROM t",
        told: "statistics object public.mine (on public.t.b)",
        mended: "DROP STATISTICS mine",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "CREATE MATERIALIZED VIEW mine AS SELECT b FROM t",
        told: "materialized view public.mine (on public.t.b)",
        mended: "DROP MATERIALIZED VIEW mine",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "CREATE FUNCTION mine() RETURNS integer BEGIN ATOMIC SELECT max(b) FROM t; END",
        told: "function public.mine() (on public.t.b)",
        mended: "DROP FUNCTION mine",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "CREATE POLICY mine ON t USING (b > 0)",
        told: "policy mine on table public.t (on public.t.b)",
        mended: "DROP POLICY mine ON t",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "ALTER TABLE t ADD mine integer GENERATED ALWAYS AS (b + 1) STORED",
        told: "column mine of table public.t",
        mended: "ALTER TABLE t DROP mine",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "CREATE SEQUENCE mine OWNED BY t.b",
        told: "sequence public.mine (on public.t.b)",
        mended: "ALTER SEQUENCE mine OWNED BY NONE",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
            CREATE TRIGGER mine BEFORE UPDATE OF b ON t FOR EACH ROW EXECUTE FUNCTION f()",
        told: "trigger mine on table public.t (on public.t.b)",
        mended: "DROP TRIGGER mine ON t",
    },
    Case {
        change: COLUMN,
        phase: "",
        by_hand: "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
            CREATE TRIGGER mine BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.b > 0) EXECUTE FUNCTION f()",
        told: "trigger mine on table public.t (on public.t.b)",
        mended: "DROP TRIGGER mine ON t",
    },
    // On one partition only.
    Case {
        change: "add_column: {table: public.p, column: b, type: integer}",
        phase: "",
        by_hand: "CREATE INDEX mine ON p2 (b)",
        told: "index public.mine (on public.p.b)",
        mended: "DROP INDEX mine",
    },
    Case {
        change: "add_column: {table: public.p, column: b, type: integer}",
        phase: "",
        by_hand: "CREATE VIEW mine AS SELECT b FROM p1",
        told: "view public.mine (on public.p.b)",
        mended: "DROP VIEW mine",
    },
    Case {
        change: "add_column: {table: public.p, column: b, type: integer}",
        phase: "",
        by_hand: "CREATE INDEX mine ON p (b)",
        told: "index public.mine (on public.p.b). Drop",
        mended: "DROP INDEX mine",
    },
    // Names that have to be quoted.
    Case {
        change: "add_column: {table: public.t, column: '\"B b\"', type: integer}",
        phase: "",
        by_hand: "CREATE INDEX \"Mine\" ON t (\"B b\")",
        told: "index public.\"Mine\" (on public.t.\"B b\"). Drop",
        mended: "DROP INDEX \"Mine\"",
    },
    // Columns of the two sides, with the triggers of the run on them.
    Case {
        change: "change_column_type: {table: public.t, column: n, type: bigint, to: b}",
        phase: "enforce",
        by_hand: "CREATE TABLE mine (b bigint); ALTER TABLE t ADD CONSTRAINT key_of_mine UNIQUE (b); ALTER TABLE mine ADD FOREIGN KEY (b) REFERENCES t (b)",
        told: "constraint mine_b_fkey on table public.mine",
        mended: "DROP TABLE mine; ALTER TABLE t DROP CONSTRAINT key_of_mine",
    },
    Case {
        change: "add_unique: {table: public.t, name: t_u, columns: [a]}",
        phase: "",
        by_hand: "CREATE TABLE mine (a text REFERENCES t (a))",
        told: "constraint mine_a_fkey on table public.mine",
        mended: "DROP TABLE mine",
    },
    Case {
        change: "add_index: {table: public.t, name: t_u, columns: [a], unique: true}",
        phase: "",
        by_hand: "ALTER TABLE t ADD CONSTRAINT mine UNIQUE USING INDEX t_u; ALTER INDEX mine RENAME TO t_u",
        told: "constraint t_u on table public.t (on the index public.t_u)",
        mended: "ALTER TABLE t RENAME CONSTRAINT t_u TO mine",
    },
    Case {
        change: MADE,
        phase: "",
        by_hand: "CREATE TABLE mine (id bigint REFERENCES made)",
        told: "constraint mine_id_fkey on table public.mine (on public.made)",
        mended: "DROP TABLE mine",
    },
    Case {
        change: MADE,
        phase: "",
        by_hand: "CREATE VIEW mine AS SELECT x FROM made",
        told: "view public.mine (on public.made)",
        mended: "DROP VIEW mine",
    },
    Case {
        change: MADE,
        phase: "",
        by_hand: "CREATE INDEX mine ON made (x)",
        told: "index public.mine (on public.made)",
        mended: "DROP INDEX mine",
    },
    Case {
        change: MADE,
        phase: "",
        by_hand: "CREATE FUNCTION f(made) RETURNS text LANGUAGE sql AS 'SELECT $1.x'",
        told: "function public.f(public.made)",
        mended: "DROP FUNCTION f",
    },
    Case {
        change: "create_enum: {name: public.mood, values: [bad, good]}",
        phase: "",
        by_hand: "ALTER TABLE t ADD mine mood",
        told: "column mine of table public.t (on the type public.mood)",
        mended: "ALTER TABLE t DROP mine",
    },
    Case {
        change: "rename_column: {table: public.t, from: a, to: label, strategy: alias}",
        phase: "expand",
        by_hand: "CREATE RULE mine AS ON DELETE TO t DO ALSO NOTIFY gone",
        told: "rule mine on view public.t (on the view public.t)",
        mended: "DROP RULE mine ON t",
    },
];

const COLUMN: &str = "add_column: {table: public.t, column: b, type: integer}";
const MADE: &str = "create_table: {table: public.made, columns: \"id bigserial PRIMARY KEY, x text UNIQUE CHECK (x <> '')\", options: \"WITH (fillfactor = 90)\"}";

/// All that Crossfade has recorded, but for who holds the lease.
const RECORDS: &str = "SELECT md5(concat_ws('|', \
    (SELECT string_agg(r::text, '|' ORDER BY r.id) FROM crossfade.runs AS r), (SELECT string_agg(p::text, '|' ORDER BY p::text) FROM crossfade.phases AS p), \
    (SELECT string_agg(s::text, '|' ORDER BY s::text) FROM crossfade.steps AS s), (SELECT string_agg(e::text, '|' ORDER BY e::text) FROM crossfade.events AS e)))";

/// Runs it, and gives the text of its plan's file.
fn run(database: &Database, change: &str, phase: &str) -> tempfile::NamedTempFile {
    let file = plan_file(&format!("version: 1\nname: back\nchange:\n  {change}\n"));
    start(database, &file, phase);
    file
}

fn start(database: &Database, file: &tempfile::NamedTempFile, phase: &str) {
    let path = file.path().to_str().expect("a path of text");
    database.crossfade(&["start", path]).exits(0);
    let phases = database.status("back")["phases"].clone();
    let last = phases.as_array().and_then(|phases| phases.last());
    let last = last.and_then(|last| last["phase"].as_str());
    let phase = if phase.is_empty() {
        last.expect("a phase")
    } else {
        phase
    };
    database
        .crossfade(&["advance", "back", "--to", phase, "--yes"])
        .exits(0);
}

/// The preview and the rollback say the same, and nothing has changed.
async fn is_refused(database: &Database, told: &str) {
    let before = (database.dump_schema(), database.value(RECORDS).await);
    let preview = ["rollback", "back", "--dry-run", "--format", "json"];
    let preview = database.crossfade(&preview).exits(1).json();
    let refused = database
        .crossfade(&["rollback", "back", "--yes"])
        .exits(1)
        .stderr;
    assert!(refused.contains(told), "{told}: {refused}");
    let why = preview["refused"].as_str().expect("a reason");
    assert!(refused.contains(why), "{why}: {refused}");
    let after = (database.dump_schema(), database.value(RECORDS).await);
    assert!(before == after, "{told}: something has changed");
}

async fn goes_back(database: &Database, case: &Case) {
    database
        .crossfade(&["rollback", "back", "--dry-run"])
        .exits(0);
    database.crossfade(&["rollback", "back", "--yes"]).exits(0);
    assert_eq!(
        database.status("back")["state"],
        "rolled_back",
        "{}",
        case.change
    );
}

async fn all_cases(database: &Database, cases: &[Case]) {
    database.execute(TABLES).await;
    database.crossfade(&["init"]).exits(0);
    let template = database.copy().await;
    all_of(cases, async |case| {
        let database = template.copy().await;
        let file = run(&database, case.change, case.phase);
        database.execute(case.by_hand).await;
        is_refused(&database, case.told).await;
        database.execute(case.mended).await;
        goes_back(&database, case).await;
        // And there is nothing left that would keep the plan from being run again.
        start(&database, &file, case.phase);
        database.remove().await;
    });
    template.remove().await;
}

#[test]
fn what_somebody_put_in_place_of_what_the_run_made_stays() {
    on_postgresql(async |database| all_cases(database, REPLACED).await);
}

#[test]
fn whatever_depends_on_what_goes_is_named_before_anything_is_recorded() {
    on_postgresql(async |database| all_cases(database, DEPENDENTS).await);
}

#[test]
fn what_the_statements_of_an_author_made_goes_with_them_and_what_somebody_added_does_not() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database.crossfade(&["init"]).exits(0);
        let steps = "phases:\n- phase: expand\n  steps:\n  - add_column: {table: public.t, column: b, type: integer}\n  \
            - sql: {name: overview, done_when: \"SELECT to_regclass('public.overview') IS NOT NULL\", \
            forward: \"CREATE VIEW public.overview AS SELECT b FROM public.t\", reverse: \"DROP VIEW public.overview\"}\n";
        let file = plan_file(&format!("version: 1\nname: back\n{steps}"));
        start(database, &file, "");
        database
            .execute("CREATE VIEW mine AS SELECT b FROM t")
            .await;
        is_refused(database, "view public.mine (on public.t.b). Drop").await;
        database.execute("DROP VIEW mine").await;
        database.crossfade(&["rollback", "back", "--yes"]).exits(0);
        assert_eq!(
            database
                .value("SELECT to_regclass('overview') IS NULL")
                .await,
            "true"
        );
    });
}

#[test]
fn a_view_that_stands_in_is_not_dropped_with_what_somebody_has_set_on_it() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database.crossfade(&["init"]).exits(0);
        let change = "rename_column: {table: public.t, from: a, to: label, strategy: alias}";
        let _file = run(database, change, "expand");
        database.execute("GRANT SELECT ON t TO PUBLIC").await;
        let before = database.dump_schema();
        let refused = database.crossfade(&["advance", "back", "--to", "contract", "--yes"]);
        assert_ne!(refused.code, Some(0), "{}", refused.stdout);
        let told = "the privileges of the view public.t are now `SELECT to PUBLIC`";
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
        assert_eq!(database.dump_schema(), before);
        database
            .execute("GRANT SELECT ON t__base TO PUBLIC; REVOKE ALL ON t FROM PUBLIC")
            .await;
        database
            .crossfade(&["advance", "back", "--to", "contract", "--yes"])
            .exits(0);
        let may = "SELECT has_table_privilege('public', 't', 'SELECT')";
        assert_eq!(database.value(may).await, "true");
    });
}

#[test]
fn what_somebody_puts_there_while_a_rollback_is_under_way_stays() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database.crossfade(&["init"]).exits(0);
        let changes = "changes:\n  - add_index: {table: public.t, name: t_a, columns: [a]}\n  \
            - set_default: {table: public.t, column: n, default: \"5\"}\n";
        let file = plan_file(&format!("version: 1\nname: back\n{changes}"));
        start(database, &file, "");
        let killed = database.crossfade_with(
            &[(
                "CROSSFADE_FAILPOINT",
                "kill:set_default:public.t.n: reverted",
            )],
            &["rollback", "back", "--yes"],
        );
        assert_ne!(killed.code, Some(0), "{}", killed.stderr);
        database
            .execute("DROP INDEX t_a; CREATE INDEX t_a ON t (n, a)")
            .await;
        let refused = database
            .crossfade(&["rollback", "back", "--yes"])
            .exits(1)
            .stderr;
        assert!(refused.contains("the index public.t_a is now"), "{refused}");
        let there = "SELECT indexdef FROM pg_indexes WHERE indexname = 't_a'";
        assert!(database.value(there).await.contains("(n, a)"));
        database.execute("ALTER INDEX t_a RENAME TO by_hand").await;
        database.crossfade(&["rollback", "back", "--yes"]).exits(0);
    });
}

#[test]
fn what_the_catalog_shows_of_a_later_undo_is_refused_before_the_first() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        database
            .execute("ALTER TABLE t ADD m integer; UPDATE t SET m = id")
            .await;
        database.crossfade(&["init"]).exits(0);
        let changes = "changes:\n  - set_not_null: {table: public.t, column: m}\n  \
            - add_check: {table: public.t, name: t_c, check: n > 0}\n";
        let file = plan_file(&format!("version: 1\nname: back\n{changes}"));
        start(database, &file, "");
        let identity = "ALTER TABLE t ALTER m ADD GENERATED ALWAYS AS IDENTITY";
        database.execute(identity).await;
        is_refused(database, "public.t.m is an identity column").await;
        database
            .execute("ALTER TABLE t ALTER m DROP IDENTITY")
            .await;
        database.crossfade(&["rollback", "back", "--yes"]).exits(0);
    });
}

//! Text that nobody would write: it is read to its end, within the stack of a thread and in no time.

use super::{Context, lint};
use std::time::Instant;

const PIECES: [&str; 60] = [
    "ALTER TABLE ",
    "t ",
    "s.\"T\" ",
    "ADD COLUMN ",
    "a ",
    "int ",
    "varchar(5) ",
    "DEFAULT ",
    "now() ",
    "(",
    ")",
    ",",
    ";",
    "\n",
    "CREATE ",
    "TABLE ",
    "INDEX ",
    "CONCURRENTLY ",
    "ON ",
    "UNIQUE ",
    "CHECK (",
    "REFERENCES ",
    "NOT ",
    "NULL ",
    "VALID ",
    "BEGIN ",
    "COMMIT;",
    "DO $$",
    "$$",
    "LOOP ",
    "END ",
    "IF ",
    "THEN ",
    "CASE ",
    "WHEN ",
    "SELECT ",
    "FROM ",
    "WHERE ",
    "UPDATE ",
    "SET ",
    "DELETE ",
    "INSERT INTO ",
    "VALUES ",
    "'",
    "\"",
    "--",
    "/*",
    "*/",
    "\\",
    "COPY ",
    "FROM STDIN;\n",
    "\\.\n",
    "FUNCTION ",
    "AS ",
    "LANGUAGE plpgsql ",
    "é",
    "${",
    "}",
    "-- crossfade:allow ",
    "\0",
];

const GOOD: &str = "BEGIN;\nALTER TABLE s.t ADD COLUMN \"é\" varchar(5) DEFAULT 'x''y' CHECK (a > 0), ALTER b TYPE text USING b::text;\n\
    DO $x$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP EXECUTE 'DROP TABLE t'; END LOOP; END $x$;\n\
    COPY t FROM stdin;\n1\t2\n\\.\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; END;\n\
    /* a /* b */ */ UPDATE t SET a = $1 WHERE b = E'\\'' -- crossfade:allow truncate: x\n;COMMIT;";

/// Findings are at places of the text.
fn read(sql: &str) {
    let began = Instant::now();
    for finding in lint(sql, &Context::default()) {
        assert!(
            sql.get(finding.range.clone()).is_some(),
            "{:?} in {sql:?}",
            finding.range
        );
    }
    assert!(began.elapsed().as_secs() < 30, "{sql:?}");
}

#[test]
fn random_text_is_read_to_its_end() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3_000 {
        let count = random.usize(1..40);
        let text: String = (0..count)
            .map(|_| PIECES[random.usize(..PIECES.len())])
            .collect();
        read(&text);
    }
    for _ in 0..1_000 {
        let bytes: Vec<u8> = (0..random.usize(1..80)).map(|_| random.u8(..)).collect();
        read(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_read_to_its_end() {
    for (at, _) in GOOD.char_indices() {
        read(&GOOD[..at]);
        read(&GOOD[at..]);
    }
}

/// What pg_dump writes of so many tables.
fn dump(tables: usize) -> String {
    let each = |text: &dyn Fn(usize) -> String| (0..tables).map(text).collect::<String>();
    let made = each(&|n| {
        format!(
            "--\n-- Name: t{n}; Type: TABLE\n--\nCREATE TABLE public.t{n} (\n    id bigint NOT NULL,\n    parent_id bigint\n);\nALTER TABLE public.t{n} OWNER TO app;\nCOPY public.t{n} (id) FROM stdin;\n1\tit's; DROP TABLE x;\n\\.\n"
        )
    });
    let keys = each(&|n| {
        format!(
            "ALTER TABLE ONLY public.t{n}\n    ADD CONSTRAINT t{n}_pkey PRIMARY KEY (id);\nCREATE INDEX t{n}_parent ON public.t{n} (parent_id);\nALTER TABLE ONLY public.t{n}\n    ADD FOREIGN KEY (parent_id) REFERENCES public.t0(id);\n"
        )
    });
    format!("SELECT pg_catalog.set_config('search_path', '', false);\n{made}{keys}")
}

#[test]
fn the_time_for_a_dump_grows_with_its_length_only() {
    let time = |tables| {
        let sql = dump(tables);
        let began = Instant::now();
        assert_eq!(lint(&sql, &Context::default()), []);
        began.elapsed()
    };
    // 50,000 lines, and an eighth of them. Twice the proportion leaves room for a busy machine.
    let (small, large) = (time(390), time(3_125));
    assert!(large < small * 16, "{small:?} and {large:?}");
}

#[test]
fn what_nests_without_end_is_not_followed() {
    for piece in PIECES.iter().chain(&[
        "NOT ", "- ", "1+", "a.", "[", "a::int::", "IS NULL ", "SELECT (", "BEGIN ", "<<a>> ",
        "EXPLAIN ",
    ]) {
        for before in [
            "",
            "SELECT ",
            "DO $$ BEGIN ",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT ",
        ] {
            read(&format!("{before}{}", piece.repeat(20_000)));
        }
    }
}

//! What the statements before make certain, and what only perhaps.

use crate::rules::tests::{errors, lines};

const INDEX: &str = "index-not-concurrent";

#[test]
fn a_table_is_new_where_it_was_made_for_certain() {
    let index = "\nCREATE INDEX ON t (a);";
    for made in [
        "DO $$ BEGIN IF x THEN CREATE TABLE t (a int); END IF; END $$;",
        "DO $$ BEGIN IF x THEN NULL; ELSE CREATE TABLE t (a int); END IF; END $$;",
        "DO $$ BEGIN CASE x WHEN 1 THEN CREATE TABLE t (a int); END CASE; END $$;",
        "DO $$ BEGIN FOR i IN 1..n LOOP CREATE TABLE t AS SELECT 1 a; END LOOP; END $$;",
        "DO $$ BEGIN CREATE TABLE t (a int); EXCEPTION WHEN duplicate_table THEN NULL; END $$;",
        "DO $$ BEGIN IF x THEN RETURN; END IF; CREATE TABLE t (a int); END $$;",
        "\\if :x\nCREATE TABLE t (a int);\n\\endif",
        "\\if :x\n\\else\nCREATE TABLE t (a int);\n\\endif",
        "BEGIN; SAVEPOINT s; CREATE TABLE t (a int); ROLLBACK TO s; COMMIT;",
        "BEGIN; SAVEPOINT s; SAVEPOINT r; CREATE TABLE t (a int); RELEASE r; ROLLBACK TO SAVEPOINT s;",
        "BEGIN; CREATE TABLE u (a int); SAVEPOINT s; CREATE TABLE t (a int); RELEASE s; ROLLBACK;",
    ] {
        let line = made.lines().count() + 1;
        assert_eq!(errors(INDEX, &format!("{made}{index}")), [line], "{made}");
    }
    for made in [
        "DO $$ BEGIN CREATE TABLE t (a int); IF x THEN ALTER TABLE t ADD b int; END IF; END $$;",
        "CREATE TABLE t (a int); DO $$ BEGIN IF x THEN ALTER TABLE t ADD b int; END IF; END $$;",
        "DO $$ BEGIN CREATE TABLE t (a int); RETURN; END $$;",
        "BEGIN; SAVEPOINT s; CREATE TABLE t (a int); RELEASE s; COMMIT;",
        "BEGIN; CREATE TABLE t (a int); SAVEPOINT s; ALTER TABLE t ADD b int; ROLLBACK TO s; COMMIT;",
        "\\if :x\n\\else\n\\endif\nCREATE TABLE t (a int);",
    ] {
        let found = lines(INDEX, &format!("{made}{index}"));
        assert_eq!(found, [0; 0], "{made}");
    }
}

#[test]
fn within_its_branch_a_table_is_new() {
    for sql in [
        "DO $$ BEGIN IF x THEN CREATE TABLE t (a int);\nCREATE INDEX ON t (a); END IF; END $$;",
        "DO $$ BEGIN CREATE TABLE t (a int);\nCREATE INDEX ON t (a); EXCEPTION WHEN others THEN NULL; END $$;",
        "\\if :x\nCREATE TABLE t (a int);\nCREATE INDEX ON t (a);\n\\endif",
    ] {
        for rule in [INDEX, "scan-under-lock", "ddl-in-body", "missing-timeout"] {
            assert_eq!(lines(rule, sql), [0; 0], "{rule}: {sql}");
        }
    }
    let other = "DO $$ BEGIN IF x THEN CREATE TABLE t (a int); ELSE\nCREATE INDEX ON t (a); END IF; END $$;";
    assert_eq!(errors(INDEX, other), [2]);
    let replaced = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\nDROP TABLE t; CREATE TABLE t (a int); END $$;";
    assert_eq!(lines("ddl-in-body", replaced), [2]);
}

#[test]
fn a_search_path_of_a_transaction_ends_with_it() {
    let made = "CREATE TABLE app.t (a int);\nBEGIN;\nSET LOCAL search_path = app;\nCREATE INDEX ON t (a);\nCOMMIT;\n";
    assert_eq!(errors(INDEX, &format!("{made}CREATE INDEX ON t (a);")), [6]);
    let undone = "CREATE TABLE app.t (a int);\nBEGIN;\nSET search_path = app;\nROLLBACK;\nCREATE INDEX ON t (a);";
    assert_eq!(errors(INDEX, undone), [5]);
    let set = "SET SCHEMA 'app';\nCREATE TABLE t (a int);\nCREATE INDEX ON app.t (a);\nCREATE INDEX ON public.t (a);";
    assert_eq!(errors(INDEX, set), [4]);
}

/// What is before a dot in the name of a setting is part of it.
#[test]
fn settings_of_the_application_are_no_timeouts() {
    let alter = "\nALTER TABLE t ADD a int;";
    for set in [
        "SET app.lock_timeout = '1s';",
        "SET LOCAL app.lock_timeout TO 5;",
        "SELECT set_config('app.lock_timeout', '1s', false);",
        "SET SESSION \"app\".\"lock_timeout\" = 5;",
    ] {
        assert_eq!(
            lines("missing-timeout", &format!("{set}{alter}")),
            [2],
            "{set}"
        );
    }
    let both = "SET lock_timeout = '1s'; SET statement_timeout = '1s';";
    for kept in [
        "SET app.lock_timeout = 0;",
        "RESET app.lock_timeout;",
        "SET app.search_path = other;",
        "SELECT set_config('app.lock_timeout', '0', false);",
    ] {
        let sql = format!("{both}{kept}{alter}");
        assert_eq!(lines("missing-timeout", &sql), [0; 0], "{kept}");
    }
}

/// The server has none of its rows, and so reads and writes none.
#[test]
fn a_foreign_table_has_no_rows_here() {
    let changes = [
        "ALTER c SET NOT NULL",
        "ADD CONSTRAINT k CHECK (c > 0)",
        "ALTER c TYPE bigint",
        "ADD z int DEFAULT random()",
        "ADD y int CHECK (y > 0)",
        "ADD x int NOT NULL DEFAULT 1, ADD w app.unknown",
    ];
    let rules = [
        "set-not-null-without-proof",
        "constraint-not-split",
        "type-change",
        "volatile-default",
        "filled-column",
        "inline-constraint",
        "scan-under-lock",
        "rewrite-under-lock",
    ];
    for change in changes {
        for sql in [
            format!("ALTER FOREIGN TABLE f {change};"),
            format!(
                "CREATE FOREIGN TABLE IF NOT EXISTS f (c int) SERVER s; ALTER FOREIGN TABLE f {change};"
            ),
        ] {
            for rule in rules {
                assert_eq!(lines(rule, &sql), [0; 0], "{rule}: {sql}");
            }
        }
        let plain = format!("ALTER TABLE f {change};");
        assert!(
            rules.iter().any(|rule| !lines(rule, &plain).is_empty()),
            "{plain}"
        );
    }
    assert_eq!(errors("drop-table", "DROP FOREIGN TABLE f;"), [1]);
}

#[test]
fn timeouts_hold_where_they_were_set_for_certain() {
    let set = "SET lock_timeout = '1s'; SET statement_timeout = '1s';";
    for (between, expected) in [
        ("", vec![]),
        ("RESET TIME ZONE;", vec![]),
        ("DISCARD PLANS;", vec![]),
        ("DISCARD ALL;", vec![2]),
        ("RESET ALL;", vec![2]),
        ("SET SESSION AUTHORIZATION DEFAULT;", vec![]),
    ] {
        let sql = format!("{set}{between}\nALTER TABLE t ADD a int;");
        assert_eq!(lines("missing-timeout", &sql), expected, "{between}");
    }
    let perhaps = format!("\\if :x\n{set}\n\\endif\nALTER TABLE t ADD a int;");
    assert_eq!(lines("missing-timeout", &perhaps), [4]);
    let undone = format!("BEGIN; SAVEPOINT s; {set} ROLLBACK TO s;\nALTER TABLE t ADD a int;");
    assert_eq!(lines("missing-timeout", &undone), [2]);
}

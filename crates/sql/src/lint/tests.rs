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

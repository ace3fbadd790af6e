//! `check` of several files and of directories: SQL as one history, plans beside each other, and what the database knows.

use crate::support::{Ran, on_postgresql};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The program without any database.
fn check(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossfade"));
    command.arg("check").args(arguments).current_dir(folder);
    command.env("PGHOST", "/nowhere").stdin(Stdio::null());
    Ran::of(command.output().expect("the program runs"))
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    folder
}

fn rename(name: &str, column: &str, to: &str) -> String {
    format!(
        "version: 1\nname: {name}\nchange:\n  rename_column: {{table: public.t, from: {column}, to: {to}}}\n"
    )
}

/// The findings of all files, as `file:line rule`.
fn findings(ran: &Ran) -> Vec<String> {
    let report = ran.json();
    let files = report["sql"].as_array().cloned().unwrap_or_default();
    let of_file = |file: &serde_json::Value| {
        let name = file["file"].as_str().unwrap_or_default().to_owned();
        let found = file["findings"].as_array().cloned().unwrap_or_default();
        found
            .iter()
            .map(|found| {
                format!(
                    "{name}:{} {}",
                    found["line"],
                    found["rule"].as_str().unwrap_or_default()
                )
            })
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

/// A file by its name, and its text.
type Named = (&'static str, &'static str);

const TIMEOUTS: &str = "--timeouts-set";

#[test]
fn a_directory_is_its_plans_and_files_of_sql_in_their_order() {
    let (a, b) = (rename("one", "a", "b"), rename("two", "c", "d"));
    let folder = folder(&[
        ("plans/b.yaml", &b),
        ("plans/a.yml", &a),
        ("plans/V10__x.sql", "SELECT 1;"),
        ("plans/V9__x.sql", "SELECT 1;"),
        ("plans/.hidden.yaml", "no plan"),
        ("plans/readme.md", "no plan"),
        ("plans/old/c.yaml", "no plan"),
        ("empty/readme.md", ""),
    ]);
    let ran = check(folder.path(), &["plans", "--offline", "plans/a.yml"]).exits(0);
    let files: Vec<&str> = ran
        .stdout
        .lines()
        .map(|line| line.split(": ok").next().unwrap())
        .collect();
    assert_eq!(
        files,
        [
            "plans/V9__x.sql",
            "plans/V10__x.sql",
            "plans/a.yml",
            "plans/b.yaml"
        ]
    );
    let slash = check(folder.path(), &["plans/", "--offline", "--format", "json"])
        .exits(0)
        .json();
    assert_eq!(slash["plans"].as_array().map(Vec::len), Some(2));
    let empty = check(folder.path(), &["empty", "plans", "--offline"]).exits(1);
    assert!(
        empty
            .stderr
            .contains("empty has no plan (*.yaml, *.yml) and no SQL file (*.sql)"),
        "{}",
        empty.stderr
    );
    assert!(
        empty.stderr.contains("plans/b.yaml: ok"),
        "{}",
        empty.stderr
    );
    for command in ["start", "explain", "expand"] {
        let mut of = Command::new(env!("CARGO_BIN_EXE_crossfade"));
        of.args([command, "plans"]).current_dir(folder.path());
        let ran = Ran::of(of.output().expect("the program runs")).exits(1);
        assert!(
            ran.stderr
                .contains("plans is a directory: name one plan in it"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn two_plans_of_one_name_or_of_one_column_are_an_error_that_names_both_files() {
    let twice = [rename("one", "a", "b"), rename("one", "c", "d")];
    let meet = [rename("one", "a", "b"), rename("two", "a", "c")];
    let drop = "version: 1\nname: drop\nchange:\n  drop_column: {table: t, column: a}\n".to_owned();
    let steps = "version: 1\nname: steps\nphases:\n  - phase: expand\n    steps:\n      - drop_not_null: {table: public.t, column: a}\n".to_owned();
    let split = "version: 1\nname: split\nchange:\n  split_column: {table: t, column: a, into: {x: {type: text}}, forward: {x: a}, backward: x}\n".to_owned();
    for (pair, said) in [
        (twice, "one.yaml has the name one too"),
        (
            meet.clone(),
            "two and one of one.yaml are about the same: public.t.a (both change it)",
        ),
        (
            [meet[0].clone(), drop],
            "drop and one of one.yaml are about the same: public.t.a",
        ),
        (
            [meet[0].clone(), steps],
            "steps and one of one.yaml are about the same: public.t.a",
        ),
        (
            [meet[0].clone(), split],
            "split and one of one.yaml are about the same: public.t.a",
        ),
    ] {
        let folder = folder(&[("one.yaml", &pair[0]), ("two.yaml", &pair[1])]);
        let ran = check(folder.path(), &[".", "--offline"]).exits(1);
        let said = said.replace("one.yaml", "./one.yaml");
        assert!(ran.stderr.contains(&said), "{said}: {}", ran.stderr);
        assert!(ran.stderr.contains("--> ./two.yaml:"), "{}", ran.stderr);
        assert!(ran.stderr.contains("./one.yaml: ok"), "{}", ran.stderr);
    }
    // What is wrong with the first is told, and that the second has its name.
    let wrong = [rename("one", "a", "a"), rename("one", "a", "b")];
    let both = folder(&[("one.yaml", &wrong[0]), ("two.yaml", &wrong[1])]);
    let ran = check(both.path(), &[".", "--offline"]).exits(1);
    assert!(
        ran.stderr.contains("the new name is the old one"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("./one.yaml has the name one too"),
        "{}",
        ran.stderr
    );
    let apart = [rename("one", "a", "b"), rename("two", "c", "d")];
    let folder = folder(&[("one.yaml", &apart[0]), ("two.yaml", &apart[1])]);
    check(folder.path(), &[".", "--offline"]).exits(0);
}

/// With a database it is known what plans read, too; and a plan that was applied is in nobody's way.
#[test]
fn plans_are_put_beside_each_other_by_what_they_compile_to() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE t (id bigint PRIMARY KEY, a text, b text)")
            .await;
        let (one, index) = (
            rename("one", "a", "z"),
            "version: 1\nname: two\nchange:\n  add_index: {table: t, columns: [a]}\n",
        );
        let folder = folder(&[("one.yaml", &one), ("two.yaml", index)]);
        let directory = folder.path().to_str().unwrap();
        let ran = database.crossfade(&["check", directory]).exits(1);
        assert!(
            ran.stderr
                .contains("public.t.a (one changes it, two reads it)"),
            "{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("one.yaml are about the same"),
            "{}",
            ran.stderr
        );
        let first = folder.path().join("one.yaml");
        database
            .crossfade(&["start", first.to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "one", "--to", "contract", "--yes"])
            .exits(0);
        std::fs::write(folder.path().join("two.yaml"), index.replace("[a]", "[z]"))
            .expect("written");
        let ran = database.crossfade(&["check", directory]).exits(0);
        assert!(
            ran.stdout
                .contains("one.yaml: ok, already applied as the run one"),
            "{}",
            ran.stdout
        );
        assert!(ran.stdout.contains("two.yaml: ok, fits"), "{}", ran.stdout);
    });
}

#[test]
fn files_of_sql_are_one_history() {
    let proof = "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;";
    let cases: [(&[Named], &[&str]); 9] = [
        (
            &[
                ("1.sql", proof),
                ("2.sql", "ALTER TABLE t VALIDATE CONSTRAINT c;"),
                ("3.sql", "ALTER TABLE t ALTER a SET NOT NULL;"),
            ],
            &[],
        ),
        // In the order given: the proof comes too late.
        (
            &[
                ("1.sql", proof),
                ("2.sql", "ALTER TABLE t ALTER a SET NOT NULL;"),
                ("3.sql", "ALTER TABLE t VALIDATE CONSTRAINT c;"),
            ],
            &["2.sql:1 set-not-null-without-proof"],
        ),
        // It was taken away again.
        (
            &[
                ("1.sql", proof),
                ("2.sql", "ALTER TABLE t VALIDATE CONSTRAINT c;"),
                ("3.sql", "ALTER TABLE t DROP CONSTRAINT c;"),
                ("4.sql", "ALTER TABLE t ALTER a SET NOT NULL;"),
            ],
            &["4.sql:1 set-not-null-without-proof"],
        ),
        // A part that undoes is no part of the history.
        (
            &[
                ("1.sql", proof),
                ("2.sql", "ALTER TABLE t VALIDATE CONSTRAINT c;"),
                ("2.down.sql", "ALTER TABLE t DROP CONSTRAINT c;"),
                ("3.sql", "ALTER TABLE t ALTER a SET NOT NULL;"),
            ],
            &[],
        ),
        (
            &[
                (
                    "1.sql",
                    "-- +goose Up\nALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;\n-- +goose Down\nALTER TABLE t DROP CONSTRAINT c;",
                ),
                (
                    "2.sql",
                    "-- +goose Up\nALTER TABLE t VALIDATE CONSTRAINT c;\n-- +goose Down\n",
                ),
                (
                    "3.sql",
                    "-- +goose Up\nALTER TABLE t ALTER a SET NOT NULL;\n-- +goose Down\n",
                ),
            ],
            &[],
        ),
        // What an earlier file has made is in use by then.
        (
            &[
                ("1.sql", "CREATE TABLE t (a int);\nCREATE INDEX ON t (a);"),
                ("2.sql", "CREATE INDEX ON t (a);"),
            ],
            &["2.sql:1 index-not-concurrent"],
        ),
        // And what it is like is known.
        (
            &[
                ("1.sql", "CREATE TABLE t (a varchar(10) NOT NULL);"),
                ("2.sql", "ALTER TABLE t ALTER a SET NOT NULL;"),
                ("3.sql", "ALTER TABLE t ALTER a TYPE varchar(20);"),
            ],
            &[],
        ),
        // Settings, temporary tables and transactions end with their file; functions stay.
        (
            &[
                (
                    "1.sql",
                    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE INDEX i ON t (a); END $$;",
                ),
                ("2.sql", "SELECT f();"),
            ],
            &["1.sql:1 ddl-in-body", "2.sql:1 index-not-concurrent"],
        ),
        (
            &[
                ("1.sql", "CREATE TEMP TABLE t (a int);"),
                ("2.sql", "CREATE INDEX ON t (a);"),
            ],
            &["2.sql:1 index-not-concurrent"],
        ),
    ];
    for (files, expected) in cases {
        let folder = folder(files);
        let mut arguments: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        arguments.extend([TIMEOUTS, "--format", "json"]);
        let ran = check(folder.path(), &arguments);
        assert_eq!(findings(&ran), expected, "{files:?}");
    }
}

#[test]
fn what_the_database_knows_counts_for_files_of_sql() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE SCHEMA app; \
                 CREATE TABLE t (id bigint PRIMARY KEY, a text CONSTRAINT c CHECK (a IS NOT NULL), b varchar(10)); \
                 CREATE TABLE app.u (id bigint REFERENCES t, a text); \
                 ALTER TABLE app.u ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;",
            )
            .await;
        let sql = "ALTER TABLE t ALTER a SET NOT NULL;\nALTER TABLE t ALTER b TYPE varchar(20);\nALTER TABLE app.u ALTER a SET NOT NULL;\n";
        let folder = folder(&[("a.sql", sql)]);
        let file = folder.path().join("a.sql");
        let path = file.to_str().unwrap();
        let lines = |ran: &Ran| -> Vec<String> {
            let found = findings(ran).into_iter();
            found
                .map(|found| found.rsplit(':').next().unwrap_or_default().to_owned())
                .collect()
        };
        let without = check(folder.path(), &[path, TIMEOUTS, "--format", "json"]);
        assert_eq!(lines(&without).len(), 3, "{}", without.stdout);
        let url = ["--database-url", &database.url];
        let with = database
            .crossfade(&[&["check", path, TIMEOUTS, "--format", "json"], &url[..]].concat())
            .exits(1);
        assert_eq!(
            lines(&with),
            ["3 set-not-null-without-proof"],
            "{}",
            with.stdout
        );
        assert!(
            with.json()["sql_database"]
                .as_str()
                .is_some_and(|named| named.contains(&database.name))
        );
        std::fs::write(&file, "ALTER TABLE t ALTER a SET NOT NULL;").expect("written");
        let said = database
            .crossfade(&[&["check", path, TIMEOUTS], &url[..]].concat())
            .exits(0);
        assert!(
            said.stdout
                .contains("no rule is broken, with the tables of postgresql://"),
            "{}",
            said.stdout
        );
        // A database that is not there is an error, and not passed over.
        let nowhere = check(
            folder.path(),
            &[path, "--database-url", "postgresql://127.0.0.1:1/x"],
        )
        .exits(1);
        assert!(nowhere.stderr.contains("127.0.0.1:1"), "{}", nowhere.stderr);
        // The role's own search path says where names without a schema are.
        let role = format!("sql_{}", database.name);
        database
            .execute(&format!("CREATE ROLE {role} LOGIN; ALTER ROLE {role} SET search_path = app; GRANT USAGE ON SCHEMA app TO {role}"))
            .await;
        std::fs::write(
            &file,
            "ALTER TABLE u VALIDATE CONSTRAINT c;\nALTER TABLE u ALTER a SET NOT NULL;",
        )
        .expect("written");
        let its_own = database.url.replacen("postgres@", &format!("{role}@"), 1);
        database
            .crossfade(&["check", path, TIMEOUTS, "--database-url", &its_own])
            .exits(0);
    });
}

#[test]
fn what_contradicts_itself_is_refused_without_a_database() {
    let cases = [
        (
            "rename_column: {table: t, from: a, to: a}",
            "the new name is the old one",
        ),
        (
            "rename_column: {table: t, from: a, to: a, strategy: alias}",
            "the new name is the old one",
        ),
        (
            "rename_table: {table: public.t, to: t}",
            "the new name is the old one",
        ),
        (
            "rename_constraint: {table: t, from: c, to: c}",
            "the new name is the old one",
        ),
        (
            "change_column_type: {table: t, column: a, to: a, type: text}",
            "the name of the new column is that of the old one",
        ),
        (
            "change_column_type: {table: t, column: a, to: b, keep_name: true, type: text}",
            "`to` and `keep_name: true` exclude each other",
        ),
        (
            "split_column: {table: t, column: a, into: {}, forward: {}, backward: a}",
            "`into` names no column",
        ),
        (
            "split_column: {table: t, column: a, into: {a: {type: text}}, forward: {a: a}, backward: a}",
            "a is an old column and a new one",
        ),
        (
            "merge_columns: {table: t, columns: [a, b], to: c, type: text, forward: a, backward: {a: c}}",
            "`backward` does not say how b is computed",
        ),
        (
            "transform_columns: {table: t, from: [a, a], to: {b: {type: text}}, forward: {b: a}, backward: {a: b}}",
            "a is there twice",
        ),
        (
            "move_columns: {table: t, to: t, by: {id: id}, columns: {a: {}}}",
            "`to` is the table itself",
        ),
        (
            "move_columns: {table: t, to: u, by: {id: u_id}, columns: {a: {}}, from: [u_id]}",
            "u_id says which row belongs to which",
        ),
        (
            "fold_table: {table: t, into: t, by: {id: id}}",
            "`into` is the table itself",
        ),
        (
            "extract_table: {table: t, to: t, by: {id: id}, columns: {a: a}}",
            "`to` is the table itself",
        ),
        (
            "extract_table: {table: t, to: u, by: {id: id}, columns: {}}",
            "`columns` names no column",
        ),
        ("add_index: {table: t}", "the index has no columns"),
        (
            "add_index: {table: t, columns: [a], expressions: lower(a)}",
            "exclude each other",
        ),
        (
            "add_index: {table: t, expressions: lower(a)}",
            "has no `name`",
        ),
        (
            "add_column: {table: t, column: a, type: int, not_null: true}",
            "a cannot be NOT NULL: no row has a value",
        ),
        (
            "add_column: {table: t, column: a, type: int, forward: b, default: '1'}",
            "exclude each other",
        ),
        (
            "add_enum_value: {name: e, value: x, before: y, after: z, irreversible: true}",
            "`before` and `after` exclude each other",
        ),
        (
            "create_enum: {name: e, values: [a, b, a]}",
            "`a` is there twice",
        ),
        (
            "set_replica_identity: {table: t}",
            "one of `identity` and `index` is wanted",
        ),
        (
            "add_foreign_key: {table: t, columns: [a, b], references: u, to: [id]}",
            "2 columns refer to 1",
        ),
    ];
    for (change, said) in cases {
        let plan = format!("version: 1\nname: x\nchange:\n  {change}\n");
        let folder = folder(&[("x.yaml", &plan)]);
        let ran = check(folder.path(), &["x.yaml", "--offline"]).exits(1);
        assert!(ran.stderr.contains(said), "{said:?}: {}", ran.stderr);
    }
}

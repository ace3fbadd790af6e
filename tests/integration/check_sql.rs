//! `check` of files of SQL, as a user runs it: no database is needed.

use assert_ends::{Ended, check};

/// The program without any database.
mod assert_ends {
    use std::{path::Path, process::Command};

    pub struct Ended {
        pub code: Option<i32>,
        pub stdout: String,
        pub stderr: String,
    }

    pub fn check(folder: &Path, arguments: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_crossfade"))
            .arg("check")
            .args(arguments)
            .current_dir(folder)
            .env("PGHOST", "/nowhere")
            .output()
            .expect("the program runs");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("the file is written");
    }
    folder
}

const BAD: &str = "SET lock_timeout = '1s';\nCREATE INDEX i ON t (a);\n";
const WARNED: &str = "SELECT 1;\nALTER TABLE t ADD a int;\n";
const GOOD: &str = "CREATE INDEX CONCURRENTLY i ON t (a);\n";

#[test]
fn errors_end_with_1_and_warnings_with_0() {
    let folder = folder(&[("bad.sql", BAD), ("warned.sql", WARNED), ("good.sql", GOOD)]);
    let Ended { code, stderr, .. } = check(folder.path(), &["bad.sql"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("error[index-not-concurrent]") && stderr.contains("bad.sql:2:1"),
        "{stderr}"
    );
    assert!(
        stderr.contains("help: CREATE INDEX CONCURRENTLY"),
        "{stderr}"
    );
    let warned = check(folder.path(), &["warned.sql", "good.sql"]);
    assert_eq!(warned.code, Some(0), "{}", warned.stderr);
    assert!(
        warned.stdout.contains("warning[missing-timeout]"),
        "{}",
        warned.stdout
    );
    assert!(
        warned.stdout.ends_with("good.sql: ok, no rule is broken\n"),
        "{}",
        warned.stdout
    );
    let wrapped = check(folder.path(), &["good.sql", "--in-transaction"]);
    assert!(
        wrapped.stderr.contains("concurrently-in-transaction"),
        "{}",
        wrapped.stderr
    );
    assert_eq!(
        check(folder.path(), &["warned.sql", "--timeouts-set"]).stdout,
        "warned.sql: ok, no rule is broken\n"
    );
}

#[test]
fn plans_and_sql_are_checked_together() {
    let plan = "version: 1\nname: rename\nchange: {rename_column: {table: t, from: a, to: b}}\n";
    let folder = folder(&[("bad.sql", BAD), ("plan.yaml", plan)]);
    let ended = check(
        folder.path(),
        &["plan.yaml", "bad.sql", "--offline", "--format", "json"],
    );
    assert_eq!(ended.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one document");
    assert_eq!(report["plans"][0]["ok"], true);
    let found = &report["sql"][0]["findings"];
    let rules: Vec<&str> = found
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|finding| finding["rule"].as_str())
        .collect();
    assert_eq!(rules, ["index-not-concurrent", "missing-timeout"]);
    assert_eq!(
        (&found[0]["line"], &found[0]["severity"]),
        (&2.into(), &"error".into())
    );
}

#[test]
fn reports_for_machines() {
    let folder = folder(&[("bad.sql", BAD), ("plan.yaml", "version: 1\n")]);
    let sarif = check(
        folder.path(),
        &["bad.sql", "plan.yaml", "--offline", "--format", "sarif"],
    );
    assert_eq!(sarif.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&sarif.stdout).expect("one document");
    let results = report["runs"][0]["results"].as_array().expect("a list");
    assert!(
        results
            .iter()
            .any(|result| result["ruleId"] == "index-not-concurrent"),
        "{results:?}"
    );
    assert!(
        results.iter().any(|result| result["ruleId"] == "plan"),
        "{results:?}"
    );
    let github = check(folder.path(), &["bad.sql", "--format", "github"]);
    assert!(
        github
            .stdout
            .starts_with("::error file=bad.sql,line=2,col=1,title=index-not-concurrent::"),
        "{}",
        github.stdout
    );
    assert_eq!(
        check(folder.path(), &["bad.sql", "--format", "markdown"]).code,
        Some(2)
    );
}

/// What cannot be read is one finding, in every report; the other files are looked at.
#[test]
fn a_file_that_is_no_text_does_not_end_the_report() {
    let folder = folder(&[
        ("bad.sql", BAD),
        ("empty.sql", ""),
        (
            "windows.sql",
            "\u{FEFF}SET lock_timeout = '1s';\r\nCREATE INDEX i ON t (a);\r\n",
        ),
    ]);
    std::fs::write(
        folder.path().join("latin.sql"),
        b"SELECT 1;\nSELECT '\xe9';\n",
    )
    .expect("written");
    std::fs::write(folder.path().join("latin.yaml"), b"name: \xe9\n").expect("written");
    let files = [
        "latin.sql",
        "latin.yaml",
        "nowhere.sql",
        "empty.sql",
        "windows.sql",
        "bad.sql",
    ];
    let with = |format: &'static str| {
        let mut arguments = files.to_vec();
        arguments.extend(["--offline", "--format", format]);
        check(folder.path(), &arguments)
    };
    let json = with("json");
    assert_eq!(json.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&json.stdout).expect("one document");
    let found = |at: usize| report["sql"][at]["findings"].as_array().map_or(0, Vec::len);
    assert_eq!(
        [found(0), found(1), found(2), found(3), found(4)],
        [1, 1, 0, 2, 2],
        "{report:#}"
    );
    let message = report["sql"][0]["findings"][0]["message"]
        .as_str()
        .expect("a message");
    assert!(message.contains("not UTF-8 text from line 2"), "{message}");
    assert_eq!(report["sql"][3]["findings"][0]["line"], 2);
    assert_eq!(report["plans"][0]["ok"], false);
    let sarif: serde_json::Value =
        serde_json::from_str(&with("sarif").stdout).expect("one document");
    assert_eq!(
        sarif["runs"][0]["results"].as_array().map(Vec::len),
        Some(7)
    );
    let text = with("text").stderr;
    assert!(
        text.contains("--> latin.sql") && text.contains("bad.sql:2:1"),
        "{text}"
    );
}

/// A statement of a plan breaks the rule that it breaks in a file.
#[test]
fn the_rule_of_a_plans_statement_is_in_every_report() {
    let plan = "version: 1\nname: own\nphases:\n  - phase: sql\n    steps:\n      - sql: {name: a, done_when: select true, irreversible: true, forward: 'CREATE INDEX i ON s.t (a)'}\n";
    let folder = folder(&[("own.yaml", plan)]);
    let with = |format| {
        check(
            folder.path(),
            &["own.yaml", "--offline", "--format", format],
        )
        .stdout
    };
    let sarif: serde_json::Value = serde_json::from_str(&with("sarif")).expect("one document");
    assert_eq!(
        sarif["runs"][0]["results"][0]["ruleId"],
        "index-not-concurrent"
    );
    assert!(with("github").contains("title=index-not-concurrent::"));
    let json: serde_json::Value = serde_json::from_str(&with("json")).expect("one document");
    assert_eq!(
        json["plans"][0]["problems"][0]["rule"],
        "index-not-concurrent"
    );
}

#[test]
fn rules_are_listed_and_nothing_is_a_usage_error() {
    let folder = folder(&[]);
    let rules = check(folder.path(), &["--rules"]);
    assert!(
        rules.stdout.contains("index-not-concurrent "),
        "{}",
        rules.stdout
    );
    assert_eq!(check(folder.path(), &[]).code, Some(2));
    let missing = check(folder.path(), &["nowhere.sql"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("nowhere.sql"), "{}", missing.stderr);
}

//! What neither the borders of the crates nor clippy hold of the architecture. Which crate may use which is in their
//! manifests; what must not be called (clocks, files, `unwrap`, printing) in Cargo.toml and clippy.toml.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Rooms of a crate that must not know of each other: those in the first folder, and what they may not name.
const APART: [(&str, &str); 5] = [
    ("crates/coordinator/src/store", "crate::database"),
    ("crates/coordinator/src/database", "crate::store"),
    ("crates/coordinator/src/engine", "crate::service"),
    ("crates/plan/src/sqlgen", "crate::compile::"),
    // The parser of SQL may change at any time: whoever knows it turns its trees into values of our own.
    ("", "squawk_syntax"),
];
const KNOW_THE_PARSER: [&str; 2] = ["crates/sql/src/references", "crates/sql/src/syntax"];
/// Crates that decide and do nothing else, and what would let them do it.
const PURE: [&str; 4] = ["model", "sql", "plan", "decisions"];
const IMPURE: [&str; 4] = ["tokio", "tokio-postgres", "reqwest", "fastrand"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Every source file of every crate: where it is, and its text.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    for member in fs::read_dir(root().join("crates")).unwrap() {
        collect(&member.unwrap().path().join("src"), &mut files);
    }
    files.sort();
    assert!(files.len() > 300, "{} files", files.len());
    files
        .iter()
        .map(|file| {
            let name = file.strip_prefix(root()).unwrap().to_str().unwrap();
            (name.to_owned(), fs::read_to_string(file).unwrap())
        })
        .collect()
}

/// `store.rs` and what is in `store/`; everything where the folder has no name.
fn is_in(file: &str, folder: &str) -> bool {
    folder.is_empty()
        || file
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// Lines that name what is apart from this file's room; comments may.
fn offences(file: &str, text: &str) -> Vec<String> {
    let apart = APART.iter().filter(|(folder, named)| {
        let knows = KNOW_THE_PARSER.iter().any(|known| is_in(file, known));
        is_in(file, folder) && !(knows && *named == "squawk_syntax")
    });
    apart
        .flat_map(|(_, named)| {
            text.lines()
                .enumerate()
                .filter(move |(_, line)| {
                    line.contains(named) && !line.trim_start().starts_with("//")
                })
                .map(move |(number, _)| format!("{file}:{}: {named}", number + 1))
        })
        .collect()
}

#[test]
fn rooms_that_are_apart_do_not_name_each_other() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(file, text)| offences(file, text))
        .collect();
    assert_eq!(found, [""; 0]);
    // The check itself sees it.
    let store = offences(
        "crates/coordinator/src/store/runs.rs",
        "// crate::database\nuse crate::{a};\nuse crate::database::batch;",
    );
    assert_eq!(
        store,
        ["crates/coordinator/src/store/runs.rs:3: crate::database"]
    );
    assert_eq!(offences("src/cli.rs", "use squawk_syntax::a;").len(), 1);
    assert_eq!(
        offences("crates/sql/src/syntax.rs", "use squawk_syntax::a;").len(),
        0
    );
}

#[test]
fn crates_that_decide_depend_on_nothing_that_acts() {
    for name in PURE {
        let manifest = root().join("crates").join(name).join("Cargo.toml");
        let text = fs::read_to_string(manifest).unwrap();
        let (_, dependencies) = text.split_once("[dependencies]").unwrap();
        let dependencies = dependencies.split('[').next().unwrap();
        for line in dependencies.lines() {
            let dependency = line.split('.').next().unwrap_or_default();
            assert!(!IMPURE.contains(&dependency), "{name}: {dependency}");
            let above = ["crossfade-coordinator", "crossfade-postgres"];
            assert!(!above.contains(&dependency), "{name}: {dependency}");
        }
    }
}

#[test]
fn every_file_says_in_its_first_line_what_it_is_for() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!") && !text.starts_with("#![doc"))
        .map(|(file, _)| file)
        .collect();
    assert_eq!(silent, [""; 0]);
}

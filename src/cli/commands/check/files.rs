//! The files that `check` is given, those of directories too, in the order in which they are read.

use std::{
    cmp::Ordering,
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// How the names of plans and of files of SQL end.
const ENDINGS: [&str; 3] = ["yaml", "yml", "sql"];

/// What is looked at, or a directory in which there is nothing to look at, and why.
pub type Named = Result<PathBuf, (PathBuf, String)>;

/// In place of a directory its plans and files of SQL by their names, numbers in them by their values (`V2` before `V10`);
/// hidden files and directories within it are left out. A file that is named twice is read once.
pub fn named(given: &[PathBuf]) -> Vec<Named> {
    let mut seen = BTreeSet::new();
    let all = given.iter().flat_map(|path| {
        if path.is_dir() {
            of_directory(path)
        } else {
            vec![Ok(path.clone())]
        }
    });
    let first = |named: &Named| match named {
        Ok(path) => seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())),
        Err(_) => true,
    };
    all.filter(first).collect()
}

pub fn is_sql(path: &Path) -> bool {
    ends_with(path, "sql")
}

/// The file undoes what another does, as migration tools name such files: `7_x.down.sql`, `U7__x.sql`.
pub fn goes_back(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let undo = name
        .strip_prefix('u')
        .and_then(|rest| rest.split_once("__"));
    let is_version = |text: &str| {
        let mut letters = text.chars();
        letters.next().is_some_and(|first| first.is_ascii_digit())
            && letters.all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '_'))
    };
    name.ends_with(".down.sql") || undo.is_some_and(|(version, _)| is_version(version))
}

fn ends_with(path: &Path, ending: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}

fn of_directory(directory: &Path) -> Vec<Named> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            let why = format!("{} cannot be read: {error}", directory.display());
            return vec![Err((directory.to_owned(), why))];
        }
    };
    let is_hidden = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with('.')
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| !is_hidden(path) && path.is_file())
        .filter(|path| ENDINGS.iter().any(|ending| ends_with(path, ending)))
        .collect();
    if paths.is_empty() {
        let why = format!(
            "{} has no plan (*.yaml, *.yml) and no SQL file (*.sql); subdirectories are not searched",
            directory.display()
        );
        return vec![Err((directory.to_owned(), why))];
    }
    paths.sort_by(|one, other| in_order(one, other));
    paths.into_iter().map(Ok).collect()
}

fn in_order(one: &Path, other: &Path) -> Ordering {
    let parts = |path: &Path| parts(&path.file_name().unwrap_or_default().to_string_lossy());
    parts(one).cmp(&parts(other)).then_with(|| one.cmp(other))
}

/// Of a name: text, and the number after it, of any length.
fn parts(name: &str) -> Vec<(String, usize, String)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(digits);
        let end = after
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(after.len());
        let (number, after) = after.split_at(end);
        let number = number.trim_start_matches('0').to_owned();
        parts.push((text.to_owned(), number.len(), number));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_by_their_values() {
        let mut names = [
            "V10__b.sql",
            "V9__a.sql",
            "V2__z.sql",
            "V2.1__a.sql",
            "a.yaml",
            "V010__a.sql",
        ];
        names.sort_by(|one, other| in_order(Path::new(one), Path::new(other)));
        assert_eq!(
            names,
            [
                "V2.1__a.sql",
                "V2__z.sql",
                "V9__a.sql",
                "V010__a.sql",
                "V10__b.sql",
                "a.yaml"
            ]
        );
    }

    #[test]
    fn files_that_undo_others_are_told_by_their_names() {
        for name in [
            "000007_x.down.sql",
            "U7__x.sql",
            "u1.2__x.sql",
            "U20260101__x.sql",
        ] {
            assert!(goes_back(Path::new(name)), "{name}");
        }
        for name in [
            "000007_x.up.sql",
            "V7__x.sql",
            "users.sql",
            "users__old.sql",
            "U__x.sql",
        ] {
            assert!(!goes_back(Path::new(name)), "{name}");
        }
    }
}

//! What every plan in `plans/` runs, in files that a reviewer reads: a change of what happens to a database is a change of
//! `tests/golden/`. `CROSSFADE_TEST_GOLDEN=write cargo test golden::` writes them anew.

use crate::every_plan::subjects;
use crate::support::{Database, on_postgresql, plan};
use crossfade_plan::sqlgen::layout::lay_out;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const HEAD: &str = "\
-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.
";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("{name}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

/// The statements of one plan, one below the other.
struct Page {
    text: String,
    /// Where a statement of several lines was first shown.
    shown: BTreeMap<String, String>,
}

impl Page {
    fn of(explanation: &Value) -> String {
        let mut page = Self {
            text: HEAD.to_owned(),
            shown: BTreeMap::new(),
        };
        for phase in list(explanation, "phases") {
            page.phase(phase);
        }
        page.text
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn phase(&mut self, phase: &Value) {
        let name = text(phase, "phase");
        let together = match phase["one_transaction"].as_bool() {
            Some(true) => ", one transaction",
            _ => "",
        };
        self.line(&format!("\n\n-- ======== {name}{together}"));
        for condition in list(phase, "gate") {
            self.line(&format!("-- gate: {}", condition.as_str().expect("a text")));
        }
        for step in list(phase, "steps") {
            let step_name = text(step, "step");
            self.line(&format!("\n-- {step_name}"));
            let place = format!("{name}, {step_name}");
            for statement in list(step, "statements") {
                self.statement(text(statement, "sql"), &place);
            }
            match step["undo"].as_array() {
                None => self.line("-- cannot be undone"),
                Some(undo) if undo.is_empty() => {}
                Some(undo) => {
                    self.line("-- undo:");
                    for statement in undo {
                        self.statement(
                            statement.as_str().expect("a text"),
                            &format!("{place}, undo"),
                        );
                    }
                }
            }
        }
    }

    fn statement(&mut self, sql: &str, place: &str) {
        let several = sql.lines().count() > 3;
        if let (true, Some(first)) = (several, self.shown.get(sql)) {
            let head = sql.lines().next().unwrap_or_default();
            let line = format!("{head}\n  -- … the same as in {first}");
            return self.line(&line);
        }
        if several {
            self.shown.insert(sql.to_owned(), place.to_owned());
        }
        // A function has been laid out already.
        let laid_out = match sql.contains("$crossfade$") {
            true => sql.to_owned(),
            false => lay_out(sql),
        };
        self.line(&format!("{};", laid_out.trim_end()));
    }
}

fn page(database: &Database, file: &str) -> String {
    let explained = database.crossfade(&["explain", file, "--format", "json"]);
    Page::of(&explained.exits(0).json())
}

#[test]
fn what_every_plan_runs_is_what_was_reviewed() {
    let writes = std::env::var("CROSSFADE_TEST_GOLDEN").is_ok_and(|value| value == "write");
    on_postgresql(async |database| {
        let tables = fs::read_to_string(plan("tables.sql")).expect("the tables");
        database.execute(&tables).await;
        let mut wanted = BTreeSet::new();
        let mut other = Vec::new();
        for file in subjects() {
            let stem = Path::new(&file).file_stem().expect("a name");
            let golden = folder().join(stem).with_extension("sql");
            let page = page(database, &file);
            if writes {
                fs::write(&golden, &page).expect("the file is written");
            }
            let mut reviewed = fs::read_to_string(&golden).unwrap_or_default();
            if database.server().version().0 < 15 {
                reviewed = reviewed.replace(" WITH (security_invoker = true)", "");
            }
            if page != reviewed {
                other.push(format!(
                    "{}\n{}",
                    golden.display(),
                    first_difference(&reviewed, &page)
                ));
            }
            wanted.insert(golden);
        }
        assert!(
            other.is_empty(),
            "plans run something else than what was reviewed. If that is meant: CROSSFADE_TEST_GOLDEN=write cargo test golden::, and read the difference.\n{}",
            other.join("\n")
        );
        let kept: BTreeSet<PathBuf> = fs::read_dir(folder())
            .expect("the folder")
            .map(|entry| entry.expect("a file").path())
            .collect();
        let left: Vec<_> = kept.difference(&wanted).collect();
        assert!(left.is_empty(), "files of no plan: {left:?}");
    });
}

fn first_difference(reviewed: &str, page: &str) -> String {
    let mut lines = reviewed.lines().zip(page.lines()).enumerate();
    match lines.find(|(_, (before, now))| before != now) {
        Some((number, (before, now))) => {
            format!("line {}:\n  - {before}\n  + {now}", number + 1)
        }
        None => "one ends before the other".to_owned(),
    }
}

#[test]
fn a_difference_is_shown_with_its_line() {
    assert_eq!(
        first_difference("a\nb\n", "a\nc\n"),
        "line 2:\n  - b\n  + c"
    );
}

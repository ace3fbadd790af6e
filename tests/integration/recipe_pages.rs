//! `docs/recipes`: a page for each recipe, with all its words; its plans fit `plans/tables.sql`, and the phases and statements
//! that it shows are those that `explain` prints for them.

use crate::support::{Database, on_postgresql, plan, plan_file};
use crossfade_plan::recipes::Recipe;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Pages that are about no recipe, or about several.
const OTHERS: [&str; 2] = ["README", "rename_by_view"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes")
}

fn page(name: &str) -> String {
    let path = folder().join(format!("{name}.md"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The texts of all the pages, by name.
fn pages() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder()).expect("the folder");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            (name.to_string(), page(&name))
        })
        .collect()
}

/// A plan of a page, and the rows of the table of phases that follows it.
#[derive(Default)]
struct Shown {
    plan: String,
    phases: Vec<Vec<String>>,
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').trim_end_matches('|');
    let line = line.replace("\\|", "\u{0}");
    line.split('|')
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

/// The rows of the tables whose heading begins with this word, by the line that the table begins in.
fn rows(text: &str, heading: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut table = None;
    for (number, line) in text.lines().enumerate() {
        if !line.starts_with('|') {
            table = None;
        } else if table.is_none() {
            let is_wanted = cells(line).first().is_some_and(|cell| cell == heading);
            table = Some((number, is_wanted));
        } else if let Some((first, true)) = table
            && !line.starts_with("|---")
        {
            found.push((first, cells(line)));
        }
    }
    found
}

/// The plans that a page shows whole, each with its table.
fn shown(text: &str) -> Vec<Shown> {
    let mut plans: Vec<(usize, Shown)> = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut block, line) {
            (None, "```yaml") => block = Some((number, String::new())),
            (Some(_), "```") => {
                let (first, plan) = block.take().expect("a block");
                let phases = Vec::new();
                plans.push((first, Shown { plan, phases }));
            }
            (Some((_, plan)), line) => {
                plan.push_str(line);
                plan.push('\n');
            }
            (None, _) => {}
        }
    }
    plans.retain(|(_, shown)| shown.plan.starts_with("version: 1\n"));
    for (at, row) in rows(text, "phase") {
        let before = plans.iter_mut().rev().find(|(first, _)| *first < at);
        if let Some((_, shown)) = before {
            shown.phases.push(row);
        }
    }
    plans.into_iter().map(|(_, shown)| shown).collect()
}

/// What stands in backticks.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_recipe_has_its_page_and_the_index_leads_to_it() {
    let pages = pages();
    let index = &pages["README"];
    for recipe in Recipe::ALL {
        let name = recipe.name;
        let text = page(name);
        assert!(text.starts_with(&format!("# `{name}`\n")), "{name}");
        assert!(
            index.contains(&format!("]({name}.md)")),
            "the index lacks {name}"
        );
    }
    for (name, text) in &pages {
        let is_recipe = Recipe::ALL.iter().any(|recipe| recipe.name == name);
        assert!(is_recipe || OTHERS.contains(&name.as_str()), "{name}");
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            let is_there = target.contains("://") || folder().join(target).exists();
            assert!(is_there, "{name} links to {target}");
        }
    }
}

#[test]
fn every_plan_of_a_page_decodes_and_the_first_is_of_its_recipe() {
    for (name, text) in pages() {
        let mut names = Vec::new();
        for shown in shown(&text) {
            let document = crossfade_plan::read::read_document(&shown.plan);
            let document = document.unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
            names.push(document.change.as_ref().map(Recipe::name));
        }
        if !OTHERS.contains(&name.as_str()) {
            assert_eq!(names.first(), Some(&Some(name.as_str())), "{names:?}");
        }
    }
}

#[test]
fn a_page_has_all_the_words_of_its_recipe_and_no_others() {
    let schema = crossfade_plan::schema::schema();
    let recipes = schema["$defs"]["Recipe"]["oneOf"]
        .as_array()
        .expect("a list");
    for recipe in Recipe::ALL {
        let of_it = recipes
            .iter()
            .find_map(|one| one["properties"][recipe.name]["$ref"].as_str());
        let of_it = of_it.unwrap_or_else(|| panic!("{} is in the schema", recipe.name));
        let definition = of_it.rsplit('/').next().expect("a name");
        let words = schema["$defs"][definition]["properties"].as_object();
        let words: BTreeSet<&str> = words.expect("words").keys().map(String::as_str).collect();
        let text = page(recipe.name);
        let rows = rows(&text, "word");
        let told: BTreeSet<&str> = rows.iter().flat_map(|(_, row)| code(&row[0])).collect();
        assert_eq!(told, words, "{}", recipe.name);
    }
}

const KEYWORDS: [&str; 8] = [
    "ALTER ", "COMMENT ", "CREATE ", "DROP ", "LOCK ", "REINDEX ", "SELECT ", "UPDATE ",
];

/// Before PostgreSQL 15 a view has no such option.
fn plain(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    words
        .join(" ")
        .replace(" WITH (security_invoker = true)", "")
}

/// Whether a statement is the one that is written, where `…` stands for something.
fn is_written(written: &str, statement: &str) -> bool {
    let statement = plain(statement);
    let written = plain(written);
    let mut pieces = written.split('…').map(str::trim);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = statement.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
        last = Some(piece);
    }
    rest.is_empty() || last == Some("")
}

/// What of a page's table is not as `explain` says.
fn differences(shown: &Shown, explained: &Value) -> Vec<String> {
    let phases = explained["phases"].as_array().expect("phases");
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |one: &Value| one["sql"].as_str().or(one.as_str()).map(str::to_owned);
        list.iter().filter_map(text).collect()
    };
    let mut wrong = Vec::new();
    let (mut names, mut statements, mut undone) = (Vec::new(), Vec::new(), Vec::new());
    for row in &shown.phases {
        if !row[0].is_empty() {
            let phase = phases
                .iter()
                .find(|phase| phase["phase"] == row[0].as_str());
            let steps = phase.and_then(|phase| phase["steps"].as_array());
            let steps = steps.map(Vec::as_slice).unwrap_or_default();
            statements = steps
                .iter()
                .flat_map(|step| texts(&step["statements"]))
                .collect();
            undone = steps.iter().flat_map(|step| texts(&step["undo"])).collect();
            names.push(row[0].as_str());
        }
        for (cell, known) in [(1, &statements), (3, &undone)] {
            for written in code(&row[cell]) {
                let is_sql = KEYWORDS.iter().any(|word| written.starts_with(word));
                if is_sql && !known.iter().any(|statement| is_written(written, statement)) {
                    wrong.push(format!("{names:?}: {written}\n  of {known:#?}"));
                }
            }
        }
    }
    let wanted: Vec<&str> = phases
        .iter()
        .filter_map(|phase| phase["phase"].as_str())
        .collect();
    if names != wanted {
        wrong.push(format!("the phases {names:?}, and not {wanted:?}"));
    }
    wrong
}

fn check(database: &Database, recipe: &str, shown: &Shown) -> Vec<String> {
    let file = plan_file(&shown.plan);
    let path = file.path().to_str().expect("a path of text");
    let checked = database.crossfade(&["check", path]);
    if checked.code != Some(0) {
        return vec![format!("{recipe}: {}", checked.stderr)];
    }
    let explained = database.crossfade(&["explain", path, "--format", "json"]);
    let differences = differences(shown, &explained.exits(0).json());
    let told = differences
        .into_iter()
        .map(|what| format!("{recipe}: {what}"));
    told.collect()
}

#[test]
fn the_plans_fit_the_example_tables_and_their_phases_and_statements_are_the_real_ones() {
    on_postgresql(async |database| {
        let tables = std::fs::read_to_string(plan("tables.sql")).expect("the tables");
        database.execute(&tables).await;
        let mut wrong = Vec::new();
        for recipe in Recipe::ALL {
            for shown in shown(&page(recipe.name)) {
                assert!(!shown.phases.is_empty(), "{}: {}", recipe.name, shown.plan);
                wrong.extend(check(database, recipe.name, &shown));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn a_statement_is_told_from_others() {
    for (written, statement, is_it) in [
        ("DROP VIEW a", "DROP VIEW a", true),
        ("DROP VIEW a", "DROP VIEW ab", false),
        ("UPDATE a SET b = …", "UPDATE a SET b = c WHERE d", true),
        ("UPDATE … WHERE d", "UPDATE a SET\n b = c\n WHERE d", true),
        ("UPDATE … WHERE d", "UPDATE a SET b = c WHERE d OR e", false),
    ] {
        assert_eq!(
            is_written(written, statement),
            is_it,
            "{written}: {statement}"
        );
    }
}

//! The pages hold together: every relative link leads to a file, and the book has every page.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// What stands between `](` and `)`, without addresses of other places and without the part after `#`.
fn relative_links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|link| !link.contains("://") && !link.starts_with('#'))
        .map(|link| link.split('#').next().unwrap_or(link))
        .collect()
}

#[test]
fn every_relative_link_of_a_page_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![
        root.join("README.md"),
        root.join("CHANGELOG.md"),
        root.join("src/ARCHITECTURE.md"),
    ];
    pages(&root.join("docs"), &mut found);
    pages(&root.join("benches"), &mut found);
    let mut links = 0;
    let mut broken = Vec::new();
    for page in &found {
        let text = fs::read_to_string(page).expect("a page");
        for link in relative_links(&text) {
            links += 1;
            let target = page.parent().expect("a folder").join(link);
            if !target.exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(links > 100, "only {links} links were found");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_broken_link_would_be_found() {
    let text = "see [one](a.md#part), [two](https://example.org/b.md) and [three](#here)";
    assert_eq!(relative_links(text), ["a.md"]);
}

/// The pages that `docs/SUMMARY.md` lists, in its order.
fn listed() -> Vec<PathBuf> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("the summary");
    let links = relative_links(&summary).into_iter();
    links.map(|link| docs.join(link)).collect()
}

#[test]
fn the_book_has_every_page_once_and_no_others() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut found = Vec::new();
    pages(&docs, &mut found);
    found.retain(|page| !page.ends_with("SUMMARY.md"));
    let found: BTreeSet<PathBuf> = found.into_iter().collect();
    let listed = listed();
    let once: BTreeSet<PathBuf> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), once.len(), "a page is listed twice");
    let lacking: Vec<_> = found.difference(&once).collect();
    let too_many: Vec<_> = once.difference(&found).collect();
    assert!(lacking.is_empty(), "not in SUMMARY.md: {lacking:#?}");
    assert!(
        too_many.is_empty(),
        "in SUMMARY.md and not there: {too_many:#?}"
    );
}

/// The name that a heading has in an address: lower case, words joined by hyphens, nothing else.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter => letter.is_alphanumeric().then_some(letter),
    });
    kept.collect()
}

/// The anchors of a page's headings, code blocks aside.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside && line.starts_with('#') {
            found.insert(anchor(line.trim_start_matches('#')));
        }
    }
    found
}

#[test]
fn every_link_within_the_book_leads_to_a_page_and_a_heading_of_it() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut broken = Vec::new();
    for page in listed() {
        let text = fs::read_to_string(&page).expect("a page");
        let links = text.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split([')', ' ']).next());
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            let is_page = target
                .extension()
                .is_some_and(|extension| extension == "md")
                && target
                    .canonicalize()
                    .is_ok_and(|target| target.starts_with(&docs));
            let has_heading = heading.is_empty()
                || fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(heading));
            if !is_page || !has_heading {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn an_anchor_is_made_as_the_book_makes_it() {
    assert_eq!(
        anchor(" What `no_references` sees"),
        "what-no_references-sees"
    );
    assert_eq!(anchor(" Whose approval it is"), "whose-approval-it-is");
    assert_eq!(anchors("# A b\n```\n# c\n```\n"), ["a-b".to_owned()].into());
}

/// What stands in backticks in the first cell of a table's rows.
fn messages(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let first = rows.filter_map(|line| line.trim_start_matches("| ").split(" | ").next());
    first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

/// The fixed parts of a message; what stands for names and numbers, and words too short to be looked for, are left out.
fn fixed_parts(message: &str) -> impl Iterator<Item = &str> {
    let parts = message.split(['…', ':']).map(str::trim);
    parts.filter(|part| part.len() >= 8)
}

#[test]
fn every_message_of_the_troubleshooting_page_is_one_of_the_programs() {
    fn sources(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(path).expect("a source file"));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut program = String::new();
    sources(&root.join("src"), &mut program);
    sources(&root.join("crates"), &mut program);
    let page = fs::read_to_string(root.join("docs/guides/troubleshooting.md")).expect("the page");
    let (own, _applications) = page
        .split_once("## In the application")
        .expect("the messages of the application come last");
    let found = messages(own);
    assert!(found.len() > 30, "only {} messages were found", found.len());
    let stale = found
        .into_iter()
        .filter(|message| fixed_parts(message).any(|part| !program.contains(part)));
    let stale: Vec<&str> = stale.collect();
    assert!(
        stale.is_empty(),
        "the program says none of these: {stale:#?}"
    );
}

#[test]
fn a_message_that_is_not_the_programs_would_be_found() {
    assert_eq!(
        messages("| `a … b` or `c` | d | e |\n|---|\ntext `f`"),
        ["a … b", "c"]
    );
    let parts: Vec<&str> = fixed_parts("attempt …: waiting for pid …").collect();
    assert_eq!(parts, ["waiting for pid"]);
}

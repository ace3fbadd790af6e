//! The pages hold together: every relative link leads to a file.

use std::{
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

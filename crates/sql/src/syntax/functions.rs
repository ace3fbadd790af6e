//! Functions that come with the server, as far as they are not volatile: one value of theirs serves all rows of a
//! statement. Source: `pg_proc` of PostgreSQL 15 (`provolatile` of every function of that name), with what 16 to 18
//! have added, and the same of the extensions in `contrib`. What is not in it may be volatile.

use crate::name::Name;
use std::{collections::BTreeSet, sync::LazyLock};

static BUILT_IN: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| words(include_str!("functions_built_in.txt")));
static OF_EXTENSIONS: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| words(include_str!("functions_extensions.txt")));
/// They look like functions, and are as volatile as what they are given.
const SYNTAX: [&str; 5] = ["coalesce", "greatest", "grouping", "least", "nullif"];

fn words(text: &'static str) -> BTreeSet<&'static str> {
    text.split_whitespace().collect()
}

/// Known not to be volatile. An extension may be in any schema; a built-in function is found without one.
pub fn is_evaluated_once(function: &Name) -> bool {
    let name = function.name.as_str();
    match function.schema.as_deref() {
        None => SYNTAX.contains(&name) || BUILT_IN.contains(name) || OF_EXTENSIONS.contains(name),
        Some("pg_catalog") => BUILT_IN.contains(name),
        Some(_) => OF_EXTENSIONS.contains(name),
    }
}

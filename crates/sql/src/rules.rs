//! The rules, one file each: what is wrong, why, and what to do instead. `docs/rules/` has a page for each.

pub mod allowance;
pub mod attach_without_proof;
pub mod cluster;
pub mod concurrently_in_transaction;
pub mod constraint_not_split;
pub mod ddl_in_body;
pub mod default_dropped;
pub mod detach_not_concurrent;
pub mod drop_column;
pub mod drop_database;
pub mod drop_policy;
pub mod drop_table;
pub mod enum_value_used_at_once;
pub mod filled_column;
pub mod identity_change;
pub mod index_not_concurrent;
pub mod inline_constraint;
pub mod lock_table;
pub mod long_under_lock;
pub mod missing_timeout;
pub mod refresh_not_concurrent;
pub mod rename;
pub mod replica_identity_nothing;
pub mod required_column;
pub mod revoke;
pub mod rewrite_under_lock;
pub mod row_security_without_policy;
pub mod scan_under_lock;
pub mod set_not_null_without_proof;
pub mod several_locks;
pub mod truncate;
pub mod type_change;
pub mod unclassified;
pub mod vacuum_full;
pub mod volatile_default;
pub mod whole_table_write;

use super::{
    classify::Target,
    lint::Site,
    name::Name,
    statement::{ConstraintKind, NewConstraint},
};
use crossfade_model::error::Severity;
use std::ops::Range;

pub struct Rule {
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    pub severity: Severity,
    pub when: When,
    pub check: fn(&Site<'_>) -> Vec<Found>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    /// It says in general what others say better.
    NothingElseFound,
}

/// What a rule has found. The range is bytes of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is not that of the rule.
    pub severity: Option<Severity>,
    pub range: Range<usize>,
    pub message: String,
    pub help: String,
}

impl Found {
    pub fn at(range: Range<usize>, message: String, help: String) -> Self {
        Self {
            severity: None,
            range,
            message,
            help,
        }
    }

    /// It may be harmless: it depends on what is not known here.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Some(Severity::Warning);
        self
    }

    /// The same about a table that the file has made perhaps.
    #[must_use]
    pub fn unless_new(mut self, table: &Name) -> Self {
        self.help = format!(
            "{} ({table} may be an old one: it is made under a condition, or IF NOT EXISTS)",
            self.help
        );
        self
    }

    /// The same where a function of the file that does it is called.
    #[must_use]
    pub fn called(mut self, routine: &Name, at: &Range<usize>) -> Self {
        self.range.clone_from(at);
        self.message = format!("{routine}() is called here: {}", self.message);
        self
    }
}

/// In the order in which they are asked: the general ones after those that know better.
pub const RULES: &[Rule] = &[
    index_not_concurrent::RULE,
    constraint_not_split::RULE,
    set_not_null_without_proof::RULE,
    volatile_default::RULE,
    filled_column::RULE,
    inline_constraint::RULE,
    required_column::RULE,
    default_dropped::RULE,
    identity_change::RULE,
    row_security_without_policy::RULE,
    drop_policy::RULE,
    revoke::RULE,
    replica_identity_nothing::RULE,
    type_change::RULE,
    rename::RULE,
    drop_table::RULE,
    drop_column::RULE,
    drop_database::RULE,
    truncate::RULE,
    vacuum_full::RULE,
    cluster::RULE,
    lock_table::RULE,
    attach_without_proof::RULE,
    detach_not_concurrent::RULE,
    refresh_not_concurrent::RULE,
    whole_table_write::RULE,
    ddl_in_body::RULE,
    concurrently_in_transaction::RULE,
    enum_value_used_at_once::RULE,
    unclassified::RULE,
    rewrite_under_lock::RULE,
    scan_under_lock::RULE,
    long_under_lock::RULE,
    several_locks::RULE,
    missing_timeout::RULE,
];

/// What going back may do: it takes away what was added.
pub const GOING_BACK: [&str; 3] = ["drop-column", "drop-table", "rename"];

pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// At most this many names in a message.
const NAMES_SHOWN_MAX: usize = 5;

fn list(targets: &[Target]) -> String {
    let mut names: Vec<String> = targets
        .iter()
        .take(NAMES_SHOWN_MAX)
        .map(ToString::to_string)
        .collect();
    if targets.len() > NAMES_SHOWN_MAX {
        names.push(format!("{} more", targets.len() - NAMES_SHOWN_MAX));
    }
    names.join(", ")
}

/// `one` and `two more` as a sentence has them.
fn names(all: &[&Name]) -> String {
    let targets: Vec<Target> = all
        .iter()
        .map(|name| Target::Table((*name).clone()))
        .collect();
    list(&targets)
}

fn constraint_words(constraint: &NewConstraint) -> String {
    match &constraint.kind {
        ConstraintKind::Check(_) => "a CHECK".to_owned(),
        ConstraintKind::NotNull { .. } => "a NOT NULL constraint".to_owned(),
        ConstraintKind::ForeignKey { references } => format!("a foreign key to {references}"),
        ConstraintKind::Unique { .. } => "UNIQUE".to_owned(),
        ConstraintKind::PrimaryKey { .. } => "a primary key".to_owned(),
        ConstraintKind::Exclude => "an exclusion constraint".to_owned(),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::lint::{Context, lint};

    /// The lines in which a rule finds something.
    pub fn lines(rule: &str, sql: &str) -> Vec<usize> {
        assert!(super::rule(rule).is_some(), "{rule}");
        lint(sql, &Context::default())
            .iter()
            .filter(|finding| finding.rule == rule)
            .map(|finding| finding.line)
            .collect()
    }

    /// The lines in which it finds an error.
    pub fn errors(rule: &str, sql: &str) -> Vec<usize> {
        let found = lint(sql, &Context::default());
        let errors = found.iter().filter(|finding| finding.is_error());
        errors
            .filter(|finding| finding.rule == rule)
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn every_rule_has_a_name_of_its_own_and_a_page() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
        for (at, rule) in RULES.iter().enumerate() {
            assert!(
                RULES[..at].iter().all(|other| other.name != rule.name),
                "{}",
                rule.name
            );
            let page = std::fs::read_to_string(folder.join(format!("{}.md", rule.name)));
            let page = page.unwrap_or_else(|error| panic!("{}: {error}", rule.name));
            assert!(
                page.starts_with(&format!("# `{}`", rule.name)),
                "{}",
                rule.name
            );
        }
        let pages = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(
            pages,
            RULES.len() + 1,
            "one page for each rule, and one for allowances"
        );
    }

    /// The text of the SQL blocks below the headings of a page, by whether the heading is that of the bad examples.
    fn examples(page: &str) -> [String; 2] {
        let mut texts = [String::new(), String::new()];
        let (mut bad, mut inside) = (false, false);
        for line in page.lines() {
            match line {
                "```sql" => inside = true,
                "```" => inside = false,
                _ if inside => texts[usize::from(bad)].push_str(&format!("{line}\n")),
                _ if line.starts_with("## ") => bad = line == "## For example",
                _ => {}
            }
        }
        texts
    }

    #[test]
    fn every_page_finds_its_bad_example_and_nothing_in_its_good_one() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
        for page in std::fs::read_dir(folder).unwrap() {
            let path = page.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let [good, bad] = examples(&std::fs::read_to_string(&path).unwrap());
            let rules = |sql: &str, errors_only: bool| -> Vec<String> {
                let found = lint(sql, &Context::default()).into_iter();
                let wanted = found.filter(|finding| finding.is_error() || !errors_only);
                wanted
                    .map(|finding| format!("{}:{} {}", finding.rule, finding.line, finding.message))
                    .collect()
            };
            assert_eq!(rules(&good, true), [""; 0], "the good way of {name}");
            let found = rules(&bad, false);
            assert!(
                found
                    .iter()
                    .any(|found| found.starts_with(&format!("{name}:"))),
                "{name}: {found:?}"
            );
        }
    }
}

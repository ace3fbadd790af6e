//! Tables, views and schemas that go.

use super::{Found, Rule, When};
use crate::analysis::{lint::Site, statement::Kind};
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "drop-table",
    summary: "a table is dropped, with its rows",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let what = match &site.statement.kind {
        Kind::DropTable { tables, .. } => {
            let old: Vec<String> = tables
                .iter()
                .filter(|table| !site.is_new(table))
                .map(ToString::to_string)
                .collect();
            if old.is_empty() {
                return Vec::new();
            }
            old.join(", ")
        }
        Kind::DropOther { .. } => "everything in it".to_owned(),
        _ => return Vec::new(),
    };
    vec![site.found(
        format!("{what} and its rows are gone for good, and every statement that still uses it fails; the tables that foreign keys join to it are locked too"),
        "first rename it out of sight, and drop it when nothing has missed it; drop its foreign keys one by one before".to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    #[test]
    fn old_tables_are_found_and_new_ones_are_not() {
        let rule = "drop-table";
        assert_eq!(
            lines(
                rule,
                "DROP TABLE IF EXISTS a, b CASCADE;\nDROP SCHEMA s CASCADE;"
            ),
            [1, 2]
        );
        assert_eq!(
            lines(
                rule,
                "CREATE TEMP TABLE n AS SELECT 1;\nDROP TABLE n;\nDROP VIEW v;"
            ),
            [0; 0]
        );
    }
}

//! Columns that go.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::ChangeKind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "drop-column",
    summary: "a column is dropped, with its values",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let dropped = site.changes().filter_map(|(table, change)| match &change.kind {
        ChangeKind::DropColumn { column, .. } => Some(Found {
            severity: None,
            range: change.range.clone(),
            message: format!(
                "{table}.{column} and its values are gone for good, and every statement that still names it fails"
            ),
            help: "a plan's `retire_column` renames it out of sight first, which one command undoes; then `drop_column`".to_owned(),
        }),
        _ => None,
    });
    dropped.collect()
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn each_column_is_found() {
        assert_eq!(
            lines(
                "drop-column",
                "ALTER TABLE t\n  DROP COLUMN a,\n  DROP IF EXISTS b;"
            ),
            [2, 3]
        );
        assert_eq!(
            lines(
                "drop-column",
                "ALTER TABLE t ALTER a DROP DEFAULT, ALTER a DROP NOT NULL;"
            ),
            [0; 0]
        );
    }
}

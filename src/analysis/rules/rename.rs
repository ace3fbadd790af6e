//! Names that the running version of the application still uses.

use super::{Found, Rule, When};
use crate::analysis::{lint::Site, statement::ChangeKind};
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "rename",
    summary: "a table or column is renamed under the running application",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let (what, help) = match &change.kind {
            ChangeKind::RenameColumn { from, to } => (
                format!("{table}.{from} becomes {to}"),
                "the recipe `rename_column` keeps both names in step until nobody uses the old one",
            ),
            ChangeKind::RenameTable { to } => (
                format!("{table} becomes {to}"),
                "rename the table and make a view of its old name in the same transaction; drop the view when nobody uses it",
            ),
            ChangeKind::SetSchema { schema } => (
                format!("{table} goes to the schema {schema}"),
                "leave a view of the old name behind, in the same transaction",
            ),
            _ => continue,
        };
        found.push(Found {
            range: change.range.clone(),
            message: format!("{what}: from then on every statement of the running application that uses the old name fails"),
            help: help.to_owned(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    #[test]
    fn names_that_go_away_are_found() {
        let rule = "rename";
        assert_eq!(
            lines(
                rule,
                "ALTER TABLE t RENAME a TO b;\nALTER TABLE t RENAME TO u;\nALTER TABLE t SET SCHEMA s;"
            ),
            [1, 2, 3]
        );
        assert_eq!(
            lines(
                rule,
                "ALTER TABLE t RENAME CONSTRAINT a TO b;\nCREATE TABLE n ();\nALTER TABLE n RENAME TO m;\nALTER TABLE m RENAME TO k;"
            ),
            [0; 0]
        );
    }
}

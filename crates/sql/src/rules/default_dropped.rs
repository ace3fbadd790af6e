//! Defaults that the running version relies on.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::ChangeKind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "default-dropped",
    summary: "the default of a NOT NULL column is dropped, so that INSERTs which do not name it fail",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let ChangeKind::ColumnDefault {
            column,
            dropped: true,
        } = &change.kind
        else {
            continue;
        };
        // Of a column that is new to the running version `required-column` tells.
        if site.is_added(table, column) || loses_not_null(site, column) {
            continue;
        }
        let known = site.state.catalog.table(table);
        let is_not_null = known.is_some_and(|known| known.proves_not_null(column));
        let is_nullable = known.is_some_and(|known| known.column(column).is_some());
        let help = "leave the default until every version of the application that runs names the column in its INSERTs";
        if is_not_null {
            let message = format!(
                "{table}.{column} is NOT NULL and loses its default: every INSERT of the running version that does not name the column fails from here on"
            );
            found.push(Found::at(change.range.clone(), message, help.to_owned()));
        } else if !is_nullable {
            let message = format!(
                "{table}.{column} loses its default: if it is NOT NULL, which is not in this file, every INSERT of the running version that does not name the column fails from here on"
            );
            found.push(Found::at(change.range.clone(), message, help.to_owned()).warning());
        }
    }
    found
}

/// The same statement lets it be NULL.
fn loses_not_null(site: &Site<'_>, column: &str) -> bool {
    let mut changes = site.changes();
    changes.any(|(_, change)| {
        matches!(&change.kind, ChangeKind::DropNotNull { column: dropped } if dropped == column)
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    const RULE: &str = "default-dropped";

    #[test]
    fn whether_a_column_may_be_null_decides() {
        let proven = "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\nALTER TABLE t ALTER a DROP DEFAULT;";
        assert_eq!(errors(RULE, proven), [3]);
        let null = proven.replace("DROP DEFAULT", "SET DEFAULT NULL");
        assert_eq!(errors(RULE, &null), [3]);
        let unknown = "ALTER TABLE t ALTER a DROP DEFAULT;";
        assert_eq!(
            (errors(RULE, unknown), lines(RULE, unknown)),
            (vec![], vec![1])
        );
        for good in [
            "ALTER TABLE t ALTER a SET DEFAULT 1;",
            "ALTER TABLE t ALTER a DROP NOT NULL, ALTER a DROP DEFAULT;",
            "ALTER TABLE t ADD a int DEFAULT 1; ALTER TABLE t ALTER a DROP DEFAULT;",
            "CREATE TABLE n (a int NOT NULL DEFAULT 1); ALTER TABLE n ALTER a DROP DEFAULT;",
        ] {
            assert_eq!(lines(RULE, good), [0; 0], "{good}");
        }
    }
}

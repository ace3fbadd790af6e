//! Constraints within ADD COLUMN.

use super::{Found, Rule, When, constraint_words};
use crate::{
    lint::Site,
    statement::{ChangeKind, ConstraintKind},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "inline-constraint",
    summary: "a column is added together with a constraint that is checked or built at once",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let ChangeKind::AddColumn(column) = &change.kind else {
            continue;
        };
        if site.is_foreign(table) {
            continue;
        }
        for constraint in &column.constraints {
            // Nobody waits for a new table, and a column without a value references nothing.
            if let ConstraintKind::ForeignKey { references } = &constraint.kind
                && column.default.is_none()
                && (site.is_new(references) || references.same(table))
            {
                continue;
            }
            let message = match &constraint.kind {
                ConstraintKind::ForeignKey { references } if column.default.is_none() => format!(
                    "{} locks both {table} and {references}: neither can be written while the other is waited for",
                    constraint_words(constraint)
                ),
                _ => format!(
                    "{} within ADD COLUMN is checked against every row of {table} while the application can neither read nor write",
                    constraint_words(constraint)
                ),
            };
            found.push(Found {
                severity: None,
                range: constraint.range.clone(),
                message,
                help: "add the column alone; then the constraint NOT VALID and VALIDATE CONSTRAINT, or by an index that was made CONCURRENTLY".to_owned(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn constraints_of_a_new_column_are_found() {
        let rule = "inline-constraint";
        let bad = "ALTER TABLE t ADD a int UNIQUE;\nALTER TABLE t ADD b int\n  CHECK (b > 0);\nALTER TABLE t ADD c int REFERENCES o (id);\nALTER TABLE t ADD d int PRIMARY KEY;";
        assert_eq!(lines(rule, bad), [1, 3, 4, 5]);
        assert_eq!(
            lines(
                rule,
                "ALTER TABLE t ADD a int NOT NULL DEFAULT 0;\nCREATE TABLE n (a int UNIQUE);\nALTER TABLE t ADD b int REFERENCES n (a);\nALTER TABLE t ADD c int REFERENCES t;"
            ),
            [0; 0]
        );
    }
}

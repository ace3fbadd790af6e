//! Constraints that are checked, or built, while the application waits.

use super::{Found, Rule, When, constraint_words};
use crate::{
    lint::Site,
    name::Name,
    statement::{ChangeKind, ConstraintKind, NewConstraint},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "constraint-not-split",
    summary: "a constraint is added and checked in one step",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let ChangeKind::AddConstraint(constraint) = &change.kind else {
            continue;
        };
        if site.effects_of(table, change).scans.is_empty() {
            continue;
        }
        let help = match &constraint.kind {
            ConstraintKind::Check(_)
            | ConstraintKind::ForeignKey { .. }
            | ConstraintKind::NotNull { .. } => {
                "add it NOT VALID, which is at once, and then ALTER TABLE … VALIDATE CONSTRAINT, which lets the application work"
            }
            ConstraintKind::Unique { .. } => {
                "CREATE UNIQUE INDEX CONCURRENTLY first, and then ADD CONSTRAINT … UNIQUE USING INDEX"
            }
            ConstraintKind::PrimaryKey { .. } => {
                "CREATE UNIQUE INDEX CONCURRENTLY and SET NOT NULL by a validated CHECK first, and then ADD PRIMARY KEY USING INDEX"
            }
            ConstraintKind::Exclude => {
                "an exclusion constraint cannot be split: add it to a new table, and move the rows over"
            }
        };
        let perhaps = if is_perhaps_proven(site, table, constraint) {
            " unless every column of the index is NOT NULL already, which is not in this file"
        } else {
            ""
        };
        let it = Found::at(
            change.range.clone(),
            format!(
                "{} on {table} is checked against every row while the application cannot write{perhaps}",
                constraint_words(constraint)
            ),
            help.to_owned(),
        );
        found.push(if perhaps.is_empty() { it } else { it.warning() });
    }
    found
}

/// A primary key by an index that is there reads the table only where a column may be NULL. Nothing is known of it here.
fn is_perhaps_proven(site: &Site<'_>, table: &Name, constraint: &NewConstraint) -> bool {
    let ConstraintKind::PrimaryKey {
        index: Some(index), ..
    } = &constraint.kind
    else {
        return false;
    };
    let known = site.state.catalog.table(table);
    let is_not_null = |column: &String| {
        let column = known.and_then(|known| known.column(column));
        column.map(|column| column.not_null)
    };
    match known.and_then(|known| known.index(index)) {
        Some(index) => !index
            .columns
            .iter()
            .any(|column| is_not_null(column) == Some(false)),
        None => !known.is_some_and(|known| known.complete),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    #[test]
    fn what_is_checked_at_once_is_found() {
        let rule = "constraint-not-split";
        let bad = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);\nALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o;\n\
                   ALTER TABLE t ADD UNIQUE (a);\nALTER TABLE t ADD PRIMARY KEY (a);\nALTER TABLE t ADD EXCLUDE USING gist (a WITH =);";
        assert_eq!(lines(rule, bad), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_split_is_not() {
        let good = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\n\
                    ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i;\nCREATE TABLE n (a int);\nALTER TABLE n ADD CHECK (a > 0);";
        assert_eq!(lines("constraint-not-split", good), [0; 0]);
    }

    #[test]
    fn a_primary_key_by_an_index_of_unknown_columns_is_a_warning() {
        let rule = "constraint-not-split";
        let unknown = "ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING INDEX i;";
        assert_eq!(
            (errors(rule, unknown), lines(rule, unknown)),
            (vec![], vec![1])
        );
        let nullable = "ALTER TABLE t ADD a int;\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (a);\nALTER TABLE t ADD PRIMARY KEY USING INDEX i;";
        assert_eq!(errors(rule, nullable), [3]);
    }

    #[test]
    fn a_primary_key_over_proven_columns_is_not() {
        let good = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);\nALTER TABLE t ADD CONSTRAINT p CHECK (a IS NOT NULL) NOT VALID;\n\
                    ALTER TABLE t VALIDATE CONSTRAINT p;\nALTER TABLE t ALTER a SET NOT NULL;\nALTER TABLE t ADD PRIMARY KEY USING INDEX i;";
        assert_eq!(lines("constraint-not-split", good), [0; 0]);
    }
}

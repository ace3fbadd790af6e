//! Columns that get another type in place.

use super::{Found, Rule, When};
use crate::analysis::{lint::Site, statement::ChangeKind};
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "type-change",
    summary: "a column's type is changed in a way that copies the table or builds its indexes anew",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let ChangeKind::SetType(new) = &change.kind else {
            continue;
        };
        let effects = site.effects_of(table, change);
        let known = site
            .state
            .catalog
            .table(table)
            .and_then(|known| known.column(&new.column));
        let from = known.map_or_else(
            || " (its type is not known here; only widening a varchar or a numeric and going to text is free)".to_owned(),
            |column| format!(" from {}", column.type_name),
        );
        let cost = if !effects.rewrites.is_empty() {
            "copies the whole table"
        } else if !effects.scans.is_empty() {
            "builds the indexes anew"
        } else {
            continue;
        };
        found.push(Found {
            severity: None,
            range: change.range.clone(),
            message: format!(
                "changing {table}.{} to {}{from} {cost} while the application can neither read nor write",
                new.column, new.type_name
            ),
            help: "the recipe `change_column_type` does it with a second column, kept in step and filled in batches".to_owned(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    #[test]
    fn only_what_is_known_to_be_free_is_free() {
        let rule = "type-change";
        let bad = "ALTER TABLE t ALTER a TYPE bigint;\nALTER TABLE t ALTER a TYPE text USING lower(a);\nALTER TABLE t ALTER COLUMN a SET DATA TYPE varchar(5);";
        assert_eq!(lines(rule, bad), [1, 2, 3]);
        // After the first its type is known.
        let good = "ALTER TABLE t ALTER a TYPE varchar(50);\nALTER TABLE t ALTER a TYPE varchar(90);\nALTER TABLE t ALTER a TYPE text USING a::text;";
        assert_eq!(lines(rule, good), [1]);
    }
}

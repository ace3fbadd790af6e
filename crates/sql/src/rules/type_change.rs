//! Columns that get another type in place.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::ChangeKind, types::free_from};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "type-change",
    summary: "a column's type is changed in a way that copies the table or rebuilds its indexes",
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
        let from = known.map_or_else(String::new, |column| format!(" from {}", column.type_name));
        let unless = free_from(&new.type_name).filter(|_| known.is_none() && !new.computed);
        let perhaps = unless.map_or_else(String::new, |unless| {
            format!(", unless it is {unless} now, which is not in this file")
        });
        let cost = if !effects.rewrites.is_empty() {
            "copies the whole table"
        } else if !effects.scans.is_empty() {
            "rebuilds the indexes"
        } else {
            continue;
        };
        let it = Found::at(
            change.range.clone(),
            format!(
                "changing {table}.{} to {}{from} {cost} while the application can neither read nor write{perhaps}",
                new.column, new.type_name
            ),
            "the recipe `change_column_type` does it with a second column, kept in step and filled in batches".to_owned(),
        );
        // Most often it was a varchar.
        let is_text = unless.is_some()
            && matches!(
                new.type_name.as_str(),
                "text" | "varchar" | "character varying"
            );
        found.push(if is_text && new.collation.is_none() {
            it.warning()
        } else {
            it
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    #[test]
    fn only_what_is_known_to_be_free_is_free() {
        let rule = "type-change";
        let bad = "ALTER TABLE t ALTER a TYPE bigint;\nALTER TABLE t ALTER a TYPE text USING lower(a);\nALTER TABLE t ALTER COLUMN a SET DATA TYPE varchar(5);";
        assert_eq!(lines(rule, bad), [1, 2, 3]);
        // After the first its type is known.
        let good = "ALTER TABLE t ALTER a TYPE varchar(50);\nALTER TABLE t ALTER a TYPE varchar(90);\nALTER TABLE t ALTER a TYPE text USING a::text;";
        assert_eq!(lines(rule, good), [1]);
        let checked = "ALTER TABLE t ALTER a TYPE varchar(50);\nALTER TABLE t ADD CHECK (a <> '') NOT VALID;\nALTER TABLE t ALTER a TYPE varchar(90);";
        assert_eq!(lines(rule, checked), [1, 3]);
        let text = "ALTER TABLE t ALTER a TYPE text;\nALTER TABLE t ALTER b SET DATA TYPE TEXT COLLATE \"C\";";
        assert_eq!(
            (lines(rule, text), errors(rule, text)),
            (vec![1, 2], vec![2])
        );
    }
}

//! Columns that the running version's INSERTs would have to name.

use super::{Found, Rule, When};
use crate::{
    lint::Site,
    name::Name,
    statement::{ChangeKind, ConstraintKind, NewColumn},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "required-column",
    summary: "a new column is NOT NULL and has no default, so that INSERTs which do not name it fail",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut added: Vec<(&str, bool)> = Vec::new();
    for (table, change) in site.changes() {
        let message = match &change.kind {
            ChangeKind::AddColumn(column) => {
                added.push((&column.name, has_value(column)));
                if !column.not_null || has_value(column) || is_key(column) {
                    continue;
                }
                format!(
                    "{} is NOT NULL and has no default: this fails if {table} has a row, and every INSERT of the running version, which does not name the column, fails",
                    column.name
                )
            }
            ChangeKind::ColumnDefault {
                column,
                dropped: true,
            } if site.is_added(table, column) && is_not_null(site, table, column) => format!(
                "{column} was added here, is NOT NULL and loses its default: every INSERT of the running version, which does not name the column, fails from here on"
            ),
            ChangeKind::SetNotNull { column }
                if is_without_default(site, table, column, &added) =>
            {
                format!(
                    "{column} was added here, has no default and becomes NOT NULL: every INSERT of the running version, which does not name the column, fails from here on"
                )
            }
            _ => continue,
        };
        found.push(Found::at(
            change.range.clone(),
            message,
            "give it a DEFAULT, which is kept in the catalog and costs nothing, and leave it until no process of the old version runs; or leave it nullable until then".to_owned(),
        ));
    }
    found
}

fn has_value(column: &NewColumn) -> bool {
    column.default.is_some() || column.fill.is_some()
}

/// That is told by another rule.
fn is_key(column: &NewColumn) -> bool {
    let mut kinds = column.constraints.iter().map(|constraint| &constraint.kind);
    kinds.any(|kind| matches!(kind, ConstraintKind::PrimaryKey { .. }))
}

fn is_not_null(site: &Site<'_>, table: &Name, column: &str) -> bool {
    let known = site.state.catalog.table(table);
    known.is_some_and(|known| known.proves_not_null(column))
}

fn is_without_default(site: &Site<'_>, table: &Name, column: &str, added: &[(&str, bool)]) -> bool {
    let here = added.iter().find(|(name, _)| *name == column);
    let before = site
        .state
        .catalog
        .table(table)
        .and_then(|known| known.added.get(column));
    match (here, before) {
        (Some((_, has_default)), _) => !has_default,
        (None, Some(has_default)) => !has_default,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn what_a_running_version_does_not_name_is_found() {
        let rule = "required-column";
        for bad in [
            "ALTER TABLE t ADD a int NOT NULL;",
            "ALTER TABLE t ADD a int NOT NULL UNIQUE;",
            "ALTER TABLE t ADD a int NOT NULL DEFAULT 1; ALTER TABLE t ALTER a DROP DEFAULT;",
            "ALTER TABLE t ADD a int; ALTER TABLE t ALTER a SET NOT NULL;",
            "ALTER TABLE t ADD a int, ALTER a SET NOT NULL;",
        ] {
            assert_eq!(lines(rule, bad), [1], "{bad}");
        }
        for good in [
            "ALTER TABLE t ADD a int NOT NULL DEFAULT 1;",
            "ALTER TABLE t ADD a int;",
            "ALTER TABLE t ADD a bigserial NOT NULL;",
            "ALTER TABLE t ADD a int NOT NULL GENERATED ALWAYS AS IDENTITY;",
            "CREATE TABLE n (a int NOT NULL); ALTER TABLE n ADD b int NOT NULL;",
            "ALTER TABLE t ALTER a DROP DEFAULT;",
            "ALTER TABLE t ADD a int DEFAULT 1; ALTER TABLE t ALTER a DROP DEFAULT;",
            "ALTER TABLE t ADD a int; ALTER TABLE t ALTER a SET DEFAULT 1; ALTER TABLE t ALTER a SET NOT NULL;",
        ] {
            assert_eq!(lines(rule, good), [0; 0], "{good}");
        }
    }
}

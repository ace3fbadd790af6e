//! Columns that are filled as they are added.

use super::{Found, Rule, When};
use crate::analysis::{
    lint::Site,
    statement::{ChangeKind, ColumnFill},
};
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "filled-column",
    summary: "a serial, identity or stored generated column is added to a table with rows",
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
        let (what, help) = match column.fill {
            Some(ColumnFill::Serial) => (
                "a serial column",
                "add an integer column, a sequence of its own and SET DEFAULT nextval(…), and fill the old rows in batches",
            ),
            Some(ColumnFill::Identity) => (
                "an identity column",
                "add a plain column, fill it in batches, SET NOT NULL by a validated CHECK, and then ADD GENERATED … AS IDENTITY",
            ),
            Some(ColumnFill::GeneratedStored) => (
                "a stored generated column",
                "add a plain column that a trigger keeps and a backfill fills; or from PostgreSQL 18 on a VIRTUAL one",
            ),
            Some(ColumnFill::GeneratedVirtual) | None => continue,
        };
        found.push(Found {
            range: change.range.clone(),
            message: format!(
                "{what} gets its value in every row: all of {table} is written anew while the application can neither read nor write"
            ),
            help: help.to_owned(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    #[test]
    fn columns_with_a_value_for_every_row_are_found() {
        let rule = "filled-column";
        let bad = "ALTER TABLE t ADD a bigserial;\nALTER TABLE t ADD b int GENERATED ALWAYS AS IDENTITY;\nALTER TABLE t ADD c int GENERATED ALWAYS AS (a + 1) STORED;";
        assert_eq!(lines(rule, bad), [1, 2, 3]);
        assert_eq!(
            lines(
                rule,
                "ALTER TABLE t ADD a int GENERATED ALWAYS AS (b) VIRTUAL;\nCREATE TABLE n (a serial);"
            ),
            [0; 0]
        );
    }
}

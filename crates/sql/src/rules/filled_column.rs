//! Columns that are filled as they are added.

use super::{Found, Rule, When};
use crate::{
    lint::Site,
    name::Name,
    statement::{Change, ChangeKind, ColumnFill},
    types::is_known,
};
use crossfade_model::error::Severity;

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
        if site.is_foreign(table) {
            continue;
        }
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
            Some(ColumnFill::GeneratedVirtual) | None => {
                found.extend(perhaps_a_domain(site, table, change, &column.type_name));
                continue;
            }
        };
        found.push(Found {
            severity: None,
            range: change.range.clone(),
            message: format!(
                "{what} gets its value in every row: all of {table} is rewritten while the application can neither read nor write"
            ),
            help: help.to_owned(),
        });
    }
    found
}

/// A value of a domain is checked in every row. Whether it is one is written elsewhere.
fn perhaps_a_domain(
    site: &Site<'_>,
    table: &Name,
    change: &Change,
    type_name: &str,
) -> Option<Found> {
    let catalog = &site.state.catalog;
    if is_known(type_name)
        || catalog.has_type(type_name)
        || catalog.has_constrained_domain(type_name)
    {
        return None;
    }
    let message = format!(
        "this file does not define {type_name}: if it is a domain with a constraint, all of {table} is rewritten while the application can neither read nor write"
    );
    let help = "a column of the type that the domain is over, with the constraint added NOT VALID and validated; if it is no such domain, all is well";
    Some(Found::at(change.range.clone(), message, help.to_owned()).warning())
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

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

    #[test]
    fn a_type_that_is_not_known_may_be_a_domain() {
        let rule = "filled-column";
        let sql = "ALTER TABLE t ADD a positive;\nALTER TABLE t ADD b app.positive DEFAULT 1;\nCREATE DOMAIN d AS int CHECK (value > 0);\nALTER TABLE t ADD c d;";
        assert_eq!(lines(rule, sql), [1, 2]);
        assert_eq!(errors(rule, sql), [0; 0]);
        assert_eq!(errors("rewrite-under-lock", sql), [4]);
        let labelled = "ALTER TYPE app.e ADD VALUE 'b';\nALTER TABLE t ADD a app.e DEFAULT 'a', ADD b app.e NOT NULL DEFAULT 'a'::app.e;";
        assert_eq!(lines(rule, labelled), [0; 0]);
        let good = "CREATE TYPE e AS ENUM ('a');\nALTER TABLE t ADD a e, ADD b e[], ADD c varchar(5)[], ADD d timestamp(3) with time zone;\n\
                    CREATE DOMAIN d AS int;\nALTER TABLE t ADD f d, ADD g public.citext, ADD h geometry(Point,4326), ADD i double precision, ADD j pg_catalog.int4, ADD k national character varying(5);";
        assert_eq!(lines(rule, good), [0; 0]);
    }
}

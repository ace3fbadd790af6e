//! Names that the running version of the application still uses.

use super::{Found, Rule, When};
use crate::{
    lint::Site,
    name::Name,
    statement::{ChangeKind, Kind, Object, Renaming},
};
use crossfade_model::error::Severity;
use std::ops::Range;

pub const RULE: Rule = Rule {
    name: "rename",
    summary: "a table, a column or something else is renamed under the running application",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    if let Kind::RenameObject {
        object,
        name,
        renaming,
    } = &site.statement.kind
    {
        return object_renamed(site, *object, name, renaming)
            .into_iter()
            .collect();
    }
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let (what, help, stays) = match &change.kind {
            ChangeKind::RenameColumn { from, to } => (
                format!("{table}.{from} becomes {to}"),
                "the recipe `rename_column` keeps both names in step until nobody uses the old one",
                // Added above: nobody knows it.
                site.is_added(table, from),
            ),
            ChangeKind::RenameTable { to } => (
                format!("{table} becomes {to}"),
                "rename the table and make a view of its old name in the same transaction; drop the view when nobody uses it",
                false,
            ),
            ChangeKind::SetSchema { schema } => (
                format!("{table} goes to the schema {schema}"),
                "leave a view of the old name behind, in the same transaction",
                false,
            ),
            _ => continue,
        };
        let is_column = matches!(change.kind, ChangeKind::RenameColumn { .. });
        if stays || (!is_column && site.is_replaced(table)) {
            continue;
        }
        let gap = !is_column && site.comes_again(table);
        found.push(told(change.range.clone(), &what, help, gap));
    }
    found
}

/// Where something of the old name comes again, it is missing for a moment only.
fn told(range: Range<usize>, what: &str, help: &str, gap: bool) -> Found {
    if gap {
        let message = format!(
            "{what}, and something of that name comes again only later: until then every statement that uses it fails"
        );
        return Found::at(range, message, "put both into one transaction".to_owned()).warning();
    }
    let message = format!(
        "{what}: from then on every statement of the running application that uses the old name fails"
    );
    Found::at(range, message, help.to_owned())
}

fn object_renamed(
    site: &Site<'_>,
    object: Object,
    name: &Name,
    renaming: &Renaming,
) -> Option<Found> {
    if site.is_new_object(object, name) || site.is_new(name) {
        return None;
    }
    let kind = object.as_str();
    let (what, may_come_again) = match renaming {
        Renaming::Name(to) => (format!("the {kind} {name} becomes {to}"), true),
        Renaming::Schema(to) => (format!("the {kind} {name} goes to the schema {to}"), true),
        Renaming::Part(from, to) => (format!("{from} of the {kind} {name} becomes {to}"), false),
    };
    if may_come_again && site.is_replaced(name) {
        return None;
    }
    let help = match (object, renaming) {
        (_, Renaming::Part(..)) => {
            "add the new one beside it, and take the old one away when nobody uses it"
        }
        (Object::View | Object::MaterializedView, _) => {
            "make a second view of the new name, and drop the old one when nobody uses it"
        }
        (Object::Routine, _) => {
            "make a second function of the new name, and drop the old one when nobody calls it"
        }
        _ => "rename it when no version of the application names it",
    };
    let gap = may_come_again && site.comes_again(name);
    let found = told(site.statement.range.clone(), &what, help, gap);
    // Columns go on having the type, and defaults the sequence: only who names them fails.
    let seldom_named = matches!(object, Object::Type | Object::Domain | Object::Sequence)
        && !matches!(renaming, Renaming::Part(..));
    Some(if seldom_named { found.warning() } else { found })
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    #[test]
    fn what_is_no_table_has_a_name_too() {
        let sql = "ALTER VIEW v RENAME TO w;\nALTER FUNCTION f(int) RENAME TO g;\nALTER TYPE e RENAME TO g;\nALTER SCHEMA s RENAME TO r;\n\
                   ALTER SEQUENCE s SET SCHEMA x;\nALTER MATERIALIZED VIEW m RENAME TO n;\nALTER DOMAIN d RENAME TO c;\n\
                   ALTER TYPE e RENAME VALUE 'a' TO 'b';\nALTER TYPE e RENAME ATTRIBUTE a TO b;\nALTER VIEW v RENAME COLUMN a TO b;\nALTER PROCEDURE p() SET SCHEMA x;";
        assert_eq!(lines("rename", sql), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(errors("rename", sql), [1, 2, 4, 6, 8, 9, 10, 11]);
    }

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
        for good in [
            "BEGIN;ALTER TABLE t RENAME TO old;ALTER TABLE new RENAME TO t;COMMIT;",
            "BEGIN;ALTER TABLE t RENAME TO u;CREATE VIEW t AS SELECT * FROM u;COMMIT;",
            "BEGIN;ALTER TYPE e RENAME TO old;CREATE TYPE e AS ENUM ('a');COMMIT;",
            "CREATE VIEW v AS SELECT 1;ALTER VIEW v RENAME TO w;",
            "ALTER TABLE t ADD a int;ALTER TABLE t RENAME a TO b;",
            "ALTER SEQUENCE s RESTART 5;ALTER VIEW v ALTER a SET DEFAULT 1;",
        ] {
            let found = errors(rule, good);
            // What takes a name that was free is renamed under nobody else.
            assert!(
                found.len() <= usize::from(good.contains("TABLE new")),
                "{good}: {found:?}"
            );
        }
    }
}

//! Tables, views, schemas and other things that go.

use super::{Found, Rule, When, names};
use crate::{
    lint::Site,
    name::Name,
    statement::{Kind, Object},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "drop-table",
    summary: "a table is dropped with its rows, or a view, function, type or sequence that may be in use",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    match &site.statement.kind {
        Kind::DropTable {
            tables, foreign, ..
        } => {
            let old: Vec<&Name> = tables.iter().filter(|table| !site.is_new(table)).collect();
            if old.is_empty() {
                return Vec::new();
            }
            if *foreign || old.iter().all(|table| site.is_foreign(table)) {
                // Its rows stay where they are.
                return vec![gone(site, &format!("the foreign table {}", names(&old)))];
            }
            rows_gone(site, &names(&old))
        }
        Kind::DropOther { cascade: true } => rows_gone(site, "everything in it"),
        // It fails as long as anything is in it.
        Kind::DropOther { cascade: false } => vec![gone(site, "what is dropped here").warning()],
        Kind::DropView { views, .. } => objects(site, Object::View, views),
        Kind::DropObjects { object, names } => objects(site, *object, names),
        _ => Vec::new(),
    }
}

fn rows_gone(site: &Site<'_>, what: &str) -> Vec<Found> {
    vec![site.found(
        format!("{what} and its rows are gone for good, and every statement that still uses it fails; the tables that foreign keys join to it are locked too, and the one that it is a partition of"),
        "first rename it out of sight, and drop it when nothing has missed it; drop its foreign keys one by one before".to_owned(),
    )]
}

fn gone(site: &Site<'_>, what: &str) -> Found {
    site.found(
        format!("every statement of the running application that still uses {what} fails from here on"),
        "drop it when no version of the application uses it any more; what is to be exchanged: CREATE OR REPLACE, or DROP and CREATE in one transaction".to_owned(),
    )
}

fn objects(site: &Site<'_>, object: Object, dropped: &[Name]) -> Vec<Found> {
    let is_old = |name: &&Name| !site.is_new_object(object, name) && !site.is_new(name);
    let old: Vec<&Name> = dropped
        .iter()
        .filter(is_old)
        .filter(|name| !site.is_replaced(name))
        .collect();
    if old.is_empty() {
        return Vec::new();
    }
    let what = format!("the {} {}", object.as_str(), names(&old));
    if old.iter().all(|name| site.comes_again(name)) {
        let message = format!(
            "{what} is made again only later: until then every statement that uses it fails"
        );
        let help = "CREATE OR REPLACE, or DROP and CREATE in one transaction";
        return vec![site.found(message, help.to_owned()).warning()];
    }
    let found = gone(site, &what);
    // The server refuses to drop what tables still use: only who names it would miss it.
    let seldom_named = !matches!(object, Object::View | Object::MaterializedView);
    vec![if seldom_named { found.warning() } else { found }]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    #[test]
    fn old_tables_are_found_and_new_ones_are_not() {
        let rule = "drop-table";
        assert_eq!(
            lines(
                rule,
                "DROP TABLE IF EXISTS a, b CASCADE;\nDROP SCHEMA s CASCADE;\nDROP OWNED BY joe;"
            ),
            [1, 2, 3]
        );
        assert_eq!(
            lines(
                rule,
                "CREATE TEMP TABLE n AS SELECT 1;\nDROP TABLE n;\nCREATE VIEW v AS SELECT 1;\nDROP VIEW v;"
            ),
            [0; 0]
        );
    }

    #[test]
    fn going_back_takes_away_what_was_added() {
        let sql = "-- +goose Up\nCREATE TABLE t (a int);\nDROP TABLE u;\n-- +goose Down\nDROP TABLE t;\nCREATE INDEX i ON u (a);\nCREATE INDEX CONCURRENTLY j ON u (a);";
        assert_eq!(lines("drop-table", sql), [3]);
        assert_eq!(lines("index-not-concurrent", sql), [6]);
        assert_eq!(lines("concurrently-in-transaction", sql), [7]);
        let alone = format!("-- +goose NO TRANSACTION\n{sql}");
        assert_eq!(lines("concurrently-in-transaction", &alone), [0; 0]);
    }

    #[test]
    fn what_is_no_table_may_be_in_use_too() {
        let rule = "drop-table";
        let sql = "DROP VIEW v;\nDROP MATERIALIZED VIEW m;\nDROP FUNCTION f(int);\nDROP TYPE e;\nDROP SEQUENCE s;\nDROP DOMAIN d;\n\
                   DROP PROCEDURE p;\nDROP EXTENSION x;\nDROP AGGREGATE a(int);\nDROP SCHEMA s;\nDROP VIEW w;\nCREATE VIEW w AS SELECT 1;";
        assert_eq!(lines(rule, sql), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(errors(rule, sql), [1, 2]);
        for good in [
            "BEGIN;DROP VIEW v;CREATE VIEW v AS SELECT 1;COMMIT;",
            "BEGIN;DROP FUNCTION IF EXISTS f(int);CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';COMMIT;",
            "CREATE TYPE e AS ENUM ('a');DROP TYPE e;",
            "CREATE SEQUENCE s;DROP SEQUENCE s;",
            "BEGIN;ALTER TYPE e RENAME TO o;CREATE TYPE e AS ENUM ('a');DROP TYPE o;COMMIT;",
        ] {
            assert_eq!(lines(rule, good), [0; 0], "{good}");
        }
    }
}

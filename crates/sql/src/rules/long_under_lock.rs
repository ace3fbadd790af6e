//! What takes long while the same transaction keeps a table locked.

use super::{Found, Rule, When, list};
use crate::{
    lint::Site,
    name::Name,
    statement::{ChangeKind, Filter, Kind, Verb, Write},
};
use crossfade_model::error::Severity;
use std::ops::Range;

pub const RULE: Rule = Rule {
    name: "long-under-lock",
    summary: "rows are read or written in bulk while the same transaction keeps a table locked",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    if !site.state.in_transaction || site.state.locked.is_empty() {
        return Vec::new();
    }
    let own = || site.statement.range.clone();
    match &site.statement.kind {
        Kind::AlterTable(_) => site
            .changes()
            .filter(|(_, change)| matches!(change.kind, ChangeKind::ValidateConstraint { .. }))
            .map(|(table, change)| {
                found(
                    site,
                    change.range.clone(),
                    &format!("VALIDATE CONSTRAINT reads all of {table}"),
                )
            })
            .collect(),
        Kind::Write(write) => written(site, write).into_iter().collect(),
        Kind::Read {
            tables,
            filter,
            into,
            ..
        } => match old(site, tables) {
            Some(table) if *filter == Filter::EveryRow => {
                vec![found(
                    site,
                    own(),
                    &format!("a query without WHERE reads all of {table}"),
                )]
            }
            Some(table) if into.is_some() => {
                vec![
                    found(
                        site,
                        own(),
                        &format!("a query over {table} fills a new table"),
                    )
                    .warning(),
                ]
            }
            _ => Vec::new(),
        },
        Kind::CreateMaterializedView { reads, .. } => old(site, reads)
            .map(|table| {
                found(
                    site,
                    own(),
                    &format!("a query over {table} fills a new view"),
                )
            })
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// The first table that was there before.
fn old<'a>(site: &Site<'_>, tables: &'a [Name]) -> Option<&'a Name> {
    tables
        .iter()
        .find(|table| !site.is_new(table) && !site.is_catalog(table))
}

fn written(site: &Site<'_>, write: &Write) -> Option<Found> {
    let range = site.statement.range.clone();
    if let Some((_, table)) = write
        .whole
        .as_ref()
        .filter(|(_, table)| !site.is_new(table))
    {
        return Some(found(
            site,
            range,
            &format!("every row of {table} is written"),
        ));
    }
    let what = match write.verb {
        Verb::Update | Verb::Delete | Verb::Merge if !site.is_new(&write.table) => {
            if write.by_key {
                return None;
            }
            format!(
                "how long writing rows of {} takes depends on how many there are: it is done",
                write.table
            )
        }
        Verb::Insert => format!(
            "how long copying rows of {} takes depends on how many there are: it is done",
            old(site, &write.reads)?
        ),
        Verb::Copy if !site.is_new(&write.table) => format!("rows are loaded into {}", write.table),
        _ => return None,
    };
    Some(found(site, range, &what).warning())
}

fn found(site: &Site<'_>, range: Range<usize>, what: &str) -> Found {
    Found::at(
        range,
        format!(
            "{what} while {} stays locked by this transaction, and the application waits for that until COMMIT",
            list(&site.state.locked)
        ),
        "COMMIT between them: the change of the schema in a short transaction, this in another"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    const RULE: &str = "long-under-lock";

    #[test]
    fn what_takes_long_behind_a_lock_is_found() {
        let bad = "BEGIN;\nALTER TABLE t ADD a int;\nUPDATE t SET a = 1;\nALTER TABLE t VALIDATE CONSTRAINT c;\nSELECT count(*) FROM t;\n\
                   UPDATE t SET a = 1 WHERE a IS NULL;\nINSERT INTO u SELECT * FROM t;\nCREATE TABLE n AS SELECT * FROM u WHERE b;\n\
                   DELETE FROM u WHERE b < 9;\nCOPY u FROM stdin;\n\\.\nCOMMIT;";
        assert_eq!(lines(RULE, bad), [3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(errors(RULE, bad), [3, 4, 5]);
        let body = "DO $$ BEGIN\nALTER TABLE t ADD a int;\nUPDATE t SET a = 1;\nEND $$;";
        assert_eq!(errors(RULE, body), [3]);
        let not_valid = "BEGIN;\nALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES o NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\nCOMMIT;";
        assert_eq!(errors(RULE, not_valid), [3]);
    }

    #[test]
    fn what_is_short_or_stands_before_or_behind_is_not() {
        for good in [
            "DO $$ BEGIN ALTER TABLE t ADD a int; COMMIT; UPDATE t SET a = 1; END $$;",
            "BEGIN;UPDATE t SET a = 1;ALTER TABLE t ADD b int;COMMIT;",
            "ALTER TABLE t ADD a int;UPDATE t SET a = 1;",
            "BEGIN;ALTER TABLE t ADD a int;COMMIT;ALTER TABLE t VALIDATE CONSTRAINT c;",
            "BEGIN;ALTER TABLE t ADD a int;ROLLBACK;BEGIN;SELECT count(*) FROM t;COMMIT;",
            "BEGIN;ALTER TABLE t ADD a int;INSERT INTO versions VALUES (1);UPDATE versions SET v = 2 WHERE id = 1;COMMIT;",
            "BEGIN;ALTER TABLE t ADD a int;UPDATE alembic_version SET version_num='b' WHERE alembic_version.version_num = 'a';COMMIT;",
            "BEGIN;ALTER TABLE t ADD a int;SELECT 1;SELECT * FROM pg_class;SELECT a FROM t WHERE id = 1;COMMIT;",
            "BEGIN;ALTER TABLE t ADD a int;CREATE TABLE n (a int);INSERT INTO n VALUES (1);UPDATE n SET a = 2;COMMIT;",
        ] {
            assert_eq!(lines(RULE, good), [0; 0], "{good}");
        }
    }
}

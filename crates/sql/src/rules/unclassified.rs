//! What is not understood is taken for the worst.

use super::{Found, Rule, When};
use crate::{
    lint::Site,
    statement::{ChangeKind, Kind, TAKES_ALONG, Unknown},
};
use crossfade_model::error::Severity;
use std::ops::Range;

pub const RULE: Rule = Rule {
    name: "unclassified",
    summary: "a statement is not understood, and taken for the worst",
    severity: Severity::Error,
    when: When::Always,
    check,
};

const HELP: &str = "if you know that it is safe, say why: `-- crossfade:allow unclassified: …`";

fn check(site: &Site<'_>) -> Vec<Found> {
    let message = match &site.statement.kind {
        Kind::Unknown(Unknown::NotRead(error)) => {
            format!("this is not SQL that is understood here: {error}")
        }
        Kind::Unknown(Unknown::TooLarge) => {
            "this is longer or nested deeper than the linter reads, so it assumes the worst"
                .to_owned()
        }
        Kind::Unknown(Unknown::NotClassified) => {
            "it is not known what this locks: taken for the worst".to_owned()
        }
        Kind::Unknown(Unknown::Elsewhere) | Kind::Execute { .. } | Kind::Call { .. } => {
            "what this runs is written elsewhere: taken for the worst".to_owned()
        }
        Kind::Unknown(Unknown::Says(words)) => (*words).to_owned(),
        Kind::Unknown(Unknown::Perhaps(words)) => {
            return vec![site.found((*words).to_owned(), HELP.to_owned()).warning()];
        }
        Kind::AlterTable(alter) => {
            let other = site.changes().find_map(|(_, change)| match &change.kind {
                ChangeKind::Other(words) => Some(words),
                _ => None,
            });
            let cascades = site.changes().any(|(_, change)| {
                matches!(
                    change.kind,
                    ChangeKind::DropConstraint { cascade: true, .. }
                        | ChangeKind::DropColumn { cascade: true, .. }
                )
            });
            match other {
                None if cascades => TAKES_ALONG.to_owned(),
                Some(words) => format!(
                    "it is not known what `{words}` does to {}: taken for the worst",
                    alter.table
                ),
                None => return Vec::new(),
            }
        }
        Kind::Body(body) => {
            return body
                .unread
                .iter()
                .map(|range| Found {
                    severity: None,
                    range: range.clone(),
                    message: "this part of a body is not understood here".to_owned(),
                    help: HELP.to_owned(),
                })
                .collect();
        }
        _ => return Vec::new(),
    };
    vec![site.found(message, HELP.to_owned())]
}

/// What `\gexec` runs.
pub fn generated(range: &Range<usize>) -> Found {
    let message = "what the query gives is run as SQL: what that is cannot be told here";
    Found::at(range.clone(), message.to_owned(), HELP.to_owned())
}

/// A program, or another psql.
pub fn shell(range: &Range<usize>) -> Found {
    let message = "the linter does not read what the shell runs here";
    Found::at(range.clone(), message.to_owned(), HELP.to_owned()).warning()
}

/// A file that psql would read in this place.
pub fn included(range: &Range<usize>) -> Found {
    Found {
        severity: None,
        range: range.clone(),
        message: "the linter does not read the file that is included here".to_owned(),
        help: "give it to `crossfade check` too".to_owned(),
    }
    .warning()
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn what_locks_no_table_is_understood() {
        for sql in [
            "SET NAMES 'utf8';",
            "SET SESSION NAMES DEFAULT",
            "COMMIT PREPARED 'x';",
            "ROLLBACK PREPARED 'x';",
            "CREATE PUBLICATION p FOR TABLES IN SCHEMA s;",
            "ALTER PUBLICATION p ADD TABLES IN SCHEMA s, CURRENT_SCHEMA;",
        ] {
            assert_eq!(lines("unclassified", sql), [0; 0], "{sql}");
        }
        assert_eq!(
            lines("unclassified", "SET NAMES 'x' ALTER TABLE t ADD a int;"),
            [1]
        );
        let inside = "BEGIN;\nCOMMIT PREPARED 'x';";
        assert_eq!(lines("concurrently-in-transaction", inside), [2]);
        assert_eq!(
            lines(
                "unclassified",
                "ALTER TABLE t DROP a CASCADE;\nALTER TABLE t DROP b RESTRICT;"
            ),
            [1]
        );
    }

    #[test]
    fn what_is_not_understood_is_found() {
        let rule = "unclassified";
        assert_eq!(
            lines(
                rule,
                "ALTER TABEL t ADD a int;\nCALL p();\n\\i other.sql\nEXECUTE q;\nDROP TYPE e CASCADE;\nALTER TABLE t DROP CONSTRAINT t_pkey CASCADE;"
            ),
            [1, 2, 3, 4, 5, 6]
        );
        assert_eq!(
            lines(
                rule,
                "SELECT 'DROP TABLE ' || a FROM b \\gexec\nREASSIGN OWNED BY a TO b;\nALTER EXTENSION e UPDATE;\n\\! rm x\nALTER INDEX ALL IN TABLESPACE a SET TABLESPACE b;"
            ),
            [1, 2, 3, 4, 5]
        );
        let allowed = "-- crossfade:allow unclassified: it only grants\nSELECT 'GRANT' \\gexec\n";
        assert_eq!(lines(rule, allowed), [0; 0]);
        assert_eq!(
            lines(
                rule,
                "CREATE TYPE e AS ENUM ('a');\nGRANT SELECT ON t TO r;\nSET ROLE r;\nSHOW ALL;\nCREATE EXTENSION x;\nCREATE ROLE r;\n;\nREVOKE SELECT ON t FROM r CASCADE;\nSELECT 1"
            ),
            [0; 0]
        );
    }
}

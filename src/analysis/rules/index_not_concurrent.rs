//! Indexes made, dropped or remade while writes wait.

use super::{Found, Rule, When, list};
use crate::analysis::{
    lint::Site,
    statement::{Building, Kind},
};
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "index-not-concurrent",
    summary: "an index is made, dropped or remade without CONCURRENTLY",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let what = match &site.statement.kind {
        Kind::CreateIndex {
            how: Building::Blocking,
            ..
        } => "CREATE INDEX",
        Kind::DropIndex {
            how: Building::Blocking,
            ..
        } => "DROP INDEX",
        Kind::Reindex {
            how: Building::Blocking,
            ..
        } => "REINDEX",
        _ => return Vec::new(),
    };
    let locked: Vec<_> = site
        .effects
        .locks
        .iter()
        .map(|taken| taken.target.clone())
        .collect();
    if locked.is_empty() {
        return Vec::new();
    }
    let whom = match &site.statement.kind {
        Kind::DropIndex { .. } => "read or write",
        _ => "write",
    };
    vec![site.found(
        format!("{what} keeps the application from using {}: nobody can {whom} until it is done", list(&locked)),
        format!("{what} CONCURRENTLY, outside a transaction and without lock_timeout; drop the INVALID index if it fails"),
    )]
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    #[test]
    fn an_index_on_an_old_table_is_found() {
        let rule = "index-not-concurrent";
        assert_eq!(
            lines(
                rule,
                "CREATE UNIQUE INDEX ON t (a);\nDROP INDEX i;\nREINDEX TABLE t;\nREINDEX DATABASE d;"
            ),
            [1, 2, 3, 4]
        );
        assert_eq!(
            lines(
                rule,
                "CREATE INDEX CONCURRENTLY i ON t (a);\nDROP INDEX CONCURRENTLY i;\nREINDEX (CONCURRENTLY) TABLE t;\nREINDEX TABLE CONCURRENTLY t;"
            ),
            [0; 0]
        );
    }

    #[test]
    fn an_index_on_a_new_table_is_none_of_anybody() {
        assert_eq!(
            lines(
                "index-not-concurrent",
                "CREATE TABLE s.t (a int);\nCREATE INDEX i ON t (a);\nDROP INDEX i;"
            ),
            [0; 0]
        );
    }
}

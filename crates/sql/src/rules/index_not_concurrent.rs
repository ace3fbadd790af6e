//! Indexes made, dropped or remade while writes wait.

use super::{Found, Rule, When, list};
use crate::{
    lint::Site,
    statement::{Building, Kind},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "index-not-concurrent",
    summary: "an index is made, dropped or remade without CONCURRENTLY",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let what = match &site.statement.kind {
        // The partitioned table itself has no rows.
        Kind::CreateIndex { only: true, .. } if site.effects.scans.is_empty() => return Vec::new(),
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
    let after = match &site.statement.kind {
        Kind::DropIndex { .. } => "if it fails the index is there and INVALID: run it again",
        Kind::Reindex { .. } => {
            "if it fails drop the INVALID index that it leaves, whose name ends in _ccnew"
        }
        _ => "if it fails drop the INVALID index that it leaves",
    };
    let found = site.found(
        format!(
            "{what} keeps the application from using {}: nobody can {whom} until it is done",
            list(&locked)
        ),
        format!("{what} CONCURRENTLY, outside a transaction and without lock_timeout; {after}"),
    );
    // Of a file that is run again and again both do something only where nothing is there.
    let again = matches!(&site.statement.kind, Kind::CreateIndex { table, if_not_exists: true, .. } if site.may_be_new(table));
    vec![if again { found.warning() } else { found }]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    #[test]
    fn an_index_on_an_old_table_is_found() {
        let rule = "index-not-concurrent";
        assert_eq!(
            lines(
                rule,
                "CREATE UNIQUE INDEX ON t (a);\nDROP INDEX i;\nREINDEX TABLE t;\nREINDEX DATABASE d;\nREINDEX (CONCURRENTLY false) TABLE t;\nREINDEX (VERBOSE, CONCURRENTLY off) TABLE t;"
            ),
            [1, 2, 3, 4, 5, 6]
        );
        assert_eq!(
            lines(
                rule,
                "CREATE INDEX CONCURRENTLY i ON t (a);\nDROP INDEX CONCURRENTLY i;\nREINDEX (CONCURRENTLY) TABLE t;\nREINDEX TABLE CONCURRENTLY t;\nREINDEX (CONCURRENTLY on, VERBOSE) TABLE t;"
            ),
            [0; 0]
        );
    }

    #[test]
    fn an_index_on_a_new_table_is_none_of_anybody() {
        assert_eq!(
            lines(
                "index-not-concurrent",
                "CREATE TABLE s.t (a int);\nCREATE INDEX i ON s.t (a);\nDROP INDEX i;\nCREATE TABLE u (a int);\nCREATE INDEX ON public.u (a);"
            ),
            [0; 0]
        );
    }

    #[test]
    fn what_is_new_is_told_by_its_schema_and_until_it_is_undone() {
        for (sql, expected) in [
            (
                "CREATE TABLE s.t (a int);\nCREATE INDEX ON t (a);\nCREATE INDEX ON u.t (a);",
                [2, 3].as_slice(),
            ),
            (
                "SET search_path = s, public;\nCREATE TABLE t (a int);\nCREATE INDEX ON s.t (a);\nCREATE INDEX ON public.t (a);",
                &[4],
            ),
            (
                "CREATE SCHEMA s CREATE TABLE t (a int);\nCREATE INDEX ON s.t (a);",
                &[],
            ),
            (
                "CREATE TEMP TABLE t (a int);\nCREATE INDEX ON t (a);\nCREATE INDEX ON public.t (a);\nDROP TABLE t;\nCREATE INDEX ON t (a);",
                &[3, 5],
            ),
            (
                "BEGIN;\nCREATE TEMP TABLE t (a int) ON COMMIT DROP;\nCREATE INDEX ON t (a);\nCOMMIT;\nCREATE INDEX ON t (a);",
                &[5],
            ),
            (
                "BEGIN;\nCREATE TABLE t (a int);\nCREATE INDEX ON t (a);\nROLLBACK;\nCREATE INDEX ON t (a);",
                &[5],
            ),
            (
                "CREATE TABLE IF NOT EXISTS t (a int);\nCREATE INDEX ON t (a);",
                &[2],
            ),
            (
                "CREATE TABLE t (a int);\n\\c other\nCREATE INDEX ON t (a);",
                &[3],
            ),
            (
                "CREATE TABLE t (a int);\nCREATE TABLE IF NOT EXISTS t (a int);\nCREATE INDEX ON t (a);",
                &[],
            ),
        ] {
            assert_eq!(errors("index-not-concurrent", sql), expected, "{sql}");
        }
        let again = "CREATE TABLE IF NOT EXISTS t (a int);\nCREATE INDEX IF NOT EXISTS i ON t (a);";
        assert_eq!(lines("index-not-concurrent", again), [2]);
        assert_eq!(errors("index-not-concurrent", again), [0; 0]);
    }

    #[test]
    fn the_index_of_a_partitioned_table_is_made_of_those_of_its_partitions() {
        let good = "CREATE INDEX i ON ONLY p (a);\nCREATE INDEX CONCURRENTLY i1 ON p1 (a);\nALTER INDEX i ATTACH PARTITION i1;";
        for rule in ["index-not-concurrent", "unclassified"] {
            assert_eq!(lines(rule, good), [0; 0]);
        }
        assert_eq!(lines("missing-timeout", good), [1]);
    }
}

//! One statement over all rows.

use super::{Found, Rule, When};
use crate::analysis::{
    lint::Site,
    statement::{Filter, Kind, Verb},
};
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "whole-table-write",
    summary: "UPDATE or DELETE without WHERE",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let Kind::Write(write) = &site.statement.kind else {
        return Vec::new();
    };
    if write.filter == Filter::Some || site.is_new(&write.table) {
        return Vec::new();
    }
    let what = match write.verb {
        Verb::Update => "UPDATE",
        Verb::Delete => "DELETE",
        Verb::Insert | Verb::Merge | Verb::Copy => "an UPDATE or DELETE within",
    };
    vec![site.found(
        format!(
            "{what} of all rows of {} in one transaction: the application's writes wait for its row locks to the end, vacuum cleans nothing meanwhile, and the table grows to twice its size",
            write.table
        ),
        "a plan's `fill` does it in batches, paced by what the application feels; by hand: ranges of a key, each in its own transaction".to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    #[test]
    fn writes_of_every_row_are_found() {
        let bad = "UPDATE t SET a = 1;\nDELETE FROM ONLY t;\nUPDATE t SET a = 1 WHERE true;\nWITH d AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM d;";
        assert_eq!(lines("whole-table-write", bad), [1, 2, 3, 4]);
        let good = "UPDATE t SET a = 1 WHERE id < 9;\nUPDATE t SET a = u.a FROM u WHERE u.id = t.id;\nINSERT INTO t VALUES (1);\nCREATE TABLE n ();\nDELETE FROM n;";
        assert_eq!(lines("whole-table-write", good), [0; 0]);
    }
}

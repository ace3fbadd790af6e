//! One statement over all rows.

use super::{Found, Rule, When};
use crate::{
    lint::Site,
    statement::{Body, Kind, Runs, Verb, Write},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "whole-table-write",
    summary: "UPDATE, DELETE or MERGE of every row in one statement",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    match &site.statement.kind {
        Kind::Write(write) => whole(site, write)
            .map(|what| site.found(said(&what), HELP.to_owned()))
            .into_iter()
            .collect(),
        // What a DO block writes is told at its statement.
        Kind::Body(body) if body.runs == Runs::WhenCalled => in_routine(site, body),
        _ => Vec::new(),
    }
}

const HELP: &str = "a plan's `fill` does it in batches, and slows down when the application waits. By hand: update ranges of a key, each in its own transaction";

fn whole(site: &Site<'_>, write: &Write) -> Option<String> {
    let (verb, table) = write
        .whole
        .as_ref()
        .filter(|(_, table)| !site.is_new(table))?;
    let verb = match verb {
        Verb::Update => "UPDATE",
        Verb::Delete => "DELETE",
        Verb::Merge => "MERGE (its join is always true)",
        Verb::Insert | Verb::Copy => return None,
    };
    Some(format!("{verb} of all rows of {table}"))
}

fn said(what: &str) -> String {
    format!(
        "{what} in one transaction: the application's writes wait for its row locks to the end, vacuum cleans nothing meanwhile, and the table grows to twice its size"
    )
}

/// Whether and when it is called is not known here.
fn in_routine(site: &Site<'_>, body: &Body) -> Vec<Found> {
    let temporary = body.temporary();
    let mut found = Vec::new();
    for statement in &body.statements {
        let Kind::Write(write) = &statement.kind else {
            continue;
        };
        if let Some((_, table)) = &write.whole
            && !temporary.contains(&table.name)
            && let Some(what) = whole(site, write)
        {
            let message = format!("its callers run this: {}", said(&what));
            found.push(Found::at(statement.range.clone(), message, HELP.to_owned()).warning());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn writes_of_every_row_are_found() {
        let bad = "UPDATE t SET a = 1;\nDELETE FROM ONLY t;\nUPDATE t SET a = 1 WHERE true;\nWITH d AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM d;";
        assert_eq!(lines("whole-table-write", bad), [1, 2, 3, 4]);
        for bad in [
            "UPDATE t SET a = 1 WHERE 1 = 1",
            "DELETE FROM t WHERE 1=1 AND (true)",
            "DELETE FROM t WHERE a OR true",
            "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
            "EXPLAIN (ANALYZE, VERBOSE) DELETE FROM t",
            "EXPLAIN ANALYZE UPDATE t SET a = 1",
            "PREPARE q AS DELETE FROM t; EXECUTE q",
            "DO $$ BEGIN DELETE FROM t; END $$",
            "DO $$ DECLARE n int; BEGIN UPDATE t SET a = 1 RETURNING a INTO n; END $$",
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM t'",
            "CREATE TABLE n (a int); WITH d AS (DELETE FROM t RETURNING *) INSERT INTO n SELECT * FROM d",
        ] {
            assert_eq!(lines("whole-table-write", bad), [1], "{bad}");
        }
        for good in [
            "EXPLAIN DELETE FROM t",
            "EXPLAIN (ANALYZE off) DELETE FROM t",
            "EXPLAIN (COSTS, ANALYZE false) DELETE FROM t",
            "PREPARE q AS DELETE FROM t",
            "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE TEMP TABLE x (a int); DELETE FROM x; END'",
        ] {
            assert_eq!(lines("whole-table-write", good), [0; 0], "{good}");
        }
        let good = "UPDATE t SET a = 1 WHERE id < 9;\nUPDATE t SET a = u.a FROM u WHERE u.id = t.id;\nINSERT INTO t VALUES (1);\nCREATE TABLE n ();\nDELETE FROM n;";
        assert_eq!(lines("whole-table-write", good), [0; 0]);
    }
}

//! Schema changes that a body hides.

use super::{Found, Rule, When};
use crate::analysis::{
    classify::classify,
    lint::Site,
    statement::{Kind, Runs},
};
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "ddl-in-body",
    summary: "a DO block or a function changes the schema",
    severity: Severity::Warning,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let Kind::Body(body) = &site.statement.kind else {
        return Vec::new();
    };
    let (when, dynamic) = match body.runs {
        Runs::AtOnce => (
            "all of it is one transaction that holds its locks to the end",
            true,
        ),
        Runs::WhenCalled => (
            "whoever calls it takes these locks, in whatever transaction",
            false,
        ),
    };
    let mut found = Vec::new();
    let strong = body.statements.iter().find(|statement| {
        let effects = classify(&statement.kind, &site.state.catalog);
        effects.blocks() && !effects.unknown
    });
    if let Some(statement) = strong {
        found.push(Found {
            range: statement.range.clone(),
            message: format!("a body changes the schema: {when}"),
            help: "write the statements by themselves, each in a transaction of its own with lock_timeout".to_owned(),
        });
    }
    for range in body.dynamic.iter().filter(|_| dynamic) {
        found.push(Found {
            range: range.clone(),
            message: "EXECUTE of a text that is put together as it runs: what it locks cannot be told here".to_owned(),
            help: "write the statements out; or say why this is safe with `-- crossfade:allow ddl-in-body: …`".to_owned(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    const RULE: &str = "ddl-in-body";

    #[test]
    fn what_a_body_does_is_found_where_it_stands() {
        let bad = "DO $$\nBEGIN\n  IF NOT EXISTS (SELECT 1 FROM x) THEN\n    ALTER TABLE t ADD a int;\n  END IF;\n  EXECUTE format('DROP TABLE %I', 'x');\nEND $$;\n\
                   CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DROP TABLE t';";
        assert_eq!(lines(RULE, bad), [4, 6, 8]);
        assert_eq!(
            lines(
                "inline-constraint",
                "DO $$ BEGIN\nALTER TABLE t ADD a int UNIQUE;\nEND $$"
            ),
            [2]
        );
        assert_eq!(
            lines(
                "index-not-concurrent",
                "DO $$ BEGIN\n\nEXECUTE 'CREATE INDEX i ON t (a)'; END $$"
            ),
            [3]
        );
    }

    #[test]
    fn bodies_that_only_move_rows_are_not() {
        let good = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := 1; SELECT 1 INTO NEW.b FROM t; RETURN NEW; END $$;\n\
                    DO $$ BEGIN PERFORM 1; UPDATE t SET a = 1 WHERE b; END $$;\nCREATE FUNCTION g() RETURNS int LANGUAGE plpython3u AS $$ drop table $$;";
        assert_eq!(lines(RULE, good), [0; 0]);
        assert_eq!(lines("unclassified", good), [0; 0]);
    }
}

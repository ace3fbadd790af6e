//! Schema changes that a body hides.

use super::{Found, Rule, When};
use crate::{
    classify::{Target, classify},
    lint::Site,
    statement::{Body, Kind, Runs, Statement},
};
use crossfade_model::error::Severity;
use crossfade_model::lock::Lock;

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
    let when = match body.runs {
        Runs::AtOnce => "all of it is one transaction that holds its locks to the end",
        Runs::WhenCalled => "its callers take these locks, in whatever transaction they are",
    };
    let mut found = Vec::new();
    if let Some(statement) = strong(site, body) {
        found.push(Found {
            severity: None,
            range: statement.range.clone(),
            message: format!("a body changes the schema: {when}"),
            help: "write the statements by themselves, each in a transaction of its own with lock_timeout".to_owned(),
        });
    }
    for range in &body.dynamic {
        found.push(Found {
            severity: None,
            range: range.clone(),
            message: "EXECUTE of a text that is put together as it runs: what it locks cannot be told here".to_owned(),
            help: "write the statements out; or say why this is safe with `-- crossfade:allow ddl-in-body: …`".to_owned(),
        });
    }
    found
}

/// The first statement that locks a table which is not the body's own.
fn strong<'a>(site: &Site<'_>, body: &'a Body) -> Option<&'a Statement> {
    let temporary = body.temporary();
    let is_made = |target: &Target, before: usize| {
        let Target::Table(name) = target else {
            return false;
        };
        let mut made = body.statements[..before]
            .iter()
            .filter_map(Statement::makes);
        temporary.contains(&name.name) || made.any(|made| made.same(name))
    };
    let mut statements = body.statements.iter().enumerate();
    let found = statements.find(|(at, statement)| {
        let effects = classify(&statement.kind, &site.state.catalog);
        let names_own = matches!(&statement.kind, Kind::DropTable { tables, .. }
            if tables.iter().all(|table| temporary.contains(&table.name)));
        let mut locks = effects.locks.iter();
        let locks_another = locks.any(|taken| {
            let is_new = matches!(&taken.target, Target::Table(name) if site.is_new(name));
            taken.lock >= Lock::ShareLock && !is_new && !is_made(&taken.target, *at)
        });
        locks_another && !names_own && !effects.unknown
    });
    found.map(|(_, statement)| statement)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

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
    fn what_is_put_together_as_it_runs_is_found_wherever_it_is_run() {
        for run in [
            "EXECUTE 'x' || y;",
            "FOR r IN EXECUTE 'x' || y LOOP NULL; END LOOP;",
            "RETURN QUERY EXECUTE 'x' || y;",
            "OPEN c FOR EXECUTE 'x' || y;",
        ] {
            let body = format!("$$\nBEGIN\n{run}\nEND $$");
            assert_eq!(lines(RULE, &format!("DO {body}")), [3], "{run}");
            let function = format!("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS {body}");
            assert_eq!(lines(RULE, &function), [3], "{run}");
        }
    }

    #[test]
    fn a_function_of_the_file_does_what_it_does_where_it_is_called() {
        let function = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE t ADD a int UNIQUE; END $$;\n";
        for call in [
            "SELECT f();",
            "SELECT * FROM f();",
            "DO $$ BEGIN PERFORM f(); END $$;",
            "DO $$ DECLARE a int; BEGIN a := f(); END $$;",
            "INSERT INTO u SELECT f();",
            "CALL f();",
        ] {
            let sql = format!("{function}{call}");
            assert_eq!(lines("inline-constraint", &sql), [2], "{call}");
            assert_eq!(lines("unclassified", &sql), [0; 0], "{call}");
        }
        let forever = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT f()';\nSELECT f();";
        assert_eq!(lines("inline-constraint", forever), [0; 0]);
    }

    #[test]
    fn bodies_that_only_move_rows_are_not() {
        let good = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := 1; SELECT 1 INTO NEW.b FROM t; RETURN NEW; END $$;\n\
                    DO $$ BEGIN PERFORM 1; UPDATE t SET a = 1 WHERE b; END $$;\nCREATE FUNCTION g() RETURNS int LANGUAGE plpython3u AS $$ drop table $$;";
        assert_eq!(lines(RULE, good), [0; 0]);
        for own in [
            "BEGIN CREATE TEMP TABLE x (a int); CREATE INDEX ON x (a); TRUNCATE x; DROP TABLE x; END",
            "BEGIN DROP TABLE IF EXISTS x; CREATE TEMPORARY TABLE x AS SELECT * FROM t; ALTER TABLE x ADD b int; END",
        ] {
            let function =
                format!("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ {own} $$;");
            assert_eq!(lines(RULE, &function), [0; 0], "{own}");
        }
        assert_eq!(lines("unclassified", good), [0; 0]);
    }
}

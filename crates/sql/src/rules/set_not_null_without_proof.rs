//! NOT NULL that has to be looked for.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::ChangeKind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "set-not-null-without-proof",
    summary: "SET NOT NULL reads the table, as no validated CHECK proves it",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let ChangeKind::SetNotNull { column } = &change.kind else {
            continue;
        };
        if site.effects_of(table, change).scans.is_empty() {
            continue;
        }
        found.push(Found {
            severity: None,
            range: change.range.clone(),
            message: format!("SET NOT NULL reads all of {table} while the application can neither read nor write"),
            help: format!(
                "first ADD CONSTRAINT … CHECK ({column} IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT; then SET NOT NULL looks at no row, and the CHECK can go in a statement of its own"
            ),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    const RULE: &str = "set-not-null-without-proof";

    #[test]
    fn without_a_proof_it_is_found() {
        assert_eq!(
            lines(
                RULE,
                "ALTER TABLE t\n  ADD COLUMN b int,\n  ALTER COLUMN a SET NOT NULL;"
            ),
            [3]
        );
        let not_valid = "ALTER TABLE t ADD CONSTRAINT p CHECK (a IS NOT NULL) NOT VALID;\nALTER TABLE t ALTER a SET NOT NULL;";
        assert_eq!(lines(RULE, not_valid), [2]);
        let another =
            "ALTER TABLE t ADD CHECK (a IS NOT NULL OR b);\nALTER TABLE t ALTER a SET NOT NULL;";
        assert_eq!(lines(RULE, another), [2]);
        let gone = "ALTER TABLE t ADD CONSTRAINT p CHECK (a IS NOT NULL) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT p;\nALTER TABLE t ALTER a SET NOT NULL, DROP CONSTRAINT p;";
        assert_eq!(lines(RULE, gone), [3]);
        let perhaps = "DO $$ BEGIN IF x THEN ALTER TABLE t ADD CONSTRAINT p CHECK (a IS NOT NULL); END IF; END $$;\nALTER TABLE t ALTER a SET NOT NULL;";
        assert_eq!(lines(RULE, perhaps), [2]);
        let then_for_certain = "DO $$ BEGIN IF x THEN ALTER TABLE t ADD CONSTRAINT p CHECK (a IS NOT NULL) NOT VALID; END IF; END $$;\nALTER TABLE t VALIDATE CONSTRAINT p;\nALTER TABLE t ALTER a SET NOT NULL;";
        assert_eq!(lines(RULE, then_for_certain), [0; 0]);
    }

    #[test]
    fn with_one_it_is_not() {
        let proven = "ALTER TABLE t ADD CONSTRAINT p CHECK (\"A\" IS NOT NULL AND b > 0) NOT VALID;\n\
                      ALTER TABLE t VALIDATE CONSTRAINT p;\nALTER TABLE t ALTER \"A\" SET NOT NULL;";
        assert_eq!(lines(RULE, proven), [0; 0]);
        for proven in [
            "ALTER TABLE t ADD CHECK (a IS NOT NULL) NOT VALID;ALTER TABLE t VALIDATE CONSTRAINT t_a_check;",
            "ALTER TABLE t ADD CONSTRAINT p CHECK (NOT (a IS NULL)) NOT VALID;ALTER TABLE t VALIDATE CONSTRAINT p;",
            "ALTER TABLE t ADD CONSTRAINT p CHECK (b IS NOT NULL) NOT VALID;ALTER TABLE t VALIDATE CONSTRAINT p;ALTER TABLE t RENAME b TO a;",
            "ALTER TABLE t ADD CONSTRAINT o CHECK (a IS NOT NULL) NOT VALID;ALTER TABLE t RENAME CONSTRAINT o TO p;ALTER TABLE t VALIDATE CONSTRAINT p;",
        ] {
            let sql = format!("{proven}ALTER TABLE t ALTER a SET NOT NULL;");
            assert_eq!(lines(RULE, &sql), [0; 0], "{proven}");
        }
        for unproven in [
            "ALTER TABLE t ADD CONSTRAINT p CHECK (NOT (a IS NULL AND b IS NULL));",
            "ALTER TABLE u.t ADD CONSTRAINT p CHECK (a IS NOT NULL);",
            "BEGIN;ALTER TABLE t ADD CONSTRAINT p CHECK (a IS NOT NULL);ROLLBACK;",
            "CREATE TABLE IF NOT EXISTS t (a int NOT NULL);",
        ] {
            let sql = format!("{unproven}ALTER TABLE t ALTER a SET NOT NULL;");
            assert_eq!(lines(RULE, &sql), [1], "{unproven}");
        }
    }
}

//! Published tables whose rows cannot be told apart any more.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::ChangeKind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "replica-identity-nothing",
    summary: "a table loses its replica identity, so that UPDATE and DELETE fail if it is published",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        if change.kind != (ChangeKind::ReplicaIdentity { nothing: true }) {
            continue;
        }
        found.push(Found::at(
            change.range.clone(),
            format!("{table} has no replica identity from here on: if a publication has it, every UPDATE and DELETE of the application fails"),
            "ALTER PUBLICATION … DROP TABLE first, or choose DEFAULT, FULL or an index".to_owned(),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn only_nothing_is_found() {
        let rule = "replica-identity-nothing";
        let bad = "ALTER TABLE t REPLICA IDENTITY NOTHING;\nALTER TABLE t ADD a int, REPLICA IDENTITY nothing;";
        assert_eq!(lines(rule, bad), [1, 2]);
        for good in [
            "ALTER TABLE t REPLICA IDENTITY FULL;",
            "ALTER TABLE t REPLICA IDENTITY DEFAULT;",
            "ALTER TABLE t REPLICA IDENTITY USING INDEX nothing;",
            "CREATE TABLE n (a int);\nALTER TABLE n REPLICA IDENTITY NOTHING;",
        ] {
            assert_eq!(lines(rule, good), [0; 0], "{good}");
        }
    }
}

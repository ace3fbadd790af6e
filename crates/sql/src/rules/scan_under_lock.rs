//! Every row read while the application waits.

use super::{Found, Rule, When, list};
use crate::{
    classify::{Target, Unnamed},
    lint::Site,
    statement::Kind,
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "scan-under-lock",
    summary: "the whole table is read while nobody can write to it",
    severity: Severity::Error,
    when: When::NothingElseFound,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let effects = site.effects;
    let scanned: Vec<_> = effects
        .scans
        .iter()
        .filter(|target| {
            effects
                .lock_on(target)
                .is_some_and(|lock| lock >= crossfade_model::lock::Lock::ShareLock)
        })
        .cloned()
        .collect();
    if scanned.is_empty() || !effects.rewrites.is_empty() || effects.unknown {
        return Vec::new();
    }
    let help = match &site.statement.kind {
        Kind::AddDomainCheck { .. } => {
            "to a domain add it NOT VALID, which is at once and holds for new values; its VALIDATE reads under the same lock, so prove the old rows by a CHECK on each table"
        }
        _ => {
            "add it NOT VALID and validate it afterwards, in a statement of its own; or prove it beforehand by a CHECK that was validated"
        }
    };
    let found = site.found(
        format!(
            "this reads every row of {} while the application cannot write",
            list(&scanned)
        ),
        help.to_owned(),
    );
    // Whether there is a default partition is not in this file.
    let only_perhaps = scanned
        .iter()
        .all(|target| matches!(target, Target::TableOf(Unnamed::DefaultPartitionOf(_))));
    vec![if only_perhaps { found.warning() } else { found }]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    #[test]
    fn a_scan_under_a_lock_that_blocks_is_found() {
        let rule = "scan-under-lock";
        assert_eq!(
            lines(
                rule,
                "ALTER DOMAIN d ADD CHECK (value > 0);\nCREATE TABLE p4 PARTITION OF p FOR VALUES IN (4);"
            ),
            [1, 2]
        );
        let unknown = "CREATE TABLE p4 PARTITION OF p FOR VALUES IN (4);";
        assert_eq!(errors(rule, unknown), [0; 0]);
        assert_eq!(
            errors(rule, "ALTER TABLE t ADD a int, VALIDATE CONSTRAINT c;"),
            [1]
        );
        assert_eq!(
            lines(
                rule,
                "ALTER DOMAIN d ADD CHECK (value > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\nCREATE TABLE p (a int) PARTITION BY LIST (a);\nCREATE TABLE p4 PARTITION OF p FOR VALUES IN (4);"
            ),
            [0; 0]
        );
    }
}

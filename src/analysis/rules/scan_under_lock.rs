//! Every row read while the application waits.

use super::{Found, Rule, When, list};
use crate::analysis::lint::Site;
use crate::plan::error::Severity;

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
                .is_some_and(|lock| lock >= crate::statement::part::Lock::ShareLock)
        })
        .cloned()
        .collect();
    if scanned.is_empty() || !effects.rewrites.is_empty() || effects.unknown {
        return Vec::new();
    }
    vec![site.found(
        format!("this reads every row of {} while the application cannot write", list(&scanned)),
        "add it NOT VALID and validate it afterwards, or prove it beforehand by a CHECK that was validated".to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

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
        assert_eq!(
            lines(
                rule,
                "ALTER DOMAIN d ADD CHECK (value > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\nCREATE TABLE p (a int) PARTITION BY LIST (a);\nCREATE TABLE p4 PARTITION OF p FOR VALUES IN (4);"
            ),
            [0; 0]
        );
    }
}

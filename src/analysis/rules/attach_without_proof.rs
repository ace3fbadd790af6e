//! Partitions that are searched as they are attached.

use super::{Found, Rule, When, list};
use crate::analysis::{lint::Site, statement::ChangeKind};
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "attach-without-proof",
    summary: "ATTACH PARTITION reads the partition, as no validated CHECK proves its bounds",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let ChangeKind::Attach { partition, .. } = &change.kind else {
            continue;
        };
        let mut scans = site.effects_of(table, change).scans;
        scans.retain(|target| site.effects.scans.contains(target));
        if scans.is_empty() {
            continue;
        }
        found.push(Found {
            range: change.range.clone(),
            message: format!(
                "attaching {partition} reads all of {} while nobody can use it",
                list(&scans)
            ),
            help: "first add a CHECK with the partition's bounds and IS NOT NULL to it, NOT VALID, and VALIDATE it; to the default partition one that excludes them".to_owned(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    const RULE: &str = "attach-without-proof";

    #[test]
    fn without_a_check_it_is_found() {
        assert_eq!(
            lines(
                RULE,
                "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (1) TO (9);"
            ),
            [1]
        );
    }

    #[test]
    fn with_one_for_both_it_is_not() {
        let proven = "CREATE TABLE p (a int) PARTITION BY RANGE (a);\nCREATE TABLE d PARTITION OF p DEFAULT;\n\
                      ALTER TABLE c ADD CONSTRAINT k CHECK (a IS NOT NULL AND a >= 1 AND a < 9) NOT VALID;\nALTER TABLE c VALIDATE CONSTRAINT k;\n\
                      ALTER TABLE d ADD CONSTRAINT k CHECK (a IS NOT NULL AND (a < 1 OR a >= 9));\n\
                      ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (1) TO (9);";
        assert_eq!(lines(RULE, proven), [0; 0]);
    }
}

//! Partitions that are searched as they are attached.

use super::{Found, Rule, When, list};
use crate::{classify::Target, lint::Site, statement::ChangeKind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "attach-without-proof",
    summary: "ATTACH PARTITION reads the partition, as no validated CHECK proves its bounds",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    // What matters is whether the partition has rows: its parent may be new.
    for (table, change) in site.all_changes() {
        let ChangeKind::Attach { partition, .. } = &change.kind else {
            continue;
        };
        let mut scans = site.effects_of(table, change).scans;
        scans.retain(|target| site.effects.scans.contains(target));
        if scans.is_empty() {
            continue;
        }
        // Whether there is a default partition is not in this file.
        let named = scans
            .iter()
            .any(|target| matches!(target, Target::Table(_)));
        let it = Found::at(
            change.range.clone(),
            format!(
                "attaching {partition} reads all of {} while nobody can use it",
                list(&scans)
            ),
            "first add a CHECK with the partition's bounds and IS NOT NULL to it, NOT VALID, and VALIDATE it; to the default partition one that excludes them".to_owned(),
        );
        found.push(if named { it } else { it.warning() });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

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

    #[test]
    fn an_old_table_goes_to_a_new_parent_and_an_unknown_parent_may_have_a_default_partition() {
        let old = "CREATE TABLE p (a int) PARTITION BY RANGE (a);\nALTER TABLE p ATTACH PARTITION old FOR VALUES FROM (1) TO (9);\n\
                   ALTER TABLE p ATTACH PARTITION rest DEFAULT;\nCREATE TABLE n (a int);\nALTER TABLE p ATTACH PARTITION n FOR VALUES FROM (10) TO (19);";
        assert_eq!(lines(RULE, old), [2, 3, 5]);
        let new = "CREATE TABLE c (LIKE p INCLUDING ALL);\nALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (1) TO (9);";
        assert_eq!((lines(RULE, new), errors(RULE, new)), (vec![2], vec![]));
    }
}

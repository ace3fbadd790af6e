//! Partitions that are detached while everybody waits.

use super::{Found, Rule, When};
use crate::{
    lint::Site,
    statement::{Building, ChangeKind},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "detach-not-concurrent",
    summary: "DETACH PARTITION without CONCURRENTLY",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let ChangeKind::Detach {
            partition,
            how: Building::Blocking,
        } = &change.kind
        else {
            continue;
        };
        if site.is_new(partition) {
            continue;
        }
        let known = site.state.catalog.table(table);
        let default = known.and_then(|known| known.default_partition.as_ref());
        let message = format!(
            "detaching {partition} keeps everybody from reading and writing {table}, {partition} and the tables that refer to {table}, until the transaction ends"
        );
        found.push(match default {
            // PostgreSQL refuses CONCURRENTLY then.
            Some(default) => Found::at(
                change.range.clone(),
                message,
                format!("{table} has the default partition {default}, so that CONCURRENTLY is not possible: detach it in a transaction of its own, with a short lock_timeout"),
            )
            .warning(),
            None => Found::at(
                change.range.clone(),
                message,
                "DETACH PARTITION … CONCURRENTLY, outside a transaction and where there is no default partition; if it is interrupted DETACH PARTITION … FINALIZE ends it".to_owned(),
            ),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    const RULE: &str = "detach-not-concurrent";

    #[test]
    fn what_blocks_is_found_and_concurrently_is_not() {
        let sql = "ALTER TABLE p DETACH PARTITION c;\nALTER TABLE p DETACH PARTITION c CONCURRENTLY;\nALTER TABLE p DETACH PARTITION c FINALIZE;";
        assert_eq!(errors(RULE, sql), [1]);
    }

    #[test]
    fn new_tables_and_default_partitions() {
        let new = "CREATE TABLE p (a int) PARTITION BY RANGE (a);\nALTER TABLE p DETACH PARTITION c;\n\
                   CREATE TABLE n PARTITION OF old FOR VALUES FROM (1) TO (2);\nALTER TABLE old DETACH PARTITION n;";
        assert_eq!(lines(RULE, new), [0; 0]);
        let default = "CREATE TABLE d PARTITION OF p DEFAULT;\nALTER TABLE p DETACH PARTITION c;";
        assert_eq!(
            (errors(RULE, default), lines(RULE, default)),
            (vec![], vec![2])
        );
    }
}

//! CLUSTER.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::Kind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "cluster",
    summary: "CLUSTER copies tables while nobody can use them",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    match &site.statement.kind {
        Kind::Cluster { table } if !table.as_ref().is_some_and(|table| site.is_new(table)) => vec![site.found(
            "CLUSTER copies the table in the order of an index while the application can neither read nor write".to_owned(),
            "pg_repack orders a table without the lock".to_owned(),
        )],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn it_is_found() {
        assert_eq!(
            lines(
                "cluster",
                "CLUSTER t USING i;\nCLUSTER;\nALTER TABLE t CLUSTER ON i;"
            ),
            [1, 2]
        );
    }
}

//! Tables that are emptied.

use super::{Found, Rule, When, list};
use crate::{lint::Site, statement::Kind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "truncate",
    summary: "a table is emptied",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let targets: Vec<_> = site
        .effects
        .locks
        .iter()
        .map(|taken| taken.target.clone())
        .collect();
    match &site.statement.kind {
        Kind::Truncate { .. } if !targets.is_empty() => vec![
            site.found(
                format!(
                    "TRUNCATE takes all rows of {} away under a lock that nobody can read through",
                    list(&targets)
                ),
                "delete in batches what is not needed; or make a new table and exchange the names"
                    .to_owned(),
            ),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn old_tables_are_found() {
        assert_eq!(
            lines(
                "truncate",
                "TRUNCATE t CASCADE;\nCREATE TABLE n ();\nTRUNCATE n;"
            ),
            [1]
        );
    }
}

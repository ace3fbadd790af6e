//! More than one table locked until the transaction ends.

use super::{Found, Rule, When, list};
use crate::{classify::Target, lint::Site};
use crossfade_model::error::Severity;
use crossfade_model::lock::Lock;

pub const RULE: Rule = Rule {
    name: "several-locks",
    summary: "a transaction locks a second table while it keeps the first one locked",
    severity: Severity::Warning,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let held = &site.state.locked;
    let is_body = matches!(site.statement.kind, crate::statement::Kind::Body(_));
    let more: Vec<_> = site
        .effects
        .locks
        .iter()
        .filter(|taken| {
            taken.lock >= Lock::ShareLock
                && matches!(taken.target, Target::Table(_))
                && !site.state.holds(&taken.target)
        })
        .map(|taken| taken.target.clone())
        .collect();
    if !site.state.in_transaction || held.is_empty() || more.is_empty() || is_body {
        return Vec::new();
    }
    vec![site.found(
        format!(
            "this waits for {} while {} is kept locked: the application waits for both, and may deadlock with it",
            list(&more),
            list(held)
        ),
        "one table in one transaction; where that cannot be, lock them all first, in the order that the application uses".to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn the_second_table_of_a_transaction_is_found() {
        let rule = "several-locks";
        assert_eq!(
            lines(
                rule,
                "BEGIN;\nALTER TABLE a ADD x int;\nALTER TABLE a ADD y int;\nALTER TABLE b ADD x int;\nCOMMIT;"
            ),
            [4]
        );
        assert_eq!(
            lines(
                rule,
                "ALTER TABLE a ADD x int;\nALTER TABLE b ADD x int;\nBEGIN;\nALTER TABLE a ADD z int;\nCOMMIT;"
            ),
            [0; 0]
        );
    }
}

//! LOCK TABLE.

use super::{Found, Rule, When, list};
use crate::{lint::Site, statement::Kind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "lock-table",
    summary: "LOCK TABLE keeps the application out until the transaction ends",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let Kind::LockTable { lock, .. } = &site.statement.kind else {
        return Vec::new();
    };
    if !site.effects.blocks() {
        return Vec::new();
    }
    let targets: Vec<_> = site
        .effects
        .locks
        .iter()
        .map(|taken| taken.target.clone())
        .collect();
    vec![site.found(
        format!("{} on {} blocks {} until the transaction ends, however long that takes", lock.as_str(), list(&targets), lock.blocks()),
        "leave it to the statements themselves, each in a short transaction with lock_timeout; or SELECT … FOR UPDATE of the rows".to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn modes_that_block_writes_are_found() {
        assert_eq!(
            lines(
                "lock-table",
                "LOCK t;\nLOCK TABLE a, b IN SHARE MODE;\nLOCK t IN ROW EXCLUSIVE MODE;\nLOCK t IN SHARE UPDATE EXCLUSIVE MODE;"
            ),
            [1, 2]
        );
    }
}

//! VACUUM FULL.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::Kind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "vacuum-full",
    summary: "VACUUM FULL copies tables while nobody can use them",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    match &site.statement.kind {
        Kind::Vacuum { full: true, .. } => vec![site.found(
            "VACUUM FULL copies the table while the application can neither read nor write".to_owned(),
            "a plain VACUUM makes the space usable again; where it must be given back, pg_repack or pg_squeeze do so without the lock".to_owned(),
        )],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn both_spellings_are_found() {
        assert_eq!(
            lines(
                "vacuum-full",
                "VACUUM FULL;\nVACUUM (ANALYZE, FULL) t;\nVACUUM (FULL off) t;\nVACUUM ANALYZE t;"
            ),
            [1, 2]
        );
    }
}

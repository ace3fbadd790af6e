//! What refuses to run in a transaction.

use super::{Found, Rule, When};
use crate::lint::Site;
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "concurrently-in-transaction",
    summary: "a statement that may not run in a transaction stands in one",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    // What a body runs is told at its statement.
    let is_body = matches!(site.statement.kind, crate::statement::Kind::Body(_));
    if !site.effects.outside_transaction || !site.state.in_transaction || is_body {
        return Vec::new();
    }
    let help = if site.state.in_body {
        "take it out of the body"
    } else {
        "end the transaction before it, or put it into a file that is run without one"
    };
    vec![site.found(
        "this fails here: the server refuses to run it within a transaction".to_owned(),
        help.to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn only_within_a_transaction() {
        let rule = "concurrently-in-transaction";
        let bad = "BEGIN;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;\nSTART TRANSACTION;\nVACUUM t;\nEND;\nDO $$ BEGIN\nDROP INDEX CONCURRENTLY i; END $$;";
        assert_eq!(lines(rule, bad), [2, 5, 8]);
        assert_eq!(
            lines(
                rule,
                "BEGIN; COMMIT;\nCREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM t;"
            ),
            [0; 0]
        );
    }
}

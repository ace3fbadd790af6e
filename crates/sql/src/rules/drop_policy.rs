//! Policies that go: with row security, who has none sees nothing.

use super::{Found, Rule, When};
use crate::{lexer::significant, lint::Site, statement::Kind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "drop-policy",
    summary: "a policy is dropped, so that the application may see other rows, or none",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let Kind::Touch { table, .. } = &site.statement.kind else {
        return Vec::new();
    };
    let text = site.text.get(site.statement.range.clone()).unwrap_or("");
    let tokens = significant(text);
    let is_drop = matches!(tokens.as_slice(), [first, second, ..]
        if first.is_word(text, "drop") && second.is_word(text, "policy"));
    // The same transaction makes another one.
    if !is_drop || site.is_new(table) || site.state.in_transaction && site.makes_policy(table) {
        return Vec::new();
    }
    vec![site.found(
        format!("a policy of {table} is dropped: a permissive one shows rows that the application no longer sees and cannot write, a restrictive one hides rows that it sees from here on"),
        "CREATE POLICY its successor in the same transaction, or ALTER POLICY".to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn a_policy_that_is_replaced_at_once_may_go() {
        let rule = "drop-policy";
        let bad = "DROP POLICY p ON t;\nDROP POLICY IF EXISTS p ON app.t;\nCREATE POLICY p ON u USING (true);";
        assert_eq!(lines(rule, bad), [1, 2]);
        for good in [
            "BEGIN;\nDROP POLICY p ON t;\nCREATE POLICY q ON t USING (true);\nCOMMIT;",
            "ALTER POLICY p ON t USING (true);",
            "CREATE TABLE n (a int);\nDROP POLICY p ON n;",
            "DROP RULE policy ON t;",
        ] {
            assert_eq!(lines(rule, good), [0; 0], "{good}");
        }
    }
}

//! Enum values before their time.

use super::{Found, Rule, When};
use crate::analysis::lint::Site;
use crate::plan::error::Severity;

pub const RULE: Rule = Rule {
    name: "enum-value-used-at-once",
    summary: "a new enum value is used in the transaction that adds it",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let text = site
        .text
        .get(site.statement.range.clone())
        .unwrap_or_default();
    let used = site
        .state
        .enum_values
        .iter()
        .find(|value| text.contains(value.as_str()));
    let Some(value) = used.filter(|_| !site.state.in_body) else {
        return Vec::new();
    };
    vec![site.found(
        format!("{value} was added to an enum in this transaction: using it before COMMIT fails"),
        "add the value in a transaction of its own".to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::analysis::rules::tests::lines;

    #[test]
    fn a_value_is_usable_after_commit() {
        let rule = "enum-value-used-at-once";
        assert_eq!(
            lines(
                rule,
                "BEGIN;\nALTER TYPE e ADD VALUE 'new';\nUPDATE t SET a = 'new' WHERE b;\nCOMMIT;"
            ),
            [3]
        );
        assert_eq!(
            lines(
                rule,
                "ALTER TYPE e ADD VALUE 'new';\nUPDATE t SET a = 'new' WHERE b;\nBEGIN;\nALTER TYPE e ADD VALUE 'x';\nCOMMIT;\nSELECT 'x';"
            ),
            [0; 0]
        );
    }
}

//! Enum values before their time.

use super::{Found, Rule, When};
use crate::lint::Site;
use crossfade_model::error::Severity;

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
    let mut values = site.state.enum_values.iter();
    let used = values.find(|(value, _)| text.contains(value.as_str()));
    let Some((value, of_new)) = used.filter(|_| !site.state.in_body) else {
        return Vec::new();
    };
    let found = |message: &str| {
        site.found(
            format!("{value} was added to an enum in this transaction: {message}"),
            "add the value in a transaction of its own".to_owned(),
        )
    };
    // Measured: 15 refuses it, whatever has made the type.
    vec![if *of_new {
        found("using it before COMMIT fails before PostgreSQL 17, although the enum is as new")
            .warning()
    } else {
        found("using it before COMMIT fails")
    }]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

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
        // PostgreSQL 17 allows it where the type is as new as the value.
        let new = "BEGIN;\nCREATE TYPE e AS ENUM ('a');\nALTER TYPE e ADD VALUE 'b';\nINSERT INTO t VALUES ('b');\nCOMMIT;";
        assert_eq!((lines(rule, new), errors(rule, new)), (vec![4], vec![]));
    }
}

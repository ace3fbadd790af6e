//! Allowances that allow nothing: without a reason, of a rule that is not there, or of what is not found.

use super::{Found, RULES, rule};
use crate::script::Allowance;
use crossfade_model::error::Severity;

pub const NAME: &str = "allowance";

/// What is wrong with an allowance; it cannot be allowed itself.
pub fn wrong(allowance: &Allowance, used: bool) -> Option<(Severity, Found)> {
    let found = |message: String, help: String| Found {
        severity: None,
        range: allowance.range.clone(),
        message,
        help,
    };
    let form =
        || "`-- crossfade:allow rule-name: reason`, before the statement or on its line".to_owned();
    if allowance.rules.is_empty() {
        return Some((
            Severity::Error,
            found("no rule is named".to_owned(), form()),
        ));
    }
    if let Some(unknown) = allowance.rules.iter().find(|name| rule(name).is_none()) {
        let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        let help = format!("the rules are {}", names.join(", "));
        return Some((
            Severity::Error,
            found(format!("there is no rule `{unknown}`"), help),
        ));
    }
    if allowance.reason.is_empty() {
        return Some((
            Severity::Error,
            found("a reason is missing".to_owned(), form()),
        ));
    }
    (!used).then(|| {
        let message = "there is nothing here that this allows".to_owned();
        (
            Severity::Warning,
            found(message, "take the comment away".to_owned()),
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::{Context, lint};

    fn found(sql: &str) -> Vec<(&'static str, String)> {
        let context = Context {
            timeouts_set: true,
            ..Context::default()
        };
        lint(sql, &context)
            .into_iter()
            .map(|finding| (finding.rule, finding.message))
            .collect()
    }

    #[test]
    fn a_reason_allows_one_statement() {
        let sql =
            "-- crossfade:allow truncate: a table of the tests only\nTRUNCATE t;\nTRUNCATE t;";
        assert_eq!(found(sql).len(), 1);
        assert!(found("TRUNCATE t; -- crossfade:allow truncate: empty").is_empty());
    }

    #[test]
    fn what_allows_nothing_is_told() {
        let both = found("-- crossfade:allow truncate\nTRUNCATE t;");
        assert_eq!((both[0].0, both[1].0), ("allowance", "truncate"));
        assert_eq!(both[0].1, "a reason is missing");
        assert_eq!(
            found("-- crossfade:allow trunkate: x\nSELECT 1;")[0].1,
            "there is no rule `trunkate`"
        );
        assert_eq!(
            found("-- crossfade:allow truncate: x\nSELECT 1;")[0].1,
            "there is nothing here that this allows"
        );
        assert_eq!(
            found("SELECT 1;\n-- crossfade:allow : x")[0].1,
            "no rule is named"
        );
    }
}

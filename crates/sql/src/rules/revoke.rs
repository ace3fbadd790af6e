//! Rights that the running version may use.

use super::{Found, Rule, When};
use crate::{lexer::significant, lint::Site, statement::Kind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "revoke",
    summary: "a right is revoked that the running version may use",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let text = site.text.get(site.statement.range.clone()).unwrap_or("");
    // Most statements are none, and may be long.
    let first = text.get(.."revoke".len()).unwrap_or("");
    if !first.eq_ignore_ascii_case("revoke") {
        return Vec::new();
    }
    let tokens = significant(text);
    if let Kind::Touch { table, .. } = &site.statement.kind
        && site.is_new(table)
    {
        return Vec::new();
    }
    let from = tokens.iter().rposition(|token| token.is_word(text, "from"));
    let roles = from.and_then(|at| tokens.get(at + 1..)).unwrap_or_default();
    let roles: Vec<&str> = roles
        .iter()
        .map(|token| token.text(text))
        .take_while(|word| {
            !["cascade", "restrict", "granted", ";"].contains(&word.to_lowercase().as_str())
        })
        .filter(|word| *word != ",")
        .collect();
    let roles = roles.join(", ");
    let message = format!(
        "{roles} loses a right: if the running version of the application uses it as this role or as a member of it, its statements fail from here on"
    );
    let help =
        "revoke it when no version that uses the right runs any more, and allow that with a reason"
            .to_owned();
    let found = site.found(message, help);
    // PUBLIC has the right beside those that roles were granted.
    let is_public_only = roles.eq_ignore_ascii_case("public");
    vec![if is_public_only {
        found.warning()
    } else {
        found
    }]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{errors, lines};

    #[test]
    fn whose_right_goes_is_named() {
        let rule = "revoke";
        let bad = "/* so */ REVOKE SELECT ON t FROM app;\nREVOKE ALL ON ALL TABLES IN SCHEMA s FROM app, other CASCADE;\nREVOKE writer FROM app;\nREVOKE GRANT OPTION FOR UPDATE (a) ON t FROM app;";
        assert_eq!(errors(rule, bad), [1, 2, 3, 4]);
        let public = "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;";
        assert_eq!(
            (errors(rule, public), lines(rule, public)),
            (vec![], vec![1])
        );
        for good in [
            "GRANT SELECT ON t TO app;",
            "-- REVOKE SELECT ON t FROM app;\nSELECT 1;",
            "CREATE TABLE n (a int);\nREVOKE ALL ON n FROM app;",
        ] {
            assert_eq!(lines(rule, good), [0; 0], "{good}");
        }
    }
}

//! Row security that shows nobody a row.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::ChangeKind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "row-security-without-policy",
    summary: "row security is enabled on a table without a policy, so that the application sees no row",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        let ChangeKind::EnableRowSecurity { forced } = change.kind else {
            continue;
        };
        if site.has_policy(table) {
            continue;
        }
        let who = if forced {
            "every role, the table's owner too, but superusers and roles with BYPASSRLS"
        } else {
            "every role but the table's owner, superusers and roles with BYPASSRLS"
        };
        found.push(Found::at(
            change.range.clone(),
            format!("no policy of {table} is in these files: without one {who} sees no row of it and can write none"),
            "CREATE POLICY first, which has no effect as long as row security is off, and enable it afterwards".to_owned(),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn a_policy_of_the_file_is_enough() {
        let rule = "row-security-without-policy";
        let bad = "ALTER TABLE t ENABLE ROW LEVEL SECURITY;\nALTER TABLE t FORCE ROW LEVEL SECURITY;\nCREATE POLICY p ON u USING (true);";
        assert_eq!(lines(rule, bad), [1, 2]);
        for good in [
            "CREATE POLICY p ON t USING (true);\nALTER TABLE t ENABLE ROW LEVEL SECURITY;",
            "BEGIN;\nALTER TABLE t ENABLE ROW LEVEL SECURITY;\nCREATE POLICY p ON t USING (true);\nCOMMIT;",
            "ALTER TABLE t DISABLE ROW LEVEL SECURITY;\nALTER TABLE t NO FORCE ROW LEVEL SECURITY;",
            "CREATE TABLE n (a int);\nALTER TABLE n ENABLE ROW LEVEL SECURITY;",
        ] {
            assert_eq!(lines(rule, good), [0; 0], "{good}");
        }
    }
}

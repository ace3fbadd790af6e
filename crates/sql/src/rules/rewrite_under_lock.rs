//! Every row written anew while the application waits.

use super::{Found, Rule, When, list};
use crate::lint::Site;
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "rewrite-under-lock",
    summary: "the whole table is rewritten while nobody can use it",
    severity: Severity::Error,
    when: When::NothingElseFound,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    if site.effects.rewrites.is_empty() || site.effects.unknown {
        return Vec::new();
    }
    vec![
        site.found(
            format!(
                "this rewrites every row of {} while the application can neither read nor write",
                list(&site.effects.rewrites)
            ),
            "make the change on a new column or a new table, and move the rows over in batches"
                .to_owned(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn a_table_that_is_copied_is_found() {
        let rule = "rewrite-under-lock";
        assert_eq!(
            lines(
                rule,
                "ALTER TABLE t SET UNLOGGED;\nALTER TABLE t ALTER c SET EXPRESSION AS (a + 1);"
            ),
            [1, 2]
        );
        assert_eq!(
            lines(
                rule,
                "ALTER TABLE t SET (fillfactor = 80);\nCREATE TABLE n (); ALTER TABLE n SET LOGGED;"
            ),
            [0; 0]
        );
    }
}

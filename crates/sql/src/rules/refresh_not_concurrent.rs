//! Materialized views that cannot be read while they are made anew.

use super::{Found, Rule, When};
use crate::{
    lint::Site,
    statement::{Building, Kind},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "refresh-not-concurrent",
    summary: "REFRESH MATERIALIZED VIEW without CONCURRENTLY",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    match &site.statement.kind {
        Kind::Refresh {
            view,
            how: Building::Blocking,
        } if !site.is_new(view) => vec![
            site.found(
                format!("nobody can read {view} until its query has run"),
                "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on the view"
                    .to_owned(),
            ),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn a_refresh_that_blocks_is_found() {
        let text = "REFRESH MATERIALIZED VIEW a;\nREFRESH MATERIALIZED VIEW CONCURRENTLY a;\nCREATE MATERIALIZED VIEW b AS SELECT 1;\nREFRESH MATERIALIZED VIEW b;";
        assert_eq!(lines("refresh-not-concurrent", text), [1]);
    }
}

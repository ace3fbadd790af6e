//! Waiting without an end, with the application behind.

use super::{Found, Rule, When};
use crate::lint::Site;
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "missing-timeout",
    summary: "a lock is waited for without lock_timeout, or held over a scan without statement_timeout",
    severity: Severity::Warning,
    when: When::Always,
    check,
};

/// The first such statement of a file stands for all.
fn check(site: &Site<'_>) -> Vec<Found> {
    let (state, effects) = (site.state, site.effects);
    if !effects.blocks() || effects.outside_transaction || effects.unknown {
        return Vec::new();
    }
    let mut found = Vec::new();
    if !state.settings.timeouts.lock && !state.missed.lock {
        found.push(site.found(
            "no lock_timeout is set: while this waits for its lock, every statement of the application queues behind it".to_owned(),
            "SET lock_timeout = '100ms' before it, and run the file again when it fails".to_owned(),
        ));
    }
    let long = !effects.scans.is_empty() || !effects.rewrites.is_empty();
    if long && !state.settings.timeouts.statement && !state.missed.statement {
        found.push(
            site.found(
                "no statement_timeout is set: nothing ends this if it holds its lock for too long"
                    .to_owned(),
                "SET statement_timeout to what the application can bear".to_owned(),
            ),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn it_is_said_once() {
        let rule = "missing-timeout";
        assert_eq!(
            lines(
                rule,
                "SELECT 1;\nALTER TABLE t ADD a int;\nALTER TABLE t ADD b int;"
            ),
            [2]
        );
        assert_eq!(
            lines(
                rule,
                "SET lock_timeout = '1s';\nALTER TABLE t ADD a int;\nCREATE INDEX CONCURRENTLY i ON t (a);"
            ),
            [0; 0]
        );
        assert_eq!(
            lines(rule, "SET lock_timeout TO 0;\nALTER TABLE t ADD a int;"),
            [2]
        );
        assert_eq!(
            lines(
                rule,
                "SET LOCAL lock_timeout = '1s';\nALTER TABLE t ADD a int;"
            ),
            [2]
        );
        for (good, set) in [
            (
                "SELECT set_config('lock_timeout', '1s', false);\n",
                [0; 0].as_slice(),
            ),
            (
                "SELECT pg_catalog.set_config('lock_timeout', '0', false);\n",
                &[2],
            ),
            ("BEGIN;SET LOCAL lock_timeout = '1s';COMMIT;\n", &[2]),
            ("BEGIN;SET lock_timeout = '1s';ROLLBACK;\n", &[2]),
            ("BEGIN;SET lock_timeout = '1s';COMMIT;\n", &[]),
            ("BEGIN;SET LOCAL lock_timeout = '1s';\n", &[]),
            ("SET lock_timeout = '1s';\\c other\n", &[2]),
            ("-- migrate:up\nSET LOCAL lock_timeout = '1s';\n", &[]),
            (
                "-- migrate:up transaction:false\nSET LOCAL lock_timeout = '1s';\n",
                &[3],
            ),
        ] {
            assert_eq!(
                lines(rule, &format!("{good}ALTER TABLE t ADD a int;")),
                set,
                "{good}"
            );
        }
        assert_eq!(
            lines(
                rule,
                "SELECT 1;\nCREATE TABLE n (a int);\nCREATE INDEX ON n (a);"
            ),
            [0; 0]
        );
    }
}

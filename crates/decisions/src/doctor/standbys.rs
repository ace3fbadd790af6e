//! Standbys: how far behind they are, and whether commits wait for one that is not there.

use super::{Check, CheckFinding, Work, words};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standbys {
    pub names: Vec<String>,
    /// Of the slowest, with its name.
    pub lag_seconds: Option<(f64, String)>,
    /// Why the lag is not known.
    pub hidden: Option<String>,
    /// `synchronous_standby_names`; empty: no commit waits.
    pub synchronous_names: String,
    /// `synchronous_commit` of Crossfade's sessions lets commits wait for standbys.
    pub commits_wait: bool,
    /// Connections of whatever receives log.
    pub senders: i64,
    /// Those of them that commits wait for; `None`: this role may not see it.
    pub synchronous: Option<i64>,
}

/// A standby that is further behind is said, or one at which a backfill of the plan slows down.
const LAG_MAX_SECONDS: f64 = 60.0;

pub fn check(standbys: &Standbys, work: Option<&Work>) -> Vec<CheckFinding> {
    let check = Check::Standbys;
    let waits = standbys.commits_wait && !standbys.synchronous_names.trim().is_empty();
    let nobody = standbys.senders == 0 || standbys.synchronous == Some(0);
    if waits && nobody {
        let found = format!(
            "synchronous_standby_names = {} and none of them is connected: every commit waits, Crossfade's too",
            standbys.synchronous_names
        );
        return vec![CheckFinding::failed(check, found).remedy(
            "connect the standby, or: ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf();",
        )];
    }
    if let Some((lag, name)) = &standbys.lag_seconds
        && *lag > Work::or(LAG_MAX_SECONDS, work.and_then(|work| work.lag_seconds_max))
    {
        let found = format!("the standby {name} is {} behind", words::time(*lag));
        return vec![
            CheckFinding::warning(check, found)
                .remedy("see why: a backfill slows down and rests while a standby is behind (settings.pacing.replica_lag)"),
        ];
    }
    if let Some(why) = standbys.hidden.as_ref().filter(|_| standbys.senders > 0) {
        return vec![
            CheckFinding::unknown(
                check,
                format!("how far behind standbys are is not known: {why}"),
            )
            .remedy("GRANT pg_monitor TO this role"),
        ];
    }
    let found = match standbys.names.len() {
        0 => "no standby is connected".to_owned(),
        _ => format!("none is far behind: {}", words::list(&standbys.names)),
    };
    vec![CheckFinding::passed(check, found)]
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn a_commit_that_waits_for_nobody_fails() {
        let waits = Standbys {
            synchronous_names: "one".to_owned(),
            commits_wait: true,
            synchronous: Some(0),
            ..Standbys::default()
        };
        let verdict = |standbys: &Standbys| check(standbys, None)[0].verdict;
        assert_eq!(verdict(&waits), Verdict::Failed);
        let local = Standbys {
            commits_wait: false,
            ..waits.clone()
        };
        assert_eq!(verdict(&local), Verdict::Passed);
        let hidden = Standbys {
            senders: 1,
            synchronous: None,
            hidden: Some("no right".to_owned()),
            ..waits.clone()
        };
        assert_eq!(verdict(&hidden), Verdict::Unknown);
        let connected = Standbys {
            senders: 1,
            synchronous: Some(1),
            lag_seconds: Some((1.0, "one".to_owned())),
            ..waits
        };
        assert_eq!(verdict(&connected), Verdict::Passed);
        let behind = Standbys {
            lag_seconds: Some((90.0, "one".to_owned())),
            ..connected
        };
        assert_eq!(verdict(&behind), Verdict::Warning);
    }
}

//! Whether there is a recent backup, as a query or a command of the operator's says.

use super::{Check, CheckFinding, Reading, words};
use crossfade_plan::span::Span;

/// How it was found out when the last backup ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Backup {
    /// Nobody has said how to find it out.
    NotAsked,
    /// Seconds between the backup and now, by the database's clock; `None`: there was no answer.
    Asked {
        age_seconds: Reading<Option<f64>>,
        younger_than: Span,
    },
}

/// What an age means.
#[derive(Clone, Debug, PartialEq)]
pub enum Freshness {
    Fresh(String),
    Stale(String),
}

/// Clocks of two machines may be so far apart.
const AHEAD_MAX_SECONDS: f64 = 60.0;

pub fn freshness(age_seconds: Option<f64>, younger_than: Span) -> Freshness {
    let Some(age) = age_seconds else {
        return Freshness::Stale("no backup was found".to_owned());
    };
    let limit = younger_than.duration().as_secs_f64();
    if !age.is_finite() || age < -AHEAD_MAX_SECONDS {
        return Freshness::Stale(
            "the last backup is said to have ended in the future, which proves nothing".to_owned(),
        );
    }
    let found = format!("the last backup ended {} ago", words::time(age));
    match age < limit {
        true => Freshness::Fresh(found),
        false => Freshness::Stale(format!(
            "{found}, and should be younger than {younger_than}"
        )),
    }
}

pub fn check(backup: &Backup) -> Vec<CheckFinding> {
    let check = Check::Backup;
    let (age, younger_than) = match backup {
        Backup::NotAsked => {
            let why = "whether there is a backup is not known";
            return vec![CheckFinding::unknown(check, why).remedy(
                "write `backup: {query: …, younger_than: 24h}` or `backup: {command: […], younger_than: 24h}` into crossfade.yaml",
            )];
        }
        Backup::Asked {
            age_seconds,
            younger_than,
        } => (age_seconds, *younger_than),
    };
    let finding = match age {
        Ok(age) => match freshness(*age, younger_than) {
            Freshness::Fresh(found) => CheckFinding::passed(check, found),
            Freshness::Stale(found) => {
                CheckFinding::failed(check, found).remedy("make a backup, and run the check again")
            }
        },
        Err(why) => CheckFinding::failed(
            check,
            format!("it could not be found out when the last backup ended: {why}"),
        )
        .remedy("put `backup` in crossfade.yaml right"),
    };
    vec![finding]
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn only_a_young_backup_passes() {
        let asked = |age_seconds| Backup::Asked {
            age_seconds,
            younger_than: Span::from_millis(24 * 3_600_000),
        };
        for (backup, verdict) in [
            (Backup::NotAsked, Verdict::Unknown),
            (asked(Ok(Some(3_600.0))), Verdict::Passed),
            (asked(Ok(Some(-5.0))), Verdict::Passed),
            (asked(Ok(Some(86_400.0))), Verdict::Failed),
            (asked(Ok(Some(-3_600.0))), Verdict::Failed),
            (asked(Ok(Some(f64::NEG_INFINITY))), Verdict::Failed),
            (asked(Ok(Some(f64::NAN))), Verdict::Failed),
            (asked(Ok(None)), Verdict::Failed),
            (asked(Err("exit status 1".to_owned())), Verdict::Failed),
        ] {
            assert_eq!(check(&backup)[0].verdict, verdict, "{backup:?}");
        }
    }
}

//! What was read of the database and when. What could not be read is kept too: unknown is never "all is well".

use super::{Grip, Signal};
use crossfade_plan::pacing::READING_AGE_MAX;
use std::{collections::BTreeMap, time::Duration};

/// What a look at one signal gave. Both: some of it could be seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub known: Option<Known>,
    pub missing: Option<Missing>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// There is none of what is measured: no standby, no slot.
    Nothing,
    /// In the signal's unit; of which standby, slot or session.
    Amount(f64, Option<String>),
    /// Whoever was asked says so outright.
    Says(Grip, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Only another role can see it: no use in waiting.
    Forbidden(String),
    /// It may come back, until the last reading is too old.
    Failed(String),
}

/// One signal, as it was seen last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauge {
    /// With the time of the reading.
    pub known: Option<(Duration, Known)>,
    /// With the time since when.
    pub missing: Option<(Duration, Missing)>,
}

/// All signals. Times count from the moment that the watch began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    gauges: BTreeMap<Signal, Gauge>,
}

impl Sample {
    pub fn note(&mut self, signal: Signal, at: Duration, reading: Reading) {
        let gauge = self.gauges.entry(signal).or_default();
        let (known, missing) = match reading.known {
            Some(Known::Amount(amount, _)) if amount.is_nan() => {
                (None, Some(Missing::Failed("not a number".to_owned())))
            }
            known => (known, reading.missing),
        };
        if let Some(known) = known {
            gauge.known = Some((at, known));
        }
        gauge.missing = missing.map(|missing| {
            let since = gauge.missing.as_ref().map_or(at, |(since, _)| *since);
            (since, missing)
        });
    }

    /// Several signals that are read together could not be.
    pub fn failed(&mut self, signals: &[Signal], at: Duration, why: &str) {
        for signal in signals {
            let reading = Reading {
                known: None,
                missing: Some(Missing::Failed(why.to_owned())),
            };
            self.note(*signal, at, reading);
        }
    }

    pub fn gauge(&self, signal: Signal) -> Gauge {
        self.gauges.get(&signal).cloned().unwrap_or_default()
    }
}

impl Gauge {
    /// A reading that is fresh enough to go by.
    pub fn fresh(&self, now: Duration) -> Option<&Known> {
        let (at, known) = self.known.as_ref()?;
        let is_fresh = now.saturating_sub(*at) <= READING_AGE_MAX.duration();
        is_fresh.then_some(known)
    }

    /// Why the signal, or a part of it, is not known; `None`: it is. `asked`: somebody wants it to be read, and what this
    /// role may not see counts.
    pub fn unknown(&self, now: Duration, asked: bool) -> Option<String> {
        let age_max = READING_AGE_MAX.duration();
        let last = self.known.as_ref().map(|(at, _)| *at);
        match &self.missing {
            Some((_, Missing::Forbidden(why))) => asked.then(|| why.clone()),
            Some((since, Missing::Failed(why))) => {
                let is_old = now.saturating_sub(*since) > age_max || self.fresh(now).is_none();
                is_old.then(|| why.clone())
            }
            None => {
                let age = now.saturating_sub(last.unwrap_or_default());
                (age > age_max).then(|| format!("not read for {age:.0?}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNAL: Signal = Signal::ReplicaLag;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn amount(amount: f64) -> Reading {
        Reading {
            known: Some(Known::Amount(amount, None)),
            missing: None,
        }
    }

    #[test]
    fn a_reading_counts_until_it_is_too_old_and_what_never_came_is_unknown_too() {
        let mut sample = Sample::default();
        assert_eq!(sample.gauge(SIGNAL).unknown(seconds(15), false), None);
        assert!(sample.gauge(SIGNAL).unknown(seconds(16), false).is_some());
        sample.note(SIGNAL, seconds(1), amount(2.0));
        let gauge = sample.gauge(SIGNAL);
        assert!(gauge.fresh(seconds(16)).is_some() && gauge.unknown(seconds(16), true).is_none());
        assert!(gauge.fresh(seconds(17)).is_none());
        assert_eq!(
            gauge.unknown(seconds(17), true).unwrap(),
            "not read for 16s"
        );
    }

    #[test]
    fn a_failure_counts_once_the_last_reading_is_too_old_and_at_once_where_there_was_none() {
        let mut sample = Sample::default();
        sample.failed(&[SIGNAL], seconds(1), "refused");
        assert_eq!(
            sample.gauge(SIGNAL).unknown(seconds(1), false).unwrap(),
            "refused"
        );
        sample.note(SIGNAL, seconds(2), amount(1.0));
        for second in 3..=17 {
            sample.failed(&[SIGNAL], seconds(second), "refused");
            let gauge = sample.gauge(SIGNAL);
            assert_eq!(gauge.unknown(seconds(second), false), None, "{second}");
        }
        let gauge = sample.gauge(SIGNAL);
        assert_eq!(gauge.unknown(seconds(18), false).unwrap(), "refused");
    }

    #[test]
    fn what_a_role_may_not_see_counts_only_where_somebody_wants_it() {
        let mut sample = Sample::default();
        let reading = Reading {
            known: None,
            missing: Some(Missing::Forbidden("GRANT pg_monitor".to_owned())),
        };
        sample.note(SIGNAL, seconds(1), reading);
        assert_eq!(sample.gauge(SIGNAL).unknown(seconds(90), false), None);
        assert!(sample.gauge(SIGNAL).unknown(seconds(1), true).is_some());
    }

    #[test]
    fn what_is_no_number_is_not_a_reading() {
        let mut sample = Sample::default();
        sample.note(SIGNAL, seconds(1), amount(f64::NAN));
        assert_eq!(
            sample.gauge(SIGNAL).unknown(seconds(1), false).unwrap(),
            "not a number"
        );
    }
}

//! What the last minutes of a walk went into: work at full speed, waits and their reasons, or nobody at work.

use super::Point;
use crate::pacing::{Pace, Signal};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// Seconds by what they went into. While it is slowed it works too, in smaller steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub free_seconds: f64,
    pub slowed_seconds: f64,
    pub stopped_seconds: f64,
    /// Several signals hold at the same time, so these need not add up.
    pub held_seconds: BTreeMap<Signal, f64>,
}

/// A moment of a walk, the pace at it, and what the time since the one before went into.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    pub point: Point,
    pub delay_ms: i32,
    pub workers: i32,
    pub reasons: Vec<String>,
    pub tally: Tally,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Account {
    pub window_seconds: f64,
    pub free_seconds: f64,
    pub slowed_seconds: f64,
    pub stopped_seconds: f64,
    /// Paused, or nobody drove it.
    pub idle_seconds: f64,
    /// From the longest.
    pub held_back_by: Vec<Held>,
    /// Rows for each second, in even parts of the window, the oldest first.
    pub rows_per_second: Vec<f64>,
}

/// For how long one signal held the walk back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Held {
    pub signal: Signal,
    pub seconds: f64,
}

/// Parts of the window, where it is long enough.
const PARTS_MAX: usize = 40;
/// Points are two seconds apart: shorter parts would show nothing but that.
const PART_SECONDS_MIN: f64 = 2.0;

impl Tally {
    /// The time that passed at this pace.
    pub fn add(&mut self, time: Duration, pace: &Pace) {
        let seconds = time.as_secs_f64();
        if pace.stopped {
            self.stopped_seconds += seconds;
        } else if pace.reasons.is_empty() {
            self.free_seconds += seconds;
        } else {
            self.slowed_seconds += seconds;
        }
        let mut signals: Vec<Signal> = pace.reasons.iter().map(|reason| reason.signal).collect();
        signals.dedup();
        for signal in signals {
            *self.held_seconds.entry(signal).or_default() += seconds;
        }
    }
}

/// `moments`: oldest first. `None`: there are too few to say anything. The window ends at the last of them while
/// somebody works, and now where nobody does.
pub fn account(moments: &[Moment], is_driven: bool) -> Option<Account> {
    let (first, last) = (moments.first()?, moments.last()?);
    let until = if is_driven {
        last.point.age_seconds
    } else {
        0.0
    };
    let window = first.point.age_seconds - until;
    if moments.len() < 2 || window < PART_SECONDS_MIN {
        return None;
    }
    let later = &moments[1..];
    let sum = |of: fn(&Tally) -> f64| later.iter().map(|moment| of(&moment.tally)).sum::<f64>();
    let free = sum(|tally| tally.free_seconds);
    let slowed = sum(|tally| tally.slowed_seconds);
    let stopped = sum(|tally| tally.stopped_seconds);
    let mut held: BTreeMap<Signal, f64> = BTreeMap::new();
    for (signal, seconds) in later.iter().flat_map(|moment| &moment.tally.held_seconds) {
        *held.entry(*signal).or_default() += seconds;
    }
    let mut held_back_by: Vec<Held> = held
        .into_iter()
        .map(|(signal, seconds)| Held { signal, seconds })
        .collect();
    held_back_by.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    Some(Account {
        window_seconds: window,
        free_seconds: free,
        slowed_seconds: slowed,
        stopped_seconds: stopped,
        idle_seconds: (window - free - slowed - stopped).max(0.0),
        held_back_by,
        rows_per_second: rates(moments, first.point.age_seconds, window),
    })
}

/// The rows between two moments are spread evenly over the parts that these span.
fn rates(moments: &[Moment], oldest: f64, window: f64) -> Vec<f64> {
    let parts = ((window / PART_SECONDS_MIN) as usize).clamp(1, PARTS_MAX);
    let length = window / parts as f64;
    let mut rates = vec![0.0; parts];
    for pair in moments.windows(2) {
        let (from, to) = (
            oldest - pair[0].point.age_seconds,
            oldest - pair[1].point.age_seconds,
        );
        let rows = (pair[1].point.rows_changed - pair[0].point.rows_changed).max(0) as f64;
        for (part, rate) in rates.iter_mut().enumerate() {
            let (begins, ends) = (part as f64 * length, (part + 1) as f64 * length);
            let shared = (to.min(ends) - from.max(begins)).max(0.0);
            *rate += rows * shared / (to - from).max(1e-6) / length;
        }
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::{Grip, Reason};

    fn held(signals: &[Signal], stopped: bool) -> Pace {
        Pace {
            stopped,
            reasons: signals
                .iter()
                .map(|signal| Reason {
                    signal: *signal,
                    grip: Grip::Slowed,
                    is_known: true,
                    text: "so".to_owned(),
                })
                .collect(),
            ..Pace::free(1, 1)
        }
    }

    fn moment(age_seconds: f64, rows_changed: i64, tally: Tally) -> Moment {
        Moment {
            point: Point {
                age_seconds,
                blocks_done: 0,
                rows_changed,
            },
            delay_ms: 0,
            workers: 1,
            reasons: Vec::new(),
            tally,
        }
    }

    #[test]
    fn every_second_goes_into_one_thing_and_every_signal_that_held_has_its_own() {
        let mut tally = Tally::default();
        let lag = [Signal::ReplicaLag, Signal::Query];
        tally.add(Duration::from_secs(3), &held(&[], false));
        tally.add(Duration::from_secs(2), &held(&lag[..1], false));
        tally.add(Duration::from_secs(1), &held(&lag, true));
        // A reading and the lack of one, of the same signal, are the same seconds.
        tally.add(Duration::from_secs(4), &held(&[lag[0], lag[0]], true));
        assert_eq!(
            (
                tally.free_seconds,
                tally.slowed_seconds,
                tally.stopped_seconds
            ),
            (3.0, 2.0, 5.0)
        );
        let moments = [
            moment(
                30.0,
                100,
                Tally {
                    free_seconds: 9.0,
                    ..Tally::default()
                },
            ),
            moment(20.0, 1_100, tally),
        ];
        let found = account(&moments, false).unwrap();
        assert_eq!(found.window_seconds, 30.0);
        assert_eq!(found.idle_seconds, 20.0, "nobody was there since");
        let held: Vec<(Signal, f64)> = found
            .held_back_by
            .iter()
            .map(|held| (held.signal, held.seconds))
            .collect();
        assert_eq!(held, [(lag[0], 7.0), (lag[1], 1.0)]);
        let found = account(&moments, true).unwrap();
        assert_eq!((found.window_seconds, found.idle_seconds), (10.0, 0.0));
        assert_eq!(found.rows_per_second, [100.0; 5]);
    }

    #[test]
    fn rows_are_counted_once_however_the_window_is_cut() {
        let ages = [61.0, 50.5, 33.3, 33.0, 7.0, 0.5];
        let moments: Vec<Moment> = ages
            .iter()
            .enumerate()
            .map(|(number, age)| moment(*age, number as i64 * 1_000, Tally::default()))
            .collect();
        let found = account(&moments, true).unwrap();
        let length = found.window_seconds / found.rows_per_second.len() as f64;
        let rows: f64 = found.rows_per_second.iter().map(|rate| rate * length).sum();
        assert!((rows - 5_000.0).abs() < 1e-6, "{rows}");
        assert!(account(&moments[..1], true).is_none());
    }
}

//! The decision: from the limits, the pace before and the last readings to the next pace, with every reason for it.

use super::{Bound, Known, Sample, Signal, bounds};
use crossfade_plan::{
    document::Pacing,
    pacing::{READING_AGE_MAX, WhenStale},
};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// How many blocks the next batch takes, how long to wait before it, and how many workers there may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    pub batch_blocks: u32,
    pub delay: Duration,
    pub workers: u32,
    /// No batch at all for now; look again after `delay`.
    pub stopped: bool,
    /// Everything that holds it back, not only the first. Empty: full speed.
    pub reasons: Vec<Reason>,
}

/// How hard a signal holds the backfill back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grip {
    Slowed,
    Stopped,
}

/// One signal's hold, with the reading and the threshold in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    pub signal: Signal,
    pub grip: Grip,
    /// By a reading, or by the lack of one.
    pub is_known: bool,
    pub text: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How long to wait before looking again while stopped.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// However long a batch may take, the wait before one is bounded.
pub const DELAY_MIN: Duration = Duration::from_millis(10);
pub const DELAY_MAX: Duration = Duration::from_secs(30);
/// The wait grows to so many batches' target.
const DELAY_TARGETS: f64 = 5.0;

/// One decision. `last` is the pace before; `now` counts from where the sample's times do.
pub fn decide(limits: &Pacing, last: &Pace, sample: &Sample, now: Duration) -> Pace {
    let mut pace = Pace {
        batch_blocks: last.batch_blocks,
        delay: Duration::ZERO,
        workers: limits.workers.max(1),
        stopped: false,
        reasons: Vec::new(),
    };
    for (signal, bound) in bounds(limits) {
        let gauge = sample.gauge(signal);
        if let Some(hold) = gauge
            .fresh(now)
            .and_then(|known| by_reading(signal, bound, held(last, signal), known))
        {
            pace.hold(limits, hold);
        }
        if let Some(hold) = gauge
            .unknown(now, bound.asked)
            .and_then(|why| by_lack(signal, bound, &why))
        {
            pace.hold(limits, hold);
        }
    }
    pace
}

/// A reason, and how far between the thresholds, from 0 to 1.
struct Hold {
    reason: Reason,
    share: f64,
}

/// How a reading of this signal held the backfill back before.
fn held(last: &Pace, signal: Signal) -> Option<Grip> {
    let mut reasons = last.reasons.iter();
    let found = reasons.find(|reason| reason.signal == signal && reason.is_known);
    found.map(|reason| reason.grip)
}

fn by_reading(signal: Signal, bound: Bound, held: Option<Grip>, known: &Known) -> Option<Hold> {
    let reason = |grip, text| Reason {
        signal,
        grip,
        is_known: true,
        text,
    };
    let (amount, of) = match known {
        Known::Nothing => return None,
        Known::Says(grip, text) => {
            let text = format!("{} {text}", signal.words());
            return Some(Hold {
                reason: reason(*grip, text),
                share: 1.0,
            });
        }
        Known::Amount(amount, of) => (*amount, of),
    };
    let (grip, share) = weigh(bound, held, amount)?;
    let of = of.as_ref().map_or(String::new(), |of| format!(" ({of})"));
    let limit = match grip {
        Grip::Slowed => format!("slowed from {}", signal.write(bound.slow)),
        Grip::Stopped => format!("stopped at {}", signal.write(bound.stop)),
    };
    let text = format!("{} {}{of}, {limit}", signal.words(), signal.write(amount));
    Some(Hold {
        reason: reason(grip, text),
        share,
    })
}

/// Between `slow` and `stop` it is slowed, from `stop` on stopped. Once slowed it is let go below half of `slow` only,
/// once stopped below the middle of both: so that it does not flap.
fn weigh(bound: Bound, held: Option<Grip>, amount: f64) -> Option<(Grip, f64)> {
    let Bound { slow, stop, .. } = bound;
    let stop_from = match held {
        Some(Grip::Stopped) => slow.midpoint(stop),
        Some(Grip::Slowed) | None => stop,
    };
    if amount >= stop_from {
        return Some((Grip::Stopped, 1.0));
    }
    let slow_from = if held.is_some() { slow / 2.0 } else { slow };
    if amount < slow_from {
        return None;
    }
    let share = (amount - slow_from) / (stop - slow_from).max(f64::MIN_POSITIVE);
    Some((Grip::Slowed, share.clamp(0.0, 1.0)))
}

fn by_lack(signal: Signal, bound: Bound, why: &str) -> Option<Hold> {
    let (grip, does) = match bound.when_stale {
        WhenStale::Ignore => return None,
        WhenStale::Slow => (Grip::Slowed, "slowed"),
        WhenStale::Stop => (Grip::Stopped, "stopped"),
    };
    let text = format!(
        "{} not known: {why}; {does} after {READING_AGE_MAX} of that",
        signal.as_str()
    );
    let reason = Reason {
        signal,
        grip,
        is_known: false,
        text,
    };
    Some(Hold { reason, share: 1.0 })
}

impl Pace {
    /// At full speed.
    pub fn free(batch_blocks: u32, workers: u32) -> Self {
        Self {
            batch_blocks,
            delay: Duration::ZERO,
            workers,
            stopped: false,
            reasons: Vec::new(),
        }
    }

    fn hold(&mut self, limits: &Pacing, hold: Hold) {
        let delay = match hold.reason.grip {
            Grip::Stopped => {
                self.stopped = true;
                LOOK_AGAIN
            }
            Grip::Slowed => limits
                .batch_target
                .duration()
                .min(DELAY_MAX)
                .mul_f64(1.0 + (DELAY_TARGETS - 1.0) * hold.share)
                .clamp(DELAY_MIN, DELAY_MAX),
        };
        self.delay = self.delay.max(delay);
        // The others step back before the last one slows down.
        self.workers = 1;
        self.reasons.push(hold.reason);
    }
}

#[cfg(test)]
mod tests;

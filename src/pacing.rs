//! How fast a backfill may go. Pure: a sample of the database goes in, a pace with its reasons comes out.

use crate::plan::document::{Pacing, Threshold};
use std::time::Duration;

/// What was read of the database, for one decision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// The slowest streaming standby's lag; `None` where none is connected.
    pub replica_lag: Option<Duration>,
    /// The longest that a session has been waiting for a lock of ours.
    pub blocked_for: Option<Duration>,
}

/// How long a batch took, and how much it was.

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch {
    pub duration: Duration,
    pub blocks: u32,
    pub rows_changed: u64,
    /// The server's log grew by so much meanwhile, whoever wrote it.
    pub wal_bytes: u64,
}

/// The decision: how many blocks the next batch takes, how long to wait before it, and how many workers there may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    pub batch_blocks: u32,
    pub delay: Duration,
    pub workers: u32,
    /// No batch at all for now; look again after `delay`.
    pub stopped: bool,
    /// Everything that holds it back, not only the first. Empty: full speed.
    pub reasons: Vec<String>,
}

/// The first batch: small enough to be harmless, large enough to be measured.
pub const BATCH_BLOCKS_FIRST: u32 = 32;
const BATCH_BLOCKS_MAX: u32 = 65_536;
/// How long to wait before looking again while stopped.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// One decision. `last` is the pace before.
pub fn decide(limits: &Pacing, last: &Pace, sample: &Sample) -> Pace {
    let mut pace = Pace {
        batch_blocks: last.batch_blocks,
        delay: Duration::ZERO,
        workers: limits.workers.max(1),
        stopped: false,
        reasons: Vec::new(),
    };
    let was_held = !last.reasons.is_empty();
    if let (Some(threshold), Some(lag)) = (limits.replica_lag, sample.replica_lag) {
        hold(&mut pace, limits, "replica lag", lag, threshold, was_held);
    }
    if let Some(blocked) = sample.blocked_for {
        hold(
            &mut pace,
            limits,
            "sessions waiting for us",
            blocked,
            limits.blocked_sessions,
            was_held,
        );
    }
    if !pace.reasons.is_empty() {
        // The others step back before the last one slows down.
        pace.workers = 1;
    }
    pace
}

/// Between `slow` and `stop` batches are spaced out, the wait growing to five targets; from `stop` on there are none.
/// Once held, it is released at half of `slow` only, so that it does not flap.
fn hold(
    pace: &mut Pace,
    limits: &Pacing,
    name: &str,
    reading: Duration,
    threshold: Threshold,
    was_held: bool,
) {
    let (slow, stop) = (threshold.slow.duration(), threshold.stop.duration());
    let from = if was_held { slow / 2 } else { slow };
    if reading < from || reading.is_zero() {
        return;
    }
    if reading >= stop {
        pace.stopped = true;
        pace.delay = pace.delay.max(LOOK_AGAIN);
        pace.reasons
            .push(format!("{name} {reading:.1?}, stopped at {stop:.1?}"));
        return;
    }
    let range = stop.saturating_sub(from).as_secs_f64().max(1e-3);
    let share = reading.saturating_sub(from).as_secs_f64() / range;
    let delay = limits
        .batch_target
        .duration()
        .mul_f64(1.0 + 4.0 * share.clamp(0.0, 1.0));
    pace.delay = pace.delay.max(delay);
    pace.reasons
        .push(format!("{name} {reading:.1?}, slowed from {slow:.1?}"));
}

/// The size of the next batch, in blocks, after one of `blocks` (or less, at a segment's end). It follows the target
/// duration: at most ×1.5 up; a batch over five targets cuts it to a tenth at once. Rows and log bound it too.
pub fn resize(limits: &Pacing, blocks: u32, batch: Batch) -> u32 {
    let target = limits.batch_target.duration().as_secs_f64().max(1e-3);
    let took = batch.duration.as_secs_f64().max(1e-6);
    let factor = if took > 5.0 * target {
        0.1
    } else {
        (target / took).clamp(0.1, 1.5)
    };
    // A batch cut short (the end of a segment) says little about larger ones.
    let measured = f64::from(batch.blocks.max(1));
    let mut next = if batch.blocks < blocks && factor >= 1.0 {
        f64::from(blocks)
    } else {
        (measured * factor).max(if factor > 1.0 { measured + 1.0 } else { 1.0 })
    };
    let bounds = [
        (batch.rows_changed, f64::from(limits.batch_rows_max)),
        (
            batch.wal_bytes,
            limits.batch_wal_mib_max as f64 * 1_048_576.0,
        ),
    ];
    for (amount, limit) in bounds {
        if amount > 0 && batch.rows_changed > 0 {
            next = next.min((limit * measured / amount as f64).max(1.0));
        }
    }
    (next as u32).clamp(1, BATCH_BLOCKS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(blocks: u32) -> Pace {
        Pace {
            batch_blocks: blocks,
            delay: Duration::ZERO,
            workers: 2,
            stopped: false,
            reasons: Vec::new(),
        }
    }

    fn took(milliseconds: u64, blocks: u32) -> Batch {
        Batch {
            duration: Duration::from_millis(milliseconds),
            blocks,
            rows_changed: u64::from(blocks) * 10,
            wal_bytes: u64::from(blocks) * 16_384,
        }
    }

    #[test]
    fn the_batch_follows_the_target_duration() {
        let limits = Pacing::default();
        assert_eq!(resize(&limits, 100, took(50, 100)), 150);
        assert_eq!(resize(&limits, 100, took(400, 100)), 50);
        assert_eq!(resize(&limits, 100, took(1_001, 100)), 10);
        assert_eq!(resize(&limits, 1, took(100_000, 1)), 1);
    }

    #[test]
    fn a_batch_cut_short_by_the_end_of_its_segment_does_not_shrink_the_next() {
        assert_eq!(resize(&Pacing::default(), 400, took(30, 20)), 400);
    }

    #[test]
    fn rows_and_log_bound_the_batch_whatever_its_duration() {
        let limits = Pacing {
            batch_rows_max: 100,
            ..Pacing::default()
        };
        assert_eq!(resize(&limits, 50, took(1, 50)), 10);
        let limits = Pacing {
            batch_wal_mib_max: 1,
            ..Pacing::default()
        };
        assert_eq!(resize(&limits, 50, took(1, 500)), 64);
    }

    #[test]
    fn lag_slows_then_stops_then_releases_at_half_with_its_reason() {
        let limits = Pacing::default();
        let lag = |milliseconds| Sample {
            replica_lag: Some(Duration::from_millis(milliseconds)),
            ..Sample::default()
        };
        let free = decide(&limits, &pace(10), &lag(900));
        assert!(free.reasons.is_empty() && free.delay.is_zero());
        let slowed = decide(&limits, &free, &lag(2_000));
        assert_eq!((free.workers, slowed.workers), (2, 1));
        assert!(!slowed.stopped && slowed.delay > Duration::ZERO && slowed.reasons.len() == 1);
        let stopped = decide(&limits, &slowed, &lag(10_000));
        assert!(stopped.stopped && !stopped.delay.is_zero());
        let held = decide(&limits, &stopped, &lag(900));
        assert!(
            !held.reasons.is_empty(),
            "released only at half of the threshold"
        );
        assert!(decide(&limits, &held, &lag(400)).reasons.is_empty());
    }
}

//! How far a walk is and how long it may take.

mod account;

pub use account::{Account, Held, Moment, Tally, account};

use crossfade_plan::span::Span;
use std::time::Duration;

/// A moment of a walk: blocks and rows done since it began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Seconds before now.
    pub age_seconds: f64,
    pub blocks_done: i64,
    pub rows_changed: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub rows_per_second: f64,
    /// From the fastest to the slowest of the last minutes; `None` for the first minute.
    pub seconds_left: Option<(u64, u64)>,
}

/// Before this there is too little to go by.
const FIRST_MINUTE: Duration = Duration::from_secs(60);

/// From the wall clock, throttled time included. `points`: oldest first, at least every few seconds apart.
pub fn estimate(points: &[Point], blocks_left: i64) -> Estimate {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Estimate {
            rows_per_second: 0.0,
            seconds_left: None,
        };
    };
    let seconds = (first.age_seconds - last.age_seconds).max(0.001);
    let rows_per_second = (last.rows_changed - first.rows_changed).max(0) as f64 / seconds;
    if first.age_seconds < FIRST_MINUTE.as_secs_f64() {
        return Estimate {
            rows_per_second,
            seconds_left: None,
        };
    }
    let whole = (last.blocks_done - first.blocks_done).max(0) as f64 / seconds;
    let halves = points.split_at(points.len() / 2);
    let rate = |points: &[Point]| {
        let (first, last) = (points.first()?, points.last()?);
        let seconds = first.age_seconds - last.age_seconds;
        (seconds > 1.0).then(|| (last.blocks_done - first.blocks_done).max(0) as f64 / seconds)
    };
    let rates = [Some(whole), rate(halves.0), rate(halves.1)];
    let left = |rate: f64| (rate > 0.0).then(|| (blocks_left.max(0) as f64 / rate).ceil() as u64);
    let seconds: Vec<u64> = rates.into_iter().flatten().filter_map(left).collect();
    Estimate {
        rows_per_second,
        seconds_left: seconds
            .iter()
            .min()
            .copied()
            .zip(seconds.iter().max().copied()),
    }
}

/// So long without progress is no pause between two batches.
const STUCK_AFTER_SECONDS: f64 = 240.0;

/// No block was done in the last minutes, and at no moment was anything said to hold the walk back. `moments`: oldest first.
pub fn is_stuck(moments: &[Moment]) -> bool {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return false;
    };
    first.point.age_seconds - last.point.age_seconds >= STUCK_AFTER_SECONDS
        && first.point.blocks_done == last.point.blocks_done
        && moments.iter().all(|moment| moment.reasons.is_empty())
}

/// A percentage that never shows 100 before the end.
pub fn percent(done: i64, total: i64) -> u8 {
    if total <= 0 || done >= total {
        return 100;
    }
    u8::try_from((done.max(0) * 100 / total).min(99)).unwrap_or(99)
}

/// `2 min to 5 min left`, of a range in seconds.
pub fn time_left(range: Option<(u64, u64)>) -> String {
    let rough = |seconds| Span::rough(Duration::from_secs(seconds));
    match range {
        None => "time left not known yet".to_owned(),
        Some((low, high)) if low == high => format!("{} left", rough(low)),
        Some((low, high)) => format!("{} to {} left", rough(low), rough(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_a_range_and_silent_for_the_first_minute() {
        let point = |age_seconds, blocks_done| Point {
            age_seconds,
            blocks_done,
            rows_changed: blocks_done * 10,
        };
        let early = [point(30.0, 0), point(0.0, 300)];
        assert_eq!(estimate(&early, 1000).seconds_left, None);
        let late = [
            point(120.0, 0),
            point(60.0, 300),
            point(59.0, 310),
            point(0.0, 1490),
        ];
        let found = estimate(&late, 1000);
        let (low, high) = found.seconds_left.unwrap();
        assert!(low < high && low >= 50 && high <= 200, "{low} {high}");
        assert!(found.rows_per_second > 100.0);
    }

    #[test]
    fn a_walk_is_stuck_without_progress_for_minutes_and_for_no_reason() {
        let moment = |age_seconds, blocks_done, reasons: &[&str]| Moment {
            point: Point {
                age_seconds,
                blocks_done,
                rows_changed: 0,
            },
            delay_ms: 0,
            workers: 1,
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
            tally: Tally::default(),
        };
        assert!(is_stuck(&[moment(290.0, 7, &[]), moment(1.0, 7, &[])]));
        assert!(!is_stuck(&[moment(290.0, 7, &[]), moment(1.0, 8, &[])]));
        assert!(!is_stuck(&[moment(90.0, 7, &[]), moment(1.0, 7, &[])]));
        assert!(!is_stuck(&[
            moment(290.0, 7, &["replica_lag"]),
            moment(1.0, 7, &[])
        ]));
        assert!(!is_stuck(&[]));
    }

    #[test]
    fn the_percentage_stays_below_a_hundred_until_the_end() {
        assert_eq!(percent(999, 1000), 99);
        assert_eq!(percent(1000, 1000), 100);
        assert_eq!(percent(2000, 1000), 100);
        assert_eq!(percent(0, 0), 100);
    }
}

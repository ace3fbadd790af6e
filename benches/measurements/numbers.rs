//! Medians and percentiles of what was measured.

use std::time::Duration;

/// What is compared is measured so many times, one of each in turn.
pub const REPETITIONS: usize = 3;

/// In seconds.
pub fn median(times: &[Duration]) -> f64 {
    middle(&times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>())
}

pub fn middle(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// The value that this share of all are not above; NaN of none.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

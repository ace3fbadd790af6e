//! What the clients count: operations, latencies, errors. Its size does not depend on how long they run.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

const ERRORS_KEPT: usize = 50;
/// Of each power of two: a bucket is at most 1/16 as wide as what it holds.
const BUCKETS_PER_DOUBLING: usize = 16;
/// The first two sixteens are exact microseconds; the last bucket also holds all above 2^41 µs (25 days).
const BUCKETS: usize = BUCKETS_PER_DOUBLING * 38;

/// Counters that all clients share.
#[derive(Debug)]
pub(super) struct Meter {
    operations: AtomicU64,
    latencies: Vec<AtomicU64>,
    max_us: AtomicU64,
    errors: Mutex<Errors>,
    clients_running: AtomicUsize,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Errors {
    first: Vec<String>,
    count: u64,
}

impl Meter {
    pub fn new() -> Meter {
        Meter {
            operations: AtomicU64::new(0),
            latencies: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            max_us: AtomicU64::new(0),
            errors: Mutex::default(),
            clients_running: AtomicUsize::new(0),
            changed: Notify::new(),
        }
    }

    pub fn operation(&self) {
        self.operations.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    pub fn took(&self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.max_us.fetch_max(us, Ordering::Relaxed);
        if let Some(bucket) = self.latencies.get(bucket(us)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn failed(&self, error: String) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.count += 1;
        if errors.first.len() < ERRORS_KEPT {
            errors.first.push(error);
        }
    }

    /// A client counts as running until the value is dropped.
    pub fn running(self: &Arc<Meter>) -> Running {
        self.clients_running.fetch_add(1, Ordering::SeqCst);
        Running(self.clone())
    }

    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// The first ones, and how many there were.
    pub fn errors(&self) -> (Vec<String>, u64) {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        (errors.first.clone(), errors.count)
    }

    pub fn error_count(&self) -> u64 {
        self.errors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count
    }

    /// Until there were this many operations, or no client runs that could make one.
    pub async fn wait_for(&self, operations: u64) {
        loop {
            // Before looking: what happens between the look and the wait must not be missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.operations() >= operations || self.clients_running.load(Ordering::SeqCst) == 0 {
                return;
            }
            changed.await;
        }
    }

    pub fn max_ms(&self) -> f64 {
        self.max_us.load(Ordering::Relaxed) as f64 / 1000.0
    }

    /// The upper bound of the bucket that holds the quantile; 0 where nothing was measured.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        let counts: Vec<u64> = self
            .latencies
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let rank = (counts.iter().sum::<u64>() as f64 * quantile)
            .ceil()
            .max(1.0);
        let mut below = 0;
        for (bucket, count) in counts.iter().enumerate() {
            below += count;
            if below as f64 >= rank {
                return (upper_bound_us(bucket) as f64 / 1000.0).min(self.max_ms());
            }
        }
        0.0
    }
}

/// See [`Meter::running`].
#[derive(Debug)]
pub(super) struct Running(Arc<Meter>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.clients_running.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

fn bucket(us: u64) -> usize {
    if us < 2 * BUCKETS_PER_DOUBLING as u64 {
        return us as usize;
    }
    // The leading bit and the four after it.
    let shift = us.ilog2() as usize - 4;
    let bucket = shift * BUCKETS_PER_DOUBLING + (us >> shift) as usize;
    bucket.min(BUCKETS - 1)
}

/// The largest number of microseconds that the bucket holds.
fn upper_bound_us(bucket: usize) -> u64 {
    if bucket < 2 * BUCKETS_PER_DOUBLING {
        return bucket as u64;
    }
    let shift = bucket / BUCKETS_PER_DOUBLING - 1;
    let first = (bucket - shift * BUCKETS_PER_DOUBLING) as u64;
    ((first + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_a_bucket_that_is_at_most_a_sixteenth_wide() {
        for us in (0..100_000).chain([1 << 20, (1 << 20) - 1, (1 << 30) + 12345, (1 << 40) - 1]) {
            let upper = upper_bound_us(bucket(us));
            assert!(us <= upper && upper - us <= us / 16, "{us} in {upper}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_what_was_measured() {
        let meter = Meter::new();
        assert_eq!((meter.quantile_ms(0.5), meter.max_ms()), (0.0, 0.0));
        for us in 1..=1000 {
            meter.took(Duration::from_micros(us));
        }
        assert!((0.5..=0.54).contains(&meter.quantile_ms(0.5)));
        assert!((0.99..=1.0).contains(&meter.quantile_ms(0.99)));
        assert_eq!(meter.max_ms(), 1.0);
    }

    #[test]
    fn errors_are_all_counted_and_the_first_fifty_kept() {
        let meter = Meter::new();
        for number in 0..60 {
            meter.failed(number.to_string());
        }
        let (errors, count) = meter.errors();
        assert_eq!(
            (errors.len(), errors.last().map(String::as_str), count),
            (50, Some("49"), 60)
        );
    }

    #[tokio::test]
    async fn waiting_ends_when_no_client_runs() {
        let meter = Arc::new(Meter::new());
        let running = meter.running();
        tokio::join!(meter.wait_for(1000), async move { drop(running) });
    }
}

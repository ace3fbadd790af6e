//! The size of the next batch, from how long the last ones took.

use crossfade_plan::document::Pacing;
use std::{collections::VecDeque, time::Duration};

/// How long a batch took, and how much it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch {
    pub duration: Duration,
    pub blocks: u32,
    pub rows_changed: u64,
    /// The server's log grew by so much meanwhile, whoever wrote it.
    pub wal_bytes: u64,
}

/// The first batch: small enough to be harmless, large enough to be measured.
pub const BATCH_BLOCKS_FIRST: u32 = 32;
/// The first one of a comparison, which locks no row and is done with a block in a tenth of the time.
pub const BATCH_BLOCKS_FIRST_READ: u32 = 512;
const BATCH_BLOCKS_MAX: u32 = 65_536;
/// So many batches are remembered. The ninth of ten, by how long they took, is the one to go by.
const RECENT_MAX: usize = 10;

/// What the last batches took for each block, in seconds, whatever their size was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent(VecDeque<f64>);

impl Recent {
    /// The size of the next batch, in blocks, after one that was to have `blocks` (or less, at a segment's end). It
    /// follows the target duration by the 90th percentile: at most ×1.5 up; a batch over five targets cuts it to a tenth
    /// at once. Rows and log bound it too.
    pub fn resize(&mut self, limits: &Pacing, blocks: u32, batch: Batch) -> u32 {
        let target = limits.batch_target.duration().as_secs_f64().max(1e-3);
        let took = batch.duration.as_secs_f64().max(1e-6);
        let measured = f64::from(batch.blocks.max(1));
        let is_cut_short = batch.blocks < blocks;
        let mut next = if took > 5.0 * target {
            // What came before says nothing of now.
            self.0.clear();
            self.0.push_back(took / measured);
            measured / 10.0
        } else if is_cut_short && took <= target {
            // The end of a segment says little about larger batches.
            f64::from(blocks)
        } else {
            self.0.push_back(took / measured);
            if self.0.len() > RECENT_MAX {
                self.0.pop_front();
            }
            let fitting = target / self.slowest_but_one_in_ten();
            let most = (measured * 1.5).max(measured + 1.0);
            fitting.clamp(measured / 10.0, most)
        };
        let bounds = [
            (batch.rows_changed, f64::from(limits.batch_rows_max)),
            (
                batch.wal_bytes,
                f64::from(limits.batch_wal_mib_max) * 1_048_576.0,
            ),
        ];
        for (amount, limit) in bounds {
            if amount > 0 && batch.rows_changed > 0 {
                next = next.min(limit * measured / amount as f64);
            }
        }
        (next as u32).clamp(1, BATCH_BLOCKS_MAX)
    }

    /// The 90th percentile, in seconds for each block.
    fn slowest_but_one_in_ten(&self) -> f64 {
        let mut sorted: Vec<f64> = self.0.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let index = (sorted.len() * 9).div_ceil(10).saturating_sub(1);
        sorted.get(index).copied().unwrap_or(1e-6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A target that the numbers below are easy to compare with.
    fn of_200_ms() -> Pacing {
        Pacing {
            batch_target: crossfade_plan::span::Span::from_millis(200),
            ..Pacing::default()
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

    fn once(limits: &Pacing, blocks: u32, batch: Batch) -> u32 {
        Recent::default().resize(limits, blocks, batch)
    }

    #[test]
    fn the_batch_follows_the_target_duration() {
        let limits = of_200_ms();
        assert_eq!(once(&limits, 100, took(50, 100)), 150);
        assert_eq!(once(&limits, 100, took(400, 100)), 50);
        assert_eq!(once(&limits, 100, took(1_001, 100)), 10);
        assert_eq!(once(&limits, 1, took(100_000, 1)), 1);
    }

    #[test]
    fn one_slow_batch_in_ten_is_let_pass_and_two_are_not() {
        let limits = of_200_ms();
        let mut recent = Recent::default();
        for _ in 0..9 {
            recent.resize(&limits, 100, took(200, 100));
        }
        assert_eq!(recent.resize(&limits, 100, took(800, 100)), 100);
        assert_eq!(recent.resize(&limits, 100, took(800, 100)), 25);
    }

    #[test]
    fn a_batch_cut_short_by_the_end_of_its_segment_does_not_shrink_the_next() {
        assert_eq!(once(&of_200_ms(), 400, took(30, 20)), 400);
    }

    #[test]
    fn rows_and_log_bound_the_batch_whatever_its_duration() {
        let limits = Pacing {
            batch_rows_max: 100,
            ..of_200_ms()
        };
        assert_eq!(once(&limits, 50, took(1, 50)), 10);
        let limits = Pacing {
            batch_wal_mib_max: 1,
            ..of_200_ms()
        };
        assert_eq!(once(&limits, 50, took(1, 500)), 64);
    }

    proptest! {
        #[test]
        fn the_size_stays_within_its_bounds_and_grows_by_half_at_most(
            batches in proptest::collection::vec((0_u64..100_000, 1_u32..70_000, 0_u64..1_000_000, 0_u64..1 << 40), 1..30),
        ) {
            let limits = of_200_ms();
            let (mut recent, mut blocks) = (Recent::default(), BATCH_BLOCKS_FIRST);
            for (milliseconds, done, rows_changed, wal_bytes) in batches {
                let done = done.min(blocks);
                let batch = Batch { duration: Duration::from_millis(milliseconds), blocks: done, rows_changed, wal_bytes };
                let next = recent.resize(&limits, blocks, batch);
                prop_assert!((1..=BATCH_BLOCKS_MAX).contains(&next));
                prop_assert!(f64::from(next) <= (f64::from(blocks) * 1.5).max(f64::from(blocks) + 1.0));
                let rows_each = rows_changed as f64 / f64::from(done);
                prop_assert!(next == 1 || f64::from(next) * rows_each <= f64::from(limits.batch_rows_max) + 1.0);
                blocks = next;
            }
        }

        /// On a server whose blocks take as long as they take, batches come to the target and stay there.
        #[test]
        fn steady_blocks_bring_batches_to_the_target(microseconds_each in 20_u64..50_000) {
            let limits = Pacing { batch_wal_mib_max: u32::MAX, batch_rows_max: u32::MAX, ..of_200_ms() };
            let (mut recent, mut blocks) = (Recent::default(), BATCH_BLOCKS_FIRST);
            for _ in 0..40 {
                let duration = Duration::from_micros(microseconds_each * u64::from(blocks));
                blocks = recent.resize(&limits, blocks, Batch { duration, blocks, rows_changed: 1, wal_bytes: 1 });
            }
            let fitting = 200_000 / microseconds_each;
            prop_assert!(u64::from(blocks) <= fitting && u64::from(blocks) + 1 >= fitting, "{blocks} of {fitting}");
        }
    }
}

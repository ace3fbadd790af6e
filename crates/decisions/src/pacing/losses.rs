//! A row that ends the server's process: how it is found with few losses, and when somebody has to look.

use std::time::Duration;

/// From so many losses at the same place on, nothing else is worked on, and that place block by block.
pub const ALONE_FROM: i32 = 3;
/// From so many on, row by row, each noted before it is tried.
pub const ROWS_FROM: i32 = 4;
/// So many, and the run is paused although no row was found.
const LOSSES_MAX: i32 = 8;
const PAUSE_MAX_SECONDS: u64 = 30;

/// What was lost in a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// How often a session was lost between the blocks `from` and `to`.
    pub count: i32,
    pub from: i64,
    pub to: i64,
    /// The row, as a TID, that was being tried by itself when the last one was.
    pub row: Option<String>,
}

/// How a block is to be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// In batches.
    Usual,
    /// By itself.
    Block,
    /// Row by row.
    Rows,
}

impl Losses {
    pub fn care(&self, block: i64) -> Care {
        match self.count {
            _ if block < self.from || block >= self.to => Care::Usual,
            ROWS_FROM.. => Care::Rows,
            ALONE_FROM.. => Care::Block,
            _ => Care::Usual,
        }
    }

    /// How many of the next `blocks` one batch may take.
    pub fn batch(&self, block: i64, blocks: i64) -> i64 {
        match self.care(block) {
            Care::Block | Care::Rows => 1,
            Care::Usual if self.count >= ALONE_FROM && block < self.from => {
                blocks.min(self.from - block)
            }
            Care::Usual => blocks,
        }
    }

    /// How long a server is left alone before the next try.
    pub fn pause(&self) -> Duration {
        match u32::try_from(self.count) {
            Ok(count @ 2..) => Duration::from_secs(
                1_u64
                    .checked_shl(count - 2)
                    .unwrap_or(u64::MAX)
                    .min(PAUSE_MAX_SECONDS),
            ),
            _ => Duration::ZERO,
        }
    }

    /// Trying again does no good until somebody has looked.
    pub fn is_hopeless(&self) -> bool {
        self.row.is_some() || self.count >= LOSSES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(count: i32) -> Losses {
        Losses {
            count,
            from: 10,
            to: 20,
            row: None,
        }
    }

    #[test]
    fn it_comes_closer_with_every_loss() {
        assert_eq!(lost(2).batch(10, 100), 100);
        assert_eq!(lost(3).batch(4, 100), 6);
        assert_eq!(lost(3).batch(10, 100), 1);
        assert_eq!(lost(3).care(19), Care::Block);
        assert_eq!(lost(3).batch(20, 100), 100);
        assert_eq!(lost(4).care(10), Care::Rows);
        assert_eq!(lost(4).care(20), Care::Usual);
    }

    #[test]
    fn pauses_grow_and_have_an_end() {
        let seconds = |count| lost(count).pause().as_secs();
        assert_eq!([0, 1, 2, 3, 4, 99].map(seconds), [0, 0, 1, 2, 4, 30]);
        assert!(!lost(7).is_hopeless());
        assert!(lost(8).is_hopeless());
        let row = Some("(3,1)".to_owned());
        assert!(Losses { row, ..lost(5) }.is_hopeless());
    }
}

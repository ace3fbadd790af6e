//! How fast a backfill may go. Pure: readings of the database go in, a pace with its reasons comes out.

mod breaker;
mod decide;
mod limits;
pub mod losses;
mod sample;
mod signal;
mod size;

pub use breaker::{Breaker, Outcome};
pub use decide::{Grip, Pace, Reason, decide};
pub use limits::{Bound, bounds};
pub use sample::{Gauge, Known, Missing, Reading, Sample};
pub use signal::Signal;
pub use size::{BATCH_BLOCKS_FIRST, BATCH_BLOCKS_FIRST_READ, Batch, Recent};

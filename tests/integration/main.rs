//! Whole runs of the real program against real servers that the tests launch themselves.

mod end_to_end;
mod fence;
mod lossy;
mod no_gap;
mod plans;
mod support;

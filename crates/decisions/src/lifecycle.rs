//! What may happen next to a run, a phase and a step. Pure: time and readings are passed in.

pub mod audit;
pub mod gate;
pub mod interlock;
pub mod next;
pub mod references;
pub mod snapshot;
pub mod standing;
pub mod toll;
pub mod transition;

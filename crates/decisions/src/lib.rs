//! What comes next, decided from what was read: transitions, gates, pacing, progress, and what a server does. Pure: no clock, no I/O.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod doctor;
pub mod keeper;
pub mod lifecycle;
pub mod messages;
pub mod pacing;
pub mod progress;

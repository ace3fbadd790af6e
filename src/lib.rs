#![doc = include_str!("ARCHITECTURE.md")]
#![forbid(unsafe_code)]

// Floor 1, decide: pure. No async, clock, randomness, environment or I/O.
pub mod analysis;
pub mod lifecycle;
pub mod pacing;
pub mod plan;
pub mod progress;
pub mod statement;

// Floor 2, touch PostgreSQL.
pub mod postgres;
pub mod probe;
pub mod store;
pub mod target;

// Floor 3, act.
pub mod engine;
pub mod service;

// Floor 4, faces.
pub mod cli;
pub mod demo;

#![doc = include_str!("ARCHITECTURE.md")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr
)]

pub mod cli;
mod configuration;
pub mod demo;

//! The words that all other crates share: names of PostgreSQL's objects, table locks, and errors with their place in a file.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod error;
pub mod ident;
pub mod locate;
pub mod lock;
pub mod printable;

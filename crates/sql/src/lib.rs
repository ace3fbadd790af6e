//! What SQL does to a live database, and what to do instead; what it names. Told from its text alone. Pure.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod catalog;
pub mod classify;
pub mod finding;
pub mod lexer;
pub mod lint;
pub mod name;
pub mod references;
pub mod rules;
pub mod script;
pub mod statement;
pub mod syntax;
pub mod types;

pub use finding::Finding;
pub use lint::{Context, File, lint, lint_history};

#[cfg(test)]
mod tests;

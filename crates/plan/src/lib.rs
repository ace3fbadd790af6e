//! What a plan says, what it compiles to, and the SQL of its steps. Pure: no clock, no I/O.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod amendment;
pub mod attributes;
pub mod calendar;
pub mod calls;
pub mod changes;
pub mod claims;
pub mod columns;
pub mod compile;
pub mod compiled;
pub mod decode;
pub mod document;
pub mod endpoint;
pub mod explain;
pub mod facts;
pub mod key;
pub mod leftover_triggers;
pub mod no_references;
pub mod pacing;
pub mod product;
pub mod read;
pub mod recipes;
pub mod schema;
pub mod scripts;
pub mod search_path;
pub mod span;
pub mod sqlgen;
pub mod steps;
pub mod table_pair;
pub mod together;
pub mod tuning;
pub mod types;
pub mod window;

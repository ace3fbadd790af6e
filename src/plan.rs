//! Floor 1: what a plan says, and what it compiles to. Pure.

pub mod attributes;
pub mod claims;
pub mod columns;
pub mod compile;
pub mod compiled;
pub mod decode;
pub mod document;
pub mod endpoint;
pub mod error;
pub mod explain;
pub mod facts;
pub mod ident;
pub mod kept;
pub mod link;
pub mod locate;
pub mod pacing;
pub mod printable;
pub mod quiet;
pub mod recipes;
pub mod schema;
pub mod scripts;
pub mod span;
pub mod steps;
pub mod tuning;
pub mod types;
pub mod window;

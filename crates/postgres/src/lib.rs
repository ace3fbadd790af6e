//! Connections, error classes, and a PostgreSQL of our own. Knows nothing of plans.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod connect;
pub mod json;
pub mod launch;
pub mod sqlstate;

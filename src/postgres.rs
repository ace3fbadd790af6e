//! Floor 2: connections, error classes, and a PostgreSQL of our own. Knows nothing of plans.

pub mod connect;
pub mod json;
pub mod launch;
pub mod sqlstate;

//! Runs plans. Faces call `service`; it starts the `engine`, which works on Crossfade's own tables (`store`) and the user's
//! (`database`). These two know nothing of each other.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod database;
mod engine;
mod probe;
pub mod service;
mod store;

pub use database::SESSION;
pub use engine::notice;
pub use probe::http_client;

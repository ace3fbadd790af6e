//! Plan values → SQL text. Pure: what is written here is what `explain` shows and what the engine runs.

mod block;
pub mod cost;
pub mod counters;
pub mod ddl_unit;
pub mod foreign_key;
pub mod group;
pub mod index_definition;
pub mod layout;
pub mod literal;
pub mod message;
pub mod narrowing;
pub mod objects;
pub mod order;
pub mod quarantine;
pub mod rename;
pub mod rows;
pub mod script;
pub mod session;
pub mod standing;
pub mod sync;
pub mod table_pair;

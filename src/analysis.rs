//! Floor 1: what SQL text says, told from its syntax tree. Pure.

pub mod references;

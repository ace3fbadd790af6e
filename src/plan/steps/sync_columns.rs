//! `sync_columns`: old and new columns are kept in step by triggers while both versions of the application write.

use crate::plan::{document::Assignments, ident::TableName};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncColumns {
    pub table: TableName,
    /// New column ← expression over the old ones.
    pub forward: Assignments,
    /// Old column ← expression over the new ones. Without it the sync is one-way.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub backward: Assignments,
    #[serde(default)]
    pub on_unconvertible: OnUnconvertible,
}

/// What becomes of a write whose value the other side cannot take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnconvertible {
    /// The write succeeds; the row is noted and keeps the gates closed until it is mended.
    #[default]
    Quarantine,
    /// The write fails, as with a CHECK.
    Reject,
}

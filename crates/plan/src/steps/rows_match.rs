//! `match`: every row's new value agrees with its old one.

use super::Described;
use crate::document::{Assignments, PhaseName};
use crossfade_model::ident::TableName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Compares every row of both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchStep {
    pub table: TableName,
    /// New column: expression over the old columns.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub columns: Assignments,
    /// Old column: expression over the new columns. A row that the new version wrote may agree only in this direction.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub backward: Assignments,
    /// The table of the old columns, if it is another one. The `sync_tables` between the two applies in place of
    /// `columns` and `backward`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<TableName>,
}

impl Described for MatchStep {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Verify]
    }
    fn tables(&self) -> Vec<&TableName> {
        std::iter::once(&self.table).chain(&self.from).collect()
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

//! `match`: every row's new value agrees with its old one.

use super::Described;
use crate::plan::{
    document::{Assignments, PhaseName},
    ident::TableName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchStep {
    pub table: TableName,
    /// New column ← expression over the old ones.
    pub columns: Assignments,
    /// Old column ← expression over the new ones: a row that a new-version writer wrote may agree only this way.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub backward: Assignments,
}

impl Described for MatchStep {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Verify]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

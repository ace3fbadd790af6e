//! `fill`: the backfill of existing rows, in batches.

use super::Described;
use crate::sqlgen::{
    ddl_unit::DdlUnit,
    sync::{self, Filling},
};
use crate::{
    compiled::Plan,
    document::{Assignments, PhaseName},
};
use crossfade_model::ident::TableName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fills existing rows in batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FillStep {
    pub table: TableName,
    /// New column: expression over the old columns.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub set: Assignments,
    /// The table that the values come from, if it is another one. The `sync_tables` between the two applies in place of
    /// `set`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<TableName>,
}

impl Described for FillStep {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Backfill]
    }
    fn tables(&self) -> Vec<&TableName> {
        std::iter::once(&self.table).chain(&self.from).collect()
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

/// Once every row is filled the triggers stop filling: an explicit NULL of the new version stays from then on.
pub fn stop_filling(plan: &Plan, table: &TableName) -> Vec<DdlUnit> {
    set_filling(plan, table, Filling::No)
}

/// The reverse: the rows stay filled (the column goes with `expand`), the triggers fill again.
pub fn fill_again(plan: &Plan, table: &TableName) -> Vec<DdlUnit> {
    set_filling(plan, table, Filling::Yes)
}

fn set_filling(plan: &Plan, table: &TableName, filling: Filling) -> Vec<DdlUnit> {
    plan.sync(table)
        .map(|sync| sync::set_filling(plan, sync, filling))
        .into_iter()
        .collect()
}

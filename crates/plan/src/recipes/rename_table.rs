//! `rename_table`: the table takes its new name at once, and a view stands in under the old one until `contract`.

use super::named::{Named, Naming, What};
use super::{Change, alias::Alias, relation};
use crate::{document::PhaseDocument, facts::Facts};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameTable {
    pub table: TableName,
    /// In the same schema.
    pub to: Ident,
    #[serde(default)]
    pub strategy: RenameTableStrategy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RenameTableStrategy {
    #[default]
    Alias,
}

impl Change for RenameTable {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        relation::same_name(self.to == self.table.name, at)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Table, at.key("table"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        match self.strategy {
            RenameTableStrategy::Alias => Alias {
                table_name: &self.table,
                base: self.to.clone(),
                column: None,
            }
            .phases(facts, at),
        }
    }
}

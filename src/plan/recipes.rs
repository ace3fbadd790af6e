//! Recipes: one-line changes that compile into the standard phases. One file each.

pub mod change_column_type;
pub mod rename_column;
mod replace_column;

use super::{
    document::PhaseDocument,
    error::{Path, PlanError},
    facts::Facts,
    ident::TableName,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    RenameColumn(rename_column::RenameColumn),
    ChangeColumnType(change_column_type::ChangeColumnType),
}

impl Recipe {
    pub fn name(&self) -> &'static str {
        match self {
            Self::RenameColumn(_) => "rename_column",
            Self::ChangeColumnType(_) => "change_column_type",
        }
    }

    pub fn table(&self) -> &TableName {
        match self {
            Self::RenameColumn(recipe) => &recipe.table,
            Self::ChangeColumnType(recipe) => &recipe.table,
        }
    }

    /// The explicit phases of this change. Errors carry paths below `at`, the recipe's own place in the document.
    pub fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        match self {
            Self::RenameColumn(recipe) => recipe.phases(facts, at),
            Self::ChangeColumnType(recipe) => recipe.phases(facts, at),
        }
    }
}

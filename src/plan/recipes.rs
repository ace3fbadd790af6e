//! Recipes: one-line changes that compile into phases. One file each, and one line in the list below.

mod alias;
pub mod change_column_type;
pub mod merge_columns;
pub mod new_column;
pub mod rename_column;
pub mod rename_table;
mod replacement;
pub mod split_column;
pub mod transform_columns;

use super::{
    document::{Expression, PhaseDocument},
    error::{Path, PlanError},
    facts::Facts,
    ident::TableName,
};
use serde::{Deserialize, Serialize};

/// A change that compiles into explicit phases: as many as it needs, in their order.
pub trait Change {
    /// The tables that facts are needed of, the one that it is about first.
    fn tables(&self) -> Vec<&TableName>;
    /// Errors carry paths below `at`, the place of the recipe's words.
    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>>;
    /// The word under which the recipe has this expression.
    fn word_of(&self, _: &Expression) -> Option<&'static str> {
        None
    }
}

/// What `crossfade new` says of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub name: &'static str,
    pub about: &'static str,
    /// What has to be given, as `key=value`.
    pub words: &'static str,
}

macro_rules! recipes {
    ($($word:literal $Name:ident($type:ty), $words:literal, $about:literal;)*) => {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Recipe {
            $(#[serde(rename = $word)] $Name($type),)*
        }

        impl Recipe {
            pub const ALL: &'static [Summary] = &[
                $(Summary { name: $word, about: $about, words: $words },)*
            ];

            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Name(_) => $word,)*
                }
            }

            fn change(&self) -> &dyn Change {
                match self {
                    $(Self::$Name(recipe) => recipe,)*
                }
            }
        }
    };
}

recipes! {
    "rename_column" RenameColumn(rename_column::RenameColumn),
        "table=T from=C to=C strategy=copy|alias", "a column under another name";
    "rename_table" RenameTable(rename_table::RenameTable),
        "table=T to=T", "a table under another name, at once";
    "change_column_type" ChangeColumnType(change_column_type::ChangeColumnType),
        "table=T column=C type=TYPE to=C|keep_name=true", "a column of another type, under another name or its own";
    "split_column" SplitColumn(split_column::SplitColumn),
        "table=T column=C into={C: {type: TYPE}, …} forward={C: EXPRESSION, …} backward=EXPRESSION", "one column becomes several";
    "merge_columns" MergeColumns(merge_columns::MergeColumns),
        "table=T columns=[C, …] to=C type=TYPE forward=EXPRESSION backward={C: EXPRESSION, …}", "several columns become one";
    "transform_columns" TransformColumns(transform_columns::TransformColumns),
        "table=T from=[C, …] to={C: {type: TYPE}, …} forward={C: EXPRESSION, …} backward={C: EXPRESSION, …}", "any columns give way to any others";
}

impl Recipe {
    pub fn tables(&self) -> Vec<&TableName> {
        self.change().tables()
    }

    /// The explicit phases of this change. Errors carry paths below `at`, the place of `change`.
    pub fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        self.change().phases(facts, &at.key(self.name()))
    }

    /// The place of an expression, below `at`, the place of `change`: under its word, or the recipe's own.
    pub fn place_of(&self, expression: &Expression, at: &Path) -> Path {
        let at = at.key(self.name());
        match self.change().word_of(expression) {
            Some(word) => at.key(word),
            None => at,
        }
    }
}

//! Recipes: one-line changes that compile into phases. One file each, and one line in the list below.

pub mod add_check;
pub mod add_column;
pub mod add_enum_value;
pub mod add_exclusion;
pub mod add_foreign_key;
pub mod add_index;
pub mod add_primary_key;
pub mod add_unique;
mod alias;
pub mod change_column_type;
pub mod change_values;
mod condition;
pub mod create_enum;
pub mod create_table;
pub mod drop_column;
pub mod drop_constraint;
pub mod drop_default;
pub mod drop_index;
pub mod drop_not_null;
pub mod drop_table;
pub mod extract_table;
pub mod fold_table;
pub mod merge_columns;
pub mod move_columns;
mod named;
pub mod new_column;
mod not_carried;
pub mod rebuild_index;
mod relation;
pub mod rename_column;
pub mod rename_constraint;
pub mod rename_table;
mod replacement;
mod sequences;
pub mod set_comment;
pub mod set_default;
pub mod set_not_null;
pub mod set_replica_identity;
pub mod split_column;
mod sql;
mod table_to_table;
pub mod transform_columns;
pub mod widen_key;

use super::{
    document::{Expression, PhaseDocument},
    facts::Facts,
};
pub use condition::{Condition, Wanted};
use crossfade_model::{
    error::{Path, PlanError},
    ident::TableName,
};
pub use named::{Aspect, Named, Upkeep, What};
pub(crate) use replacement::Replacement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A change that compiles into explicit phases: as many as it needs, in their order.
pub(crate) trait Change {
    /// The tables that facts are needed of, the one that it is about first.
    fn tables(&self) -> Vec<&TableName>;
    /// Those and what only the facts read so far tell of.
    fn tables_given(&self, _: &Facts) -> Vec<TableName> {
        self.tables().into_iter().cloned().collect()
    }
    /// What its words contradict each other in: told without a database, and before any table is looked at. Errors carry
    /// paths below `at`, the place of the recipe's words.
    fn contradictions(&self, _at: &Path) -> Vec<PlanError> {
        Vec::new()
    }
    /// What its words name in the database. Places are below `at`, as above.
    fn named<'a>(&'a self, _at: &Path) -> Vec<Named<'a>> {
        Vec::new()
    }
    /// The columns that it puts others in the place of, if that is what it does: what several such changes do to one
    /// table is done at once.
    fn replacement<'a>(
        &'a self,
        _: &'a Facts,
        _at: &Path,
    ) -> Result<Option<Replacement<'a>>, Vec<PlanError>> {
        Ok(None)
    }
    /// Errors carry paths below `at`, as above.
    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>>;
    /// The word under which the recipe has this expression.
    fn word_of(&self, _: &Expression) -> Option<&'static str> {
        None
    }
    /// Expressions besides those that rows are filled with: the server is asked about them too.
    fn conditions(&self) -> Vec<Condition<'_>> {
        Vec::new()
    }
    /// What its author should know before it is run, and what could be done about it.
    fn advice(&self, _: &Facts) -> Vec<(String, &'static str)> {
        Vec::new()
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
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
        "table=T from=C to=C strategy=copy|alias", "rename a column";
    "rename_table" RenameTable(rename_table::RenameTable),
        "table=T to=T", "rename a table at once";
    "change_column_type" ChangeColumnType(change_column_type::ChangeColumnType),
        "table=T column=C type=TYPE to=C|keep_name=true", "change the type of a column; it gets another name or keeps its own";
    "change_values" ChangeValues(change_values::ChangeValues),
        "table=T column=C forward=EXPRESSION", "change the values of a column, such as to normalize or to fill them";
    "widen_key" WidenKey(widen_key::WidenKey),
        "table=T column=C type=bigint", "widen the integer type of a key, also in all tables that refer to it";
    "split_column" SplitColumn(split_column::SplitColumn),
        "table=T column=C into={C: {type: TYPE}, …} forward={C: EXPRESSION, …} backward=EXPRESSION", "split one column into several";
    "merge_columns" MergeColumns(merge_columns::MergeColumns),
        "table=T columns=[C, …] to=C type=TYPE forward=EXPRESSION backward={C: EXPRESSION, …}", "merge several columns into one";
    "transform_columns" TransformColumns(transform_columns::TransformColumns),
        "table=T from=[C, …] to={C: {type: TYPE}, …} forward={C: EXPRESSION, …} backward={C: EXPRESSION, …}", "replace any columns by any others";
    "move_columns" MoveColumns(move_columns::MoveColumns),
        "table=T to=T by={C: C} columns={C: {}, …} [order_by=[C DESC]]", "move columns of a table to the table that its rows belong to";
    "fold_table" FoldTable(fold_table::FoldTable),
        "table=T into=T by={C: C} [columns={C: {}, …}]", "move all columns of a table to the table that its rows belong to, and drop it";
    "extract_table" ExtractTable(extract_table::ExtractTable),
        "table=T to=T by={C: C} columns={C: C, …}", "move columns to a new table";
    "add_column" AddColumn(add_column::AddColumn),
        "table=T column=C type=TYPE [default=EXPRESSION] [not_null=true] [forward=EXPRESSION]", "add a column, with a default or computed from others, without a rewrite";
    "drop_column" DropColumn(drop_column::DropColumn),
        "table=T column=C [default=EXPRESSION]", "drop a column; it is renamed first";
    "set_not_null" SetNotNull(set_not_null::SetNotNull),
        "table=T column=C", "set NOT NULL, proved without a lock that blocks";
    "drop_not_null" DropNotNull(drop_not_null::DropNotNull),
        "table=T column=C", "drop NOT NULL";
    "set_default" SetDefault(set_default::SetDefault),
        "table=T column=C default=EXPRESSION", "set the default for new rows";
    "drop_default" DropDefault(drop_default::DropDefault),
        "table=T column=C", "drop the default";
    "set_comment" SetComment(set_comment::SetComment),
        "table=T [column=C] comment=TEXT", "set or remove a comment on a table or a column";
    "add_index" AddIndex(add_index::AddIndex),
        "table=T columns=C,C|expressions=SQL [unique=true] [where=CONDITION] [include=C,C]", "add an index, built concurrently, also on partitions";
    "drop_index" DropIndex(drop_index::DropIndex),
        "table=T name=I", "drop an index concurrently";
    "rebuild_index" RebuildIndex(rebuild_index::RebuildIndex),
        "table=T name=I", "rebuild a bloated or INVALID index concurrently";
    "add_primary_key" AddPrimaryKey(add_primary_key::AddPrimaryKey),
        "table=T columns=C,C", "add a primary key; its index is built concurrently";
    "add_unique" AddUnique(add_unique::AddUnique),
        "table=T columns=C,C", "add a UNIQUE constraint; its index is built concurrently";
    "add_check" AddCheck(add_check::AddCheck),
        "table=T name=N check=CONDITION", "add a CHECK constraint, validated while the application works";
    "add_foreign_key" AddForeignKey(add_foreign_key::AddForeignKey),
        "table=T columns=C,C references=T [to=C,C] [on_delete=restrict]", "add a foreign key, validated while the application works";
    "add_exclusion" AddExclusion(add_exclusion::AddExclusion),
        "table=T name=N exclude=\"USING gist (…)\" [max_rows=10000]", "add an exclusion constraint to a small table";
    "drop_constraint" DropConstraint(drop_constraint::DropConstraint),
        "table=T name=N", "drop a constraint";
    "rename_constraint" RenameConstraint(rename_constraint::RenameConstraint),
        "table=T from=N to=N", "rename a constraint";
    "set_replica_identity" SetReplicaIdentity(set_replica_identity::SetReplicaIdentity),
        "table=T identity=full|default|nothing or index=I", "set the replica identity of a table";
    "create_table" CreateTable(create_table::CreateTable),
        "table=T columns=SQL", "create a table";
    "drop_table" DropTable(drop_table::DropTable),
        "table=T", "drop a table; it is renamed first";
    "create_enum" CreateEnum(create_enum::CreateEnum),
        "name=TYPE values=[…]", "create an enum type";
    "add_enum_value" AddEnumValue(add_enum_value::AddEnumValue),
        "name=TYPE value=TEXT [before=TEXT] irreversible=true", "add a value to an enum; it cannot be removed";
    "sql" Sql(super::steps::sql::Sql),
        "name=N forward=SQL reverse=SQL done_when=QUERY", "run your own statements, with their undo";
}

impl Recipe {
    pub fn conditions(&self) -> Vec<Condition<'_>> {
        self.change().conditions()
    }

    pub fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        self.change().advice(facts)
    }

    /// The tables that facts are needed of, given those that are known.
    pub fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        self.change().tables_given(facts)
    }

    /// What can be refused without a database. Errors carry paths below `at`, the place of `change`.
    pub fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        self.change().contradictions(&at.key(self.name()))
    }

    /// What it names in the database, as far as its words tell. Places are below `at`, the place of `change`.
    pub fn named(&self, at: &Path) -> Vec<Named<'_>> {
        self.change().named(&at.key(self.name()))
    }

    /// The columns that it puts others in the place of, if it does.
    pub(crate) fn replacement<'a>(
        &'a self,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Option<Replacement<'a>>, Vec<PlanError>> {
        self.change().replacement(facts, &at.key(self.name()))
    }

    /// The explicit phases of this change. Errors carry paths below `at`, the place of `change`.
    pub fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        let contradictions = self.contradictions(at);
        if !contradictions.is_empty() {
            return Err(contradictions);
        }
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

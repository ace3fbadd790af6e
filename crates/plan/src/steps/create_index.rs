//! `create_index`: concurrently, always.

use super::{Ddl, Described, NewName, Undo, attach_index};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::sqlgen::index_definition::IndexDefinition;
use crate::{
    compiled::Plan,
    document::{Expression, PhaseName},
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Creates an index concurrently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateIndex {
    pub table: TableName,
    pub name: Ident,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// The text after USING: `btree (lower(item_name) DESC) INCLUDE (id) WHERE batch IS NOT NULL`.
    pub using: String,
    /// By default that of the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Ident>,
    /// On a partitioned table: only on the table itself. The indexes of its partitions are built separately and
    /// attached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
    /// The table is a partition of this one. If it no longer is, the step does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<TableName>,
}

impl Described for CreateIndex {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand, PhaseName::Enforce, PhaseName::Retire]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.name.to_string()
    }
}

impl Ddl for CreateIndex {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let unique = if self.unique { "UNIQUE " } else { "" };
        let of = self.partition_of.as_ref();
        if self.only {
            return vec![
                self.without_partitions(unique)
                    .of_partition(&self.table, of),
            ];
        }
        let create = Statement::new(format!(
            "CREATE {unique}INDEX CONCURRENTLY {} ON {} USING {}",
            self.name, self.table, self.using
        ))
        .lock(&self.table, Lock::ShareUpdateExclusiveLock)
        .scans();
        let goal = Goal::Index {
            table: self.table.clone(),
            name: self.name.clone(),
            unique: self.unique,
        };
        let mut part = DdlUnit::concurrently(goal, create);
        if let Some(tablespace) = &self.tablespace {
            // In the statement it would stand before WHERE, in the middle of `using`.
            let set = Statement::new(format!("SET default_tablespace = {tablespace}"));
            part.statements.insert(0, set);
            part.statements
                .push(Statement::new("RESET default_tablespace"));
        }
        vec![part.of_partition(&self.table, of)]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![if self.only {
            attach_index::drop_partitioned(&self.table, &self.name)
        } else {
            drop_index(&self.table, &self.name)
        }])
    }

    fn new_names(&self) -> Vec<NewName> {
        vec![NewName::index(&self.table, &self.name)]
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

/// An expression in an index: a key's, or the condition of which rows are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indexed {
    Key(Expression),
    Condition(Expression),
}

impl CreateIndex {
    /// The expressions in `using`; keys that are plain columns are none.
    pub fn expressions(&self) -> Vec<Indexed> {
        let Some(definition) = IndexDefinition::read(&self.using) else {
            return Vec::new();
        };
        let expression = |text: &str| Expression::try_from(text.to_owned()).ok();
        let keys = definition.expressions().filter_map(expression);
        let condition = definition.condition.and_then(expression);
        keys.map(Indexed::Key)
            .chain(condition.map(Indexed::Condition))
            .collect()
    }

    /// INVALID until every partition's index is attached; it holds no rows, so that the lock is had for a moment only.
    fn without_partitions(&self, unique: &str) -> DdlUnit {
        let create = Statement::new(format!(
            "CREATE {unique}INDEX {} ON ONLY {} USING {}",
            self.name, self.table, self.using
        ));
        DdlUnit::locking(
            Goal::PartitionedIndex {
                table: self.table.clone(),
                name: self.name.clone(),
            },
            vec![create.lock_only(&self.table, Lock::ShareLock)],
        )
    }
}

/// Also what removes an INVALID index that a build left behind.
pub fn drop_index(table: &TableName, name: &Ident) -> DdlUnit {
    DdlUnit::concurrently(
        Goal::NoIndex {
            table: table.clone(),
            name: name.clone(),
        },
        Statement::new(format!(
            "DROP INDEX CONCURRENTLY IF EXISTS {}.{name}",
            table.schema
        ))
        .lock(table, Lock::ShareUpdateExclusiveLock),
    )
}

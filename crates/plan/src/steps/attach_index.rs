//! `attach_index`: a partition's index becomes part of the partitioned table's.

use super::{Ddl, Described, Undo, add_constraint};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Attaches the index of a partition to the index of the partitioned table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachIndex {
    /// The partition.
    pub table: TableName,
    pub name: Ident,
    /// The partitioned table that it is a partition of, and its index.
    pub of: TableName,
    pub to: Ident,
    /// Both belong to a UNIQUE or PRIMARY KEY constraint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub constraint: bool,
}

impl AttachIndex {
    fn parent(&self) -> TableName {
        TableName {
            schema: self.of.schema.clone(),
            name: self.to.clone(),
        }
    }

    fn index(&self) -> TableName {
        TableName {
            schema: self.table.schema.clone(),
            name: self.name.clone(),
        }
    }
}

impl Described for AttachIndex {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand, PhaseName::Enforce]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table, &self.of]
    }
    fn subject(&self) -> String {
        self.index().to_string()
    }
}

impl Ddl for AttachIndex {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let (parent, index) = (self.parent(), self.index());
        let attach = Statement::new(format!("ALTER INDEX {parent} ATTACH PARTITION {index}"))
            .lock_only(&self.of, Lock::AccessShareLock)
            .lock_only(&self.table, Lock::AccessShareLock);
        let part = DdlUnit::locking(Goal::IndexAttached { parent, index }, vec![attach]);
        vec![part.of_partition(&self.table, Some(&self.of))]
    }

    /// There is no DETACH for an index: the partitioned table's index goes, and those of the partitions with it.
    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![if self.constraint {
            add_constraint::drop_constraint(&self.of, &self.to, None)
        } else {
            drop_partitioned(&self.of, &self.to)
        }])
    }

    fn note(&self) -> Option<String> {
        Some(format!(
            "the partition's index is locked for a moment: statements on {} wait that long while they are planned",
            self.table
        ))
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

/// A partitioned table's index, which cannot be dropped concurrently.
pub fn drop_partitioned(table: &TableName, name: &Ident) -> DdlUnit {
    let drop = Statement::new(format!("DROP INDEX IF EXISTS {}.{name}", table.schema));
    DdlUnit::locking(
        Goal::NoIndex {
            table: table.clone(),
            name: name.clone(),
        },
        vec![drop.lock(table, Lock::AccessExclusiveLock)],
    )
}

//! `rebuild_index`: REINDEX CONCURRENTLY, which needs room for a second copy of the index.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rebuilds an index with REINDEX CONCURRENTLY, which needs disk space for a second copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildIndex {
    pub table: TableName,
    pub name: Ident,
    /// The file before (`pg_relation_filenode`). If it has changed, the index has been rebuilt.
    pub filenode: u32,
    /// The table is a partition of this one. If it no longer is, the step does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<TableName>,
}

impl Described for RebuildIndex {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand, PhaseName::Enforce]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.name.to_string()
    }
}

impl Ddl for RebuildIndex {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self { table, name, .. } = self;
        let rebuild = Statement::new(format!(
            "REINDEX INDEX CONCURRENTLY {}.{name}",
            table.schema
        ));
        let part = DdlUnit::concurrently(
            Goal::IndexRebuilt {
                table: table.clone(),
                name: name.clone(),
                filenode: self.filenode,
            },
            rebuild.lock(table, Lock::ShareUpdateExclusiveLock).scans(),
        );
        vec![part.of_partition(table, self.partition_of.as_ref())]
    }

    /// The same index as before, only smaller.
    fn undo(&self, _: &Plan) -> Undo {
        Undo::Nothing
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

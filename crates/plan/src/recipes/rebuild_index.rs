//! `rebuild_index`: a bloated or INVALID index is built anew, concurrently; a partitioned one partition by partition.

use super::named::{Named, Naming, What};
use super::{
    Change, drop_index,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::{Facts, Index, Table},
    steps::{Step, rebuild_index::RebuildIndex as RebuildIndexStep},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildIndex {
    pub table: TableName,
    pub name: Ident,
}

impl RebuildIndex {
    /// Each leaf's by itself: what has been built stays built, whatever becomes of the others.
    fn on_partitions(
        &self,
        facts: &Facts,
        table: &Table,
        index: &Index,
        at: &Path,
    ) -> Result<Vec<Step>, Errors> {
        relation::no_foreign_partition(table, at)?;
        let parts: Vec<_> = drop_index::parts(facts, table, index).collect();
        let mut partitions = relation::partitions(facts, table).map(|(partition, _)| partition);
        let bare = partitions.find(|one| !parts.iter().any(|(partition, ..)| partition == one));
        if let Some(partition) = bare {
            let message = format!("{} has no part of {}", partition.table, self.name);
            let help = "an index that does not cover every partition stays INVALID however often it is rebuilt: drop_index, then add_index";
            return relation::refuse(&at.key("name"), message, help);
        }
        let rebuilt = parts.into_iter().filter_map(|(partition, _, own)| {
            Some(Step::from(RebuildIndexStep {
                table: partition.table.clone(),
                name: own.name.clone(),
                filenode: own.filenode?,
                partition_of: Some(self.table.clone()),
            }))
        });
        Ok(rebuilt.collect())
    }
}

impl Change for RebuildIndex {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::TakesObject(&self.name), at.key("name"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let index = drop_index::index(&self.table, table, &self.name, at)?;
        if table.is_partitioned() {
            let steps = self.on_partitions(facts, table, index, at)?;
            return Ok(vec![relation::phase(PhaseName::Expand, steps)]);
        }
        let exclusion = index.constraint.as_ref().is_some_and(|name| {
            table.constraints.iter().any(|constraint| {
                constraint.name == *name
                    && constraint.kind == crate::facts::ConstraintKind::Exclusion
            })
        });
        let Some(filenode) = index.filenode.filter(|_| !exclusion) else {
            let message = format!("{} cannot be rebuilt concurrently", self.name);
            let help = "PostgreSQL rebuilds an exclusion constraint's index under a lock only";
            return relation::refuse(&at.key("name"), message, help);
        };
        let step = RebuildIndexStep {
            table: self.table.clone(),
            name: self.name.clone(),
            filenode,
            partition_of: None,
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}

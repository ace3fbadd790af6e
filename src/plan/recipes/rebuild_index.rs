//! `rebuild_index`: a bloated or INVALID index is built anew, concurrently.

use super::{
    Change, drop_index,
    relation::{self, Errors, Fit},
};
use crate::plan::{
    document::{PhaseDocument, PhaseName},
    error::Path,
    facts::Facts,
    ident::{Ident, TableName},
    steps::{Step, rebuild_index::RebuildIndex as RebuildIndexStep},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RebuildIndex {
    pub table: TableName,
    pub name: Ident,
}

impl Change for RebuildIndex {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
        let index = drop_index::index(&self.table, table, &self.name, at)?;
        let exclusion = index.constraint.as_ref().is_some_and(|name| {
            table.constraints.iter().any(|constraint| {
                constraint.name == *name
                    && constraint.kind == crate::plan::facts::ConstraintKind::Exclusion
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
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}

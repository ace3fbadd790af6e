//! `rename_constraint`: a catalog change. An index that serves it is renamed with it.

use super::{
    Change, drop_constraint,
    relation::{self, Errors, Fit},
};
use crate::plan::{
    document::{PhaseDocument, PhaseName},
    error::Path,
    facts::Facts,
    ident::{Ident, TableName},
    steps::{Step, rename_constraint::RenameConstraint as RenameConstraintStep},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameConstraint {
    pub table: TableName,
    pub from: Ident,
    pub to: Ident,
}

impl Change for RenameConstraint {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
        drop_constraint::constraint(&self.table, table, &self.from, &at.key("from"))?;
        relation::name_is_free(&self.table, table, &self.to, at)?;
        let step = RenameConstraintStep {
            table: self.table.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}

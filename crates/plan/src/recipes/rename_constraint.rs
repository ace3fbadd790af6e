//! `rename_constraint`: a catalog change. An index that serves it is renamed with it.

use super::named::{Named, Naming, What};
use super::{
    Change, drop_constraint,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::{ConstraintKind, Facts},
    steps::{Step, rename_constraint::RenameConstraint as RenameConstraintStep},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
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

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn contradictions(&self, at: &Path) -> Errors {
        relation::same_name(self.from == self.to, at)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::TakesObject(&self.from), at.key("from"))
            .and(What::MakesConstraint(self.to.clone()), at.key("to"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let place = at.key("from");
        let found = drop_constraint::constraint(&self.table, table, &self.from, &place)?;
        // A CHECK has one name everywhere; what has an index or refers to another table has its own on each partition.
        let goes_down = found.kind == ConstraintKind::Check;
        if goes_down {
            relation::name_is_free_everywhere(facts, (&self.table, table), &self.to, at)?;
        } else {
            relation::name_is_free(&self.table, table, &self.to, at)?;
        }
        let step = RenameConstraintStep {
            alone: table.is_partitioned() && !goes_down,
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

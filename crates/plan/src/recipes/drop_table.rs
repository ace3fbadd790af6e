//! `drop_table`: renamed out of sight first, with all that hangs on it; dropped in `contract`. Never CASCADE.

use super::named::{Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::Facts,
    steps::{Step, drop_table::DropTable as DropTableStep, retire_table::RetireTable},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::TableName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropTable {
    pub table: TableName,
}

impl Change for DropTable {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Table, at.key("table"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let mut errors = Vec::new();
        for inbound in &table.referenced_by {
            if inbound.table != self.table {
                let message = format!(
                    "the foreign key {} of {} refers to {}",
                    inbound.name, inbound.table, self.table
                );
                errors.push(
                    PlanError::at(at.key("table"), message).help("drop it first: drop_constraint"),
                );
            }
        }
        for dependent in &table.table_dependents {
            let message = format!("{dependent} depends on {}", self.table);
            errors.push(
                PlanError::at(at.key("table"), message)
                    .help("nothing is dropped with the table: change or drop it first"),
            );
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let others = table.constraints.iter().filter_map(|key| key.references());
        let others: BTreeSet<TableName> = others.filter(|other| *other != self.table).collect();
        let references = others.into_iter().collect();
        let table = self.table.clone();
        Ok(vec![
            relation::phase(
                PhaseName::Retire,
                vec![Step::from(RetireTable {
                    table: table.clone(),
                })],
            ),
            relation::phase(
                PhaseName::Contract,
                vec![Step::from(DropTableStep { table, references })],
            ),
        ])
    }
}

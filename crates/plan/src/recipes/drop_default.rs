//! `drop_default`: an insert that does not name the column leaves NULL there from now on.

use super::named::{Aspect, Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors, Fit},
    set_default::column_with_default,
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::Facts,
    steps::{Step, drop_default::DropDefault as DropDefaultStep},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropDefault {
    pub table: TableName,
    pub column: Ident,
}

impl Change for DropDefault {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        let table = facts.table(&self.table);
        let column = table.and_then(|table| table.column(&self.column));
        match column {
            Some(column) if column.not_null => vec![(
                format!(
                    "{}.{} is NOT NULL: an insert that relies on the default will fail",
                    self.table, self.column
                ),
                "see that every insert names the column first",
            )],
            Some(_) | None => Vec::new(),
        }
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Sets(&self.column, Aspect::Default), at.key("column"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let column = column_with_default(&self.table, table, &self.column, at)?;
        relation::same_default_on_partitions(facts, table, column, at)?;
        let Some(previous) = &column.default else {
            let message = format!("{}.{} has no default", self.table, self.column);
            return relation::refuse(&at.key("column"), message, "there is nothing to do");
        };
        let step = DropDefaultStep {
            table: self.table.clone(),
            column: self.column.clone(),
            previous: previous.clone(),
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}

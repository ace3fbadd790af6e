//! `set_default`: for rows that are inserted from now on.

use super::named::{Aspect, Named, Naming, What};
use super::{
    Change, Condition,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{Expression, PhaseDocument, PhaseName},
    facts::{Column, Facts, Table},
    steps::{Step, set_default::SetDefault as SetDefaultStep},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDefault {
    pub table: TableName,
    pub column: Ident,
    /// As in SQL: `'active'`, `now()`.
    pub default: Expression,
}

/// The column, if it may have a default of its own.
pub(super) fn column_with_default<'a>(
    name: &TableName,
    table: &'a Table,
    column: &Ident,
    at: &Path,
) -> Result<&'a Column, Errors> {
    let found = relation::column(name, table, column, at.key("column"))?;
    if found.generated || found.identity.is_some() {
        let message = format!("{name}.{column} is computed or numbered by PostgreSQL");
        let help = "a generated or identity column has no default of its own";
        return relation::refuse(&at.key("column"), message, help);
    }
    Ok(found)
}

impl Change for SetDefault {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn conditions(&self) -> Vec<Condition<'_>> {
        vec![Condition::default(
            "default",
            &self.table,
            &self.column,
            &self.default,
        )]
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
        let step = SetDefaultStep {
            table: self.table.clone(),
            column: self.column.clone(),
            default: self.default.to_string(),
            previous: column.default.clone(),
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}

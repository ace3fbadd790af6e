//! `set_not_null`: asked first, proved by a validated CHECK, and then only noted in the catalog.

use super::named::{Aspect, Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{Expect, PhaseDocument, PhaseName, Query},
    facts::{Facts, Table},
    steps::{Step, set_not_null::SetNotNull as SetNotNullStep},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetNotNull {
    pub table: TableName,
    pub column: Ident,
}

/// A query step that finds a row without a value.
pub(super) fn no_null(name: &TableName, table: &Table, column: &Ident) -> Step {
    Step::Query(Query {
        name: format!("every row has {column}"),
        sql: format!(
            "SELECT {} FROM {name} WHERE {column} IS NULL LIMIT 1",
            relation::row_name(table)
        ),
        expect: Expect::NoRows,
    })
}

/// What a partition has by itself would go when the table's is taken back: PostgreSQL keeps no account of whose it is.
pub(super) fn same_on_partitions(
    facts: &Facts,
    table: &Table,
    column: &Ident,
    at: &Path,
) -> Result<(), Errors> {
    let requires = |facts: &Table| facts.column(column).is_some_and(|column| column.not_null);
    let mut partitions = relation::partitions(facts, table);
    let Some((partition, _)) = partitions.find(|(_, facts)| requires(facts)) else {
        return Ok(());
    };
    let message = format!(
        "the partition {} requires {column} by itself",
        partition.table
    );
    let help = "a rollback could not tell its NOT NULL from that of the table: drop it on the partition first (ALTER TABLE … DROP NOT NULL). This change sets it again";
    relation::refuse(&at.key("table"), message, help)
}

impl Change for SetNotNull {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Sets(&self.column, Aspect::NotNull), at.key("column"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let column = relation::column(&self.table, table, &self.column, at.key("column"))?;
        if column.not_null {
            let message = format!("{}.{} is NOT NULL already", self.table, self.column);
            return relation::refuse(&at.key("column"), message, "there is nothing to do");
        }
        relation::no_foreign_partition(table, at)?;
        same_on_partitions(facts, table, &self.column, at)?;
        let step = SetNotNullStep {
            table: self.table.clone(),
            column: self.column.clone(),
            partitions: relation::leaves(table).unwrap_or_default(),
        };
        Ok(vec![
            relation::phase(
                PhaseName::Verify,
                vec![no_null(&self.table, table, &self.column)],
            ),
            relation::phase(PhaseName::Enforce, vec![Step::from(step)]),
        ])
    }
}

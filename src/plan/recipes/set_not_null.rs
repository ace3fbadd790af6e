//! `set_not_null`: asked first, proved by a validated CHECK, and then only noted in the catalog.

use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::plan::{
    document::{Expect, PhaseDocument, PhaseName, Query},
    error::Path,
    facts::{Facts, Table},
    ident::{Ident, TableName},
    steps::{Step, set_not_null::SetNotNull as SetNotNullStep},
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

impl Change for SetNotNull {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
        let column = relation::column(&self.table, table, &self.column, at.key("column"))?;
        if column.not_null {
            let message = format!("{}.{} is NOT NULL already", self.table, self.column);
            return relation::refuse(&at.key("column"), message, "there is nothing to do");
        }
        let step = SetNotNullStep {
            table: self.table.clone(),
            column: self.column.clone(),
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

//! `add_unique`: asked first, then a unique index built concurrently, which the constraint takes for its own.

use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::plan::{
    columns::Columns,
    document::{Expect, PhaseDocument, PhaseName, Query},
    error::Path,
    facts::Facts,
    ident::{Ident, TableName},
    steps::{Step, add_constraint::AddConstraint, create_index::CreateIndex},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddUnique {
    pub table: TableName,
    pub columns: Columns,
    /// Made from the table's and the columns' names unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Ident>,
}

/// A query step that finds two rows with the same values.
pub(super) fn no_duplicates(table: &TableName, columns: &Columns) -> Step {
    let present: Vec<String> = columns
        .names()
        .iter()
        .map(|column| format!("{column} IS NOT NULL"))
        .collect();
    Step::Query(Query {
        name: format!("no two rows have the same {columns}"),
        sql: format!(
            "SELECT {columns} FROM {table} WHERE {} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1",
            present.join(" AND ")
        ),
        expect: Expect::NoRows,
    })
}

pub(super) fn unique_index(table: &TableName, name: &Ident, columns: &Columns) -> Step {
    Step::from(CreateIndex {
        table: table.clone(),
        name: name.clone(),
        unique: true,
        using: format!("btree ({columns})"),
        tablespace: None,
        only: false,
    })
}

pub(super) fn over_index(table: &TableName, name: &Ident, kind: &str) -> Step {
    Step::from(AddConstraint {
        table: table.clone(),
        name: name.clone(),
        definition: kind.to_owned(),
        index: Some(name.clone()),
        references: None,
        validate: true,
    })
}

impl Change for AddUnique {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
        for column in self.columns.names() {
            relation::column(&self.table, table, column, at.key("columns"))?;
        }
        let name = self
            .name
            .clone()
            .unwrap_or_else(|| relation::name_after(&self.table, self.columns.names(), "_key"));
        relation::name_is_free(&self.table, table, &name, at)?;
        Ok(vec![
            relation::phase(
                PhaseName::Verify,
                vec![no_duplicates(&self.table, &self.columns)],
            ),
            relation::phase(
                PhaseName::Enforce,
                vec![
                    unique_index(&self.table, &name, &self.columns),
                    over_index(&self.table, &name, "UNIQUE"),
                ],
            ),
        ])
    }
}

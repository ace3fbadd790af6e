//! `add_primary_key`: its index concurrently, its NOT NULLs through validated CHECKs, so that nothing is left to scan.

use super::{
    Change, add_unique,
    relation::{self, Errors, Fit},
    set_not_null,
};
use crate::plan::{
    columns::Columns,
    document::{PhaseDocument, PhaseName},
    error::Path,
    facts::Facts,
    ident::{Ident, TableName},
    steps::{Step, set_not_null::SetNotNull},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPrimaryKey {
    pub table: TableName,
    pub columns: Columns,
    /// Made from the table's name unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Ident>,
}

impl Change for AddPrimaryKey {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
        if let Some(primary) = table.indexes.iter().find(|index| index.primary) {
            let message = format!("{} has the primary key {}", self.table, primary.name);
            let help = "a table has one primary key: drop that one first";
            return relation::refuse(&at.key("table"), message, help);
        }
        let name = self
            .name
            .clone()
            .unwrap_or_else(|| relation::name_after(&self.table, &[], "_pkey"));
        relation::name_is_free(&self.table, table, &name, at)?;
        let mut verify = Vec::new();
        let mut enforce = Vec::new();
        for column in self.columns.names() {
            let found = relation::column(&self.table, table, column, at.key("columns"))?;
            if !found.not_null {
                verify.push(set_not_null::no_null(&self.table, table, column));
                enforce.push(Step::from(SetNotNull {
                    table: self.table.clone(),
                    column: column.clone(),
                }));
            }
        }
        verify.push(add_unique::no_duplicates(&self.table, &self.columns));
        enforce.push(add_unique::unique_index(&self.table, &name, &self.columns));
        enforce.push(add_unique::over_index(&self.table, &name, "PRIMARY KEY"));
        Ok(vec![
            relation::phase(PhaseName::Verify, verify),
            relation::phase(PhaseName::Enforce, enforce),
        ])
    }
}

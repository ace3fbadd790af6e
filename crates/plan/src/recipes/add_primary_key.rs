//! `add_primary_key`: its index concurrently, its NOT NULLs through validated CHECKs, so that nothing is left to scan.

use super::named::{Aspect, Named, Naming, What};
use super::{
    Change, add_unique,
    relation::{self, Errors, Fit},
    set_not_null,
};
use crate::{
    columns::Columns,
    document::{PhaseDocument, PhaseName},
    facts::{Facts, Table},
    steps::{Step, set_not_null::SetNotNull},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPrimaryKey {
    pub table: TableName,
    pub columns: Columns,
    /// By default made from the name of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Ident>,
}

impl AddPrimaryKey {
    fn key_name(&self) -> Ident {
        let name = self.name.clone();
        name.unwrap_or_else(|| relation::name_after(&self.table, &[], "_pkey"))
    }

    fn no_other(&self, name: &TableName, table: &Table, at: &Path) -> Result<(), Errors> {
        let Some(primary) = table.indexes.iter().find(|index| index.primary) else {
            return Ok(());
        };
        let message = format!("{name} has the primary key {}", primary.name);
        let help = "a table has one primary key: drop that one first";
        relation::refuse(&at.key("table"), message, help)
    }
}

impl Change for AddPrimaryKey {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let word = if self.name.is_some() {
            "name"
        } else {
            "columns"
        };
        Naming::of(&self.table)
            .and_all(self.columns.names(), What::Uses, &at.key("columns"))
            .and_all(
                self.columns.names(),
                |column| What::Sets(column, Aspect::NotNull),
                &at.key("columns"),
            )
            .and(What::MakesIndex(self.key_name()), at.key(word))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        relation::no_foreign_partition(table, at)?;
        self.no_other(&self.table, table, at)?;
        for (partition, facts) in relation::partitions(facts, table) {
            self.no_other(&partition.table, facts, at)?;
        }
        let name = self.key_name();
        relation::name_is_free(&self.table, table, &name, at)?;
        let mut verify = Vec::new();
        let mut enforce = Vec::new();
        for column in self.columns.names() {
            let found = relation::column(&self.table, table, column, at.key("columns"))?;
            if !found.not_null {
                verify.push(set_not_null::no_null(&self.table, table, column));
                set_not_null::same_on_partitions(facts, table, column, at)?;
                enforce.push(Step::from(SetNotNull {
                    table: self.table.clone(),
                    column: column.clone(),
                    partitions: relation::leaves(table).unwrap_or_default(),
                }));
            }
        }
        if table.is_partitioned() {
            let columns = self.columns.names();
            relation::unique_over(&self.table, table, columns, &at.key("columns"))?;
        }
        verify.push(add_unique::no_duplicates(&self.table, &self.columns));
        let key = (&self.table, table);
        enforce.extend(add_unique::key(key, &name, &self.columns, "PRIMARY KEY"));
        Ok(vec![
            relation::phase(PhaseName::Verify, verify),
            relation::phase(PhaseName::Enforce, enforce),
        ])
    }
}

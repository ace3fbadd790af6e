//! `drop_not_null`: the new version may leave a column without a value.

use super::named::{Aspect, Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::Facts,
    steps::{Step, drop_not_null::DropNotNull as DropNotNullStep},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropNotNull {
    pub table: TableName,
    pub column: Ident,
}

impl Change for DropNotNull {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Sets(&self.column, Aspect::NotNull), at.key("column"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let column = relation::column(&self.table, table, &self.column, at.key("column"))?;
        let place = at.key("column");
        if !column.not_null {
            let message = format!("{}.{} may be NULL already", self.table, self.column);
            return relation::refuse(&place, message, "there is nothing to do");
        }
        let primary = table.indexes.iter().find(|index| index.primary);
        if let Some(index) = primary.filter(|index| index.columns.contains(&self.column)) {
            let message = format!("{} is in the primary key {}", self.column, index.name);
            return relation::refuse(&place, message, "a primary key's columns are NOT NULL");
        }
        if column.identity.is_some() {
            let message = format!("{} is an identity column", self.column);
            return relation::refuse(&place, message, "an identity column is NOT NULL");
        }
        let step = DropNotNullStep {
            table: self.table.clone(),
            column: self.column.clone(),
            partitions: relation::leaves(table).unwrap_or_default(),
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}

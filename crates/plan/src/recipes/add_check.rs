//! `add_check`: added NOT VALID, which new rows must meet at once, and validated while the application works.

use super::named::{Named, Naming, What};
use super::{
    Change, Condition,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{Expect, Expression, PhaseDocument, PhaseName, Query},
    facts::Facts,
    steps::{Step, add_constraint::AddConstraint},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddCheck {
    pub table: TableName,
    pub name: Ident,
    /// `quantity >= 0`
    pub check: Expression,
}

impl Change for AddCheck {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn conditions(&self) -> Vec<Condition<'_>> {
        Condition::boolean("check", &self.table, Some(&self.check))
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::UsesIn(self.check.as_str()), at.key("check"))
            .and(What::MakesConstraint(self.name.clone()), at.key("name"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        relation::no_foreign_partition(table, at)?;
        relation::name_is_free_everywhere(facts, (&self.table, table), &self.name, at)?;
        let query = Query {
            name: format!("every row meets {}", self.name),
            sql: format!(
                "SELECT {} FROM {} WHERE NOT ({}) LIMIT 1",
                relation::row_name(table),
                self.table,
                self.check
            ),
            expect: Expect::NoRows,
        };
        let step = AddConstraint {
            table: self.table.clone(),
            name: self.name.clone(),
            definition: format!("CHECK ({})", self.check),
            index: None,
            references: None,
            validate: true,
            partitions: relation::leaves(table),
            partition_of: None,
        };
        Ok(vec![
            relation::phase(PhaseName::Verify, vec![Step::Query(query)]),
            relation::phase(PhaseName::Enforce, vec![Step::from(step)]),
        ])
    }
}

//! `split_column`: one column becomes several.

use super::named::{Named, What};
use super::{
    Change,
    new_column::NewColumn,
    replacement::{self, Replacement},
    transform_columns::{self, Transformation, Words, rights, word_of},
};
use crate::{
    document::{Assignments, Expression, PhaseDocument},
    facts::Facts,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitColumn {
    pub table: TableName,
    pub column: Ident,
    pub into: BTreeMap<Ident, NewColumn>,
    /// New column: expression over the old column.
    pub forward: Assignments,
    /// The old value, as an expression over the new columns.
    pub backward: Expression,
}

impl SplitColumn {
    fn backward(&self) -> Assignments {
        Assignments::from([(self.column.clone(), self.backward.clone())])
    }

    fn transformation<'a>(&'a self, backward: &'a Assignments) -> Transformation<'a> {
        Transformation {
            table: &self.table,
            from: std::slice::from_ref(&self.column),
            to: &self.into,
            forward: &self.forward,
            backward,
            keep: &[],
            words: Words {
                from: "column",
                to: "into",
            },
        }
    }
}

impl Change for SplitColumn {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        rights(&self.table, &self.forward, facts)
    }

    fn word_of(&self, expression: &Expression) -> Option<&'static str> {
        word_of(&self.forward, &self.backward(), expression)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        transform_columns::naming(
            &self.table,
            (std::iter::once(&self.column), &at.key("column")),
            (self.into.keys(), &at.key("into")),
        )
        .and_expressions(&self.forward, &at.key("forward"))
        .and(What::Computes(self.backward.as_str()), at.key("backward"))
        .named()
    }

    fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        self.transformation(&self.backward()).contradictions(at)
    }

    fn replacement<'a>(
        &'a self,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Option<Replacement<'a>>, Vec<PlanError>> {
        let found = self
            .transformation(&self.backward())
            .replacement(&self.table, facts, at)?;
        Ok(Some(found))
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        replacement::phases(self, facts, at)
    }
}

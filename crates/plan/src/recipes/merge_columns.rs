//! `merge_columns`: several columns become one.

use super::named::{Named, What};
use super::{
    Change,
    new_column::NewColumn,
    replacement::{self, Replacement},
    transform_columns::{self, Transformation, Words, lost, rights, word_of},
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
pub struct MergeColumns {
    pub table: TableName,
    pub columns: Vec<Ident>,
    pub to: Ident,
    /// As in SQL, such as `numeric(12,2)`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Enforced in `retire`, when the old version no longer writes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The new value, as an expression over the old columns.
    pub forward: Expression,
    /// Old column: expression over the new column.
    pub backward: Assignments,
    /// Columns of `columns` that stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<Ident>,
}

impl MergeColumns {
    fn forward(&self) -> Assignments {
        Assignments::from([(self.to.clone(), self.forward.clone())])
    }

    fn new_columns(&self) -> BTreeMap<Ident, NewColumn> {
        let new = NewColumn {
            type_name: self.type_name.clone(),
            not_null: self.not_null,
            collation: None,
            comment: self.comment.clone(),
        };
        BTreeMap::from([(self.to.clone(), new)])
    }

    fn transformation<'a>(
        &'a self,
        to: &'a BTreeMap<Ident, NewColumn>,
        forward: &'a Assignments,
    ) -> Transformation<'a> {
        Transformation {
            table: &self.table,
            from: &self.columns,
            to,
            forward,
            backward: &self.backward,
            keep: &self.keep,
            words: Words {
                from: "columns",
                to: "to",
            },
        }
    }
}

impl Change for MergeColumns {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        let mut advice = lost(&self.table, &self.columns, &self.keep, &self.forward());
        advice.extend(rights(&self.table, &self.forward(), facts));
        advice
    }

    fn word_of(&self, expression: &Expression) -> Option<&'static str> {
        word_of(&self.forward(), &self.backward, expression)
    }

    fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        self.transformation(&self.new_columns(), &self.forward())
            .contradictions(at)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let going = self.columns.iter().filter(|name| !self.keep.contains(name));
        transform_columns::naming(
            &self.table,
            (going, &at.key("columns")),
            (std::iter::once(&self.to), &at.key("to")),
        )
        .and_all(&self.keep, What::Keeps, &at.key("keep"))
        .and(What::Computes(self.forward.as_str()), at.key("forward"))
        .and_expressions(&self.backward, &at.key("backward"))
        .named()
    }

    fn replacement<'a>(
        &'a self,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Option<Replacement<'a>>, Vec<PlanError>> {
        let found = self
            .transformation(&self.new_columns(), &self.forward())
            .replacement(&self.table, facts, at)?;
        Ok(Some(found))
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        replacement::phases(self, facts, at)
    }
}

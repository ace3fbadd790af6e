//! `change_values`: another value in every row of a column: a second column of the same type, which takes the name of the old one.

use super::named::{Named, Naming, Upkeep, What};
use super::replacement::{Keys, Pair, Replacement, only_ordinary};
use super::{Change, new_column::NewColumn};
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
use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeValues {
    pub table: TableName,
    pub column: Ident,
    /// The new value, as an expression over the columns of the row, such as `lower(email)`.
    pub forward: Expression,
    /// The old value, as an expression over the new column, which is called `<column>_new` here. By default the new value itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backward: Option<Expression>,
}

impl ChangeValues {
    /// The name of the new column until the old one is retired.
    fn working_name(&self) -> Ident {
        self.column.with_suffix("_new")
    }
}

impl Change for ChangeValues {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn word_of(&self, expression: &Expression) -> Option<&'static str> {
        let is_backward = self.backward.as_ref() == Some(expression);
        Some(if is_backward { "backward" } else { "forward" })
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let new = Cow::Owned(self.working_name());
        let mut naming = Naming::of(&self.table)
            .and(What::Removes(&self.column), at.key("column"))
            .and(What::Makes(new, Upkeep::Triggers), at.key("column"))
            .and(What::Computes(self.forward.as_str()), at.key("forward"));
        if let Some(backward) = &self.backward {
            naming = naming.and(What::Computes(backward.as_str()), at.key("backward"));
        }
        naming.named()
    }

    fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        if self.forward == Expression::column(&self.column) {
            let message = format!(
                "`forward` is {} itself, so no value would change",
                self.column
            );
            let help = format!("write the new value, such as lower({})", self.column);
            return vec![PlanError::at(at.key("forward"), message).help(help)];
        }
        Vec::new()
    }

    fn replacement<'a>(
        &'a self,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Option<Replacement<'a>>, Vec<PlanError>> {
        let (table, old) = only_ordinary(facts, &self.table, &self.column, at, "column")?;
        let new = self.working_name();
        let backward = self.backward.clone();
        let backward = backward.unwrap_or_else(|| Expression::column(&new));
        Ok(Some(Replacement {
            keys: Keys::Refused,
            table_name: &self.table,
            table,
            forward: Assignments::from([(new.clone(), self.forward.clone())]),
            backward: Assignments::from([(self.column.clone(), backward)]),
            pairs: vec![Pair {
                old,
                new,
                column: NewColumn::of_type(&old.type_name),
                conversion_can_fail: true,
                keeps_name: true,
            }],
            others: Vec::new(),
            gone: Vec::new(),
        }))
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        match self.replacement(facts, at)? {
            Some(replacement) => replacement.phases(at),
            None => Ok(Vec::new()),
        }
    }
}

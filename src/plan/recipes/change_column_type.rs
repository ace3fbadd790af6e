//! `change_column_type`: a second column of the new type, which may end under the old one's name.

use super::Change;
use super::replacement::{Pair, Replacement, only_ordinary};
use crate::plan::{
    document::{Assignments, Expression, PhaseDocument},
    error::{Path, PlanError},
    facts::Facts,
    ident::{Ident, TableName},
    types,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeColumnType {
    pub table: TableName,
    pub column: Ident,
    /// The new column's name. Left out with `keep_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Ident>,
    /// As SQL writes it: `numeric(12,2)`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The new value from the old column; the old column itself unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Expression>,
    /// The old value from the new column (with `keep_name` it is called `<column>_new` here).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backward: Option<Expression>,
    /// The copy has the working name `<column>_new` and takes the old name when the old column is retired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_name: bool,
}

impl Change for ChangeColumnType {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn word_of(&self, expression: &Expression) -> Option<&'static str> {
        if self.forward.as_ref() == Some(expression) {
            Some("forward")
        } else if self.backward.as_ref() == Some(expression) {
            Some("backward")
        } else {
            Some("type")
        }
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        let (table, old) = only_ordinary(facts, &self.table, &self.column, at, "column")?;
        let new = match (&self.to, self.keep_name) {
            (Some(to), false) => to.clone(),
            (None, true) => self.column.with_suffix("_new"),
            (None, false) => {
                return Err(vec![
                    PlanError::at(at.clone(), "neither `to` nor `keep_name` is given")
                        .help("name the new column with `to`, or say `keep_name: true` to end under the old name"),
                ]);
            }
            (Some(_), true) => {
                return Err(vec![
                    PlanError::at(
                        at.key("to"),
                        "`to` and `keep_name: true` exclude each other",
                    )
                    .help("leave one of them out"),
                ]);
            }
        };
        let plain = self.forward.is_none() && self.backward.is_none();
        let assign = |target: &Ident, given: &Option<Expression>, source: &Ident| {
            let expression = given.clone();
            let expression = expression.unwrap_or_else(|| Expression::column(source));
            Assignments::from([(target.clone(), expression)])
        };
        Replacement {
            table_name: &self.table,
            table,
            forward: assign(&new, &self.forward, &self.column),
            backward: assign(&self.column, &self.backward, &new),
            pairs: vec![Pair {
                old,
                new,
                type_name: self.type_name.clone(),
                conversion_can_fail: !(plain && types::widens(&old.type_name, &self.type_name)),
                keeps_name: self.keep_name,
            }],
            others: Vec::new(),
            gone: Vec::new(),
        }
        .phases(at)
    }
}

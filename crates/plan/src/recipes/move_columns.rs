//! `move_columns`: columns of a table whose rows belong to another's become columns of that one.

use super::named::{Named, Naming, What};
use super::{
    Change,
    relation::Errors,
    table_to_table::{End, IntoParent, MovedColumn, lost},
    transform_columns::word_of,
};
use crate::{
    document::{Assignments, Expression, PhaseDocument},
    facts::{Facts, Table},
    steps::{Step, drop_column::DropColumn, retire_column::RetireColumn},
    table_pair::DeleteAlong,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveColumns {
    /// The table that has the columns now.
    pub table: TableName,
    /// The table that gets them, with one row for each key.
    pub to: TableName,
    /// Column of `to`: column of `table` that says which row of `to` a row belongs to.
    pub by: BTreeMap<Ident, Ident>,
    /// The new columns of `to`. A column with the same name as one of `table` is a copy of it: `photo_url: {}`.
    pub columns: BTreeMap<Ident, MovedColumn>,
    /// New column: expression over `table`, if it is not a copy of the column with the same name. Evaluated with NULLs for a
    /// row of `to` that no row belongs to.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub forward: Assignments,
    /// Column of `table`: expression over `to`. By default copies are copied back. `{}` makes the change one-way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backward: Option<Assignments>,
    /// If several rows belong to one row of `to`, the first in this order counts, such as `captured_at DESC`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<Expression>,
    /// Columns of `table` that are dropped in the end. By default those that are copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<Ident>>,
    /// Indexes and constraints that are dropped with the columns, without a successor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Ident>,
}

impl MoveColumns {
    fn as_one(&self) -> IntoParent<'_> {
        IntoParent {
            child: &self.table,
            parent: &self.to,
            by: &self.by,
            columns: self.columns.clone(),
            forward: &self.forward,
            backward: self.backward.as_ref(),
            order_by: &self.order_by,
            delete_along: DeleteAlong::No,
        }
    }

    fn going(&self) -> BTreeSet<Ident> {
        if let Some(given) = &self.from {
            return given.iter().cloned().collect();
        }
        let copied = self.as_one().forward().into_values();
        copied
            .filter_map(|expression| expression.as_column())
            .filter(|column| !self.by.values().any(|key| key == column))
            .collect()
    }

    fn refusals(&self, table: &Table, at: &Path) -> Errors {
        let mut errors = lost(&self.table, table, &self.going(), &self.without, at);
        for column in self.from.iter().flatten() {
            if table.column(column).is_none() {
                let message = format!("{} has no column {column}", self.table);
                errors.push(PlanError::at(at.key("from"), message).help("leave it out"));
            }
        }
        errors
    }
}

impl Change for MoveColumns {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table, &self.to]
    }

    fn word_of(&self, expression: &Expression) -> Option<&'static str> {
        let nothing = Assignments::new();
        word_of(
            &self.forward,
            self.backward.as_ref().unwrap_or(&nothing),
            expression,
        )
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        self.as_one().advice(facts)
    }

    fn contradictions(&self, at: &Path) -> Errors {
        let mut errors = self.as_one().contradictions("to", at);
        if self.columns.is_empty() {
            errors.push(
                PlanError::at(at.key("columns"), "`columns` names no column")
                    .help("name the new columns"),
            );
        }
        for column in self.from.iter().flatten() {
            if self.by.values().any(|key| key == column) {
                let message = format!("{column} says which row belongs to which");
                errors.push(
                    PlanError::at(at.key("from"), message)
                        .help("leave it out; fold_table takes the whole table away"),
                );
            }
        }
        errors
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Table, at.key("table"))
            .and_all(self.from.iter().flatten(), What::Removes, &at.key("from"))
            .in_table(&self.to)
            .and(What::Table, at.key("to"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let (_, table) = self.as_one().tables(facts, at)?;
        let errors = self.refusals(table, at);
        if !errors.is_empty() {
            return Err(errors);
        }
        let going = self.going();
        let columns = || {
            let known = going.iter().filter(|column| table.column(column).is_some());
            known.cloned()
        };
        let end = End {
            retire: columns()
                .map(|column| {
                    Step::from(RetireColumn {
                        table: self.table.clone(),
                        column,
                        replace_with: None,
                    })
                })
                .collect(),
            contract: columns()
                .map(|column| {
                    Step::from(DropColumn {
                        table: self.table.clone(),
                        column,
                    })
                })
                .collect(),
        };
        self.as_one().phases(facts, at, end)
    }
}

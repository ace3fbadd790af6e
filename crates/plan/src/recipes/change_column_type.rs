//! `change_column_type`: in place where that touches no row; else a second column of the new type, which may end under
//! the old one's name.

use super::named::{Named, Naming, Upkeep, What};
use super::replacement::{Keys, Pair, Replacement, only_ordinary};
use super::{
    Change,
    new_column::{self, NewColumn},
    relation,
    sequences::Numbers,
};
use crate::{
    document::{Assignments, Expression, PhaseDocument, PhaseName},
    facts::{Column, ConstraintKind, Facts, Table},
    steps::{Step, alter_column_type::AlterColumnType},
    types,
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
pub struct ChangeColumnType {
    pub table: TableName,
    pub column: Ident,
    /// The name of the new column. Not used with `keep_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Ident>,
    /// As in SQL, such as `numeric(12,2)`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The new value, as an expression over the old column. By default the old column itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Expression>,
    /// The old value, as an expression over the new column (with `keep_name` it is called `<column>_new` here).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backward: Option<Expression>,
    /// The new column is called `<column>_new`, and gets the old name when the old column is retired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_name: bool,
    /// Change in place although the undo cannot be done in place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

impl ChangeColumnType {
    /// With `keep_name`: the name of the new column until the old one is retired.
    fn working_name(&self) -> Ident {
        self.column.with_suffix("_new")
    }

    /// The one statement that does it, if PostgreSQL changes the type in the catalog only, and the author has agreed to
    /// what that means for the way back. A CHECK is proved again by reading the table; what depends on a column keeps
    /// its type from being changed at all.
    fn in_place(&self, table: &Table, old: &Column, facts: &Facts) -> Option<AlterColumnType> {
        if let Some(Err(_)) = facts.types.get(&self.type_name) {
            return None;
        }
        let type_name = self.canonical(facts);
        let plain = self.to.is_none() && self.forward.is_none() && self.backward.is_none();
        let there = types::in_place(&old.type_name, &type_name);
        let and_back = types::in_place(&type_name, &old.type_name);
        let is_free = !old.generated
            && table.dependents.iter().all(|d| d.column != old.name)
            && table.own_of_partitions.iter().all(|own| {
                let proved_again = own.part.as_ref().is_some_and(|part| part.proved_again);
                !(proved_again && own.column == old.name)
            })
            && table.constraints.iter().all(|constraint| {
                let proved_again = matches!(
                    constraint.kind,
                    ConstraintKind::Check | ConstraintKind::Exclusion
                );
                !(proved_again && constraint.columns.contains(&old.name))
            })
            && table.indexes.iter().all(|index| {
                let as_it_is = index.columns.len() == index.plain_columns;
                as_it_is || !index.columns.contains(&old.name)
            });
        let in_place = plain && there && is_free && (and_back || self.irreversible);
        in_place.then(|| {
            let set = new_column::successor_of(old, &self.table, &self.column, &type_name);
            AlterColumnType {
                table: self.table.clone(),
                column: self.column.clone(),
                from: old.type_name.clone(),
                type_name,
                collation: set.collation,
                storage: set.storage,
                compression: set.compression,
                irreversible: self.irreversible && !and_back,
            }
        })
    }

    /// The type as the server writes it, where it was asked.
    fn canonical(&self, facts: &Facts) -> String {
        match facts.types.get(&self.type_name) {
            Some(Ok(canonical)) => canonical.clone(),
            Some(Err(_)) | None => self.type_name.clone(),
        }
    }

    fn names_nothing(&self, old: &Column, at: &Path) -> PlanError {
        let error = PlanError::at(at.clone(), "neither `to` nor `keep_name` is given");
        if types::in_place(&old.type_name, &self.type_name) {
            error.help("use `keep_name: true` for a copy that can be undone, or `irreversible: true` for one short ALTER whose undo would read the whole table")
        } else {
            error.help(
                "name the new column with `to`, or use `keep_name: true` to end under the old name",
            )
        }
    }
}

impl Change for ChangeColumnType {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        let table = facts.table(&self.table);
        let Some(old) = table.and_then(|table| table.column(&self.column)) else {
            return Vec::new();
        };
        Numbers {
            table: &self.table,
            old,
            column: self.to.as_ref().unwrap_or(&self.column),
            type_name: &self.type_name,
            family: &[],
        }
        .advice()
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

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let new = match (&self.to, self.keep_name) {
            (Some(to), _) => Some((Cow::Borrowed(to), "to")),
            (None, true) => Some((Cow::Owned(self.working_name()), "keep_name")),
            (None, false) => None,
        };
        let mut naming = Naming::of(&self.table)
            .and(What::Removes(&self.column), at.key("column"))
            .and(What::OfType(&self.type_name), at.key("type"));
        if let Some((new, word)) = new {
            naming = naming.and(What::Makes(new, Upkeep::Triggers), at.key(word));
        }
        for (expression, word) in [(&self.forward, "forward"), (&self.backward, "backward")] {
            if let Some(expression) = expression {
                naming = naming.and(What::Computes(expression.as_str()), at.key(word));
            }
        }
        naming.named()
    }

    fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        if self.to.is_some() && self.keep_name {
            let message = "`to` and `keep_name: true` exclude each other";
            return vec![PlanError::at(at.key("to"), message).help("leave one of them out")];
        }
        if self.to.as_ref() == Some(&self.column) {
            let message = "the name of the new column is that of the old one";
            let help = "give it another name, or say `keep_name: true` instead of `to`";
            return vec![PlanError::at(at.key("to"), message).help(help)];
        }
        Vec::new()
    }

    fn replacement<'a>(
        &'a self,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Option<Replacement<'a>>, Vec<PlanError>> {
        let (table, old) = only_ordinary(facts, &self.table, &self.column, at, "column")?;
        let plain = self.forward.is_none() && self.backward.is_none();
        if plain && self.to.is_none() && types::same(&old.type_name, &self.canonical(facts)) {
            let message = format!("{} is {} already", self.column, old.type_name);
            return relation::refuse(&at.key("type"), message, "there is nothing to do");
        }
        if self.in_place(table, old, facts).is_some() {
            return Ok(None);
        }
        if self.irreversible {
            let message = format!(
                "{} cannot become {} in place: PostgreSQL would read or rewrite its rows, or objects that depend on it",
                self.column, self.type_name
            );
            let help = "leave `irreversible` out: with `keep_name: true` a copy takes its place";
            return relation::refuse(&at.key("irreversible"), message, help);
        }
        let new = match (&self.to, self.keep_name) {
            (Some(to), _) => to.clone(),
            (None, true) => self.working_name(),
            (None, false) => return Err(vec![self.names_nothing(old, at)]),
        };
        let assign = |target: &Ident, given: &Option<Expression>, source: &Ident| {
            let expression = given.clone();
            let expression = expression.unwrap_or_else(|| Expression::column(source));
            Assignments::from([(target.clone(), expression)])
        };
        Ok(Some(Replacement {
            keys: Keys::Refused,
            table_name: &self.table,
            table,
            forward: assign(&new, &self.forward, &self.column),
            backward: assign(&self.column, &self.backward, &new),
            pairs: vec![Pair {
                old,
                new,
                column: NewColumn::of_type(&self.type_name),
                conversion_can_fail: !(plain && types::widens(&old.type_name, &self.type_name)),
                keeps_name: self.keep_name,
            }],
            others: Vec::new(),
            gone: Vec::new(),
        }))
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        if let Some(replacement) = self.replacement(facts, at)? {
            return replacement.phases(at);
        }
        let (table, old) = only_ordinary(facts, &self.table, &self.column, at, "column")?;
        let step = self.in_place(table, old, facts).map(Step::from);
        Ok(vec![relation::phase(
            PhaseName::Expand,
            step.into_iter().collect(),
        )])
    }
}

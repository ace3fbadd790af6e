//! `transform_columns`: any old columns give way to any new ones, with expressions both ways.

use super::named::{Named, Naming, Upkeep, What};
use super::{
    Change,
    new_column::NewColumn,
    not_carried,
    replacement::{self, Keys, Pair, Replacement, only_ordinary},
};
use crate::sqlgen::rename::{names_column, without_qualifier};
use crate::{
    document::{Assignments, Expression, PhaseDocument},
    facts::{Column, Facts, Table},
    types,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformColumns {
    pub table: TableName,
    pub from: Vec<Ident>,
    pub to: BTreeMap<Ident, NewColumn>,
    /// New column: expression over the old columns.
    pub forward: Assignments,
    /// Old column: expression over the new columns.
    pub backward: Assignments,
    /// Columns of `from` that stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<Ident>,
}

impl TransformColumns {
    fn transformation(&self) -> Transformation<'_> {
        Transformation {
            table: &self.table,
            from: &self.from,
            to: &self.to,
            forward: &self.forward,
            backward: &self.backward,
            keep: &self.keep,
            words: Words {
                from: "from",
                to: "to",
            },
        }
    }
}

impl Change for TransformColumns {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        let mut advice = lost(&self.table, &self.from, &self.keep, &self.forward);
        advice.extend(rights(&self.table, &self.forward, facts));
        advice
    }

    fn word_of(&self, expression: &Expression) -> Option<&'static str> {
        word_of(&self.forward, &self.backward, expression)
    }

    fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        self.transformation().contradictions(at)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let going = self.from.iter().filter(|name| !self.keep.contains(name));
        naming(
            &self.table,
            (going, &at.key("from")),
            (self.to.keys(), &at.key("to")),
        )
        .and_all(&self.keep, What::Keeps, &at.key("keep"))
        .and_expressions(&self.forward, &at.key("forward"))
        .and_expressions(&self.backward, &at.key("backward"))
        .named()
    }

    fn replacement<'a>(
        &'a self,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Option<Replacement<'a>>, Vec<PlanError>> {
        let found = self.transformation().replacement(&self.table, facts, at)?;
        Ok(Some(found))
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        replacement::phases(self, facts, at)
    }
}

/// Old columns that go and new ones that are kept in step with them, each with their places.
pub(super) fn naming<'a>(
    table: &'a TableName,
    (going, from): (impl IntoIterator<Item = &'a Ident>, &Path),
    (new, to): (impl IntoIterator<Item = &'a Ident>, &Path),
) -> Naming<'a> {
    Naming::of(table)
        .and_all(going, What::Removes, from)
        .and_all(
            new,
            |column| What::Makes(Cow::Borrowed(column), Upkeep::Triggers),
            to,
        )
}

pub(super) fn word_of(
    forward: &Assignments,
    backward: &Assignments,
    expression: &Expression,
) -> Option<&'static str> {
    let has = |assignments: &Assignments| assignments.values().any(|known| known == expression);
    match (has(forward), has(backward)) {
        (true, _) => Some("forward"),
        (false, true) => Some("backward"),
        (false, false) => None,
    }
}

/// Old columns that go though no new one is computed from them.
pub(super) fn lost(
    table: &TableName,
    from: &[Ident],
    keep: &[Ident],
    forward: &Assignments,
) -> Vec<(String, &'static str)> {
    let is_read = |column: &Ident| {
        forward.values().any(|expression| {
            let text = without_qualifier(expression.as_str(), &table.name);
            names_column(&text, column)
        })
    };
    from.iter()
        .filter(|column| !keep.contains(column) && !is_read(column))
        .map(|column| {
            let what = format!(
                "no new column is computed from {column}: what is in it is lost in `contract`"
            );
            (what, "read it in `forward`, or name it in `keep`")
        })
        .collect()
}

/// Rights that hold on some of the columns that a new one is computed from.
pub(super) fn rights(
    name: &TableName,
    forward: &Assignments,
    facts: &Facts,
) -> Vec<(String, &'static str)> {
    let Some(table) = facts.table(name) else {
        return Vec::new();
    };
    let of_one = forward.iter().filter_map(|(new, expression)| {
        let text = without_qualifier(expression.as_str(), &name.name);
        let read = |column: &&Column| names_column(&text, &column.name);
        let sources: Vec<&Column> = table.columns.iter().filter(read).collect();
        not_carried::of_sources(new, &sources)
    });
    of_one.collect()
}

/// How a recipe calls its parts, for errors that name the place.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub from: &'static str,
    pub to: &'static str,
}

/// What `transform_columns`, `split_column` and `merge_columns` come to.
pub(super) struct Transformation<'a> {
    pub table: &'a TableName,
    pub from: &'a [Ident],
    pub to: &'a BTreeMap<Ident, NewColumn>,
    pub forward: &'a Assignments,
    pub backward: &'a Assignments,
    pub keep: &'a [Ident],
    pub words: Words,
}

impl Transformation<'_> {
    /// `table_name`: the table of the recipe.
    pub fn replacement<'a>(
        &self,
        table_name: &'a TableName,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Replacement<'a>, Vec<PlanError>> {
        let mut errors = Vec::new();
        let mut found: Option<&Table> = None;
        let mut going: Vec<&Column> = Vec::new();
        for name in self.from {
            match only_ordinary(facts, self.table, name, at, self.words.from) {
                Ok((table, column)) => {
                    found = Some(table);
                    if !self.keep.contains(name) {
                        going.push(column);
                    }
                }
                Err(more) => errors.extend(
                    more.into_iter()
                        .filter(|e| !errors.contains(e))
                        .collect::<Vec<_>>(),
                ),
            }
        }
        let (Some(table), true) = (found, errors.is_empty()) else {
            return Err(errors);
        };
        let pairs: Vec<Pair<'_>> = going.iter().filter_map(|old| self.pair(old)).collect();
        let paired = |name: &Ident| pairs.iter().any(|pair| pair.old.name == *name);
        let gone = going.iter().filter(|old| !paired(&old.name)).copied();
        let others = self
            .to
            .iter()
            .filter(|(name, _)| !pairs.iter().any(|pair| pair.new == **name))
            .map(|(name, column)| (name.clone(), column.clone()));
        Ok(Replacement {
            keys: Keys::Refused,
            table_name,
            table,
            gone: gone.collect(),
            others: others.collect(),
            pairs,
            forward: self.forward.clone(),
            backward: self.backward.clone(),
        })
    }

    /// What the words contradict each other in.
    pub fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        let Words { from, to } = self.words;
        let mut errors = Vec::new();
        let mut wrong = |key: &str, what: String, help: &str| {
            errors.push(PlanError::at(at.key(key), what).help(help));
        };
        if self.from.is_empty() {
            wrong(
                from,
                format!("`{from}` names no column"),
                "name the old columns",
            );
        }
        if self.to.is_empty() {
            wrong(
                to,
                format!("`{to}` names no column"),
                "name the new columns with their types",
            );
        }
        for (number, column) in self.from.iter().enumerate() {
            if self.from[..number].contains(column) {
                wrong(from, format!("{column} is there twice"), "name it once");
            }
            if self.to.contains_key(column) {
                wrong(
                    to,
                    format!("{column} is an old column and a new one"),
                    "give the new column another name",
                );
            }
            if !self.backward.contains_key(column) && !self.keep.contains(column) {
                wrong(
                    "backward",
                    format!(
                        "`backward` does not say how {column} is computed from the new columns"
                    ),
                    "without it the old version would not see what the new version writes, and the run could not go back",
                );
            }
        }
        for column in self.to.keys().filter(|new| !self.forward.contains_key(new)) {
            wrong(
                "forward",
                format!("`forward` does not say how {column} is computed from the old columns"),
                "give an expression for each new column",
            );
        }
        for column in self.forward.keys().filter(|new| !self.to.contains_key(new)) {
            let help = format!("name it in `{to}` with its type, or leave it out");
            wrong(
                "forward",
                format!("{column} is none of the new columns"),
                &help,
            );
        }
        for (key, columns) in [
            ("backward", self.backward.keys().collect::<Vec<_>>()),
            ("keep", self.keep.iter().collect()),
        ] {
            for column in columns.into_iter().filter(|old| !self.from.contains(old)) {
                let help = format!("name it in `{from}`, or leave it out");
                wrong(key, format!("{column} is none of the old columns"), &help);
            }
        }
        errors
    }

    /// The new column that takes this one's place alone, with all that hangs on it: both are each other's copy, and no
    /// other expression reads either.
    fn pair<'a>(&self, old: &'a Column) -> Option<Pair<'a>> {
        let new = self.backward.get(&old.name)?.as_column()?;
        let column = self.to.get(&new)?;
        let is_copy = self.forward.get(&new)?.as_column()? == old.name;
        let read_elsewhere = |assignments: &Assignments, own: &Ident, column: &Ident| {
            assignments.iter().any(|(target, expression)| {
                target != own && names_column(expression.as_str(), column)
            })
        };
        let alone = !read_elsewhere(self.forward, &new, &old.name)
            && !read_elsewhere(self.backward, &old.name, &new);
        (is_copy && alone).then(|| Pair {
            old,
            conversion_can_fail: !types::widens(&old.type_name, &column.type_name),
            column: column.clone(),
            new,
            keeps_name: false,
        })
    }
}

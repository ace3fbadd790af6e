//! What the recipes share that move columns between two tables: the phases, and what is refused by name.

use super::{
    new_column::successor_of,
    not_carried,
    relation::{Errors, Fit, filled, phase, table},
};
use crate::{
    document::{Assignments, Expression, PhaseDocument, PhaseName},
    facts::{Column, ConstraintKind, Facts, Table},
    steps::{
        Step,
        add_column::AddColumn,
        drop_sync::DropSync,
        fill::FillStep,
        rows_match::MatchStep,
        set_default::SetDefault,
        set_not_null::SetNotNull,
        sync_tables::{ParentIs, SyncTables},
    },
    table_pair::DeleteAlong,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A new column of the table that gets the columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MovedColumn {
    /// As in SQL. By default that of the column that it copies.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// For rows that are inserted after the change, as in SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Enforced in `retire`, when the old version no longer writes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// From a child table into its parent.
pub(super) struct IntoParent<'a> {
    pub child: &'a TableName,
    pub parent: &'a TableName,
    /// Column of the parent: column of the child.
    pub by: &'a BTreeMap<Ident, Ident>,
    pub columns: BTreeMap<Ident, MovedColumn>,
    pub forward: &'a Assignments,
    /// `None`: the other way round, for what is copied.
    pub backward: Option<&'a Assignments>,
    pub order_by: &'a [Expression],
    pub delete_along: DeleteAlong,
}

/// What takes the old side away, and what must be there for it.
pub(super) struct End {
    pub retire: Vec<Step>,
    pub contract: Vec<Step>,
}

impl IntoParent<'_> {
    /// The tables, if both are there and of a kind that fits.
    pub fn tables<'f>(
        &self,
        facts: &'f Facts,
        at: &Path,
    ) -> Result<(&'f Table, &'f Table), Errors> {
        let parent = table(facts, self.parent, at, Fit::Ordinary);
        let child = table(facts, self.child, at, Fit::Ordinary);
        match (parent, child) {
            (Ok(parent), Ok(child)) => Ok((parent, child)),
            (parent, child) => Err([parent.err(), child.err()]
                .into_iter()
                .flatten()
                .flatten()
                .collect()),
        }
    }

    pub fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        match (facts.table(self.child), facts.table(self.parent)) {
            (Some(child), Some(parent)) => {
                not_carried::of_table(self.child, child, self.parent, Some(parent))
            }
            _ => Vec::new(),
        }
    }

    /// New column ← expression over the child's columns: the column of the same name, unless the plan says otherwise.
    pub fn forward(&self) -> Assignments {
        let named = self.columns.keys().map(|column| {
            let given = self.forward.get(column).cloned();
            (
                column.clone(),
                given.unwrap_or_else(|| Expression::column(column)),
            )
        });
        named.collect()
    }

    pub fn backward(&self) -> Assignments {
        if let Some(given) = self.backward {
            return given.clone();
        }
        let copies = self.forward().into_iter();
        copies
            .filter_map(|(new, expression)| {
                Some((expression.as_column()?, Expression::column(&new)))
            })
            .collect()
    }

    /// The column of the child that this one is a copy of.
    fn source<'f>(&self, child: &'f Table, new: &Ident) -> Option<&'f Column> {
        child.column(&self.forward().get(new)?.as_column()?)
    }

    pub fn phases(&self, facts: &Facts, at: &Path, end: End) -> Result<Vec<PhaseDocument>, Errors> {
        let (_, child) = self.tables(facts, at)?;
        let mut errors = Errors::new();
        if self.columns.is_empty() {
            errors.push(
                PlanError::at(at.key("columns"), "`columns` names no column")
                    .help("name the new columns"),
            );
        }
        let mut expand = Vec::new();
        for (name, column) in &self.columns {
            if let Some(source) = self.source(child, name) {
                errors.extend(not_carried::errors(self.child, child, source, at));
            }
            match self.add(child, name, column, at) {
                Ok(add) => expand.push(Step::AddColumn(add)),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let (to, from) = (self.parent.clone(), self.child.clone());
        let sync = SyncTables {
            from: from.clone(),
            to: to.clone(),
            parent: ParentIs::To,
            by: self.by.clone(),
            forward: self.forward(),
            backward: self.backward(),
            order_by: self.order_by.to_vec(),
            delete_along: self.delete_along,
        };
        let mut retire = end.retire;
        let required = self.columns.iter().filter(|(_, column)| column.not_null);
        retire.extend(required.map(|(name, _)| {
            Step::from(SetNotNull {
                partitions: Vec::new(),
                table: to.clone(),
                column: name.clone(),
            })
        }));
        let mut contract = vec![Step::from(DropSync { table: to.clone() })];
        contract.extend(self.columns.iter().filter_map(|(name, column)| {
            Some(Step::from(SetDefault {
                table: to.clone(),
                column: name.clone(),
                default: column.default.clone()?,
                previous: None,
            }))
        }));
        contract.extend(end.contract);
        let mut phases = vec![
            phase(PhaseName::Expand, expand),
            phase(PhaseName::DualWrite, vec![Step::SyncTables(sync)]),
        ];
        phases.extend(filling(to, from));
        phases.extend([
            phase(PhaseName::SwitchReads, Vec::new()),
            phase(PhaseName::Retire, retire),
            phase(PhaseName::Contract, contract),
        ]);
        Ok(phases)
    }

    fn add(
        &self,
        child: &Table,
        name: &Ident,
        column: &MovedColumn,
        at: &Path,
    ) -> Result<AddColumn, PlanError> {
        let source = self.source(child, name);
        let mut add = match (source, &column.type_name) {
            (Some(source), given) => {
                let type_name = given.as_ref().unwrap_or(&source.type_name);
                successor_of(source, self.parent, name, type_name)
            }
            (None, Some(type_name)) => AddColumn::new(self.parent, name, type_name),
            (None, None) => {
                let error = PlanError::at(
                    at.key("columns").key(&name.to_string()),
                    format!(
                        "{} has no column {name}, and the plan does not say what {name} is",
                        self.child
                    ),
                );
                return Err(error.help(format!(
                    "say it: `columns: {{{name}: {{type: …}}}}` and `forward: {{{name}: expression}}`"
                )));
            }
        };
        add.comment = column.comment.clone().or(add.comment);
        Ok(add)
    }

    /// `other`: the key of the table that gets the columns.
    pub fn contradictions(&self, other: &str, at: &Path) -> Errors {
        let mut errors = Errors::new();
        if self.child == self.parent {
            let message = format!("`{other}` is the table itself");
            errors.push(PlanError::at(at.key(other), message).help("name another table"));
        }
        if self.by.is_empty() {
            errors.push(
                PlanError::at(at.key("by"), "`by` names no column")
                    .help("say which row belongs to which: `by: {id: shipment_id}`"),
            );
        }
        // Without `columns` every column of the table is meant, where that may be left out.
        let unknown = self
            .forward
            .keys()
            .filter(|new| !self.columns.is_empty() && !self.columns.contains_key(new));
        errors.extend(unknown.map(|column| {
            let message = format!("{column} is none of the new columns");
            PlanError::at(at.key("forward").key(&column.to_string()), message)
                .help("name it in `columns`, or leave it out")
        }));
        errors
    }
}

/// Backfill and verification between two tables.
pub(super) fn filling(to: TableName, from: TableName) -> Vec<PhaseDocument> {
    let fill = Step::Fill(FillStep {
        table: to.clone(),
        set: Assignments::new(),
        from: Some(from.clone()),
    });
    let verify = Step::Match(MatchStep {
        table: to,
        columns: Assignments::new(),
        backward: Assignments::new(),
        from: Some(from),
    });
    filled(vec![
        phase(PhaseName::Backfill, vec![fill]),
        phase(PhaseName::Verify, vec![verify]),
    ])
}

/// What hangs on columns that go, and would go with them without a word: by name, unless the plan says that it may.
pub(super) fn lost(
    name: &TableName,
    table: &Table,
    going: &BTreeSet<Ident>,
    without: &[Ident],
    at: &Path,
) -> Errors {
    let mut errors = Errors::new();
    let mut refuse = |what: String, object: &Ident, help: &str| {
        if !without.contains(object) {
            errors.push(PlanError::at(at.clone(), what).help(help.to_owned()));
        }
    };
    let touches = |columns: &[Ident]| columns.iter().any(|column| going.contains(column));
    for index in &table.indexes {
        if index.constraint.is_none() && touches(&index.columns) {
            refuse(
                format!("the index {} of {name} would be lost", index.name),
                &index.name,
                &format!(
                    "name it in `without: [{}]`, and add what takes its place with add_index when the backfill is done",
                    index.name
                ),
            );
        }
    }
    for constraint in &table.constraints {
        if touches(&constraint.columns) && constraint.kind != ConstraintKind::Other {
            refuse(
                format!("the constraint {} of {name} would be lost", constraint.name),
                &constraint.name,
                &format!(
                    "name it in `without: [{}]`, and add what takes its place when the backfill is done",
                    constraint.name
                ),
            );
        }
    }
    for inbound in table
        .referenced_by
        .iter()
        .filter(|one| touches(&one.columns))
    {
        errors.push(
            PlanError::at(
                at.clone(),
                format!(
                    "the foreign key {} of {} refers to {name}",
                    inbound.name, inbound.table
                ),
            )
            .help("drop it first: drop_constraint"),
        );
    }
    let known = |object: &Ident| {
        table.index_names().any(|index| index == object)
            || table.constraints.iter().any(|one| one.name == *object)
    };
    errors.extend(
        without
            .iter()
            .filter(|object| !known(object))
            .map(|object| {
                PlanError::at(
                    at.key("without"),
                    format!("{name} has no index and no constraint {object}"),
                )
                .help("leave it out")
            }),
    );
    errors
}

//! What the recipes share that put new columns in the place of old ones: the phases, and all that hangs on a column.

mod contract;
mod refusals;
mod successors;

use super::Change;
use super::new_column::{self, NewColumn};
use super::not_carried;
use super::relation;
use super::widen_key::Family;
use crate::sqlgen::{
    foreign_key::ForeignKey,
    rename::{names_column, rename_column, without_qualifier},
};
use crate::{
    document::{Assignments, Expect, Gate, PhaseDocument, PhaseName, Query},
    facts::{Column, Constraint, ConstraintKind, Facts, Inbound, Table},
    steps::{
        Step,
        add_column::AddColumn,
        fill::FillStep,
        retire_column::RetireColumn,
        rows_match::MatchStep,
        set_not_null::SetNotNull,
        sync_columns::{OnUnconvertible, SyncColumns},
    },
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use successors::When;

pub(super) use refusals::{only_ordinary, ordinary_table};

/// One column that takes another's place, with all that hangs on it.
pub(crate) struct Pair<'a> {
    pub old: &'a Column,
    pub new: Ident,
    /// What it does not say is as it was on the old one.
    pub column: NewColumn,
    /// A write of the old version may give a value that the new column's constraints refuse.
    pub conversion_can_fail: bool,
    /// The new column takes the old one's name when that is retired.
    pub keeps_name: bool,
}

pub(crate) struct Replacement<'a> {
    pub table_name: &'a TableName,
    pub table: &'a Table,
    pub pairs: Vec<Pair<'a>>,
    /// New columns that are nobody's single successor.
    pub others: Vec<(Ident, NewColumn)>,
    /// Old columns that go and have no single successor.
    pub gone: Vec<&'a Column>,
    pub forward: Assignments,
    pub backward: Assignments,
    pub keys: Keys<'a>,
}

/// What becomes of primary keys, identity columns and the foreign keys between tables that change together.
pub(crate) enum Keys<'a> {
    /// Refused by name.
    Refused,
    /// They are swapped with the columns, in `contract`.
    Swapped(&'a Family),
}

/// The phases of a change that always replaces columns.
pub(super) fn phases(
    change: &dyn Change,
    facts: &Facts,
    at: &Path,
) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
    match change.replacement(facts, at)? {
        Some(replacement) => replacement.phases(at),
        None => Ok(Vec::new()),
    }
}

impl<'a> Replacement<'a> {
    pub fn phases(&self, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        let errors = self.refusals(at);
        if errors.is_empty() {
            Ok(self.as_phases())
        } else {
            Err(errors)
        }
    }

    /// The same table's columns that another change replaces, in one: what is over columns of both is carried once.
    pub fn join(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.others.extend(other.others);
        self.gone.extend(other.gone);
        self.forward.extend(other.forward);
        self.backward.extend(other.backward);
    }

    /// The phases of what is not refused.
    pub fn as_phases(&self) -> Vec<PhaseDocument> {
        let successors = self.successors();
        let mut retire: Vec<Step> = self.retire();
        retire.extend(successors.retire);
        let phase = |phase, steps| PhaseDocument {
            phase,
            gate: Gate::default(),
            steps,
        };
        vec![
            phase(PhaseName::Expand, self.add_columns()),
            phase(PhaseName::DualWrite, vec![self.sync()]),
            phase(PhaseName::Backfill, vec![self.fill()]),
            phase(PhaseName::Verify, self.verify()),
            phase(PhaseName::Enforce, successors.enforce),
            phase(PhaseName::SwitchReads, Vec::new()),
            phase(PhaseName::Retire, retire),
            phase(PhaseName::Contract, self.contract(successors.renames)),
        ]
    }

    /// The old columns that go.
    fn going(&self) -> impl Iterator<Item = &'a Column> {
        let paired = self.pairs.iter().map(|pair| pair.old);
        paired.chain(self.gone.iter().copied())
    }

    fn pair_of(&self, column: &Ident) -> Option<&Pair<'a>> {
        self.pairs.iter().find(|pair| pair.old.name == *column)
    }

    /// The pairs that any of these columns is the old one of.
    fn touched<'b>(&'b self, columns: &'b [Ident]) -> impl Iterator<Item = &'b Pair<'a>> {
        let is_touched = |pair: &&Pair<'a>| columns.contains(&pair.old.name);
        self.pairs.iter().filter(is_touched)
    }

    /// Those over an old column, and the foreign keys to one of a table that changes, which may be this one.
    fn constraints(&self) -> impl Iterator<Item = &'a Constraint> {
        self.table.constraints.iter().filter(|constraint| {
            self.touched(&constraint.columns).next().is_some()
                || self.refers_to_changing(constraint)
        })
    }

    fn refers_to_changing(&self, constraint: &Constraint) -> bool {
        let Some(key) = ForeignKey::read(&constraint.definition) else {
            return false;
        };
        let changing = key
            .table()
            .map_or(Vec::new(), |table| self.changing(&table));
        key.referred()
            .iter()
            .any(|column| changing.contains(&column))
    }

    /// The foreign keys that refer to an old column from tables that do not change. Those of a table that does are among its
    /// constraints: so they stay in their order.
    fn inbound(&self) -> impl Iterator<Item = &'a Inbound> {
        self.table.referenced_by.iter().filter(|inbound| {
            self.touched(&inbound.columns).next().is_some()
                && inbound.table != *self.table_name
                && self.changing(&inbound.table).is_empty()
        })
    }

    /// The columns of a table that others take the place of in this change.
    fn changing(&self, table: &TableName) -> Vec<&Ident> {
        match &self.keys {
            _ if table == self.table_name => self.pairs.iter().map(|pair| &pair.old.name).collect(),
            Keys::Refused => Vec::new(),
            Keys::Swapped(family) => family.columns(table).iter().collect(),
        }
    }

    /// A definition with the old columns' names made the new ones'.
    fn renamed<'b>(&'b self, text: &str, name: impl Fn(&'b Pair<'a>) -> &'b Ident) -> String {
        self.pairs.iter().fold(text.to_owned(), |text, pair| {
            rename_column(&text, &pair.old.name, name(pair))
        })
    }

    pub fn add_columns(&self) -> Vec<Step> {
        let pairs = self.pairs.iter().map(|pair| AddColumn {
            partitions_as: (self.table.is_partitioned()).then(|| pair.old.name.clone()),
            ..new_column::successor(self.table_name, pair)
        });
        let others = self.others.iter().map(|(name, column)| {
            let grants = new_column::grants_in_common(&self.sources(name));
            column.add(self.table_name, name, grants)
        });
        pairs.chain(others).map(Step::AddColumn).collect()
    }

    pub fn sync(&self) -> Step {
        Step::SyncColumns(SyncColumns {
            table: self.table_name.clone(),
            forward: self.forward.clone(),
            backward: self.backward.clone(),
            on_unconvertible: OnUnconvertible::default(),
        })
    }

    pub fn fill(&self) -> Step {
        Step::Fill(FillStep {
            table: self.table_name.clone(),
            set: self.forward.clone(),
            from: None,
        })
    }

    /// Values that convert to the same one would break a UNIQUE on the new column: better known now than in `retire`.
    pub fn verify(&self) -> Vec<Step> {
        let mut steps = vec![Step::Match(MatchStep {
            table: self.table_name.clone(),
            columns: self.forward.clone(),
            backward: self.backward.clone(),
            from: None,
        })];
        let unique = self.constraints().filter(|constraint| {
            constraint.kind == ConstraintKind::Unique
                && self
                    .touched(&constraint.columns)
                    .any(|pair| pair.conversion_can_fail)
        });
        for constraint in unique {
            let columns: Vec<String> = constraint
                .columns
                .iter()
                .map(|column| self.pair_of(column).map_or(column, |pair| &pair.new))
                .map(|column| column.to_string())
                .collect();
            let present: Vec<String> = columns
                .iter()
                .map(|column| format!("{column} IS NOT NULL"))
                .collect();
            let list = columns.join(", ");
            steps.push(Step::Query(Query {
                name: format!("{} stays unique", constraint.name),
                sql: format!(
                    "SELECT {list} FROM {} WHERE {} GROUP BY {list} HAVING count(*) > 1 LIMIT 1",
                    self.table_name,
                    present.join(" AND ")
                ),
                expect: Expect::NoRows,
            }));
        }
        steps
    }

    /// The old columns go out of sight, one after the other; then what the old version's writes could have broken.
    fn retire(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = self
            .going()
            .map(|column| {
                let keeps = |pair: &&Pair<'_>| pair.keeps_name;
                Step::RetireColumn(RetireColumn {
                    table: self.table_name.clone(),
                    column: column.name.clone(),
                    replace_with: self
                        .pair_of(&column.name)
                        .filter(keeps)
                        .map(|pair| pair.new.clone()),
                })
            })
            .collect();
        let others = self.others.iter().map(|(name, column)| (name, column));
        // What was NOT NULL before stays so without being asked.
        let pairs = self
            .pairs
            .iter()
            .filter(|pair| !pair.old.not_null)
            .map(|pair| (self.name(When::Retire, pair), &pair.column));
        let required = others.chain(pairs).filter(|(_, column)| column.not_null);
        steps.extend(required.map(|(name, _)| {
            Step::SetNotNull(SetNotNull {
                table: self.table_name.clone(),
                column: name.clone(),
                partitions: relation::leaves(self.table).unwrap_or_default(),
            })
        }));
        steps
    }

    /// The old columns that a new one is computed from, as far as its expression's text tells.
    fn sources(&self, new: &Ident) -> Vec<&'a Column> {
        let Some(expression) = self.forward.get(new) else {
            return Vec::new();
        };
        let text = without_qualifier(expression.as_str(), &self.table_name.name);
        let named = |column: &&Column| names_column(&text, &column.name);
        self.table.columns.iter().filter(named).collect()
    }
}

//! One table, as far as it is known.

use crate::{
    name::Name,
    statement::{
        Alteration, Bound, ChangeKind, ConstraintKind, NewColumn, NewConstraint, Validation,
    },
    syntax::{excludes, holds, renamed, says_not_null},
};
use std::collections::BTreeMap;

/// Whether a table was there before the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    There,
    /// The file has made it: it is empty, and known to nobody.
    New,
    /// The file makes it if it is not there (IF NOT EXISTS), or under a condition.
    MayBeNew,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KnownTable {
    pub name: Name,
    pub columns: Vec<KnownColumn>,
    pub constraints: Vec<KnownConstraint>,
    pub indexes: Vec<KnownIndex>,
    /// Children by inheritance, and partitions.
    pub children: Vec<Name>,
    /// The children are partitions.
    pub partitioned: bool,
    pub default_partition: Option<Name>,
    /// Its rows are elsewhere.
    pub foreign: bool,
    pub has_policy: bool,
    /// What a view reads.
    pub reads: Vec<Name>,
    /// All of it is known: what is not listed is not there.
    pub complete: bool,
    pub origin: Origin,
    /// Columns that the file has added, and whether they have a default.
    pub added: BTreeMap<String, bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KnownColumn {
    pub name: String,
    pub type_name: String,
    /// Where it is not the type's own.
    pub collation: Option<String>,
    pub not_null: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KnownIndex {
    pub name: String,
    pub columns: Vec<String>,
    /// Of one with an expression or a condition every column that it names.
    pub computed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KnownConstraint {
    pub name: String,
    pub kind: ConstraintKind,
    /// Those that its expression names or that it is over.
    pub columns: Vec<String>,
    /// Of a foreign key: those that it refers to, where they are known.
    pub referred: Vec<String>,
    pub validated: bool,
}

impl KnownTable {
    pub fn new(name: Name) -> Self {
        Self {
            name,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            children: Vec::new(),
            partitioned: false,
            default_partition: None,
            foreign: false,
            has_policy: false,
            reads: Vec::new(),
            complete: false,
            origin: Origin::There,
            added: BTreeMap::new(),
        }
    }

    pub fn column(&self, name: &str) -> Option<&KnownColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn constraint(&self, name: &str) -> Option<&KnownConstraint> {
        self.constraints
            .iter()
            .find(|constraint| constraint.name == name)
    }

    pub fn index(&self, name: &str) -> Option<&KnownIndex> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// It is so under a condition, and else as it was.
    pub fn may_be_as(&mut self, was: Option<&Self>) {
        if was.is_some_and(|was| was.origin == Origin::New) {
            return;
        }
        if self.origin == Origin::New {
            self.origin = Origin::MayBeNew;
            return;
        }
        for constraint in &mut self.constraints {
            let held = was.and_then(|was| was.constraint(&constraint.name));
            constraint.validated &= held.is_some_and(|held| held.validated);
        }
        for column in &mut self.columns {
            let known = was.and_then(|was| was.column(&column.name));
            column.not_null &= known.is_some_and(|known| known.not_null);
        }
    }

    /// Whether a validated constraint says that no value of the column is NULL.
    pub fn proves_not_null(&self, column: &str) -> bool {
        self.column(column).is_some_and(|known| known.not_null)
            || self.constraints.iter().any(|constraint| {
                constraint.validated
                    && match &constraint.kind {
                        ConstraintKind::NotNull { column: proven } => proven == column,
                        ConstraintKind::Check(expression) => says_not_null(expression, column),
                        _ => false,
                    }
            })
    }

    /// Whether validated CHECKs hold all rows within these bounds. The partition key is not known here: any column that
    /// is bounded so is taken for it.
    pub fn proves_bounds(&self, bound: &Bound) -> bool {
        holds(&self.checks(), bound, |column| self.proves_not_null(column))
    }

    /// Whether a validated CHECK keeps all rows out of them.
    pub fn proves_outside(&self, bound: &Bound) -> bool {
        excludes(&self.checks(), bound)
    }

    fn checks(&self) -> Vec<&str> {
        let validated = self.constraints.iter().filter(|known| known.validated);
        validated
            .filter_map(|known| match &known.kind {
                ConstraintKind::Check(expression) => Some(expression.as_str()),
                _ => None,
            })
            .collect()
    }

    pub(super) fn add_column(&mut self, column: &NewColumn) {
        self.columns.push(KnownColumn {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            collation: column.collation.clone(),
            not_null: column.not_null,
        });
        for constraint in &column.constraints {
            self.constrain(constraint);
        }
    }

    pub(super) fn constrain(&mut self, constraint: &NewConstraint) {
        if let ConstraintKind::PrimaryKey { columns, index } = &constraint.kind {
            let of_index = index.as_ref().and_then(|index| self.index(index));
            let of_index = of_index.map_or_else(Vec::new, |index| index.columns.clone());
            for column in columns.iter().chain(&of_index) {
                self.set_not_null(column, true);
            }
        }
        self.constraints.push(KnownConstraint {
            name: constraint
                .name
                .clone()
                .unwrap_or_else(|| self.name_for(constraint)),
            kind: constraint.kind.clone(),
            columns: constraint.columns.clone(),
            referred: constraint.referred.clone(),
            validated: constraint.validation == Validation::AtOnce,
        });
    }

    /// What the server calls a constraint that nobody has named. Source: `ChooseConstraintName`, `ChooseIndexName`.
    fn name_for(&self, constraint: &NewConstraint) -> String {
        let columns = constraint.columns.join("_");
        let (columns, label) = match &constraint.kind {
            ConstraintKind::Check(_) if constraint.columns.len() == 1 => (columns, "check"),
            ConstraintKind::Check(_) => (String::new(), "check"),
            ConstraintKind::NotNull { .. } => (columns, "not_null"),
            ConstraintKind::ForeignKey { .. } => (columns, "fkey"),
            ConstraintKind::Unique { .. } => (columns, "key"),
            ConstraintKind::PrimaryKey { .. } => (String::new(), "pkey"),
            ConstraintKind::Exclude => (columns, "excl"),
        };
        let parts = [self.name.name.as_str(), &columns, label];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let name = parts.join("_");
        let taken = |name: &str| self.constraint(name).is_some();
        (1..=self.constraints.len())
            .map(|number| format!("{name}{number}"))
            .fold(
                name.clone(),
                |chosen, next| {
                    if taken(&chosen) { next } else { chosen }
                },
            )
    }

    fn rename_column(&mut self, from: &str, to: &str) {
        let rename = |name: &mut String| {
            if name == from {
                to.clone_into(name);
            }
        };
        self.columns
            .iter_mut()
            .for_each(|column| rename(&mut column.name));
        for index in &mut self.indexes {
            let named = index.columns.iter_mut().chain(&mut index.computed);
            named.for_each(rename);
        }
        for constraint in &mut self.constraints {
            constraint.columns.iter_mut().for_each(rename);
            match &mut constraint.kind {
                ConstraintKind::Check(expression) => *expression = renamed(expression, from, to),
                ConstraintKind::NotNull { column } => rename(column),
                ConstraintKind::PrimaryKey { columns, .. } => columns.iter_mut().for_each(rename),
                ConstraintKind::ForeignKey { .. }
                | ConstraintKind::Unique { .. }
                | ConstraintKind::Exclude => {}
            }
        }
        if let Some(has_default) = self.added.remove(from) {
            self.added.insert(to.to_owned(), has_default);
        }
    }

    fn set_not_null(&mut self, name: &str, not_null: bool) {
        match self.columns.iter_mut().find(|column| column.name == name) {
            Some(column) => column.not_null = not_null,
            None if not_null => self.constraints.push(KnownConstraint {
                name: String::new(),
                kind: ConstraintKind::NotNull {
                    column: name.to_owned(),
                },
                columns: vec![name.to_owned()],
                referred: Vec::new(),
                validated: true,
            }),
            None => self.constraints.retain(
                |constraint| !matches!(&constraint.kind, ConstraintKind::NotNull { column } if column == name),
            ),
        }
    }

    pub(super) fn change(&mut self, change: &ChangeKind) {
        match change {
            ChangeKind::AddColumn(column) => {
                self.add_column(column);
                let has_default = column.default.is_some() || column.fill.is_some();
                self.added.insert(column.name.clone(), has_default);
            }
            ChangeKind::DropColumn { column, .. } => {
                self.columns.retain(|known| known.name != *column)
            }
            ChangeKind::RenameColumn { from, to } => {
                self.rename_column(from, to);
            }
            ChangeKind::SetNotNull { column } => self.set_not_null(column, true),
            ChangeKind::DropNotNull { column } => self.set_not_null(column, false),
            ChangeKind::SetType(new) => {
                let not_null = self
                    .column(&new.column)
                    .is_some_and(|column| column.not_null);
                self.columns.retain(|known| known.name != new.column);
                self.columns.push(KnownColumn {
                    name: new.column.clone(),
                    type_name: new.type_name.clone(),
                    collation: new.collation.clone(),
                    not_null,
                });
            }
            ChangeKind::ColumnDefault { column, dropped } => {
                if let Some(has_default) = self.added.get_mut(column) {
                    *has_default = !dropped;
                }
            }
            ChangeKind::RenameConstraint { from, to } => {
                for constraint in self
                    .constraints
                    .iter_mut()
                    .filter(|known| known.name == *from)
                {
                    constraint.name.clone_from(to);
                }
            }
            ChangeKind::AddConstraint(constraint) => self.constrain(constraint),
            ChangeKind::ValidateConstraint { name } => {
                for constraint in self
                    .constraints
                    .iter_mut()
                    .filter(|known| known.name == *name)
                {
                    constraint.validated = true;
                }
            }
            ChangeKind::AlterConstraint { name, change } => {
                let named = self.constraints.iter_mut();
                for constraint in named.filter(|known| known.name == *name) {
                    match change {
                        Alteration::Enforced => constraint.validated = true,
                        Alteration::NotEnforced => constraint.validated = false,
                        Alteration::Inherited | Alteration::Otherwise => {}
                    }
                }
            }
            ChangeKind::DropConstraint { name, .. } => {
                self.constraints.retain(|known| known.name != *name)
            }
            _ => {}
        }
    }
}

//! What a change's words name in the database: by it several changes of one plan are held against each other.

use crate::document::Assignments;
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use std::borrow::Cow;

/// One thing that a change names, and where.
#[derive(Clone, Debug)]
pub struct Named<'a> {
    pub table: &'a TableName,
    pub what: What<'a>,
    pub at: Path,
}

#[derive(Clone, Debug)]
pub enum What<'a> {
    /// The table as such: rows move to or from it, or something else takes its place.
    Table,
    /// The table, which has to stay as it is: a foreign key refers to it.
    Referred,
    /// Something of the table itself, such as its comment.
    OfTable(&'static str),
    /// A column that is added.
    Makes(Cow<'a, Ident>, Upkeep),
    /// A column that goes in the end, or whose values do.
    Removes(&'a Ident),
    /// A column that stays, and gets or loses something.
    Sets(&'a Ident, Aspect),
    /// A column that stays and is kept in step with others.
    Keeps(&'a Ident),
    /// An expression that rows are computed from.
    Computes(&'a str),
    /// A column in an index or a constraint.
    Uses(&'a Ident),
    /// An expression in an index or a constraint.
    UsesIn(&'a str),
    /// An index, whose name is that of no other relation of the schema.
    MakesIndex(Ident),
    /// A constraint, whose name is that of no other of the table.
    MakesConstraint(Ident),
    /// An index or a constraint that is there.
    TakesObject(&'a Ident),
    /// The triggers of the table stay after the run.
    KeepsTriggers,
    /// A type, called `table` here.
    Type,
    /// A column's type.
    OfType(&'a str),
}

/// How a new column gets its values while the old version writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// By triggers.
    Triggers,
    /// It has none, or a default.
    Default,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    NotNull,
    Default,
    Comment,
}

impl What<'_> {
    /// The column that it is about, if that is one column.
    pub fn column(&self) -> Option<&Ident> {
        match self {
            Self::Makes(column, _) => Some(column),
            Self::Removes(column)
            | Self::Sets(column, _)
            | Self::Keeps(column)
            | Self::Uses(column) => Some(column),
            Self::Table
            | Self::Referred
            | Self::OfTable(_)
            | Self::Computes(_)
            | Self::UsesIn(_)
            | Self::MakesIndex(_)
            | Self::MakesConstraint(_)
            | Self::TakesObject(_)
            | Self::KeepsTriggers
            | Self::Type
            | Self::OfType(_) => None,
        }
    }

    /// No other change may do anything to this column meanwhile.
    pub fn changes_column(&self) -> bool {
        matches!(self, Self::Makes(..) | Self::Removes(_) | Self::Sets(..))
    }

    /// Triggers keep it in step.
    pub fn is_kept_in_step(&self) -> bool {
        matches!(
            self,
            Self::Makes(_, Upkeep::Triggers) | Self::Keeps(_) | Self::Computes(_)
        )
    }
}

/// Collects what is named in one table.
pub(super) struct Naming<'a> {
    table: &'a TableName,
    named: Vec<Named<'a>>,
}

impl<'a> Naming<'a> {
    pub fn of(table: &'a TableName) -> Self {
        Self {
            table,
            named: Vec::new(),
        }
    }

    /// And what stands at `at`.
    #[must_use]
    pub fn and(mut self, what: What<'a>, at: Path) -> Self {
        self.named.push(Named {
            table: self.table,
            what,
            at,
        });
        self
    }

    #[must_use]
    pub fn and_all(
        mut self,
        columns: impl IntoIterator<Item = &'a Ident>,
        what: fn(&'a Ident) -> What<'a>,
        at: &Path,
    ) -> Self {
        for column in columns {
            self = self.and(what(column), at.clone());
        }
        self
    }

    /// What rows are computed from, each under its column.
    #[must_use]
    pub fn and_expressions(mut self, assignments: &'a Assignments, at: &Path) -> Self {
        for (column, expression) in assignments {
            let at = at.key(column.as_str());
            self = self.and(What::Computes(expression.as_str()), at);
        }
        self
    }

    /// From here on it is about another table.
    #[must_use]
    pub fn in_table(mut self, table: &'a TableName) -> Self {
        self.table = table;
        self
    }

    pub fn named(self) -> Vec<Named<'a>> {
        self.named
    }
}

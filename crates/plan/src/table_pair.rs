//! Two tables that are kept in step, compiled: a parent, with one row for a key, and a child whose rows belong to it.

use super::{
    compiled::{Action, Assignment, ColumnRef, Plan},
    document::Expression,
    key::{KeyColumn, Operator},
    steps::DdlStep,
};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of the two is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Parent,
    Child,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TablePair {
    pub parent: TableName,
    pub child: TableName,
    /// Whose columns take over.
    pub new: Side,
    /// At least one; unique in the parent, and the child's have an index.
    pub by: Vec<KeyPair>,
    /// Column of the parent ← expression over the child's row that belongs to it, or over NULLs where there is none.
    pub to_parent: Vec<Assignment>,
    /// Column of the child ← expression over the parent's.
    pub to_child: Vec<Assignment>,
    /// Where several rows of the child have one key: the first in this order counts. Empty where there is one at most.
    pub order_by: Vec<OrderedBy>,
    /// A row of the parent that is deleted takes the child's with it, as they have become one.
    pub delete_along: DeleteAlong,
    /// Rows of the child may belong to no row of the parent: no foreign key sees to that.
    pub may_have_orphans: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPair {
    pub parent: ColumnRef,
    pub child: ColumnRef,
    /// The parent's on its left, the child's on its right.
    #[serde(default)]
    pub equal: Operator,
    /// Between values of the parent's.
    #[serde(default)]
    pub own: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedBy {
    pub expression: Expression,
    /// `ASC`, `DESC NULLS LAST`
    pub direction: String,
    pub reads: Vec<ColumnRef>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeleteAlong {
    #[default]
    No,
    Yes,
}

impl DeleteAlong {
    pub fn is_no(&self) -> bool {
        match self {
            Self::No => true,
            Self::Yes => false,
        }
    }
}

impl Side {
    pub fn other(self) -> Self {
        match self {
            Self::Parent => Self::Child,
            Self::Child => Self::Parent,
        }
    }
}

impl TablePair {
    pub fn table(&self, side: Side) -> &TableName {
        match side {
            Side::Parent => &self.parent,
            Side::Child => &self.child,
        }
    }

    /// What computes the columns of one of them from the other's.
    pub fn to(&self, side: Side) -> &[Assignment] {
        match side {
            Side::Parent => &self.to_parent,
            Side::Child => &self.to_child,
        }
    }

    /// New from old.
    pub fn forward(&self) -> &[Assignment] {
        self.to(self.new)
    }

    /// Old from new. Empty: one-way.
    pub fn backward(&self) -> &[Assignment] {
        self.to(self.new.other())
    }

    /// The key's columns in the parent: what a row is told by.
    pub fn key(&self) -> Vec<Ident> {
        let columns = self.by.iter().map(|pair| pair.parent.name.clone());
        columns.collect()
    }

    /// The same with what is equal in it.
    pub fn key_columns(&self) -> Vec<KeyColumn> {
        let columns = self.by.iter().map(|pair| KeyColumn {
            name: pair.parent.name.clone(),
            equal: pair.own.clone(),
        });
        columns.collect()
    }

    /// The columns of one of them that are read or written here, its key first, each once.
    pub fn columns(&self, side: Side) -> Vec<&ColumnRef> {
        let written = self.to(side).iter().map(|assignment| &assignment.target);
        let read = self.to(side.other()).iter().flat_map(|one| &one.reads);
        let order = self.order_by.iter().flat_map(|order| &order.reads);
        let order = order.filter(|_| side == Side::Child);
        let key = self.by.iter().map(|pair| match side {
            Side::Parent => &pair.parent,
            Side::Child => &pair.child,
        });
        let mut columns: Vec<&ColumnRef> = Vec::new();
        for column in key.chain(written).chain(read).chain(order) {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
        columns
    }

    /// The columns of one of them whose change is a write of its side.
    pub fn synced(&self, side: Side) -> Vec<&ColumnRef> {
        let written = self.to(side).iter().map(|assignment| &assignment.target);
        let read = self.to(side.other()).iter().flat_map(|one| &one.reads);
        let mut columns: Vec<&ColumnRef> = Vec::new();
        for column in written.chain(read) {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
        columns
    }
}

impl Plan {
    pub fn links(&self) -> impl Iterator<Item = &TablePair> {
        self.steps().filter_map(|(_, step)| match &step.action {
            Action::SyncTables(link) => Some(link),
            _ => None,
        })
    }

    /// The link that this table takes part in. A table has one at most in a plan.
    pub fn link(&self, table: &TableName) -> Option<&TablePair> {
        self.links()
            .find(|link| link.parent == *table || link.child == *table)
    }

    /// The steps that take something of the two tables out of sight, in their order.
    pub fn retiring<'a>(&'a self, link: &'a TablePair) -> impl Iterator<Item = &'a DdlStep> {
        let about = move |table: &TableName| *table == link.parent || *table == link.child;
        self.steps()
            .filter_map(move |(_, step)| match &step.action {
                Action::Ddl(ddl @ DdlStep::RetireColumn(retire)) if about(&retire.table) => {
                    Some(ddl)
                }
                Action::Ddl(ddl @ DdlStep::RetireTable(retire)) if about(&retire.table) => {
                    Some(ddl)
                }
                _ => None,
            })
    }
}

//! A step is done in parts: each has a goal that can be observed in the catalog, and the statements that reach it.

use crate::plan::ident::{Ident, TableName};
use serde::Serialize;

/// The smallest piece of DDL that stands or falls as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Observed before it is run: a part whose goal holds is not run again.
    pub goal: Goal,
    pub how: How,
    pub statements: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// In one transaction with `lock_timeout`, tried again when the lock is not had.
    Locking,
    /// In a transaction, for long, under a lock that lets the application read and write: no `lock_timeout`.
    Scanning,
    /// `CONCURRENTLY`: outside a transaction, no `lock_timeout` (it would leave an INVALID index).
    Concurrently,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    pub sql: String,
    pub locks: Vec<LockTaken>,
    /// The table is read from end to end.
    pub scans: bool,
}

/// None of our own statements rewrites a table; `explain` says so by this type having no word for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockTaken {
    pub table: TableName,
    pub lock: Lock,
}

/// PostgreSQL's table locks, as `pg_locks.mode` names them. Source of the modes: measurements on PostgreSQL 14 to 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Lock {
    AccessShareLock,
    RowShareLock,
    RowExclusiveLock,
    ShareUpdateExclusiveLock,
    ShareRowExclusiveLock,
    AccessExclusiveLock,
}

impl Lock {
    /// What an application notices while the lock is held.
    pub fn blocks(self) -> &'static str {
        match self {
            Self::AccessShareLock | Self::RowShareLock | Self::RowExclusiveLock => "nothing",
            Self::ShareUpdateExclusiveLock => "other schema changes and vacuum only",
            Self::ShareRowExclusiveLock => "writes",
            Self::AccessExclusiveLock => "reads and writes",
        }
    }
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessShareLock => "ACCESS SHARE",
            Self::RowShareLock => "ROW SHARE",
            Self::RowExclusiveLock => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusiveLock => "SHARE UPDATE EXCLUSIVE",
            Self::ShareRowExclusiveLock => "SHARE ROW EXCLUSIVE",
            Self::AccessExclusiveLock => "ACCESS EXCLUSIVE",
        }
    }
}

/// A state of the catalog that can be observed: how it is read is `target::observe`'s business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    Column {
        table: TableName,
        column: Ident,
        type_name: String,
    },
    NoColumn {
        table: TableName,
        column: Ident,
    },
    /// `to` is there and `from` is not.
    ColumnRenamed {
        table: TableName,
        from: Ident,
        to: Ident,
    },
    /// `column` stands aside, and `by` has its name.
    Replaced {
        table: TableName,
        column: Ident,
        by: Ident,
        aside: Ident,
    },
    /// And back again.
    Unreplaced {
        table: TableName,
        column: Ident,
        by: Ident,
        aside: Ident,
    },
    Index {
        table: TableName,
        name: Ident,
        unique: bool,
    },
    NoIndex {
        table: TableName,
        name: Ident,
    },
    Constraint {
        table: TableName,
        name: Ident,
        validated: bool,
    },
    NoConstraint {
        table: TableName,
        name: Ident,
    },
    NotNull {
        table: TableName,
        column: Ident,
        /// A CHECK that only served to prove it, which must be gone.
        proof: Ident,
    },
    Nullable {
        table: TableName,
        column: Ident,
        proof: Ident,
    },
    /// The function has this body and both triggers call it; or neither is there.
    Sync {
        table: TableName,
        function: Ident,
        body: Option<String>,
    },
    /// It has a default, whatever it is: the server writes expressions in its own way.
    Default {
        table: TableName,
        column: Ident,
    },
    /// The table has the name `base`, and a view stands in for it under its own.
    Aliased {
        table: TableName,
        base: Ident,
    },
    /// The name is a table's, and no view's.
    TableItself {
        table: TableName,
    },
    /// No view has this name.
    NoView {
        table: TableName,
    },
    SequenceOwned {
        sequence: String,
        table: TableName,
        column: Ident,
    },
}

impl Statement {
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            locks: Vec::new(),
            scans: false,
        }
    }
    pub fn lock(mut self, table: &TableName, lock: Lock) -> Self {
        self.locks.push(LockTaken {
            table: table.clone(),
            lock,
        });
        self
    }
    pub fn scans(mut self) -> Self {
        self.scans = true;
        self
    }
}

impl Part {
    pub fn locking(goal: Goal, statements: Vec<Statement>) -> Self {
        Self {
            goal,
            how: How::Locking,
            statements,
        }
    }
    pub fn scanning(goal: Goal, statement: Statement) -> Self {
        Self {
            goal,
            how: How::Scanning,
            statements: vec![statement],
        }
    }
    pub fn concurrently(goal: Goal, statement: Statement) -> Self {
        Self {
            goal,
            how: How::Concurrently,
            statements: vec![statement],
        }
    }
}

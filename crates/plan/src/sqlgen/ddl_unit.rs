//! A step is done in parts: each has a goal that can be observed in the catalog, and the statements that reach it.

use super::literal;
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use serde::{Deserialize, Serialize};

/// The smallest piece of DDL that stands or falls as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DdlUnit {
    /// Observed before it is run: a part whose goal holds is not run again.
    pub goal: Goal,
    pub how: How,
    pub statements: Vec<Statement>,
    /// It shares its transaction with the part after it.
    pub with_next: bool,
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

/// None of our own statements rewrites a table, so this type has no word for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockTaken {
    pub table: TableName,
    pub lock: Lock,
    pub reach: Reach,
}

/// Whether the lock of a partitioned table comes with one of each of its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// `ONLY`, or what is about the table's place in the catalog.
    Alone,
    WithPartitions,
}

/// What a comment is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Commented {
    Table(TableName),
    Column(TableName, Ident),
    Index(TableName, Ident),
    Constraint(TableName, Ident),
}

/// What WAL contains of an updated or deleted row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaIdentity {
    /// The primary key.
    Default,
    Full,
    Nothing,
    Index(Ident),
}

impl Commented {
    /// `NULL` takes it away.
    pub fn statement(&self, text: Option<&str>) -> Statement {
        let (object, table) = match self {
            Self::Table(table) => (format!("TABLE {table}"), table),
            Self::Column(table, column) => (format!("COLUMN {table}.{column}"), table),
            Self::Index(table, index) => (format!("INDEX {}.{index}", table.schema), table),
            Self::Constraint(table, name) => (format!("CONSTRAINT {name} ON {table}"), table),
        };
        let text = text.map_or("NULL".to_owned(), literal::text);
        let statement = Statement::new(format!("COMMENT ON {object} IS {text}"));
        match self {
            Self::Table(_) | Self::Column(..) | Self::Constraint(..) => {
                statement.lock(table, Lock::ShareUpdateExclusiveLock)
            }
            // The index is locked, and its table is not.
            Self::Index(..) => statement,
        }
    }

    pub fn part(self, text: Option<String>) -> DdlUnit {
        let statement = self.statement(text.as_deref());
        DdlUnit::locking(Goal::Comment { on: self, text }, vec![statement])
    }
}

impl std::fmt::Display for ReplicaIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("DEFAULT"),
            Self::Full => f.write_str("FULL"),
            Self::Nothing => f.write_str("NOTHING"),
            Self::Index(name) => write!(f, "USING INDEX {name}"),
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
    /// It is there, whether or not the indexes of all partitions are attached.
    PartitionedIndex {
        table: TableName,
        name: Ident,
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
    /// Both functions have these bodies and their triggers fire; or, without bodies, none of it is there.
    TablesInStep {
        parent: TableName,
        child: TableName,
        /// The parent's and the child's.
        functions: Vec<Ident>,
        bodies: Vec<String>,
    },
    /// Its default is another than this one: the server writes a new one in its own way.
    DefaultIsNot {
        table: TableName,
        column: Ident,
        previous: Option<String>,
    },
    /// As the server writes it; `None`: it has none.
    DefaultIs {
        table: TableName,
        column: Ident,
        default: Option<String>,
    },
    /// Unlike `Column`, which another type stands in the way of.
    ColumnType {
        table: TableName,
        column: Ident,
        type_name: String,
    },
    Comment {
        on: Commented,
        text: Option<String>,
    },
    Table {
        table: TableName,
    },
    NoTable {
        table: TableName,
    },
    /// Both in one schema: `to` is there and `from` is not.
    TableRenamed {
        from: TableName,
        to: Ident,
    },
    ReplicaIdentity {
        table: TableName,
        identity: ReplicaIdentity,
    },
    ConstraintRenamed {
        table: TableName,
        from: Ident,
        to: Ident,
    },
    /// The index is valid and is not stored where it was, and nothing is left of its building.
    IndexRebuilt {
        table: TableName,
        name: Ident,
        filenode: u32,
    },
    /// A partitioned table's index is valid: every partition has its part. Those listed are known to be on their way.
    IndexWhole {
        table: TableName,
        name: Ident,
        known: Vec<TableName>,
    },
    /// Each partition with rows has a validated foreign key of one of these names, so that the table's reads none of them.
    PartitionsRefer {
        table: TableName,
        names: Vec<Ident>,
    },
    /// The goal is about a partition of this table: one that was detached or dropped since has nothing to reach.
    OfPartition {
        partition: TableName,
        of: TableName,
        goal: Box<Goal>,
    },
    /// The partitioned index has this one of a partition.
    IndexAttached {
        parent: TableName,
        index: TableName,
    },
    /// `None`: the table is marked as clustered on no index.
    Clustered {
        table: TableName,
        index: Option<Ident>,
    },
    /// Its labels, in their order; `None`: there is no such type.
    Enum {
        name: TableName,
        labels: Option<Vec<String>>,
    },
    EnumValue {
        name: TableName,
        label: String,
    },
    /// A question of the plan's author, and the answer that is wanted.
    Asked {
        /// Where names in it are looked for.
        path: String,
        question: String,
        answer: bool,
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
    /// The functions of ours have these bodies.
    Functions {
        bodies: Vec<(Ident, String)>,
    },
    /// It is an identity column.
    Identity {
        table: TableName,
        column: Ident,
    },
    /// Its last number is this one or lies further.
    SequenceReaches {
        sequence: TableName,
        limit: i64,
        descending: bool,
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
    pub fn lock(self, table: &TableName, lock: Lock) -> Self {
        self.taking(table, lock, Reach::WithPartitions)
    }
    /// On the table alone, whatever partitions it has.
    pub fn lock_only(self, table: &TableName, lock: Lock) -> Self {
        self.taking(table, lock, Reach::Alone)
    }
    fn taking(mut self, table: &TableName, lock: Lock, reach: Reach) -> Self {
        self.locks.push(LockTaken {
            table: table.clone(),
            lock,
            reach,
        });
        self
    }
    pub fn scans(mut self) -> Self {
        self.scans = true;
        self
    }
}

impl Goal {
    /// What is to be reached, whether or not it is a partition's.
    pub fn itself(&self) -> &Self {
        match self {
            Self::OfPartition { goal, .. } => goal.itself(),
            other => other,
        }
    }
}

impl DdlUnit {
    /// Not run any more once `partition` is no partition of the table.
    pub fn of_partition(mut self, partition: &TableName, of: Option<&TableName>) -> Self {
        if let Some(of) = of {
            self.goal = Goal::OfPartition {
                partition: partition.clone(),
                of: of.clone(),
                goal: Box::new(self.goal),
            };
        }
        self
    }
    /// Only looked at: what is in the way is an error of its own.
    pub fn asking(goal: Goal) -> Self {
        Self::locking(goal, Vec::new())
    }
    pub fn locking(goal: Goal, statements: Vec<Statement>) -> Self {
        Self {
            goal,
            how: How::Locking,
            statements,
            with_next: false,
        }
    }
    /// All in one transaction. Each is left out where its goal holds.
    pub fn together(mut parts: Vec<Self>) -> Vec<Self> {
        if let Some((_, before)) = parts.split_last_mut() {
            for part in before {
                part.with_next = true;
            }
        }
        parts
    }
    pub fn scanning(goal: Goal, statement: Statement) -> Self {
        Self {
            goal,
            how: How::Scanning,
            statements: vec![statement],
            with_next: false,
        }
    }
    pub fn concurrently(goal: Goal, statement: Statement) -> Self {
        Self {
            goal,
            how: How::Concurrently,
            statements: vec![statement],
            with_next: false,
        }
    }
}

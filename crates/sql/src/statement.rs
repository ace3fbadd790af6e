//! The statements that matter to a live database, as values: what `syntax` reads and `classify` judges.

mod names;

use super::name::{Name, TEMPORARY};
use crossfade_model::lock::Lock;
use std::ops::Range;

/// Of a CASCADE.
pub const TAKES_ALONG: &str = "CASCADE takes along whatever uses it and locks the tables of that: foreign keys, triggers, defaults, columns, indexes, views. Which these are is not in this statement";

/// Ranges are bytes of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub range: Range<usize>,
    pub kind: Kind,
    /// Functions that it calls and that are not the server's own.
    pub calls: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    AlterTable(AlterTable),
    CreateTable(CreateTable),
    CreateIndex {
        table: Name,
        index: Option<Name>,
        /// Those that are not expressions.
        columns: Vec<String>,
        /// With an expression or a condition every column that it names.
        computed: Vec<String>,
        how: Building,
        /// `ON ONLY`: of a partitioned table, without its partitions.
        only: bool,
        if_not_exists: bool,
    },
    /// An index of a partition becomes part of the partitioned table's.
    AttachIndex {
        partition: Name,
    },
    DropIndex {
        indexes: Vec<Name>,
        how: Building,
    },
    Reindex {
        target: ReindexTarget,
        how: Building,
    },
    DropTable {
        tables: Vec<Name>,
        cascade: bool,
        /// DROP FOREIGN TABLE.
        foreign: bool,
    },
    /// Of either kind.
    DropView {
        views: Vec<Name>,
        cascade: bool,
    },
    /// What else takes tables, columns or constraints away with it: schemas, and CASCADE.
    DropOther {
        cascade: bool,
    },
    Truncate {
        tables: Vec<Name>,
        cascade: bool,
    },
    LockTable {
        tables: Vec<Name>,
        lock: Lock,
    },
    Vacuum {
        /// Empty: every table of the database.
        tables: Vec<Name>,
        full: bool,
    },
    Analyze {
        tables: Vec<Name>,
    },
    Cluster {
        /// `None`: every table that was clustered before.
        table: Option<Name>,
    },
    Refresh {
        view: Name,
        how: Building,
    },
    /// Changes what the catalog says of one table, at once, under this lock.
    Touch {
        table: Name,
        lock: Lock,
    },
    /// The same of a trigger, which each partition has too.
    TouchTrigger {
        table: Name,
        lock: Lock,
    },
    /// The same of an index.
    TouchIndex {
        index: Name,
    },
    CreateView {
        view: Name,
        replaces: bool,
        reads: Vec<Name>,
    },
    CreateMaterializedView {
        view: Name,
        reads: Vec<Name>,
        if_not_exists: bool,
    },
    Write(Write),
    Read {
        tables: Vec<Name>,
        lock: Lock,
        filter: Filter,
        /// `SELECT … INTO new_table`, `CREATE TABLE … AS`.
        into: Option<Name>,
        /// The new table may be there already.
        if_not_exists: bool,
    },
    AddEnumValue {
        of: Name,
        value: String,
    },
    AddDomainCheck {
        domain: Name,
        validation: Validation,
    },
    CreateDomain {
        domain: Name,
        /// Its type.
        over: String,
        constrained: bool,
    },
    /// What is no table: its making, unless it replaces one or may be there already.
    CreateObject {
        object: Object,
        name: Name,
    },
    DropObjects {
        object: Object,
        names: Vec<Name>,
    },
    RenameObject {
        object: Object,
        name: Name,
        renaming: Renaming,
    },
    /// CREATE SCHEMA with what it makes in it.
    CreateSchema {
        schema: Name,
        elements: Vec<Statement>,
    },
    Prepare {
        name: String,
        statement: Box<Statement>,
    },
    /// EXECUTE of a prepared statement.
    Execute {
        name: String,
    },
    Call {
        procedure: Name,
    },
    Body(Body),
    Transaction(TransactionControl),
    /// No statement: where a part of a body begins and ends that may not be run, or may be undone.
    Branch(Edge),
    Set(Setting),
    DropDatabase {
        database: String,
    },
    /// It lets some roles see some rows of a table with row security.
    CreatePolicy {
        table: Name,
    },
    /// It may not run in a transaction and locks no table of the application: CREATE DATABASE and its like.
    OutsideTransaction,
    /// It locks no table of the application for longer than it takes to look at the catalog.
    NoTable,
    Unknown(Unknown),
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterTable {
    pub table: Name,
    /// `ONLY`: not its children.
    pub only: bool,
    /// ALTER FOREIGN TABLE: its rows are elsewhere.
    pub foreign: bool,
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub range: Range<usize>,
    pub kind: ChangeKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ChangeKind {
    AddColumn(NewColumn),
    DropColumn {
        column: String,
        cascade: bool,
    },
    RenameColumn {
        from: String,
        to: String,
    },
    RenameTable {
        to: String,
    },
    RenameConstraint {
        from: String,
        to: String,
    },
    SetSchema {
        schema: String,
    },
    ColumnDefault {
        column: String,
        /// DROP DEFAULT.
        dropped: bool,
    },
    SetNotNull {
        column: String,
    },
    DropNotNull {
        column: String,
    },
    SetType(NewType),
    AddConstraint(NewConstraint),
    ValidateConstraint {
        name: String,
    },
    DropConstraint {
        name: String,
        cascade: bool,
    },
    AlterConstraint {
        name: String,
        change: Alteration,
    },
    ColumnStatistics,
    ColumnOptions,
    ColumnStorage,
    ColumnCompression,
    /// LOGGED or UNLOGGED.
    Persistence,
    AddIdentity,
    /// SET GENERATED ALWAYS: a value that an INSERT gives is refused.
    IdentityAlways {
        column: String,
    },
    DropIdentity {
        column: String,
    },
    OtherIdentity,
    SetExpression,
    DropExpression,
    Options {
        names: Vec<String>,
    },
    Tablespace,
    AccessMethod,
    ClusterMark,
    Triggers,
    Rules,
    /// ENABLE, or FORCE, which is for the owner too.
    EnableRowSecurity {
        forced: bool,
    },
    OtherRowSecurity,
    ReplicaIdentity {
        nothing: bool,
    },
    Owner,
    Inherit {
        parent: Name,
    },
    NoInherit {
        parent: Name,
    },
    Attach {
        partition: Name,
        bound: Bound,
    },
    Detach {
        partition: Name,
        how: Building,
    },
    OfType,
    /// As it is written.
    Other(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// From PostgreSQL 18 on.
    Enforced,
    NotEnforced,
    /// The children get it too.
    Inherited,
    /// When it is checked, and that children do not inherit it.
    Otherwise,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewColumn {
    pub name: String,
    /// As `format_type` writes it, as far as it can be known.
    pub type_name: String,
    /// COLLATE.
    pub collation: Option<String>,
    pub not_null: bool,
    pub default: Option<DefaultValue>,
    pub fill: Option<ColumnFill>,
    pub constraints: Vec<NewConstraint>,
}

/// How every row that is there gets its value of a new column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnFill {
    Serial,
    Identity,
    GeneratedStored,
    GeneratedVirtual,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// Evaluated once: constants, and functions that are known not to be volatile.
    Once,
    /// The function that is volatile, or may be.
    EveryRow(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewType {
    pub column: String,
    pub type_name: String,
    /// COLLATE.
    pub collation: Option<String>,
    /// USING something else than the column itself, or the column cast to the new type.
    pub computed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewConstraint {
    pub range: Range<usize>,
    pub name: Option<String>,
    pub kind: ConstraintKind,
    pub validation: Validation,
    /// Those that its expression names or that it is over.
    pub columns: Vec<String>,
    /// Of a foreign key: those that it refers to, if it says so.
    pub referred: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    /// Its expression in small letters with single spaces.
    Check(String),
    NotNull {
        column: String,
    },
    ForeignKey {
        references: Name,
    },
    Unique {
        index: Option<String>,
    },
    PrimaryKey {
        columns: Vec<String>,
        index: Option<String>,
    },
    Exclude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    AtOnce,
    /// NOT VALID, or NOT ENFORCED: no row is looked at.
    Later,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Building {
    Blocking,
    Concurrently,
}

/// The values of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    Default,
    /// Constants, MINVALUE or MAXVALUE, one for each column of the key, in small letters.
    Range {
        from: Vec<String>,
        to: Vec<String>,
    },
    List(Vec<String>),
    Hash,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    pub table: Name,
    pub temporary: bool,
    pub if_not_exists: bool,
    /// ON COMMIT DROP.
    pub until_commit: bool,
    pub columns: Vec<NewColumn>,
    pub constraints: Vec<NewConstraint>,
    pub partition_of: Option<(Name, Bound)>,
    pub inherits: Vec<Name>,
    pub partitioned: bool,
    /// Its rows are elsewhere.
    pub foreign: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReindexTarget {
    Index(Name),
    Table(Name),
    /// A schema, a database or the system's catalogs.
    All,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub verb: Verb,
    pub table: Name,
    pub reads: Vec<Name>,
    pub filter: Filter,
    /// WHERE says a key: a column called `id` or the like is one value.
    pub by_key: bool,
    /// What is written from end to end, which may be another table in a WITH.
    pub whole: Option<(Verb, Name)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Insert,
    Update,
    Delete,
    Merge,
    Copy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// No WHERE, or one that is always true.
    EveryRow,
    Some,
}

impl Object {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Routine => "function",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Sequence => "sequence",
            Self::Schema => "schema",
            Self::Extension => "extension",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    View,
    MaterializedView,
    Routine,
    Type,
    Domain,
    Sequence,
    Schema,
    Extension,
}

/// How a name goes away although what it named stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renaming {
    Name(String),
    Schema(String),
    /// A column of a view, an attribute of a type or a label of an enum: as it was, and as it is then.
    Part(String, String),
}

/// `DO`, or the body of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    pub runs: Runs,
    /// Of a function or procedure.
    pub routine: Option<Name>,
    pub statements: Vec<Statement>,
    /// EXECUTE of a text that is put together as it runs.
    pub dynamic: Vec<Range<usize>>,
    /// What could not be read.
    pub unread: Vec<Range<usize>>,
}

impl Body {
    /// Names of the temporary tables that it makes, at whatever place.
    pub fn temporary(&self) -> Vec<String> {
        let made = self.statements.iter().filter_map(Statement::makes);
        let temporary = made.filter(|name| name.schema.as_deref() == Some(TEMPORARY));
        temporary.map(|name| name.name.clone()).collect()
    }
}

impl Statement {
    /// The table that it makes, which was not there before.
    pub fn makes(&self) -> Option<&Name> {
        match &self.kind {
            Kind::CreateTable(create) if create.temporary || !create.if_not_exists => {
                Some(&create.table)
            }
            Kind::Read {
                into: Some(table),
                if_not_exists,
                ..
            } if !if_not_exists || table.schema.as_deref() == Some(TEMPORARY) => Some(table),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    AtOnce,
    WhenCalled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    Begin,
    End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionControl {
    Begin,
    /// COMMIT or ROLLBACK; AND CHAIN begins the next at once.
    End {
        undone: bool,
        chained: bool,
    },
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    /// What else leaves the transaction as it is.
    Within,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    /// Its parts, without quotes.
    pub values: Vec<String>,
    /// `0` and DEFAULT take a timeout away.
    pub is_off: bool,
    /// Until the end of the transaction.
    pub local: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// What the parser says.
    NotRead(String),
    /// Longer, or nested deeper, than is looked at.
    TooLarge,
    /// Read, but its locks are not known here.
    NotClassified,
    /// What it does is written elsewhere.
    Elsewhere,
    /// What is known of it, in words.
    Says(&'static str),
    /// The same of what most often locks nothing for long.
    Perhaps(&'static str),
}

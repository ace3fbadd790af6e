//! What planning may know of a database: plain values, read from the catalog by `target::catalog` and never fetched here.

use super::{
    document::Expression,
    key::{KeyColumn, Operator},
    product::{Product, Reach},
    search_path::SearchPath,
};
use crate::sqlgen::{ddl_unit::ReplicaIdentity, foreign_key::ForeignKey};
use crossfade_model::ident::{Ident, TableName};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// e.g. 150018
    pub server_version: u32,
    /// Whose rights the session has: the role that logged in, or one that it has entered by `SET ROLE`.
    pub role: String,
    /// The role that logged in.
    pub login: String,
    /// The role has the rights of those that it is a member of, without entering them.
    pub role_inherits: bool,
    pub superuser: bool,
    /// The database's own settings that conversions between text and times depend on, by name.
    pub session: Vec<(String, String)>,
    /// Where the application's sessions look for names without a schema.
    pub search_path: Option<SearchPath>,
    /// Other roles that use the tables, or the tables' owners, look elsewhere: who, and where.
    pub other_paths: Vec<String>,
    /// Settings that some few conversions depend on besides, by name.
    pub locale: BTreeMap<String, String>,
    /// The role may set `session_replication_role`, so that batches fire no triggers but those that are meant to fire there.
    pub can_skip_triggers: bool,
    /// Roles that a default privilege gives something on new tables and views. `public` is everybody's.
    pub default_grantees: Vec<Ident>,
    /// Domains of the database that have a constraint, or are over one that has; `None` without a database.
    pub constrained_domains: Option<Vec<String>>,
    /// Columns that active runs change, with the run and where it stands.
    pub claims: Vec<Claim>,
    /// Columns that are among those of `tables` as an earlier change of the same plan adds them, with their types.
    pub foreseen: BTreeMap<TableName, Vec<(Ident, String)>>,
    /// `None` where there is no such relation.
    pub tables: BTreeMap<TableName, Option<Table>>,
    /// The plan's types, as the server writes them.
    pub types: BTreeMap<String, Result<String, ExpressionError>>,
    pub expressions: BTreeMap<ExpressionKey, Result<ExpressionFacts, ExpressionError>>,
    pub equalities: BTreeMap<EqualityKey, Result<Equality, ExpressionError>>,
    /// Whether a column of a type can refer to one of another; what could not be asked is missing.
    pub references: BTreeMap<ReferenceTypes, bool>,
    /// Keys of indexes that the server refuses, with its reason.
    pub unfit_keys: BTreeMap<IndexKey, String>,
    /// What has a name that the plan gives to something new.
    pub holders: BTreeMap<TableName, Vec<Holder>>,
}

/// The types of a foreign key's column and of the one that it refers to, as the server writes them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReferenceTypes {
    pub own: String,
    pub referred: String,
}

/// How values of a type are indexed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexKey {
    /// As the server writes it.
    pub type_name: String,
    /// `gin`
    pub method: String,
    /// What stands behind the key: ` COLLATE "C" text_pattern_ops DESC`.
    pub order: String,
}

/// An object of a schema that has a name. Relations share their names, and so do types; a table is both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// `a sequence`, `an index of public.vehicles`
    pub what: String,
    pub is_relation: bool,
    pub is_type: bool,
    pub is_table: bool,
    pub is_enum: bool,
    pub index_of: Option<TableName>,
}

/// An expression is analysed over the table's columns and those that the plan adds to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpressionKey {
    pub table: TableName,
    pub expression: Expression,
    /// Columns that do not exist yet, with their types.
    pub added: Vec<(Ident, String)>,
    /// The type of the column that the value is for.
    pub target_type: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionFacts {
    /// As `format_type` writes it.
    pub type_name: String,
    pub reads: Vec<Ident>,
    /// The value can be assigned to the target's type without a cast being written.
    pub assignable: bool,
    /// As the server writes it back: with every schema, every operator's too, and casts that come by themselves.
    pub resolved: Expression,
    /// It reads the row as such, and not only columns of it.
    pub whole_row: bool,
    pub calls: Vec<Called>,
}

/// A function that an expression calls, by name, by an operator or by a cast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    pub name: String,
    /// `app.next_code(text)`
    pub signature: String,
    pub volatility: Volatility,
    pub maker: Maker,
}

/// As its maker has declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    Server,
    /// It is written in C, as those of extensions are: only a superuser can have made it.
    Superuser,
    Anybody,
}

/// What `=` means between a column of a table and a value of a type, where the application writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EqualityKey {
    pub table: TableName,
    pub column: Ident,
    pub column_type: String,
    pub other_type: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equality {
    /// With the column on its left.
    pub operator: Operator,
    /// `=(text,text)`
    pub signature: String,
    /// A unique index over the column goes by it.
    pub is_unique: bool,
}

/// Why an expression cannot be used: in words, with the server's own message where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    pub message: String,
    pub help: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub oid: u32,
    pub kind: TableKind,
    /// What keeps its rows, where that is not PostgreSQL's own heap.
    pub access_method: Option<Ident>,
    pub owner: String,
    /// Whoever is a member of it is one as well.
    pub owner_is_superuser: bool,
    /// The role that logged in may become the owner by `SET ROLE`.
    pub can_enter_owner: bool,
    /// The role is a member of the owner, whether or not it has its rights by that.
    pub is_member_of_owner: bool,
    /// The role is the owner, a member of it, or a superuser.
    pub owned: bool,
    /// The role may create in the table's schema (an owner of the table needs it for a new index).
    pub can_create: bool,
    /// Row security would hide rows from the role.
    pub rows_hidden: bool,
    pub columns: Vec<Column>,
    /// Every column that was ever added, dropped ones too, to it or to a partition: PostgreSQL keeps at most 1,600.
    pub columns_ever: u32,
    pub indexes: Vec<Index>,
    pub constraints: Vec<Constraint>,
    /// Foreign keys of other tables (or this one) that refer to this one.
    pub referenced_by: Vec<Inbound>,
    /// What names a column and is not part of the table: views, policies, triggers, functions, publications, statistics.
    pub dependents: Vec<Dependent>,
    /// Functions that read a column of a row that they are given as a whole: nothing but their text says so.
    pub row_readers: Vec<RowReader>,
    /// CHECKs that are NOT VALID, of partitions and other children too.
    pub unproven: Vec<Unproven>,
    /// Table privileges, the owner's own among them.
    pub grants: Vec<Grant>,
    pub comment: Option<String>,
    pub row_security: bool,
    pub rules: Vec<String>,
    /// Triggers, policies, rules and statistics objects: they are dropped with the table, and nobody is asked.
    pub hanging: Vec<Hanging>,
    /// Those of the rules that an UPDATE is rewritten by.
    pub update_rules: Vec<UpdateRule>,
    /// The composite type that it is a table of (`CREATE TABLE … OF`), which says what columns it has.
    pub of_type: Option<String>,
    /// Who has given it a security label, as `SECURITY LABEL FOR` names them.
    pub labels: Vec<String>,
    /// Publications that it is in, by itself, by its schema, or as one of all tables.
    pub publications: Vec<String>,
    /// Those of them that list the columns, so that a new one is not published.
    pub publications_by_column: Vec<String>,
    /// Those that publish updates or deletes of it.
    pub published_changes: Vec<String>,
    /// Those of them for which it, or a partition of it, has no replica identity.
    pub published_without_identity: Vec<String>,
    /// Subscriptions that write rows to it, or to a partition of it.
    pub subscriptions: Vec<String>,
    /// Other products that keep its rows, or write to it.
    pub products: Vec<Product>,
    /// Functions and columns whose type is the table's row, as the server describes them.
    pub row_type_users: Vec<String>,
    /// Columns of tables that hold whole rows of this one, in arrays, domains and composite types too, as the server describes
    /// them.
    pub rows_stored_in: Vec<String>,
    /// Triggers whose function looks at the name of the table.
    pub triggers_by_name: Vec<String>,
    /// The columns that tell a row from another: of the primary key, or of a unique index over NOT NULL columns.
    pub key: Vec<Ident>,
    /// The application's own triggers that may change a row before it is written, those of partitions too.
    pub changing_triggers: Vec<ChangingTrigger>,
    /// What the index of the key takes for equal, column by column.
    pub key_operators: Vec<Operator>,
    /// The application's own triggers on UPDATE, those of partitions too.
    pub update_triggers: Vec<UpdateTrigger>,
    pub rows_estimated: f64,
    /// When they were last counted; `None` where nobody has counted, or there was no block then.
    pub rows_per_block: Option<f64>,
    pub blocks: u32,
    pub has_children: bool,
    /// It is a partition, and may be partitioned itself.
    pub is_partition: bool,
    pub replica_identity: ReplicaIdentity,
    /// Of a partitioned table, all levels, a parent before its own.
    pub partitions: Vec<Partition>,
    /// What these have on a column and the table has not, indexes and constraints included.
    pub own_of_partitions: Vec<OwnOfPartition>,
    /// The columns that say which partition a row belongs to, on all levels, in expressions too.
    pub partition_key: Vec<Ident>,
    /// A partition key, on whatever level, has an expression: PostgreSQL then allows nothing unique.
    pub partition_key_computed: bool,
    /// What would have to go with the table: views, functions of its row type, as the server describes them.
    pub table_dependents: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    pub table: TableName,
    /// What it is a partition of.
    pub of: TableName,
    /// It has rows of its own, and is no partitioned table itself.
    pub leaf: bool,
    pub foreign: bool,
    /// As of a table.
    pub access_method: Option<Ident>,
}

/// On whatever level. What can be given to another column as it is (comment, statistics, storage, privileges) is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnOfPartition {
    pub partition: TableName,
    pub column: Ident,
    /// `its default 'x'::text`, `its index own_by_status`.
    pub what: String,
    pub part: Option<OwnPart>,
}

/// An index or a constraint that names a partition's column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPart {
    /// Another table than the partition where that refers to it.
    pub table: TableName,
    pub name: Ident,
    /// With the column's type: a CHECK, an exclusion, an index over an expression or with a condition.
    pub proved_again: bool,
}

/// BEFORE INSERT or UPDATE, for each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangingTrigger {
    pub table: TableName,
    pub name: Ident,
}

/// A trigger that fires on UPDATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateTrigger {
    /// The table, or the partition that has it by itself.
    pub table: TableName,
    pub name: Ident,
    pub enabled: Enabled,
    pub each: Each,
    pub when: When,
    /// `UPDATE OF`: it fires where one of these is set. None: whatever is set.
    pub columns: Vec<Ident>,
}

/// In which sessions a trigger fires, as `session_replication_role` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enabled {
    Origin,
    Always,
    Replica,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    Row,
    Statement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    After,
}

/// Whether a session keeps the application's triggers out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Triggers {
    Fire,
    KeptOut,
}

impl UpdateTrigger {
    /// `touch`, `touch of public.part`
    pub fn described(&self, table: &TableName) -> String {
        match self.table == *table {
            true => self.name.to_string(),
            false => format!("{} of {}", self.name, self.table),
        }
    }

    /// Whether a statement that sets columns fires it; `sets` says of a column whether it does.
    pub fn is_fired(&self, triggers: Triggers, sets: impl Fn(&Ident) -> bool) -> bool {
        let in_session = match (self.enabled, triggers) {
            (Enabled::Always, _) => true,
            (Enabled::Origin, triggers) => triggers == Triggers::Fire,
            (Enabled::Replica, triggers) => triggers == Triggers::KeptOut,
        };
        in_session && (self.columns.is_empty() || self.columns.iter().any(sets))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hanging {
    pub name: Ident,
    /// As the server describes it: `trigger audit on table public.users`.
    pub object: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateRule {
    pub name: String,
    /// Also where triggers are kept out: `ENABLE ALWAYS` or `ENABLE REPLICA`.
    pub always: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    Table,
    Partitioned,
    Partition,
    View,
    MaterializedView,
    Foreign,
    Temporary,
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: Ident,
    /// As `format_type` writes it, with its modifier.
    pub type_name: String,
    /// "different" as `IS DISTINCT FROM` says it is the same as "other bytes". False for numeric, citext, json, floats …
    pub exact: bool,
    /// Of a composite type, or a domain over one: of a value whose fields are NULL, `IS NULL` is true.
    pub composite: bool,
    pub collation: Option<String>,
    pub not_null: bool,
    /// The default, or the expression of a generated column.
    pub default: Option<String>,
    /// The type of what the default gives before it is brought to the column's: `integer` of `nextval('s')::integer`. `None`: it is a
    /// constant, or gives more than the column can hold.
    pub default_type: Option<String>,
    pub generated: bool,
    pub identity: Option<Identity>,
    /// The sequence that the column owns (serial), as SQL.
    pub owned_sequence: Option<String>,
    /// Those that its default names, and the one that it owns. Not that of an identity.
    pub sequences: Vec<Sequence>,
    /// What else reads its sequence, of an identity or owned: other columns' defaults, views.
    pub sequence_dependents: Vec<String>,
    /// Who has given it, or its identity's sequence, a security label.
    pub labels: Vec<String>,
    pub comment: Option<String>,
    pub statistics: Option<i32>,
    /// `SET STORAGE` where it is not the type's own: plain, external, extended, main.
    pub storage: Option<String>,
    pub compression: Option<String>,
    /// `SET (n_distinct = …)`, as `name=value`.
    pub options: Vec<String>,
    pub grants: Vec<Grant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    pub name: TableName,
    /// As `format_type` writes it.
    pub number_type: String,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cycle: bool,
    pub owner: String,
    /// The role is the owner, a member of it, or a superuser.
    pub owned: bool,
    /// Other columns whose defaults name it.
    pub others: Vec<TakesNumbers>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakesNumbers {
    pub table: TableName,
    pub column: Ident,
    pub type_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub always: bool,
    pub sequence: String,
    /// `START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1`
    pub options: String,
    /// `MAXVALUE 1000` or, where it descends, `MINVALUE`, where that is neither the type's nor the column's.
    pub limit: Option<String>,
    pub grants: Vec<Grant>,
    /// Roles that a default privilege gives something on new sequences.
    pub default_grantees: Vec<Ident>,
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub privilege: String,
    /// A role's name; `None` is PUBLIC.
    pub to: Option<Ident>,
    pub grantable: bool,
    /// Who gave it: the owner, or a role with the right to.
    pub by: Ident,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: Ident,
    /// What follows USING in its definition: `btree (lower(status) DESC) WHERE …`.
    pub using: String,
    pub unique: bool,
    pub valid: bool,
    /// The columns that it names anywhere: as keys, in expressions, included, in its predicate.
    pub columns: Vec<Ident>,
    /// How many of them are keys or included as they are.
    pub plain_columns: usize,
    /// The constraint that it serves.
    pub constraint: Option<Ident>,
    pub primary: bool,
    pub replica_identity: bool,
    pub clustered: bool,
    pub tablespace: Option<Ident>,
    pub comment: Option<String>,
    /// The extensions with which it goes (ALTER INDEX … DEPENDS ON EXTENSION).
    pub extensions: Vec<Ident>,
    /// Statistics targets of its keys that are expressions, by their number.
    pub statistics: Vec<(i16, i32)>,
    /// Where it is stored (`pg_relation_filenode`); `None` for a partitioned one, which has no storage.
    pub filenode: Option<u32>,
    /// Of a partition: the index that it is attached to, of the table that the partition is of.
    pub of: Option<Ident>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    pub name: Ident,
    pub kind: ConstraintKind,
    /// As `pg_get_constraintdef` writes it.
    pub definition: String,
    pub columns: Vec<Ident>,
    pub validated: bool,
    pub comment: Option<String>,
    /// Of a partition: the constraint that it comes with, of the table that the partition is of.
    pub of: Option<Ident>,
}

impl Constraint {
    /// The table that a foreign key refers to. The server writes it with its schema.
    pub fn references(&self) -> Option<TableName> {
        if self.kind != ConstraintKind::ForeignKey {
            return None;
        }
        ForeignKey::read(&self.definition)?.table()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    Check,
    ForeignKey,
    PrimaryKey,
    Unique,
    Exclusion,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    pub table: TableName,
    pub name: Ident,
    pub definition: String,
    /// The columns of this table that it refers to.
    pub columns: Vec<Ident>,
    pub owned: bool,
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    pub column: Ident,
    /// As the server describes it: `view public.fleet_overview`.
    pub object: String,
}

/// What gets rows of a table as a whole and reads a column of them, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowReader {
    pub column: Ident,
    /// As the server describes it: `trigger audit on table public.users`.
    pub object: String,
    /// The function that it calls: `function public.f(public.users)`. `None`: it has the column's name in a text.
    pub routine: Option<String>,
    pub is_sure: bool,
}

impl RowReader {
    pub fn described(&self) -> String {
        let Self { column, object, .. } = self;
        match (&self.routine, self.is_sure) {
            (Some(routine), true) => {
                format!("{object} calls {routine}, which reads {column} of the row")
            }
            (Some(routine), false) => {
                format!("{object} calls {routine}, which may read {column} of the row")
            }
            (None, _) => {
                format!("{object} reads the whole row, and has the name {column} in a text")
            }
        }
    }
}

/// A CHECK that some rows may break: PostgreSQL looks at it whenever it writes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    pub table: TableName,
    pub name: Ident,
    pub condition: String,
}

/// A column of an active run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub table: TableName,
    pub column: Ident,
    pub run: String,
    /// `in backfill`, `paused by …`.
    pub standing: String,
}

impl Facts {
    /// Whether the batches of a backfill fire ordinary triggers.
    pub fn triggers_in_batches(&self) -> Triggers {
        match self.can_skip_triggers {
            true => Triggers::KeptOut,
            false => Triggers::Fire,
        }
    }

    /// The application's triggers on the table that an UPDATE fires, by name; `sets` says which columns it sets.
    pub fn fired(
        &self,
        table: &TableName,
        triggers: Triggers,
        sets: impl Fn(&Ident) -> bool,
    ) -> Vec<String> {
        let found = self.table(table).into_iter();
        found
            .flat_map(|found| &found.update_triggers)
            .filter(|trigger| trigger.is_fired(triggers, &sets))
            .map(|trigger| trigger.described(table))
            .collect()
    }

    /// What to do about a column that is there and may not be: that of a run is not to be dropped by hand.
    pub fn taken(&self, table: &TableName, column: &Ident) -> String {
        let mut claims = self.claims.iter();
        match claims.find(|claim| claim.table == *table && claim.column == *column) {
            Some(Claim { run, standing, .. }) => format!(
                "it is a column of the active run {run}, which is {standing}: choose another name, or finish the run or roll it back first; `crossfade status {run}` shows it"
            ),
            None => "choose another name, or drop that column first".to_owned(),
        }
    }

    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.get(name).and_then(Option::as_ref)
    }
}

impl Table {
    /// The product that keeps its rows elsewhere.
    pub fn kept_elsewhere(&self) -> Option<&Product> {
        let mut products = self.products.iter();
        products.find(|product| product.reach() == Reach::RowsElsewhere)
    }
    /// More rows than these it cannot have by now: from its size and how dense its rows were when they were counted, or
    /// else from how many a block can hold.
    pub fn rows_max(&self) -> f64 {
        /// Of 8 kB with rows that have no column but NULLs.
        const ROWS_PER_BLOCK_MAX: f64 = 291.0;
        let dense = self.rows_per_block.unwrap_or(ROWS_PER_BLOCK_MAX);
        (f64::from(self.blocks) * dense).ceil()
    }
    /// The key, with what is equal in it.
    pub fn key_columns(&self) -> Vec<KeyColumn> {
        let operators = self.key_operators.iter().cloned();
        let operators = operators.chain(std::iter::repeat(Operator::default()));
        let columns = self.key.iter().cloned().zip(operators);
        columns
            .map(|(name, equal)| KeyColumn { name, equal })
            .collect()
    }
    pub fn is_partitioned(&self) -> bool {
        self.kind == TableKind::Partitioned
    }
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }
    pub fn index_names(&self) -> impl Iterator<Item = &Ident> {
        self.indexes.iter().map(|index| &index.name)
    }
}

//! The explicit steps of a plan. One file each: its words in the YAML, where it may stand, its parts as SQL, and how it
//! is undone. `steps!` is the list: a DDL step is its file and one line here.

pub mod add_column;
pub mod add_constraint;
pub mod add_enum_value;
pub mod add_exclusion;
pub mod alias_table;
pub mod alter_column_type;
pub mod attach_index;
pub mod create_enum;
pub mod create_index;
pub mod create_table;
pub mod drop_alias;
pub mod drop_column;
pub mod drop_constraint;
pub mod drop_default;
pub mod drop_index;
pub mod drop_not_null;
pub mod drop_sync;
pub mod drop_table;
pub mod fill;
pub mod move_identity;
pub mod own_sequence;
pub mod query;
pub mod rebuild_index;
pub mod rename_constraint;
pub mod rename_object;
pub mod retire_column;
pub mod retire_table;
pub mod rows_match;
pub mod set_comment;
pub mod set_default;
pub mod set_not_null;
pub mod set_replica_identity;
pub mod sql;
pub mod swap_primary_key;
pub mod sync_columns;
pub mod sync_tables;
pub mod take_place;
pub mod widen_sequence;

use super::{
    compiled::{Action, Plan, StepId},
    document::{PhaseName, Query},
};
use crate::sqlgen::{cost::Cost, ddl_unit::DdlUnit, sync, table_pair};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What every step says of itself.
pub trait Described {
    /// Where it may stand: a step in the wrong phase could lose a write.
    fn phases(&self) -> &'static [PhaseName];
    /// The tables that it touches, the one that it is about first.
    fn tables(&self) -> Vec<&TableName>;
    /// What tells it from the plan's other steps of its kind.
    fn subject(&self) -> String;
}

/// A step that is DDL, in parts: the same in a document and compiled.
pub trait Ddl: Described {
    /// What carries it out, under its plan.
    fn parts(&self, plan: &Plan) -> Vec<DdlUnit>;
    fn undo(&self, plan: &Plan) -> Undo;
    /// What of the application's its undo takes away, and what of it would keep the undo from succeeding.
    fn cost(&self, plan: &Plan) -> Cost;
    /// Which of its parts says whether it made what its undo takes away.
    fn decided_by(&self) -> Decides {
        Decides::LastPart
    }
    /// Columns of its table that must be there when it is run: they are, or the plan adds them.
    fn needs(&self) -> Vec<&Ident> {
        Vec::new()
    }
    /// Columns of its table that no other run may touch meanwhile.
    fn claims(&self) -> Vec<&Ident> {
        Vec::new()
    }
    /// What an operator should know of it beside its statements.
    fn note(&self) -> Option<String> {
        None
    }
    /// It puts something else in the table's place: no other run may touch any column of it.
    fn replaces_table(&self) -> bool {
        false
    }
    /// The table that is not there before.
    fn creates(&self) -> Option<&TableName> {
        None
    }
    /// The names of what it makes, which nothing else may have.
    fn new_names(&self) -> Vec<NewName> {
        Vec::new()
    }
    /// Its author has said that it cannot be taken back. Outside `contract` such a step is refused without that.
    fn irreversible(&self) -> bool {
        false
    }
}

/// A name that a step gives to an object that its schema does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewName {
    /// Of an index of the table, or of a constraint that an index serves.
    Index {
        table: TableName,
        name: TableName,
    },
    Table(TableName),
    /// Of a table that has another name by now.
    Renamed(TableName),
    Enum(TableName),
    /// Of a constraint of the table, and of the index that serves it, if one does.
    Constraint {
        table: TableName,
        from: Ident,
        name: TableName,
    },
}

impl NewName {
    /// Of an index of this table, which is in its schema.
    pub fn index(table: &TableName, name: &Ident) -> Self {
        Self::Index {
            table: table.clone(),
            name: TableName {
                schema: table.schema.clone(),
                name: name.clone(),
            },
        }
    }

    /// With its schema.
    pub fn name(&self) -> &TableName {
        match self {
            Self::Constraint { name, .. }
            | Self::Index { name, .. }
            | Self::Table(name)
            | Self::Renamed(name)
            | Self::Enum(name) => name,
        }
    }
}

/// `"word" Name(its type)` for each step. Names and words of DDL steps are the same in a document and compiled; what
/// moves or reads rows is compiled into something else (see `Action`).
macro_rules! steps {
    (
        ddl { $($ddl_word:literal $Ddl:ident($ddl:ty),)* }
        rows { $($word:literal $Row:ident($row:ty),)* }
    ) => {
        /// A step as the plan's author writes it.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub enum Step {
            $(#[serde(rename = $ddl_word)] $Ddl($ddl),)*
            $(#[serde(rename = $word)] $Row($row),)*
        }

        /// A DDL step of a compiled plan.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum DdlStep {
            $(#[serde(rename = $ddl_word)] $Ddl($ddl),)*
        }

        /// A step by what carries it out.
        #[derive(Clone, Debug)]
        pub enum Sorted<'a> {
            Ddl(Box<DdlStep>),
            $($Row(&'a $row),)*
        }

        impl Step {
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$Ddl(_) => $ddl_word,)*
                    $(Self::$Row(_) => $word,)*
                }
            }

            pub fn described(&self) -> &dyn Described {
                match self {
                    $(Self::$Ddl(step) => step,)*
                    $(Self::$Row(step) => step,)*
                }
            }

            pub fn sorted(&self) -> Sorted<'_> {
                match self {
                    $(Self::$Ddl(step) => Sorted::Ddl(Box::new(DdlStep::$Ddl(step.clone()))),)*
                    $(Self::$Row(step) => Sorted::$Row(step),)*
                }
            }
        }

        $(impl From<$ddl> for Step {
            fn from(step: $ddl) -> Self {
                Self::$Ddl(step)
            }
        })*

        impl DdlStep {
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$Ddl(_) => $ddl_word,)*
                }
            }

            pub fn ddl(&self) -> &dyn Ddl {
                match self {
                    $(Self::$Ddl(step) => step,)*
                }
            }
        }
    };
}

steps! {
    ddl {
        "add_column" AddColumn(add_column::AddColumn),
        "create_index" CreateIndex(create_index::CreateIndex),
        "add_constraint" AddConstraint(add_constraint::AddConstraint),
        "set_not_null" SetNotNull(set_not_null::SetNotNull),
        "retire_column" RetireColumn(retire_column::RetireColumn),
        "drop_sync" DropSync(drop_sync::DropSync),
        "drop_constraint" DropConstraint(drop_constraint::DropConstraint),
        "set_default" SetDefault(set_default::SetDefault),
        "own_sequence" OwnSequence(own_sequence::OwnSequence),
        "widen_sequence" WidenSequence(widen_sequence::WidenSequence),
        "drop_column" DropColumn(drop_column::DropColumn),
        "rename_object" RenameObject(rename_object::RenameObject),
        "swap_primary_key" SwapPrimaryKey(swap_primary_key::SwapPrimaryKey),
        "move_identity" MoveIdentity(move_identity::MoveIdentity),
        "take_place" TakePlace(take_place::TakePlace),
        "alias_table" AliasTable(alias_table::AliasTable),
        "drop_alias" DropAlias(drop_alias::DropAlias),
        "drop_index" DropIndex(drop_index::DropIndex),
        "rebuild_index" RebuildIndex(rebuild_index::RebuildIndex),
        "attach_index" AttachIndex(attach_index::AttachIndex),
        "drop_not_null" DropNotNull(drop_not_null::DropNotNull),
        "drop_default" DropDefault(drop_default::DropDefault),
        "set_comment" SetComment(set_comment::SetComment),
        "set_replica_identity" SetReplicaIdentity(set_replica_identity::SetReplicaIdentity),
        "rename_constraint" RenameConstraint(rename_constraint::RenameConstraint),
        "alter_column_type" AlterColumnType(alter_column_type::AlterColumnType),
        "create_enum" CreateEnum(create_enum::CreateEnum),
        "add_enum_value" AddEnumValue(add_enum_value::AddEnumValue),
        "add_exclusion" AddExclusion(add_exclusion::AddExclusion),
        "create_table" CreateTable(create_table::CreateTable),
        "retire_table" RetireTable(retire_table::RetireTable),
        "drop_table" DropTable(drop_table::DropTable),
        "sql" Sql(sql::Sql),
    }
    rows {
        "sync_columns" SyncColumns(sync_columns::SyncColumns),
        "sync_tables" SyncTables(sync_tables::SyncTables),
        "fill" Fill(fill::FillStep),
        "match" Match(rows_match::MatchStep),
        "query" Query(Query),
    }
}

impl Step {
    pub fn tables(&self) -> Vec<&TableName> {
        self.described().tables()
    }

    /// The table that it is about; `None` for a query.
    pub fn table(&self) -> Option<&TableName> {
        self.tables().first().copied()
    }

    pub fn id(&self) -> StepId {
        StepId(format!("{}:{}", self.kind(), self.described().subject()))
    }
}

/// How a step is carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Work<'a> {
    /// DDL, in parts.
    Parts(Vec<DdlUnit>),
    /// Rows in batches, then the parts.
    Fill(&'a super::compiled::Fill, Vec<DdlUnit>),
    Match(&'a super::compiled::Match),
    Query(&'a Query),
}

/// The part whose goal, where it held before the step was first run, says that what stands there is somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decides {
    /// It speaks for the step.
    LastPart,
    FirstPart,
    /// What the step does is undone whoever did it.
    NoPart,
}

/// What undoes a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Undo {
    Parts(Vec<DdlUnit>),
    /// It changed nothing that has to be taken back.
    Nothing,
    Irreversible,
}

impl Action {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ddl(step) => step.kind(),
            Self::SyncColumns(_) => "sync_columns",
            Self::SyncTables(_) => "sync_tables",
            Self::Fill(_) => "fill",
            Self::Match(_) => "match",
            Self::Query(_) => "query",
        }
    }

    /// What carries this step out, under its plan.
    pub fn work<'a>(&'a self, plan: &'a Plan) -> Work<'a> {
        match self {
            Self::Ddl(step) => Work::Parts(step.ddl().parts(plan)),
            Self::SyncColumns(sync) => Work::Parts(vec![sync::install(plan, sync)]),
            Self::SyncTables(link) => Work::Parts(vec![table_pair::install(plan, link)]),
            Self::Fill(fill) => Work::Fill(fill, fill::stop_filling(plan, &fill.table)),
            Self::Match(matching) => Work::Match(matching),
            Self::Query(query) => Work::Query(query),
        }
    }

    pub fn undo(&self, plan: &Plan) -> Undo {
        match self {
            Self::Ddl(step) => step.ddl().undo(plan),
            Self::SyncColumns(sync) => Undo::Parts(vec![sync::uninstall(plan, &sync.table)]),
            Self::SyncTables(link) => Undo::Parts(vec![table_pair::uninstall(
                plan,
                link,
                &table_pair::names_as_planned(),
            )]),
            Self::Fill(fill) => Undo::Parts(fill::fill_again(plan, &fill.table)),
            Self::Match(_) | Self::Query(_) => Undo::Nothing,
        }
    }

    /// What undoing it costs the application.
    pub fn cost(&self, plan: &Plan) -> Cost {
        match self {
            Self::Ddl(step) => step.ddl().cost(plan),
            Self::SyncColumns(sync) => sync_columns::cost(plan, sync),
            Self::SyncTables(link) => sync_tables::cost(link),
            Self::Fill(_) | Self::Match(_) | Self::Query(_) => Cost::default(),
        }
    }

    /// Whether what its undo takes away was there before it. `found`: the parts whose goals held then.
    pub fn was_there(&self, plan: &Plan, found: &[usize]) -> bool {
        let Self::Ddl(step) = self else { return false };
        let deciding = match step.ddl().decided_by() {
            Decides::LastPart => step.ddl().parts(plan).len().checked_sub(1),
            Decides::FirstPart => Some(0),
            Decides::NoPart => None,
        };
        deciding.is_some_and(|part| found.contains(&part))
    }
}

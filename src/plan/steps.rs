//! The explicit steps of a plan. One file each: its words in the YAML, its parts as SQL, and how it is undone.

pub mod add_column;
pub mod add_constraint;
pub mod create_index;
pub mod drop_column;
pub mod drop_constraint;
pub mod drop_sync;
pub mod fill;
pub mod own_sequence;
pub mod rename_object;
pub mod retire_column;
pub mod rows_match;
pub mod set_default;
pub mod set_not_null;
pub mod sync_columns;

use super::{
    compiled::{Action, Plan},
    document::Query,
    ident::TableName,
};
use crate::statement::{part::Part, sync};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    AddColumn(add_column::AddColumn),
    SyncColumns(sync_columns::SyncColumns),
    Fill(fill::FillStep),
    Match(rows_match::MatchStep),
    Query(Query),
    CreateIndex(create_index::CreateIndex),
    AddConstraint(add_constraint::AddConstraint),
    SetNotNull(set_not_null::SetNotNull),
    RetireColumn(retire_column::RetireColumn),
    DropSync(drop_sync::DropSync),
    DropConstraint(drop_constraint::DropConstraint),
    SetDefault(set_default::SetDefault),
    OwnSequence(own_sequence::OwnSequence),
    DropColumn(drop_column::DropColumn),
    RenameObject(rename_object::RenameObject),
}

impl Step {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AddColumn(_) => "add_column",
            Self::SyncColumns(_) => "sync_columns",
            Self::Fill(_) => "fill",
            Self::Match(_) => "match",
            Self::Query(_) => "query",
            Self::CreateIndex(_) => "create_index",
            Self::AddConstraint(_) => "add_constraint",
            Self::SetNotNull(_) => "set_not_null",
            Self::RetireColumn(_) => "retire_column",
            Self::DropSync(_) => "drop_sync",
            Self::DropConstraint(_) => "drop_constraint",
            Self::SetDefault(_) => "set_default",
            Self::OwnSequence(_) => "own_sequence",
            Self::DropColumn(_) => "drop_column",
            Self::RenameObject(_) => "rename_object",
        }
    }

    /// The table that it is about; `None` for a query.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            Self::AddColumn(step) => Some(&step.table),
            Self::SyncColumns(step) => Some(&step.table),
            Self::Fill(step) => Some(&step.table),
            Self::Match(step) => Some(&step.table),
            Self::Query(_) => None,
            Self::CreateIndex(step) => Some(&step.table),
            Self::AddConstraint(step) => Some(&step.table),
            Self::SetNotNull(step) => Some(&step.table),
            Self::RetireColumn(step) => Some(&step.table),
            Self::DropSync(step) => Some(&step.table),
            Self::DropConstraint(step) => Some(&step.table),
            Self::SetDefault(step) => Some(&step.table),
            Self::OwnSequence(step) => Some(&step.table),
            Self::DropColumn(step) => Some(&step.table),
            Self::RenameObject(step) => Some(&step.table),
        }
    }

    /// What tells it from the plan's other steps of its kind.
    pub fn subject(&self) -> String {
        match self {
            Self::AddColumn(step) => format!("{}.{}", step.table, step.column),
            Self::SyncColumns(step) => step.table.to_string(),
            Self::Fill(step) => step.table.to_string(),
            Self::Match(step) => step.table.to_string(),
            Self::Query(query) => query.name.clone(),
            Self::CreateIndex(step) => step.name.to_string(),
            Self::AddConstraint(step) => format!("{}.{}", step.table, step.name),
            Self::SetNotNull(step) => format!("{}.{}", step.table, step.column),
            Self::RetireColumn(step) => format!("{}.{}", step.table, step.column),
            Self::DropSync(step) => step.table.to_string(),
            Self::DropConstraint(step) => format!("{}.{}", step.table, step.name),
            Self::SetDefault(step) => format!("{}.{}", step.table, step.column),
            Self::OwnSequence(step) => step.sequence.clone(),
            Self::DropColumn(step) => format!("{}.{}", step.table, step.column),
            Self::RenameObject(step) => format!("{}.{}", step.table, step.from),
        }
    }
}

/// How a step is carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Work<'a> {
    /// DDL, in parts.
    Parts(Vec<Part>),
    /// Rows in batches, then the parts.
    Fill(&'a super::compiled::Fill, Vec<Part>),
    Match(&'a super::compiled::Match),
    Query(&'a Query),
}

/// What undoes a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Undo {
    Parts(Vec<Part>),
    /// It changed nothing that has to be taken back.
    Nothing,
    Irreversible,
}

impl Action {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AddColumn(_) => "add_column",
            Self::SyncColumns(_) => "sync_columns",
            Self::Fill(_) => "fill",
            Self::Match(_) => "match",
            Self::Query(_) => "query",
            Self::CreateIndex(_) => "create_index",
            Self::AddConstraint(_) => "add_constraint",
            Self::SetNotNull(_) => "set_not_null",
            Self::RetireColumn(_) => "retire_column",
            Self::DropSync(_) => "drop_sync",
            Self::DropConstraint(_) => "drop_constraint",
            Self::SetDefault(_) => "set_default",
            Self::OwnSequence(_) => "own_sequence",
            Self::DropColumn(_) => "drop_column",
            Self::RenameObject(_) => "rename_object",
        }
    }

    /// What carries this step out, under its plan.
    pub fn work<'a>(&'a self, plan: &'a Plan) -> Work<'a> {
        match self {
            Self::AddColumn(step) => Work::Parts(step.parts()),
            Self::SyncColumns(sync) => Work::Parts(vec![sync::install(plan, sync)]),
            Self::Fill(fill) => Work::Fill(fill, fill::stop_filling(plan, &fill.table)),
            Self::Match(matching) => Work::Match(matching),
            Self::Query(query) => Work::Query(query),
            Self::CreateIndex(step) => Work::Parts(step.parts()),
            Self::AddConstraint(step) => Work::Parts(step.parts()),
            Self::SetNotNull(step) => Work::Parts(step.parts()),
            Self::RetireColumn(step) => Work::Parts(vec![step.part(plan)]),
            Self::DropSync(step) => Work::Parts(vec![sync::uninstall(&plan.name, &step.table)]),
            Self::DropConstraint(step) => Work::Parts(vec![step.part()]),
            Self::SetDefault(step) => Work::Parts(vec![step.part()]),
            Self::OwnSequence(step) => Work::Parts(vec![step.part()]),
            Self::DropColumn(step) => Work::Parts(vec![step.part(plan)]),
            Self::RenameObject(step) => Work::Parts(vec![step.part()]),
        }
    }

    pub fn undo(&self, plan: &Plan) -> Undo {
        match self {
            Self::AddColumn(step) => Undo::Parts(step.undo()),
            Self::SyncColumns(sync) => Undo::Parts(vec![sync::uninstall(&plan.name, &sync.table)]),
            Self::Fill(fill) => Undo::Parts(fill::fill_again(plan, &fill.table)),
            Self::Match(_) | Self::Query(_) => Undo::Nothing,
            Self::CreateIndex(step) => Undo::Parts(step.undo()),
            Self::AddConstraint(step) => Undo::Parts(step.undo()),
            Self::SetNotNull(step) => Undo::Parts(step.undo()),
            Self::RetireColumn(step) => Undo::Parts(vec![step.undo(plan)]),
            Self::DropSync(_)
            | Self::DropConstraint(_)
            | Self::SetDefault(_)
            | Self::OwnSequence(_)
            | Self::DropColumn(_)
            | Self::RenameObject(_) => Undo::Irreversible,
        }
    }
}

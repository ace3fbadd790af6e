//! Every name of a relation in a statement, so that the search path can say where it is.

use super::{
    AlterTable, ChangeKind, ConstraintKind, CreateTable, Kind, NewConstraint, ReindexTarget, Write,
};
use crate::name::Name;

impl Kind {
    /// Names that the statement refers to; those of indexes, types and functions are compared without a schema.
    pub fn each_relation(&mut self, act: &mut dyn FnMut(&mut Name)) {
        match self {
            Self::AlterTable(alter) => alter.each_relation(act),
            Self::CreateTable(create) => create.each_relation(act),
            Self::CreateIndex { table, .. }
            | Self::Touch { table, .. }
            | Self::TouchTrigger { table, .. }
            | Self::CreatePolicy { table }
            | Self::Refresh { view: table, .. } => act(table),
            Self::Reindex {
                target: ReindexTarget::Table(table),
                ..
            } => act(table),
            Self::DropTable { tables, .. }
            | Self::DropView { views: tables, .. }
            | Self::Truncate { tables, .. }
            | Self::LockTable { tables, .. }
            | Self::Vacuum { tables, .. }
            | Self::Analyze { tables } => tables.iter_mut().for_each(act),
            Self::Cluster { table } => table.iter_mut().for_each(act),
            Self::CreateView { reads, .. } | Self::CreateMaterializedView { reads, .. } => {
                reads.iter_mut().for_each(act);
            }
            Self::Write(Write {
                table,
                reads,
                whole,
                ..
            }) => {
                act(table);
                if let Some((_, whole)) = whole {
                    act(whole);
                }
                reads.iter_mut().for_each(act);
            }
            Self::Read { tables, .. } => tables.iter_mut().for_each(act),
            _ => {}
        }
    }

    /// The relation that it makes.
    pub fn new_relation(&mut self) -> Option<&mut Name> {
        match self {
            Self::CreateTable(create) => Some(&mut create.table),
            Self::CreateView { view, .. } | Self::CreateMaterializedView { view, .. } => Some(view),
            Self::Read { into, .. } => into.as_mut(),
            _ => None,
        }
    }
}

impl AlterTable {
    fn each_relation(&mut self, act: &mut dyn FnMut(&mut Name)) {
        act(&mut self.table);
        for change in &mut self.changes {
            match &mut change.kind {
                ChangeKind::AddColumn(column) => each_referenced(&mut column.constraints, act),
                ChangeKind::AddConstraint(constraint) => {
                    each_referenced(std::slice::from_mut(constraint), act);
                }
                ChangeKind::Inherit { parent: table }
                | ChangeKind::NoInherit { parent: table }
                | ChangeKind::Attach {
                    partition: table, ..
                }
                | ChangeKind::Detach {
                    partition: table, ..
                } => act(table),
                _ => {}
            }
        }
    }
}

impl CreateTable {
    fn each_relation(&mut self, act: &mut dyn FnMut(&mut Name)) {
        each_referenced(&mut self.constraints, act);
        for column in &mut self.columns {
            each_referenced(&mut column.constraints, act);
        }
        self.inherits.iter_mut().for_each(&mut *act);
        if let Some((parent, _)) = &mut self.partition_of {
            act(parent);
        }
    }
}

fn each_referenced(constraints: &mut [NewConstraint], act: &mut dyn FnMut(&mut Name)) {
    for constraint in constraints {
        if let ConstraintKind::ForeignKey { references } = &mut constraint.kind {
            act(references);
        }
    }
}

//! What a phase's gate asks: what goes without saying, and what the plan adds.

use super::Compiler;
use crate::{
    attributes::{Attributes, Succession},
    compiled::{Action, ColumnRef, Condition, Phase, References},
    document::{Gate, PhaseDocument, PhaseName},
    facts::Table,
    steps::{Step, set_comment::SetComment},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use std::collections::BTreeSet;

impl Compiler<'_> {
    pub(super) fn gate(&mut self, at: &Path, phase: &PhaseDocument) -> Vec<Condition> {
        let mut conditions = Vec::new();
        let has_sync = self
            .steps()
            .any(|step| matches!(step, Step::SyncColumns(_) | Step::SyncTables(_)));
        if has_sync && self.is_after(PhaseName::Backfill, phase.phase) {
            conditions.push(Condition::QuarantineEmpty);
        }
        if has_sync && self.is_after(PhaseName::DualWrite, phase.phase) {
            conditions.push(Condition::SyncInPlace);
        }
        if is_taking_away(phase.phase) {
            let dropped = self.dropped_columns();
            if !dropped.is_empty() {
                conditions.push(Condition::NoDependents(dropped));
            }
        }
        let added = self.document.gates.get(&phase.phase);
        let at_gates = Path::root().key("gates").key(phase.phase.as_str());
        for (at, gate) in std::iter::once((at.key("gate"), &phase.gate))
            .chain(added.map(|added| (at_gates, added)))
        {
            conditions.extend(plain_conditions(gate));
            let references = self.references(&at, phase.phase, gate);
            conditions.extend(references.map(Condition::NoReferences));
        }
        conditions
    }

    /// What `gates` says comes after what stands with the phase.
    pub(super) fn is_auto(&self, phase: &PhaseDocument) -> bool {
        let added = self.document.gates.get(&phase.phase);
        let added = added.and_then(|gate| gate.auto);
        added.or(phase.gate.auto).unwrap_or(false)
    }

    /// By its place in the plan, as `sql` may stand anywhere.
    fn is_after(&self, before: PhaseName, phase: PhaseName) -> bool {
        self.phases
            .iter()
            .take_while(|other| other.phase.phase != phase)
            .any(|other| other.phase.phase == before)
    }

    pub(super) fn dropped_columns(&self) -> Vec<(TableName, Ident)> {
        self.steps()
            .filter_map(|step| match step {
                Step::DropColumn(step) => Some((step.table.clone(), step.column.clone())),
                Step::TakePlace(step) => Some((step.table.clone(), step.column.clone())),
                _ => None,
            })
            .collect()
    }

    /// See `compiled::Plan::foreseen`.
    pub(super) fn foreseen(&self) -> Option<BTreeSet<(TableName, Ident)>> {
        let dropped = self.dropped_columns();
        if dropped.is_empty() {
            return None;
        }
        let mut foreseen: BTreeSet<_> = self.steps().flat_map(made).collect();
        for (name, column) in &dropped {
            let Some(table) = self.table(name) else {
                continue;
            };
            foreseen.extend(hanging(name, table, column));
            let own = table.own_of_partitions.iter();
            let own = own.filter(|own| own.column == *column);
            foreseen.extend(own.filter_map(|own| {
                let part = own.part.as_ref()?;
                Some((part.table.clone(), part.name.clone()))
            }));
        }
        Some(foreseen)
    }

    /// The columns that go and have one other that takes their place, as they are now. Not those that the plan changes itself
    /// on the way; what statements of the author's do is not known.
    pub(super) fn successions(&self, compiled: &[Phase]) -> Vec<Succession> {
        if self.steps().any(|step| matches!(step, Step::Sql(_))) {
            return Vec::new();
        }
        let succession = |(table, column): (TableName, Ident)| {
            let found = self.table(&table)?.column(&column)?;
            let by = successor(compiled, &table, &column)?;
            if self.is_changed(&table, &column) {
                return None;
            }
            Some(Succession {
                converts: by.type_name != found.type_name,
                sets_default: self.steps().any(|step| {
                    let named = [&column, &by.name];
                    matches!(step, Step::SetDefault(set) if set.table == table && named.contains(&&set.column))
                }),
                attributes: Attributes::of(found),
                by: by.name,
                table,
                column,
            })
        };
        let dropped = self.dropped_columns().into_iter();
        dropped.filter_map(succession).collect()
    }

    /// Before the columns change their names.
    fn is_changed(&self, table: &TableName, column: &Ident) -> bool {
        let before = self.phases.iter().map(|placed| &placed.phase);
        let before = before.take_while(|phase| !is_taking_away(phase.phase));
        before.flat_map(|phase| &phase.steps).any(|step| {
            let (of, changed) = match step {
                Step::SetNotNull(step) => (&step.table, &step.column),
                Step::DropNotNull(step) => (&step.table, &step.column),
                Step::SetDefault(step) => (&step.table, &step.column),
                Step::DropDefault(step) => (&step.table, &step.column),
                Step::AlterColumnType(step) => (&step.table, &step.column),
                Step::SetComment(SetComment {
                    table,
                    column: Some(column),
                    ..
                }) => (table, column),
                _ => return false,
            };
            of == table && changed == column
        })
    }

    fn references(&mut self, at: &Path, phase: PhaseName, gate: &Gate) -> Option<References> {
        let wanted = gate.no_references.clone()?;
        let mut columns = self.dropped_columns();
        // Its name goes on.
        columns.retain(|(table, column)| {
            !self.steps().any(|step| {
                matches!(step, Step::TakePlace(step) if step.table == *table && step.column == *column)
            })
        });
        columns.extend(self.steps().filter_map(|step| match step {
            Step::RetireColumn(step) => Some((step.table.clone(), step.column.clone())),
            _ => None,
        }));
        // Under the name that the view gives it too.
        columns.extend(self.steps().filter_map(|step| match step {
            Step::DropAlias(step) => {
                let renamed = step.rename_column.as_ref()?;
                Some((step.table.clone(), renamed.from.clone()))
            }
            _ => None,
        }));
        columns.sort();
        columns.dedup();
        let tables = self.tables_going();
        let refused = if !is_taking_away(phase) {
            Some(
                "`no_references` is for the gates of retire and contract: before them the old column or table is in use",
            )
        } else if columns.is_empty() && tables.is_empty() {
            Some(
                "`no_references` is for plans that retire or drop a column or a table, and this plan does neither",
            )
        } else {
            None
        };
        if let Some(refused) = refused {
            self.problem(PlanError::at(at.key("no_references"), refused).on_key());
            return None;
        }
        let carried = self.steps().filter_map(|step| match step {
            Step::RenameObject(step) => Some(step.to.as_str().to_owned()),
            Step::DropConstraint(step) => Some(step.name.as_str().to_owned()),
            Step::SwapPrimaryKey(step) => Some(step.name.as_str().to_owned()),
            _ => None,
        });
        Some(References {
            carried: carried.collect(),
            wanted,
            columns,
            tables,
        })
    }

    /// The tables that go, or whose name does.
    fn tables_going(&self) -> Vec<TableName> {
        let mut tables: Vec<TableName> = self
            .steps()
            .filter_map(|step| match step {
                Step::RetireTable(step) => Some(step.table.clone()),
                Step::DropTable(step) => Some(step.table.clone()),
                Step::DropAlias(step) if step.rename_column.is_none() => Some(step.table.clone()),
                _ => None,
            })
            .collect();
        tables.sort();
        tables.dedup();
        tables
    }
}

/// The new column that is computed from this one alone, where there is one such.
fn successor(compiled: &[Phase], table: &TableName, column: &Ident) -> Option<ColumnRef> {
    let sync = compiled
        .iter()
        .flat_map(|phase| &phase.steps)
        .find_map(|step| match &step.action {
            Action::SyncColumns(sync) if sync.table == *table => Some(sync),
            _ => None,
        })?;
    let mut readers = sync
        .forward
        .iter()
        .filter(|new| new.reads.iter().any(|read| read.name == *column));
    match (readers.next(), readers.next()) {
        (Some(only), None) if only.reads.len() == 1 => Some(only.target.clone()),
        _ => None,
    }
}

/// The indexes and constraints of a table, and the foreign keys of others, that name the column.
fn hanging(name: &TableName, table: &Table, column: &Ident) -> Vec<(TableName, Ident)> {
    let indexes = table.indexes.iter();
    let indexes = indexes.filter(|index| index.columns.contains(column));
    let constraints = table.constraints.iter();
    let constraints = constraints.filter(|constraint| constraint.columns.contains(column));
    let own = indexes
        .map(|index| &index.name)
        .chain(constraints.map(|constraint| &constraint.name))
        .map(|own| (name.clone(), own.clone()));
    let inbound = table.referenced_by.iter();
    let inbound = inbound
        .filter(|inbound| inbound.columns.contains(column))
        .map(|inbound| (inbound.table.clone(), inbound.name.clone()));
    own.chain(inbound).collect()
}

/// What a step makes, or gives another name. A step may be run again once the new column has the old one's name.
fn made(step: &Step) -> Vec<(TableName, Ident)> {
    let (table, names) = match step {
        Step::CreateIndex(step) => (&step.table, vec![&step.name]),
        Step::AddConstraint(step) => (&step.table, vec![&step.name]),
        Step::AddExclusion(step) => (&step.table, vec![&step.name]),
        Step::RenameConstraint(step) => (&step.table, vec![&step.from, &step.to]),
        Step::RenameObject(step) => (&step.table, vec![&step.from, &step.to]),
        Step::SwapPrimaryKey(step) => (&step.table, vec![&step.name, &step.index]),
        _ => return Vec::new(),
    };
    let names = names.into_iter();
    names.map(|name| (table.clone(), name.clone())).collect()
}

/// The old column goes out of sight, or for good.
fn is_taking_away(phase: PhaseName) -> bool {
    matches!(phase, PhaseName::Retire | PhaseName::Contract)
}

/// What the words of a gate ask for, of those that mean the same in every plan.
pub fn plain_conditions(gate: &Gate) -> Vec<Condition> {
    let mut conditions = Vec::new();
    conditions.extend(gate.approvals.map(Condition::Approvals));
    conditions.extend(gate.bake.map(Condition::Bake));
    conditions.extend(gate.old_writes_quiet.map(Condition::OldWritesQuiet));
    conditions.extend(gate.verified_within.map(Condition::VerifiedWithin));
    conditions.extend(gate.window.clone().map(Condition::Window));
    conditions.extend(gate.http.clone().map(Condition::Http));
    conditions.extend(gate.query.clone().map(Condition::Query));
    conditions.extend(gate.backup.clone().map(Condition::Backup));
    conditions
}

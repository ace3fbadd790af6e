//! Triggers that stay when their run is done (`keep_sync`). Their functions name columns, and fire in every write of
//! the application: what they read or write may not be taken from under them.

use super::{
    compiled::{Action, Assignment, Plan},
    document::RunName,
    scripts,
    steps::DdlStep,
    table_pair::Side,
};
use crate::sqlgen::{sync, table_pair};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use std::collections::BTreeSet;

type Columns = BTreeSet<Ident>;

/// The triggers of one table that call one function of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub function: Ident,
    /// The table by the name that it has now.
    pub table: TableName,
    pub triggers: Vec<Ident>,
    /// Columns that the triggers' conditions name, under the names that they have now. The server lets nobody drop them, or
    /// change their type.
    pub conditions: Vec<Ident>,
    /// It names its table and the key's columns in each write, done or not: an older version of Crossfade wrote it.
    pub names_table: bool,
}

/// What a run that is done has left on a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    run: RunName,
    table: TableName,
    triggers: Vec<Ident>,
    reads: Columns,
    writes: Columns,
    conditions: Columns,
    /// Tables that the function names, and that must keep their names.
    names: Vec<TableName>,
}

/// Which of the triggers that are there belong to these plans, whose runs are done.
pub fn kept(done: &[Plan], standing: &[Standing]) -> Vec<Kept> {
    let mut kept = Vec::new();
    for plan in done {
        let found = |function: Ident| standing.iter().find(move |one| one.function == function);
        for sync in plan.syncs() {
            let function = sync::Objects::of(&plan.name, &sync.table).function;
            kept.extend(found(function).map(|standing| {
                let both = || sync.forward.iter().chain(&sync.backward);
                let mut one = Kept::new(plan, standing, both(), both());
                if standing.names_table {
                    let key = sync::key_in_use(sync).iter();
                    one.reads.extend(key.map(|column| column.name.clone()));
                    one.names.push(sync.table.clone());
                }
                one
            }));
        }
        for link in plan.links() {
            for side in [Side::Parent, Side::Child] {
                let function = table_pair::Objects::of(&plan.name, link).function(side);
                kept.extend(found(function).map(|standing| {
                    let mut one = Kept::new(plan, standing, link.to(side.other()), link.to(side));
                    let columns = link.columns(side).into_iter();
                    one.reads.extend(columns.map(|column| column.name.clone()));
                    one.names = [Side::Parent, Side::Child]
                        .map(|side| link.table(side).clone())
                        .to_vec();
                    one
                }));
            }
        }
    }
    kept
}

impl Kept {
    fn new<'a>(
        plan: &Plan,
        standing: &Standing,
        reading: impl IntoIterator<Item = &'a Assignment>,
        writing: impl IntoIterator<Item = &'a Assignment>,
    ) -> Self {
        let read = reading.into_iter().flat_map(|one| &one.reads);
        Self {
            run: plan.name.clone(),
            table: standing.table.clone(),
            triggers: standing.triggers.clone(),
            reads: read.map(|column| column.name.clone()).collect(),
            writes: targets(writing).collect(),
            conditions: standing.conditions.iter().cloned().collect(),
            names: Vec::new(),
        }
    }

    /// How the plan would take something from under the triggers, in words.
    fn harm(&self, plan: &Plan) -> Vec<String> {
        let table = &self.table;
        let mut harm = Vec::new();
        let mut renamed: Vec<&TableName> = tables_taken(plan).collect();
        renamed.retain(|taken| self.names.contains(taken));
        harm.extend(
            renamed
                .into_iter()
                .map(|taken| format!("{taken}, which they name")),
        );
        let taken = taken(plan, table);
        let is_told = |column: &&Ident| {
            taken.contains(*column)
                && (self.writes.contains(*column) || self.reads.contains(*column))
        };
        let ended = ended(plan, table);
        let mut held: Vec<&Ident> = self.conditions.intersection(&ended).collect();
        held.retain(|column| !is_told(column));
        harm.extend(
            held.into_iter()
                .map(|column| format!("{table}.{column}, which their conditions name")),
        );
        for column in taken {
            let what = if self.writes.contains(&column) {
                "write"
            } else if self.reads.contains(&column) {
                "read"
            } else {
                continue;
            };
            harm.push(format!("{table}.{column}, which they {what}"));
        }
        for column in self.writes.intersection(&followed(plan, table)) {
            harm.push(format!(
                "{table}.{column}, which they write and triggers of {} would read: one of them would read a value that the other has not computed yet",
                plan.name
            ));
        }
        harm
    }

    fn refusal(&self, plan: &Plan, at: &Path) -> Option<PlanError> {
        let harm = self.harm(plan);
        if harm.is_empty() {
            return None;
        }
        let Self { run, table, .. } = self;
        let message = format!(
            "the run {run} is completed and its triggers stay on {table}: {} is about {}. Writes of the application would fail or change the wrong rows",
            plan.name,
            harm.join(", ")
        );
        let drops: Vec<String> = self
            .triggers
            .iter()
            .map(|trigger| format!("DROP TRIGGER {trigger} ON {table};"))
            .collect();
        Some(PlanError::at(at.clone(), message).on_key().help(format!(
            "`crossfade rollback {run}` drops them with the columns that they maintain. To keep the values and stop computing them: {}",
            drops.join(" ")
        )))
    }
}

/// Where a plan would make triggers fail that stay on its tables.
pub fn refusals(plan: &Plan, kept: &[Kept], at: &Path) -> Vec<PlanError> {
    let refusals = kept.iter().map(|kept| kept.refusal(plan, at));
    refusals.flatten().collect()
}

fn targets<'a>(
    assignments: impl IntoIterator<Item = &'a Assignment>,
) -> impl Iterator<Item = Ident> {
    assignments.into_iter().map(|one| one.target.name.clone())
}

/// The columns of a table that the plan renames, drops, gives another type, or writes by triggers and fills of its own.
fn taken(plan: &Plan, table: &TableName) -> Columns {
    let mut taken = Columns::new();
    for (_, step) in plan.steps() {
        match &step.action {
            Action::SyncColumns(sync) if sync.table == *table => {
                taken.extend(targets(sync.forward.iter().chain(&sync.backward)));
            }
            Action::SyncTables(link) => {
                for side in [Side::Parent, Side::Child] {
                    let written = link.to(side).iter().filter(|_| link.table(side) == table);
                    taken.extend(targets(written));
                }
            }
            Action::Fill(fill) if fill.table == *table => taken.extend(targets(&fill.set)),
            Action::Ddl(DdlStep::Sql(sql)) => {
                let reshaped = scripts::reshaped(sql, plan.search_path.as_ref()).into_iter();
                taken.extend(
                    reshaped
                        .filter(|(of, _)| of == table)
                        .map(|(_, column)| column),
                );
            }
            Action::Ddl(step) => taken.extend(taken_by(step, table).cloned()),
            Action::SyncColumns(_) | Action::Fill(_) | Action::Match(_) | Action::Query(_) => {}
        }
    }
    taken
}

/// The tables that the plan renames, drops, or puts a view in place of.
fn tables_taken(plan: &Plan) -> impl Iterator<Item = &TableName> {
    plan.steps().filter_map(|(_, step)| match &step.action {
        Action::Ddl(DdlStep::AliasTable(step)) => Some(&step.table),
        Action::Ddl(DdlStep::RetireTable(step)) => Some(&step.table),
        Action::Ddl(DdlStep::DropTable(step)) => Some(&step.table),
        _ => None,
    })
}

/// The columns of a table that the plan drops in the end, or gives another type: the server refuses either while a trigger's
/// condition names them, and the run would stop there.
fn ended(plan: &Plan, table: &TableName) -> Columns {
    let mut ended = Columns::new();
    for (_, step) in plan.steps() {
        let (of, column) = match &step.action {
            Action::Ddl(DdlStep::RetireColumn(step)) => (&step.table, &step.column),
            Action::Ddl(DdlStep::DropColumn(step)) => (&step.table, &step.column),
            Action::Ddl(DdlStep::TakePlace(step)) => (&step.table, &step.column),
            Action::Ddl(DdlStep::AlterColumnType(step)) => (&step.table, &step.column),
            _ => continue,
        };
        if of == table {
            ended.insert(column.clone());
        }
    }
    ended
}

fn taken_by<'a>(step: &'a DdlStep, table: &TableName) -> impl Iterator<Item = &'a Ident> {
    let columns: Vec<&Ident> = match step {
        DdlStep::RetireColumn(step) => vec![&step.column],
        DdlStep::DropColumn(step) => vec![&step.column],
        DdlStep::TakePlace(step) => vec![&step.column],
        DdlStep::AlterColumnType(step) => vec![&step.column],
        DdlStep::AliasTable(step) => {
            let renamed = step.columns.iter().filter_map(|column| column.of.as_ref());
            renamed.collect()
        }
        _ => Vec::new(),
    };
    let is_about = step.ddl().tables().first() == Some(&table);
    columns.into_iter().filter(move |_| is_about)
}

/// The columns of a table that triggers of the plan compute others from.
fn followed(plan: &Plan, table: &TableName) -> Columns {
    let mut read = Columns::new();
    for sync in plan.syncs().filter(|sync| sync.table == *table) {
        let both = sync.forward.iter().chain(&sync.backward);
        let columns = both.flat_map(|assignment| &assignment.reads);
        read.extend(columns.map(|column| column.name.clone()));
    }
    for link in plan.links() {
        for side in [Side::Parent, Side::Child] {
            if link.table(side) == table {
                let columns = link.columns(side).into_iter();
                read.extend(columns.map(|column| column.name.clone()));
            }
        }
    }
    read
}

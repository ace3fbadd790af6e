//! Both sides of a table in step: the sync itself, and the fill and the match that go by it.

use super::{Compiler, groups};
use crate::{
    compiled::{Assignment, Fill, Match, Sync},
    document::{Assignments, PhaseName},
    facts::{Column, Table},
    key::KeyColumn,
    steps::{Step, fill::FillStep, rows_match::MatchStep, sync_columns::SyncColumns},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use std::collections::{BTreeMap, BTreeSet};

impl Compiler<'_> {
    pub(super) fn sync(&mut self, path: &Path, step: &SyncColumns) -> Option<Sync> {
        let forward = self.assignments(&path.key("forward"), &step.table, &step.forward);
        let backward = self.assignments(&path.key("backward"), &step.table, &step.backward);
        let (mut forward, mut backward) = (forward?, backward?);
        if forward.is_empty() {
            self.problem(PlanError::at(
                path.key("forward"),
                "`forward` names no column",
            ));
        }
        for assignment in forward.iter().chain(&backward) {
            self.claim(&step.table, &assignment.target.name);
        }
        self.check_each_side(path, &step.table, &forward, &backward);
        self.check_new_defaults(path, &step.table, &forward);
        groups::number(&mut forward, &mut backward);
        let new_side: BTreeSet<Ident> = targets(&forward).cloned().collect();
        let table = self.table(&step.table);
        let old: Vec<&Column> = table
            .into_iter()
            .flat_map(|table| &table.columns)
            .filter(|column| !new_side.contains(&column.name) && !column.generated)
            .collect();
        let named = |columns: Vec<&&Column>| columns.iter().map(|c| c.name.clone()).collect();
        Some(Sync {
            table: step.table.clone(),
            on_unconvertible: step.on_unconvertible,
            key: self.key_of(&step.table),
            old_defaults: old
                .iter()
                .filter_map(|column| Some((column.name.clone(), column.default.clone()?)))
                .collect(),
            kept: self.kept(&step.table, &forward, &backward),
            required: named(old.iter().filter(|column| column.not_null).collect()),
            forward,
            backward,
        })
    }

    pub(super) fn fill(&mut self, path: &Path, step: &FillStep) -> Option<Fill> {
        if let Some(from) = &step.from {
            return self.fill_across(path, step, from);
        }
        if step.set.is_empty() {
            self.problem(
                PlanError::at(path.clone(), "`fill` says neither `set` nor `from`")
                    .on_key()
                    .help("say what each new column is: `set: {new: expression}`"),
            );
            return None;
        }
        let mut set = self.assignments(&path.key("set"), &step.table, &step.set)?;
        let backward = self.sync_backward(&step.table);
        let mut backward = self.assignments(path, &step.table, &backward)?;
        groups::number(&mut set, &mut backward);
        Some(Fill {
            table: step.table.clone(),
            set,
            key: self.key_of(&step.table),
            link: None,
        })
    }

    pub(super) fn matching(&mut self, path: &Path, step: &MatchStep) -> Option<Match> {
        if let Some(from) = &step.from {
            return self.match_across(path, step, from);
        }
        if step.columns.is_empty() {
            self.problem(
                PlanError::at(path.clone(), "`match` says neither `columns` nor `from`")
                    .on_key()
                    .help("say what must agree: `columns: {new: expression}`"),
            );
            return None;
        }
        let given = if step.backward.is_empty() {
            self.sync_backward(&step.table)
        } else {
            step.backward.clone()
        };
        let mut columns = self.assignments(&path.key("columns"), &step.table, &step.columns)?;
        let mut backward = self.assignments(&path.key("backward"), &step.table, &given)?;
        groups::number(&mut columns, &mut backward);
        Some(Match {
            table: step.table.clone(),
            columns,
            backward,
            key: self.key_of(&step.table),
            link: None,
        })
    }

    /// Each change by itself: what one of them reads does not stand for what another must.
    fn check_each_side(
        &mut self,
        path: &Path,
        table: &TableName,
        forward: &[Assignment],
        backward: &[Assignment],
    ) {
        let mut by_place: BTreeMap<Path, [Vec<Assignment>; 2]> = BTreeMap::new();
        for (side, assignments) in [forward, backward].into_iter().enumerate() {
            for assignment in assignments {
                let place = self.place_of_target(path, table, &assignment.target.name);
                by_place.entry(place).or_default()[side].push(assignment.clone());
            }
        }
        for (place, [forward, backward]) in by_place {
            self.check_sides(&place, table, &forward, &backward);
        }
    }

    /// Each expression computes one side from the other: else what follows would depend on the order of evaluation, or
    /// a column could change that nothing is computed from again.
    fn check_sides(
        &mut self,
        path: &Path,
        table: &TableName,
        forward: &[Assignment],
        backward: &[Assignment],
    ) {
        let (new, written_back): (BTreeSet<&Ident>, BTreeSet<&Ident>) =
            (targets(forward).collect(), targets(backward).collect());
        let old: BTreeSet<&Ident> = reads(forward).collect();
        let mut problems = Vec::new();
        if let Some(both) = written_back.iter().find(|column| new.contains(*column)) {
            problems.push(("backward", format!("{both} is on both sides"), None));
        }
        for assignment in forward {
            let own = reads(std::slice::from_ref(assignment)).find(|column| new.contains(column));
            if let Some(column) = own {
                let target = &assignment.target.name;
                let what = format!("{target} is computed from {column}, which is on its own side");
                let help = "write the expression over the old columns";
                problems.push(("forward", what, Some(help)));
            }
        }
        for assignment in backward {
            let target = &assignment.target.name;
            for column in reads(std::slice::from_ref(assignment)) {
                let (help, why) = match (new.contains(column), column == target) {
                    (true, _) | (_, true) => continue,
                    _ if written_back.contains(column) => (
                        "write the expression over the new columns",
                        "which is computed back itself",
                    ),
                    _ if old.contains(column) => continue,
                    _ => (
                        "let `forward` read it too, or leave it out: after a write to it the sides would differ",
                        "which is on neither side",
                    ),
                };
                let what = format!("{target} is computed back from {column}, {why}");
                problems.push(("backward", what, Some(help)));
            }
        }
        let generated = |column: &&Ident| {
            let known = self.table(table).and_then(|table| table.column(column));
            known.is_some_and(|column| column.generated)
        };
        for (key, side) in [("forward", forward), ("backward", backward)] {
            if let Some(column) = reads(side).find(generated) {
                let what = format!("{column} is a generated column, which a trigger cannot read");
                let help = "write its expression instead";
                problems.push((key, what, Some(help)));
            }
        }
        for (key, what, help) in problems {
            let place = if self.document.is_explicit() {
                path.key(key)
            } else {
                path.clone()
            };
            let problem = PlanError::at(place, what);
            self.problem(match help {
                Some(help) => problem.help(help),
                None => problem,
            });
        }
    }

    /// A default would stand for a value of the new version in every row that the old one inserts, and overwrite what it gave.
    fn check_new_defaults(&mut self, path: &Path, table: &TableName, forward: &[Assignment]) {
        let mut problems = Vec::new();
        for column in targets(forward) {
            let there = self.table(table).and_then(|table| table.column(column));
            let steps = self
                .phases
                .iter()
                .filter(|placed| placed.phase.phase != PhaseName::Contract)
                .flat_map(|placed| &placed.phase.steps);
            let is_given = steps.into_iter().any(|step| match step {
                Step::AddColumn(step) => {
                    step.table == *table && step.column == *column && step.default.is_some()
                }
                Step::SetDefault(step) => step.table == *table && step.column == *column,
                _ => false,
            });
            if is_given || there.is_some_and(|column| column.default.is_some()) {
                let what = format!(
                    "{column} has a default while it is kept in step: what the old version inserts would be overwritten with it"
                );
                let place = self.place_of_target(path, table, column);
                problems.push(PlanError::at(place, what).on_key().help(
                    "leave the default out, and say `set_default` in contract, after `drop_sync`",
                ));
            }
        }
        for problem in problems {
            self.problem(problem);
        }
    }

    /// The columns of the old side that the plan leaves where they are, if it takes any away.
    fn kept(
        &self,
        table: &TableName,
        forward: &[Assignment],
        backward: &[Assignment],
    ) -> BTreeSet<Ident> {
        let new: BTreeSet<&Ident> = targets(forward).collect();
        let old: BTreeSet<&Ident> = reads(forward)
            .chain(targets(backward))
            .chain(reads(backward))
            .filter(|column| !new.contains(column))
            .collect();
        let steps = self.steps();
        let goes: BTreeSet<&Ident> = steps
            .filter_map(|step| match step {
                Step::RetireColumn(step) if step.table == *table => Some(&step.column),
                Step::DropColumn(step) if step.table == *table => Some(&step.column),
                Step::TakePlace(step) if step.table == *table => Some(&step.column),
                _ => None,
            })
            .collect();
        if old.iter().any(|column| goes.contains(column)) {
            old.difference(&goes)
                .map(|column| (*column).clone())
                .collect()
        } else {
            BTreeSet::new()
        }
    }

    /// Where a `match` does not say how the old side follows from the new one, the table's sync does.
    fn sync_backward(&self, table: &TableName) -> Assignments {
        let steps = self.steps();
        steps
            .filter_map(|step| match step {
                Step::SyncColumns(sync) if sync.table == *table => Some(sync.backward.clone()),
                _ => None,
            })
            .next()
            .unwrap_or_default()
    }

    fn key_of(&self, table: &TableName) -> Vec<KeyColumn> {
        self.table(table)
            .map(Table::key_columns)
            .unwrap_or_default()
    }
}

fn targets(assignments: &[Assignment]) -> impl Iterator<Item = &Ident> {
    assignments.iter().map(|assignment| &assignment.target.name)
}

fn reads(assignments: &[Assignment]) -> impl Iterator<Item = &Ident> {
    let reads = assignments.iter().flat_map(|assignment| &assignment.reads);
    reads.map(|column| &column.name)
}

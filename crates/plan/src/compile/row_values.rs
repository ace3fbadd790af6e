//! Whole rows and composite values: where a row of the table is stored as a value, read as a whole, or kept in a column.

use super::Compiler;
use crate::sqlgen::{literal, rename::names_column};
use crate::{
    facts::{RowReader, Table, Unproven},
    steps::{Step, drop_alias::RenamedColumn},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};

impl Compiler<'_> {
    /// Another table stores rows of this one as values. Dropping a column removes its values there as well, and nothing fills
    /// the column that takes its place.
    pub(super) fn check_stored_rows(&mut self, place: &Path, name: &TableName, table: &Table) {
        if table.rows_stored_in.is_empty() {
            return;
        }
        let steps = || self.steps();
        let drops = steps().any(|step| match step {
            Step::DropColumn(step) => step.table == *name,
            _ => false,
        });
        // PostgreSQL itself would refuse the change of a type, when the run comes to it.
        let takes_place = steps().any(|step| match step {
            Step::TakePlace(step) => step.table == *name,
            Step::AlterColumnType(step) => step.table == *name,
            _ => false,
        });
        let synced = |step| matches!(step, &Step::SyncColumns(_) | &Step::SyncTables(_));
        let replaces = takes_place || drops && steps().any(synced);
        if !drops && !takes_place {
            return;
        }
        let stored = table.rows_stored_in.join(", ");
        let problem = PlanError::at(
            place.clone(),
            format!(
                "{stored} holds whole rows of {name}: dropping a column of {name} removes its values there, too"
            ),
        );
        let problem = match replaces {
            true => problem.help(
                "Crossfade fills the new column in the table itself only. Store single values or jsonb there first",
            ),
            false => problem.warning(),
        };
        self.problem(problem);
    }

    /// A function that is given the whole row finds a column by its name, which nothing but its body says.
    pub(super) fn check_whole_rows(&mut self, place: &Path, name: &TableName, table: &Table) {
        let (sure, unsure): (Vec<&RowReader>, Vec<&RowReader>) = table
            .row_readers
            .iter()
            .filter(|reader| self.loses_name(name, &reader.column))
            .partition(|reader| reader.is_sure);
        for reader in sure {
            let message = format!(
                "{}: what comes to it fails from `retire` on",
                reader.described()
            );
            let help = "when the old version no longer writes, change the function to read the new column or neither. The gate of `retire` waits for that";
            self.problem(PlanError::at(place.clone(), message).warning().help(help));
        }
        for reader in unsure {
            let message = format!(
                "{}: then it fails from `retire` on, or finds nothing",
                reader.described()
            );
            let help = "change it before `retire`; `gates: {retire: {no_references: 24h}}` waits for functions that may name the column";
            self.problem(PlanError::at(place.clone(), message).warning().help(help));
        }
    }

    /// The table itself gets the new name in `contract`, and no column of it has both until then.
    pub(super) fn check_rows_behind_view(&mut self, place: &Path, name: &TableName, table: &Table) {
        let renamed = self.steps().find_map(|step| match step {
            Step::DropAlias(step) if step.table == *name => step.rename_column.as_ref(),
            _ => None,
        });
        let Some(RenamedColumn { from, to }) = renamed else {
            return;
        };
        for reader in table
            .row_readers
            .iter()
            .filter(|reader| reader.column == *from)
        {
            let message = format!(
                "{}: what comes to it fails once the table's column is called {to}, in `contract`",
                reader.described()
            );
            let help = format!(
                "first let the function read the row under either name (in PL/pgSQL: IF to_jsonb(NEW) ? {} THEN …), or rename with `strategy: copy`",
                literal::text(to.as_str())
            );
            self.problem(PlanError::at(place.clone(), message).warning().help(help));
        }
    }

    /// Nothing has the name of the column from `retire` or `contract` on.
    fn loses_name(&self, table: &TableName, column: &Ident) -> bool {
        let (mut goes, mut stays) = (false, false);
        for step in self.steps() {
            match step {
                Step::RetireColumn(step) if step.table == *table && step.column == *column => {
                    goes = true;
                    stays |= step.replace_with.is_some();
                }
                Step::TakePlace(step) if step.table == *table && step.column == *column => {
                    stays = true;
                }
                Step::DropColumn(step) => goes |= step.table == *table && step.column == *column,
                _ => {}
            }
        }
        goes && !stays
    }

    /// PostgreSQL looks at a CHECK whenever it writes a row, at one that is NOT VALID too: a row that breaks it cannot be filled.
    pub(super) fn check_unproven(&mut self, place: &Path, name: &TableName, table: &Table) {
        let mut steps = self.steps();
        let is_written = steps.any(|step| match step {
            Step::Fill(step) => step.table == *name,
            _ => false,
        });
        if !is_written {
            return;
        }
        for Unproven {
            table,
            name,
            condition,
        } in &table.unproven
        {
            let message = format!(
                "the CHECK {name} of {table} is NOT VALID: a row that breaks it cannot be updated, and the backfill puts it into quarantine"
            );
            let help = format!(
                "a later phase waits for such rows: find them (SELECT * FROM {table} WHERE NOT ({condition})), correct them, and run ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
            );
            self.problem(PlanError::at(place.clone(), message).warning().help(help));
        }
    }

    /// Whether a side has a value is asked by `IS NULL`, which is true of `(,)` too, and `IS NOT NULL`, which is not of `(1,)`.
    pub(super) fn check_composite(&mut self, place: &Path, name: &TableName, table: &Table) {
        let names = |step: &Step, column: &Ident| {
            let (forward, backward) = match step {
                Step::SyncColumns(sync) if sync.table == *name => (&sync.forward, &sync.backward),
                Step::SyncTables(sync) if sync.from == *name || sync.to == *name => {
                    (&sync.forward, &sync.backward)
                }
                _ => return false,
            };
            let mut expressions = forward.values().chain(backward.values());
            backward.contains_key(column)
                || expressions.any(|expression| names_column(expression.as_str(), column))
        };
        let steps = || self.steps();
        let composite = table
            .columns
            .iter()
            .find(|column| column.composite && steps().any(|step| names(step, &column.name)));
        let Some(column) = composite else { return };
        let problem = PlanError::at(
            place.clone(),
            format!(
                "{name}.{} is of the composite type {}: a value whose fields are all NULL cannot be told from NULL",
                column.name, column.type_name
            ),
        );
        self.problem(
            problem
                .help("add the new column with `add_column`, and let the application write both"),
        );
    }
}

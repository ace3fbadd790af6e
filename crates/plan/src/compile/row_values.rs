//! Whole rows and composite values: where a row of the table is stored as a value, read as a whole, or kept in a column.

use super::Compiler;
use crate::sqlgen::rename::{names_column, reads_whole_row};
use crate::{facts::Table, steps::Step};
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

    /// A function over the whole row finds a column by its name, which nothing but its body says.
    pub(super) fn check_whole_rows(&mut self, place: &Path, name: &TableName, table: &Table) {
        let mut steps = self.steps();
        let renames = steps.any(|step| match step {
            Step::RetireColumn(step) => step.table == *name,
            Step::DropColumn(step) => step.table == *name,
            _ => false,
        });
        let constraints = table
            .constraints
            .iter()
            .map(|one| (&one.name, &one.definition));
        let indexes = table.indexes.iter().map(|one| (&one.name, &one.using));
        let over_row: Vec<String> = constraints
            .chain(indexes)
            .filter(|(_, text)| reads_whole_row(text, &name.name))
            .map(|(name, _)| name.to_string())
            .collect();
        if !renames || over_row.is_empty() {
            return;
        }
        let problem = PlanError::at(
            place.clone(),
            format!(
                "{} of {name} reads the whole row: if its function uses a column that is renamed or dropped, every write fails from `retire` on",
                over_row.join(", ")
            ),
        );
        self.problem(problem.warning().help("read the function; if it uses the column, change it or drop the constraint or index before `retire`"));
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
                "{name}.{} is of the composite type {}: a value whose fields are NULL cannot be told from none",
                column.name, column.type_name
            ),
        );
        self.problem(
            problem
                .help("add the new column with `add_column`, and let the application write both"),
        );
    }
}

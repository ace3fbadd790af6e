//! Which names the triggers of a run have: they fire after those of the application that may change a row.

use super::Compiler;
use crate::sqlgen::order;
use crate::{facts::ChangingTrigger, steps::Step};
use crossfade_model::{
    error::PlanError,
    ident::{Ident, TableName},
};

impl Compiler<'_> {
    /// `None`: as they are mostly called. What comes after every name that ours could have is refused.
    pub(super) fn triggers_begin(&mut self) -> Option<String> {
        let steps = self.steps();
        let tables: Vec<&TableName> = steps
            .flat_map(|step| match step {
                Step::SyncColumns(step) => vec![&step.table],
                Step::SyncTables(step) => vec![&step.from, &step.to],
                _ => Vec::new(),
            })
            .collect();
        let found = tables.iter().filter_map(|name| self.table(name));
        let others: Vec<&ChangingTrigger> =
            found.flat_map(|table| &table.changing_triggers).collect();
        let names: Vec<&Ident> = others.iter().map(|one| &one.name).collect();
        let run = &self.document.name;
        if let Some(beginning) = order::beginning_after(names.iter().copied(), run) {
            return (beginning != order::USUAL).then(|| beginning.to_owned());
        }
        let last = others.iter().max_by_key(|one| one.name.as_str());
        let place = tables.first().map(|table| self.place(table));
        if let (Some(last), Some(place)) = (last, place) {
            let ChangingTrigger { table, name } = last;
            let message = format!(
                "the trigger {name} of {table} would fire after the triggers that keep both sides in step, and may change what they have copied"
            );
            let help = format!(
                "triggers fire in the order of their names: ALTER TRIGGER {name} ON {table} RENAME TO one that begins with a plain letter"
            );
            self.problem(PlanError::at(place, message).help(help));
        }
        None
    }
}

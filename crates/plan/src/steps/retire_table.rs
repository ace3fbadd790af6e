//! `retire_table`: renamed out of sight with all that hangs on it. One command undoes it.

use super::{Ddl, DdlStep, Decides, Described, NewName, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{
    ddl_unit::{DdlUnit, Goal, Statement},
    table_pair::{self, Moment},
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Renames a table, with its indexes, triggers and privileges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireTable {
    pub table: TableName,
}

/// Its name while it is out of sight.
pub fn aside(table: &TableName) -> TableName {
    TableName {
        schema: table.schema.clone(),
        name: table.name.with_suffix("_crossfade_retired"),
    }
}

fn rename(from: &TableName, to: &Ident) -> DdlUnit {
    let statement = Statement::new(format!("ALTER TABLE {from} RENAME TO {to}"));
    DdlUnit::locking(
        Goal::TableRenamed {
            from: from.clone(),
            to: to.clone(),
        },
        vec![statement.lock(from, Lock::AccessExclusiveLock)],
    )
}

impl Described for RetireTable {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Retire]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

impl Ddl for RetireTable {
    fn replaces_table(&self) -> bool {
        true
    }

    fn parts(&self, plan: &Plan) -> Vec<DdlUnit> {
        let part = rename(&self.table, &aside(&self.table).name);
        self.in_step(plan, part, Moment::After)
    }

    fn undo(&self, plan: &Plan) -> Undo {
        Undo::Parts(self.in_step(plan, self.rename_back(), Moment::Before))
    }

    fn new_names(&self) -> Vec<NewName> {
        vec![NewName::Renamed(aside(&self.table))]
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }

    /// Its other steps need the table under its name again, whoever renamed it.
    fn decided_by(&self) -> Decides {
        Decides::NoPart
    }
}

impl RetireTable {
    /// The functions of a sync name the table: they are replaced in the same transaction, while nobody writes either.
    fn in_step(&self, plan: &Plan, mut part: DdlUnit, moment: Moment) -> Vec<DdlUnit> {
        let Some(link) = plan.link(&self.table) else {
            return vec![part];
        };
        let this = DdlStep::RetireTable(self.clone());
        let names = table_pair::names_around(plan, link, &this, moment);
        part.statements
            .insert(0, table_pair::lock_other(link, &self.table, &names));
        DdlUnit::together(vec![
            part,
            table_pair::replace_functions(plan, link, &names),
        ])
    }

    pub fn rename_back(&self) -> DdlUnit {
        rename(&aside(&self.table), &self.table.name)
    }
}

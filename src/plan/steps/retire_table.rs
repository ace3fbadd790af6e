//! `retire_table`: renamed out of sight with all that hangs on it. One command undoes it.

use super::{Ddl, DdlStep, Described, Undo};
use crate::plan::{
    compiled::Plan,
    document::PhaseName,
    ident::{Ident, TableName},
};
use crate::statement::{
    link::{self, Moment},
    part::{Goal, Lock, Part, Statement},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

fn rename(from: &TableName, to: &Ident) -> Part {
    let statement = Statement::new(format!("ALTER TABLE {from} RENAME TO {to}"));
    Part::locking(
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

    fn parts(&self, plan: &Plan) -> Vec<Part> {
        let mut part = rename(&self.table, &aside(&self.table).name);
        part.statements.extend(self.functions(plan, Moment::After));
        vec![part]
    }

    fn undo(&self, plan: &Plan) -> Undo {
        let mut part = rename(&aside(&self.table), &self.table.name);
        part.statements.extend(self.functions(plan, Moment::Before));
        Undo::Parts(vec![part])
    }
}

impl RetireTable {
    /// The functions of a sync name the table: they are replaced in the same transaction, behind its lock.
    fn functions(&self, plan: &Plan, moment: Moment) -> Vec<Statement> {
        let Some(link) = plan.link(&self.table) else {
            return Vec::new();
        };
        let this = DdlStep::RetireTable(self.clone());
        let names = link::names_around(plan, link, &this, moment);
        link::replace_functions(plan, link, &names)
    }
}

//! `retire_column`: the old column is renamed out of sight, still kept in step. One command undoes it.

use super::{Ddl, DdlStep, Decides, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{
    ddl_unit::{DdlUnit, Goal, Statement},
    sync::{self, Names},
    table_pair::{self, Moment},
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Renames the old column, and still keeps it in step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireColumn {
    pub table: TableName,
    pub column: Ident,
    /// The column that gets its name in the same transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace_with: Option<Ident>,
}

impl RetireColumn {
    /// Its name while it is out of sight.
    pub fn aside(&self) -> Ident {
        self.column.with_suffix("_crossfade_retired")
    }
}

impl Described for RetireColumn {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Retire]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
}

impl Ddl for RetireColumn {
    fn needs(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn claims(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    /// The function names columns, so it is replaced in the same transaction: no write fails in between.
    fn parts(&self, plan: &Plan) -> Vec<DdlUnit> {
        let mut retired = self.before(plan);
        retired.push(self);
        let names = Names::retired(retired);
        let mut renames = vec![self.rename(&self.column, &self.aside())];
        let goal = match &self.replace_with {
            None => self.renamed(&self.column, &self.aside()),
            Some(by) => {
                renames.push(self.rename(by, &self.column));
                Goal::Replaced {
                    table: self.table.clone(),
                    column: self.column.clone(),
                    by: by.clone(),
                    aside: self.aside(),
                }
            }
        };
        self.with_functions(plan, DdlUnit::locking(goal, renames), &names, Moment::After)
    }

    fn undo(&self, plan: &Plan) -> Undo {
        let mut renames = Vec::new();
        if let Some(by) = &self.replace_with {
            renames.push(self.rename(&self.column, by));
        }
        renames.push(self.rename(&self.aside(), &self.column));
        let goal = match &self.replace_with {
            None => self.renamed(&self.aside(), &self.column),
            Some(by) => Goal::Unreplaced {
                table: self.table.clone(),
                column: self.column.clone(),
                by: by.clone(),
                aside: self.aside(),
            },
        };
        Undo::Parts(self.with_functions(
            plan,
            DdlUnit::locking(goal, renames),
            &Names::retired(self.before(plan)),
            Moment::Before,
        ))
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }

    /// Its other steps need the column under its name again, whoever renamed it.
    fn decided_by(&self) -> Decides {
        Decides::NoPart
    }
}

impl RetireColumn {
    /// The columns that the plan retires before this one: they are out of sight already.
    fn before<'a>(&self, plan: &'a Plan) -> Vec<&'a Self> {
        let retired = plan.retired(&self.table).into_iter();
        retired.take_while(|other| *other != self).collect()
    }

    fn renamed(&self, from: &Ident, to: &Ident) -> Goal {
        Goal::ColumnRenamed {
            table: self.table.clone(),
            from: from.clone(),
            to: to.clone(),
        }
    }

    fn rename(&self, from: &Ident, to: &Ident) -> Statement {
        Statement::new(format!(
            "ALTER TABLE {} RENAME COLUMN {from} TO {to}",
            self.table
        ))
        .lock(&self.table, Lock::AccessExclusiveLock)
    }

    /// The functions are a part of their own, in the same transaction: the columns may have been renamed by hand, and the
    /// functions name them as before.
    fn with_functions(
        &self,
        plan: &Plan,
        renames: DdlUnit,
        names: &Names,
        moment: Moment,
    ) -> Vec<DdlUnit> {
        // The lock comes first: while the function is replaced no write may be under way that still calls the other.
        let mut parts = vec![renames];
        if let Some(sync) = plan.sync(&self.table) {
            parts.push(sync::replace_function(plan, sync, names));
        }
        if let Some(link) = plan.link(&self.table) {
            let this = DdlStep::RetireColumn(self.clone());
            let names = table_pair::names_around(plan, link, &this, moment);
            let lock = table_pair::lock_other(link, &self.table, &names);
            parts[0].statements.insert(0, lock);
            parts.push(table_pair::replace_functions(plan, link, &names));
        }
        DdlUnit::together(parts)
    }

    /// The renames that take it back, each by itself: somebody may have done some of them, or dropped a column.
    pub fn renames_back(&self) -> Vec<DdlUnit> {
        let by = self.replace_with.iter().map(|by| (&self.column, by));
        let aside = self.aside();
        by.chain(std::iter::once((&aside, &self.column)))
            .map(|(from, to)| DdlUnit::locking(self.renamed(from, to), vec![self.rename(from, to)]))
            .collect()
    }
}

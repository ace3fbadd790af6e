//! `sync_tables`: columns of two tables are kept in step by triggers while both versions of the application write.

use super::{Action, Described};
use crate::sqlgen::{
    cost::{Cost, Loss, Rows, Thing},
    ddl_unit::{DdlUnit, Statement},
    table_pair,
};
use crate::{
    compiled::{Plan, PlannedStep},
    document::{Assignments, Expression, PhaseName},
    steps::{DdlStep, Undo},
    table_pair::{DeleteAlong, Side, TablePair},
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Keeps columns of two tables in step with triggers, while both versions of the application write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncTables {
    /// The table with the old columns.
    pub from: TableName,
    /// The table with the new columns.
    pub to: TableName,
    /// The table with at most one row for each key. The rows of the other table belong to it.
    #[serde(default, skip_serializing_if = "ParentIs::is_to")]
    pub parent: ParentIs,
    /// Column of `to`: column of `from` that it equals.
    pub by: BTreeMap<Ident, Ident>,
    /// Column of `to`: expression over `from`.
    pub forward: Assignments,
    /// Column of `from`: expression over `to`. Without it the change is one-way.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub backward: Assignments,
    /// If several rows belong to one, the first in this order counts, such as `captured_at DESC`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<Expression>,
    /// Deleting a row of the parent deletes the rows that belong to it.
    #[serde(default, skip_serializing_if = "DeleteAlong::is_no")]
    pub delete_along: DeleteAlong,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParentIs {
    From,
    #[default]
    To,
}

impl ParentIs {
    fn is_to(&self) -> bool {
        match self {
            Self::From => false,
            Self::To => true,
        }
    }
}

impl SyncTables {
    /// The side that the new columns are on.
    pub fn new_side(&self) -> Side {
        match self.parent {
            ParentIs::To => Side::Parent,
            ParentIs::From => Side::Child,
        }
    }

    /// The parent and the child.
    pub fn parent_and_child(&self) -> (&TableName, &TableName) {
        match self.parent {
            ParentIs::To => (&self.to, &self.from),
            ParentIs::From => (&self.from, &self.to),
        }
    }
}

impl Described for SyncTables {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::DualWrite]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.to, &self.from]
    }
    fn subject(&self) -> String {
        format!("{}->{}", self.from, self.to)
    }
}

/// What the new version wrote that nothing computes back, as the triggers have noted it.
pub fn cost(link: &TablePair) -> Cost {
    let table = link.table(link.new);
    if !link.backward().is_empty() {
        return Cost::default();
    }
    let losses = link.forward().iter().map(|one| {
        let column = &one.target.name;
        Loss {
            of: Thing::Column(table.clone(), column.clone()),
            what: format!(
                "rows of {table} whose {column} the new version wrote, and which cannot be computed back"
            ),
            rows: Rows::Overtaken(link.parent.to_string()),
            kept_in_step: false,
        }
    });
    Cost {
        losses: losses.collect(),
        obstacles: Vec::new(),
    }
}

/// Back to the start: the new columns, or the new table, go in the transaction that takes the triggers away, or what the
/// new version writes between the two would be lost.
/// `is_its_own`: the step made it, and did not find it there.
pub fn undo_to_start(
    plan: &Plan,
    link: &TablePair,
    is_its_own: impl Fn(&PlannedStep) -> bool,
) -> DdlUnit {
    let mut part = table_pair::uninstall(plan, link, &table_pair::names_as_planned());
    let expand = plan.phase(PhaseName::Expand);
    let steps = expand.map_or(&[][..], |expand| &expand.steps);
    let steps = steps.iter().filter(|step| may_concern(link, step));
    let is_new = |step: &PlannedStep| match &step.action {
        Action::Ddl(DdlStep::AddColumn(add)) => add.table == link.parent,
        Action::Ddl(DdlStep::CreateTable(create)) => create.table == link.child,
        _ => false,
    };
    if !steps.clone().all(is_new) {
        return part;
    }
    for step in steps.rev().filter(|step| is_its_own(step)) {
        match &step.action {
            Action::Ddl(DdlStep::AddColumn(add)) => part.statements.push(add.dropped_if_there()),
            Action::Ddl(DdlStep::CreateTable(create)) => {
                if let Undo::Parts(dropped) = super::Ddl::undo(create, plan) {
                    let statements = dropped.into_iter().flat_map(|part| part.statements);
                    part.statements.extend(statements);
                }
            }
            _ => {}
        }
    }
    part
}

/// Back to where `expand` had ended: what was filled is emptied in the transaction that takes the triggers away, as
/// nothing keeps it in step from then on. `None`: it cannot be emptied without losing more than values.
pub fn undo_to_expand(
    plan: &Plan,
    link: &TablePair,
    is_its_own: impl Fn(&PlannedStep) -> bool,
) -> Option<DdlUnit> {
    let expand = plan.phase(PhaseName::Expand)?;
    let mut steps = expand.steps.iter().filter(|step| may_concern(link, step));
    if !steps.all(is_its_own) {
        return None;
    }
    let mut part = table_pair::uninstall(plan, link, &table_pair::names_as_planned());
    if link.new == Side::Child {
        let sql = format!("TRUNCATE {}", link.child);
        let emptied = Statement::new(sql).lock(&link.child, Lock::AccessExclusiveLock);
        part.statements.push(emptied);
        return Some(part);
    }
    for assignment in link.forward() {
        let made = expand.steps.iter().find_map(|step| match &step.action {
            Action::Ddl(DdlStep::AddColumn(add))
                if add.table == link.parent && add.column == assignment.target.name =>
            {
                Some(add)
            }
            _ => None,
        })?;
        let Undo::Parts(dropped) = super::Ddl::undo(made, plan) else {
            return None;
        };
        for anew in dropped.into_iter().chain(super::Ddl::parts(made, plan)) {
            part.statements.extend(anew.statements);
        }
    }
    Some(part)
}

/// A step of another change of the plan, about other tables, is no concern of the link's.
fn may_concern(link: &TablePair, step: &PlannedStep) -> bool {
    match &step.action {
        // Of the author's own statements nothing is known.
        Action::Ddl(DdlStep::Sql(_)) => true,
        Action::Ddl(step) => {
            let tables = step.ddl().tables();
            tables.contains(&&link.parent) || tables.contains(&&link.child)
        }
        Action::SyncColumns(_)
        | Action::SyncTables(_)
        | Action::Fill(_)
        | Action::Match(_)
        | Action::Query(_) => false,
    }
}

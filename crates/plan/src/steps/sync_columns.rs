//! `sync_columns`: old and new columns are kept in step by triggers while both versions of the application write.

use super::{Ddl, DdlStep, Described, Undo, add_column::AddColumn};
use crate::claims;
use crate::sqlgen::{
    cost::{Cost, Loss, Rows, Thing},
    ddl_unit::DdlUnit,
    group::{groups, overtaken_mark},
    sync,
};
use crate::{
    compiled::{Action, Plan, PlannedStep, Sync},
    document::{Assignments, PhaseName},
};
use crossfade_model::ident::TableName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps old and new columns of a table in step with triggers, while both versions of the application write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncColumns {
    pub table: TableName,
    /// New column: expression over the old columns.
    pub forward: Assignments,
    /// Old column: expression over the new columns. Without it the change is one-way.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub backward: Assignments,
    #[serde(default)]
    pub on_unconvertible: OnUnconvertible,
}

impl Described for SyncColumns {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::DualWrite]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

/// What happens to a write whose value the other side cannot take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnconvertible {
    /// The write succeeds. The row goes to quarantine, and closes the gates until it is corrected.
    #[default]
    Quarantine,
    /// The write fails, as with a CHECK.
    Reject,
}

/// What the new version wrote that no expression computes back. The triggers note it by the row's key while the run is
/// active; where they stay after it, or there is no key, the values themselves say.
pub fn cost(plan: &Plan, sync: &Sync) -> Cost {
    let noted = !sync.key.is_empty() && plan.phase(PhaseName::Contract).is_some();
    let table = &sync.table;
    let mut losses = Vec::new();
    for group in groups(&sync.forward, &sync.backward) {
        if !group.is_one_way() {
            continue;
        }
        let mark = overtaken_mark(table, &group);
        for one in &group.forward {
            let (column, expression, type_name) =
                (&one.target.name, &one.expression, &one.target.type_name);
            let rows = format!(
                "FROM {table} WHERE {column} IS DISTINCT FROM NULL AND {column}::text IS DISTINCT FROM (({expression}\n)::{type_name})::text"
            );
            losses.push(Loss {
                of: Thing::Column(table.clone(), column.clone()),
                what: format!("rows of {table} whose {column} the new version wrote, and which cannot be computed back"),
                rows: if noted {
                    Rows::Overtaken(mark.clone())
                } else {
                    Rows::Of(rows)
                },
                kept_in_step: false,
            });
        }
    }
    Cost {
        losses,
        obstacles: Vec::new(),
    }
}

/// Back to the start: the new columns go in the transaction that takes the triggers away, or what the new version writes
/// between the two would be lost. Where something else was made in `expand`, which may hang on them, they go after it.
/// `is_its_own`: the step made the column, and did not find it there.
pub fn undo_to_start(
    plan: &Plan,
    sync: &Sync,
    is_its_own: impl Fn(&PlannedStep) -> bool,
) -> DdlUnit {
    let mut part = sync::uninstall(plan, &sync.table);
    let expand = plan.phase(PhaseName::Expand);
    let steps = expand.map_or(&[][..], |expand| &expand.steps);
    if steps.iter().any(|step| may_hang(plan, sync, step)) {
        return part;
    }
    for step in steps.iter().rev() {
        let Action::Ddl(DdlStep::AddColumn(add)) = &step.action else {
            continue;
        };
        let mut targets = sync.forward.iter().map(|assignment| &assignment.target);
        let is_target = targets.any(|target| target.name == add.column);
        if add.table == sync.table && is_target && is_its_own(step) {
            part.statements.push(add.dropped_if_there());
        }
    }
    part
}

/// Back to where `expand` had ended, when the new columns were empty: they are emptied, by being made anew in the
/// transaction that takes the triggers away. Nothing keeps their values in step from then on, and a later backfill
/// would take what is there for filled. `None`: they cannot be made anew without losing more than values.
pub fn undo_to_expand(
    plan: &Plan,
    sync: &Sync,
    is_its_own: impl Fn(&PlannedStep) -> bool,
) -> Option<DdlUnit> {
    let mut part = sync::uninstall(plan, &sync.table);
    let filled = |add: &AddColumn| {
        let mut targets = sync.forward.iter().map(|assignment| &assignment.target);
        add.table == sync.table && targets.any(|target| target.name == add.column)
    };
    // In the order in which they were made, so that they stand in it again.
    let mut anew = 0;
    for step in &plan.phase(PhaseName::Expand)?.steps {
        match &step.action {
            // Somebody else's would lose what it had before.
            Action::Ddl(DdlStep::AddColumn(add)) if filled(add) && !is_its_own(step) => {
                return None;
            }
            Action::Ddl(DdlStep::AddColumn(add)) if filled(add) => {
                let Undo::Parts(dropped) = add.undo(plan) else {
                    return None;
                };
                for one in dropped.into_iter().chain(add.parts(plan)) {
                    part.statements.extend(one.statements);
                }
                anew += 1;
            }
            _ if may_hang(plan, sync, step) => return None,
            _ => {}
        }
    }
    (anew == sync.forward.len()).then_some(part)
}

/// What a step of `expand` makes may hang on a new column of the sync, and would go with it.
fn may_hang(plan: &Plan, sync: &Sync, step: &PlannedStep) -> bool {
    match &step.action {
        Action::Ddl(DdlStep::AddColumn(_)) => false,
        // Of the author's own statements nothing is known.
        Action::Ddl(DdlStep::Sql(_)) => true,
        Action::Ddl(step) => {
            let step = step.ddl();
            let parts = step.parts(plan);
            let statements = parts.iter().flat_map(|part| &part.statements);
            let mut named = statements.flat_map(|statement| claims::words(&statement.sql));
            let targets = sync.forward.iter().map(|one| one.target.name.as_str());
            let names_one = named.any(|word| targets.clone().any(|target| target == word));
            let is_about = step.tables().contains(&&sync.table);
            is_about && step.replaces_table() || names_one && (is_about || step.creates().is_some())
        }
        Action::SyncColumns(_)
        | Action::SyncTables(_)
        | Action::Fill(_)
        | Action::Match(_)
        | Action::Query(_) => false,
    }
}

//! The names that columns and tables have at this point of a run: `retire` and `contract` rename them.

use crossfade_decisions::lifecycle::{snapshot::Snapshot, transition::State};
use crossfade_model::ident::TableName;
use crossfade_plan::sqlgen::{sync::Names, table_pair};
use crossfade_plan::{
    compiled::{Action, StepId},
    steps::DdlStep,
};

/// The names that the table's columns have at this point of the run, and those of the table that it is in step with.
pub fn names_now(snapshot: &Snapshot, table: &TableName) -> Names {
    let is_done = |id: &StepId| snapshot.step_state(id) == State::Completed;
    let plan = &snapshot.plan;
    if let Some(both) = plan.links().find(|link| link.parent == *table) {
        let done: Vec<&DdlStep> = plan
            .steps()
            .filter(|(_, step)| is_done(&step.id))
            .filter_map(|(_, step)| match &step.action {
                Action::Ddl(ddl) => Some(ddl),
                _ => None,
            })
            .collect();
        return table_pair::names_when(plan, both, |step| done.contains(&step));
    }
    let retired = plan.steps().filter_map(|(_, step)| match &step.action {
        Action::Ddl(DdlStep::RetireColumn(retire)) if retire.table == *table => {
            is_done(&step.id).then_some(retire)
        }
        _ => None,
    });
    Names::retired(retired)
}

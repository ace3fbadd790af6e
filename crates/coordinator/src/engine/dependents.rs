//! What would go with a column that goes, or keep it from going.

use super::{EngineError, by_hand, verify};
use crate::database::catalog::Part;
use crossfade_decisions::lifecycle::snapshot::Snapshot;
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::{
    compiled::{Action, Condition, Phase, Plan, StepId},
    steps::DdlStep,
};
use std::collections::BTreeSet;
use tokio_postgres::Client;

/// A partition's own is so only where the plan builds what takes its place, or nothing does. Plans were compiled once that
/// foresaw it and let it go.
pub(super) fn is_foreseen(
    plan: &Plan,
    foreseen: &BTreeSet<(TableName, Ident)>,
    table: &TableName,
    part: &Part,
) -> bool {
    let is_renamed = || {
        plan.steps().any(|(_, step)| {
            matches!(&step.action, Action::Ddl(DdlStep::RenameObject(step)) if step.table == part.table && step.to == part.name)
        })
    };
    let is_replaced = plan.syncs().any(|sync| sync.table == *table);
    foreseen.contains(&(part.table.clone(), part.name.clone()))
        && (part.partition.is_none() || !is_replaced || is_renamed())
}

/// What still keeps the columns that go in `phase` from going: asked again when the phase has begun, as it may have begun long
/// ago.
pub(super) async fn require_free(
    client: &mut Client,
    snapshot: &Snapshot,
    phase: &Phase,
    step: &StepId,
) -> Result<(), EngineError> {
    let on_views = by_hand::on_views_of(&*client, snapshot, phase).await?;
    if !on_views.is_empty() {
        return Err(EngineError::Conflict {
            step: step.clone(),
            what: format!(
                "somebody has set on the view what would go with it: {}. Nothing has been dropped: `advance` goes on then",
                on_views.join("; ")
            ),
        });
    }
    for condition in &phase.gate {
        let Condition::NoDependents(columns) = condition else {
            continue;
        };
        let found = verify::dependents_as_planned(client, snapshot, columns).await?;
        if !found.is_empty() {
            return Err(EngineError::Conflict {
                step: step.clone(),
                what: format!(
                    "since the phase began there is what would go with the old column, or keep it: {}. Nothing has been dropped: `advance` goes on when that is gone",
                    found.join(", ")
                ),
            });
        }
    }
    Ok(())
}

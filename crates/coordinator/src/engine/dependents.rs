//! What would go with a column that goes, or keep it from going.

use super::{EngineError, by_hand, names::names_now};
use crate::database::{
    catalog::{self, Part},
    references,
};
use crossfade_decisions::lifecycle::snapshot::Snapshot;
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::{
    attributes::{Attributes, Succession},
    compiled::{Action, Condition, Phase, Plan, StepId},
    facts::{OwnOfPartition, RowReader},
    steps::DdlStep,
};
use std::collections::BTreeSet;
use tokio_postgres::{Client, GenericClient};

/// Of an index or a constraint.
const OF_PARTITION: &str = "it belongs to this partition alone and would be dropped with the column. If you need it, create one on the new column of the partition. Then drop it";
const LATE: &str = "it was created after the plan and would be dropped with the column. If you need it, create one on the new column. Then drop it";

/// A partition's own is so only where the plan builds what takes its place, or nothing does. Plans were compiled once that
/// foresaw it and let it go.
fn is_foreseen(
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
                "somebody changed the view, and the change would be dropped with it: {}. Nothing has been dropped. Then `advance` continues",
                on_views.join("; ")
            ),
        });
    }
    for condition in &phase.gate {
        let Condition::NoDependents(columns) = condition else {
            continue;
        };
        let found = as_planned(client, snapshot, columns).await?;
        if !found.is_empty() {
            return Err(EngineError::Conflict {
                step: step.clone(),
                what: format!(
                    "objects that depend on the old column were created since the phase began: {}. Nothing has been dropped. `advance` continues when they are gone",
                    found.join(", ")
                ),
            });
        }
    }
    Ok(())
}

/// What is read of defaults depends on the session, which must be as it was when the plan was made.
pub(super) async fn as_planned(
    client: &mut Client,
    snapshot: &Snapshot,
    columns: &[(TableName, Ident)],
) -> Result<Vec<String>, tokio_postgres::Error> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    for (name, value) in &snapshot.plan.session {
        transaction
            .query_one("SELECT set_config($1, $2, true)", &[name, value])
            .await?;
    }
    let found = dependents_of(&transaction, snapshot, columns).await?;
    transaction.rollback().await?;
    Ok(found)
}

async fn dependents_of(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    columns: &[(TableName, Ident)],
) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut found = Vec::new();
    for (table, column) in columns {
        let names = names_now(snapshot, table);
        found.extend(
            catalog::dependents_of(client, &snapshot.plan.name, table, names.of(column)).await?,
        );
        found.extend(readers_of_rows(client, snapshot, table, column).await?);
        if let Some(foreseen) = &snapshot.plan.foreseen {
            let parts = catalog::parts_of(client, table, names.of(column)).await?;
            let late = parts
                .into_iter()
                .filter(|part| !is_foreseen(&snapshot.plan, foreseen, table, part));
            found.extend(late.map(|part| match &part.partition {
                Some(partition) => {
                    format!(
                        "{} of the partition {partition} ({OF_PARTITION})",
                        part.object
                    )
                }
                None => format!("{} ({LATE})", part.object),
            }));
        }
    }
    found.extend(lost_attributes(client, snapshot, columns).await?);
    found.sort();
    found.dedup();
    Ok(found)
}

/// Functions that read the column of rows that they are given as a whole, where nothing has its name when it goes. They go by its
/// name, as it was before `retire` too.
async fn readers_of_rows(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    table: &TableName,
    column: &Ident,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let keeps_name = snapshot.plan.steps().any(|(_, step)| match &step.action {
        Action::Ddl(DdlStep::RetireColumn(step)) => {
            step.table == *table && step.column == *column && step.replace_with.is_some()
        }
        Action::Ddl(DdlStep::TakePlace(step)) => step.table == *table && step.column == *column,
        _ => false,
    });
    if keeps_name {
        return Ok(Vec::new());
    }
    let readers = references::row_readers(client, table, std::slice::from_ref(column)).await?;
    let sure = readers.iter().filter(|reader| reader.is_sure);
    Ok(sure.map(RowReader::described).collect())
}

/// What somebody has changed on a column that goes, and not on the one that takes its place.
async fn lost_attributes(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    columns: &[(TableName, Ident)],
) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut lost = Vec::new();
    for succession in &snapshot.plan.successions {
        let Succession {
            table, column, by, ..
        } = succession;
        if !columns.contains(&(table.clone(), column.clone())) {
            continue;
        }
        let names = names_now(snapshot, table);
        let all = catalog::columns_of(client, table).await?;
        let (column, by) = (names.of(column), names.of(by));
        let attributes = |column: &Ident| {
            let column = all.iter().find(|one| one.name == *column);
            column.map(Attributes::of)
        };
        if let (Some(now), Some(successor)) = (attributes(column), attributes(by)) {
            lost.extend(succession.lost((column, &now), (by, &successor)));
        }
        let own = catalog::settings_of_partitions(client, table, column, by).await?;
        lost.extend(own.into_iter().map(|own| {
            let OwnOfPartition { partition, what, .. } = own;
            format!(
                "{what} on {partition}.{column} ({partition}.{by} does not have it: set it there too, or remove it)"
            )
        }));
    }
    Ok(lost)
}

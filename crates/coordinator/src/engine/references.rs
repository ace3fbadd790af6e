//! A look at what names the columns that are to go, and the memory of it.

use super::names::names_now;
use crate::database::{catalog, references};
use crate::store::{self, StoreError, runs};
use crossfade_decisions::lifecycle::{
    gate::Naming, references::Watch, snapshot::Snapshot, transition::State,
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::{
    compiled::{Action, Condition, References},
    steps::{DdlStep, retire_table},
};
use crossfade_postgres::sqlstate;
use crossfade_sql::references::Subject;
use tokio_postgres::Client;

/// From the end of `switch_reads` on, what is called counts: so the first look is had then.
pub async fn begin(client: &mut Client, run_id: i64) -> Result<(), StoreError> {
    let snapshot = runs::snapshot(&*client, run_id).await?;
    let wanted = snapshot.plan.phases.iter().flat_map(|phase| &phase.gate);
    let wanted = wanted.filter_map(|condition| match condition {
        Condition::NoReferences(references) => Some(references.clone()),
        _ => None,
    });
    if let Some(wanted) = wanted.collect::<Vec<_>>().first() {
        look(client, &snapshot, wanted).await?;
    }
    Ok(())
}

/// What names the columns now, and for how long nothing has. Who may not write our tables looks without remembering.
pub async fn look(
    client: &mut Client,
    snapshot: &Snapshot,
    wanted: &References,
) -> Result<Naming, StoreError> {
    let run_id = snapshot.run_id;
    let before = store::references::load(&*client, run_id).await?;
    let looked_at = before.as_ref().map(|watch| watch.looked_at);
    let mut objects = Vec::new();
    let mut subjects = Vec::new();
    for (table, column) in &wanted.columns {
        for name in names_of(snapshot, table, column) {
            let described = references::column(&*client, table, &name).await?;
            let carried: Vec<&str> = wanted.carried.iter().map(String::as_str).collect();
            let run = &snapshot.plan.name;
            objects.extend(references::dependents(&*client, run, table, &name, &carried).await?);
            let described = Subject::Column(described);
            objects.extend(references::routines(&*client, &described).await?);
            subjects.push(described);
        }
    }
    for table in &wanted.tables {
        for name in table_names(snapshot, table) {
            let described = Subject::Table(references::table(&*client, &name).await?);
            objects.extend(catalog::table_dependents_of(&*client, &name).await?);
            objects.extend(references::routines(&*client, &described).await?);
            subjects.push(described);
        }
    }
    objects.sort();
    objects.dedup();
    objects.retain(|object| !is_allowed(wanted, object));
    let statistics = match references::statistics(&*client, &subjects).await {
        Ok(statistics) => statistics,
        Err(error) if error.as_db_error().is_some() => Err(sqlstate::message(&error)),
        Err(error) => return Err(error.into()),
    };
    let watch = Watch::look(before, snapshot.now, &objects, &statistics, &subjects);
    if let Err(error) = store::references::save(client, run_id, looked_at, &watch).await {
        tracing::debug!(%error, "the look is not remembered");
    }
    Ok(Naming {
        objects,
        unknown: statistics.err(),
        watch,
    })
}

/// By which names the old column is known now. After `retire` objects follow it to its new name, while texts go on with
/// the old one, unless the new column has taken that.
fn names_of(snapshot: &Snapshot, table: &TableName, column: &Ident) -> Vec<Ident> {
    let now = names_now(snapshot, table);
    let aside = now.of(column).clone();
    let replaced = snapshot
        .plan
        .retired(table)
        .iter()
        .any(|retire| retire.column == *column && retire.replace_with.is_some());
    if aside == *column || replaced {
        vec![aside]
    } else {
        vec![aside, column.clone()]
    }
}

/// The same of a table. Once it is retired texts go on with the name that it had.
fn table_names(snapshot: &Snapshot, table: &TableName) -> Vec<TableName> {
    let is_retired = snapshot.plan.steps().any(|(_, step)| {
        matches!(&step.action, Action::Ddl(DdlStep::RetireTable(retire)) if retire.table == *table)
            && snapshot.step_state(&step.id) == State::Completed
    });
    if is_retired {
        vec![retire_table::aside(table), table.clone()]
    } else {
        vec![table.clone()]
    }
}

/// An object is allowed by what it is called, whatever way it names the column.
fn is_allowed(wanted: &References, object: &str) -> bool {
    wanted.wanted.allow.keys().any(|allowed| {
        let rest = object.strip_prefix(allowed.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
    })
}

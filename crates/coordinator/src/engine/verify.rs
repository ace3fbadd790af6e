//! Verification, query steps, and the readings that gates need.

use super::{
    EngineError, dependents, drift, references,
    session::Driver,
    statement_failed,
    walk::{self, From, Walked, Work},
};
use crate::database::{self, batch, catalog};
use crate::probe;
use crate::store::{
    verification::{self, Finding},
    walks,
};
use crossfade_decisions::lifecycle::{gate::Readings, snapshot::Snapshot, transition::State};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{
    cost::Thing,
    rows::{Repair, Truth},
    session,
    sync::Names,
    table_pair::{self, rows::mended},
};
use crossfade_plan::{
    attributes::{Attributes, Succession},
    compiled::{Action, Condition, Match, Phase, Plan, StepId},
    document::{Expect, PhaseName, Query},
    facts::{OwnOfPartition, RowReader},
    steps::DdlStep,
    table_pair::Side,
};
use crossfade_postgres::sqlstate::{self, ErrorClass};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, GenericClient};

#[derive(Clone, Debug, PartialEq)]
pub enum Verified {
    Finished(Finding),
    Paused,
    Interrupted,
}

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

/// Compares every row of one `match` and records what was found.
pub async fn compare(
    driver: &mut Driver,
    plan: &Plan,
    step: &StepId,
    matching: &Match,
    names: Names,
    repair: Option<Repair>,
    from: From,
) -> Result<Verified, EngineError> {
    let finding_names = names.clone();
    let work = Work::Compare {
        matching,
        names,
        repair,
    };
    let (totals, examples) = match walk::walk(driver, plan, step, work, from).await? {
        Walked::Finished(totals, examples) => (totals, examples),
        Walked::Paused => return Ok(Verified::Paused),
        Walked::Interrupted => return Ok(Verified::Interrupted),
    };
    let snapshot_at = walks::load(&*driver.work, driver.lease.run_id, &step.0)
        .await?
        .map_or(jiff::Timestamp::now(), |walk| walk.snapshot_at);
    let rows_accepted =
        super::quarantine::accepted_rows(driver, plan, matching, &finding_names).await?;
    let (orphans, mut examples) =
        orphans(driver, plan, step, matching, &finding_names, examples).await?;
    examples.truncate(walks::EXAMPLES_MAX);
    let finding = Finding {
        step: step.0.clone(),
        snapshot_at,
        rows_checked: totals.rows_read,
        rows_different: totals.rows_different + orphans,
        rows_repaired: totals.rows_changed,
        rows_accepted,
        examples,
    };
    driver
        .record(&format!("{step} finding"), async |transaction, lease| {
            verification::add(transaction, lease.run_id, &finding).await?;
            walks::finish(transaction, lease, &step.0).await
        })
        .await?;
    Ok(Verified::Finished(finding))
}

/// Rows of one table that belong to none of the other: they would be lost with their table. Each is a difference.
async fn orphans(
    driver: &mut Driver,
    plan: &Plan,
    step: &StepId,
    matching: &Match,
    names: &Names,
    mut examples: Vec<Value>,
) -> Result<(i64, Vec<Value>), EngineError> {
    let Some(both) = matching.link.as_ref().filter(|link| link.may_have_orphans) else {
        return Ok((0, examples));
    };
    let transaction = driver
        .work
        .build_transaction()
        .read_only(true)
        .start()
        .await?;
    let timeout_ms = plan.settings.statement_timeout.millis();
    let path = session::as_the_application(plan);
    transaction
        .batch_execute(&format!(
            "SET LOCAL statement_timeout = {timeout_ms}; {path}"
        ))
        .await?;
    let limit = walks::EXAMPLES_MAX as i64;
    let began = Instant::now();
    let found = batch::orphans(&transaction, both, names, limit).await;
    let (count, keys) = found.map_err(|error| {
        let limit = Duration::from_millis(timeout_ms);
        statement_failed(step, error, began, limit)
    })?;
    transaction.rollback().await?;
    let what = format!(
        "this row of {} belongs to no row of {}",
        both.child, both.parent
    );
    examples.extend(
        keys.into_iter()
            .map(|key| json!({"key": key, "error": what})),
    );
    Ok((count, examples))
}

/// Asks a query in a read-only transaction. `Err` says what it gave instead of what was expected.
pub async fn ask(
    client: &mut Client,
    plan: &Plan,
    query: &Query,
    timeout_ms: u64,
) -> Result<Result<(), String>, tokio_postgres::Error> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    let path = session::as_the_application(plan);
    transaction
        .batch_execute(&format!(
            "SET LOCAL statement_timeout = {timeout_ms}; {path}"
        ))
        .await?;
    let began = Instant::now();
    let answer = answer(&transaction, query).await;
    transaction.rollback().await?;
    match answer {
        // By somebody, and not by the limit: asked again.
        Err(error)
            if sqlstate::classify(&error) == ErrorClass::Cancelled
                && began.elapsed() < Duration::from_millis(timeout_ms) =>
        {
            Err(error)
        }
        Err(error) if error.as_db_error().is_some() => Ok(Err(sqlstate::message(&error))),
        other => other,
    }
}

async fn answer(
    client: &impl GenericClient,
    query: &Query,
) -> Result<Result<(), String>, tokio_postgres::Error> {
    let value = |rows: &[Option<String>]| match rows {
        [Some(value)] => value.clone(),
        [None] => "NULL".to_owned(),
        [] => "no row".to_owned(),
        more => format!("{} rows or more", more.len()),
    };
    let rows = first_rows(client, &query.sql).await?;
    let found: Vec<Option<String>> = rows.iter().map(|row| row.first_column.clone()).collect();
    let expected = match &query.expect {
        Expect::NoRows => {
            return Ok(match rows.first() {
                None => Ok(()),
                Some(first) => Err(format!(
                    "gave rows where none were expected, the first: {}",
                    first.all
                )),
            });
        }
        Expect::Value(expected) => expected.clone(),
        Expect::EqualTo(sql) => {
            let rows = first_rows(client, sql).await?.into_iter();
            value(&rows.map(|row| row.first_column).collect::<Vec<_>>())
        }
    };
    let found = value(&found);
    Ok(if found == expected {
        Ok(())
    } else {
        Err(format!("gave {found}, expected {expected}"))
    })
}

struct Answer {
    /// As a JSON object.
    all: String,
    /// As the server writes it.
    first_column: Option<String>,
}

/// The first two rows: enough to tell none, one and several apart.
async fn first_rows(
    client: &impl GenericClient,
    sql: &str,
) -> Result<Vec<Answer>, tokio_postgres::Error> {
    // Not jsonb, which has an order of its own.
    let wrapped = format!(
        "SELECT pg_catalog.to_json(answer.*)::text, (SELECT e.value FROM pg_catalog.json_each_text(pg_catalog.to_json(answer.*)) AS e LIMIT 1) FROM ({}\n) AS answer LIMIT 2",
        sql.trim_end().trim_end_matches(';')
    );
    let rows = client.query(&wrapped, &[]).await?;
    let answer = |row: &tokio_postgres::Row| Answer {
        all: row.get(0),
        first_column: row.get(1),
    };
    Ok(rows.iter().map(answer).collect())
}

/// How long the answers to a gate's questions are waited for.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// As long as the plan says.
    AsPlanned,
    /// Somebody looks, and wants to see something: two seconds for all of them.
    Look { since: Instant },
}

impl Patience {
    const LOOK: Duration = Duration::from_secs(2);

    pub fn look() -> Self {
        Self::Look {
            since: Instant::now(),
        }
    }

    fn left(self, planned: Duration) -> Duration {
        match self {
            Self::AsPlanned => planned,
            Self::Look { since } => planned.min(Self::LOOK.saturating_sub(since.elapsed())),
        }
    }
}

/// What the conditions of a phase need to know of the database at this moment.
pub async fn readings(
    client: &mut Client,
    snapshot: &Snapshot,
    phase: &Phase,
    patience: Patience,
) -> Result<Readings, tokio_postgres::Error> {
    let mut readings = Readings::default();
    for condition in &phase.gate {
        match condition {
            Condition::NoDependents(columns) => {
                let read = dependents_as_planned(client, snapshot, columns).await;
                readings.dependents = Some(read.map_err(|error| sqlstate::message(&error)));
            }
            Condition::SyncInPlace => {
                let read = drift::of_gate(client, snapshot).await;
                readings.sync = Some(read.map_err(|error| sqlstate::message(&error)));
            }
            Condition::Query(query) => {
                let timeout = patience.left(snapshot.plan.settings.statement_timeout.duration());
                let timeout = u64::try_from(timeout.as_millis())
                    .unwrap_or(u64::MAX)
                    .max(1);
                let answer = ask(client, &snapshot.plan, query, timeout).await?;
                readings.queries.push((query.name.clone(), answer));
            }
            Condition::NoReferences(wanted) => {
                let read = references::look(client, snapshot, wanted).await;
                readings.references = Some(read.map_err(|error| error.to_string()));
            }
            Condition::Http(endpoint) => {
                let answer = probe::ask(endpoint, patience.left(endpoint.timeout.duration())).await;
                readings.endpoints.push((endpoint.name.clone(), answer));
            }
            Condition::QuarantineEmpty
            | Condition::Approvals(_)
            | Condition::Bake(_)
            | Condition::OldWritesQuiet(_)
            | Condition::VerifiedWithin(_)
            | Condition::Window(_) => {}
        }
    }
    Ok(readings)
}

/// Of an index or a constraint.
const OF_PARTITION: &str = "it is the partition's own and would go with the column: make one on the new column of that partition if it is to stay, and drop it";
const LATE: &str = "it came after the plan was made and would go with the column: make one on the new column if it is to stay, and drop it";

/// What is read of defaults depends on the session, which must be as it was when the plan was made.
pub(super) async fn dependents_as_planned(
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
    let found = dependents(&transaction, snapshot, columns).await?;
    transaction.rollback().await?;
    Ok(found)
}

async fn dependents(
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
                .filter(|part| !dependents::is_foreseen(&snapshot.plan, foreseen, table, part));
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
    let readers =
        database::references::row_readers(client, table, std::slice::from_ref(column)).await?;
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
                "{what} on {partition}.{column} ({partition}.{by} has it not: set it there too, or take it off)"
            )
        }));
    }
    Ok(lost)
}

/// The columns that a repair writes, by the names that they have now.
pub fn written(snapshot: &Snapshot, truth: Truth) -> Vec<Thing> {
    let mut things = Vec::new();
    for (_, step) in snapshot.plan.steps() {
        let Action::Match(matching) = &step.action else {
            continue;
        };
        let names = names_now(snapshot, &matching.table);
        match &matching.link {
            None => {
                let side = match truth {
                    Truth::Old => &matching.columns,
                    Truth::New => &matching.backward,
                };
                things.extend(side.iter().map(|one| {
                    Thing::Column(matching.table.clone(), names.of(&one.target.name).clone())
                }));
            }
            Some(link) => {
                let to = mended(link, truth);
                things.extend(link.to(to).iter().map(|one| match to {
                    Side::Parent => {
                        Thing::Column(link.parent.clone(), names.of(&one.target.name).clone())
                    }
                    Side::Child => Thing::Column(
                        names.child(&link.child).clone(),
                        names.of_child(&one.target.name).clone(),
                    ),
                }));
            }
        }
    }
    things
}

/// Which side a repair takes for right: the one that reads are on. A column that takes the old one's place in `contract` is
/// read by nobody before.
pub fn truth(snapshot: &Snapshot) -> Truth {
    let is_old_read = snapshot
        .plan
        .steps()
        .any(|(_, step)| matches!(&step.action, Action::Ddl(DdlStep::TakePlace(_))));
    if snapshot.has_completed(PhaseName::SwitchReads) && !is_old_read {
        Truth::New
    } else {
        Truth::Old
    }
}

//! Rows in quarantine: which have been mended, and another try of those that have not.

use super::{EngineError, names::names_now, session::Driver};
use crate::database::batch;
use crate::store::{
    StoreError, lease, moved,
    quarantine::{self, Entry, Which},
    workers,
};
use crossfade_decisions::lifecycle::{
    snapshot::Snapshot,
    toll::{Count, Lost},
    transition::RunState,
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{
    cost::Thing,
    message::{IDLE_TIMEOUT_MS, Message, Refusal},
    rows, session,
    sync::Names,
    table_pair,
};
use crossfade_plan::{
    compiled::{Assignment, Match, Plan},
    key::KeyColumn,
    table_pair::{Side, TablePair},
};
use crossfade_postgres::sqlstate::{self, ErrorClass, classify};
use std::{borrow::Cow, collections::BTreeSet};
use tokio_postgres::{Client, GenericClient, Transaction, types::ToSql};

const ENTRIES_MAX: i64 = 2_000;
/// So many of the rows that going back would lose are named.
const LOST_SHOWN: i64 = 3;

/// What became of entries that were tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// The conversion works now.
    pub converted: Vec<i64>,
    /// The row is not as it was: it has been mended, or is gone.
    pub mended: Vec<i64>,
    /// Still in quarantine, with what the server says now.
    pub failed: Vec<StillQuarantined>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillQuarantined {
    pub id: i64,
    pub sqlstate: String,
    /// It has the value in it, mostly.
    pub error: String,
}

/// The new columns that the old ones are computed back from: their values may be on the new side alone.
pub fn things(plan: &Plan) -> Vec<Thing> {
    let within = plan.syncs().flat_map(|sync| {
        let targets = sync.forward.iter().map(|one| &one.target.name);
        targets.map(|column| Thing::Column(sync.table.clone(), column.clone()))
    });
    let across = plan.links().flat_map(|link| {
        let targets = link.forward().iter().map(|one| &one.target.name);
        targets.map(|column| Thing::Column(link.table(link.new).clone(), column.clone()))
    });
    within.chain(across).collect()
}

/// The new column that a value of this old one was computed from.
fn new_side_of(plan: &Plan, table: &str, column: &str) -> Option<Thing> {
    let group = |side: &[Assignment]| {
        let mut side = side.iter();
        let found = side.find(|one| one.target.name.as_str() == column);
        found.map(|one| one.group)
    };
    let within = plan.syncs().filter(|sync| sync.table.to_string() == table);
    let within = within.filter_map(|sync| {
        let group = group(&sync.backward)?;
        let new = sync.forward.iter().find(|one| one.group == group)?;
        Some(Thing::Column(sync.table.clone(), new.target.name.clone()))
    });
    let across = plan.links().filter(|link| link.parent.to_string() == table);
    let across = across.filter_map(|link| {
        let group = group(link.backward())?;
        let mut forward = link.forward().iter();
        let new = forward.find(|one| one.group == group)?;
        Some(Thing::Column(
            link.table(link.new).clone(),
            new.target.name.clone(),
        ))
    });
    within.chain(across).next()
}

/// What the new version wrote that the old columns cannot take; values and what the server says of them only where the plan
/// shows them.
pub async fn only_on_the_new_side(
    client: &impl GenericClient,
    run_id: i64,
    plan: &Plan,
) -> Result<Vec<Lost>, StoreError> {
    let mut lost = Vec::new();
    for (table, column) in quarantine::backward_columns(client, run_id).await? {
        let (count, first) =
            quarantine::backward(client, run_id, (&table, &column), LOST_SHOWN).await?;
        let named: Vec<String> = first
            .iter()
            .map(|entry| match plan.settings.show_values {
                true => format!("{} ({})", entry.row_key, entry.error),
                false => format!("{} (SQLSTATE {})", entry.row_key, entry.sqlstate),
            })
            .collect();
        let things = new_side_of(plan, &table, &column).or_else(|| things(plan).into_iter().next());
        let Some(of) = things else { continue };
        lost.push(Lost {
            of,
            what: format!(
                "rows of {table} that the new version wrote with values that the old column cannot take: {}{} (`crossfade quarantine list {}` names them)",
                named.join(", "),
                if count > LOST_SHOWN { ", …" } else { "" },
                plan.name
            ),
            count: Count::Rows(count),
            noted: true,
        });
    }
    Ok(lost)
}

/// The old columns, with their tables, for which the new version's values may go.
pub async fn may_go(
    client: &impl GenericClient,
    run_id: i64,
    plan: &Plan,
    discards: &BTreeSet<String>,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut columns = quarantine::backward_columns(client, run_id).await?;
    columns.retain(|(table, column)| {
        let thing = new_side_of(plan, table, column).or_else(|| things(plan).into_iter().next());
        thing.is_some_and(|thing| discards.contains(&thing.to_string()))
    });
    Ok(columns)
}

/// Takes the rows out of quarantine that have been mended since.
pub async fn look(driver: &mut Driver, snapshot: &Snapshot) -> Result<(), EngineError> {
    let entries = quarantine::load(&*driver.work, snapshot.run_id, (0, ENTRIES_MAX)).await?;
    let mut mended = Vec::new();
    let looking = looking(driver, &snapshot.plan).await?;
    for entry in &entries {
        if let Some(source) = Source::of(&snapshot.plan, entry) {
            let names = names_now(snapshot, source.table);
            if !is_as_it_was(&looking, &source, entry, &names).await? {
                mended.push(entry.id);
            }
        }
    }
    looking.rollback().await?;
    remove(driver, mended).await
}

async fn remove(driver: &mut Driver, mended: Vec<i64>) -> Result<(), EngineError> {
    if mended.is_empty() {
        return Ok(());
    }
    driver
        .record("quarantine", async |transaction, _| {
            quarantine::remove(transaction, &mended).await
        })
        .await
}

/// How many rows of a comparison are as somebody has accepted them.
pub async fn accepted_rows(
    driver: &mut Driver,
    plan: &Plan,
    matching: &Match,
    names: &Names,
) -> Result<i64, EngineError> {
    let run_id = driver.lease.run_id;
    if quarantine::count_accepted(&*driver.work, run_id).await? == 0 {
        return Ok(0);
    }
    let mut rows = 0;
    let entries = quarantine::load(&*driver.work, run_id, (0, ENTRIES_MAX)).await?;
    let looking = looking(driver, plan).await?;
    for entry in entries {
        let source = Source::of(plan, &entry).filter(|source| *source.table == matching.table);
        if let Some(source) = source.filter(|_| entry.accepted.is_some()) {
            rows += i64::from(is_as_it_was(&looking, &source, &entry, names).await?);
        }
    }
    looking.rollback().await?;
    Ok(rows)
}

/// Times are compared as text: in the time zone that they were noted in.
pub(super) async fn pin_session(client: &Client, plan: &Plan) -> Result<(), EngineError> {
    let settings = session::conversions(plan);
    client.batch_execute(&settings).await?;
    Ok(())
}

/// Looks on, as the application's own sessions would: a key's operator may be the application's.
async fn looking<'a>(driver: &'a mut Driver, plan: &Plan) -> Result<Transaction<'a>, EngineError> {
    pin_session(&driver.work, plan).await?;
    let looking = driver.work.build_transaction().read_only(true);
    let looking = looking.start().await?;
    looking
        .batch_execute(&session::as_the_application(plan))
        .await?;
    Ok(looking)
}

/// What of the plan an entry is about.
struct Source<'a> {
    table: &'a TableName,
    key: Cow<'a, [KeyColumn]>,
    assignment: &'a Assignment,
    /// The two tables, and which of them the value is for.
    across: Option<(&'a TablePair, Side)>,
}

impl<'a> Source<'a> {
    fn of(plan: &'a Plan, entry: &Entry) -> Option<Self> {
        let named = |side: &'a [Assignment]| {
            let mut side = side.iter();
            side.find(|one| one.target.name.as_str() == entry.column_name)
        };
        let within = plan
            .syncs()
            .filter(|sync| sync.table.to_string() == entry.table_name)
            .find_map(|sync| {
                let side = if entry.backward {
                    &sync.backward
                } else {
                    &sync.forward
                };
                Some(Self {
                    table: &sync.table,
                    key: Cow::Borrowed(&sync.key),
                    assignment: named(side)?,
                    across: None,
                })
            });
        within.or_else(|| {
            let about = |link: &&TablePair| link.parent.to_string() == entry.table_name;
            plan.links().filter(about).find_map(|link| {
                let to = if entry.backward {
                    link.new.other()
                } else {
                    link.new
                };
                Some(Self {
                    table: &link.parent,
                    key: Cow::Owned(link.key_columns()),
                    assignment: named(link.to(to))?,
                    across: Some((link, to)),
                })
            })
        })
    }

    /// What a conversion writes, under the names of now.
    fn written<'b>(&'b self, names: &'b Names) -> (&'b TableName, &'b Ident) {
        let target = &self.assignment.target.name;
        match self.across {
            Some((link, Side::Child)) => (names.child(&link.child), names.of_child(target)),
            Some((_, Side::Parent)) | None => (self.table, names.of(target)),
        }
    }

    /// `$1` the key and `$2` the values that the expression read, as JSON objects.
    fn still_quarantined(&self, entry: &Entry, names: &Names) -> String {
        match self.across {
            Some((link, to)) => {
                table_pair::rows::still_quarantined(link, names, to, self.assignment)
            }
            None => rows::still_quarantined(
                self.table,
                &self.key,
                self.assignment,
                entry.backward,
                names,
            ),
        }
    }

    fn convert_again(&self, entry: &Entry, names: &Names) -> String {
        match self.across {
            Some((link, to)) => table_pair::rows::convert_again(link, names, to, self.assignment),
            None => rows::convert_again(
                self.table,
                &self.key,
                self.assignment,
                entry.backward,
                names,
            ),
        }
    }
}

async fn is_as_it_was(
    looking: &Transaction<'_>,
    source: &Source<'_>,
    entry: &Entry,
    names: &Names,
) -> Result<bool, EngineError> {
    let query = source.still_quarantined(entry, names);
    let row = looking
        .query_one(
            &query,
            &[&entry.row_key.as_str(), &entry.row_values.as_str()],
        )
        .await?;
    Ok(row.get(0))
}

impl Driver {
    /// Tries the conversions again: after a function or a constraint that they depend on was mended, say.
    pub async fn retry_quarantine(&mut self, which: &Which) -> Result<Retried, EngineError> {
        let (snapshot, _) = self.look().await?;
        // Nobody else ends it while the lease is ours.
        if snapshot.state != RunState::Active {
            return Err(EngineError::Refused(format!(
                "the run {} is {}: its rows are not tried again",
                snapshot.plan.name,
                snapshot.state.as_str()
            )));
        }
        pin_session(&self.work, &snapshot.plan).await?;
        let entries = quarantine::load(&*self.work, snapshot.run_id, (0, ENTRIES_MAX)).await?;
        let entries = entries.into_iter().filter(|entry| match which {
            Which::All => entry.accepted.is_none(),
            Which::Ids(ids) => ids.contains(&entry.id),
        });
        let skips_triggers = self
            .work
            .batch_execute("SET session_replication_role = replica; RESET session_replication_role")
            .await
            .is_ok();
        let mut retried = Retried::default();
        for entry in entries.collect::<Vec<_>>() {
            if self.stop.is_cancelled() {
                break;
            }
            let Some(source) = Source::of(&snapshot.plan, &entry) else {
                continue;
            };
            let names = names_now(&snapshot, source.table);
            match self
                .convert(&snapshot.plan, &source, &entry, &names, skips_triggers)
                .await?
            {
                Ok(0) => retried.mended.push(entry.id),
                Ok(_) => retried.converted.push(entry.id),
                Err(why) => retried.failed.push(why),
            }
        }
        Ok(retried)
    }

    /// One row in one transaction, with the record of it. The rows changed, or why it stays.
    async fn convert(
        &mut self,
        plan: &Plan,
        source: &Source<'_>,
        entry: &Entry,
        names: &Names,
        skips_triggers: bool,
    ) -> Result<Result<u64, StillQuarantined>, EngineError> {
        let lease = self.lease;
        let query = source.convert_again(entry, names);
        let (table, column) = source.written(names);
        // A foreign key that the column has by now is held by triggers.
        let skips_triggers =
            skips_triggers && !batch::has_foreign_key(&*self.work, table, &[column]).await?;
        let mut begin = Message::default();
        begin.run("BEGIN");
        begin.run(format!(
            "SET LOCAL idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}"
        ));
        begin.run("SET LOCAL lock_timeout = '1s'");
        // As in a batch of the backfill: the application's triggers stay out, and ours stands aside.
        begin.run(if skips_triggers {
            "SET LOCAL session_replication_role = replica"
        } else {
            "SET LOCAL crossfade.filling = 'on'"
        });
        begin.run(session::as_the_application(plan));
        begin.demand(&lease::fenced(lease), Refusal::LeaseLost);
        if !skips_triggers {
            begin.run(workers::enter_for_a_row(lease.run_id));
        }
        match self.convert_at_once(&begin, &query, entry, table).await {
            Ok(rows) => Ok(Ok(rows)),
            Err(error) => {
                let still = StillQuarantined {
                    id: entry.id,
                    sqlstate: error
                        .code()
                        .map_or("XX000", |state| state.code())
                        .to_owned(),
                    error: sqlstate::message(&error),
                };
                match classify(&error) {
                    ErrorClass::Conversion => {
                        self.record("quarantine", async |transaction, _| {
                            let (state, message) = (&still.sqlstate, &still.error);
                            quarantine::set_error(transaction, entry.id, state, message).await
                        })
                        .await?;
                        Ok(Err(still))
                    }
                    ErrorClass::LockNotHad => Ok(Err(still)),
                    _ if is_lease_lost(&error) => Err(StoreError::LeaseLost.into()),
                    _ => Err(error.into()),
                }
            }
        }
    }

    /// Sent in one go, so that nobody waits for the row while we are far away: the fence, the row, and the record of it. That a
    /// row is moved is noted before it is known whether one is.
    async fn convert_at_once(
        &self,
        begin: &Message,
        query: &str,
        entry: &Entry,
        table: &TableName,
    ) -> Result<u64, tokio_postgres::Error> {
        let (work, run_id) = (&self.work, self.lease.run_id);
        let query = work.prepare(query).await?;
        let remove = work.prepare(quarantine::REMOVE).await?;
        let note = work.prepare(moved::ADD).await?;
        let (key, values) = (entry.row_key.as_str(), entry.row_values.as_str());
        let (schema, name) = (table.schema.as_str(), table.name.as_str());
        let (ids, begin) = ([entry.id], begin.text());
        let leave = workers::leave_after_a_row(run_id);
        let ids = ids.as_slice();
        let noting: [&(dyn ToSql + Sync); 4] = [&run_id, &schema, &name, &1_i64];
        let (row, entries): ([&(dyn ToSql + Sync); 2], [&(dyn ToSql + Sync); 1]) =
            ([&key, &values], [&ids]);
        // COMMIT by itself: it ends the transaction of a statement that failed, too.
        let (begun, noted, converted, removed, left, committed) = tokio::join!(
            biased;
            work.batch_execute(&begin),
            work.execute(&note, &noting),
            work.execute(&query, &row),
            work.execute(&remove, &entries),
            work.batch_execute(&leave),
            work.batch_execute("COMMIT"),
        );
        begun?;
        noted?;
        let rows = converted?;
        removed?;
        left?;
        committed?;
        Ok(rows)
    }
}

fn is_lease_lost(error: &tokio_postgres::Error) -> bool {
    let state = error.code().map_or("", |state| state.code());
    Refusal::from_sqlstate(state) == Some(Refusal::LeaseLost)
}

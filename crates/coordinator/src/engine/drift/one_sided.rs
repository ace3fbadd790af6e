//! What the new side alone has, as somebody changed the triggers: going back would lose it.

use crate::database::batch;
use crate::engine::{EngineError, drift, names::names_now, quarantine};
use crossfade_decisions::lifecycle::{
    gate::{self, out_of_step},
    snapshot::Snapshot,
};
use crossfade_plan::compiled::{Match, Sync};
use crossfade_plan::sqlgen::session;
use crossfade_postgres::connect::Session;

/// So many of the rows are named.
const SHOWN: i64 = 3;

/// Refuses to go back where rows may have values on the new side only: they are counted, or were never compared.
pub async fn check_nothing_one_sided(
    session: &mut Session,
    snapshot: &Snapshot,
) -> Result<(), EngineError> {
    let Some(touched) = drift::touched(&**session, snapshot).await? else {
        return Ok(());
    };
    let run = &snapshot.plan.name;
    if drift::is_filled(snapshot) {
        let touched = gate::touched(run, &touched);
        let what = out_of_step(run, &[touched]);
        return Err(EngineError::Refused(format!(
            "going back would lose what the new side alone has. {what}"
        )));
    }
    if snapshot.plan.links().next().is_some() {
        return Err(EngineError::Refused(format!(
            "somebody changed the triggers that keep both sides in step ({}), and going back would lose values that only the new side has. `crossfade advance {run} --to backfill` fills the rows that have no value, and changes no other row. Then `crossfade verify {run}` names the rows that differ. If none does, the run can go back",
            touched.what.join("; ")
        )));
    }
    let syncs: Vec<Sync> = snapshot.plan.syncs().cloned().collect();
    quarantine::pin_session(session, &snapshot.plan).await?;
    for sync in syncs {
        check_sync_one_sided(session, snapshot, sync).await?;
    }
    Ok(())
}

async fn check_sync_one_sided(
    client: &mut Session,
    snapshot: &Snapshot,
    sync: Sync,
) -> Result<(), EngineError> {
    let names = names_now(snapshot, &sync.table);
    let matching = Match {
        table: sync.table,
        columns: sync.forward,
        backward: sync.backward,
        key: sync.key,
        link: None,
    };
    let transaction = client.build_transaction().read_only(true).start().await?;
    let timeout_ms = snapshot.plan.settings.statement_timeout.millis();
    let path = session::as_the_application(&snapshot.plan);
    transaction
        .batch_execute(&format!(
            "SET LOCAL statement_timeout = {timeout_ms}; {path}"
        ))
        .await?;
    let (rows, keys) = batch::one_sided(&transaction, &matching, &names, SHOWN).await?;
    transaction.rollback().await?;
    if rows == 0 {
        return Ok(());
    }
    let more = if rows > SHOWN { ", …" } else { "" };
    Err(EngineError::Refused(format!(
        "somebody changed the triggers that keep both sides in step, and {rows} rows of {} have a value only on the new side: {keys}{more}. Going back would lose these values. Write the right value to the old side of these rows (the triggers then write the new side), and run the rollback again. Nothing has changed",
        matching.table
    )))
}

//! Verification: comparisons of all rows, and what a repair writes.

use super::{
    EngineError,
    names::names_now,
    session::Driver,
    statement_failed,
    walk::{self, From, Walked, Work},
};
use crate::database::batch;
use crate::store::{
    verification::{self, Finding},
    walks,
};
use crossfade_decisions::lifecycle::snapshot::Snapshot;
use crossfade_plan::sqlgen::{
    cost::Thing,
    rows::{Repair, Truth},
    session,
    sync::Names,
    table_pair::rows::mended,
};
use crossfade_plan::{
    compiled::{Action, Match, Plan, StepId},
    document::PhaseName,
    steps::DdlStep,
    table_pair::Side,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[derive(Clone, Debug, PartialEq)]
pub enum Verified {
    Finished(Finding),
    Paused,
    Interrupted,
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

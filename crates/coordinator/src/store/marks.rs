//! How the objects that steps make or change stood before a step, and how it left them.

use super::{StoreError, lease::Lease, runs::corrupt};
use crossfade_plan::compiled::StepId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::{GenericClient, Transaction, types::Json};

/// How everything that a step is about stands at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Each object by what it is called in messages, as the server writes its definition. What is not there has none.
    pub objects: BTreeMap<String, String>,
    /// What depends on the objects that the run's undo drops, as the server identifies it. Only of steps whose statements may make
    /// what the plan does not name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<BTreeSet<String>>,
}

/// Of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stood {
    pub before: Option<Marks>,
    pub after: Option<Marks>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

pub async fn of_run(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<BTreeMap<StepId, Stood>, StoreError> {
    let rows = client
        .query(
            "SELECT step, stood_before, stood_after FROM crossfade.steps WHERE run_id = $1",
            &[&run_id],
        )
        .await?;
    let marks = |value: Option<serde_json::Value>| {
        value
            .map(serde_json::from_value)
            .transpose()
            .map_err(corrupt)
    };
    rows.iter()
        .map(|row| {
            let stood = Stood {
                before: marks(row.get(1))?,
                after: marks(row.get(2))?,
            };
            Ok((StepId(row.get(0)), stood))
        })
        .collect()
}

/// In the transaction that says that the step begins, or that it is done.
pub async fn set(
    transaction: &Transaction<'_>,
    lease: Lease,
    step: &StepId,
    moment: Moment,
    marks: &Marks,
) -> Result<(), StoreError> {
    let sql = match moment {
        Moment::Before => {
            "UPDATE crossfade.steps SET stood_before = $3 WHERE run_id = $1 AND step = $2"
        }
        Moment::After => {
            "UPDATE crossfade.steps SET stood_after = $3 WHERE run_id = $1 AND step = $2"
        }
    };
    transaction
        .execute(sql, &[&lease.run_id, &step.0, &Json(marks)])
        .await?;
    Ok(())
}

impl Stood {
    /// What came to depend on the run's objects while the step was run; `None`: that is not known.
    pub fn made(&self) -> Option<BTreeSet<String>> {
        let (before, after) = (self.before.as_ref()?, self.after.as_ref()?);
        let (before, after) = (before.dependents.as_ref()?, after.dependents.as_ref()?);
        Some(after.difference(before).cloned().collect())
    }
}

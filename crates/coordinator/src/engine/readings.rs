//! What the conditions of a gate need to know of the database at this moment.

use super::{dependents, drift, query, references};
use crate::probe;
use crossfade_decisions::lifecycle::{gate::Readings, snapshot::Snapshot};
use crossfade_plan::compiled::{Condition, Phase};
use crossfade_postgres::sqlstate;
use std::time::{Duration, Instant};
use tokio_postgres::Client;

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
                let read = dependents::as_planned(client, snapshot, columns).await;
                readings.dependents = Some(read.map_err(|error| sqlstate::message(&error)));
            }
            Condition::SyncInPlace => {
                let read = drift::of_gate(client, snapshot).await;
                readings.sync = Some(read.map_err(|error| sqlstate::message(&error)));
            }
            Condition::Query(asked) => {
                let timeout = patience.left(snapshot.plan.settings.statement_timeout.duration());
                let timeout = u64::try_from(timeout.as_millis())
                    .unwrap_or(u64::MAX)
                    .max(1);
                let answer = query::ask(client, &snapshot.plan, asked, timeout).await?;
                readings.queries.push((asked.name.clone(), answer));
            }
            Condition::Backup(wanted) => {
                let timeout = patience.left(snapshot.plan.settings.statement_timeout.duration());
                let asked = query::backup_age(client, &snapshot.plan, &wanted.query, timeout).await;
                let age = asked.map_err(|error| sqlstate::message(&error));
                readings.backups.push((wanted.query.clone(), age));
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

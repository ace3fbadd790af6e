//! Load → next → act → record. It prints nothing; what happens is told to a `Reporter`.

pub mod by_hand;
pub mod ddl;
pub mod dependents;
pub mod drift;
pub mod drive;
pub mod failpoint;
pub mod names;
pub mod newest;
pub mod notice;
pub mod quarantine;
pub mod query;
pub mod readings;
pub mod references;
pub mod rollback;
pub mod session;
pub mod toll;
pub mod verify;
pub mod vital;
pub mod walk;
pub mod worker_context;

use crate::database::activity::Blocker;
use crate::store::StoreError;
use crossfade_decisions::lifecycle::next::Wait;
use crossfade_plan::{
    compiled::{Plan, StepId},
    document::PhaseName,
};
use crossfade_postgres::{
    connect::ConnectError,
    sqlstate::{self, ErrorClass},
};

/// How a command of the engine ended, when nothing went wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Done,
    Waiting(Wait),
    /// Ctrl-C: the batch was finished or rolled back.
    Interrupted,
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("step {step}: could not acquire the lock in {attempts} attempts over {waited_ms} ms; {}. Nothing has changed: `advance` tries again", blocked_by(.blockers))]
    LockNotHad {
        step: StepId,
        attempts: u32,
        waited_ms: u128,
        blockers: Vec<Blocker>,
    },
    #[error(
        "step {step}: {rows_different} of {rows_checked} rows differ: {examples}. `crossfade verify {run} --repair` corrects them from the side that is read, except rows in which only the other side has a value"
    )]
    Differences {
        run: String,
        step: StepId,
        rows_checked: i64,
        rows_different: i64,
        examples: String,
    },
    /// What was compared before may be out of step by now.
    #[error(
        "step {step}: during each attempt somebody changed the triggers or attached a partition. Nothing has changed: `advance` tries again"
    )]
    SyncChanged { step: StepId },
    #[error("step {step}: {what}")]
    Conflict { step: StepId, what: String },
    #[error("step {step}: {}", sqlstate::message(.error))]
    Statement {
        step: StepId,
        #[source]
        error: tokio_postgres::Error,
    },
    #[error(
        "step {step}: a statement took longer than the plan's `statement_timeout` of {limit:?}: {}",
        sqlstate::message(.error)
    )]
    TooLong {
        step: StepId,
        limit: std::time::Duration,
        #[source]
        error: tokio_postgres::Error,
    },
    #[error("the plan of {run} has no phase {phase}; its phases are {phases}")]
    NoPhase {
        run: String,
        phase: PhaseName,
        phases: String,
    },
    #[error("{0}")]
    Refused(String),
    #[error("the database did not answer: {}", sqlstate::message(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error("no connection could be had from the pool: {0}")]
    Pool(String),
}

impl EngineError {
    /// A phase that this plan does not have.
    pub fn no_phase(plan: &Plan, phase: PhaseName) -> Self {
        let phases = plan.phases.iter().map(|phase| phase.name.as_str());
        Self::NoPhase {
            run: plan.name.to_string(),
            phase,
            phases: phases.collect::<Vec<_>>().join(", "),
        }
    }

    /// The database went away, or has no room for us at the moment: the same may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connect(error) => error.is_passing(),
            // The new primary may be there in a moment.
            Self::Pool(_)
            | Self::Store(StoreError::Silent { .. } | StoreError::OldPrimary { .. }) => true,
            other => matches!(
                other.class(),
                Some(ErrorClass::ConnectionLost | ErrorClass::Resources)
            ),
        }
    }

    /// The server takes no writes: a standby, or what was the primary.
    pub fn is_read_only(&self) -> bool {
        self.class() == Some(ErrorClass::ReadOnly)
    }

    /// The server did not wait for us any longer in a transaction.
    pub fn is_idle_timeout(&self) -> bool {
        let state = match self {
            Self::Store(StoreError::Database(error))
            | Self::Statement { error, .. }
            | Self::Database(error) => error.code(),
            _ => None,
        };
        state == Some(&tokio_postgres::error::SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT)
    }

    /// Somebody has cancelled a statement of ours. One that took longer than the plan allows ends as `TooLong`.
    pub fn is_cancelled(&self) -> bool {
        self.class() == Some(ErrorClass::Cancelled)
    }

    /// A statement has waited for a lock for as long as it may.
    pub fn is_lock_not_had(&self) -> bool {
        self.class() == Some(ErrorClass::LockNotHad)
    }

    /// What the server's error means, where it is one.
    fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Store(StoreError::Database(error))
            | Self::Statement { error, .. }
            | Self::Database(error) => Some(sqlstate::classify(error)),
            Self::Connect(_) | Self::Pool(_) => None,
            Self::Store(_)
            | Self::LockNotHad { .. }
            | Self::Differences { .. }
            | Self::SyncChanged { .. }
            | Self::Conflict { .. }
            | Self::TooLong { .. }
            | Self::NoPhase { .. }
            | Self::Refused(_) => None,
        }
    }
}

/// The error of a statement of this step that began at `began`.
pub fn statement_failed(
    step: &StepId,
    error: tokio_postgres::Error,
    began: std::time::Instant,
    limit: std::time::Duration,
) -> EngineError {
    let step = step.clone();
    let is_cancelled = sqlstate::classify(&error) == ErrorClass::Cancelled;
    if is_cancelled && !limit.is_zero() && began.elapsed() >= limit {
        EngineError::TooLong { step, limit, error }
    } else {
        EngineError::Statement { step, error }
    }
}

fn blocked_by(blockers: &[Blocker]) -> String {
    if blockers.is_empty() {
        "who held it was not seen".to_owned()
    } else {
        let list: Vec<String> = blockers.iter().map(Blocker::to_string).collect();
        format!("held by {}", list.join("; "))
    }
}

impl From<deadpool_postgres::PoolError> for EngineError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => Self::Database(error),
            other => Self::Pool(other.to_string()),
        }
    }
}

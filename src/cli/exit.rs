//! Exit codes: a contract with whoever drives the program.

use crate::lifecycle::next::Wait;
use crate::service::{EngineError, Outcome, ServiceError, StoreError};
use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Error = 1,
    Usage = 2,
    AtGate = 3,
    Paused = 4,
    Differences = 5,
    NotHad = 6,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that was called in a way that it cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

pub fn of_outcome(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Done => Exit::Done,
        Outcome::Interrupted => Exit::Interrupted,
        Outcome::Waiting(Wait::Gate(..) | Wait::RollingBack(_)) => Exit::AtGate,
        Outcome::Waiting(Wait::Paused(_)) => Exit::Paused,
    }
}

pub fn of_error(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<UsageError>().is_some() {
        return Exit::Usage;
    }
    match error.downcast_ref::<ServiceError>() {
        Some(ServiceError::Engine(EngineError::Differences { .. })) => Exit::Differences,
        Some(ServiceError::Engine(
            EngineError::LockNotHad { .. }
            | EngineError::Store(StoreError::LeaseHeld { .. } | StoreError::LeaseLost),
        )) => Exit::NotHad,
        Some(ServiceError::Interrupted(_)) => Exit::Interrupted,
        _ => Exit::Error,
    }
}

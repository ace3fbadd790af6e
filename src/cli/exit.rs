//! Exit codes: a contract with whoever drives the program.

use crossfade_coordinator::service::{EngineError, Outcome, ServiceError, StoreError};
use crossfade_decisions::lifecycle::next::Wait;
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
        Outcome::Waiting(Wait::Gate(..) | Wait::RollingBack(..)) => Exit::AtGate,
        Outcome::Waiting(Wait::Paused(_) | Wait::Frozen(_)) => Exit::Paused,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_exit_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/exit-codes.md");
        let page = std::fs::read_to_string(path).unwrap();
        let codes = page.lines().filter_map(|line| {
            let cell = line.strip_prefix("| ")?.split(" | ").next()?;
            cell.parse::<u8>().ok()
        });
        let codes: Vec<u8> = codes.collect();
        let all = [
            Exit::Done,
            Exit::Error,
            Exit::Usage,
            Exit::AtGate,
            Exit::Paused,
            Exit::Differences,
            Exit::NotHad,
            Exit::Interrupted,
        ];
        assert_eq!(codes, all.map(|exit| exit as u8));
    }
}

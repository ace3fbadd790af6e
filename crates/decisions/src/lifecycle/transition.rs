//! The one transition function, for live running and for recovery alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The state of a phase or a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Pending,
    Running,
    Failed,
    Completed,
    Reverting,
    Reverted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Active,
    Completed,
    RolledBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Start,
    Fail,
    Complete,
    Revert,
    FinishReverting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {state} step or phase cannot {event}")]
pub struct IllegalEvent {
    pub state: State,
    pub event: Event,
}

/// `pending → running → completed`, `running → failed → running`, `completed → reverting → reverted → running`.
/// What was begun and not completed can be reverted too; starting or reverting what is already started or being
/// reverted is how a crash is recovered from.
pub fn transition(state: State, event: Event) -> Result<State, IllegalEvent> {
    use {Event as E, State as S};
    match (state, event) {
        (S::Pending | S::Failed | S::Running | S::Reverted, E::Start) => Ok(S::Running),
        // Going back was refused and given up: what stands of it is looked at when it comes forward again.
        (S::Running | S::Reverting, E::Fail) => Ok(S::Failed),
        (S::Running, E::Complete) => Ok(S::Completed),
        (S::Completed | S::Failed | S::Running | S::Reverting, E::Revert) => Ok(S::Reverting),
        (S::Reverting, E::FinishReverting) => Ok(S::Reverted),
        (
            state @ (S::Pending
            | S::Running
            | S::Failed
            | S::Completed
            | S::Reverting
            | S::Reverted),
            event @ (E::Start | E::Fail | E::Complete | E::Revert | E::FinishReverting),
        ) => Err(IllegalEvent { state, event }),
    }
}

impl State {
    pub const ALL: [State; 6] = [
        Self::Pending,
        Self::Running,
        Self::Failed,
        Self::Completed,
        Self::Reverting,
        Self::Reverted,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Completed => "completed",
            Self::Reverting => "reverting",
            Self::Reverted => "reverted",
        }
    }
    /// Something of it may stand in the database.
    pub fn has_begun(self) -> bool {
        match self {
            Self::Pending | Self::Reverted => false,
            Self::Running | Self::Failed | Self::Completed | Self::Reverting => true,
        }
    }
}

impl RunState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::RolledBack => "rolled_back",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Fail => "fail",
            Self::Complete => "be completed",
            Self::Revert => "be reverted",
            Self::FinishReverting => "finish reverting",
        })
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a state"))
    }
}

impl FromStr for RunState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Active, Self::Completed, Self::RolledBack]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a run's state"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_completed_that_was_not_started_and_nothing_starts_while_it_is_reverted() {
        for state in State::ALL {
            let completes = transition(state, Event::Complete).is_ok();
            assert_eq!(completes, state == State::Running);
            let starts = transition(state, Event::Start).is_ok();
            assert_eq!(
                starts,
                !matches!(state, State::Completed | State::Reverting)
            );
            let finishes = transition(state, Event::FinishReverting).is_ok();
            assert_eq!(finishes, state == State::Reverting);
        }
    }

    #[test]
    fn states_are_read_back_as_they_are_written() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse::<State>().unwrap(), state);
        }
    }
}

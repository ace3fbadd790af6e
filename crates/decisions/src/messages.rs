//! Which messages people are sent: what an event is about, what is worth telling of a run as it stands, and when a message that was
//! not taken is sent again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// What a message is about. Receivers choose among these.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case", rename = "topic")]
pub enum Topic {
    /// A run was registered.
    RunStarted,
    PhaseStarted,
    PhaseFinished,
    PhaseFailed,
    /// Every condition of the next phase's gate holds.
    GateOpen,
    /// The gate of the next phase needs an approval.
    ApprovalNeeded,
    Paused,
    Resumed,
    /// A backfill was held back for ten minutes.
    HeldBack,
    /// A backfill makes no progress, and nothing is known to hold it back.
    Stuck,
    /// Crossfade has waited a minute for a lock that others hold.
    Blocked,
    /// The old and the new side differ.
    DifferenceFound,
    /// Rows have values that the other side cannot take.
    Quarantined,
    /// Somebody changed the triggers that keep both sides in step.
    TriggersChanged,
    /// An order ended, and people have to decide what comes next.
    OrderStopped,
    OrderFailed,
    RollbackStarted,
    RolledBack,
    /// The run is completed.
    Finished,
    /// `crossfade notify test`
    Test,
}

impl Topic {
    pub const ALL: [Self; 20] = [
        Self::RunStarted,
        Self::PhaseStarted,
        Self::PhaseFinished,
        Self::PhaseFailed,
        Self::GateOpen,
        Self::ApprovalNeeded,
        Self::Paused,
        Self::Resumed,
        Self::HeldBack,
        Self::Stuck,
        Self::Blocked,
        Self::DifferenceFound,
        Self::Quarantined,
        Self::TriggersChanged,
        Self::OrderStopped,
        Self::OrderFailed,
        Self::RollbackStarted,
        Self::RolledBack,
        Self::Finished,
        Self::Test,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunStarted => "run_started",
            Self::PhaseStarted => "phase_started",
            Self::PhaseFinished => "phase_finished",
            Self::PhaseFailed => "phase_failed",
            Self::GateOpen => "gate_open",
            Self::ApprovalNeeded => "approval_needed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::HeldBack => "held_back",
            Self::Stuck => "stuck",
            Self::Blocked => "blocked",
            Self::DifferenceFound => "difference_found",
            Self::Quarantined => "quarantined",
            Self::TriggersChanged => "triggers_changed",
            Self::OrderStopped => "order_stopped",
            Self::OrderFailed => "order_failed",
            Self::RollbackStarted => "rollback_started",
            Self::RolledBack => "rolled_back",
            Self::Finished => "finished",
            Self::Test => "test",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == word)
    }

    /// Told to a receiver that chooses nothing: what somebody has to act on, and the end.
    pub fn is_usual(self) -> bool {
        !matches!(
            self,
            Self::RunStarted | Self::PhaseStarted | Self::PhaseFinished | Self::Resumed
        )
    }

    /// What an event of the audit log is about, if people are told of it.
    pub fn of_event(kind: &str, detail: &Value) -> Option<Self> {
        let text = |key: &str| detail[key].as_str().unwrap_or_default();
        Some(match kind {
            "started" => Self::RunStarted,
            "phase running" => Self::PhaseStarted,
            "phase completed" => Self::PhaseFinished,
            "phase failed" => Self::PhaseFailed,
            "paused" => Self::Paused,
            "resumed" => Self::Resumed,
            "rollback begun" => Self::RollbackStarted,
            "rolled_back" | "rollback done" => Self::RolledBack,
            "completed" => Self::Finished,
            "sync touched" => Self::TriggersChanged,
            "order ended" if text("state") == "failed" => Self::OrderFailed,
            "order ended" if text("state") == "stopped" => Self::OrderStopped,
            NOTICED => return Self::named(text("what")),
            _ => return None,
        })
    }
}

/// The kind of the event that a server records of a run as it stands.
pub const NOTICED: &str = "noticed";

/// Something about a run as it stands, that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub topic: Topic,
    /// Something else is news.
    pub about: String,
    /// In a sentence, for people.
    pub detail: String,
}

impl Condition {
    /// It has to last so long before anybody is told.
    pub fn told_after(topic: Topic) -> Duration {
        match topic {
            Topic::HeldBack => Duration::from_secs(600),
            Topic::Blocked => Duration::from_secs(60),
            // A server orders a phase that begins by itself within a few seconds.
            Topic::GateOpen => Duration::from_secs(10),
            _ => Duration::ZERO,
        }
    }
}

/// A message that was not taken for this long is given up.
pub const GIVEN_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 3600);
/// After the attempts so far.
const PAUSES: [u64; 8] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];
const PAUSE_MAX: Duration = Duration::from_secs(8 * 3600);

/// How long to wait before a message is sent again that has been sent `attempts` times (1 or more), the first of them for `age`
/// ago; `asked`: what the receiver asks for. `None`: it is given up.
pub fn send_again_after(attempts: u32, age: Duration, asked: Option<Duration>) -> Option<Duration> {
    let at = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let pause = PAUSES
        .get(at)
        .map_or(PAUSE_MAX, |seconds| Duration::from_secs(*seconds));
    let pause = asked.map_or(pause, |asked| asked.max(pause).min(PAUSE_MAX));
    (age + pause <= GIVEN_UP_AFTER).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_topic_is_read_as_it_is_written() {
        for topic in Topic::ALL {
            assert_eq!(Topic::named(topic.as_str()), Some(topic));
            assert_eq!(json!(topic), topic.as_str());
        }
    }

    #[test]
    fn a_message_is_sent_for_three_days_with_growing_pauses_and_then_given_up() {
        let (mut attempts, mut age, mut pauses) = (0, Duration::ZERO, Vec::new());
        loop {
            attempts += 1;
            let Some(pause) = send_again_after(attempts, age, None) else {
                break;
            };
            pauses.push(pause);
            age += pause;
        }
        assert!(pauses.is_sorted());
        assert!((10..=20).contains(&pauses.len()), "{pauses:?}");
        assert!(age > Duration::from_secs(2 * 24 * 3600) && age <= GIVEN_UP_AFTER);
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_days() {
        let day = Duration::from_secs(24 * 3600);
        let asked = |asked| send_again_after(1, Duration::ZERO, Some(asked));
        assert_eq!(
            asked(Duration::from_secs(60)),
            Some(Duration::from_secs(60))
        );
        assert_eq!(asked(Duration::ZERO), Some(Duration::from_secs(5)));
        assert_eq!(asked(day), Some(PAUSE_MAX));
    }

    #[test]
    fn an_order_that_was_done_or_cancelled_is_no_news() {
        for (state, topic) in [
            ("done", None),
            ("cancelled", None),
            ("failed", Some(Topic::OrderFailed)),
            ("stopped", Some(Topic::OrderStopped)),
        ] {
            assert_eq!(
                Topic::of_event("order ended", &json!({"state": state})),
                topic
            );
        }
    }
}

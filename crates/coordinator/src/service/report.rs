//! `report`: what a run did, when, and how long it took, for people who were not there.

use super::{HistoryEvent, RunRecord, Service, ServiceError, Status};
use crossfade_decisions::messages::NOTICED;
use crossfade_plan::{document::PhaseName, span::Span};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

/// A run as its history and its state tell it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    pub run: String,
    pub state: String,
    pub plan_fingerprint: String,
    pub started_by: String,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub phases: Vec<ReportedPhase>,
    /// Seconds, of ended pauses and of one that is in force.
    pub paused_seconds: f64,
    /// Attempts at a lock that others held.
    pub blocked_attempts: usize,
    pub rollbacks: usize,
    pub rows_changed: Option<i64>,
    /// The table's size as a multiple of that before.
    pub table_growth: Option<f64>,
    pub rows_checked: Option<i64>,
    pub rows_different: Option<i64>,
    /// Rows in quarantine, and those that were accepted as they are.
    pub quarantined: i64,
    pub accepted: i64,
    pub timeline: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReportedPhase {
    pub phase: PhaseName,
    pub state: String,
    pub started_at: Option<Timestamp>,
    /// From its beginning to its end, pauses included.
    pub seconds: Option<f64>,
    /// Between the end of the phase before, or the start of the run, and its beginning.
    pub waited_seconds: Option<f64>,
}

/// What people, or the run, did.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Entry {
    /// UTC, to the microsecond.
    pub at: String,
    pub by: String,
    pub what: String,
}

impl Service {
    /// Of the newest run of that name.
    pub async fn report(&self, run: &str) -> Result<Report, ServiceError> {
        let record = self.registered(run).await?;
        let status = self.status(run).await?;
        let events = self.history(run, 0, false).await?.events;
        Ok(report(&record, &status, &events, Timestamp::now()))
    }
}

fn report(record: &RunRecord, status: &Status, events: &[HistoryEvent], now: Timestamp) -> Report {
    let of_kind = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    let backfill = status.backfill.as_ref();
    let verification = status.verification.as_ref();
    Report {
        run: status.run.clone(),
        state: status.state.clone(),
        plan_fingerprint: status.plan_fingerprint.clone(),
        started_by: record.started_by.clone(),
        started_at: record.started_at,
        finished_at: record.finished_at,
        phases: phases(status, record.started_at),
        paused_seconds: paused_seconds(events, now),
        blocked_attempts: of_kind("blocked"),
        rollbacks: of_kind("rollback begun"),
        rows_changed: backfill.map(|backfill| backfill.rows_changed),
        table_growth: backfill.and_then(|backfill| backfill.table_growth),
        rows_checked: verification.map(|found| found.rows_checked),
        rows_different: verification.map(|found| found.rows_different),
        quarantined: status.quarantined,
        accepted: status.accepted,
        timeline: events.iter().filter_map(entry).collect(),
    }
}

fn phases(status: &Status, started_at: Timestamp) -> Vec<ReportedPhase> {
    let mut before = Some(started_at);
    let mut phases = Vec::new();
    for phase in &status.phases {
        let seconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
            Some(to?.duration_since(from?).as_secs_f64().max(0.0))
        };
        phases.push(ReportedPhase {
            phase: phase.phase,
            state: phase.state.as_str().to_owned(),
            started_at: phase.started_at,
            seconds: seconds(phase.started_at, phase.finished_at),
            waited_seconds: seconds(before, phase.started_at),
        });
        before = phase.finished_at;
    }
    phases
}

/// A pause that is replaced goes on, and one with an end has ended at it.
fn paused_seconds(events: &[HistoryEvent], now: Timestamp) -> f64 {
    let mut total = 0.0;
    let mut began: Option<(Timestamp, Option<Timestamp>)> = None;
    let mut end = |pause: Option<(Timestamp, Option<Timestamp>)>, at: Timestamp| {
        if let Some((from, until)) = pause {
            let to = until.map_or(at, |until| until.min(at));
            total += to.duration_since(from).as_secs_f64().max(0.0);
        }
    };
    for event in events {
        let Ok(at) = event.at.parse::<Timestamp>() else {
            continue;
        };
        match event.kind.as_str() {
            "paused" => {
                end(began.take(), at);
                let until = event.detail["until"].as_str();
                began = Some((at, until.and_then(|until| until.parse().ok())));
            }
            "resumed" => end(began.take(), at),
            _ => {}
        }
    }
    end(began, now);
    total
}

/// `None`: of a single step, which says nothing to who was not there.
fn entry(event: &HistoryEvent) -> Option<Entry> {
    if event.kind.starts_with("step") {
        return None;
    }
    Some(Entry {
        at: event.at.clone(),
        by: format!("{} ({})", event.role, event.os_user),
        what: in_words(event),
    })
}

/// What happened: `backfill completed`.
pub(super) fn in_words(event: &HistoryEvent) -> String {
    let text = |key: &str| event.detail[key].as_str().unwrap_or_default().to_owned();
    let because = |key: &str| match text(key) {
        text if text.is_empty() => String::new(),
        text => format!(": {text}"),
    };
    let phase = || text("phase");
    match event.kind.as_str() {
        "started" => "started the run".to_owned(),
        "ordered" => ordered(&event.detail),
        "order ended" => format!("the order ended as {}{}", text("state"), because("why")),
        "phase running" => format!("{} began", phase()),
        "phase completed" => format!("{} completed", phase()),
        "phase failed" => format!("{} failed{}", phase(), because("error")),
        "phase reverting" => format!("undoing {}", phase()),
        "phase reverted" => format!("{} undone", phase()),
        "approved" => format!("approved {}{}", phase(), because("comment")),
        "approvals void" => "approvals became void".to_owned(),
        "paused" => format!("paused{}", because("reason")),
        "resumed" => format!("resumed{}", because("reason")),
        "frozen" => format!("froze the database{}", because("reason")),
        "unfrozen" => "ended the freeze of the database".to_owned(),
        "tuned" => tuned(&event.detail),
        "blocked" => format!("{} could not acquire a lock that others held", text("step")),
        "quarantine accepted" => format!(
            "accepted {} rows in quarantine as they are{}",
            event.detail["rows"],
            because("reason")
        ),
        "rollback begun" => "a rollback began".to_owned(),
        "rollback done" => "the rollback is done".to_owned(),
        "rollback given up" => "the rollback was given up".to_owned(),
        "sync touched" => "somebody changed the triggers by hand".to_owned(),
        "completed" => "the run is completed".to_owned(),
        "rolled_back" => "the run is rolled back".to_owned(),
        NOTICED => text("detail"),
        kind => kind.to_owned(),
    }
}

fn ordered(detail: &Value) -> String {
    let action = detail["action"].as_str().unwrap_or_default();
    match detail["phase"].as_str() {
        Some(phase) if action == "rollback" => {
            format!("ordered to roll back to the end of {phase}")
        }
        None if action == "rollback" => "ordered to roll back to the start".to_owned(),
        Some(phase) => format!("ordered to {action} to {phase}"),
        None => format!("ordered to {action}"),
    }
}

fn tuned(detail: &Value) -> String {
    let key = detail["key"].as_str().unwrap_or_default();
    let reason = detail["reason"].as_str().unwrap_or_default();
    match detail["value"].as_str() {
        Some(value) => format!("set {key} to {value}: {reason}"),
        None => format!("gave {key} back to the plan: {reason}"),
    }
}

impl Report {
    /// A heading, two tables and a list.
    pub fn in_markdown(&self) -> String {
        let mut text = format!(
            "# {}: {}\n\n",
            plain(&self.run),
            self.state.replace('_', " ")
        );
        for (what, value) in self.facts() {
            let _ = writeln!(text, "- {what}: {}", plain(&value));
        }
        text.push_str(
            "\n| phase | state | began | waited before | took |\n|---|---|---|---|---|\n",
        );
        for phase in &self.phases {
            let began = phase
                .started_at
                .map_or(String::new(), |at| format!("{at:.0}"));
            let _ = writeln!(
                text,
                "| {} | {} | {began} | {} | {} |",
                phase.phase,
                phase.state,
                span(phase.waited_seconds),
                span(phase.seconds)
            );
        }
        text.push_str("\n## Timeline\n\n");
        for entry in &self.timeline {
            let second = entry.at.get(..19).unwrap_or(&entry.at);
            let _ = writeln!(
                text,
                "- {second}Z, {}: {}",
                plain(&entry.by),
                plain(&entry.what)
            );
        }
        text
    }

    /// What is known of the whole run.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![(
            "started",
            format!("{:.0} by {}", self.started_at, self.started_by),
        )];
        if let Some(at) = self.finished_at {
            let took = at.duration_since(self.started_at).unsigned_abs();
            facts.push(("ended", format!("{at:.0}, after {}", Span::rough(took))));
        }
        if let Some(rows) = self.rows_changed {
            facts.push(("rows changed by the backfill", rows.to_string()));
        }
        if let Some(growth) = self.table_growth {
            facts.push(("table", format!("{growth:.2} times its size before")));
        }
        if let (Some(checked), Some(different)) = (self.rows_checked, self.rows_different) {
            facts.push((
                "last verification",
                format!("{checked} rows, {different} differ"),
            ));
        }
        if self.quarantined + self.accepted > 0 {
            facts.push((
                "quarantine",
                format!(
                    "{} rows, {} accepted as they are",
                    self.quarantined, self.accepted
                ),
            ));
        }
        if self.paused_seconds > 0.0 {
            facts.push(("paused", span(Some(self.paused_seconds))));
        }
        facts.push((
            "attempts at a lock that others held",
            self.blocked_attempts.to_string(),
        ));
        facts.push(("rollbacks", self.rollbacks.to_string()));
        facts.push(("plan", self.plan_fingerprint.clone()));
        facts
    }
}

/// Seconds as people read them; nothing where they are not known.
pub fn span(seconds: Option<f64>) -> String {
    let length = seconds.map(|seconds| std::time::Duration::from_secs_f64(seconds.max(0.0)));
    length.map_or(String::new(), Span::rough)
}

/// What people wrote, as one line that Markdown and a terminal show as it is.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' => {
                plain.push('\\');
                plain.push(letter);
            }
            letter if crossfade_model::printable::is_deceptive(letter) => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(at: &str, kind: &str, detail: Value) -> HistoryEvent {
        HistoryEvent::made(at, kind, detail)
    }

    #[test]
    fn pauses_count_to_their_end_their_successor_or_now() {
        let now = "2026-11-01T10:10:00Z".parse().unwrap();
        let at = |minute: u32| format!("2026-11-01T10:{minute:02}:00Z");
        let paused = |minute, until: Option<u32>| {
            event(
                &at(minute),
                "paused",
                json!({"reason": "x", "until": until.map(at)}),
            )
        };
        let resumed = |minute| event(&at(minute), "resumed", json!({}));
        let seconds = |events: &[HistoryEvent]| paused_seconds(events, now) as i64;
        assert_eq!(seconds(&[]), 0);
        assert_eq!(seconds(&[paused(0, None), resumed(2)]), 120);
        assert_eq!(seconds(&[paused(0, Some(1)), resumed(2)]), 60);
        assert_eq!(
            seconds(&[paused(0, None), paused(1, Some(3)), resumed(2)]),
            120
        );
        assert_eq!(seconds(&[paused(7, None)]), 180);
        assert_eq!(seconds(&[resumed(2)]), 0);
    }

    #[test]
    fn what_people_wrote_stays_text() {
        assert_eq!(plain("a|b\n# c <i>"), "a\\|b \\# c \\<i\\>");
        let approved = event(
            "2026-11-01T10:00:00Z",
            "approved",
            json!({"phase": "contract", "comment": "seen"}),
        );
        assert_eq!(entry(&approved).unwrap().what, "approved contract: seen");
        assert_eq!(entry(&event("x", "step running", json!({}))), None);
    }
}

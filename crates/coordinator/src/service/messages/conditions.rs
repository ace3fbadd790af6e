//! What there is to say of a run as it stands.

use crate::service::{OrderRecord, Status};
use crossfade_decisions::messages::{Condition, Topic};

/// Conditions of gates that people or time bring about. Others hold, or something is wrong.
const WAITED_FOR: [&str; 8] = [
    "approvals",
    "bake",
    "old_writes_quiet",
    "no_references",
    "verified_within",
    "window",
    "http",
    "query",
];

pub fn of(status: &Status) -> Vec<Condition> {
    let run = &status.run;
    let phase = status.current_phase();
    let waiting = |kind: &str| status.waiting.iter().find(|one| one.kind == kind);
    let mut found = Vec::new();
    let mut add = |topic, about: String, detail: String| {
        found.push(Condition {
            topic,
            about,
            detail,
        });
    };
    if let Some(phase) = phase {
        let name = phase.phase.as_str();
        let is_guarded = phase
            .gate
            .iter()
            .any(|condition| WAITED_FOR.contains(&condition.kind.as_str()));
        let is_ordered = status.order.as_ref().is_some_and(OrderRecord::is_open);
        if is_guarded && !is_ordered && waiting("operator").is_some() {
            let detail = format!("the gate of {name} is open: `crossfade advance {run}` runs it");
            add(Topic::GateOpen, name.to_owned(), detail);
        }
        if let Some(approvals) = waiting("approvals") {
            let detail = format!(
                "{name} waits for an approval ({}): `crossfade approve {run} {name}` gives it",
                approvals.detail
            );
            add(Topic::ApprovalNeeded, name.to_owned(), detail);
        }
    }
    if let Some(lock) = waiting("lock") {
        let phase = phase.map_or_else(String::new, |phase| phase.phase.to_string());
        add(Topic::Blocked, phase, lock.detail.clone());
    }
    if let Some(backfill) = &status.backfill
        && status.percent().is_some()
    {
        if status.is_stuck() {
            let detail = format!(
                "the backfill of {} makes no progress, and nothing is known to hold it back",
                backfill.table
            );
            add(Topic::Stuck, backfill.table.clone(), detail);
        } else if !backfill.pace.reasons.is_empty() && status.lease.is_some() {
            let reasons = backfill.pace.reasons.join("; ");
            let detail = format!("the backfill of {} is held back: {reasons}", backfill.table);
            add(Topic::HeldBack, backfill.table.clone(), detail);
        }
    }
    if let Some(verification) = &status.verification
        && verification.rows_different > 0
    {
        let detail = format!(
            "{} of {} rows differ: `crossfade verify {run}` compares them again",
            verification.rows_different, verification.rows_checked
        );
        let about = verification.finished_at.to_string();
        add(Topic::DifferenceFound, about, detail);
    }
    let quarantined = status.quarantined;
    if quarantined > 0 {
        let detail = format!(
            "{quarantined} rows have values that the other side cannot take: `crossfade quarantine list {run}` shows them"
        );
        add(Topic::Quarantined, String::new(), detail);
    }
    found
}

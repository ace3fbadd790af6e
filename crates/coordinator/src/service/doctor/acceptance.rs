//! Failed checks that a run is started in spite of: who may, and what is recorded.

use super::{Check, CheckFinding, ServiceError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A failed check that somebody starts a run in spite of, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    pub check: Check,
    pub reason: String,
}

/// A failed check that was accepted as a run was started, as its history has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AcceptedCheck {
    pub check: String,
    pub found: String,
    pub reason: String,
}

/// Why `start` refuses, with what to do about each.
pub fn refusal(failed: &[CheckFinding]) -> String {
    let each = failed.iter().map(|finding| {
        let remedy = finding.remedy.as_deref();
        let remedy = remedy.map_or(String::new(), |remedy| format!(" (remedy: {remedy})"));
        format!("{}: {}{remedy}", finding.check, finding.found)
    });
    let each: Vec<String> = each.collect();
    let accepted = failed.iter().map(|finding| finding.check);
    let mut accepted: Vec<Check> = accepted.filter(|check| check.can_be_accepted()).collect();
    accepted.dedup();
    let accepts: Vec<String> = accepted
        .iter()
        .map(|check| format!("--accept {check} --reason …"))
        .collect();
    let checks = if failed.len() == 1 {
        "a check"
    } else {
        "checks"
    };
    let then = match accepts.is_empty() {
        true => String::new(),
        false => format!("; to start in spite of it: {}", accepts.join(" ")),
    };
    format!(
        "{checks} failed, and nothing was started. {}. `crossfade doctor PLAN` checks again{then}",
        each.join("; ")
    )
}

/// Of a failed check that stops the run anyway nobody is to believe that it can be accepted.
pub fn can_be_accepted(accepted: &[Acceptance]) -> Result<(), ServiceError> {
    let Some(other) = accepted.iter().find(|one| !one.check.can_be_accepted()) else {
        return Ok(());
    };
    let all = Check::ALL.iter().filter(|check| check.can_be_accepted());
    let all: Vec<&str> = all.map(|check| check.as_str()).collect();
    Err(ServiceError::Refused(format!(
        "the check {} cannot be accepted: the run could not go on. These can: {}",
        other.check,
        all.join(", ")
    )))
}

/// What is recorded of the failed checks; those that nobody has accepted otherwise.
pub fn accepted(
    findings: &[CheckFinding],
    accepted: &[Acceptance],
) -> Result<Vec<AcceptedCheck>, Vec<CheckFinding>> {
    let (mut recorded, mut refused) = (Vec::new(), Vec::new());
    for finding in findings.iter().filter(|finding| finding.has_failed()) {
        let acceptance = accepted.iter().find(|one| one.check == finding.check);
        match acceptance {
            Some(acceptance) => recorded.push(AcceptedCheck {
                check: finding.check.to_string(),
                found: finding.found.clone(),
                reason: acceptance.reason.clone(),
            }),
            None => refused.push(finding.clone()),
        }
    }
    match refused.is_empty() {
        true => Ok(recorded),
        false => Err(refused),
    }
}

//! How much of a run is shown: under `--public-read`, people who have not signed in are not shown texts in which values of rows, queries or addresses may stand.

use crossfade_coordinator::service::{Backfill, GateCondition, RunSummary, Status, Waiting};

/// What stands in place of such a text.
const HIDDEN: &str = "shown to those who have signed in";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    Whole,
    /// Without texts of the server, of plans' queries and endpoints, and of locks, and without the history.
    Public,
}

/// What is said of these has names of roles and phases, counts and times in it, and what people gave as their reason.
const PLAIN: [&str; 9] = [
    "approvals",
    "bake",
    "old_writes_quiet",
    "verified_within",
    "quarantine_empty",
    "window",
    "paused",
    "frozen",
    "operator",
];

impl Sight {
    pub fn status(self, status: Status) -> Status {
        match self {
            Self::Whole => status,
            Self::Public => in_public(status),
        }
    }

    pub fn runs(self, runs: &[RunSummary]) -> Vec<RunSummary> {
        let seen = |run: &RunSummary| RunSummary {
            line: run.line.clone(),
            status: run.status.clone().map(|status| self.status(status)),
        };
        runs.iter().map(seen).collect()
    }
}

fn hide(text: &mut Option<String>) {
    if let Some(text) = text {
        HIDDEN.clone_into(text);
    }
}

fn is_plain(kind: &str) -> bool {
    PLAIN.contains(&kind) || kind == "rolling_back"
}

fn in_public(mut status: Status) -> Status {
    for Waiting { kind, detail, .. } in &mut status.waiting {
        if !is_plain(kind) {
            HIDDEN.clone_into(detail);
        }
    }
    for phase in &mut status.phases {
        for GateCondition { kind, detail, .. } in &mut phase.gate {
            if !is_plain(kind) {
                HIDDEN.clone_into(detail);
            }
        }
        for step in &mut phase.steps {
            hide(&mut step.error);
        }
    }
    if let Some(order) = &mut status.order {
        hide(&mut order.outcome);
    }
    if let Some(backfill) = &mut status.backfill {
        name_reasons(backfill);
    }
    let touched = status
        .sync_touched
        .iter_mut()
        .flat_map(|touched| &mut touched.what);
    for what in touched.chain(&mut status.out_of_step) {
        HIDDEN.clone_into(what);
    }
    status
}

/// `replica_lag` of `replica_lag: 3 s behind`: what follows may be of a plan's query.
fn name_reasons(backfill: &mut Backfill) {
    let samples = backfill.samples.iter_mut().flatten();
    let reasons = samples.flat_map(|sample| &mut sample.reasons);
    for reason in reasons.chain(&mut backfill.pace.reasons) {
        let end = reason.find([':', ',', '(']).unwrap_or(reason.len());
        reason.truncate(end);
    }
}

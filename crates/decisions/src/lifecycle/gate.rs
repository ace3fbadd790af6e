//! Gates: which conditions of a phase hold, and since or until when.

use super::{references::Watch, snapshot::Snapshot, standing::Touched};
use crate::doctor::{Freshness, freshness};
use crossfade_plan::{
    compiled::{Condition, Phase, References},
    document::{BackupGate, PhaseName, RunName},
    endpoint::Endpoint,
    span::Span,
    window::{Opening, Window},
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// What conditions need that is not recorded but read from the database at the moment. Unknown is never "clear".
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// What still names the columns that are to go; `Err` where it could not be read.
    pub dependents: Option<Result<Vec<String>, String>>,
    /// What is wrong with the triggers that keep both sides in step; `Err` where it could not be read.
    pub sync: Option<Result<Vec<OutOfStep>, String>>,
    /// What names the columns that are to go, and what has named them; `Err` where it could not be read.
    pub references: Option<Result<Naming, String>>,
    /// By the query's name: `Ok(())` where it gave what was expected.
    pub queries: Vec<(String, Result<(), String>)>,
    /// By the endpoint's name: the status it answered with, or why there was no answer.
    pub endpoints: Vec<(String, Result<u16, String>)>,
    /// By the query: seconds since the last backup ended, `None` where there is none, or why it is not known.
    pub backups: Vec<(String, Result<Option<f64>, String>)>,
}

/// What keeps two sides from being in step, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOfStep {
    /// Of the triggers. What has been written since is on one side.
    Triggers(String),
    /// One of the application's fires after ours.
    Order(String),
    /// The table is not there under its name, with what to do.
    Table(String),
    /// A column that the functions name is not there, with what to do.
    Columns(String),
    /// The same where it stands aside as `retire` would leave it: that phase finishes what was begun by hand.
    RetiredByHand(String),
    /// Sessions whose writes fire no triggers, with what to do.
    Sessions(String),
    /// The triggers are in place, and were not all the time: rows may differ, with what to do.
    Touched(String),
}

impl std::fmt::Display for OutOfStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Triggers(what)
            | Self::Order(what)
            | Self::Table(what)
            | Self::Columns(what)
            | Self::RetiredByHand(what)
            | Self::Sessions(what)
            | Self::Touched(what) => f.write_str(what),
        }
    }
}

impl OutOfStep {
    /// Whether it keeps this phase from being run.
    pub fn holds_up(&self, phase: PhaseName) -> bool {
        match self {
            Self::RetiredByHand(_) => phase != PhaseName::Retire,
            Self::Triggers(_)
            | Self::Order(_)
            | Self::Table(_)
            | Self::Columns(_)
            | Self::Sessions(_)
            | Self::Touched(_) => true,
        }
    }

    /// Rows cannot even be compared: what is to be compared is not there under its name.
    pub fn is_of_names(&self) -> bool {
        match self {
            Self::Table(_) | Self::Columns(_) | Self::RetiredByHand(_) => true,
            Self::Triggers(_) | Self::Order(_) | Self::Sessions(_) | Self::Touched(_) => false,
        }
    }
}

/// One look at what names the columns.
#[derive(Clone, Debug)]
pub struct Naming {
    /// Objects of the database that do or may.
    pub objects: Vec<String>,
    /// Why it is not known what statements do.
    pub unknown: Option<String>,
    pub watch: Watch,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConditionStatus {
    pub kind: &'static str,
    pub holds: bool,
    pub detail: String,
    /// When it will hold if nothing changes.
    #[serde(skip)]
    pub until: Option<Timestamp>,
}

/// Every condition of the phase's gate, those that hold too.
pub fn evaluate(phase: &Phase, snapshot: &Snapshot, readings: &Readings) -> Vec<ConditionStatus> {
    phase
        .gate
        .iter()
        .map(|condition| evaluate_one(phase.name, condition, snapshot, readings))
        .collect()
}

fn status(kind: &'static str, holds: bool, detail: impl Into<String>) -> ConditionStatus {
    ConditionStatus {
        kind,
        holds,
        detail: detail.into(),
        until: None,
    }
}

fn evaluate_one(
    phase: PhaseName,
    condition: &Condition,
    snapshot: &Snapshot,
    readings: &Readings,
) -> ConditionStatus {
    match condition {
        Condition::QuarantineEmpty => match snapshot.quarantined {
            0 if snapshot.accepted > 0 => status(
                "quarantine_empty",
                true,
                format!(
                    "{} rows were accepted as they are, no other is in quarantine",
                    snapshot.accepted
                ),
            ),
            0 => status("quarantine_empty", true, "no row is in quarantine"),
            rows => status(
                "quarantine_empty",
                false,
                format!(
                    "{rows} rows are in quarantine: `crossfade quarantine list` shows them. Correct their values, or accept them"
                ),
            ),
        },
        Condition::SyncInPlace => sync_in_place(phase, &snapshot.plan.name, readings),
        Condition::NoDependents(_) => dependents(readings),
        Condition::Approvals(wanted) => approvals(phase, *wanted, snapshot),
        Condition::Bake(span) => bake(phase, *span, snapshot),
        Condition::OldWritesQuiet(span) => old_writes_quiet(*span, snapshot),
        Condition::VerifiedWithin(span) => verified_within(*span, snapshot),
        Condition::NoReferences(references) => no_references(references, snapshot.now, readings),
        Condition::Window(open) => window(open, snapshot.now),
        Condition::Http(endpoint) => http(endpoint, readings),
        Condition::Backup(wanted) => backup(wanted, readings),
        Condition::Query(query) => {
            let reading = readings
                .queries
                .iter()
                .find(|(name, _)| *name == query.name);
            match reading {
                Some((_, Ok(()))) => status("query", true, format!("{}: as expected", query.name)),
                Some((_, Err(why))) => status("query", false, format!("{}: {why}", query.name)),
                None => status("query", false, format!("{}: not asked yet", query.name)),
            }
        }
    }
}

fn sync_in_place(phase: PhaseName, run: &RunName, readings: &Readings) -> ConditionStatus {
    let kind = "sync_in_place";
    match &readings.sync {
        Some(Ok(wrong)) => {
            let wrong: Vec<OutOfStep> = wrong
                .iter()
                .filter(|one| one.holds_up(phase))
                .cloned()
                .collect();
            match wrong.is_empty() {
                true => status(kind, true, "the triggers are in place"),
                false => status(kind, false, out_of_step(run, &wrong)),
            }
        }
        Some(Err(why)) => status(kind, false, format!("could not be read: {why}")),
        None => status(kind, false, "not read yet"),
    }
}

/// What an operator is told where the triggers are not in place.
pub fn out_of_step(run: impl std::fmt::Display, wrong: &[OutOfStep]) -> String {
    let told = |is_of_triggers: bool| -> Vec<String> {
        let told = wrong
            .iter()
            .filter(|one| matches!(one, OutOfStep::Triggers(_)) == is_of_triggers);
        told.map(ToString::to_string).collect()
    };
    let mut all = told(false);
    let triggers = told(true);
    if wrong.iter().any(OutOfStep::is_of_names) {
        // The triggers cannot be put back before that.
        all.extend(triggers);
    } else if !triggers.is_empty() {
        all.push(format!(
            "{}. Rows written since then may be on one side only. `crossfade verify {run} --repair` recreates the triggers and corrects rows that the backfill has filled",
            triggers.join("; ")
        ));
    }
    all.join(". ")
}

/// The same where rows were to be compared since somebody changed the triggers, and were not.
pub fn touched(run: &RunName, touched: &Touched) -> OutOfStep {
    OutOfStep::Touched(format!(
        "since {:.0} somebody changed the triggers that keep both sides in step ({}): rows written meanwhile may be on one side only. `crossfade verify {run}` compares all rows. If none differs, the run continues. Otherwise write the right value to the side that is wrong, and the triggers compute the other side (writing the value that is already there has no effect). Or use `--repair`, which takes the side that is read, and leaves rows in which only the other side has a value",
        touched.at,
        touched.what.join("; ")
    ))
}

/// So many of what names a column are shown.
const NAMING_SHOWN: usize = 10;

fn no_references(references: &References, now: Timestamp, readings: &Readings) -> ConditionStatus {
    let kind = "no_references";
    let naming = match &readings.references {
        Some(Ok(naming)) => naming,
        Some(Err(why)) => return status(kind, false, format!("could not be read: {why}")),
        None => return status(kind, false, "not read yet"),
    };
    let since = naming.watch.quiet_since();
    let names = references.names().join(", ");
    let wanted = references.wanted.quiet;
    let quiet = lasting(
        kind,
        since,
        wanted,
        now,
        &format!("nothing is seen to name {names}"),
    );
    let mut reasons = naming.objects.clone();
    if !quiet.holds {
        reasons.extend(recent_statements(naming, now, wanted));
    }
    let closed = |detail: String| status(kind, false, detail);
    match (&naming.unknown, reasons.is_empty()) {
        (Some(why), true) => closed(format!("not known what names {names}: {why}")),
        (Some(why), false) => closed(format!("{}; and {why}", named_by(&names, &reasons))),
        (None, false) if !naming.objects.is_empty() => closed(named_by(&names, &reasons)),
        (None, false) => ConditionStatus {
            detail: named_by(&names, &reasons),
            ..quiet
        },
        (None, true) => match &naming.watch.unknown {
            Some((at, why)) if *at == since => ConditionStatus {
                detail: format!("{}, since {why}", quiet.detail),
                ..quiet
            },
            _ => quiet,
        },
    }
}

fn named_by(names: &str, reasons: &[String]) -> String {
    let shown: Vec<&str> = reasons
        .iter()
        .take(NAMING_SHOWN)
        .map(String::as_str)
        .collect();
    let more = match reasons.len().saturating_sub(NAMING_SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let allow = if reasons.iter().any(|reason| reason.contains("(may name it")) {
        ". What may name it and does not is allowed by the plan, with a reason: `no_references: {quiet: …, allow: {…: …}}`"
    } else {
        ""
    };
    format!("{names} is named by {}{more}{allow}", shown.join("; "))
}

/// Statements that have named the column within the time that is asked for, the latest first.
fn recent_statements(naming: &Naming, now: Timestamp, wanted: Span) -> Vec<String> {
    let mut recent: Vec<_> = naming
        .watch
        .named()
        .filter(|named| now.duration_since(named.at).unsigned_abs() < wanted.duration())
        .collect();
    recent.sort_by_key(|named| std::cmp::Reverse(named.at));
    recent
        .into_iter()
        .map(|named| {
            let ago = Span::rough(now.duration_since(named.at).unsigned_abs());
            format!(
                "statement `{}` ({}, calls since {:.0}: {}, the last seen {ago} ago)",
                named.query, named.naming, naming.watch.since, named.calls
            )
        })
        .collect()
}

fn window(window: &Window, now: Timestamp) -> ConditionStatus {
    match window.at(now) {
        Opening::Until(end) => status("window", true, format!("open until {}", window.show(end))),
        Opening::From(begin) => ConditionStatus {
            kind: "window",
            holds: false,
            detail: format!("opens {}", window.show(begin)),
            until: Some(begin),
        },
        Opening::Never => status("window", false, "opens beyond the calendar"),
    }
}

fn backup(wanted: &BackupGate, readings: &Readings) -> ConditionStatus {
    let kind = "backup";
    let mut backups = readings.backups.iter();
    match backups.find(|(query, _)| *query == wanted.query) {
        Some((_, Ok(age))) => match freshness(*age, wanted.younger_than) {
            Freshness::Fresh(found) => status(kind, true, found),
            Freshness::Stale(found) => status(kind, false, found),
        },
        Some((_, Err(why))) => status(kind, false, format!("not known: {why}")),
        None => status(kind, false, "not asked yet"),
    }
}

fn http(endpoint: &Endpoint, readings: &Readings) -> ConditionStatus {
    let reading = readings
        .endpoints
        .iter()
        .find(|(name, _)| *name == endpoint.name);
    let (name, wanted) = (&endpoint.name, endpoint.expect_status);
    match reading {
        Some((_, Ok(answer))) if *answer == wanted => {
            status("http", true, format!("{name}: answered {answer}"))
        }
        Some((_, Ok(answer))) => status(
            "http",
            false,
            format!("{name}: answered {answer}, expected {wanted}"),
        ),
        Some((_, Err(why))) => status("http", false, format!("{name}: {why}")),
        None => status("http", false, format!("{name}: not asked yet")),
    }
}

fn dependents(readings: &Readings) -> ConditionStatus {
    match &readings.dependents {
        Some(Ok(objects)) if objects.is_empty() => status(
            "no_dependents",
            true,
            "no database object names the old column",
        ),
        Some(Ok(objects)) => status(
            "no_dependents",
            false,
            format!("objects depend on the old column: {}", objects.join(", ")),
        ),
        Some(Err(why)) => status("no_dependents", false, format!("could not be read: {why}")),
        None => status("no_dependents", false, "not read yet"),
    }
}

fn approvals(phase: PhaseName, wanted: u32, snapshot: &Snapshot) -> ConditionStatus {
    let roles: BTreeSet<&str> = snapshot
        .approvals
        .iter()
        .filter(|approval| approval.phase == phase && approval.role != snapshot.started_by)
        .map(|approval| approval.role.as_str())
        .collect();
    let by = if roles.is_empty() {
        String::new()
    } else {
        format!(
            " ({})",
            roles.iter().copied().collect::<Vec<_>>().join(", ")
        )
    };
    status(
        "approvals",
        roles.len() >= wanted as usize,
        format!(
            "{} of {wanted} approvals{by}, not counting {}",
            roles.len(),
            snapshot.started_by
        ),
    )
}

/// `held_since + span`, against the clock.
fn lasting(
    kind: &'static str,
    since: Timestamp,
    span: Span,
    now: Timestamp,
    what: &str,
) -> ConditionStatus {
    let wanted = SignedDuration::try_from(span.duration()).unwrap_or(SignedDuration::MAX);
    let Ok(until) = since.checked_add(wanted) else {
        return status(
            kind,
            false,
            format!("{what} for {span}: beyond the calendar"),
        );
    };
    let so_far = now.duration_since(since).unsigned_abs();
    ConditionStatus {
        kind,
        holds: now >= until,
        detail: format!("{what} for {} of {span}", Span::rough(so_far)),
        until: (now < until).then_some(until),
    }
}

fn bake(phase: PhaseName, span: Span, snapshot: &Snapshot) -> ConditionStatus {
    let before = snapshot
        .plan
        .phases
        .iter()
        .take_while(|other| other.name != phase)
        .last()
        .map(|other| other.name);
    let finished = before.and_then(|before| {
        let record = snapshot.phases.get(&before)?;
        record.finished_at.map(|at| (before, at))
    });
    match finished {
        Some((before, at)) => lasting(
            "bake",
            at,
            span,
            snapshot.now,
            &format!("{before} has been done"),
        ),
        None => status(
            "bake",
            false,
            format!("{span} after the phase before, which is not done"),
        ),
    }
}

fn old_writes_quiet(span: Span, snapshot: &Snapshot) -> ConditionStatus {
    match snapshot.old_writes.quiet_since {
        Some(since) => lasting(
            "old_writes_quiet",
            since,
            span,
            snapshot.now,
            "no write of the old version has been seen",
        ),
        None => status(
            "old_writes_quiet",
            false,
            "writes of the old version are not counted yet",
        ),
    }
}

fn verified_within(span: Span, snapshot: &Snapshot) -> ConditionStatus {
    let Some(verification) = &snapshot.verification else {
        return status(
            "verified_within",
            false,
            format!(
                "never verified: run `crossfade verify {}`",
                snapshot.plan.name
            ),
        );
    };
    let age = snapshot
        .now
        .duration_since(verification.finished_at)
        .unsigned_abs();
    let detail = format!(
        "verified {} ago with {} differing rows",
        Span::rough(age),
        verification.rows_different
    );
    let holds = verification.rows_different == 0 && age <= span.duration();
    let detail = if holds {
        detail
    } else {
        let run = &snapshot.plan.name;
        format!("{detail}: run `crossfade verify {run}` (at most {span} old, no difference)")
    };
    status("verified_within", holds, detail)
}

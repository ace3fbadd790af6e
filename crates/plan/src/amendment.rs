//! What may be changed of a plan whose run goes on: gates and limits, which are about people and machines. Columns, types, expressions
//! and steps never change.

use super::{
    compile::{not_by_itself, plain_conditions},
    compiled::{Condition, Plan},
    decode,
    document::{Gate, PhaseName, VerifyEvery},
    span::Span,
};
use crossfade_model::error::{Path, PlanError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// `gates: {contract: {approvals: 2}}`, `without: {contract: [window]}`, `settings: {lock_timeout: 1s}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    /// Conditions that take the place of those of the same kind, or are added. Others stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<PhaseName, Gate>,
    /// Conditions that no longer hold the gate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub without: BTreeMap<PhaseName, BTreeSet<GateWord>>,
    #[serde(default)]
    pub settings: Limits,
}

/// A condition of a gate that a plan can state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", rename = "condition")]
pub enum GateWord {
    Approvals,
    Bake,
    OldWritesQuiet,
    NoReferences,
    VerifiedWithin,
    Window,
    Http,
    Query,
    Backup,
}

/// Limits of `settings`. Those of `pacing` are changed by `tune`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "settings")]
pub struct Limits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_timeout: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_attempts_max: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_wait_max: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_timeout: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_idle_blockers: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine_max: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_every: Option<VerifyEvery>,
}

/// One thing that is another than it was.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// `null`: it is a limit.
    pub phase: Option<PhaseName>,
    /// `approvals`, `lock_timeout`
    pub word: String,
    pub before: Value,
    pub after: Value,
    /// The gate may be open where it was closed before.
    pub weaker: bool,
}

impl GateWord {
    fn of(condition: &Condition) -> Option<Self> {
        Some(match condition {
            Condition::Approvals(_) => Self::Approvals,
            Condition::Bake(_) => Self::Bake,
            Condition::OldWritesQuiet(_) => Self::OldWritesQuiet,
            Condition::NoReferences(_) => Self::NoReferences,
            Condition::VerifiedWithin(_) => Self::VerifiedWithin,
            Condition::Window(_) => Self::Window,
            Condition::Http(_) => Self::Http,
            Condition::Query(_) => Self::Query,
            Condition::Backup(_) => Self::Backup,
            Condition::QuarantineEmpty | Condition::SyncInPlace | Condition::NoDependents(_) => {
                return None;
            }
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Approvals => "approvals",
            Self::Bake => "bake",
            Self::OldWritesQuiet => "old_writes_quiet",
            Self::NoReferences => "no_references",
            Self::VerifiedWithin => "verified_within",
            Self::Window => "window",
            Self::Http => "http",
            Self::Query => "query",
            Self::Backup => "backup",
        }
    }
}

/// As a plan writes it.
fn value(condition: &Condition) -> Value {
    match condition {
        Condition::Approvals(approvals) => json!(approvals),
        Condition::Bake(span)
        | Condition::OldWritesQuiet(span)
        | Condition::VerifiedWithin(span) => {
            json!(span)
        }
        Condition::NoReferences(references) => json!(references.wanted),
        Condition::Window(window) => json!(window),
        Condition::Http(endpoint) => json!(endpoint),
        Condition::Query(query) => json!(query),
        Condition::Backup(backup) => json!(backup),
        Condition::QuarantineEmpty | Condition::SyncInPlace | Condition::NoDependents(_) => {
            Value::Null
        }
    }
}

/// Several of these may hold one gate, each with its name.
fn name(condition: &Condition) -> Option<&str> {
    match condition {
        Condition::Http(endpoint) => Some(&endpoint.name),
        Condition::Query(query) => Some(&query.name),
        _ => None,
    }
}

/// Whether `after` may hold where one of `before` does not. What cannot be compared is taken to be weaker.
fn is_weaker(before: &[Condition], after: Option<&Condition>) -> bool {
    before.iter().any(|before| match (before, after) {
        (Condition::Approvals(before), Some(Condition::Approvals(after))) => after < before,
        (Condition::Bake(before), Some(Condition::Bake(after)))
        | (Condition::OldWritesQuiet(before), Some(Condition::OldWritesQuiet(after))) => {
            after < before
        }
        (Condition::VerifiedWithin(before), Some(Condition::VerifiedWithin(after))) => {
            after > before
        }
        (Condition::Backup(before), Some(Condition::Backup(after)))
            if before.query == after.query =>
        {
            after.younger_than > before.younger_than
        }
        (before, Some(after)) => before != after,
        (_, None) => true,
    })
}

impl Amendment {
    /// From a file; every error with its place.
    pub fn read(text: &str) -> Result<Self, Vec<PlanError>> {
        let value = decode::read(text)?;
        let mut errors = Vec::new();
        let amendment = decode::decode::<Self>(value, &Path::root(), &mut errors);
        match amendment {
            Some(amendment) if errors.is_empty() => Ok(amendment),
            _ => Err(errors),
        }
    }

    /// The phases whose gates it is about.
    pub fn phases(&self) -> BTreeSet<PhaseName> {
        self.gates
            .keys()
            .chain(self.without.keys())
            .copied()
            .collect()
    }

    /// Changes the plan, and says what is another than it was.
    pub fn apply(&self, plan: &mut Plan) -> Result<Vec<Change>, Vec<PlanError>> {
        let mut changes = Vec::new();
        let mut errors = Vec::new();
        for (phase, words) in &self.without {
            let path = Path::root().key("without").key(phase.as_str());
            match gate_of(plan, *phase, &path) {
                Ok(gate) => words.iter().for_each(|word| match take(gate, *word) {
                    taken if taken.is_empty() => errors.push(PlanError::at(
                        path.clone(),
                        format!("the gate of {phase} has no {}", word.as_str()),
                    )),
                    taken => changes.extend(taken.iter().map(|condition| Change {
                        phase: Some(*phase),
                        word: word.as_str().to_owned(),
                        before: value(condition),
                        after: Value::Null,
                        weaker: true,
                    })),
                }),
                Err(error) => errors.push(error),
            }
        }
        for (phase, wanted) in &self.gates {
            let path = Path::root().key("gates").key(phase.as_str());
            errors.extend(not_by_itself(*phase, wanted, &path));
            match gate_of(plan, *phase, &path) {
                Ok(gate) => changes.extend(put(gate, *phase, wanted, &path, &mut errors)),
                Err(error) => errors.push(error),
            }
            let own = plan.phases.iter_mut().find(|own| own.name == *phase);
            if let Some((own, auto)) = own.zip(wanted.auto)
                && own.auto != auto
            {
                changes.push(Change {
                    phase: Some(*phase),
                    word: "auto".to_owned(),
                    before: json!(own.auto),
                    after: json!(auto),
                    // The gate asks for the same.
                    weaker: false,
                });
                own.auto = auto;
            }
        }
        changes.extend(self.settings.apply(plan));
        match errors.is_empty() {
            true => Ok(changes),
            false => Err(errors),
        }
    }
}

fn gate_of<'a>(
    plan: &'a mut Plan,
    name: PhaseName,
    path: &Path,
) -> Result<&'a mut Vec<Condition>, PlanError> {
    let names: Vec<&str> = plan
        .phases
        .iter()
        .map(|phase| phase.name.as_str())
        .collect();
    let help = format!("its phases are {}", names.join(", "));
    let mut phases = plan.phases.iter_mut();
    match phases.find(|phase| phase.name == name) {
        Some(phase) => Ok(&mut phase.gate),
        None => Err(
            PlanError::at(path.clone(), format!("the plan has no phase {name}"))
                .on_key()
                .help(help),
        ),
    }
}

/// Takes the conditions of this kind out of the gate.
fn take(gate: &mut Vec<Condition>, word: GateWord) -> Vec<Condition> {
    let is_of = |condition: &Condition| GateWord::of(condition) == Some(word);
    let (taken, kept) = std::mem::take(gate).into_iter().partition(is_of);
    *gate = kept;
    taken
}

fn put(
    gate: &mut Vec<Condition>,
    phase: PhaseName,
    wanted: &Gate,
    path: &Path,
    errors: &mut Vec<PlanError>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut conditions = plain_conditions(wanted);
    if let Some(wanted) = &wanted.no_references {
        // What is asked about follows from the steps.
        let own = gate.iter().find_map(|condition| match condition {
            Condition::NoReferences(own) => Some(own.clone()),
            _ => None,
        });
        match own {
            Some(own) => conditions.push(Condition::NoReferences(super::compiled::References {
                wanted: wanted.clone(),
                ..own
            })),
            None => errors.push(
                PlanError::at(
                    path.key("no_references"),
                    format!("the gate of {phase} has no no_references that could be changed"),
                )
                .on_key(),
            ),
        }
    }
    for condition in conditions {
        let Some(word) = GateWord::of(&condition) else {
            continue;
        };
        let is_same =
            |own: &Condition| GateWord::of(own) == Some(word) && name(own) == name(&condition);
        let (before, kept): (Vec<_>, Vec<_>) = std::mem::take(gate).into_iter().partition(is_same);
        *gate = kept;
        if before != [condition.clone()] {
            changes.push(Change {
                phase: Some(phase),
                word: word.as_str().to_owned(),
                before: match before.as_slice() {
                    [] => Value::Null,
                    [one] => value(one),
                    several => several.iter().map(value).collect(),
                },
                after: value(&condition),
                weaker: is_weaker(&before, Some(&condition)),
            });
        }
        gate.push(condition);
    }
    changes
}

impl Limits {
    fn apply(&self, plan: &mut Plan) -> Vec<Change> {
        fn set<T: Clone + PartialEq + Serialize>(
            changes: &mut Vec<Change>,
            word: &str,
            limit: &mut T,
            wanted: Option<T>,
        ) {
            if let Some(wanted) = wanted.filter(|wanted| wanted != limit) {
                changes.push(Change {
                    phase: None,
                    word: word.to_owned(),
                    before: json!(limit),
                    after: json!(wanted),
                    weaker: false,
                });
                *limit = wanted;
            }
        }
        let mut changes = Vec::new();
        let settings = &mut plan.settings;
        set(
            &mut changes,
            "lock_timeout",
            &mut settings.lock_timeout,
            self.lock_timeout,
        );
        set(
            &mut changes,
            "lock_attempts_max",
            &mut settings.lock_attempts_max,
            self.lock_attempts_max,
        );
        set(
            &mut changes,
            "lock_wait_max",
            &mut settings.lock_wait_max,
            self.lock_wait_max,
        );
        set(
            &mut changes,
            "statement_timeout",
            &mut settings.statement_timeout,
            self.statement_timeout,
        );
        set(
            &mut changes,
            "end_idle_blockers",
            &mut settings.end_idle_blockers,
            self.end_idle_blockers.map(Some),
        );
        set(
            &mut changes,
            "quarantine_max",
            &mut settings.quarantine_max,
            self.quarantine_max,
        );
        set(
            &mut changes,
            "verify_every",
            &mut settings.verify_every,
            self.verify_every,
        );
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(text: &str) -> Vec<Condition> {
        plain_conditions(&serde_yaml::from_str::<Gate>(text).unwrap())
    }

    #[test]
    fn what_asks_for_less_is_weaker() {
        for (before, after, weaker) in [
            ("approvals: 2", "approvals: 1", true),
            ("approvals: 1", "approvals: 2", false),
            ("bake: 1h", "bake: 30m", true),
            ("bake: 1h", "bake: 2h", false),
            ("old_writes_quiet: 1h", "old_writes_quiet: 1m", true),
            ("verified_within: 1h", "verified_within: 2h", true),
            ("verified_within: 1h", "verified_within: 1m", false),
            (
                "window: {days: [mon], from: '01:00', to: '02:00', zone: UTC}",
                "window: {days: [tue], from: '01:00', to: '02:00', zone: UTC}",
                true,
            ),
            (
                "query: {name: a, sql: SELECT 1, expect: no_rows}",
                "query: {name: a, sql: SELECT 2, expect: no_rows}",
                true,
            ),
            (
                "backup: {query: SELECT 1, younger_than: 1h}",
                "backup: {query: SELECT 1, younger_than: 2h}",
                true,
            ),
            (
                "backup: {query: SELECT 1, younger_than: 2h}",
                "backup: {query: SELECT 1, younger_than: 1h}",
                false,
            ),
            (
                "backup: {query: SELECT 1, younger_than: 2h}",
                "backup: {query: SELECT 2, younger_than: 1h}",
                true,
            ),
        ] {
            let (before, after) = (gate(before), gate(after));
            assert_eq!(
                is_weaker(&before, after.first()),
                weaker,
                "{before:?} {after:?}"
            );
            assert!(is_weaker(&before, None));
        }
        assert!(!is_weaker(&[], gate("approvals: 1").first()));
    }

    #[test]
    fn every_error_of_a_file_is_named() {
        let read = |text: &str| Amendment::read(text).unwrap_err().len();
        assert_eq!(read("gates: {contract: {approval: 1, bake: soon}}"), 2);
        assert_eq!(read("change: {}"), 1);
        assert!(Amendment::read("without: {contract: [window, http]}").is_ok());
    }
}

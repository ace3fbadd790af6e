//! Whether what was recorded of a run agrees with what its tables say of it: the events are gone through as they happened.

use super::transition::{RunState, State};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An event, as far as it says what a table must say too.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    pub number: i64,
    pub role: &'a str,
    pub kind: &'a str,
    pub detail: &'a Value,
}

/// What the run's row says of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub count: i64,
    /// Of the last event; empty before the first.
    pub hash: String,
    /// So many events were there when count and hash began to be kept, by an upgrade.
    pub not_kept_before: i64,
}

/// What the tables say of the run.
#[derive(Clone, Debug)]
pub struct Claims {
    pub state: String,
    pub started_by: String,
    pub fingerprint: String,
    /// Of the plan and of the document that it was compiled from.
    pub plan_hash: String,
    pub rolling_back_to: Option<String>,
    pub is_paused: bool,
    pub head: Head,
    pub phases: BTreeMap<String, String>,
    pub steps: BTreeMap<String, String>,
    /// Phase and role.
    pub approvals: BTreeSet<(String, String)>,
    /// Entries of the quarantine that somebody has accepted.
    pub accepted: Vec<i64>,
    /// By its number, and the hash of what it says.
    pub amendments: BTreeSet<(i64, String)>,
}

/// What the events amount to.
#[derive(Debug, Default)]
struct Replayed {
    state: Option<&'static str>,
    rolling_back_to: Option<String>,
    is_paused: bool,
    phases: BTreeMap<String, String>,
    steps: BTreeMap<String, String>,
    approvals: BTreeSet<(String, String)>,
    accepted: BTreeSet<i64>,
    amendments: BTreeSet<(i64, String)>,
}

fn text(detail: &Value, key: &str) -> Option<String> {
    Some(detail.get(key)?.as_str()?.to_owned())
}

impl Replayed {
    fn add(&mut self, event: Recorded<'_>) {
        let detail = event.detail;
        match event.kind {
            "started" | "reopened" => self.state = Some(RunState::Active.as_str()),
            "completed" | "rolled_back" => {
                self.state = [RunState::Completed, RunState::RolledBack]
                    .map(RunState::as_str)
                    .into_iter()
                    .find(|state| *state == event.kind);
                (self.rolling_back_to, self.is_paused) = (None, false);
            }
            "rollback begun" => self.rolling_back_to = text(detail, "to"),
            "rollback done" => self.rolling_back_to = None,
            "paused" => self.is_paused = true,
            "resumed" => self.is_paused = false,
            "approved" => {
                let phase = text(detail, "phase").unwrap_or_default();
                self.approvals.insert((phase, event.role.to_owned()));
            }
            "approvals void" => {
                for void in list(detail, "approvals") {
                    if let Some(approval) = text(void, "phase").zip(text(void, "role")) {
                        self.approvals.remove(&approval);
                    }
                }
            }
            "amended" => {
                let number = detail.get("amendment").and_then(Value::as_i64);
                self.amendments.extend(number.zip(text(detail, "sha256")));
            }
            "quarantine accepted" => self
                .accepted
                .extend(list(detail, "ids").filter_map(Value::as_i64)),
            kind => self.moved(kind, detail),
        }
    }

    /// A phase or a step has come into a state.
    fn moved(&mut self, kind: &str, detail: &Value) {
        let Some((what, state)) = kind.split_once(' ') else {
            return;
        };
        let of = match what {
            "phase" => &mut self.phases,
            "step" => &mut self.steps,
            _ => return,
        };
        if let Some(name) = text(detail, what) {
            of.insert(name, state.to_owned());
        }
    }
}

fn list<'a>(detail: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    detail
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// What does not agree, each in a sentence; nothing where all does. `hash`: of the last event that is there.
pub fn findings<'a>(
    claims: &Claims,
    events: impl IntoIterator<Item = Recorded<'a>>,
    hash: Option<&str>,
) -> Vec<String> {
    let mut found = Vec::new();
    let mut replayed = Replayed::default();
    let (mut count, mut last) = (0_i64, 0_i64);
    for event in events {
        if count == 0 {
            started(claims, event, &mut found);
        }
        replayed.add(event);
        count += 1;
        last = event.number;
    }
    head(&claims.head, count, last, hash.unwrap_or(""), &mut found);
    run(claims, &replayed, &mut found);
    states("phase", &claims.phases, &replayed.phases, &mut found);
    states("step", &claims.steps, &replayed.steps, &mut found);
    for (phase, role) in claims.approvals.difference(&replayed.approvals) {
        found.push(format!(
            "{phase} is approved by {role}, and no event says so"
        ));
    }
    for (phase, role) in replayed.approvals.difference(&claims.approvals) {
        found.push(format!(
            "an event says that {role} approved {phase}, but there is no such approval"
        ));
    }
    for (id, _) in claims.amendments.difference(&replayed.amendments) {
        found.push(format!(
            "amendment {id} is not what an event says, or no event says so"
        ));
    }
    for (id, _) in replayed.amendments.difference(&claims.amendments) {
        found.push(format!(
            "an event says that amendment {id} was made, but it does not exist in that form"
        ));
    }
    for id in &claims.accepted {
        if !replayed.accepted.contains(id) {
            found.push(format!(
                "row {id} in quarantine is accepted as it is, and no event says so"
            ));
        }
    }
    found
}

fn started(claims: &Claims, first: Recorded<'_>, found: &mut Vec<String>) {
    if first.kind != "started" {
        found.push(format!(
            "the first event is `{}` and not `started`",
            first.kind
        ));
        return;
    }
    if first.role != claims.started_by {
        found.push(format!(
            "the run is said to be started by {}, and its first event is of {}",
            claims.started_by, first.role
        ));
    }
    let differs = |key: &str, value: &str| text(first.detail, key).is_some_and(|one| one != value);
    if differs("fingerprint", &claims.fingerprint) || differs("plan_sha256", &claims.plan_hash) {
        found.push("the run's plan is not the one that it was started with".to_owned());
    }
}

fn head(head: &Head, count: i64, last: i64, hash: &str, found: &mut Vec<String>) {
    if count < head.count {
        found.push(format!(
            "{} of {} events are missing",
            head.count - count,
            head.count
        ));
    } else if count > head.count {
        found.push(format!(
            "there are {count} events, {} more than were recorded",
            count - head.count
        ));
    } else if last != head.count || hash != head.hash {
        found.push("the last event is not the one that was recorded last".to_owned());
    }
}

fn run(claims: &Claims, replayed: &Replayed, found: &mut Vec<String>) {
    let by_events = replayed.state.unwrap_or("not started");
    if claims.state != by_events {
        found.push(format!(
            "the run is {}, and by its events it is {by_events}",
            claims.state
        ));
    }
    if claims.rolling_back_to != replayed.rolling_back_to {
        let words = |target: &Option<String>| match target {
            Some(target) => format!("on its way back to {target}"),
            None => "on no way back".to_owned(),
        };
        found.push(format!(
            "the run is {}, and by its events it is {}",
            words(&claims.rolling_back_to),
            words(&replayed.rolling_back_to)
        ));
    }
    if claims.is_paused != replayed.is_paused {
        let words = |paused| if paused { "paused" } else { "not paused" };
        found.push(format!(
            "the run is {}, and by its events it is {}",
            words(claims.is_paused),
            words(replayed.is_paused)
        ));
    }
}

fn states(
    what: &str,
    claimed: &BTreeMap<String, String>,
    replayed: &BTreeMap<String, String>,
    found: &mut Vec<String>,
) {
    let names: BTreeSet<&String> = claimed.keys().chain(replayed.keys()).collect();
    for name in names {
        let state = |of: &BTreeMap<String, String>| {
            let pending = || State::Pending.as_str().to_owned();
            of.get(name).cloned().unwrap_or_else(pending)
        };
        let (claimed, replayed) = (state(claimed), state(replayed));
        if claimed != replayed {
            found.push(format!(
                "the {what} {name} is {claimed}, and by the events it is {replayed}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims() -> Claims {
        Claims {
            state: "active".to_owned(),
            started_by: "ann".to_owned(),
            fingerprint: "f".to_owned(),
            plan_hash: "p".to_owned(),
            rolling_back_to: None,
            is_paused: false,
            head: Head {
                count: 4,
                hash: "h".to_owned(),
                not_kept_before: 0,
            },
            phases: BTreeMap::from([("expand".to_owned(), "running".to_owned())]),
            steps: BTreeMap::new(),
            approvals: BTreeSet::from([("contract".to_owned(), "bob".to_owned())]),
            accepted: vec![7],
            amendments: BTreeSet::new(),
        }
    }

    fn events() -> Vec<(&'static str, &'static str, Value)> {
        vec![
            ("ann", "started", json!({"fingerprint": "f"})),
            ("ann", "phase running", json!({"phase": "expand"})),
            ("bob", "approved", json!({"phase": "contract"})),
            ("ann", "quarantine accepted", json!({"ids": [7]})),
        ]
    }

    fn compared(claims: &Claims, events: &[(&str, &str, Value)]) -> Vec<String> {
        let recorded = events
            .iter()
            .zip(1..)
            .map(|((role, kind, detail), number)| Recorded {
                number,
                role,
                kind,
                detail,
            });
        findings(claims, recorded, Some("h"))
    }

    #[test]
    fn what_agrees_gives_no_finding_and_each_thing_that_does_not_gives_its_own() {
        assert_eq!(compared(&claims(), &events()), Vec::<String>::new());
        type Change = fn(&mut Claims);
        let changes: [(Change, &str); 12] = [
            (|c| c.state = "completed".into(), "the run is completed"),
            (|c| c.started_by = "eve".into(), "started by eve"),
            (|c| c.fingerprint = "g".into(), "plan"),
            (|c| c.rolling_back_to = Some("start".into()), "way back"),
            (|c| c.is_paused = true, "the run is paused"),
            (|c| c.head.count = 6, "2 of 6 events are missing"),
            (|c| c.head.count = 3, "1 more than were recorded"),
            (|c| c.head.hash = "i".into(), "recorded last"),
            (
                |c| {
                    c.phases.insert("expand".into(), "completed".into());
                },
                "phase expand is completed",
            ),
            (
                |c| {
                    c.approvals.insert(("contract".into(), "eve".into()));
                },
                "approved by eve",
            ),
            (|c| c.accepted.push(8), "row 8"),
            (
                |c| {
                    c.amendments.insert((3, "h".into()));
                },
                "amendment 3",
            ),
        ];
        for (change, words) in changes {
            let mut changed = claims();
            change(&mut changed);
            let found = compared(&changed, &events());
            assert!(
                found.len() == 1 && found[0].contains(words),
                "{words}: {found:?}"
            );
        }
    }

    #[test]
    fn an_approval_that_is_void_needs_to_be_given_again() {
        let void = json!({"approvals": [{"phase": "contract", "role": "bob"}]});
        let mut events = events();
        events.push(("ann", "approvals void", void));
        let mut claims = claims();
        claims.head.count = 5;
        assert_eq!(compared(&claims, &events).len(), 1);
        claims.approvals.clear();
        assert_eq!(compared(&claims, &events), Vec::<String>::new());
    }
}

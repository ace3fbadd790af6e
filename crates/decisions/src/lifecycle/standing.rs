//! How the functions and triggers that keep both sides in step stand, and what somebody changed between two looks.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// By the function's name, as `statement::standing` reads it from the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Standing(pub BTreeMap<String, Function>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    pub oid: i64,
    /// The transaction that changed it last.
    pub xmin: String,
    /// A hash of its text, as the run wrote it.
    pub text: String,
    /// Who may execute it: a GRANT is a change of the function, and none of what it does.
    #[serde(default)]
    pub rights: Option<String>,
    /// The version of Crossfade that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossfade: Option<String>,
    /// Somebody has dropped it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub gone: bool,
    /// Somebody has replaced its text.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replaced: bool,
    pub triggers: Vec<Trigger>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    pub oid: i64,
    pub xmin: String,
    pub name: String,
    /// As the server shows it.
    pub table: String,
    /// `pg_trigger.tgenabled`.
    pub enabled: String,
    /// A partition's, which goes when that is detached.
    #[serde(default)]
    pub cloned: bool,
    /// Of the transaction that created the table: of a partition that was not attached later.
    #[serde(default)]
    pub with_table: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub gone: bool,
}

/// What somebody changed, as far as no comparison of all rows has come after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Touched {
    /// When it was first seen.
    pub at: Timestamp,
    pub what: Vec<String>,
}

/// So much is kept of it.
const WHAT_MAX: usize = 20;

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Touched {
    /// With what was seen now.
    pub fn with(earlier: Option<Self>, at: Timestamp, what: &[String]) -> Self {
        let mut touched = earlier.unwrap_or(Self {
            at,
            what: Vec::new(),
        });
        for one in what {
            if touched.what.len() < WHAT_MAX && !touched.what.contains(one) {
                touched.what.push(one.clone());
            }
        }
        touched
    }
}

impl Trigger {
    /// In ordinary sessions.
    fn fires(&self) -> bool {
        matches!(self.enabled.as_str(), "O" | "A")
    }

    fn place(&self) -> String {
        format!("the trigger {} of {}", self.name, self.table)
    }
}

impl Standing {
    pub fn functions(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// What is not as the run left it at this moment: the text of a function.
    pub fn replaced(&self) -> Vec<String> {
        let replaced = self.0.iter().filter(|(_, one)| one.replaced);
        replaced
            .map(|(name, _)| {
                format!("the function crossfade.{name} does not have the text that Crossfade wrote: somebody replaced it")
            })
            .collect()
    }

    /// What keeps rows from being kept in step at this moment, told by what stood before.
    pub fn out_of_place(&self) -> Vec<String> {
        let mut wrong = self.replaced();
        for (name, function) in &self.0 {
            if function.gone {
                wrong.push(format!("the function crossfade.{name} is gone"));
            }
            for trigger in &function.triggers {
                if trigger.gone {
                    wrong.push(format!("{} is gone", trigger.place()));
                } else if !trigger.fires() {
                    wrong.push(format!("{} is disabled", trigger.place()));
                }
            }
        }
        wrong
    }

    /// Triggers of partitions that came since, one for each. Whether a partition brought rows the catalog does not tell.
    pub fn come<'a>(&self, now: &'a Self) -> Vec<&'a Trigger> {
        let both = self
            .0
            .iter()
            .filter_map(|(name, before)| Some((before, now.0.get(name)?)));
        let mut come: Vec<&Trigger> = both.flat_map(|(before, now)| come(before, now)).collect();
        come.sort_by(|a, b| a.table.cmp(&b.table));
        come.dedup_by(|a, b| a.table == b.table);
        come
    }

    /// Another look: how they stand by now, with what has gone, and what somebody changed since.
    pub fn seen(&self, now: &Self) -> (Self, Vec<String>) {
        let mut merged = BTreeMap::new();
        let mut changes = Vec::new();
        for (name, before) in &self.0 {
            merged.insert(
                name.clone(),
                seen_function(name, before, now.0.get(name), &mut changes),
            );
        }
        (Self(merged), changes)
    }
}

fn seen_function(
    name: &str,
    before: &Function,
    now: Option<&Function>,
    changes: &mut Vec<String>,
) -> Function {
    let called = format!("the function crossfade.{name}");
    let Some(now) = now else {
        if !before.gone {
            changes.push(format!("{called} is gone"));
        }
        let mut gone = before.clone();
        gone.gone = true;
        gone.triggers.retain(|trigger| !trigger.cloned);
        for trigger in &mut gone.triggers {
            trigger.gone = true;
        }
        return gone;
    };
    let replaced = now.text != before.text;
    if before.gone || now.oid != before.oid {
        changes.push(format!("{called} was dropped and created again"));
    } else if now.xmin != before.xmin && replaced {
        changes.push(format!("{called} was replaced by another text"));
    } else if now.xmin != before.xmin && now.rights == before.rights {
        changes.push(format!("{called} was altered or replaced"));
    }
    Function {
        text: before.text.clone(),
        crossfade: before.crossfade.clone(),
        replaced,
        triggers: seen_triggers(before, now, changes),
        ..now.clone()
    }
}

/// Triggers of partitions that came between the two looks, with their table's trigger, which did not.
fn come<'a>(before: &Function, now: &'a Function) -> Vec<&'a Trigger> {
    let had = |trigger: &Trigger| before.triggers.iter().any(|old| old.oid == trigger.oid);
    let stayed: Vec<String> = now
        .triggers
        .iter()
        .filter(|trigger| !trigger.cloned && had(trigger))
        .map(|trigger| trigger.name.clone())
        .collect();
    now.triggers
        .iter()
        .filter(|trigger| trigger.cloned && !had(trigger) && stayed.contains(&trigger.name))
        .collect()
}

/// What a partition brought was written by no trigger of ours.
pub fn attached(partition: &str) -> String {
    format!(
        "the partition {partition} was attached, and its rows may have been written before that"
    )
}

fn seen_triggers(before: &Function, now: &Function, changes: &mut Vec<String>) -> Vec<Trigger> {
    let mut merged = now.triggers.clone();
    for old in &before.triggers {
        let same = now.triggers.iter().find(|new| new.oid == old.oid);
        let again = now
            .triggers
            .iter()
            .find(|new| new.name == old.name && new.table == old.table);
        match (same, again) {
            (Some(new), _) => changes.extend(changed(old, new)),
            // It has gone with its partition, or with its table's trigger, which is told itself.
            (None, _) if old.cloned => {}
            (None, Some(_)) => {
                changes.push(format!("{} was dropped and created again", old.place()));
            }
            (None, None) => {
                if !old.gone {
                    changes.push(format!("{} is gone", old.place()));
                }
                merged.push(Trigger {
                    gone: true,
                    ..old.clone()
                });
            }
        }
    }
    merged
}

fn changed(old: &Trigger, new: &Trigger) -> Option<String> {
    let place = new.place();
    match (old.fires(), new.fires()) {
        (true, false) => Some(format!("{place} is disabled")),
        (false, true) => Some(format!("{place} was disabled, and is enabled again")),
        (true, true) if old.xmin != new.xmin => Some(format!(
            "{place} was disabled and enabled again, or replaced"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(oid: i64, xmin: &str, enabled: &str) -> Trigger {
        Trigger {
            oid,
            xmin: xmin.to_owned(),
            name: format!("t{oid}"),
            table: "public.t".to_owned(),
            enabled: enabled.to_owned(),
            cloned: false,
            with_table: false,
            gone: false,
        }
    }

    fn standing(xmin: &str, text: &str, triggers: Vec<Trigger>) -> Standing {
        let function = Function {
            oid: 1,
            xmin: xmin.to_owned(),
            text: text.to_owned(),
            rights: None,
            crossfade: None,
            gone: false,
            replaced: false,
            triggers,
        };
        Standing([("f".to_owned(), function)].into())
    }

    #[test]
    fn what_is_changed_back_between_two_looks_is_told_and_what_stands_is_not() {
        let before = standing(
            "10",
            "a",
            vec![trigger(1, "10", "O"), trigger(2, "10", "O")],
        );
        assert_eq!(before.seen(&before), (before.clone(), Vec::new()));
        let enabled_again = standing(
            "10",
            "a",
            vec![trigger(1, "10", "O"), trigger(2, "12", "O")],
        );
        let (seen, changes) = before.seen(&enabled_again);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert!(seen.out_of_place().is_empty());
        let (_, again) = seen.seen(&enabled_again);
        assert!(again.is_empty(), "{again:?}");
        let replaced_back = standing("13", "a", before.0["f"].triggers.clone());
        assert_eq!(before.seen(&replaced_back).1.len(), 1);
    }

    #[test]
    fn a_grant_changes_nothing_of_what_a_function_does() {
        let before = standing("10", "a", Vec::new());
        let mut granted = standing("13", "a", Vec::new());
        for function in granted.0.values_mut() {
            function.rights = Some("{ops=X/owner}".to_owned());
        }
        let (seen, changes) = before.seen(&granted);
        assert!(changes.is_empty(), "{changes:?}");
        let replaced_back = seen.seen(&standing("14", "b", Vec::new())).1;
        assert_eq!(replaced_back.len(), 1, "{replaced_back:?}");
    }

    #[test]
    fn what_is_gone_stays_known_until_it_is_there_again() {
        let before = standing(
            "10",
            "a",
            vec![trigger(1, "10", "O"), trigger(2, "10", "O")],
        );
        let less = standing("10", "b", vec![trigger(1, "10", "D")]);
        let (seen, changes) = before.seen(&less);
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert_eq!(seen.out_of_place().len(), 3, "{seen:?}");
        let (seen, changes) = seen.seen(&Standing::default());
        assert_eq!(changes.len(), 1, "{changes:?}");
        let (seen, changes) = seen.seen(&before);
        assert!(!changes.is_empty());
        assert!(seen.out_of_place().is_empty(), "{:?}", seen.out_of_place());
    }

    #[test]
    fn a_partition_that_comes_is_known_once() {
        let clone = Trigger {
            name: "t1".to_owned(),
            table: "public.part".to_owned(),
            cloned: true,
            ..trigger(2, "12", "O")
        };
        let before = standing("10", "a", vec![trigger(1, "10", "O")]);
        let attached = standing("10", "a", vec![trigger(1, "10", "O"), clone]);
        assert_eq!(before.come(&attached).len(), 1);
        let (seen, changes) = before.seen(&attached);
        assert!(changes.is_empty() && seen.come(&attached).is_empty());
        // It comes again with its table's trigger, which is told by itself.
        let mut again = attached.clone();
        again.0.get_mut("f").expect("f").triggers[0].oid = 3;
        assert!(before.come(&again).is_empty());
        assert_eq!(before.seen(&again).1.len(), 1);
    }

    #[test]
    fn a_partition_that_goes_takes_its_trigger_along() {
        let mut clone = trigger(2, "11", "O");
        clone.cloned = true;
        let before = standing("10", "a", vec![trigger(1, "10", "O"), clone]);
        let now = standing("10", "a", vec![trigger(1, "10", "O")]);
        let (seen, changes) = before.seen(&now);
        assert!(changes.is_empty() && seen.out_of_place().is_empty());
    }
}

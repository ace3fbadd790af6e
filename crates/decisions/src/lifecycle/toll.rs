//! What going back would cost the application, as it was counted: whether that keeps a rollback from beginning, and how
//! a person reads it.

use crossfade_plan::sqlgen::cost::Thing;
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Write as _};

/// How many rows there are, as far as one bounded look could tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    Rows(i64),
    AtLeast(i64),
    /// Why it could not be told: that opens no way.
    Unknown(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub of: Thing,
    /// `rows of public.t with a value in note`
    pub what: String,
    pub count: Count,
    /// The triggers have noted the rows, which somebody may have mended since: a driver looks at each again.
    pub noted: bool,
}

/// Rows that keep a condition from being put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTheWay {
    pub condition: String,
    /// The first of them, by their keys; `None` where the table has no key.
    pub keys: Vec<Option<String>>,
    pub more: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    pub lost: Vec<Lost>,
    pub in_the_way: Vec<InTheWay>,
}

impl Lost {
    fn is_none(&self) -> bool {
        self.count == Count::Rows(0)
    }

    /// `3 rows of public.t with a value in note`
    pub fn sentence(&self) -> String {
        let what = &self.what;
        match &self.count {
            Count::Rows(1) => format!("1 row{}", what.strip_prefix("rows").unwrap_or(what)),
            Count::Rows(rows) => format!("{rows} {what}"),
            Count::AtLeast(rows) => format!("at least {rows} {what}"),
            Count::Unknown(why) => format!("{what}, if there are any: that is not known ({why})"),
        }
    }

    fn to_json(&self) -> Value {
        let (rows, at_least, unknown) = match &self.count {
            Count::Rows(rows) => (Some(rows), false, None),
            Count::AtLeast(rows) => (Some(rows), true, None),
            Count::Unknown(why) => (None, false, Some(why)),
        };
        json!({"discard": self.of, "what": self.what, "rows": rows, "at_least": at_least, "unknown": unknown})
    }
}

impl InTheWay {
    fn sentence(&self) -> String {
        let keys: Vec<&str> = self.keys.iter().flatten().map(String::as_str).collect();
        let rows = match (keys.is_empty(), self.more) {
            (true, true) => "more than three rows, which no key tells apart,".to_owned(),
            (true, false) => format!("{} rows, which no key tells apart,", self.keys.len()),
            (false, true) => format!("the rows {}, …", keys.join(", ")),
            (false, false) => format!("the rows {}", keys.join(", ")),
        };
        format!("{}, and {rows} break that", self.condition)
    }
}

impl Toll {
    /// Without what is not there at all.
    pub fn lost(&self) -> impl Iterator<Item = &Lost> {
        self.lost.iter().filter(|lost| !lost.is_none())
    }

    /// What the person has not said may go.
    fn kept<'a>(&'a self, discards: &'a BTreeSet<String>) -> impl Iterator<Item = &'a Lost> {
        self.lost()
            .filter(|lost| !discards.contains(&lost.of.to_string()))
    }

    /// Without what only a driver can say for sure.
    pub fn for_sure(&self) -> Self {
        let mut sure = self.clone();
        sure.lost.retain(|lost| !lost.noted);
        sure
    }

    /// What takes `None` as an answer: nothing is lost that the person has not said may go, and nothing is in the way.
    /// `command`: how the person says it.
    pub fn refusal(&self, discards: &BTreeSet<String>, command: &str) -> Option<String> {
        let mut text = String::new();
        let kept: Vec<&Lost> = self.kept(discards).collect();
        if !kept.is_empty() {
            let list: Vec<String> = kept.iter().map(|lost| lost.sentence()).collect();
            let mut things: Vec<&Thing> = kept.iter().map(|lost| &lost.of).collect();
            things.sort();
            things.dedup();
            let options: Vec<String> = discards
                .iter()
                .cloned()
                .chain(things.iter().map(ToString::to_string))
                .map(|thing| format!(" --discard {thing}"))
                .collect();
            let _ = write!(
                text,
                "going back would lose values that the application has written: {}. Nothing has changed. Copy them elsewhere first, or allow the loss: `{command}{}`",
                list.join("; "),
                options.concat()
            );
        }
        if !self.in_the_way.is_empty() {
            let list: Vec<String> = self.in_the_way.iter().map(InTheWay::sentence).collect();
            if !text.is_empty() {
                text.push_str(". Besides, ");
            }
            let _ = write!(
                text,
                "rows written since violate a condition that going back would restore: {}. Nothing has changed. Correct these rows, and run the rollback again",
                list.join("; ")
            );
        }
        (!text.is_empty()).then_some(text)
    }

    /// What is said to go, for the history.
    pub fn discarded(&self, discards: &BTreeSet<String>) -> Vec<Value> {
        let said = |lost: &&Lost| discards.contains(&lost.of.to_string());
        self.lost.iter().filter(said).map(Lost::to_json).collect()
    }

    pub fn to_json(&self) -> Value {
        let lost: Vec<Value> = self.lost().map(Lost::to_json).collect();
        let in_the_way: Vec<Value> = self
            .in_the_way
            .iter()
            .map(|one| {
                let keys = one.keys.iter().flatten();
                let keys: Vec<Value> = keys
                    .map(|key| serde_json::from_str(key).unwrap_or_else(|_| json!(key)))
                    .collect();
                json!({"condition": one.condition, "keys": keys, "more": one.more})
            })
            .collect();
        json!({"would_lose": lost, "in_the_way": in_the_way})
    }
}

/// What nobody can mean: the plan takes no such thing away.
pub fn misnamed(discards: &BTreeSet<String>, things: &BTreeSet<Thing>) -> Option<String> {
    let known: Vec<String> = things.iter().map(ToString::to_string).collect();
    let wrong = discards.iter().find(|thing| !known.contains(thing))?;
    Some(if known.is_empty() {
        format!("--discard {wrong}: going back takes no column and no table of the plan away")
    } else {
        format!(
            "--discard {wrong}: going back does not take that away. What it can take away: {}",
            known.join(", ")
        )
    })
}

/// The same of a repair, which writes these columns.
pub fn misnamed_in_repair(discards: &BTreeSet<String>, columns: &[Thing]) -> Option<String> {
    let known: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let wrong = discards.iter().find(|thing| !known.contains(thing))?;
    Some(format!(
        "--discard {wrong}: the repair does not write that. What it writes: {}",
        known.join(", ")
    ))
}

impl Serialize for Toll {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(count: Count) -> Lost {
        let table: crossfade_model::ident::TableName = "public.t".parse().unwrap();
        Lost {
            of: Thing::Column(table, "note".parse().unwrap()),
            what: "rows of public.t with a value in note".to_owned(),
            count,
            noted: false,
        }
    }

    #[test]
    fn what_is_not_known_opens_no_way_and_what_is_not_there_closes_none() {
        let nothing = BTreeSet::new();
        let said = BTreeSet::from(["public.t.note".to_owned()]);
        for (count, refused) in [
            (Count::Rows(0), false),
            (Count::Rows(1), true),
            (Count::AtLeast(1_000), true),
            (Count::Unknown("timeout".to_owned()), true),
        ] {
            let toll = Toll {
                lost: vec![lost(count.clone())],
                in_the_way: Vec::new(),
            };
            let without = toll.refusal(&nothing, "crossfade rollback r");
            assert_eq!(without.is_some(), refused, "{count:?}");
            assert!(without.is_none_or(|text| text.contains("--discard public.t.note")));
            assert_eq!(toll.refusal(&said, "crossfade rollback r"), None);
            assert_eq!(toll.discarded(&said).len(), 1);
        }
    }

    #[test]
    fn what_may_go_is_no_answer_to_what_is_in_the_way() {
        let toll = Toll {
            lost: Vec::new(),
            in_the_way: vec![InTheWay {
                condition: "public.t.note must be NOT NULL".to_owned(),
                keys: vec![Some("{\"id\": 7}".to_owned())],
                more: false,
            }],
        };
        let said = BTreeSet::from(["public.t.note".to_owned()]);
        let refused = toll.refusal(&said, "crossfade rollback r").unwrap();
        assert!(refused.contains("{\"id\": 7}"), "{refused}");
    }

    #[test]
    fn a_misspelled_discard_is_no_discard() {
        let things = BTreeSet::from([lost(Count::Rows(0)).of]);
        let said = |what: &str| BTreeSet::from([what.to_owned()]);
        assert_eq!(misnamed(&said("public.t.note"), &things), None);
        assert!(misnamed(&said("t.note"), &things).is_some());
        assert!(misnamed(&said("public.t"), &BTreeSet::new()).is_some());
    }
}

//! From the text of a plan to values, and from values to plan types, with all the errors at once.
//!
//! serde stops at the first error. So `decode` records it, takes out what was wrong and decodes again, until nothing is
//! left to find. What was taken out or put in on the way is never returned: any error means that there is no result.

mod fault;
mod read;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use self::fault::nearest;
use self::fault::{Fault, Stop};
pub use self::read::read;
use self::source::ValueSource;
use crossfade_model::error::{Path, PlanError, Segment};

/// More errors than this in one text or piece are not looked for.
const ERRORS_MAX: usize = 100;
/// Decodings of one piece. An error takes one, and a missing key up to one more for each stand-in.
const PASSES_MAX: usize = 500;

/// The plan type of a piece that stands at `at`, or None and at least one more error in `errors`.
///
/// Keys that `T` does not have are errors where `T` says `deny_unknown_fields`. An enum in a message is called by its
/// type's name: `StepKind` (or `#[serde(rename = "step kind")]`) is "unknown step kind `x`".
pub fn decode<T: DeserializeOwned>(
    value: Value,
    at: &Path,
    errors: &mut Vec<PlanError>,
) -> Option<T> {
    let mut piece = Piece {
        value,
        at,
        cut: BTreeSet::new(),
        stand_ins: BTreeMap::new(),
        errors: Vec::new(),
    };
    for _ in 0..PASSES_MAX {
        match T::deserialize(ValueSource(&piece.value)) {
            Ok(decoded) if piece.errors.is_empty() => return Some(decoded),
            Ok(_) => break,
            Err(Stop { fault, way }) => {
                let mut local = Path::root();
                way.into_iter()
                    .rev()
                    .for_each(|segment| local.push(segment));
                let can_go_on = piece.repair(&local, &fault);
                if piece.errors.len() >= ERRORS_MAX {
                    piece.errors.push(only_the_first());
                    break;
                }
                if !can_go_on {
                    break;
                }
            }
        }
    }
    errors.append(&mut piece.errors);
    None
}

/// A piece in repair. Paths are local (in `value` as it is now) or original (in the piece as it came): they differ
/// where elements of a list were cut out. All are relative to `at`.
struct Piece<'a> {
    value: Value,
    at: &'a Path,
    /// Elements of lists that were taken out, by their original paths.
    cut: BTreeSet<Path>,
    /// Keys that were wrong or missing, by their original paths, and how many stand-ins were tried for them.
    stand_ins: BTreeMap<Path, usize>,
    errors: Vec<PlanError>,
}

/// Values that may be taken in place of one that is wrong or missing, so that the rest of its mapping is looked at.
fn stand_in(tried: usize) -> Option<Value> {
    match tried {
        0 => Some(Value::from("a")),
        1 => Some(Value::from("1s")),
        2 => Some(Value::from(1)),
        3 => Some(Value::from(true)),
        4 => Some(Value::Array(Vec::new())),
        5 => Some(Value::Object(Map::new())),
        _ => None,
    }
}

impl Piece<'_> {
    /// Records what is new in the error and takes its cause away. False if nothing more can be found.
    fn repair(&mut self, local: &Path, fault: &Fault) -> bool {
        let original = self.original(local);
        if let Some(invented) = self
            .stand_ins
            .keys()
            .find(|invented| invented.holds(&original))
            .cloned()
        {
            return self.try_next_stand_in(&invented, fault);
        }
        match fault {
            Fault::Missing(name) => {
                let missing = original.key(name);
                if !self.stand_ins.contains_key(&missing) {
                    self.report(&original, local, fault);
                }
                self.try_next_stand_in(&missing, fault)
            }
            Fault::UnknownKey(_) => {
                self.report(&original, local, fault);
                self.remove(local)
            }
            Fault::UnknownName { .. }
            | Fault::Several { .. }
            | Fault::NeedsSettings
            | Fault::Unfit { .. }
            | Fault::Refused(_) => {
                // A whole that does not fit together because a part of it was replaced says nothing new.
                let altered = self
                    .cut
                    .iter()
                    .chain(self.stand_ins.keys())
                    .any(|part| original.holds(part));
                if !altered {
                    self.report(&original, local, fault);
                }
                self.abandon(local)
            }
        }
    }

    fn report(&mut self, original: &Path, local: &Path, fault: &Fault) {
        let error = fault.error(self.at.join(original), find(&self.value, local));
        self.errors.push(error);
    }

    /// Takes a wrong value out of its list or mapping.
    fn abandon(&mut self, local: &Path) -> bool {
        let original = self.original(local);
        let removed = self.remove(local);
        match local.segments().last() {
            Some(Segment::Index(_)) => {
                self.cut.insert(original);
            }
            Some(Segment::Key(_)) => {
                self.stand_ins.insert(original, 0);
            }
            None => {}
        }
        removed
    }

    fn remove(&mut self, local: &Path) -> bool {
        let Some((parent, last)) = local.split_last() else {
            return false;
        };
        match (find_mut(&mut self.value, &parent), last) {
            (Some(Value::Array(items)), Segment::Index(index)) if *index < items.len() => {
                items.remove(*index);
                true
            }
            (Some(Value::Object(entries)), Segment::Key(key)) => {
                entries.shift_remove(key).is_some()
            }
            _ => false,
        }
    }

    /// Puts another value where one is missing, or gives up the mapping that needs it.
    fn try_next_stand_in(&mut self, missing: &Path, fault: &Fault) -> bool {
        let Some((parent, Segment::Key(key))) = missing.split_last() else {
            return false;
        };
        let parent = self.local(&parent);
        let tried = self.stand_ins.entry(missing.clone()).or_default();
        let value = match fault {
            // The first of the names that are right here is as good as any.
            Fault::UnknownName { known, .. } if *tried == 1 => {
                known.first().map(|name| Value::from(*name))
            }
            _ => stand_in(*tried),
        };
        *tried += 1;
        match (find_mut(&mut self.value, &parent), value) {
            (Some(Value::Object(entries)), Some(value)) => {
                entries.insert(key.clone(), value);
                true
            }
            _ => self.abandon(&parent),
        }
    }

    fn original(&self, local: &Path) -> Path {
        let mut original = Path::root();
        for segment in local.segments() {
            let segment = match segment {
                Segment::Key(key) => Segment::Key(key.clone()),
                Segment::Index(index) => {
                    // In ascending order: each element cut at or before this one moves it on by one.
                    let moved = self
                        .cut_in(&original)
                        .fold(*index, |index, cut| index + usize::from(cut <= index));
                    Segment::Index(moved)
                }
            };
            original.push(segment);
        }
        original
    }

    fn local(&self, original: &Path) -> Path {
        let mut parent = Path::root();
        let mut local = Path::root();
        for segment in original.segments() {
            local.push(match segment {
                Segment::Key(key) => Segment::Key(key.clone()),
                Segment::Index(index) => {
                    let before = self.cut_in(&parent).filter(|cut| cut < index).count();
                    Segment::Index(index.saturating_sub(before))
                }
            });
            parent.push(segment.clone());
        }
        local
    }

    /// The original indices that were cut out of the list at an original path, ascending.
    fn cut_in(&self, list: &Path) -> impl Iterator<Item = usize> {
        self.cut
            .iter()
            .filter_map(move |cut| match cut.split_last() {
                Some((parent, Segment::Index(index))) if parent == *list => Some(*index),
                _ => None,
            })
    }
}

fn find<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.segments()
        .iter()
        .try_fold(value, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index),
        })
}

fn find_mut<'v>(value: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    path.segments()
        .iter()
        .try_fold(value, |value, segment| match segment {
            Segment::Key(key) => value.get_mut(key),
            Segment::Index(index) => value.get_mut(index),
        })
}

/// Said where the limit ends the search, so that nobody takes the list for complete.
fn only_the_first() -> PlanError {
    let message = format!("only the first {ERRORS_MAX} errors are shown");
    PlanError::at(Path::root(), message).warning()
}

#[cfg(test)]
mod tests {
    use super::fault::{edit_distance, spoken};
    use super::read::DEPTH_MAX;
    use super::*;
    use crossfade_model::error::{locate_all, render};
    use serde::Deserialize;
    use std::time::{Duration, Instant};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Plan {
        version: u32,
        name: Name,
        description: Option<String>,
        change: Option<Recipe>,
        #[serde(default)]
        phases: Vec<Phase>,
        #[serde(default)]
        pair: Option<(u8, u8)>,
        #[serde(default)]
        gates: std::collections::BTreeMap<PhaseName, Gate>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Recipe {
        RenameColumn(RenameColumn),
        Nothing,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct RenameColumn {
        table: Name,
        from: Name,
        to: Name,
        strategy: Option<Strategy>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Strategy {
        Copy,
        View,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Phase {
        phase: PhaseName,
        gate: Option<Gate>,
        steps: Vec<Step>,
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum PhaseName {
        Expand,
        Verify,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Gate {
        #[serde(default)]
        approvals: u8,
        bake: Option<Name>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Step {
        AddColumn { table: Name, column: Name },
        Fill(Fill),
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Fill {
        table: Name,
        set: std::collections::BTreeMap<String, String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Name(#[allow(dead_code)] String);

    impl TryFrom<String> for Name {
        type Error = String;
        fn try_from(name: String) -> Result<Name, String> {
            let is_name = !name.is_empty() && !name.contains(' ');
            if is_name {
                Ok(Name(name))
            } else {
                Err(format!("`{name}` is not a name"))
            }
        }
    }

    const GOOD: &str = "\
version: 1
name: rename-vehicle-status
description: \"`status` clashes\"
change:
  rename_column: {table: public.vehicles, from: status, to: vehicle_status, strategy: copy}
phases:
  - phase: expand
    gate: {approvals: 1, bake: 48h}
    steps:
      - add_column: {table: public.vehicles, column: vehicle_status}
      - fill: &fill
          table: public.vehicles
          set: {vehicle_status: status}
  - phase: verify
    steps:
      - fill: *fill
";

    fn check(text: &str) -> Result<Plan, Vec<PlanError>> {
        let mut errors = Vec::new();
        match decode(read(text)?, &Path::root(), &mut errors) {
            Some(plan) => {
                assert_eq!(errors, []);
                Ok(plan)
            }
            None => Err(errors),
        }
    }

    /// `line:column message` and, after `|`, the help.
    fn said(text: &str) -> Vec<String> {
        let errors = check(text).expect_err("the plan should be refused");
        assert!(!render("f", text, &errors).is_empty());
        locate_all("f", text, &errors)
            .into_iter()
            .map(|error| {
                let help = error
                    .help
                    .map(|help| format!(" | {help}"))
                    .unwrap_or_default();
                format!(
                    "{}:{} {}{help}",
                    error.line.unwrap_or(0),
                    error.column.unwrap_or(0),
                    error.message
                )
            })
            .collect()
    }

    fn plan_with(steps: &str) -> String {
        format!("version: 1\nname: x\nphases:\n  - phase: expand\n    steps:\n{steps}")
    }

    #[test]
    fn a_good_plan_is_decoded() {
        let plan = check(GOOD).unwrap();
        assert_eq!((plan.phases.len(), plan.phases[1].steps.len()), (2, 1));
        assert!(check(&format!("\u{FEFF}{}", GOOD.replace('\n', "\r\n"))).is_ok());
    }

    #[test]
    fn unknown_keys_in_two_steps_are_both_reported() {
        let text = plan_with(
            "      - fill: {tabel: a, table: a, set: {}}\n      - fill:\n          table: a\n          set: {}\n          sett: 1\n",
        );
        assert_eq!(
            said(&text),
            [
                "6:16 unknown key `tabel` | did you mean `table`? the keys here are `table`, `set`",
                "10:11 unknown key `sett` | did you mean `set`? the keys here are `table`, `set`",
            ]
        );
    }

    #[test]
    fn the_example_of_the_brief_is_rendered_so() {
        let text = "version: 1\nname: x\nchange:\n  rename_column: {tabel: public.vehicles, from: status, to: b}\n";
        let errors = check(text).unwrap_err();
        let expected = "\
error: `table` is missing
 --> rename.yaml:4:3
  |
4 |   rename_column: {tabel: public.vehicles, from: status, to: b}
  |   ^^^^^^^^^^^^^
\nerror: unknown key `tabel`
 --> rename.yaml:4:19
  |
4 |   rename_column: {tabel: public.vehicles, from: status, to: b}
  |                   ^^^^^
  = help: did you mean `table`? the keys here are `table`, `from`, `to`, `strategy`
";
        assert_eq!(render("rename.yaml", text, &errors), expected);
    }

    #[test]
    fn every_missing_key_is_reported_once_and_wrong_ones_are_not_missing() {
        let text = "nmae: x\nversion: one\nchange: {rename_column: {from: 5, other: 1}}\nphases:\n- steps: []\n  gate: 5\n";
        assert_eq!(
            said(text),
            [
                "1:1 unknown key `nmae` | did you mean `name`? the keys here are `version`, `name`, `description`, \
                 `change`, `phases`, `pair`, `gates`",
                "1:1 `name` is missing",
                "2:10 expected a whole number from 0 to 4294967295, found a string",
                "3:10 `table` is missing",
                "3:10 `to` is missing",
                "3:32 expected a string, found a number | write it in quotes: '5'",
                "3:35 unknown key `other` | the keys here are `table`, `from`, `to`, `strategy`",
                "5:3 `phase` is missing",
                "6:9 expected a mapping, found a number",
            ]
        );
    }

    #[test]
    fn wrong_elements_keep_the_places_of_the_others() {
        let text = plan_with(
            "      - ad_column: {}\n      - 5\n      - fill: {table: a, set: {}}\n      - fill\n      - fill: {table: 'a b', set: {x: 1, y: [2]}}\n      - {}\n      - dorp\n      - [fill]\n",
        );
        assert_eq!(
            said(&text),
            [
                "6:9 unknown step `ad_column` | did you mean `add_column`? it is one of `add_column`, `fill`",
                "7:9 expected a step, found a number",
                "9:9 `fill` needs its settings | write `fill: {…}`, or the settings indented below it",
                "10:23 `a b` is not a name",
                "10:39 expected a string, found a number | write it in quotes: '1'",
                "10:45 expected a string, found a list",
                "11:9 a step is one key with its settings; found none",
                "12:9 unknown step `dorp` | it is one of `add_column`, `fill`",
                "13:9 expected a step, found a list",
            ]
        );
    }

    #[test]
    fn settings_beside_their_step_are_explained() {
        let text = plan_with("      - fill:\n        table: a\n        set: {}\n");
        assert_eq!(
            said(&text),
            [
                "6:9 a step is one key with its settings; found `fill`, `table` and `set` | indent the settings of `fill` below it"
            ]
        );
    }

    #[test]
    fn keys_that_are_names_are_checked_one_by_one() {
        assert_eq!(
            said(
                "version: 1\nname: x\ngates:\n  expnd: {}\n  expand: {bake: 5}\n  verify: {aprovals: 1}\n  z: {}\n"
            ),
            [
                "4:3 unknown key `expnd` | did you mean `expand`? it is one of `expand`, `verify`",
                "5:18 expected a string, found a number | write it in quotes: '5'",
                "6:12 unknown key `aprovals` | did you mean `approvals`? the keys here are `approvals`, `bake`",
                "7:3 unknown key `z` | it is one of `expand`, `verify`",
            ]
        );
    }

    #[test]
    fn values_are_said_in_yaml_words() {
        let base = "version: 1\nname: x\n";
        let cases = [
            ("description: [a]", "3:14 expected a string, found a list"),
            (
                "description: {a: b}",
                "3:14 expected a string, found a mapping",
            ),
            (
                "description: true",
                "3:14 expected a string, found true/false | write it in quotes: 'true'",
            ),
            ("phases:", ""),
            ("phases: {a: b}", "3:9 expected a list, found a mapping"),
            (
                "phases: [{phase: expand, steps: null}]",
                "3:33 expected a list, found null",
            ),
            (
                "phases: [{phase: expnd, steps: []}]",
                "3:18 unknown phase name `expnd` | did you mean `expand`? it is one of `expand`, `verify`",
            ),
            (
                "change: {rename_column: [a, b, c]}",
                "3:25 expected a mapping, found a list",
            ),
            (
                "change: {rename_column: }",
                "3:10 expected a mapping, found null",
            ),
            ("change: nothing", ""),
            ("pair: [1]", "3:7 expected a list of 2, found 1 of them"),
            (
                "pair: [1, 2, 3]",
                "3:7 expected a list of 2, found 3 of them",
            ),
            (
                "pair: [1, 300]",
                "3:11 expected a whole number from 0 to 255, found `300`",
            ),
            ("pair: [-1, 1.5]", ""),
        ];
        for (line, expected) in cases {
            let text = format!("{base}{line}\n");
            match expected {
                "" => {
                    let _ = check(&text);
                }
                expected => assert_eq!(said(&text), [expected], "{line}"),
            }
        }
    }

    #[test]
    fn duplicate_keys_are_shown_where_they_are_repeated() {
        let text = "version: 1\nname: a\nversion: 2\nphases: [{x: 1, x: 2, x: 3}]\n";
        assert_eq!(
            said(text),
            [
                "3:1 duplicate key `version` | it is given first on line 1; keep one",
                "4:17 duplicate key `x` | it is given first on line 4; keep one",
                "4:23 duplicate key `x` | it is given first on line 4; keep one",
            ]
        );
    }

    #[test]
    fn documents_that_are_no_plan_are_refused() {
        assert_eq!(
            said(""),
            ["0:0 the plan is empty | it begins with `version: 1` and `name: …`"]
        );
        assert_eq!(said("# nothing\n").len(), 1);
        assert_eq!(said("hello\n"), ["1:1 expected a mapping, found a string"]);
        assert_eq!(said("- 1\n- 2\n"), ["1:1 expected a mapping, found a list"]);
        assert_eq!(
            said("version: 1\n---\nversion: 2\n"),
            ["2:1 a second document begins here; a file holds one plan"]
        );
        assert!(said("\u{0}\u{1}PNG")[0].contains("not valid YAML"));
    }

    #[test]
    fn syntax_errors_have_the_parsers_own_place() {
        assert_eq!(
            said("version: 1\nphases:\n\t- phase: expand\n"),
            [
                "3:1 not valid YAML: found character that cannot start any token, while scanning for the next token | \
                 this line has a tab; YAML is indented and separated with spaces"
            ]
        );
        assert_eq!(
            said("a: {b: 1\nc: 2\n"),
            [
                "2:2 not valid YAML: did not find expected ',' or '}', while parsing a flow mapping at line 1 column 4"
            ]
        );
        assert_eq!(said("a: *b\n"), ["1:4 not valid YAML: unknown anchor"]);
    }

    #[test]
    fn keys_that_are_no_strings_tags_and_merges_are_refused_together() {
        let text = "1: a\nb: !foo {c: 1}\n? [x]\n: y\nd: &d {e: 1}\nf:\n  <<: *d\nnull: .inf\n";
        assert_eq!(
            said(text),
            [
                "1:1 a key is a string, found a number | write it in quotes: '1'",
                "1:1 a key is a string, found a list",
                "2:9 the tag `!foo` is not understood | plans have no tags; leave it out",
                "7:3 merge keys (`<<`) are not understood in plans | write the keys out, or give the whole mapping by an alias",
                "8:1 a key is a string, found null | write it in quotes: 'null'",
                "8:7 a plan has finite numbers only",
            ]
        );
    }

    #[test]
    fn unicode_before_the_caret_counts_as_characters() {
        let text =
            "version: 1\nname: x\nchange: {rename_column: {table: \"日本é\", from: 1, to: b}}\n";
        assert_eq!(
            said(text),
            ["3:46 expected a string, found a number | write it in quotes: '1'"]
        );
    }

    fn refused_fast(text: &str, message: &str) {
        let start = Instant::now();
        let errors = check(text).unwrap_err();
        assert!(errors[0].message.contains(message), "{errors:?}");
        let shown = render("f", text, &errors);
        assert!(shown.len() < 60_000, "{}", shown.len());
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{:?}",
            start.elapsed()
        );
    }

    #[test]
    fn alias_bombs_are_refused() {
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 9].join(", ");
            laughs.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        refused_fast(&laughs, "aliases");
        // A few aliases of something long: few nodes, much memory.
        let long = format!(
            "a: &a {}\nb: [{}]\n",
            "x".repeat(500_000),
            "*a, ".repeat(100_000)
        );
        refused_fast(&long, "aliases");
        refused_fast("a: &a [*a]\n", "nested too deep");
    }

    #[test]
    fn what_is_too_large_or_too_deep_is_refused() {
        refused_fast(
            &"a: b\n".repeat(2_000_000),
            "the plan is 10000000 bytes long; the limit is 1048576 bytes",
        );
        refused_fast(&"- ".repeat(500_000), "nested too deep");
        refused_fast(&"[".repeat(1_000_000), "nested too deep");
        refused_fast(&"{a: ".repeat(250_000), "nested too deep");
        refused_fast(&format!("%x\n{}", "{a: ".repeat(250_000)), "not valid YAML");
        refused_fast(
            &format!("a: [{}]", "b,".repeat(300_000)),
            "too many keys and values",
        );
        refused_fast(&"a: b\n".repeat(50_000), "duplicate key");
        let deep = format!(
            "a: {}{}",
            "[".repeat(DEPTH_MAX - 1),
            "]".repeat(DEPTH_MAX - 1)
        );
        assert!(read(&deep).is_ok());
        assert!(read(&format!("a: [{}]", &deep[3..])).is_err());
    }

    #[test]
    fn errors_of_one_plan_are_bounded() {
        let text = plan_with(&"      - fill: {tabel: a}\n".repeat(20_000));
        let errors = check(&text).unwrap_err();
        assert_eq!(errors.len(), ERRORS_MAX + 1);
        assert_eq!(errors.last(), Some(&only_the_first()));
        assert_eq!(
            read(&"a: b\n".repeat(500)).map_err(|errors| errors.len()),
            Err(ERRORS_MAX + 1)
        );
    }

    #[test]
    fn pieces_are_reported_at_their_place_in_the_plan() {
        let mut errors = Vec::new();
        let at = Path::root().key("phases").index(2);
        let piece =
            serde_json::json!({"phase": "expand", "steps": [{"fill": {"table": 1, "set": {}}}]});
        assert!(decode::<Phase>(piece, &at, &mut errors).is_none());
        assert_eq!(errors[0].path.to_string(), "phases[2].steps[0].fill.table");
    }

    #[test]
    fn near_names_are_near() {
        assert_eq!(edit_distance("tabel", "table"), 1);
        assert_eq!(edit_distance("", "ab"), 2);
        assert_eq!(edit_distance("abc", "axc"), 1);
        assert_eq!(spoken("StepKind"), "step kind");
    }

    /// A small generator of its own, so that a failure is the same everywhere.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 33) as usize) % limit.max(1)
        }
    }

    fn mutated(random: &mut Random) -> String {
        const PIECES: &[&str] = &[
            "\t",
            "\n",
            "\r",
            ": ",
            "- ",
            "[",
            "]",
            "{",
            "}",
            "&a ",
            "*a",
            "*fill",
            "!t ",
            "|",
            ">",
            "'",
            "\"",
            "#",
            ",",
            "? ",
            "%",
            "---\n",
            "...\n",
            "\u{0}",
            "é",
            "日",
            "\u{FEFF}",
            "\u{85}",
            "\u{2028}",
            "<<: *fill",
            "~",
            "1",
            "true",
            "\\",
            "@",
            "`",
        ];
        let mut text: Vec<char> = GOOD.chars().collect();
        for _ in 0..=random.below(6) {
            let at = random.below(text.len());
            match random.below(4) {
                0 => {
                    let end = (at + 1 + random.below(12)).min(text.len());
                    text.drain(at..end);
                }
                1 => text.truncate(text.len() - random.below(text.len() / 8)),
                _ => {
                    let piece = PIECES[random.below(PIECES.len())];
                    text.splice(at..at, piece.chars());
                }
            }
        }
        text.into_iter().collect()
    }

    #[test]
    fn mutations_of_a_plan_never_panic_and_are_taken_or_explained() {
        let mut random = Random(20_260_101);
        let rounds = std::env::var("FUZZ_ROUNDS")
            .ok()
            .and_then(|rounds| rounds.parse().ok())
            .unwrap_or(3_000);
        for _ in 0..rounds {
            let text = mutated(&mut random);
            let Err(errors) = check(&text) else { continue };
            assert!(!errors.is_empty(), "refused without a word: {text:?}");
            assert!(!render("f", &text, &errors).is_empty(), "{text:?}");
            assert_eq!(locate_all("f", &text, &errors).len(), errors.len());
        }
    }
}

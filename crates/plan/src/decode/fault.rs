//! What serde finds wrong in a plan, and how that is said.

use std::fmt;

use serde::de::{self, Expected, Unexpected};
use serde_json::{Map, Value};

use crossfade_model::error::{Path, PlanError, Segment, quoted};

/// The most of a mapping's keys that one message names.
const KEYS_SHOWN_MAX: usize = 6;

/// Of several recipes that stand where one is wanted.
const A_LIST: &str = "several changes are a list: `changes:`, and each of them begins with `- `";

pub(super) type Names = &'static [&'static str];

/// What serde found wrong, kept apart by kind instead of as its text.
#[derive(Debug)]
pub(super) enum Fault {
    /// The last key of the path is not one of these.
    UnknownKey(Names),
    /// A name that is none of an enum's, whose type is called so. Without a type it is a key of a map of such names.
    UnknownName {
        name: String,
        called: Option<&'static str>,
        known: Names,
    },
    Missing(&'static str),
    /// A mapping of several keys or none where one is wanted.
    Several {
        called: &'static str,
    },
    /// The name of something that has settings, without them.
    NeedsSettings,
    Unfit {
        expected: String,
        found: String,
    },
    /// In the words of the plan's own types.
    Refused(String),
}

impl Fault {
    /// `value` is what stands at `path`.
    pub(super) fn error(&self, path: Path, value: Option<&Value>) -> PlanError {
        match self {
            Fault::UnknownKey(known) => unknown_key(path, known),
            Fault::UnknownName {
                name,
                called,
                known,
            } => {
                let message = format!(
                    "unknown {} {}",
                    spoken(called.unwrap_or("key")),
                    quoted(name)
                );
                let help = suggestion(name, known, &format!("it is one of {}", listed(known)));
                let error = PlanError::at(path, message).help(help);
                // A name stands for itself, or is the key of its settings and then the last of the path.
                if called.is_some() && value.and_then(Value::as_str) == Some(name) {
                    error
                } else {
                    error.on_key()
                }
            }
            Fault::Missing(name) => PlanError::at(path, format!("`{name}` is missing")).on_key(),
            Fault::Several { called } => several(path, called, value),
            Fault::NeedsSettings => {
                let name = value.and_then(Value::as_str).unwrap_or_default();
                PlanError::at(path, format!("{} needs its settings", quoted(name))).help(format!(
                    "write {}, or the settings indented below it",
                    quoted(&format!("{name}: {{…}}"))
                ))
            }
            Fault::Unfit { expected, found } => {
                let error = PlanError::at(path, format!("expected {expected}, found {found}"));
                match value {
                    Some(scalar @ (Value::Number(_) | Value::Bool(_)))
                        if expected == "a string" =>
                    {
                        error.help(format!("write it in quotes: '{scalar}'"))
                    }
                    Some(Value::Array(_)) if expected == "a recipe" => error.help(A_LIST),
                    _ => error,
                }
            }
            Fault::Refused(message) => PlanError::at(path, message.clone()),
        }
    }
}

fn unknown_key(path: Path, known: Names) -> PlanError {
    let name = match path.segments().last() {
        Some(Segment::Key(name)) => name.clone(),
        Some(Segment::Index(_)) | None => String::new(),
    };
    let all = match known {
        [] => "there are no keys here".to_owned(),
        known => format!("the keys here are {}", listed(known)),
    };
    // The tail of `{type: numeric(12,2)}`: between braces a comma ends a value.
    let help = if name.ends_with(')') && !name.contains('(') {
        "between braces a value with a comma stands in quotes: \"numeric(12,2)\"".to_owned()
    } else {
        suggestion(&name, known, &all)
    };
    PlanError::at(path, format!("unknown key {}", quoted(&name)))
        .on_key()
        .help(help)
}

fn several(path: Path, called: &str, value: Option<&Value>) -> PlanError {
    let called = spoken(called);
    let empty = Map::new();
    let entries = value.and_then(Value::as_object).unwrap_or(&empty);
    let names: Vec<String> = entries
        .keys()
        .take(KEYS_SHOWN_MAX)
        .map(|key| quoted(key))
        .collect();
    let found = match names.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some(_) if entries.len() > names.len() => format!("{} and more", names.join(", ")),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    let message = format!(
        "{} {called} is one key with its settings; found {found}",
        article(&called)
    );
    let error = PlanError::at(path, message);
    match entries.iter().next() {
        // The settings stand beside the key instead of below it.
        Some((key, Value::Null)) => {
            error.help(format!("indent the settings of {} below it", quoted(key)))
        }
        Some(_) if entries.len() > 1 && called == "recipe" => error.help(A_LIST),
        Some(_) | None => error,
    }
}

/// The words of a type's name: `PhaseName` is "phase name".
pub(super) fn spoken(type_name: &str) -> String {
    let mut words = String::new();
    for character in type_name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}

pub(super) fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

fn listed(names: Names) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    names.join(", ")
}

/// What would be right: all the names, and first the one that was probably meant.
fn suggestion(name: &str, known: Names, all: &str) -> String {
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`? {all}"),
        None => all.to_owned(),
    }
}

/// The one of these names that was probably meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    let distances = known.map(|known| (edit_distance(name, known), known));
    let (distance, nearest) = distances.min()?;
    (distance <= allowed).then_some(nearest)
}

/// Characters to insert, delete, replace or swap with their neighbour to make one name of the other.
pub(super) fn edit_distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    // A name can be as long as the plan; one that is much longer is not near.
    if left.len() > 2 * right.len() + 2 {
        return left.len();
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row];
        for column in 1..=right.len() {
            let replaced = above[column - 1] + usize::from(left[row - 1] != right[column - 1]);
            let mut least = replaced.min(above[column] + 1).min(current[column - 1] + 1);
            let swapped = row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1];
            if swapped {
                least = least.min(before[column - 2] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[right.len()]
}

/// The first thing that stops serde, and the way to it from the inside out: serde knows no paths, so each list and
/// mapping that the error passes through adds its own segment.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) fault: Fault,
    pub(super) way: Vec<Segment>,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop {
            fault,
            way: Vec::new(),
        }
    }
}

impl Stop {
    pub(super) fn under(mut self, segment: Segment) -> Stop {
        self.way.push(segment);
        self
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault.error(Path::root(), None).message)
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(message: T) -> Stop {
        Stop::from(Fault::Refused(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Stop {
        let found = match found {
            Unexpected::UnitVariant => return Stop::from(Fault::NeedsSettings),
            Unexpected::Bool(_) => "true/false".to_owned(),
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a number".to_owned(),
            Unexpected::Float(number) => format!("the number `{number}`"),
            Unexpected::Str(_) | Unexpected::Char(_) => "a string".to_owned(),
            Unexpected::Unit | Unexpected::Option => "null".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a mapping".to_owned(),
            other => other.to_string(),
        };
        Stop::from(Fault::Unfit {
            expected: in_yaml_words(&expected.to_string()),
            found,
        })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Stop {
        let found = match found {
            Unexpected::Bool(value) => format!("`{value}`"),
            Unexpected::Unsigned(value) => format!("`{value}`"),
            Unexpected::Signed(value) => format!("`{value}`"),
            Unexpected::Float(value) => format!("`{value}`"),
            Unexpected::Str(value) => quoted(value),
            other => return Stop::invalid_type(other, expected),
        };
        Stop::from(Fault::Unfit {
            expected: in_yaml_words(&expected.to_string()),
            found,
        })
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Stop {
        Stop::from(Fault::Unfit {
            expected: in_yaml_words(&expected.to_string()),
            found: format!("{length} of them"),
        })
    }

    fn unknown_field(_: &str, expected: Names) -> Stop {
        Stop::from(Fault::UnknownKey(expected))
    }

    fn unknown_variant(name: &str, expected: Names) -> Stop {
        Stop::from(Fault::UnknownName {
            name: name.to_owned(),
            called: None,
            known: expected,
        })
    }

    fn missing_field(field: &'static str) -> Stop {
        Stop::from(Fault::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Stop {
        Stop::from(Fault::Refused(format!(
            "`{field}` is given twice, under two of its names"
        )))
    }
}

/// What a serde type expects, said as someone who writes YAML would.
fn in_yaml_words(expected: &str) -> String {
    let first_word = expected.split(' ').next().unwrap_or_default();
    match expected {
        "a boolean" => "true or false".to_owned(),
        "a character" => "a string of one character".to_owned(),
        "a map" => "a mapping".to_owned(),
        "a sequence" => "a list".to_owned(),
        "unit" | "option" => "null".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" | "u128" => "a whole number from 0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" | "i128" => "a whole number".to_owned(),
        _ if expected.starts_with("a nonzero") => "a whole number other than 0".to_owned(),
        _ if expected.starts_with("tuple")
            || expected.starts_with("a tuple")
            || expected.ends_with("in sequence") =>
        {
            let size = expected
                .rsplit(' ')
                .find_map(|word| word.parse::<usize>().ok());
            size.map_or("a list".to_owned(), |size| format!("a list of {size}"))
        }
        _ if matches!(first_word, "struct") => "a mapping".to_owned(),
        other => other.to_owned(),
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true/false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

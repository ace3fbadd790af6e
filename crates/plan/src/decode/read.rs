//! From the text of a plan to values, within limits.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use saphyr_parser::{Event, Marker, Parser, ScanError};
use serde::Deserialize as _;
use serde::de::{self, DeserializeSeed, Deserializer, Visitor};
use serde_json::{Map, Value};

use super::fault::kind;
use super::{ERRORS_MAX, only_the_first};
use crossfade_model::error::{Path, PlanError, Position, Segment, quoted};
use crossfade_model::locate::{EVENTS_MAX, Locator, TEXT_BYTES_MAX, lines, without_mark};

/// The deepest nesting of a plan. The deepest step needs 8.
pub(super) const DEPTH_MAX: usize = 64;
/// The most nodes of a plan with its aliases followed: aliases of aliases can stand for billions.
const NODES_MAX: usize = EVENTS_MAX;
/// The most bytes of strings of a plan with its aliases followed: a long string can be given by many aliases.
const STRING_BYTES_MAX: usize = 4 * TEXT_BYTES_MAX;
/// How far behind the place where one parser gave up the other reads, in characters.
const READ_ON_MAX: usize = 1000;

/// The values of a plan's text. Keys keep their order. All errors that do not depend on what a plan is are in `Err`:
/// syntax, repeated keys, keys that are no text, tags, merge keys, and what is beyond the limits.
pub fn read(text: &str) -> Result<Value, Vec<PlanError>> {
    let text = without_mark(text);
    if text.len() > TEXT_BYTES_MAX {
        let message = format!(
            "the plan is {} bytes long; the limit is {TEXT_BYTES_MAX} bytes (1 MiB)",
            text.len()
        );
        return Err(vec![
            PlanError::at(Path::root(), message).help("is this the right file?"),
        ]);
    }
    check_shape(text).map_err(|error| vec![error])?;
    let reading = RefCell::new(Reading::default());
    let outcome = ReadNode(&reading).deserialize(serde_yaml::Deserializer::from_str(text));
    let reading = reading.into_inner();
    let mut errors = reading.errors;
    match outcome {
        Ok(_) | Err(_) if reading.refused => {}
        Ok(Value::Null) if errors.is_empty() => {
            errors.push(
                PlanError::at(Path::root(), "the plan is empty")
                    .help("it begins with `version: 1` and `name: …`"),
            );
        }
        Ok(value) if errors.is_empty() => return Ok(value),
        Ok(_) => {}
        Err(error) => errors.push(syntax_error(text, &error)),
    }
    place_repeated_keys(text, &mut errors);
    Err(errors)
}

/// Refuses what would cost serde_yaml's parser time or memory: it reads all of a document before it checks anything,
/// and 100,000 nested brackets keep it busy for a minute and a half. This parser stops at the first event too many.
fn check_shape(text: &str) -> Result<(), PlanError> {
    let mut depth = 0_usize;
    let mut documents = 0_usize;
    for (count, event) in Parser::new_from_str(text).enumerate() {
        let (event, span) = event.map_err(|error| scan_error(text, &error))?;
        let refuse = |message: String| {
            let position = Some(marked(&span.start));
            Err(PlanError::at(Path::root(), message).positioned(position))
        };
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::DocumentStart(_) => documents += 1,
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::Scalar(..) => {}
        }
        if depth > DEPTH_MAX {
            return refuse(format!("nested too deep: the limit is {DEPTH_MAX} levels"));
        }
        if documents > 1 {
            return refuse("a second document begins here; a file holds one plan".to_owned());
        }
        if count >= EVENTS_MAX {
            return refuse(format!(
                "too many keys and values: the limit is {EVENTS_MAX}"
            ));
        }
    }
    Ok(())
}

fn marked(marker: &Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
        length: 1,
    }
}

/// What serde_yaml says about a text that the first parser gave up on. It is told little more than the part that is
/// known to be harmless; if that part is well for serde_yaml then the first parser's own words stand.
fn scan_error(text: &str, error: &ScanError) -> PlanError {
    // The parser's own limit, which it reaches before the events of the brackets come.
    if error.info().contains("recursion limit") {
        let message = format!("nested too deep: the limit is {DEPTH_MAX} levels");
        return PlanError::at(Path::root(), message).positioned(Some(marked(error.marker())));
    }
    let end = text
        .char_indices()
        .nth(error.marker().index().saturating_add(READ_ON_MAX));
    let part = end.map_or(text, |(end, _)| &text[..end]);
    // Only whether it can be parsed is asked, and `IgnoredAny` follows no aliases.
    if let Err(other) = de::IgnoredAny::deserialize(serde_yaml::Deserializer::from_str(part))
        && other
            .location()
            .is_some_and(|location| end.is_none() || location.line() <= error.marker().line())
    {
        return syntax_error(text, &other);
    }
    let message = format!("not valid YAML: {}", error.info());
    with_tab_help(
        text,
        PlanError::at(Path::root(), message).positioned(Some(marked(error.marker()))),
    )
}

fn syntax_error(text: &str, error: &serde_yaml::Error) -> PlanError {
    let whole = error.to_string();
    if whole.contains("repetition limit") {
        return PlanError::at(Path::root(), ALIASES_TOO_LARGE);
    }
    let mut message = whole.as_str().to_owned();
    let mut position = None;
    if let Some(location) = error.location() {
        let (line, column) = (location.line(), location.column());
        position = Some(Position {
            line,
            column,
            length: 1,
        });
        message = whole.replacen(&format!(" at line {line} column {column}"), "", 1);
    }
    let error =
        PlanError::at(Path::root(), format!("not valid YAML: {message}")).positioned(position);
    with_tab_help(text, error)
}

fn with_tab_help(text: &str, error: PlanError) -> PlanError {
    let before = error.position.and_then(|Position { line, column, .. }| {
        let line = lines(text).get(line.checked_sub(1)?).copied()?;
        Some(line.chars().take(column).any(|character| character == '\t'))
    });
    match before {
        Some(true) => error.help("this line has a tab; YAML is indented and separated with spaces"),
        Some(false) | None => error,
    }
}

/// A path leads to the first of several equal keys; the errors are about the later ones.
fn place_repeated_keys(text: &str, errors: &mut [PlanError]) {
    if !errors
        .iter()
        .any(|error| error.message.starts_with(REPEATED_KEY))
    {
        return;
    }
    let locator = Locator::new(text);
    let mut seen: BTreeMap<Path, usize> = BTreeMap::new();
    for error in errors
        .iter_mut()
        .filter(|error| error.message.starts_with(REPEATED_KEY))
    {
        let times = seen.entry(error.path.clone()).or_default();
        *times += 1;
        let places = locator.key_positions(&error.path);
        error.position = places.get(*times).copied();
        if let Some(first) = places.first() {
            let help = format!("it is given first on line {}; keep one", first.line);
            error.help = Some(help.into_boxed_str());
        }
    }
}

const ALIASES_TOO_LARGE: &str = "the plan's aliases (`*name`) make it too large";
const REPEATED_KEY: &str = "duplicate key";

/// What is known while a document is read.
#[derive(Default)]
struct Reading {
    path: Path,
    errors: Vec<PlanError>,
    nodes: usize,
    string_bytes: usize,
    /// An error was recorded that ends the reading.
    refused: bool,
}

impl Reading {
    fn record<E: de::Error>(&mut self, error: PlanError) -> Result<(), E> {
        self.errors.push(error);
        if self.errors.len() >= ERRORS_MAX && !self.refused {
            self.errors.push(only_the_first());
            self.refused = true;
        }
        if self.refused {
            Err(E::custom("refused"))
        } else {
            Ok(())
        }
    }

    fn spend<E: de::Error>(&mut self, string_bytes: usize) -> Result<(), E> {
        self.nodes += 1;
        self.string_bytes = self.string_bytes.saturating_add(string_bytes);
        if self.nodes <= NODES_MAX && self.string_bytes <= STRING_BYTES_MAX {
            return Ok(());
        }
        self.refused = true;
        let limits = format!(
            "the limits are {NODES_MAX} keys and values, and {STRING_BYTES_MAX} bytes of text"
        );
        self.record(PlanError::at(self.path.clone(), ALIASES_TOO_LARGE).help(limits))
    }

    fn enter<E: de::Error>(&mut self) -> Result<(), E> {
        if self.path.segments().len() < DEPTH_MAX {
            return Ok(());
        }
        self.refused = true;
        let message = format!("nested too deep: the limit is {DEPTH_MAX} levels");
        self.record(PlanError::at(self.path.clone(), message))
    }

    /// The name that a key is, whatever was written there.
    fn key_name<E: de::Error>(&mut self, key: Value) -> Result<String, E> {
        let found = kind(&key);
        let name = match key {
            Value::String(name) if name == "<<" => {
                let error = PlanError::at(
                    self.path.key(&name),
                    "merge keys (`<<`) are not understood in plans",
                );
                self.record(
                    error
                        .on_key()
                        .help("write the keys out, or give the whole mapping by an alias"),
                )?;
                return Ok(name);
            }
            Value::String(name) => return Ok(name),
            Value::Array(_) | Value::Object(_) => String::new(),
            scalar => scalar.to_string(),
        };
        let path = if name.is_empty() {
            self.path.clone()
        } else {
            self.path.key(&name)
        };
        let mut error = PlanError::at(path, format!("a key is a string, found {found}")).on_key();
        if !name.is_empty() {
            error = error.help(format!("write it in quotes: '{name}'"));
        }
        self.record(error)?;
        Ok(name)
    }
}

/// Reads one node, and counts what it costs before it is kept.
struct ReadNode<'r>(&'r RefCell<Reading>);

impl<'de> DeserializeSeed<'de> for ReadNode<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadNode<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        self.0.borrow_mut().spend(0)?;
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        self.0.borrow_mut().spend(0)?;
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.0.borrow_mut().spend(0)?;
        Ok(Value::from(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.0.borrow_mut().spend(0)?;
        Ok(Value::from(value))
    }

    /// Numbers beyond 64 bits come here.
    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let mut reading = self.0.borrow_mut();
        reading.spend(0)?;
        match serde_json::Number::from_f64(value) {
            Some(number) => Ok(Value::Number(number)),
            None => {
                let path = reading.path.clone();
                reading.record(PlanError::at(path, "a plan has finite numbers only"))?;
                Ok(Value::Null)
            }
        }
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.0.borrow_mut().spend(value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        self.0.borrow_mut().spend(0)?;
        self.0.borrow_mut().enter()?;
        let mut items = Vec::new();
        loop {
            self.0.borrow_mut().path.push(Segment::Index(items.len()));
            let item = list.next_element_seed(ReadNode(self.0))?;
            self.0.borrow_mut().path.pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut mapping: A) -> Result<Value, A::Error> {
        self.0.borrow_mut().spend(0)?;
        self.0.borrow_mut().enter()?;
        let mut entries = Map::new();
        while let Some(key) = mapping.next_key_seed(ReadNode(self.0))? {
            let name = self.0.borrow_mut().key_name(key)?;
            self.0.borrow_mut().path.push(Segment::Key(name.clone()));
            if entries.contains_key(&name) {
                let mut reading = self.0.borrow_mut();
                let error = PlanError::at(
                    reading.path.clone(),
                    format!("{REPEATED_KEY} {}", quoted(&name)),
                );
                reading.record(error.on_key())?;
            }
            let value = mapping.next_value_seed(ReadNode(self.0))?;
            self.0.borrow_mut().path.pop();
            entries.insert(name, value);
        }
        Ok(Value::Object(entries))
    }

    /// A node with a tag of its own, `!name`.
    fn visit_enum<A: de::EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, node) = tagged.variant::<String>()?;
        let path = self.0.borrow().path.clone();
        let tag = quoted(&format!("!{}", tag.trim_start_matches('!')));
        let error = PlanError::at(path, format!("the tag {tag} is not understood"))
            .help("plans have no tags; leave it out");
        self.0.borrow_mut().record(error)?;
        de::VariantAccess::newtype_variant_seed(node, ReadNode(self.0))
    }
}

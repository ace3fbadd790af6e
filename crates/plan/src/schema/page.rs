//! The reference page of the plan language: a table of words for each part of it.

use serde_json::{Map, Value};
use std::fmt::Write as _;

const HEAD: &str = "\
# The plan language

This page lists every word of a plan. `crossfade schema --page` prints it. `crossfade schema` prints the same as a JSON Schema
for editors; `plans/crossfade.schema.json` in the repository is that file. Crossfade is strict: an unknown word is an error,
with its line and column.
";

type Definitions = Map<String, Value>;

/// The page, of a schema as `schema()` makes it.
pub fn page(schema: &Value) -> String {
    let empty = Definitions::new();
    let definitions = schema["$defs"].as_object().unwrap_or(&empty);
    let (changes, steps) = (&schema["$defs"]["Recipe"], &schema["$defs"]["Step"]);
    let mut text = HEAD.to_owned();
    text.push_str("\n## A plan\n\n");
    body(&mut text, schema);
    text.push_str("\n## Changes\n\nA `change:` has one of these recipes, and `changes:` is a list of them. [Several changes in one \
         plan](guides/several-changes.md) says which of them go together.\n\n");
    alternatives(&mut text, changes, definitions);
    text.push_str(
        "## Steps\n\nSteps of the explicit form, which `crossfade expand` prints for any plan.\n\n",
    );
    alternatives(&mut text, steps, definitions);
    text.push_str("## Parts\n\n");
    let shown: Vec<&str> = [changes, steps]
        .into_iter()
        .flat_map(choices)
        .flat_map(words)
        .filter_map(|(_, below)| reference(below))
        .chain(["Recipe", "Step"])
        .collect();
    for (name, definition) in definitions {
        if !shown.contains(&name.as_str()) {
            let _ = writeln!(text, "### {name}\n");
            body(&mut text, definition);
            text.push('\n');
        }
    }
    format!("{}\n", text.trim_end())
}

/// Each word of the alternatives, with the words below it.
fn alternatives(text: &mut String, schema: &Value, definitions: &Definitions) {
    let all = choices(schema).flat_map(|choice| words(choice).map(move |word| (choice, word)));
    for (choice, (word, below)) in all {
        let _ = writeln!(text, "### `{word}`\n");
        if let Some(about) = choice["description"].as_str() {
            let _ = writeln!(text, "{}\n", one_line(about));
        }
        let named = reference(below).and_then(|name| definitions.get(name));
        body(text, named.unwrap_or(below));
        text.push('\n');
    }
}

/// What it is for, its words, and what else it can be.
fn body(text: &mut String, schema: &Value) {
    if let Some(about) = schema["description"].as_str() {
        let _ = writeln!(text, "{}\n", one_line(about));
    }
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if schema["enum"].is_array() || schema.get("const").is_some() {
        let _ = writeln!(text, "One of: {}.", kind(schema));
    }
    let mut rows = words(schema).peekable();
    if rows.peek().is_some() {
        text.push_str("| word | value | meaning |\n|---|---|---|\n");
    }
    for (word, value) in rows {
        let mut about = Vec::new();
        if required.contains(&word.as_str()) {
            about.push("Required.".to_owned());
        }
        about.extend(value["description"].as_str().map(one_line));
        match &value["default"] {
            Value::Null | Value::Object(_) | Value::Array(_) => {}
            default => about.push(format!("Default: {}.", code(default))),
        }
        let _ = writeln!(
            text,
            "| `{word}` | {} | {} |",
            cell(&kind(value)),
            cell(&about.join(" "))
        );
    }
    // What is only a condition on words that stand above says nothing new.
    let telling = choices(schema)
        .filter(|choice| choice["properties"].is_object() || choice["required"].is_null());
    for choice in telling {
        let about = choice["description"]
            .as_str()
            .map_or(String::new(), |about| format!(": {}", one_line(about)));
        let _ = writeln!(text, "- {}{about}", kind(choice));
    }
}

fn words(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    let list = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    list.into_iter().flatten()
}

/// The name of the definition that is referred to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// A mapping whose words, three or more, all have values of one kind.
fn same_kind(schema: &Value) -> Option<String> {
    let kinds: Vec<String> = words(schema).map(|(_, value)| kind(value)).collect();
    let first = kinds.first()?;
    let same = kinds.len() > 2 && kinds.iter().all(|other| other == first);
    let names: Vec<String> = words(schema).map(|(word, _)| format!("`{word}`")).collect();
    same.then(|| format!("{first} by {}", names.join(", ")))
}

/// What a value is, in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        // These two are sections, under names that tell more.
        let section = match name {
            "Recipe" => "changes".to_owned(),
            "Step" => "steps".to_owned(),
            other => other.to_lowercase(),
        };
        return format!("[{name}](#{section})");
    }
    if let Some(value) = schema.get("const") {
        return code(value);
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().filter(|value| !value.is_null());
        return values.map(code).collect::<Vec<_>>().join(", ");
    }
    let several: Vec<String> = choices(schema)
        .filter(|one| one["type"] != "null")
        .map(kind)
        .collect();
    if !several.is_empty() {
        return several.join(" or ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let only = types.into_iter().find(|one| *one != "null");
    match only.unwrap_or("anything") {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["properties"].is_object() => {
            if let Some(all) = same_kind(schema) {
                return all;
            }
            let below: Vec<String> = words(schema)
                .map(|(word, value)| format!("`{word}:` {}", kind(value)))
                .collect();
            below.join(", ")
        }
        "object" => format!("mapping to {}", kind(&schema["additionalProperties"])),
        "string" => "text".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "integer" => "a whole number".to_owned(),
        other => other.to_owned(),
    }
}

//! `new`: writes a plan from a recipe's words.

use super::Context;
use crate::cli::{
    args::New,
    exit::{Exit, UsageError},
    printer::Text,
};
use anyhow::Context as _;
use crossfade_model::error::render;
use crossfade_plan::read::read_document;
use crossfade_plan::recipes::Recipe;
use std::fmt::Write as _;

pub fn run(context: &Context<'_>, new: &New) -> anyhow::Result<Exit> {
    let Some(recipe) = new.recipe.as_deref().filter(|_| !new.list) else {
        return list(context);
    };
    let recipe = recipe.replace('-', "_");
    if !Recipe::ALL.iter().any(|known| known.name == recipe) {
        let message = format!("there is no recipe `{recipe}`{}", nearest(&recipe));
        return Err(UsageError(message).into());
    }
    let text = plan(new, &recipe)?;
    // What is written is a plan, or nothing is.
    read_document(&text)
        .map_err(|errors| UsageError(render("the plan would be", &text, &errors)))?;
    match &new.output {
        None => context
            .printer
            .result(&serde_json::json!({"plan": text}), || {
                Text::document(text.clone())
            })?,
        Some(path) => {
            use std::io::Write as _;
            let mut file = std::fs::File::create_new(path)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            file.write_all(text.as_bytes())?;
            context
                .printer
                .result(&serde_json::json!({"written": path}), || {
                    format!("wrote {}", path.display())
                })?;
        }
    }
    Ok(Exit::Done)
}

fn list(context: &Context<'_>) -> anyhow::Result<Exit> {
    context.printer.result(&Recipe::ALL, || {
        let mut text = String::new();
        for known in Recipe::ALL {
            let _ = writeln!(text, "{:<22}{}", known.name, known.about);
            let _ = writeln!(text, "{:<22}  {}", "", known.words);
        }
        text + "\nT: schema.table · C: a column · N: a name. Lists and maps are written as in YAML: columns=[a,b]\n"
    })?;
    Ok(Exit::Done)
}

/// The recipes that share a word with it.
fn nearest(recipe: &str) -> String {
    let words: Vec<&str> = recipe.split('_').filter(|word| word.len() > 2).collect();
    let alike: Vec<&str> = Recipe::ALL
        .iter()
        .map(|known| known.name)
        .filter(|name| {
            words
                .iter()
                .any(|word| name.split('_').any(|other| other == *word))
        })
        .take(8)
        .collect();
    if alike.is_empty() {
        "; `crossfade new --list` shows which there are".to_owned()
    } else {
        format!("; there are {}", alike.join(", "))
    }
}

/// As YAML. What is a list or a map stays one, and so does what is yes or no, or a number where one is wanted; anything
/// else is text, whatever is in it.
fn value(key: &str, given: &str) -> String {
    let structured = |open, close| given.starts_with(open) && given.ends_with(close);
    let as_it_is = matches!(given, "true" | "false")
        || structured('[', ']')
        || structured('{', '}')
        || (key == "max_rows" && given.parse::<u64>().is_ok());
    if as_it_is {
        given.to_owned()
    } else {
        serde_json::Value::from(given).to_string()
    }
}

fn plan(new: &New, recipe: &str) -> Result<String, UsageError> {
    let mut words = Vec::new();
    for word in &new.words {
        let (key, value) = word
            .split_once('=')
            .ok_or_else(|| UsageError(format!("`{word}` is not KEY=VALUE")))?;
        words.push((key.trim(), value.trim()));
    }
    let name = match &new.name {
        Some(name) => name.clone(),
        None => suggested_name(recipe, &words),
    };
    // The first line is for editors, the second for whoever wonders about it.
    let mut text = format!(
        "# yaml-language-server: $schema=crossfade.schema.json
# `crossfade schema > crossfade.schema.json` writes that file, and editors know the words.
version: 1
name: {name}
change:
  {recipe}:
"
    );
    for (key, given) in words {
        let _ = writeln!(text, "    {key}: {}", value(key, given));
    }
    text.push_str("# What takes time or people is yours to add, for the phases that `crossfade expand` shows:\n# gates:\n#   switch_reads: {approvals: 1, bake: 48h}\n#   retire: {old_writes_quiet: 24h}\n#   contract: {approvals: 2, bake: 72h, verified_within: 1h}\n");
    Ok(text)
}

fn suggested_name(recipe: &str, words: &[(&str, &str)]) -> String {
    let value = |key: &str| {
        words
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| *value)
    };
    let parts = [
        Some(recipe),
        value("table"),
        value("from").or(value("column")).or(value("name")),
    ];
    let joined = parts.into_iter().flatten().collect::<Vec<_>>().join("-");
    let name: String = joined
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    name.split('-')
        .filter(|part| !part.is_empty() && *part != "public" && *part != "column")
        .collect::<Vec<_>>()
        .join("-")
        .chars()
        .take(40)
        .collect()
}

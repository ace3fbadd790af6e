//! `new`: writes a plan from a recipe's words.

use super::Context;
use crate::cli::{
    args::New,
    exit::{Exit, UsageError},
};
use crate::plan::error::render;
use crate::service::read_document;
use anyhow::Context as _;
use std::fmt::Write as _;

pub fn run(context: &Context<'_>, new: &New) -> anyhow::Result<Exit> {
    let text = plan(new)?;
    // What is written is a plan, or nothing is.
    read_document(&text)
        .map_err(|errors| UsageError(render("the plan would be", &text, &errors)))?;
    match &new.output {
        None => context
            .printer
            .result(&serde_json::json!({"plan": text}), || text.clone())?,
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

fn plan(new: &New) -> Result<String, UsageError> {
    let mut words = Vec::new();
    for word in &new.words {
        let (key, value) = word
            .split_once('=')
            .ok_or_else(|| UsageError(format!("`{word}` is not KEY=VALUE")))?;
        words.push((key.trim(), value.trim()));
    }
    let recipe = new.recipe.replace('-', "_");
    let name = match &new.name {
        Some(name) => name.clone(),
        None => suggested_name(&recipe, &words),
    };
    // The first line is for editors, the second for whoever wonders about it.
    let mut text = format!(
        "# yaml-language-server: $schema=crossfade.schema.json\n# `crossfade schema > crossfade.schema.json` writes that file, and editors know the words.\nversion: 1\nname: {name}\nchange:\n  {recipe}:\n"
    );
    for (key, value) in words {
        let value = match value {
            "true" | "false" => value.to_owned(),
            // A JSON string is a YAML string, whatever is in it.
            text => serde_json::Value::from(text).to_string(),
        };
        let _ = writeln!(text, "    {key}: {value}");
    }
    text.push_str("# What takes time or people is yours to add, for example:\n# gates:\n#   switch_reads: {approvals: 1, bake: 48h}\n#   retire: {old_writes_quiet: 24h}\n#   contract: {approvals: 2, bake: 72h, verified_within: 1h}\n");
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
        value("from").or(value("column")),
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

//! `schema`: the plan language, as JSON Schema for editors or as a page for people.

use super::Context;
use crate::cli::{args::Schema, exit::Exit, printer::Text};
use crate::configuration;
use crossfade_plan::schema;

pub fn run(context: &Context<'_>, words: &Schema) -> anyhow::Result<Exit> {
    let value = if words.configuration {
        configuration::schema()
    } else {
        schema::schema()
    };
    if words.page {
        let page = schema::page(&value);
        let document = serde_json::json!({ "page": page });
        context
            .printer
            .result(&document, || Text::document(page.clone()))?;
    } else {
        // JSON, whatever the format: that is what it is.
        let text = serde_json::to_string_pretty(&value)?;
        context.printer.result(&value, || Text::document(text))?;
    }
    Ok(Exit::Done)
}

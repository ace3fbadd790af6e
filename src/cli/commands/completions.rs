//! `completions`: a script for a shell, made from the command line's own definition.

use super::Context;
use crate::cli::{
    args::{Arguments, Completions},
    exit::Exit,
    printer::Text,
};
use clap::CommandFactory;
use serde_json::json;

pub fn run(context: &Context<'_>, wanted: &Completions) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(
        wanted.shell,
        &mut Arguments::command(),
        "crossfade",
        &mut script,
    );
    let script = String::from_utf8(script)?;
    let document = json!({"shell": wanted.shell.to_string(), "script": script});
    context
        .printer
        .result(&document, || Text::document(script.clone()))?;
    Ok(Exit::Done)
}

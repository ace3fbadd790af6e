//! `man`: a page for each command, made from the command line's own definition.

use super::Context;
use crate::cli::{
    args::{Arguments, Man},
    exit::Exit,
};
use anyhow::Context as _;
use clap::CommandFactory;
use serde_json::json;

pub fn run(context: &Context<'_>, wanted: &Man) -> anyhow::Result<Exit> {
    let folder = &wanted.folder;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        .with_context(|| format!("cannot write man pages to {}", folder.display()))?;
    let document = json!({"folder": folder});
    context.printer.result(&document, || {
        format!("wrote the man pages to {}", folder.display())
    })?;
    Ok(Exit::Done)
}

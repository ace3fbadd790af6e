//! `start`: registers a run. Runs nothing.

use super::{Context, read_plan};
use crate::cli::{args::PlanFile, exit::Exit};
use crossfade_model::error::render;

pub async fn run(context: &Context<'_>, start: &PlanFile) -> anyhow::Result<Exit> {
    let (file, text) = read_plan(&start.plan)?;
    let service = context.service()?;
    let (run, warnings) = service.start(&file, &text).await?;
    if !warnings.is_empty() {
        context.printer.block(&render(&file, &text, &warnings));
    }
    let status = service.status(&run).await?;
    context.printer.result(&status, || {
        format!("started {run}: nothing has been run yet\nnext: crossfade advance {run}")
    })?;
    Ok(Exit::Done)
}

//! `report`: what a run did, as Markdown or JSON.

use super::Context;
use crate::cli::{args::ReportOf, exit::Exit, printer::Text};

pub async fn run(context: &Context<'_>, asked: &ReportOf) -> anyhow::Result<Exit> {
    let report = context.service()?.report(&asked.run).await?;
    context
        .printer
        .result(&report, || Text::from(report.in_markdown()))?;
    Ok(Exit::Done)
}

//! `expand`: the explicit form of a plan, which is itself a plan.

use super::{Context, read_plan};
use crate::cli::{args::PlanFile, exit::Exit, printer::Text};
use serde::Serialize as _;

pub async fn run(context: &Context<'_>, expand: &PlanFile) -> anyhow::Result<Exit> {
    let (file, text) = read_plan(&expand.plan)?;
    let document = context.service()?.expand(&file, &text).await?;
    let mut yaml = Vec::new();
    // Steps are single-key maps, not YAML tags.
    serde_yaml::with::singleton_map_recursive::serialize(
        &document,
        &mut serde_yaml::Serializer::new(&mut yaml),
    )?;
    let yaml = String::from_utf8(yaml)?;
    let value = document.serialize(serde_json::value::Serializer)?;
    context.printer.result(&value, || Text::document(yaml))?;
    Ok(Exit::Done)
}

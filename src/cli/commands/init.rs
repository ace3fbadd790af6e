//! `init`: installs or upgrades Crossfade's own tables.

use super::Context;
use crate::cli::exit::Exit;
use serde_json::json;

pub async fn run(context: &Context<'_>) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let (before, now) = service.init().await?;
    context
        .printer
        .result(&json!({"before": before, "version": now}), || {
            let database = service.describe();
            match before {
                None => format!("installed the schema crossfade, version {now}, in {database}"),
                Some(before) if before == now => {
                    format!("the schema crossfade in {database} is of version {now} already")
                }
                Some(before) => format!(
                    "upgraded the schema crossfade in {database} from version {before} to {now}"
                ),
            }
        })?;
    Ok(Exit::Done)
}

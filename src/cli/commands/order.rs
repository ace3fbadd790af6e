//! What a command says that has placed an order, with `--detach`.

use super::Context;
use crate::cli::exit::Exit;
use crossfade_coordinator::service::{Placed, Service, nobody_serves};

/// The result is the run's status, in which the order stands.
pub async fn placed(
    context: &Context<'_>,
    service: &Service,
    run: &str,
    placed: &Placed,
) -> anyhow::Result<Exit> {
    if let Some(warning) = nobody_serves(placed.server.as_ref()) {
        context.printer.message(format!("warning: {warning}"));
    }
    let status = service.status(run).await?;
    context.printer.result(&status, || {
        format!(
            "placed order {}; `crossfade status {run}` shows it, `crossfade cancel {run}` ends it",
            placed.id
        )
    })?;
    Ok(Exit::Done)
}

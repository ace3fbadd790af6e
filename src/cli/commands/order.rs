//! What a command says that has placed an order, with `--detach`.

use super::Context;
use crate::cli::exit::Exit;
use crossfade_coordinator::service::{Placed, ServerRecord, Service};

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

/// Why nothing happens with an order; `None`: a server is there.
pub fn nobody_serves(server: Option<&ServerRecord>) -> Option<String> {
    match server {
        Some(server) if server.is_alive => None,
        Some(server) => Some(format!(
            "no `crossfade serve` is connected to this database. The last one was seen at {:.0}: {}",
            server.last_seen, server.holder
        )),
        None => Some(
            "no `crossfade serve` has been connected to this database: start one, or the order stays open"
                .to_owned(),
        ),
    }
}

//! `cancel`: ends the open order of a run.

use super::Context;
use crate::cli::{args::Cancel, exit::Exit};

pub async fn run(context: &Context<'_>, cancel: &Cancel) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let cancelled = service.cancel(&cancel.run).await?;
    let status = service.status(&cancel.run).await?;
    context.printer.result(&status, || match &cancelled {
        Some(order) => format!("cancelled order {}: {}", order.id, order.in_words()),
        None => format!("no order of {} is open", cancel.run),
    })?;
    Ok(Exit::Done)
}

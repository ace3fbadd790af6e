//! `resume`: ends a pause and goes on with the phase that is under way.

use super::{Context, advance, order, pause};
use crate::cli::{args::Resume, exit::Exit, printer::one_line};
use anyhow::Context as _;
use crossfade_coordinator::service::{AtGate, Until};
use std::process::{Command, Stdio};

pub async fn run(context: &Context<'_>, resume: &Resume) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let Some(run) = &resume.run else {
        let runs = service.resume_all().await?;
        let is_served = service.is_served().await?;
        for one in runs
            .iter()
            .filter(|one| one.left.is_none() && one.under_way)
        {
            if is_served {
                service
                    .order_advance(&one.run, None, AtGate::Return)
                    .await?;
            } else {
                detach(context, &one.run)?;
            }
        }
        let next = "`crossfade status` shows where each stands";
        return pause::each(context, &runs, "resumed", "resumed", next);
    };
    let (resumed, under_way) = service.resume(run).await?;
    let said = if resumed {
        format!("resumed {run}")
    } else {
        format!("{run} was not paused")
    };
    context.printer.message(said);
    if under_way && resume.detach && service.is_served().await? {
        let placed = service.order_advance(run, None, AtGate::Return).await?;
        return order::placed(context, &service, run, &placed).await;
    }
    if !under_way || resume.detach {
        let mut driver = None;
        if under_way {
            driver = Some(detach(context, run)?);
        }
        let status = service.status(run).await?;
        let next = advance::what_next(&service, run).await?;
        context.printer.result(&status, || match driver {
            Some(pid) => {
                format!("pid {pid} goes on with it; `crossfade status {run} --watch` shows how")
            }
            None => one_line(&next),
        })?;
        return Ok(Exit::Done);
    }
    advance::go(context, &service, run, Until::OnePhase, AtGate::Return).await
}

/// A driver of its own, which outlives this terminal. What it does is in `status` and `history`.
fn detach(context: &Context<'_>, run: &str) -> anyhow::Result<u32> {
    use std::os::unix::process::CommandExt;
    let program = std::env::current_exe().context("this program's own file is not known")?;
    let mut command = Command::new(program);
    if let Some(url) = &context.arguments.database_url {
        // By the environment: a password in the arguments could be read by everybody on this machine.
        command.env("CROSSFADE_DATABASE_URL", url);
    }
    let child = command
        .args(["advance", run])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("the driver could not be started")?;
    Ok(child.id())
}

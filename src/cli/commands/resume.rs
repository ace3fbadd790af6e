//! `resume`: ends a pause and goes on with the phase that is under way.

use super::{Context, advance, order, pause};
use crate::cli::{args::Resume, exit::Exit, printer::one_line};
use anyhow::Context as _;
use crossfade_coordinator::service::{AtGate, Until};
use crossfade_decisions::keeper::Wish;
use std::process::{Command, Stdio};

pub async fn run(context: &Context<'_>, resume: &Resume) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let Some(run) = &resume.run else {
        let runs = service.resume_all().await?;
        let is_served = service.is_served().await?;
        for one in runs.iter().filter(|one| one.left.is_none()) {
            let Some(phase) = one.under_way else { continue };
            if !is_served {
                detach(context, &one.run)?;
            } else if service.served_order(&one.run).await?.is_none() {
                let wish = Wish::Advance {
                    to: phase,
                    at_gate: AtGate::Return,
                };
                service.order(&one.run, &wish).await?;
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
    if let Some(open) = service.served_order(run).await? {
        let status = service.status(run).await?;
        context.printer.result(&status, || {
            format!("order {} continues: {}", open.id, open.in_words())
        })?;
        return Ok(Exit::Done);
    }
    if let Some(to) = under_way
        && resume.detach
        && service.is_served().await?
    {
        let at_gate = AtGate::Return;
        let placed = service.order(run, &Wish::Advance { to, at_gate }).await?;
        return order::placed(context, &service, run, &placed).await;
    }
    if under_way.is_none() || resume.detach {
        let mut driver = None;
        if under_way.is_some() {
            driver = Some(detach(context, run)?);
        }
        let status = service.status(run).await?;
        let next = advance::what_next(&service, run).await?;
        context.printer.result(&status, || match driver {
            Some(pid) => {
                format!(
                    "pid {pid} continues it; `crossfade status {run} --watch` shows its progress"
                )
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

//! One file per command.

pub mod advance;
pub mod amend;
pub mod approve;
pub mod cancel;
pub mod check;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod expand;
pub mod explain;
pub mod freeze;
pub mod history;
pub mod init;
pub mod man;
pub mod new;
pub mod notify;
pub mod order;
pub mod pause;
pub mod quarantine;
pub mod reference;
pub mod report;
pub mod require;
pub mod resume;
pub mod rollback;
pub mod schema;
pub mod serve;
pub mod start;
pub mod status;
pub mod token;
pub mod tune;
pub mod unfreeze;
pub mod verify;
pub mod work;

use super::{
    args::Arguments,
    exit::UsageError,
    printer::{Printer, indented},
    reporter::Lines,
};
use anyhow::Context as _;
use crossfade_coordinator::notice::Reporter;
use crossfade_coordinator::service::Service;
use crossfade_postgres::connect;
use std::{path::Path, sync::Arc};
use tokio_util::sync::CancellationToken;

pub struct Context<'a> {
    pub arguments: &'a Arguments,
    pub printer: &'a Printer,
}

impl Context<'_> {
    pub fn service(&self) -> anyhow::Result<Service> {
        let environment = |name: &str| std::env::var(name).ok();
        let target = connect::resolve(self.arguments.database_url.as_deref(), &environment)
            .map_err(|error| UsageError(error.to_string()))?;
        Ok(Service::new(target))
    }

    /// What the engine tells of a run, on stderr.
    pub fn reporter(&self, run: &str) -> Arc<dyn Reporter> {
        Arc::new(Lines::new(run))
    }

    /// Cancelled by Ctrl-C or SIGTERM: the batch is finished or rolled back. A second Ctrl-C ends the process at once,
    /// which is as safe as any crash.
    pub fn stop(&self) -> anyhow::Result<CancellationToken> {
        use tokio::signal::unix::{SignalKind, signal};
        let token = CancellationToken::new();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let cancelled = token.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if cancelled.is_cancelled() {
                    std::process::exit(130);
                }
                cancelled.cancel();
            }
        });
        Ok(token)
    }

    /// `contract` and `rollback` ask for the run's name; where nobody can be asked they need `--yes`.
    pub fn confirm(&self, run: &str, what: &str, yes: bool) -> anyhow::Result<()> {
        if yes {
            return Ok(());
        }
        match self.printer.ask(&format!(
            "{}\nType the run's name to continue:",
            indented(what)
        )) {
            Some(answer) if answer == run => Ok(()),
            Some(_) => {
                Err(UsageError("that is not the run's name: nothing was done".to_owned()).into())
            }
            None => {
                Err(UsageError(format!("{what} There is no terminal to ask on: say --yes")).into())
            }
        }
    }
}

/// The plan's text and how to call it in messages. No more is read than a plan may have.
pub fn read_plan(path: &Path) -> anyhow::Result<(String, String)> {
    use std::io::Read;
    const BYTES_MAX: u64 = 64 << 20;
    let name = if path == Path::new("-") {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    };
    if path.is_dir() {
        anyhow::bail!(
            "{name} is a directory: name one plan in it. `crossfade check {name}` looks at all of them"
        );
    }
    let mut bytes = Vec::new();
    let most = BYTES_MAX + 1;
    if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    }
    .with_context(|| format!("{name} cannot be read"))?;
    if bytes.len() as u64 > BYTES_MAX {
        anyhow::bail!("{name} is longer than 64 MiB, which is the most that is read");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let line = 1 + bytes
                .iter()
                .take(valid)
                .filter(|byte| **byte == b'\n')
                .count();
            anyhow::bail!(
                "{name} is not UTF-8 text from line {line} on: convert it, for example with iconv -t UTF-8"
            )
        }
    }
}

//! Commands of the operator's: each is started for one message, and gets it as JSON on its standard input.

use crate::{Sending, Way, not_taken, payload::payload};
use crossfade_coordinator::service::Message;
use std::process::Stdio;
use tokio::{io::AsyncWriteExt as _, process};

/// A program and its arguments.
pub struct Command(pub Vec<String>);

/// What a command is not told: how to reach the database.
fn is_ours(variable: &str) -> bool {
    variable == "DATABASE_URL" || variable.starts_with("CROSSFADE_") || variable.starts_with("PG")
}

impl Way for Command {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async move {
            let Some((program, arguments)) = self.0.split_first() else {
                return Err(not_taken("no program is named".to_owned()));
            };
            let failed =
                |what: &str, error: std::io::Error| not_taken(format!("{what} {program}: {error}"));
            let mut command = process::Command::new(program);
            command
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // When it takes too long, this future is dropped.
                .kill_on_drop(true);
            for (variable, _) in std::env::vars_os() {
                if is_ours(&variable.to_string_lossy()) {
                    command.env_remove(variable);
                }
            }
            let mut child = command
                .spawn()
                .map_err(|error| failed("cannot start", error))?;
            if let Some(mut input) = child.stdin.take() {
                // One that does not read it may have no need of it.
                let _ = input
                    .write_all(payload(message).to_string().as_bytes())
                    .await;
            }
            let status = child
                .wait()
                .await
                .map_err(|error| failed("cannot wait for", error))?;
            match status.success() {
                true => Ok(()),
                false => Err(not_taken(format!("{program}: {status}"))),
            }
        })
    }
}

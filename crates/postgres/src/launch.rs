//! A PostgreSQL of our own, for the demo and the tests: found or fetched, made, started, stopped and removed.
//!
//! Blocking code: async callers use `spawn_blocking`. A server ends with the value that holds it. Should our process
//! end without dropping it (SIGKILL, or a server in a `static`), its watchdog stops it and removes its folder.

mod account;
mod binaries;
mod cluster;
mod error;
mod fetch;
mod folder;
mod pins;
mod process;
mod watchdog;

use std::fmt;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use nix::sys::signal::Signal;

use binaries::{Binaries, Search};
use cluster::StartFailure;
pub use error::LaunchError;
use folder::Folder;

/// The only address a server of ours listens on, when it listens by TCP at all.
const TCP_HOST: &str = "127.0.0.1";
/// Without TCP the port is only part of the socket's file name, and every server has a folder of its own.
const SOCKET_ONLY_PORT: u16 = 5432;
/// A free port may be taken by another process before PostgreSQL binds it: this many ports are tried.
const TCP_PORT_ATTEMPTS: u32 = 5;

const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const DROP_FAST_TIMEOUT: Duration = Duration::from_secs(5);
const DROP_IMMEDIATE_TIMEOUT: Duration = Duration::from_secs(5);
const DROP_KILL_TIMEOUT: Duration = Duration::from_secs(2);

/// What server to launch. The default is the newest PostgreSQL found, by Unix socket only.
#[derive(Debug, Clone, Default)]
pub struct LaunchOptions {
    /// The folder of `postgres` and `initdb`. Without it: `CROSSFADE_PG_BIN`, else what is found on this machine, else
    /// what npm can fetch.
    pub bin_dir: Option<PathBuf>,
    /// The major version wanted (14 or newer). Without it: the newest found.
    pub version: Option<u32>,
    /// Lines of `postgresql.conf` as name and value, written last, so that they win over ours. The names that say where
    /// the server listens and keeps its data are the launcher's own and are refused.
    pub settings: Vec<(String, String)>,
    /// How clients reach the server.
    pub listen: Listen,
    /// Where the server's folder is made. Without it: the system's temporary folder.
    pub parent: Option<PathBuf>,
}

/// How clients reach the server.
#[derive(Clone, Default)]
pub enum Listen {
    /// By a Unix socket in a folder of mode 0700, without password.
    #[default]
    Socket,
    /// By the Unix socket, and by 127.0.0.1 on a free port with SCRAM-SHA-256.
    Tcp {
        /// Of the user `postgres`: not empty, on one line.
        password: String,
    },
}

impl fmt::Debug for Listen {
    /// Leaves the password out: options end up in logs.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Socket => formatter.write_str("Socket"),
            Listen::Tcp { .. } => formatter.write_str("Tcp { password: … }"),
        }
    }
}

/// How a server is stopped before it is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Sessions are ended, their transactions rolled back, a checkpoint written (SIGINT).
    Fast,
    /// As in a crash: the next start recovers from the write-ahead log (SIGQUIT).
    Immediate,
}

impl StopMode {
    fn signal(self) -> Signal {
        match self {
            StopMode::Fast => Signal::SIGINT,
            StopMode::Immediate => Signal::SIGQUIT,
        }
    }
}

/// A running PostgreSQL in a folder of its own. Dropping it stops it and removes the folder.
#[derive(Debug)]
pub struct Server {
    binaries: Binaries,
    listen: Listen,
    port: u16,
    pid: i32,
    /// None once stopped: what is not there cannot be signalled, so a reused pid is never met.
    child: Option<Child>,
    /// None only after [`Server::keep`] or [`Server::stop`] took it.
    folder: Option<Folder>,
    socket_folder: PathBuf,
    data_directory: PathBuf,
    log_path: PathBuf,
}

impl Server {
    /// Finds or fetches PostgreSQL, makes a cluster and starts it. Returns once it accepts connections (about a second;
    /// at most 30 seconds after it was started).
    pub fn launch(options: &LaunchOptions) -> Result<Server, LaunchError> {
        cluster::check_settings(&options.settings)?;
        cluster::check_listen(&options.listen)?;
        let account = account::server_account()?;
        let binaries = binaries::find_or_fetch(&Search::of_this_machine(options), &account)?;
        let folder = Folder::create(options.parent.as_deref(), account)?;
        cluster::initialize(&folder, &binaries, &options.listen)?;

        let mut server = Server {
            port: SOCKET_ONLY_PORT,
            pid: 0,
            child: None,
            socket_folder: folder.path().to_owned(),
            data_directory: folder.data_directory(),
            log_path: folder.log_path(),
            folder: Some(folder),
            listen: options.listen.clone(),
            binaries,
        };
        let mut attempts_left = TCP_PORT_ATTEMPTS;
        loop {
            server.choose_port()?;
            server.write_configuration(&options.settings)?;
            attempts_left -= 1;
            match server.start() {
                Err(StartFailure::PortTaken(_)) if attempts_left > 0 => {}
                started => {
                    started.map_err(StartFailure::into_error)?;
                    return Ok(server);
                }
            }
        }
    }

    /// `postgresql://postgres@<socket folder>:<port>/<database>`, percent-encoded; read by tokio-postgres and by libpq.
    pub fn url(&self, database: &str) -> String {
        let host = percent_encoded(self.socket_folder.as_os_str().as_bytes());
        format!(
            "postgresql://postgres@{host}:{}/{}",
            self.port,
            percent_encoded(database.as_bytes())
        )
    }

    /// The URL by 127.0.0.1 with the password, where [`Listen::Tcp`] was asked for.
    pub fn tcp_url(&self, database: &str) -> Option<String> {
        let Listen::Tcp { password } = &self.listen else {
            return None;
        };
        let (password, database) = (
            percent_encoded(password.as_bytes()),
            percent_encoded(database.as_bytes()),
        );
        Some(format!(
            "postgresql://postgres:{password}@{TCP_HOST}:{}/{database}",
            self.port
        ))
    }

    /// The TCP port, which is also in the socket's file name. The same for the server's whole life.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The postmaster's process id. Changes with [`Server::restart`].
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Major and minor version, as in 16.14.
    pub fn version(&self) -> (u32, u32) {
        self.binaries.version
    }

    /// The path of a PostgreSQL program such as `psql` or `pg_dump`: beside this server's `postgres`, else (what npm
    /// fetches has the server alone) the newest one that this machine has, else the path where it is missing.
    pub fn program(&self, name: &str) -> PathBuf {
        self.binaries.program(name)
    }

    /// The cluster's data directory.
    pub fn data_directory(&self) -> &Path {
        &self.data_directory
    }

    /// What the server writes about itself; each line with its pid and its client's application name.
    pub fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// Stops the server (waiting up to 30 seconds) and starts it again with the same data, port and settings. A server
    /// that is down already, because a test killed it, is only started.
    pub fn restart(&mut self, mode: StopMode) -> Result<(), LaunchError> {
        self.stop_process(mode.signal(), STOP_TIMEOUT)?;
        self.start().map_err(StartFailure::into_error)
    }

    /// Stops the server (fast, waiting up to 30 seconds) and removes its folder.
    pub fn stop(mut self) -> Result<(), LaunchError> {
        self.stop_process(Signal::SIGINT, STOP_TIMEOUT)?;
        self.folder.take().map_or(Ok(()), Folder::remove)
    }

    /// Leaves the server running, also after our process ends, and its folder on disk, whose path is returned:
    /// `pg_ctl -D <folder>/data stop` ends it.
    pub fn keep(mut self) -> PathBuf {
        self.child = None;
        match self.folder.take() {
            Some(folder) => folder.keep(),
            None => self.socket_folder.clone(),
        }
    }

    fn choose_port(&mut self) -> Result<(), LaunchError> {
        if let Listen::Tcp { .. } = self.listen {
            let free_port =
                TcpListener::bind((TCP_HOST, 0)).and_then(|listener| listener.local_addr());
            self.port = free_port
                .map_err(|source| LaunchError::NoPort { source })?
                .port();
        }
        Ok(())
    }

    fn write_configuration(&self, settings: &[(String, String)]) -> Result<(), LaunchError> {
        match &self.folder {
            Some(folder) => cluster::write_configuration(folder, &self.listen, self.port, settings),
            None => Ok(()),
        }
    }

    fn start(&mut self) -> Result<(), StartFailure> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let child = cluster::start(folder, &self.binaries)?;
        // A pid that is not an i32 does not exist on the systems that PostgreSQL runs on.
        self.pid = i32::try_from(child.id()).unwrap_or(0);
        self.child = Some(child);
        Ok(())
    }

    /// Signals the postmaster, which ends its own children, and waits for it. Leaves `child` in place on failure, so
    /// that the drop that follows can be harsher.
    fn stop_process(&mut self, signal: Signal, timeout: Duration) -> Result<(), LaunchError> {
        if let Some(child) = self.child.as_mut() {
            process::stop(child, signal, timeout)?;
        }
        self.child = None;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Each step is harsher than the one before and runs only if that one failed. There is nobody to tell.
        let _ = self
            .stop_process(Signal::SIGINT, DROP_FAST_TIMEOUT)
            .or_else(|_| self.stop_process(Signal::SIGQUIT, DROP_IMMEDIATE_TIMEOUT))
            .or_else(|_| self.stop_process(Signal::SIGKILL, DROP_KILL_TIMEOUT));
    }
}

/// Everything but the unreserved characters of RFC 3986 as `%XX`.
fn percent_encoded(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests;

//! Two servers, one of which is the other's standby: the first is lost, the second promoted, and the first made again as its
//! standby. Ports stay, so that one URL names both.

use super::{Database, connect, tools};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Ends the server when the test binary ends, however that ends: the pipe on stdin closes.
const SCRIPT: &str =
    "\"$0\" -D \"$1\" & pid=$!; cat >/dev/null; kill -QUIT \"$pid\" 2>/dev/null; wait";
const ACCESS: &str = "local all all trust\nlocal replication all trust\n\
    host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n";
/// Some 30 s.
const LOOKS: u32 = 3_000;
const PAUSE: Duration = Duration::from_millis(10);

pub struct Pair {
    folder: tempfile::TempDir,
    owner: (u32, u32),
    postgres: PathBuf,
    basebackup: PathBuf,
    ports: [u16; 2],
    running: [Option<Child>; 2],
    primary: usize,
    database: String,
}

impl Pair {
    /// A copy of the server of this database, and a standby. `None` where there is no `pg_basebackup` for it.
    pub async fn of(database: &Database) -> Option<Self> {
        let server = database.server();
        let basebackup = server.program("pg_basebackup");
        if !tools::server_program(&basebackup) {
            return None;
        }
        let version = Command::new(&basebackup).arg("--version").output();
        let version = version.expect("pg_basebackup runs").stdout;
        let version = String::from_utf8_lossy(&version).into_owned();
        let major: Option<u32> = version
            .split_whitespace()
            .find_map(|word| word.split('.').next()?.parse().ok());
        if major < Some(server.version().0) {
            tools::skip(&format!("{} is older than the server", version.trim()));
            return None;
        }
        let data = fs::metadata(server.data_directory()).expect("the server's folder");
        let owner = (data.uid(), data.gid());
        let folder = tempfile::tempdir().expect("a folder");
        chown(folder.path(), Some(owner.0), Some(owner.1)).expect("the server's user's");
        let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let ports = listeners.map(|listener| listener.local_addr().expect("an address").port());
        let mut pair = Self {
            folder,
            owner,
            postgres: server.program("postgres"),
            basebackup,
            ports,
            running: [None, None],
            primary: 0,
            database: database.name.clone(),
        };
        pair.copy(0, &database.url);
        // A copy that is nobody's standby.
        let signal = pair.data(0).join("standby.signal");
        fs::remove_file(signal).expect("it was made as a standby");
        pair.start(0);
        pair.wait_until(0, "SELECT NOT pg_is_in_recovery()").await;
        pair.add_standby().await;
        Some(pair)
    }

    /// Both servers, of which the one that takes writes is meant.
    pub fn url(&self) -> String {
        format!(
            "postgresql://postgres@127.0.0.1:{},127.0.0.1:{}/{}?target_session_attrs=read-write",
            self.ports[0], self.ports[1], self.database
        )
    }

    /// What is committed from now on does not reach the standby.
    pub async fn fall_behind(&self) -> i32 {
        let client = connect(&self.url_of(self.primary)).await;
        let sql = "SELECT pid FROM pg_stat_replication WHERE application_name = 'walreceiver'";
        let row = client.query_one(sql, &[]).await.expect("a standby");
        let pid: i32 = row.get(0);
        kill(Pid::from_raw(pid), Signal::SIGSTOP).expect("it is stopped");
        pid
    }

    /// The primary is gone at once, and the standby takes its place.
    pub async fn fail_over(&mut self, behind: Option<i32>) {
        let lost = self.primary;
        let lock = self.data(lost).join("postmaster.pid");
        let text = fs::read_to_string(&lock).expect("it runs");
        let pid: i32 = text
            .lines()
            .next()
            .and_then(|line| line.parse().ok())
            .expect("a pid");
        kill(Pid::from_raw(pid), Signal::SIGQUIT).expect("the signal is sent");
        if let Some(pid) = behind {
            // What it had still to send is never sent.
            kill(Pid::from_raw(pid), Signal::SIGKILL).expect("the signal is sent");
        }
        if let Some(mut child) = self.running[lost].take() {
            drop(child.stdin.take());
            child.wait().expect("it ends");
        }
        self.primary = 1 - lost;
        let client = connect(&self.url_of(self.primary)).await;
        let promoted = client.query_one("SELECT pg_promote(true, 60)", &[]).await;
        assert!(promoted.expect("promoted").get::<_, bool>(0));
    }

    /// The lost server comes back as the standby of the one that took its place.
    pub async fn add_standby(&mut self) {
        let (primary, standby) = (self.primary, 1 - self.primary);
        let _ = fs::remove_dir_all(self.data(standby));
        let url = self.url_of(primary);
        self.copy(standby, &url);
        self.start(standby);
        self.wait_until(standby, "SELECT pg_is_in_recovery()").await;
        let streams = "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming')";
        self.wait_until(primary, streams).await;
    }

    fn data(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("data{number}"))
    }

    fn url_of(&self, number: usize) -> String {
        format!(
            "postgresql://postgres@127.0.0.1:{}/{}",
            self.ports[number], self.database
        )
    }

    fn as_owner(&self, program: &PathBuf) -> Command {
        let mut command = Command::new(program);
        if nix::unistd::Uid::effective().is_root() {
            command.uid(self.owner.0).gid(self.owner.1);
        }
        command.current_dir(self.folder.path());
        command
    }

    fn copy(&self, number: usize, from: &str) {
        let mut command = self.as_owner(&self.basebackup);
        command.args(["-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", from]);
        let ran = command.arg("-D").arg(self.data(number)).output();
        let ran = ran.expect("pg_basebackup runs");
        let complaint = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{complaint}");
        let write = |name: &str, text: &str| {
            let path = self.data(number).join(name);
            let before = match name.ends_with(".auto.conf") {
                true => fs::read_to_string(&path).expect("the settings"),
                false => String::new(),
            };
            fs::write(&path, before + text).expect("written");
            chown(&path, Some(self.owner.0), Some(self.owner.1)).expect("the server's user's");
        };
        write("pg_hba.conf", ACCESS);
        // Read last.
        let settings = format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nwal_retrieve_retry_interval = '100ms'\n",
            self.ports[number]
        );
        write("postgresql.auto.conf", &settings);
    }

    fn start(&mut self, number: usize) {
        let mut command = self.as_owner(&PathBuf::from("/bin/sh"));
        command.args(["-c", SCRIPT]).arg(&self.postgres);
        command.arg(self.data(number)).stdin(Stdio::piped());
        let log = self.folder.path().join(format!("log{number}"));
        let log = fs::OpenOptions::new().create(true).append(true).open(log);
        let log = log.expect("a log");
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        self.running[number] = Some(command.spawn().expect("the server starts"));
    }

    async fn wait_until(&self, number: usize, sql: &str) {
        let url = self.url_of(number);
        for _ in 0..LOOKS {
            if let Ok((client, connection)) =
                tokio_postgres::connect(&url, tokio_postgres::NoTls).await
            {
                tokio::spawn(connection);
                let row = client.query_one(sql, &[]).await;
                if row.is_ok_and(|row| row.get::<_, bool>(0)) {
                    return;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        let log = fs::read_to_string(self.folder.path().join(format!("log{number}")));
        panic!("never became true: {sql}: {}", log.unwrap_or_default());
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for child in self.running.iter_mut().flatten() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

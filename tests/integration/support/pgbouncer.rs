//! A PgBouncer in front of a server of the tests.

use super::{Database, tools};
use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Ends it when the test binary ends, however that ends: the pipe on stdin closes.
const SCRIPT: &str = "\"$0\" -q \"$1\" & pid=$!; cat >/dev/null; kill \"$pid\" 2>/dev/null; wait";

pub struct PgBouncer {
    port: u16,
    child: Child,
    folder: tempfile::TempDir,
}

impl PgBouncer {
    /// In this pool mode, with further lines of its configuration. `None` where this machine has no PgBouncer.
    pub fn before(database: &Database, mode: &str, further: &str) -> Option<Self> {
        let program = tools::program("pgbouncer")?;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let folder = tempfile::tempdir().expect("a folder");
        let data = database.server().data_directory();
        let owner = fs::metadata(data).expect("the server's folder");
        chown(folder.path(), Some(owner.uid()), Some(owner.gid())).expect("the server's user's");
        let file = folder.path().join("pgbouncer.ini");
        let users = folder.path().join("users.txt");
        fs::write(&users, "\"postgres\" \"\"\n\"pooled\" \"\"\n").expect("written");
        fs::write(&file, configuration(database, &users, port, mode, further)).expect("written");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT]).arg(program).arg(&file);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let child = command.stderr(log).spawn().expect("PgBouncer starts");
        let pooler = Self {
            port,
            child,
            folder,
        };
        pooler.wait_until_ready();
        Some(pooler)
    }

    /// The database through the pooler, for this role.
    pub fn url(&self, role: &str, database: &Database) -> String {
        format!(
            "postgresql://{role}@127.0.0.1:{}/{}",
            self.port, database.name
        )
    }

    fn wait_until_ready(&self) {
        for _ in 0..1_000 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = fs::read_to_string(self.folder.path().join("log"));
        panic!("PgBouncer never listened: {log:?}");
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.child.stdin.take() {
            let _ = pipe.flush();
        }
        let _ = self.child.wait();
    }
}

/// Few connections to the server, so that sessions of clients share them.
fn configuration(
    database: &Database,
    users: &Path,
    port: u16,
    mode: &str,
    further: &str,
) -> String {
    let server = database.server();
    let data = server.data_directory();
    let socket = data.parent().expect("a folder").display().to_string();
    let owner = fs::metadata(data).expect("the server's folder").uid();
    // As root it is to become another; otherwise the server's user is this one.
    let user = match nix::unistd::User::from_uid(owner.into()) {
        Ok(Some(user)) if nix::unistd::Uid::effective().is_root() => {
            format!("user = {}\n", user.name)
        }
        _ => String::new(),
    };
    format!(
        "[databases]\n{name} = host={socket} port={server_port} dbname={name}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n\
         auth_file = {users}\npool_mode = {mode}\ndefault_pool_size = 8\nmax_client_conn = 100\n{user}{further}",
        name = database.name,
        server_port = server.port(),
        users = users.display(),
    )
}

//! A PostgreSQL for this test binary, a private database for each test, and the program as its users run it.

pub mod application;
pub mod browser;
pub mod cases;
pub mod certificates;
pub mod faults_table;
pub mod ledger;
pub mod openapi;
pub mod page;
pub mod pgbouncer;
pub mod standby;
pub mod team;
pub mod tools;
pub mod walk;

use crossfade_postgres::launch::{LaunchOptions, Server};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_postgres::{Client, NoTls, error::SqlState};

/// Of the sessions that the tests have by the ten thousand nearly every one runs our functions: the server loads what
/// runs them once, and not each session again.
const PRELOADED: (&str, &str) = ("shared_preload_libraries", "plpgsql");

/// The servers of this binary: the newest PostgreSQL found, or those that `CROSSFADE_TEST_PG=14,16` names.
fn servers() -> &'static [Server] {
    static SERVERS: OnceLock<Vec<Server>> = OnceLock::new();
    SERVERS.get_or_init(|| {
        // Tests cut connections by the hundred.
        launch(&[("max_connections", "200"), PRELOADED])
    })
}

fn launch(settings: &[(&str, &str)]) -> Vec<Server> {
    let wanted = std::env::var("CROSSFADE_TEST_PG").unwrap_or_default();
    let versions: Vec<Option<u32>> = match wanted.trim() {
        "" => vec![None],
        list => list
            .split(',')
            .map(|version| Some(version.trim().parse().expect("a major version")))
            .collect(),
    };
    let settings: Vec<(String, String)> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    versions
        .into_iter()
        .map(|version| {
            Server::launch(&LaunchOptions {
                version,
                settings: settings.clone(),
                parent: in_memory(),
                ..LaunchOptions::default()
            })
            .expect("a PostgreSQL for the tests")
        })
        .collect()
}

/// Where servers have their folders: in memory, if there is room. Databases come and go by the hundred, and ext4 goes
/// through all that it has just freed for each new file.
pub fn in_memory() -> Option<PathBuf> {
    const ENOUGH_KIB: u64 = 4 * 1024 * 1024;
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let look = || {
        let folder = Path::new("/dev/shm");
        let output = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let free = text.lines().nth(1)?.split_whitespace().nth(3)?;
        let enough = free.parse::<u64>().is_ok_and(|free| free >= ENOUGH_KIB);
        enough.then(|| folder.to_owned())
    };
    FOLDER.get_or_init(look).clone()
}

/// Runs a test in a private database of every server, with Crossfade's tables, as `crossfade init` makes them.
pub fn on_postgresql<F>(test: F)
where
    F: AsyncFn(&Database),
{
    for server in servers() {
        on(server, Contents::OwnTables, &test);
    }
}

/// The same in a database that nobody has prepared, for what concerns `init`, or another role that runs it.
pub fn on_empty_postgresql<F>(test: F)
where
    F: AsyncFn(&Database),
{
    for server in servers() {
        on(server, Contents::Nothing, &test);
    }
}

/// The same in a database with the tables of `plans/` and Crossfade's own.
pub fn on_tables_of_plans<F>(test: F)
where
    F: AsyncFn(&Database),
{
    for server in servers() {
        on(server, Contents::TablesOfPlans, &test);
    }
}

/// The same on servers of its own, in an empty database, for what concerns a whole server. They end with the test binary.
pub fn on_own_postgresql<F>(settings: &[(&str, &str)], test: F)
where
    F: AsyncFn(&Database),
{
    for server in launch(settings).leak() {
        on(server, Contents::Nothing, &test);
    }
}

/// Runs a test in a private database of a server that counts statements (`pg_stat_statements`).
pub fn on_postgresql_with_statistics<F>(test: F)
where
    F: AsyncFn(&Database),
{
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        Server::launch(&LaunchOptions {
            settings: vec![(
                PRELOADED.0.into(),
                format!("{}, pg_stat_statements", PRELOADED.1),
            )],
            parent: in_memory(),
            ..LaunchOptions::default()
        })
        .expect("a PostgreSQL that has pg_stat_statements")
    });
    on(server, Contents::OwnTables, &test);
}

/// What a private database has in it at the start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Contents {
    Nothing,
    OwnTables,
    /// Crossfade's own too.
    TablesOfPlans,
}

fn on<F>(server: &'static Server, contents: Contents, test: &F)
where
    F: AsyncFn(&Database),
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let database = Database::with(server, contents).await;
        test(&database).await;
        database.remove().await;
    });
}

pub struct Database {
    server: &'static Server,
    pub name: String,
    pub url: String,
}

/// Columns, indexes, constraints, triggers, policies and functions, but Crossfade's own. Not in it: NOT NULL constraints
/// as such (PostgreSQL 18 names them; the column's line says it), and the order of columns.
const DESCRIBE: &str = "
    WITH t AS (SELECT c.oid, c.oid::regclass::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname NOT IN ('crossfade', 'pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm'))
    SELECT concat_ws(' ', 'column', t.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
               a.attidentity, a.attgenerated, nullif(a.attstattarget::text, '-1'), a.attoptions::text, a.attacl::text, col_description(t.oid, a.attnum))
        FROM t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum
    UNION ALL SELECT pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid FROM t JOIN pg_index AS i ON i.indrelid = t.oid
    UNION ALL SELECT concat_ws(' ', 'constraint', t.name, k.conname, pg_get_constraintdef(k.oid))
        FROM t JOIN pg_constraint AS k ON k.conrelid = t.oid AND k.contype <> 'n'
    UNION ALL SELECT concat_ws(' ', 'replica identity', t.name, c.relreplident, (SELECT i.indexrelid::regclass FROM pg_index AS i
        WHERE i.indrelid = t.oid AND i.indisreplident)) FROM t JOIN pg_class AS c ON c.oid = t.oid AND c.relkind IN ('r', 'p')
    UNION ALL SELECT concat_ws(' ', 'enum', e.enumtypid::regtype, string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder))
        FROM pg_enum AS e GROUP BY e.enumtypid
    UNION ALL SELECT pg_get_triggerdef(g.oid) FROM t JOIN pg_trigger AS g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    UNION ALL SELECT concat_ws(' ', 'policy', t.name, p.polname, pg_get_expr(p.polqual, t.oid)) FROM t JOIN pg_policy AS p ON p.polrelid = t.oid
    UNION ALL SELECT concat_ws(' ', 'view', t.name, pg_get_viewdef(t.oid)) FROM t JOIN pg_class AS c ON c.oid = t.oid AND c.relkind IN ('v', 'm')
    UNION ALL SELECT 'function ' || p.oid::regprocedure || p.prosrc FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname NOT IN ('crossfade', 'pg_catalog', 'information_schema')
    UNION ALL SELECT concat_ws(' ', 'sequence', s.oid::regclass, (SELECT pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
        FROM pg_depend AS d WHERE d.objid = s.oid AND d.deptype IN ('a', 'i'))) FROM pg_class AS s
        JOIN pg_namespace AS n ON n.oid = s.relnamespace WHERE s.relkind = 'S' AND n.nspname <> 'crossfade'
    ORDER BY 1";

/// What a dump tells besides. Of another run of the same statements all of this is the same too, the order of columns among it.
const FURTHER: &str = "
    WITH t AS (SELECT c.*, c.oid::regclass::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname NOT IN ('crossfade', 'pg_catalog', 'information_schema', 'pg_toast'))
    SELECT concat_ws(' ', 'relation', t.name, t.relkind, t.relowner::regrole, t.relacl::text, t.reloptions::text, t.relpersistence,
               t.relrowsecurity, t.relforcerowsecurity, t.relispartition, pg_get_expr(t.relpartbound, t.oid),
               (SELECT spcname FROM pg_tablespace WHERE oid = t.reltablespace), (SELECT amname FROM pg_am WHERE oid = t.relam),
               obj_description(t.oid, 'pg_class'), CASE WHEN t.relkind = 'p' THEN pg_get_partkeydef(t.oid) END) FROM t
    UNION ALL SELECT concat_ws(' ', 'order', t.name, (SELECT string_agg(concat_ws('/', a.attname, a.attstorage, nullif(a.attcompression, ''),
               a.attislocal, a.attinhcount, a.attcollation::regcollation), ' ' ORDER BY a.attnum)
               FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped)) FROM t
    UNION ALL SELECT concat_ws(' ', 'inherits', t.name, i.inhparent::regclass, i.inhseqno) FROM t JOIN pg_inherits AS i ON i.inhrelid = t.oid
    UNION ALL SELECT concat_ws(' ', 'index', t.name, i.indisprimary, i.indisclustered, i.indisreplident,
               (SELECT string_agg(a.attstattarget::text, ' ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid = t.oid))
               FROM t JOIN pg_index AS i ON i.indexrelid = t.oid
    UNION ALL SELECT concat_ws(' ', 'constraint', t.name, k.conname, k.convalidated, k.condeferrable, k.condeferred, k.conislocal,
               k.connoinherit, obj_description(k.oid, 'pg_constraint')) FROM t JOIN pg_constraint AS k ON k.conrelid = t.oid
    UNION ALL SELECT concat_ws(' ', 'trigger', t.name, g.tgname, g.tgenabled, obj_description(g.oid, 'pg_trigger'))
               FROM t JOIN pg_trigger AS g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    UNION ALL SELECT concat_ws(' ', 'policy', t.name, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
               pg_get_expr(p.polwithcheck, t.oid)) FROM t JOIN pg_policy AS p ON p.polrelid = t.oid
    UNION ALL SELECT concat_ws(' ', 'rule', t.name, r.ev_enabled, pg_get_ruledef(r.oid)) FROM t JOIN pg_rewrite AS r ON r.ev_class = t.oid
    UNION ALL SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(s.oid), s.stxstattarget) FROM t JOIN pg_statistic_ext AS s ON s.stxrelid = t.oid
    UNION ALL SELECT concat_ws(' ', 'sequence', t.name, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
               s.seqcycle) FROM t JOIN pg_sequence AS s ON s.seqrelid = t.oid
    UNION ALL SELECT concat_ws(' ', 'function', p.oid::regprocedure, p.prokind, p.proowner::regrole, p.proacl::text,
               obj_description(p.oid, 'pg_proc'), CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END)
               FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname NOT IN ('crossfade', 'pg_catalog', 'information_schema')
    UNION ALL SELECT concat_ws(' ', 'type', y.oid::regtype, y.typtype, y.typowner::regrole, y.typacl::text, y.typdefault, y.typnotnull,
               format_type(nullif(y.typbasetype, 0), y.typtypmod), obj_description(y.oid, 'pg_type'))
               FROM pg_type AS y JOIN pg_namespace AS n ON n.oid = y.typnamespace
               WHERE n.nspname NOT IN ('crossfade', 'pg_catalog', 'information_schema', 'pg_toast')
    UNION ALL SELECT concat_ws(' ', 'schema', n.nspname, n.nspowner::regrole, n.nspacl::text, obj_description(n.oid, 'pg_namespace'))
               FROM pg_namespace AS n WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('crossfade', 'information_schema')
    UNION ALL SELECT concat_ws(' ', 'extension', extname, extversion) FROM pg_extension
    UNION ALL SELECT concat_ws(' ', 'event trigger', evtname, evtevent, evtenabled, evtfoid::regproc, evttags::text) FROM pg_event_trigger
    UNION ALL SELECT concat_ws(' ', 'publication', p.pubname, p.puballtables, r.prrelid::regclass)
               FROM pg_publication AS p LEFT JOIN pg_publication_rel AS r ON r.prpubid = p.oid
    ORDER BY 1";

/// A session of the test's that describes a database again and again: for states on the way, where a dump each time would
/// cost as much as the step before it. The server plans the queries once.
pub struct Onlooker {
    pub client: Client,
    queries: [tokio_postgres::Statement; 2],
}

impl Onlooker {
    pub async fn of(database: &Database) -> Self {
        let client = database.client().await;
        let prepared = async |sql| client.prepare(sql).await.expect(sql);
        let queries = [prepared(DESCRIBE).await, prepared(FURTHER).await];
        Self { client, queries }
    }

    /// The application's schema, a line for each thing.
    pub async fn schema(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for query in &self.queries {
            let rows = self.client.query(query, &[]).await.expect("the catalog");
            lines.extend(rows.iter().map(|row| row.get::<_, String>(0)));
        }
        lines
    }
}

/// What the program did: its exit code, and what it wrote.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The one JSON document on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// Ended with this exit code, or the test fails with what was said.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "\nstdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }
}

impl Database {
    async fn create(server: &'static Server) -> Self {
        let database = Self::named(server);
        database.fill_from("template1").await;
        database
    }

    /// A copy of one with these contents that is made once for each server: `init` costs ten times what a copy does.
    async fn with(server: &'static Server, contents: Contents) -> Self {
        static MADE: tokio::sync::Mutex<BTreeMap<(String, Contents), String>> =
            tokio::sync::Mutex::const_new(BTreeMap::new());
        if contents == Contents::Nothing {
            return Self::create(server).await;
        }
        let mut made = MADE.lock().await;
        let key = (server.url(""), contents);
        if !made.contains_key(&key) {
            let database = Self::create(server).await;
            database.crossfade(&["init"]).exits(0);
            if contents == Contents::TablesOfPlans {
                walk::tables(&database).await;
            }
            made.insert(key.clone(), database.name);
        }
        let template = made[&key].clone();
        drop(made);
        let copy = Self::named(server);
        copy.fill_from(&template).await;
        copy
    }

    fn named(server: &'static Server) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        Self {
            server,
            url: server.url(&name),
            name,
        }
    }

    /// Another database on the same server, empty.
    pub async fn other(&self) -> Self {
        Self::create(self.server).await
    }

    /// Another database with the same contents. Waits until nobody is connected to this one.
    pub async fn copy(&self) -> Self {
        let copy = Self::named(self.server);
        copy.fill_from(&self.name).await;
        copy
    }

    /// File by file, where the server knows of another way too: block by block through its buffers and its log costs it
    /// twice the time.
    async fn fill_from(&self, template: &str) {
        let strategy = match self.server.version().0 {
            15.. => " STRATEGY FILE_COPY",
            _ => "",
        };
        let create = format!(
            "CREATE DATABASE {} TEMPLATE {template}{strategy}",
            self.name
        );
        let admin = connect(&self.server.url("postgres")).await;
        for _ in 0..3_000 {
            match admin.batch_execute(&create).await {
                Ok(()) => return,
                // Sessions that were closed a moment ago are still on their way out.
                Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error:?}: {create}"),
            }
        }
        panic!("{template} is in use all the time");
    }

    pub async fn remove(self) {
        let admin = connect(&self.server.url("postgres")).await;
        admin
            .batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await
            .expect("the database goes");
    }

    pub fn server(&self) -> &'static Server {
        self.server
    }

    /// A connection of the application's.
    pub async fn client(&self) -> Client {
        connect(&self.url).await
    }

    pub async fn execute(&self, sql: &str) {
        let client = self.client().await;
        client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    }

    /// The first column of the only row, as text; "NULL" for NULL.
    pub async fn value(&self, sql: &str) -> String {
        let client = self.client().await;
        let row = client
            .query_one(&format!("SELECT (SELECT q.* FROM ({sql}) AS q)::text"), &[])
            .await
            .unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        row.get::<_, Option<String>>(0)
            .unwrap_or_else(|| "NULL".to_owned())
    }

    /// The program with these arguments, on this database.
    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.url, arguments)
    }

    /// Runs the program to its end.
    pub fn crossfade(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().expect("the program runs"))
    }

    /// As `crossfade`, with environment variables (failpoints).
    pub fn crossfade_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        Ran::of(command.output().expect("the program runs"))
    }

    /// Starts the program in the background.
    pub fn spawn(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Background {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        Background::start(command)
    }

    /// The run's status.
    pub fn status(&self, run: &str) -> serde_json::Value {
        self.crossfade(&["status", run, "--format", "json"])
            .exits(0)
            .json()
    }

    /// The application's schema, as pg_dump writes it, without Crossfade's own.
    pub fn dump_schema(&self) -> String {
        let output = Command::new(self.server.program("pg_dump"))
            .args(["--schema-only", "-N", "crossfade", "-d", &self.url])
            .output()
            .expect("pg_dump runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        if complaint.contains("server version mismatch") {
            return self.describe_schema();
        }
        assert!(output.status.success(), "{complaint}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // A random word against injection through the dump, another each time.
        text.lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .map(|line| format!("{line}\n"))
            .collect()
    }

    /// For a server that is newer than the pg_dump of this machine: the same from the catalog, a line for each thing.
    fn describe_schema(&self) -> String {
        let output = Command::new(self.server.program("psql"))
            .args(["-XAtq", "-d", &self.url, "-c", DESCRIBE])
            .output()
            .expect("psql runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until the query gives `true`, looking often, for a bounded time.
    pub async fn wait_until(&self, sql: &str) {
        let client = self.client().await;
        for _ in 0..3_000 {
            let row = client.query_one(sql, &[]).await;
            if row.is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never became true: {sql}");
    }
}

/// A program in the background; killed when the test ends.
pub struct Background(Option<Child>);

impl Background {
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().expect("the program starts")))
    }

    pub fn pid(&self) -> i32 {
        self.0.as_ref().map_or(0, |child| child.id().cast_signed())
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid()), signal)
            .expect("the signal is sent");
    }

    pub fn has_ended(&mut self) -> bool {
        let ended = self.0.as_mut().map(Child::try_wait);
        !matches!(ended, Some(Ok(None)))
    }

    /// Until SIGSTOP has stopped it, for a bounded time.
    pub fn wait_until_stopped(&self) {
        use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
        let pid = nix::unistd::Pid::from_raw(self.pid());
        let look = WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG;
        for _ in 0..3_000 {
            match waitpid(pid, Some(look)).expect("a child") {
                WaitStatus::Stopped(..) => return,
                WaitStatus::StillAlive => std::thread::sleep(Duration::from_millis(10)),
                other => panic!("the program ended before its failpoint: {other:?}"),
            }
        }
        panic!("the program never came to its failpoint");
    }

    pub fn wait(mut self) -> Ran {
        let child = self.0.take().expect("waited for once");
        Ran::of(child.wait_with_output().expect("the program ends"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program with these arguments, on the database with this URL.
pub fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crossfade"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("PG") || name.starts_with("CROSSFADE_") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env("CROSSFADE_DATABASE_URL", url)
        .stdin(Stdio::null());
    command
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("a connection");
    tokio::spawn(connection);
    client
}

/// The pause of a client that goes on beside the program, after what it began then. Where the machine is busy, the program
/// needs most of it: clients that never rest only make each phase longer. A wait for a lock puts nobody to sleep for long.
pub async fn rest(began: Instant, pause: Duration) {
    tokio::time::sleep((2 * began.elapsed()).clamp(pause, 10 * pause)).await;
}

/// A plan of `plans/`.
pub fn plan(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("plans")
        .join(name)
}

/// A plan with this text, in a file that lives as long as the value.
pub fn plan_file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new()
        .suffix(".yaml")
        .tempfile()
        .expect("a temporary file");
    std::fs::write(file.path(), text).expect("the plan is written");
    file
}

//! A link to a server that a test can make slow, stop, cut and swallow: a TCP proxy in this process.

use crate::support::Database;
use std::{
    net::SocketAddr,
    os::fd::AsFd,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::{mpsc, watch},
    time::Instant,
};

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToClient,
}

/// What becomes of the bytes of one way, on connections that there are and on new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Pass,
    /// Kept until they may pass again: a link that stalls.
    Hold,
    /// Read, acknowledged and thrown away: a peer that is gone behind something that answers for it.
    Swallow,
}

/// Where the connections go on to.
#[derive(Clone, Debug)]
pub enum Server {
    Socket(PathBuf),
    Address(SocketAddr),
}

/// What becomes of the link once a client sends these bytes, they included.
struct Trap {
    bytes: Vec<u8>,
    change: Box<dyn FnOnce(&mut State) + Send>,
}

#[derive(Clone, Copy)]
struct State {
    delay: [Duration; 2],
    flow: [Flow; 2],
    /// Connections that are older are cut.
    generation: u64,
    /// Connections that are older are forgotten: nothing passes on them any more.
    era: u64,
    /// New connections are closed at once.
    refuses: bool,
}

struct Shared {
    state: watch::Sender<State>,
    trap: Mutex<Option<Trap>>,
    /// What clients sent, in messages as they were read: for whoever counts the ways to and fro.
    sent: Mutex<Vec<Vec<u8>>>,
}

impl State {
    fn flow_of(&self, way: Way, era: u64) -> Flow {
        match era < self.era {
            true => Flow::Swallow,
            false => self.flow[way.index()],
        }
    }
}

/// Listens on a port of 127.0.0.1 until it is dropped, in a runtime of its own, so that a test may block.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Way {
    fn index(self) -> usize {
        match self {
            Self::ToServer => 0,
            Self::ToClient => 1,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// To the server of this database.
    pub fn before(database: &Database) -> Self {
        let server = database.server();
        let folder = server
            .url("postgres")
            .split_once('@')
            .and_then(|(_, rest)| rest.split_once(':'))
            .map(|(host, _)| host.replace("%2F", "/").replace("%2f", "/"))
            .expect("the folder of the server's socket");
        let socket = PathBuf::from(folder).join(format!(".s.PGSQL.{}", server.port()));
        Self::to(Server::Socket(socket))
    }

    pub fn to(server: Server) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("not blocking");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            state: watch::Sender::new(State {
                delay: [Duration::ZERO; 2],
                flow: [Flow::Pass; 2],
                generation: 0,
                era: 0,
                refuses: false,
            }),
            trap: Mutex::new(None),
            sent: Mutex::new(Vec::new()),
        });
        runtime.spawn(listen(listener, server, shared.clone()));
        Self {
            address,
            shared,
            runtime: Some(runtime),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a database by way of this proxy, for `postgres` and without TLS.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgresql://postgres@{}/{database}?sslmode=disable",
            self.address
        )
    }

    /// Each byte arrives that much later.
    pub fn delay(&self, way: Way, delay: Duration) {
        self.set(|state| state.delay[way.index()] = delay);
    }

    /// There and back: half of it each way.
    pub fn round_trip(&self, delay: Duration) {
        self.set(|state| state.delay = [delay / 2; 2]);
    }

    pub fn flow(&self, way: Way, flow: Flow) {
        self.set(|state| state.flow[way.index()] = flow);
    }

    /// Both ways alike.
    pub fn flows(&self, flow: Flow) {
        self.set(|state| state.flow = [flow; 2]);
    }

    /// As soon as a client has sent `bytes` (SQL, say), which need to come in one piece: what becomes of them and of all that
    /// follows. Once.
    pub fn when_sent(&self, bytes: &str, to_server: Flow, to_client: Flow) {
        self.trap(bytes, move |state| state.flow = [to_server, to_client]);
    }

    /// As `when_sent`, with a link that is slow from then on.
    pub fn slow_when_sent(&self, bytes: &str, round_trip: Duration) {
        self.trap(bytes, move |state| state.delay = [round_trip / 2; 2]);
    }

    /// As `when_sent`: every connection is forgotten then, as by a balancer that was restarted behind an address that stays. What
    /// comes on them is acknowledged and thrown away. New connections are as good as before.
    pub fn forget_when_sent(&self, bytes: &str) {
        self.trap(bytes, |state| state.era += 1);
    }

    fn trap(&self, bytes: &str, change: impl FnOnce(&mut State) + Send + 'static) {
        *locked(&self.shared.trap) = Some(Trap {
            bytes: bytes.as_bytes().to_vec(),
            change: Box::new(change),
        });
    }

    /// Whether `when_sent` has come to pass, or was never asked for.
    pub fn is_sprung(&self) -> bool {
        locked(&self.shared.trap).is_none()
    }

    /// Until `when_sent` has come to pass, for a bounded time.
    pub async fn until_sprung(&self) {
        for _ in 0..3_000 {
            if self.is_sprung() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("those bytes were never sent");
    }

    /// Cuts every connection with a reset.
    pub fn reset(&self) {
        self.set(|state| state.generation += 1);
    }

    /// Whether new connections are closed at once.
    pub fn refuse(&self, refuses: bool) {
        self.set(|state| state.refuses = refuses);
    }

    /// What clients have sent so far, piece by piece, as text; and forgets it.
    pub fn take_sent(&self) -> Vec<String> {
        let sent = std::mem::take(&mut *locked(&self.shared.sent));
        sent.iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        self.shared.state.send_modify(change);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn listen(listener: std::net::TcpListener, server: Server, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((client, _)) = listener.accept().await {
        if shared.state.borrow().refuses {
            continue;
        }
        tokio::spawn(serve(client, server.clone(), shared.clone()));
    }
}

async fn serve(client: TcpStream, server: Server, shared: Arc<Shared>) {
    let mut state = shared.state.subscribe();
    let State {
        generation, era, ..
    } = *state.borrow();
    let _ = client.set_nodelay(true);
    let Ok(again) = client.as_fd().try_clone_to_owned() else {
        return;
    };
    let carried = async {
        match server {
            Server::Socket(path) => {
                let server = UnixStream::connect(path).await?;
                carry(client, server, &shared, era).await;
            }
            Server::Address(address) => {
                let server = TcpStream::connect(address).await?;
                server.set_nodelay(true)?;
                carry(client, server, &shared, era).await;
            }
        }
        Ok::<(), std::io::Error>(())
    };
    tokio::select! {
        _ = carried => {}
        _ = state.wait_for(|state| state.generation > generation) => {
            // With this it is closed by a reset, once `carried` is dropped.
            if let Ok(again) = TcpStream::from_std(again.into()) {
                let _ = again.set_zero_linger();
            }
        }
    }
}

/// Until one side has closed.
async fn carry<C, S>(client: C, server: S, shared: &Arc<Shared>, era: u64)
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    tokio::select! {
        () = one_way(from_client, to_server, shared, (Way::ToServer, era)) => {}
        () = one_way(from_server, to_client, shared, (Way::ToClient, era)) => {}
    }
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
    (way, era): (Way, u64),
) {
    // What is on its way: the sum of what a slow link holds, and no more than a client sends in a while.
    let (queue, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(4_096);
    let reading = async {
        let mut buffer = vec![0; 65_536];
        while let Ok(size @ 1..) = from.read(&mut buffer).await {
            let bytes = buffer[..size].to_vec();
            if way == Way::ToServer {
                spring(shared, &bytes);
                locked(&shared.sent).push(bytes.clone());
            }
            let state = *shared.state.borrow();
            // Decided here, too: a test may let bytes pass again before these have come out of the queue.
            if state.flow_of(way, era) == Flow::Swallow {
                continue;
            }
            let delay = state.delay[way.index()];
            if queue.send((Instant::now() + delay, bytes)).await.is_err() {
                break;
            }
        }
        drop(queue);
    };
    let writing = async move {
        let mut state = shared.state.subscribe();
        while let Some((at, bytes)) = due.recv().await {
            tokio::time::sleep_until(at).await;
            let open = |state: &State| state.flow_of(way, era) != Flow::Hold;
            let Ok(flow) = state
                .wait_for(open)
                .await
                .map(|state| state.flow_of(way, era))
            else {
                return;
            };
            if flow == Flow::Swallow {
                continue;
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // A goodbye is swallowed and held as bytes are.
        let open = |state: &State| state.flow[way.index()] == Flow::Pass;
        let _ = state.wait_for(open).await;
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

fn spring(shared: &Shared, bytes: &[u8]) {
    let mut trap = locked(&shared.trap);
    let sprung = trap.take_if(|trap| {
        bytes
            .windows(trap.bytes.len().max(1))
            .any(|window| window == trap.bytes)
    });
    if let Some(trap) = sprung {
        shared.state.send_modify(trap.change);
    }
}

#[test]
fn the_proxy_delays_holds_swallows_and_cuts() {
    crate::support::on_postgresql(async |database| {
        let near = Proxy::before(database);
        let proxy = Proxy::to(Server::Address(near.address()));
        let client = crate::support::connect(&proxy.url(&database.name)).await;
        let ask = async || client.simple_query("SELECT 1").await;
        near.delay(Way::ToClient, Duration::from_millis(20));
        proxy.round_trip(Duration::from_millis(40));
        let began = Instant::now();
        ask().await.expect("it answers");
        assert!(began.elapsed() >= Duration::from_millis(60));
        assert!(proxy.take_sent().concat().contains("SELECT 1"));
        // Held: nothing for a while, and everything afterwards.
        proxy.when_sent("SELECT 1", Flow::Pass, Flow::Hold);
        let held = tokio::time::timeout(Duration::from_millis(200), ask()).await;
        assert!(held.is_err());
        proxy.until_sprung().await;
        proxy.flows(Flow::Pass);
        ask().await.expect("it answers again");
        proxy.flow(Way::ToServer, Flow::Swallow);
        let swallowed = tokio::time::timeout(Duration::from_millis(200), ask()).await;
        assert!(swallowed.is_err());
        proxy.refuse(true);
        let url = proxy.url(&database.name);
        let refused = tokio_postgres::connect(&url, tokio_postgres::NoTls).await;
        assert!(refused.is_err());
        proxy.reset();
        assert!(ask().await.is_err());
    });
}

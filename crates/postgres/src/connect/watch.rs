//! Notices a connection that is dead though nobody has closed it. TCP does not notice a peer that is gone behind something that
//! acknowledges for it (a proxy, a balancer, a tunnel): the program counts what it has asked and what was answered, and where an
//! answer is late it asks the server, by another connection, whether the server is at it. A statement may take hours. A
//! connection of which the server knows nothing, or whose server does not answer at all, is given up, and all that waits for it fails.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::attempt::Attempt;
use super::carrier::Security;
use super::settings::Settings;

/// An answer may take that long before anybody asks the server about it.
const QUIET_MAX: Duration = Duration::from_secs(8);
/// How often the server is asked, and how long that may take, the connection included.
const LOOK_EVERY: Duration = Duration::from_secs(3);
const LOOK_WITHIN: Duration = Duration::from_secs(4);
/// So often in a row the server must have no work for the connection, or give no answer.
const LOOKS_MAX: u32 = 3;
/// All of that together, at most: 8 + 3 s, and three looks of 4 s with 3 s in between.
const SILENT_SECONDS: u64 = 29;
/// A session that has been idle for less may have answered just now.
const IDLE_SECONDS: f64 = 2.0;
const APPLICATION_NAME: &str = "crossfade watch";

/// Tags of the protocol: <https://www.postgresql.org/docs/current/protocol-message-formats.html>
const STARTUP: u8 = 0;
const QUERY: u8 = b'Q';
const SYNC: u8 = b'S';
const FUNCTION_CALL: u8 = b'F';
const READY_FOR_QUERY: u8 = b'Z';
const COPY_IN: u8 = b'G';

/// Cuts the bytes of one way into messages: a tag, and a length that counts itself.
struct Messages {
    header: [u8; 5],
    header_filled: usize,
    body_left: usize,
}

impl Messages {
    /// The first message of a client has no tag.
    fn of_client() -> Self {
        Self {
            header: [STARTUP; 5],
            header_filled: 1,
            body_left: 0,
        }
    }

    fn of_server() -> Self {
        Self {
            header: [0; 5],
            header_filled: 0,
            body_left: 0,
        }
    }

    fn is_between(&self) -> bool {
        self.header_filled == 0
    }

    /// Tells the tag of each message that ends in these bytes.
    fn read(&mut self, mut bytes: &[u8], mut ended: impl FnMut(u8)) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.header_filled < self.header.len() {
                self.header[self.header_filled] = *first;
                self.header_filled += 1;
                bytes = rest;
                if self.header_filled < self.header.len() {
                    continue;
                }
                let [_, length @ ..] = self.header;
                let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                self.body_left = length.saturating_sub(length.min(4));
            } else {
                let skipped = self.body_left.min(bytes.len());
                self.body_left -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
            }
            if self.body_left == 0 {
                self.header_filled = 0;
                ended(self.header[0]);
            }
        }
    }
}

struct Traffic {
    sent: Messages,
    received: Messages,
    /// Requests that the server has not finished.
    awaited: u32,
    /// Since when nothing has come of what is awaited.
    quiet_since: Instant,
    /// The server's process for the connection.
    pid: Option<i32>,
    /// What is left to be read once the connection is given up.
    last_words: Option<Vec<u8>>,
}

/// What goes over one connection.
#[derive(Clone)]
pub(super) struct Watch(Arc<Mutex<Traffic>>);

impl Watch {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Traffic {
            sent: Messages::of_client(),
            received: Messages::of_server(),
            awaited: 0,
            quiet_since: Instant::now(),
            pid: None,
            last_words: None,
        })))
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_pid(&self, pid: Option<i32>) {
        self.traffic().pid = pid;
    }

    pub(super) fn sent(&self, bytes: &[u8]) {
        let traffic = &mut *self.traffic();
        let was_awaited = traffic.awaited;
        let awaited = &mut traffic.awaited;
        traffic.sent.read(bytes, |tag| match tag {
            STARTUP | QUERY | SYNC | FUNCTION_CALL => *awaited = awaited.saturating_add(1),
            _ => {}
        });
        if was_awaited == 0 {
            traffic.quiet_since = Instant::now();
        }
    }

    pub(super) fn received(&self, bytes: &[u8]) {
        let traffic = &mut *self.traffic();
        let awaited = &mut traffic.awaited;
        traffic.received.read(bytes, |tag| match tag {
            // While rows are copied in, the Sync that came with the statement is passed over.
            READY_FOR_QUERY | COPY_IN => *awaited = awaited.saturating_sub(1),
            _ => {}
        });
        traffic.quiet_since = Instant::now();
    }

    /// How long nothing has come of what is awaited; `None` where nothing is.
    fn quiet(&self) -> Option<Duration> {
        let traffic = self.traffic();
        (traffic.awaited > 0).then(|| traffic.quiet_since.elapsed())
    }

    /// Ends the connection: what is read next is an error of the server's making, so that whoever waits learns why, and then nothing.
    fn give_up(&self) {
        let mut traffic = self.traffic();
        let words = match traffic.received.is_between() {
            true => error_response(),
            false => Vec::new(),
        };
        traffic.last_words = Some(words);
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.traffic().last_words.is_some()
    }

    /// Up to `size` bytes of the last words; `None` while the connection is used.
    pub(super) fn last_words(&self, size: usize) -> Option<Vec<u8>> {
        let mut traffic = self.traffic();
        let words = traffic.last_words.as_mut()?;
        Some(words.drain(..size.min(words.len())).collect())
    }
}

pub(super) fn silence() -> String {
    format!(
        "the database has not answered for up to {SILENT_SECONDS} s, although the connection is open: something between may have dropped it. Check the server and the network, and run the command again"
    )
}

/// ErrorResponse: fields, each a letter and a text that ends with a zero. 08006 is connection_failure.
fn error_response() -> Vec<u8> {
    let mut body = Vec::new();
    for (field, text) in [
        (b'S', "FATAL"),
        (b'V', "FATAL"),
        (b'C', "08006"),
        (b'M', &silence()),
    ] {
        body.push(field);
        body.extend_from_slice(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message = vec![b'E'];
    message.extend_from_slice(&length.to_be_bytes());
    message.append(&mut body);
    message
}

/// What another connection says of the session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// The server is at it.
    Working,
    /// The server has nothing to do for it, or does not know it.
    Idle,
    /// The server answers, but does not say.
    Unknown,
    NoAnswer,
}

/// A connection to where the watched one goes.
struct Probe {
    client: Client,
    task: JoinHandle<()>,
}

impl Drop for Probe {
    fn drop(&mut self) {
        // Over a dead link it would wait for its last answer.
        self.task.abort();
    }
}

/// How the other connection is made: to the very server of the watched one, and as secure.
pub(super) struct Prober {
    pub(super) settings: Settings,
    pub(super) security: Security,
}

impl Prober {
    async fn open(&self) -> Option<Probe> {
        let attempt = Attempt {
            settings: &self.settings,
            tls: &self.security.tls,
            application_name: APPLICATION_NAME,
        };
        let opened = attempt.open().await.ok()?;
        let mut wire = opened.wire;
        let task =
            tokio::spawn(async move { while let Some(Ok(_)) = wire.next_message().await {} });
        let client = opened.client;
        Some(Probe { client, task })
    }

    async fn look(&self, probe: &mut Option<Probe>, pid: Option<i32>) -> Look {
        if probe.is_none() {
            *probe = self.open().await;
        }
        let Some(client) = probe.as_ref().map(|probe| &probe.client) else {
            return Look::NoAnswer;
        };
        let asked = client.simple_query(&question(pid.unwrap_or(0))).await;
        let Ok(messages) = asked else {
            *probe = None;
            return Look::NoAnswer;
        };
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        match (pid, row) {
            (None, _) => Look::Unknown,
            (Some(_), Some("working")) => Look::Working,
            (Some(_), Some(_) | None) => Look::Idle,
        }
    }
}

/// What is hidden from the role counts as work. In one round trip, and by a pooler that knows no prepared statements, too.
fn question(pid: i32) -> String {
    format!(
        "SELECT CASE WHEN a.state OPERATOR(pg_catalog.=) 'active' OR a.state IS NULL OR a.state_change IS NULL THEN 'working' \
         WHEN (extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.state_change))::pg_catalog.float8 OPERATOR(pg_catalog.<) {IDLE_SECONDS}::pg_catalog.float8 THEN 'working' \
         ELSE 'idle' END FROM pg_catalog.pg_stat_activity AS a WHERE a.pid OPERATOR(pg_catalog.=) {pid}"
    )
}

/// Until the connection is given up.
async fn until_silent(watch: &Watch, prober: &Prober) {
    let mut probe = None;
    let mut looks = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if watch.quiet().is_none_or(|quiet| quiet < QUIET_MAX) {
            (probe, looks) = (None, 0);
            continue;
        }
        let pid = watch.traffic().pid;
        let look = tokio::time::timeout(LOOK_WITHIN, prober.look(&mut probe, pid)).await;
        match look.unwrap_or(Look::NoAnswer) {
            Look::Working | Look::Unknown => looks = 0,
            Look::Idle => looks += 1,
            Look::NoAnswer => {
                probe = None;
                looks += 1;
            }
        }
        if looks >= LOOKS_MAX {
            watch.give_up();
            return;
        }
    }
}

/// Drives `conversation`, which reads from the watched connection, to its end. Once that is given up it reads of it, and ends.
pub(super) async fn watched(
    conversation: impl Future<Output = ()>,
    watch: &Watch,
    prober: &Prober,
) {
    let mut conversation = pin!(conversation);
    tokio::select! {
        biased;
        () = &mut conversation => return,
        () = until_silent(watch, prober) => {}
    }
    conversation.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        let mut message = vec![tag];
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(body);
        message
    }

    #[test]
    fn it_is_known_what_is_awaited_however_the_bytes_are_cut() {
        let startup = message(0, b"user\0u\0\0").split_off(1);
        for size in [1, 2, 3, 5, 7, 1_000] {
            let watch = Watch::new();
            let sent = |bytes: &[u8]| bytes.chunks(size).for_each(|piece| watch.sent(piece));
            let received =
                |bytes: &[u8]| bytes.chunks(size).for_each(|piece| watch.received(piece));
            assert_eq!(watch.quiet(), None);
            sent(&startup);
            assert!(watch.quiet().is_some());
            received(&[message(b'R', &[0; 4]), message(b'K', &[0; 8])].concat());
            assert!(watch.quiet().is_some());
            received(&message(b'Z', b"I"));
            assert_eq!(watch.quiet(), None);
            // Two at once, and the answer to the first.
            sent(&[message(b'P', b"x\0SELECT 1\0\0\0"), message(b'S', b"")].concat());
            sent(&message(b'Q', b"SELECT 2\0"));
            received(&[message(b'1', b""), message(b'Z', b"I")].concat());
            assert!(watch.quiet().is_some());
            received(&message(b'Z', b"I"));
            assert_eq!(watch.quiet(), None);
            // COPY FROM STDIN: with a Sync before its rows, and one behind.
            sent(&[message(b'E', b"\0\0\0\0\0"), message(b'S', b"")].concat());
            received(&message(b'G', &[0; 3]));
            sent(
                &[
                    message(b'd', b"row"),
                    message(b'c', b""),
                    message(b'S', b""),
                ]
                .concat(),
            );
            assert!(watch.quiet().is_some());
            received(&[message(b'C', b"COPY 1\0"), message(b'Z', b"I")].concat());
            assert_eq!(watch.quiet(), None);
            // A goodbye is not answered.
            sent(&message(b'X', b""));
            assert_eq!(watch.quiet(), None);
        }
    }

    #[test]
    fn the_last_words_are_one_whole_message_or_none() {
        let watch = Watch::new();
        assert_eq!(watch.last_words(10), None);
        watch.give_up();
        let mut words = watch.last_words(3).unwrap();
        words.extend(watch.last_words(10_000).unwrap());
        assert_eq!(words, error_response());
        assert_eq!(watch.last_words(10), Some(Vec::new()));
        let cut = Watch::new();
        cut.received(&[b'D', 0, 0]);
        cut.give_up();
        assert_eq!(cut.last_words(10), Some(Vec::new()));
    }
}

//! Named places at which a test kills or stops this process for real, to prove that it goes on from where it was.
//!
//! `CROSSFADE_FAILPOINT=kill:NAME` or `stop:NAME`, with `#3` for the third time; `CROSSFADE_FAILPOINT_LOG=FILE` lists the
//! places that were passed. Unset, a place costs one comparison.
//!
//! What is sent to the server as one message has a place in its middle as well, which the server passes by itself: there
//! `kill` has it end our session, which rolls back what was done until then, and then kills this process; `stop` stops this
//! process once the message is on its way, and the server goes on without it.

use std::{
    io::Write,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

struct Armed {
    signal: nix::sys::signal::Signal,
    name: String,
    countdown: AtomicU32,
}

struct Settings {
    armed: Option<Armed>,
    log: Option<std::path::PathBuf>,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

fn settings() -> &'static Settings {
    SETTINGS.get_or_init(|| Settings {
        armed: std::env::var("CROSSFADE_FAILPOINT")
            .ok()
            .and_then(|text| arm(&text)),
        log: std::env::var_os("CROSSFADE_FAILPOINT_LOG").map(Into::into),
    })
}

fn arm(text: &str) -> Option<Armed> {
    use nix::sys::signal::Signal;
    let (signal, name) = match text.split_once(':')? {
        ("kill", name) => (Signal::SIGKILL, name),
        ("stop", name) => (Signal::SIGSTOP, name),
        _ => return None,
    };
    let (name, times) = match name.rsplit_once('#') {
        Some((name, times)) => (name, times.parse().ok()?),
        None => (name, 1),
    };
    Some(Armed {
        signal,
        name: name.to_owned(),
        countdown: AtomicU32::new(times),
    })
}

/// Passes the place called `name()`; the name is only made when a test listens.
pub fn pass(name: impl FnOnce() -> String) {
    if let Some(signal) = signal_at(name) {
        strike(signal);
    }
}

fn strike(signal: nix::sys::signal::Signal) {
    let _ = nix::sys::signal::kill(nix::unistd::getpid(), signal);
}

/// A place in the middle of what the server carries out by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Midway(Option<nix::sys::signal::Signal>);

/// So long a message takes to be on its way.
const ON_ITS_WAY: std::time::Duration = std::time::Duration::from_millis(50);

/// The place called `name()`, in the middle of what is about to be sent.
pub fn midway(name: impl FnOnce() -> String) -> Midway {
    Midway(signal_at(name))
}

impl Midway {
    /// What the server is to do at that place, as a statement or several.
    pub fn statement(self) -> Option<&'static str> {
        (self.0 == Some(nix::sys::signal::Signal::SIGKILL)).then_some(
            "SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()); SELECT pg_catalog.pg_sleep(30)",
        )
    }

    /// Waits for the answer, or does with this process what a test wants of it.
    pub async fn around<T>(self, answer: impl Future<Output = T>) -> T {
        let Some(signal) = self.0 else {
            return answer.await;
        };
        tokio::pin!(answer);
        if self.statement().is_some() {
            let answer = answer.await;
            strike(signal);
            return answer;
        }
        let early = tokio::select! {
            answer = &mut answer => Some(answer),
            () = tokio::time::sleep(ON_ITS_WAY) => None,
        };
        strike(signal);
        match early {
            Some(answer) => answer,
            None => answer.await,
        }
    }
}

/// What a test wants done at this place, which is noted.
fn signal_at(name: impl FnOnce() -> String) -> Option<nix::sys::signal::Signal> {
    let settings = settings();
    if settings.armed.is_none() && settings.log.is_none() {
        return None;
    }
    let name = name();
    if let Some(path) = &settings.log {
        let line = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        // A test that cannot write its log sees an empty one and fails.
        let _ = line.and_then(|mut file| writeln!(file, "{name}"));
    }
    let armed = settings.armed.as_ref().filter(|armed| armed.name == name)?;
    (armed.countdown.fetch_sub(1, Ordering::SeqCst) == 1).then_some(armed.signal)
}

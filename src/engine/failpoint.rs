//! Named places at which a test kills or stops this process for real, to prove that it goes on from where it was.
//!
//! `CROSSFADE_FAILPOINT=kill:NAME` or `stop:NAME`, with `#3` for the third time; `CROSSFADE_FAILPOINT_LOG=FILE` lists the
//! places that were passed. Unset, a place costs one comparison.

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
    let settings = settings();
    if settings.armed.is_none() && settings.log.is_none() {
        return;
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
    if let Some(armed) = settings.armed.as_ref().filter(|armed| armed.name == name)
        && armed.countdown.fetch_sub(1, Ordering::SeqCst) == 1
    {
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), armed.signal);
    }
}

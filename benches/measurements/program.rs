//! The release build of the program, run as a user would.

use crate::database::Bench;
use std::{
    io::Read,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const LOOK_EVERY: Duration = Duration::from_millis(5);

pub fn spawn(bench: &Bench, database: &str, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_crossfade"))
        .args(arguments)
        .env("CROSSFADE_DATABASE_URL", bench.url(database))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

/// From its start to its end.
pub fn done(bench: &Bench, database: &str, arguments: &[&str]) -> Duration {
    let began = Instant::now();
    finished(spawn(bench, database, arguments));
    began.elapsed()
}

pub fn finished(mut child: Child) {
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut said).expect("what it said");
    }
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{said}");
}

/// As `finished`, while other tasks go on.
pub async fn ended(mut child: Child) {
    while is_running(&mut child) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    finished(child);
}

pub fn is_running(child: &mut Child) -> bool {
    child.try_wait().expect("it can be waited for").is_none()
}

pub fn backfill(bench: &Bench, database: &str) -> Duration {
    done(bench, database, &["advance", "bench", "--to", "backfill"])
}

pub fn begin_backfill(bench: &Bench, database: &str) -> Child {
    spawn(bench, database, &["advance", "bench", "--to", "backfill"])
}

/// Limits other than the defaults: `workers=1`.
pub fn tune(bench: &Bench, database: &str, limits: &[&str]) {
    if limits.is_empty() {
        return;
    }
    let mut arguments = vec!["tune", "bench", "--reason", "measurement"];
    arguments.extend(limits);
    done(bench, database, &arguments);
}

/// The most resident memory that the process has had so far; nothing any more when it is gone.
pub fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0)
}

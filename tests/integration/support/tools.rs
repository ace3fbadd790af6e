//! Programs that a machine may not have: their tests are skipped where they are missing, and say so; in CI they fail.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// Where Debian and others keep what is not for everybody's `PATH`.
const FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// The program's path. `None` where this machine does not have it, after saying so where everybody sees it.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    let found = folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        skip(&format!("this machine has no {name}"));
    }
    found
}

/// A program of a server's version, such as `pg_basebackup`, which npm's PostgreSQL comes without.
pub fn server_program(path: &Path) -> bool {
    if !path.is_file() {
        skip(&format!("there is no {}", path.display()));
    }
    path.is_file()
}

/// Says that the running test proves nothing here, and why. With `CROSSFADE_TEST_COMPLETE` set, as CI does, it fails.
pub fn skip(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(
        std::env::var_os("CROSSFADE_TEST_COMPLETE").is_none(),
        "{test} cannot be skipped here: {why}"
    );
    // Not by `eprintln!`, which nobody sees of a test that passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}

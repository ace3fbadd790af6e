//! The one way to stderr: for people, with colours where a person looks on, or as JSON, one object on each line. What is written sets the
//! progress bar aside.

use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, OnceLock, PoisonError},
};

static JSON: OnceLock<bool> = OnceLock::new();
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
        }
    }

    /// By how the text begins.
    fn of(text: &str) -> Self {
        match text {
            text if text.starts_with("error") => Self::Error,
            text if text.starts_with("warning") => Self::Warn,
            _ => Self::Info,
        }
    }
}

/// Before anything is written. `json`: the log and all messages are JSON.
pub fn begin(json: bool) {
    let _ = JSON.set(json);
}

pub fn is_json() -> bool {
    JSON.get().copied().unwrap_or(false)
}

/// Colours are for who looks on, and not in a file.
pub fn is_painted(stream: &impl IsTerminal) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !is_set("NO_COLOR") && !is_dumb && stream.is_terminal()
}

/// Lines that are harmless already.
pub fn lines(text: &str) {
    if is_json() {
        event(Level::of(text), text.trim_end(), Map::new());
    } else if is_painted(&io::stderr()) {
        write(&painted(text));
    } else {
        write(text);
    }
}

/// One object, with what is known beside the message.
pub fn event(level: Level, message: &str, known: Map<String, Value>) {
    let mut object = Map::new();
    let now = jiff::Timestamp::now();
    object.insert("timestamp".to_owned(), json!(format!("{now:.6}")));
    object.insert("level".to_owned(), json!(level.as_str()));
    object.insert("message".to_owned(), json!(message));
    object.extend(known);
    write(&format!("{}\n", Value::Object(object)));
}

/// The bar that stands in the last line, or none any more.
pub fn set_bar(bar: Option<ProgressBar>) {
    *BAR.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// Nothing can be done about a closed one.
fn write(text: &str) {
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let write = || {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    };
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// For the log, whose lines come whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const RESET: &str = "\x1b[0m";

/// What a line begins with, and how it looks.
const MARKS: [(&str, &str); 2] = [("error", "\x1b[1;31m"), ("warning", "\x1b[1;33m")];

/// The words that a message begins with in their colours. Nobody else's text can begin a line.
fn painted(text: &str) -> String {
    text.split_inclusive('\n').map(painted_line).collect()
}

fn painted_line(line: &str) -> String {
    for (word, style) in MARKS {
        if let Some(rest) = line.strip_prefix(word)
            && rest.starts_with(':')
        {
            return format!("{style}{word}:{RESET}{}", &rest[1..]);
        }
    }
    match line.split_once("= help:") {
        Some((margin, rest)) if margin.trim().is_empty() => {
            format!("{margin}= \x1b[1mhelp:{RESET}{rest}")
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_line_begins_with_is_painted() {
        assert_eq!(
            painted("error: an error: x\n  = help: y\nwarning: z\nno error: w\n"),
            "\x1b[1;31merror:\x1b[0m an error: x\n  = \x1b[1mhelp:\x1b[0m y\n\x1b[1;33mwarning:\x1b[0m z\nno error: w\n"
        );
    }
}

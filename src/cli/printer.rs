//! Where output goes: data to stdout, once; messages to stderr. What comes from the database or from other people is made
//! harmless here.

use super::{args::Format, exit::UsageError};
use crate::demo::DemoError;
use crossfade_coordinator::service::ServiceError;
use crossfade_model::printable::{Lines, escaped};
use serde::Serialize;
use std::{
    fmt,
    io::{IsTerminal, Write},
};

/// What a command shows, ready for a terminal: a name, a reason or an error's text in it can neither move the cursor nor
/// begin a line of its own.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    pub fn new() -> Self {
        Self::default()
    }

    /// For a file or another program, and so not touched: the only text with no end to its trust.
    pub fn document(text: String) -> Self {
        Self(text)
    }

    /// One line, whatever is in it.
    pub fn line(&mut self, line: impl fmt::Display) {
        self.0
            .push_str(&escaped(&line.to_string(), Lines::SpelledOut));
        self.0.push('\n');
    }

    pub fn of(line: impl fmt::Display) -> Self {
        let mut text = Self::new();
        text.line(line);
        text
    }

    /// For `writeln!`: lines of our own making; texts of others go in by `line`.
    pub fn write_fmt(&mut self, block: fmt::Arguments<'_>) -> fmt::Result {
        self.push_str(&block.to_string());
        Ok(())
    }

    pub fn push_str(&mut self, block: &str) {
        self.0.push_str(&escaped(block, Lines::Kept));
    }
}

impl From<String> for Text {
    fn from(block: String) -> Self {
        let mut text = Self::new();
        text.push_str(&block);
        text
    }
}

/// One line for the terminal, whatever is in it.
pub fn one_line(line: &str) -> String {
    escaped(line, Lines::SpelledOut).into_owned()
}

#[derive(Clone, Copy)]
pub struct Printer {
    format: Format,
}

impl Printer {
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// The command's result: the value as JSON, or the text. A reader who has gone away is no error.
    pub fn result<T: Into<Text>>(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> T,
    ) -> anyhow::Result<()> {
        let mut out = match self.format {
            Format::Json => serde_json::to_string_pretty(value)?,
            Format::Text | Format::Markdown | Format::Sarif | Format::Github => text().into().0,
        };
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        match std::io::stdout().lock().write_all(out.as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// To stderr. Lines after the first are indented, so that none of them can be taken for a message of ours.
    pub fn message(&self, text: impl AsRef<str>) {
        to_stderr(&format!("{}\n", indented(text.as_ref())));
    }

    /// To stderr, laid out by the caller, who has seen to what is in it.
    pub fn block(&self, text: &str) {
        to_stderr(&format!("{}\n", escaped(text.trim_end(), Lines::Kept)));
    }

    /// The one error of a failed command; with JSON also as the one document on stdout.
    pub fn error(&self, error: &anyhow::Error) {
        let text = chain(error);
        if is_laid_out(error) {
            let prefix = if text.starts_with("error") {
                ""
            } else {
                "error: "
            };
            self.block(&format!("{prefix}{text}"));
        } else {
            self.message(format!("error: {}", one_line(&text)));
        }
        if self.is_json() {
            let _ = self.result(&serde_json::json!({"error": text}), String::new);
        }
    }

    /// Asks on the terminal; `None` where there is none to ask.
    pub fn ask(&self, question: &str) -> Option<String> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        to_stderr(&format!("{} ", escaped(question, Lines::Kept)));
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }
}

/// A message with its further lines set off from what is ours at the beginning of a line.
pub fn indented(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().split('\n').map(one_line).collect();
    lines.join("\n    ")
}

/// Nothing can be done about a closed one.
fn to_stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A plan's errors are rendered already, each with its place and harmless; the end of a server's log is of our own server.
fn is_laid_out(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<ServiceError>(),
        Some(ServiceError::Plan(_))
    ) || error.downcast_ref::<DemoError>().is_some()
        // A plan that could not be written, of the words that were typed.
        || error
            .downcast_ref::<UsageError>()
            .is_some_and(|error| error.0.starts_with("error"))
}

/// The error and its causes, none said twice.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        // What the server said is in our own words already.
        let said = cause
            .downcast_ref::<tokio_postgres::Error>()
            .and_then(tokio_postgres::Error::as_db_error)
            .or_else(|| cause.downcast_ref::<tokio_postgres::error::DbError>())
            .is_some_and(|error| text.contains(error.message()));
        if said {
            continue;
        }
        let part = cause.to_string();
        // tokio-postgres says "db error" where its cause says it all.
        if !part.is_empty() && part != "db error" && !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
    }
    text
}

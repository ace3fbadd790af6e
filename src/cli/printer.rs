//! Where output goes: data to stdout, once; messages to stderr.

use super::args::Format;
use serde::Serialize;
use std::io::{IsTerminal, Write};

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
    pub fn result(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let mut out = match self.format {
            Format::Json => serde_json::to_string_pretty(value)?,
            Format::Text | Format::Markdown | Format::Sarif | Format::Github => text(),
        };
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        match std::io::stdout().lock().write_all(out.as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// To stderr. Nothing can be done about a closed one.
    pub fn message(&self, text: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
    }

    /// The one error of a failed command; with JSON also as the one document on stdout.
    pub fn error(&self, error: &anyhow::Error) {
        let text = chain(error);
        if text.starts_with("error:") {
            // A plan's errors are rendered already, each with its place.
            self.message(text.trim_end());
        } else {
            self.message(format!("error: {text}"));
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
        let _ = write!(std::io::stderr().lock(), "{question} ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }
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

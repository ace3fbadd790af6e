//! Where output goes: data to stdout, once; messages to stderr. What comes from the database or from other people is made
//! harmless here.

use super::{args::Format, exit::UsageError, stderr};
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
pub struct Text {
    text: String,
    /// Colours are in it, which go where no person looks on.
    is_painted: bool,
}

/// How a state looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Plain,
    /// Somebody has to do something.
    Red,
    /// It waits.
    Yellow,
    /// It goes well.
    Green,
}

impl Paint {
    fn begin(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Red => "\x1b[1;31m",
            Self::Yellow => "\x1b[33m",
            Self::Green => "\x1b[32m",
        }
    }
}

/// Ends what `Paint` began.
const RESET: &str = "\x1b[0m";

impl Text {
    pub fn new() -> Self {
        Self::default()
    }

    /// For a file or another program, and so not touched: the only text with no end to its trust.
    pub fn document(text: String) -> Self {
        Self {
            text,
            is_painted: false,
        }
    }

    /// One line, whatever is in it.
    pub fn line(&mut self, line: impl fmt::Display) {
        self.text.push_str(&one_line(&line.to_string()));
        self.text.push('\n');
    }

    /// One line with a word in it that has a colour.
    pub fn line_with(
        &mut self,
        before: impl fmt::Display,
        (paint, word): (Paint, &str),
        after: impl fmt::Display,
    ) {
        let (before, word) = (one_line(&before.to_string()), one_line(word));
        let (begin, end) = match paint {
            Paint::Plain => ("", ""),
            paint => (paint.begin(), RESET),
        };
        // What fills up a column stays outside.
        let bare = word.trim_end();
        let filling = &word[bare.len()..];
        let after = format!("{filling}{}", one_line(&after.to_string()));
        self.text
            .push_str(&format!("{before}{begin}{bare}{end}{after}"));
        self.text.push('\n');
        self.is_painted = true;
    }

    /// As it is to be written.
    fn written(self, is_seen: bool) -> String {
        if !self.is_painted || is_seen {
            return self.text;
        }
        let paints = [Paint::Red, Paint::Yellow, Paint::Green];
        let begins = paints.iter().map(|paint| paint.begin());
        begins
            .chain([RESET])
            .fold(self.text, |text, code| text.replace(code, ""))
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
        self.text.push_str(&escaped(block, Lines::Kept));
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
            Format::Text | Format::Markdown | Format::Sarif | Format::Github => {
                let is_seen = stderr::is_painted(&std::io::stdout());
                text().into().written(is_seen)
            }
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
        stderr::lines(&format!("{}\n", indented(text.as_ref())));
    }

    /// To stderr, laid out by the caller, who has seen to what is in it.
    pub fn block(&self, text: &str) {
        stderr::lines(&format!("{}\n", escaped(text.trim_end(), Lines::Kept)));
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
        if stderr::is_json() || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal()
        {
            return None;
        }
        let question = escaped(question, Lines::Kept);
        let _ = std::io::stderr()
            .lock()
            .write_all(format!("{question} ").as_bytes());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_who_looks_on() {
        let mut text = Text::new();
        text.line_with("run: ", (Paint::Red, "failed   "), " x\x1b[0m");
        let text_again = || Text {
            text: text.text.clone(),
            is_painted: true,
        };
        assert_eq!(
            text_again().written(true),
            "run: \x1b[1;31mfailed\x1b[0m    x\\u{1b}[0m\n"
        );
        assert_eq!(text_again().written(false), "run: failed    x\\u{1b}[0m\n");
    }
}

//! How the errors of a plan are shown: as rustc does, or as JSON.

use serde::Serialize;

use crate::error::{PlanError, Position, Severity};
use crate::locate::{Locator, lines};
use crate::printable::is_deceptive;

/// A line longer than this, in characters, is shown cut around the caret.
const LINE_SHOWN_MAX: usize = 120;
/// How much of a cut line stands before the caret, in characters.
const LINE_SHOWN_BEFORE: usize = 40;
const TAB_WIDTH: usize = 4;

/// An error with its place in the file, for JSON output. Lines and columns count from 1 and are absent where there is
/// no such place (an empty file).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocatedError {
    pub file: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub path: String,
    pub message: String,
    pub help: Option<String>,
    pub severity: Severity,
    /// The rule about SQL that a statement of the plan breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
}

/// The errors with their places, sorted by place.
pub fn locate_all(file_name: &str, text: &str, errors: &[PlanError]) -> Vec<LocatedError> {
    located(text, errors)
        .into_iter()
        .map(|(position, error)| LocatedError {
            file: file_name.to_owned(),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            path: error.path.to_string(),
            message: error.message.clone(),
            help: error.help.clone().map(String::from),
            severity: error.severity,
            rule: error.rule,
        })
        .collect()
}

/// What is shown of one problem, of a plan or of any other text.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub severity: Severity,
    /// The rule that found it.
    pub rule: Option<&'a str>,
    pub position: Option<Position>,
    pub message: &'a str,
    pub help: Option<&'a str>,
}

/// The errors as rustc shows them, sorted by place: message, file:line:column, the line with a caret, help.
pub fn render(file_name: &str, text: &str, errors: &[PlanError]) -> String {
    let located = located(text, errors);
    let shown: Vec<Shown<'_>> = located
        .iter()
        .map(|(position, error)| Shown {
            severity: error.severity,
            rule: None,
            position: *position,
            message: &error.message,
            help: error.help.as_deref(),
        })
        .collect();
    render_all(file_name, text, &shown)
}

/// The same of problems whose places are known, in the order that they are given in.
pub fn render_all(file_name: &str, text: &str, problems: &[Shown<'_>]) -> String {
    let lines = lines(text);
    let shown: Vec<String> = problems
        .iter()
        .map(|problem| render_one(file_name, &lines, problem))
        .collect();
    shown.join("\n")
}

fn located<'a>(text: &str, errors: &'a [PlanError]) -> Vec<(Option<Position>, &'a PlanError)> {
    if errors.is_empty() {
        return Vec::new();
    }
    let locator = Locator::new(text);
    let mut located: Vec<_> = errors
        .iter()
        .map(|error| {
            let position = error
                .position
                .or_else(|| locator.position(&error.path, error.part));
            (position, error)
        })
        .collect();
    located.sort_by_key(|(position, _)| *position);
    located
}

fn render_one(file_name: &str, lines: &[&str], problem: &Shown<'_>) -> String {
    let position = problem.position;
    let gutter = position.map_or(1, |position| position.line.to_string().len());
    let margin = " ".repeat(gutter);
    let rule = problem
        .rule
        .map_or_else(String::new, |rule| format!("[{rule}]"));
    let mut shown = format!("{}{rule}: {}\n", problem.severity, safe(problem.message));
    match position {
        None => shown.push_str(&format!("{margin}--> {}\n", safe(file_name))),
        Some(Position { line, column, .. }) => {
            shown.push_str(&format!(
                "{margin}--> {}:{line}:{column}\n",
                safe(file_name)
            ));
        }
    }
    if let Some(position) = position
        && let Some(line) = position
            .line
            .checked_sub(1)
            .and_then(|index| lines.get(index))
    {
        let (line, caret) = excerpt(line, position);
        shown.push_str(&format!(
            "{margin} |\n{} | {line}\n{margin} | {caret}\n",
            position.line
        ));
    }
    if let Some(help) = problem.help {
        shown.push_str(&format!("{margin} = help: {}\n", safe(help)));
    }
    shown
}

/// The line as a terminal can show it, and the carets to print below it.
fn excerpt(line: &str, position: Position) -> (String, String) {
    let length = line.chars().count();
    let caret_start = position.column.saturating_sub(1).min(length);
    let (from, to) = if length > LINE_SHOWN_MAX {
        let from = caret_start.saturating_sub(LINE_SHOWN_BEFORE);
        (from, (from + LINE_SHOWN_MAX).min(length))
    } else {
        (0, length)
    };
    // A file of one line may have thousands of findings: no more of it is gone through than is shown.
    let first = if line.is_ascii() {
        from
    } else {
        line.char_indices()
            .nth(from)
            .map_or(line.len(), |(at, _)| at)
    };
    let characters = line.get(first..).unwrap_or_default().chars();
    let caret_end = caret_start.saturating_add(position.length.max(1)).min(to);
    let mut shown = String::new();
    let mut caret = String::new();
    if from > 0 {
        shown.push('…');
        caret.push(' ');
    }
    for (at, character) in (from..to).zip(characters) {
        let width = show(character, &mut shown);
        if at < caret_start {
            caret.extend(std::iter::repeat_n(' ', width));
        } else if at < caret_end {
            caret.extend(std::iter::repeat_n('^', width));
        }
    }
    if to < length {
        shown.push('…');
    }
    if !caret.ends_with('^') {
        caret.push('^');
    }
    (shown.trim_end().to_owned(), caret)
}

/// Adds a character to a shown line and says how many columns of a terminal it takes.
fn show(character: char, shown: &mut String) -> usize {
    if character == '\t' {
        shown.extend(std::iter::repeat_n(' ', TAB_WIDTH));
        return TAB_WIDTH;
    }
    let character = harmless(character);
    shown.push(character);
    match character as u32 {
        0x0300..=0x036F | 0x200B..=0x200D | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF => 2,
        0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// A plan can come from a stranger: control characters and changes of writing direction would let it rewrite what the
/// terminal shows. One for one, so that the carets stand where they should.
fn harmless(character: char) -> char {
    if is_deceptive(character) {
        '\u{FFFD}'
    } else {
        character
    }
}

fn safe(text: &str) -> String {
    text.chars().map(harmless).collect()
}

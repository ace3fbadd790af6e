//! What a rule finds in a file of SQL, and where.

use crossfade_model::error::{Position, Severity};
use serde::Serialize;
use std::ops::Range;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    pub rule: &'static str,
    pub severity: Severity,
    pub message: String,
    /// What would be right.
    pub help: String,
    /// Bytes of the text.
    #[serde(skip)]
    pub range: Range<usize>,
    /// Lines and columns count from 1, columns in characters.
    pub line: usize,
    pub column: usize,
    #[serde(skip)]
    pub length: usize,
}

impl Finding {
    pub fn position(&self) -> Position {
        Position {
            line: self.line,
            column: self.column,
            length: self.length,
        }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Turns bytes into lines and columns. Lines end as `plan::locate` says.
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        Self {
            text,
            starts: std::iter::once(0)
                .chain(ends.map(|(at, _)| at + 1))
                .collect(),
        }
    }

    /// A range over several lines is marked to the end of its first.
    pub fn position(&self, range: &Range<usize>) -> Position {
        let index = self
            .starts
            .partition_point(|start| *start <= range.start)
            .saturating_sub(1);
        let start = self.starts.get(index).copied().unwrap_or_default();
        let before = self.text.get(start..range.start).unwrap_or_default();
        let marked = self.text.get(range.clone()).unwrap_or_default();
        let first = marked.lines().next().unwrap_or_default();
        // A byte order mark has no column.
        let mark = usize::from(before.starts_with('\u{FEFF}'));
        Position {
            line: index + 1,
            column: before.chars().count() + 1 - mark,
            length: first.trim_end().chars().count().max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "\u{FEFF}é;\r\nab;\rc\nd";
        let at = |part: &str| {
            let start = text.find(part).unwrap();
            let position = Lines::new(text).position(&(start..start + part.len()));
            (position.line, position.column, position.length)
        };
        assert_eq!(at("é;\r\nab"), (1, 1, 2));
        assert_eq!(at("b;"), (2, 2, 2));
        assert_eq!((at("c"), at("d")), ((3, 1, 1), (4, 1, 1)));
    }
}

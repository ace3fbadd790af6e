//! The errors of a plan: what is wrong, where, what would be right, and how that is shown.

mod render;

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::Serialize;

pub use self::render::{LocatedError, Shown, locate_all, render, render_all};

/// The longest name quoted in a message, in characters: a name can be as long as the plan.
const NAME_SHOWN_MAX: usize = 60;

/// Where something is in a plan, independent of how it is written: `phases[3].steps[0].match.columns`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    pub fn root() -> Path {
        Path::default()
    }

    #[must_use]
    pub fn key(&self, key: &str) -> Path {
        self.child(Segment::Key(key.to_owned()))
    }

    #[must_use]
    pub fn index(&self, index: usize) -> Path {
        self.child(Segment::Index(index))
    }

    #[must_use]
    pub fn child(&self, segment: Segment) -> Path {
        let mut path = self.clone();
        path.0.push(segment);
        path
    }

    /// This path continued by `below`, which is relative to it.
    #[must_use]
    pub fn join(&self, below: &Path) -> Path {
        Path(self.0.iter().chain(&below.0).cloned().collect())
    }

    /// The node that this one stands in, and how it is reached from there. None for the root.
    pub fn split_last(&self) -> Option<(Path, &Segment)> {
        let (last, parent) = self.0.split_last()?;
        Some((Path(parent.to_vec()), last))
    }

    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether `other` is this node or one below it.
    pub fn holds(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }

    pub fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    pub fn pop(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for Path {
    /// Keys that are not plain words are in double quotes, so that [`Path::from_str`] gives the same path again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the plan");
        }
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    if position > 0 {
                        f.write_char('.')?;
                    }
                    write_key(f, key)?;
                }
            }
        }
        Ok(())
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    if !key.is_empty() && key.chars().all(is_word) {
        return f.write_str(key);
    }
    f.write_char('"')?;
    for character in key.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path such as `phases[3].steps[0].match`")]
pub struct PathSyntaxError(String);

impl FromStr for Path {
    type Err = PathSyntaxError;

    fn from_str(text: &str) -> Result<Path, PathSyntaxError> {
        if text.is_empty() || text == "the plan" {
            return Ok(Path::root());
        }
        let wrong = || PathSyntaxError(text.to_owned());
        let mut path = Path::root();
        let mut rest = text;
        while !rest.is_empty() {
            let (segment, after) = next_segment(rest, path.0.is_empty()).ok_or_else(wrong)?;
            path.push(segment);
            rest = after;
        }
        Ok(path)
    }
}

fn next_segment(text: &str, first: bool) -> Option<(Segment, &str)> {
    if let Some(inside) = text.strip_prefix('[') {
        let (index, after) = inside.split_once(']')?;
        return Some((Segment::Index(index.parse().ok()?), after));
    }
    let text = if first { text } else { text.strip_prefix('.')? };
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_key(quoted);
    }
    let end = text
        .find(|character| !is_word(character))
        .unwrap_or(text.len());
    let (key, after) = text.split_at(end);
    (!key.is_empty()).then(|| (Segment::Key(key.to_owned()), after))
}

fn quoted_key(text: &str) -> Option<(Segment, &str)> {
    let mut key = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Segment::Key(key), &text[at + 1..])),
            '\\' => key.push(characters.next()?.1),
            _ => key.push(character),
        }
    }
    None
}

/// What the caret should stand under: the key that a path ends in, or its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Key,
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// A place in the text. Lines and columns count from 1, columns and length in characters; length is at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
    pub length: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct PlanError {
    pub path: Path,
    pub part: Part,
    pub message: String,
    /// What would be right.
    pub help: Option<Box<str>>,
    /// Set where the path cannot say it: syntax errors, and the second of two equal keys.
    pub position: Option<Position>,
    pub severity: Severity,
    /// Which of the rules about SQL found it in the plan's own statements.
    pub rule: Option<&'static str>,
    pub topic: Topic,
}

/// Who can do something about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topic {
    /// Who writes the plan, or changes the database.
    #[default]
    Plan,
    /// Who grants rights to the role that runs it.
    Rights,
    /// Who sets what other sessions begin with.
    Sessions,
}

impl PlanError {
    pub fn at(path: Path, message: impl Into<String>) -> PlanError {
        PlanError {
            path,
            part: Part::Value,
            message: message.into(),
            help: None,
            position: None,
            severity: Severity::Error,
            rule: None,
            topic: Topic::Plan,
        }
    }

    #[must_use]
    pub fn about(mut self, topic: Topic) -> PlanError {
        self.topic = topic;
        self
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> PlanError {
        self.help = Some(text.into().into_boxed_str());
        self
    }

    #[must_use]
    pub fn on_key(mut self) -> PlanError {
        self.part = Part::Key;
        self
    }

    #[must_use]
    pub fn warning(mut self) -> PlanError {
        self.severity = Severity::Warning;
        self
    }

    #[must_use]
    pub fn found_by(mut self, rule: &'static str) -> PlanError {
        self.rule = Some(rule);
        self
    }

    /// Whether it keeps the plan from being run, which a warning does not.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    #[must_use]
    pub fn positioned(mut self, position: Option<Position>) -> PlanError {
        self.position = position;
        self
    }
}

/// A name from the plan as messages show it: in backquotes, cut when it is very long.
pub fn quoted(name: &str) -> String {
    if name.chars().count() <= NAME_SHOWN_MAX {
        return format!("`{name}`");
    }
    let start: String = name.chars().take(NAME_SHOWN_MAX).collect();
    format!("`{start}…`")
}

#[cfg(test)]
mod tests {
    use crate::error::*;

    #[test]
    fn paths_are_written_as_they_are_read() {
        let path = Path::root()
            .key("phases")
            .index(3)
            .key("steps")
            .index(0)
            .key("match")
            .key("columns");
        assert_eq!(path.to_string(), "phases[3].steps[0].match.columns");
        for path in [
            path,
            Path::root(),
            Path::root().index(0).index(1),
            Path::root().key("a.b[0]").key("\"\\ ").key(""),
        ] {
            assert_eq!(path.to_string().parse(), Ok(path));
        }
        assert_eq!(Path::root().to_string(), "the plan");
        for wrong in [
            ".", "a.", "[x]", "[1", "a b", "a..b", "\"a", "a\"b\"", "[-1]",
        ] {
            assert!(wrong.parse::<Path>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_error_says_its_path_and_message() {
        let error = PlanError::at(Path::root().key("change"), "unknown key `a`")
            .on_key()
            .warning()
            .help("b");
        assert_eq!(error.to_string(), "change: unknown key `a`");
        assert_eq!(
            (error.part, error.severity, error.help.as_deref()),
            (Part::Key, Severity::Warning, Some("b"))
        );
    }

    #[test]
    fn errors_are_rendered_as_rustc_does_and_sorted() {
        let text = "version: 1\nchange:\n  rename_column: {tabel: public.vehicles}\n";
        let step = Path::root().key("change").key("rename_column");
        let errors = [
            PlanError::at(step.key("tabel"), "unknown key `tabel`")
                .on_key()
                .help("did you mean `table`?"),
            PlanError::at(Path::root().key("version"), "old").warning(),
        ];
        let expected = "\
warning: old
 --> rename.yaml:1:10
  |
1 | version: 1
  |          ^
\nerror: unknown key `tabel`
 --> rename.yaml:3:19
  |
3 |   rename_column: {tabel: public.vehicles}
  |                   ^^^^^
  = help: did you mean `table`?
";
        assert_eq!(render("rename.yaml", text, &errors), expected);
        let located = locate_all("rename.yaml", text, &errors);
        assert_eq!((located[1].line, located[1].column), (Some(3), Some(19)));
        let json = serde_json::to_value(&located[0]).unwrap();
        assert_eq!(json["severity"], "warning");
        assert_eq!(json["path"], "version");
    }

    fn rendered(text: &str, path: &Path) -> Vec<String> {
        let shown = render("f", text, &[PlanError::at(path.clone(), "m")]);
        shown.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!(
            "a: {{b: \"{}\", c: wrong, d: \"{}\"}}\n",
            "x".repeat(5000),
            "y".repeat(5000)
        );
        let shown = rendered(&text, &Path::root().key("a").key("c"));
        assert!(
            shown.iter().all(|line| line.chars().count() < 140),
            "{shown:?}"
        );
        let caret = shown[4]
            .chars()
            .position(|character| character == '^')
            .unwrap();
        let under: String = shown[3].chars().skip(caret).take(5).collect();
        assert_eq!(
            (under.as_str(), shown[4].matches('^').count()),
            ("wrong", 5)
        );
    }

    #[test]
    fn the_caret_is_right_after_wide_characters_accents_and_tabs() {
        // A wide character takes two columns of a terminal, so its caret line is longer by one.
        assert_eq!(
            rendered("日本: 1\n", &Path::root().key("日本"))[4],
            "  |       ^"
        );
        assert_eq!(
            rendered("é: {ü: x}\n", &Path::root().key("é").key("ü"))[4],
            "  |        ^"
        );
        let tabbed = rendered("a: [\t\tx]\n", &Path::root().key("a").index(0));
        assert_eq!(tabbed[3].find('x'), tabbed[4].find('^'));
    }

    #[test]
    fn crlf_leaves_no_trace() {
        let shown = rendered("a: 1\r\nb: x\r\n", &Path::root().key("b"));
        assert_eq!(
            (shown[3].as_str(), shown[4].as_str()),
            ("2 | b: x", "  |    ^")
        );
    }

    #[test]
    fn what_would_change_the_terminal_is_not_printed() {
        let text = "a: \"\u{1b}[31m\u{202e}x\"\n";
        let error = PlanError::at(Path::root().key("a"), "bad \u{1b}[2J").help("\u{7}");
        let shown = render("f\u{1b}", text, &[error]);
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{7}']));
    }

    #[test]
    fn an_error_without_a_place_is_rendered_without_a_line() {
        assert_eq!(
            render("f", "", &[PlanError::at(Path::root(), "m")]),
            "error: m\n --> f\n"
        );
        let far = PlanError::at(Path::root(), "m").positioned(Some(Position {
            line: 9,
            column: 9,
            length: 0,
        }));
        assert_eq!(render("f", "a", &[far]), "error: m\n --> f:9:9\n");
        assert_eq!(render("f", "a", &[]), "");
    }

    #[test]
    fn a_very_long_name_is_cut() {
        assert_eq!(quoted("a"), "`a`");
        assert_eq!(
            quoted(&"é".repeat(1000)).chars().count(),
            NAME_SHOWN_MAX + 3
        );
    }
}

//! A file of SQL as psql would read it: its statements, without psql's own commands and the data of COPY, and what its
//! author allows in comments.

mod tools;

use super::{
    lexer::{Class, Scanner, Token},
    statement::Edge,
};
use std::ops::Range;

/// What a comment begins with that allows what a rule finds.
const MARK: &str = "crossfade:allow";

/// Ranges are bytes of the text as it was given.
#[derive(Debug)]
pub struct Script {
    /// The text with blanks where there is no SQL, byte for byte as long as the original.
    pub text: String,
    pub statements: Vec<Range<usize>>,
    pub allowances: Vec<Allowance>,
    /// What psql would do beside sending statements, in its order.
    pub events: Vec<Happening>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    pub range: Range<usize>,
    pub what: Event,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another file is read.
    Include,
    /// What a query has given is run.
    Execute,
    /// A new session begins.
    Connect,
    /// What is run under a condition begins and ends.
    If(&'static [Edge]),
    /// Something else than psql is run.
    Shell,
    /// A part of the file that a tool runs by itself.
    Section {
        /// It undoes what another part does.
        goes_back: bool,
        in_transaction: bool,
    },
}

/// `-- crossfade:allow rule, rule: reason`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub range: Range<usize>,
    pub rules: Vec<String>,
    pub reason: String,
    /// The statement that it is about, by its number; `None` after the last one.
    pub statement: Option<usize>,
}

impl Script {
    pub fn read(original: &str) -> Self {
        let mut reader = Reader::new(original);
        let mut scanner = Scanner::new(original);
        if original.starts_with('\u{FEFF}') {
            reader.replace(0..3, |_| b' ');
            scanner.go_to(3);
        }
        let mut comments = Vec::new();
        while let Some(token) = scanner.next() {
            if token.is_comment() {
                reader.comment(&token);
                comments.push(token);
            } else if let Some(place) = reader.take(&token) {
                scanner.go_to(place);
            }
        }
        reader.end();
        let allowances = comments
            .iter()
            .filter_map(|comment| allowance(original, comment, &reader.statements))
            .collect();
        Self {
            // Only whole tokens were written over, and by ASCII.
            text: String::from_utf8(reader.bytes).unwrap_or_else(|_| original.to_owned()),
            statements: reader.statements,
            allowances,
            events: reader.events,
        }
    }
}

struct Reader<'a> {
    original: &'a str,
    bytes: Vec<u8>,
    statements: Vec<Range<usize>>,
    events: Vec<Happening>,
    /// The tool was told not to wrap the file.
    unwrapped: bool,
    open: Option<Open>,
}

/// The statement being read.
struct Open {
    range: Range<usize>,
    parentheses: usize,
    brackets: usize,
    /// The first words, in lower case.
    words: Vec<String>,
    /// Levels of `BEGIN ATOMIC … END` and of CASE within.
    atomic: usize,
    last_word: String,
    from_stdin: bool,
}

impl<'a> Reader<'a> {
    fn new(original: &'a str) -> Self {
        Self {
            original,
            bytes: original.as_bytes().to_vec(),
            statements: Vec::new(),
            events: Vec::new(),
            unwrapped: false,
            open: None,
        }
    }

    /// Takes a token, and says where to go on if that is not right behind it.
    fn take(&mut self, token: &Token) -> Option<usize> {
        match token.class {
            Class::Meta => self.meta(token),
            Class::Semicolon => {
                // `\;` keeps psql from sending the one before it by itself.
                if token.range.len() == 2 {
                    self.replace(token.range.start..token.range.start + 1, |_| b' ');
                }
                return self.semicolon(token);
            }
            _ => self.word_or_sign(token),
        }
        None
    }

    fn comment(&mut self, token: &Token) {
        if token.class != Class::LineComment {
            return;
        }
        let text = token.text(self.original);
        self.unwrapped |= tools::wants_no_transaction(text);
        if let Some(what) = tools::section(text, self.unwrapped) {
            self.end();
            self.events.push(Happening {
                range: token.range.clone(),
                what,
            });
        }
    }

    fn meta(&mut self, token: &Token) {
        let command = token.text(self.original).trim_start_matches('\\');
        let name: String = command
            .chars()
            .take_while(|letter| letter.is_ascii_alphabetic() || *letter == '_')
            .collect();
        // They send what has been written so far.
        if matches!(
            name.as_str(),
            "g" | "gx" | "gset" | "gexec" | "gdesc" | "crosstabview" | "watch"
        ) {
            self.end();
        }
        let what = match name.as_str() {
            "i" | "ir" | "include" | "include_relative" => Some(Event::Include),
            "gexec" => Some(Event::Execute),
            "c" | "connect" => Some(Event::Connect),
            "if" => Some(Event::If(&[Edge::Begin])),
            "elif" | "else" => Some(Event::If(&[Edge::End, Edge::Begin])),
            "endif" => Some(Event::If(&[Edge::End])),
            _ if command.starts_with('!') => Some(Event::Shell),
            _ => None,
        };
        self.events.extend(what.map(|what| Happening {
            range: token.range.clone(),
            what,
        }));
        self.replace(token.range.clone(), |_| b' ');
    }

    fn semicolon(&mut self, token: &Token) -> Option<usize> {
        let open = self.open.as_mut()?;
        open.range.end = token.range.end;
        if open.parentheses > 0 || open.atomic > 0 {
            return None;
        }
        let is_copy = open.words.first().is_some_and(|word| word == "copy") && open.from_stdin;
        self.end();
        is_copy.then(|| {
            let data = token.range.end..end_of_data(self.original, token.range.end);
            let end = data.end;
            self.replace(data, |_| b' ');
            end
        })
    }

    fn word_or_sign(&mut self, token: &Token) {
        let text = token.text(self.original);
        let open = self.open.get_or_insert_with(|| Open::at(token));
        open.range.end = token.range.end;
        match token.class {
            Class::Open if text == "(" => open.parentheses += 1,
            Class::Close if text == ")" => open.parentheses = open.parentheses.saturating_sub(1),
            Class::Open => open.brackets += 1,
            Class::Close => open.brackets = open.brackets.saturating_sub(1),
            // A slice, `a[1:n]`, has such a colon too.
            Class::Placeholder if open.brackets == 0 => self.stand_in(token.range.clone()),
            Class::Word => open.word(&text.to_ascii_lowercase()),
            _ => {}
        }
    }

    fn end(&mut self) {
        if let Some(open) = self.open.take() {
            self.statements.push(open.range);
        }
    }

    /// A name in the place of a placeholder; psql's colon is just taken away.
    fn stand_in(&mut self, range: Range<usize>) {
        let is_colon = range.len() == 1;
        self.replace(range, |byte| match byte {
            _ if is_colon => b' ',
            _ if byte.is_ascii_alphanumeric() => byte.to_ascii_lowercase(),
            _ => b'_',
        });
    }

    /// Writes over a range, but for its line ends.
    fn replace(&mut self, range: Range<usize>, by: impl Fn(u8) -> u8) {
        for byte in self.bytes.get_mut(range).unwrap_or_default() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = by(*byte);
            }
        }
    }
}

impl Open {
    fn at(token: &Token) -> Self {
        Self {
            range: token.range.clone(),
            parentheses: 0,
            brackets: 0,
            words: Vec::new(),
            atomic: 0,
            last_word: String::new(),
            from_stdin: false,
        }
    }

    fn word(&mut self, word: &str) {
        let is_routine = self.words.first().is_some_and(|first| first == "create")
            && self
                .words
                .iter()
                .any(|word| word == "function" || word == "procedure");
        match word {
            "atomic" if is_routine && self.last_word == "begin" => self.atomic = 1,
            "case" if self.atomic > 0 => self.atomic += 1,
            "end" if self.atomic > 0 => self.atomic -= 1,
            "stdin" if self.last_word == "from" => self.from_stdin = true,
            _ => {}
        }
        if self.words.len() < 5 {
            self.words.push(word.to_owned());
        }
        word.clone_into(&mut self.last_word);
    }
}

/// Behind the line `\.`, or the end of the text where there is none.
fn end_of_data(text: &str, from: usize) -> usize {
    let mut at = from
        + text[from..]
            .find('\n')
            .map_or(text.len() - from, |end| end + 1);
    while at < text.len() {
        let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
        if text[at..line_end].trim_end() == "\\." {
            return line_end;
        }
        at = line_end;
    }
    text.len()
}

/// What a comment allows, and to which statement: the one that it stands before or in, or the one that ends on its line.
fn allowance(text: &str, comment: &Token, statements: &[Range<usize>]) -> Option<Allowance> {
    let inside = comment
        .text(text)
        .trim_start_matches("--")
        .trim_start_matches("/*")
        .trim_end_matches("*/")
        .trim();
    let words = inside.strip_prefix(MARK)?;
    let (rules, reason) = words.split_once(':').unwrap_or((words, ""));
    let next = statements.partition_point(|statement| statement.end <= comment.range.start);
    let before = next.checked_sub(1).filter(|before| {
        text.get(statements[*before].end..comment.range.start)
            .is_some_and(|between| !between.contains('\n'))
    });
    Some(Allowance {
        range: comment.range.clone(),
        rules: rules
            .split(',')
            .map(|rule| rule.trim().to_owned())
            .filter(|rule| !rule.is_empty())
            .collect(),
        reason: reason.trim().to_owned(),
        statement: before.or(Some(next).filter(|next| *next < statements.len())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<String> {
        let script = Script::read(text);
        assert_eq!(script.text.len(), text.len());
        script
            .statements
            .iter()
            .map(|range| script.text[range.clone()].to_owned())
            .collect()
    }

    #[test]
    fn statements_end_at_semicolons_that_are_not_within_something() {
        assert_eq!(
            statements("a ';' ; /* ; */ b $$;$$;;c (;) -- ;\n; d"),
            ["a ';' ;", "b $$;$$;", "c (;) -- ;\n;", "d"]
        );
        let function = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; x;";
        assert_eq!(statements(function).len(), 2);
        assert_eq!(statements("BEGIN; a; END;").len(), 3);
    }

    #[test]
    fn psql_commands_and_the_data_of_copy_are_not_sql() {
        let text = "\\set ON_ERROR_STOP on\nCOPY t (a) FROM stdin;\n1;it's\n\\N\t\"\n\\.\nSELECT 1 \\gset\nSELECT 2;";
        assert_eq!(
            statements(text),
            ["COPY t (a) FROM stdin;", "SELECT 1", "SELECT 2;"]
        );
        assert_eq!(
            statements("COPY t FROM STDIN;\n'open"),
            ["COPY t FROM STDIN;"]
        );
        assert_eq!(
            Script::read("\\i other.sql\n").events,
            [Happening {
                range: 0..12,
                what: Event::Include
            }]
        );
        assert_eq!(
            statements("SELECT 1\\; SELECT 2;"),
            ["SELECT 1 ;", "SELECT 2;"]
        );
    }

    #[test]
    fn placeholders_become_names_of_the_same_length() {
        assert_eq!(
            statements("DROP TABLE ${Schema}.t, :\"a b\", {{x}}.u; SELECT a[1:n], :'v'::int"),
            [
                "DROP TABLE __schema_.t,  \"a b\", __x__.u;",
                "SELECT a[1:n],  'v'::int"
            ]
        );
    }

    #[test]
    fn a_comment_allows_before_within_and_behind_its_statement() {
        let text = "-- crossfade:allow a, b: it is small\nx;\ny; -- crossfade:allow c: why not\n\nz /* crossfade:allow d */;\n-- crossfade:allow e: late";
        let found: Vec<_> = Script::read(text)
            .allowances
            .into_iter()
            .map(|allowance| {
                (
                    allowance.rules.join("+"),
                    allowance.reason,
                    allowance.statement,
                )
            })
            .collect();
        let expected = [
            ("a+b", "it is small", Some(0)),
            ("c", "why not", Some(1)),
            ("d", "", Some(2)),
            ("e", "late", None),
        ];
        assert_eq!(
            found,
            expected.map(|(rules, reason, statement)| (
                rules.to_owned(),
                reason.to_owned(),
                statement
            ))
        );
    }
}

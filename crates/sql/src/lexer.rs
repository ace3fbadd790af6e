//! The tokens of SQL text as psql reads them: enough to find where statements, comments, bodies and data begin and end.
//! It never fails: what is not closed goes to the end of the text.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A keyword, a name or a parameter.
    Word,
    QuotedName,
    /// `'…'`, `E'…'` and their like.
    String,
    /// `$tag$…$tag$`.
    DollarString,
    Number,
    LineComment,
    BlockComment,
    Semicolon,
    /// `(` or `[`.
    Open,
    Close,
    /// A psql command, to the end of its line.
    Meta,
    /// A psql variable's colon, or a whole `${placeholder}`: not SQL before some tool has replaced it.
    Placeholder,
    Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub class: Class,
    pub range: Range<usize>,
}

impl Token {
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.range.clone()).unwrap_or_default()
    }

    pub fn is_word(&self, text: &str, word: &str) -> bool {
        self.class == Class::Word && self.text(text).eq_ignore_ascii_case(word)
    }

    pub fn is_comment(&self) -> bool {
        matches!(self.class, Class::LineComment | Class::BlockComment)
    }

    /// The identifier or keyword that it stands for, folded as the server folds it. `None` for everything else, parameters too.
    pub fn name(&self, text: &str) -> Option<String> {
        let word = self.text(text);
        match self.class {
            Class::Word if !word.starts_with('$') => Some(word.to_ascii_lowercase()),
            Class::QuotedName => {
                let inside = word.strip_prefix('"')?.strip_suffix('"')?;
                Some(inside.replace("\"\"", "\""))
            }
            _ => None,
        }
    }
}

/// The tokens without white space.
pub fn tokens(text: &str) -> Vec<Token> {
    Scanner::new(text).collect()
}

/// The tokens that are neither white space nor comments.
pub fn significant(text: &str) -> Vec<Token> {
    Scanner::new(text)
        .filter(|token| !token.is_comment())
        .collect()
}

/// What begins in this text and does not end in it.
pub fn unclosed(text: &str) -> Option<Class> {
    let ended = format!("{text}\n;");
    let last = Scanner::new(&ended).last()?;
    (last.range.start <= text.len()).then_some(last.class)
}

/// Each significant token with the number of parentheses that are open around it. Those that open and close count as outside
/// their own.
pub fn nested(text: &str) -> Vec<(Token, u32)> {
    let mut depth = 0_u32;
    let tokens = significant(text).into_iter();
    tokens
        .map(|token| match token.class {
            Class::Open => {
                depth += 1;
                (token, depth - 1)
            }
            Class::Close => {
                depth = depth.saturating_sub(1);
                (token, depth)
            }
            _ => (token, depth),
        })
        .collect()
}

/// The parts between the commas that stand outside parentheses.
pub fn split_list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (token, depth) in nested(text) {
        if depth == 0 && token.text(text) == "," {
            parts.push(&text[from..token.range.start]);
            from = token.range.end;
        }
    }
    parts.push(&text[from..]);
    parts
}

/// What stands before the first parentheses, in them and after them.
pub fn around_list(text: &str) -> Option<(&str, &str, &str)> {
    let tokens = nested(text);
    let mut outside = tokens.iter().filter(|(_, depth)| *depth == 0);
    let (open, _) = outside.find(|(token, _)| token.class == Class::Open)?;
    let (close, _) = outside.find(|(token, _)| token.class == Class::Close)?;
    Some((
        &text[..open.range.start],
        &text[open.range.end..close.range.start],
        &text[close.range.end..],
    ))
}

/// Goes over bytes: every character that ends or begins something is ASCII, and the others are parts of words.
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_while(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
        let start = self.at;
        let class = self.take(self.peek(0)?);
        Some(Token {
            class,
            range: start..self.at,
        })
    }
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Goes on at this byte, which begins a character.
    pub fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    fn take(&mut self, first: u8) -> Class {
        match first {
            b'-' if self.peek(1) == Some(b'-') => {
                self.skip_while(|byte| byte != b'\n');
                Class::LineComment
            }
            b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
            b'\'' => self.string(0, false),
            b'"' => self.quoted_name(0),
            b'$' => self.dollar(),
            b'{' => self.placeholder(0),
            b'\\' if self.peek(1) == Some(b';') => {
                self.at += 2;
                Class::Semicolon
            }
            b'\\' => {
                self.skip_while(|byte| byte != b'\n');
                Class::Meta
            }
            b';' => self.one(Class::Semicolon),
            b'(' | b'[' => self.one(Class::Open),
            b')' | b']' => self.one(Class::Close),
            b':' => self.colon(),
            b'0'..=b'9' => {
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
                Class::Number
            }
            _ if starts_word(first) => self.word(first),
            _ => self.one(Class::Operator),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn one(&mut self, class: Class) -> Class {
        self.at += 1;
        class
    }

    fn skip_while(&mut self, holds: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&holds) {
            self.at += 1;
        }
    }

    fn word(&mut self, first: u8) -> Class {
        match (first.to_ascii_lowercase(), self.peek(1), self.peek(2)) {
            (b'e', Some(b'\''), _) => return self.string(1, true),
            (b'b' | b'x' | b'n', Some(b'\''), _) => return self.string(1, false),
            (b'u', Some(b'&'), Some(b'\'')) => return self.string(2, false),
            (b'u', Some(b'&'), Some(b'"')) => return self.quoted_name(2),
            _ => {}
        }
        self.skip_while(|byte| starts_word(byte) || byte.is_ascii_digit() || byte == b'$');
        Class::Word
    }

    /// `prefix` bytes stand before the quote.
    fn string(&mut self, prefix: usize, backslashes: bool) -> Class {
        self.at += prefix + 1;
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match byte {
                b'\\' if backslashes => self.at += 1,
                b'\'' if self.peek(0) == Some(b'\'') => self.at += 1,
                b'\'' => break,
                _ => {}
            }
        }
        self.reach_character();
        Class::String
    }

    fn quoted_name(&mut self, prefix: usize) -> Class {
        self.at += prefix + 1;
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match byte {
                b'"' if self.peek(0) == Some(b'"') => self.at += 1,
                b'"' => break,
                _ => {}
            }
        }
        Class::QuotedName
    }

    fn dollar(&mut self) -> Class {
        if self.peek(1) == Some(b'{') {
            return self.placeholder(1);
        }
        let rest = &self.text.as_bytes()[self.at + 1..];
        let length = rest
            .iter()
            .take_while(|byte| starts_word(**byte) || byte.is_ascii_digit())
            .count();
        let is_tag = rest.get(length) == Some(&b'$')
            && !rest.first().is_some_and(|first| first.is_ascii_digit());
        if !is_tag {
            self.at += 1 + length;
            return Class::Word;
        }
        let tag = &self.text[self.at..self.at + length + 2];
        let inside = self.at + tag.len();
        self.at = match self.text[inside..].find(tag) {
            Some(end) => inside + end + tag.len(),
            None => self.text.len(),
        };
        Class::DollarString
    }

    /// `${…}` or `{{…}}` on one line, of whatever tool.
    fn placeholder(&mut self, prefix: usize) -> Class {
        let rest = &self.text[self.at + prefix..];
        let line = rest.split('\n').next().unwrap_or_default();
        let Some(end) = line.find('}') else {
            return self.one(Class::Operator);
        };
        let closing = line[end..].bytes().take_while(|byte| *byte == b'}').count();
        self.at += prefix + end + closing;
        Class::Placeholder
    }

    /// `::` is a cast, `:=` an assignment; `:name`, `:'name'` and `:"name"` are psql's variables.
    fn colon(&mut self) -> Class {
        match self.peek(1) {
            Some(b':' | b'=') => {
                self.at += 2;
                Class::Operator
            }
            Some(b'\'' | b'"') => self.one(Class::Placeholder),
            Some(byte) if starts_word(byte) => self.one(Class::Placeholder),
            _ => self.one(Class::Operator),
        }
    }

    fn block_comment(&mut self) -> Class {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        break;
                    }
                }
                _ => self.at += 1,
            }
        }
        Class::BlockComment
    }

    /// A backslash may have led into the middle of a character, or past the end.
    fn reach_character(&mut self) {
        self.at = self.at.min(self.text.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }
}

/// Bytes of other than ASCII characters are parts of names to PostgreSQL.
fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(Class, &str)> {
        tokens(text)
            .iter()
            .map(|token| (token.class, token.text(text)))
            .collect()
    }

    #[test]
    fn quotes_of_every_kind_hide_what_is_in_them() {
        assert_eq!(
            shown(r#"'a;''b' E'\';' "x""; y" $$;$$ $t$ $$ ; $t$ U&"d;" a$b$c"#),
            [
                (Class::String, "'a;''b'"),
                (Class::String, r"E'\';'"),
                (Class::QuotedName, r#""x""; y""#),
                (Class::DollarString, "$$;$$"),
                (Class::DollarString, "$t$ $$ ; $t$"),
                (Class::QuotedName, r#"U&"d;""#),
                (Class::Word, "a$b$c"),
            ]
        );
    }

    #[test]
    fn comments_nest_and_psql_has_words_of_its_own() {
        assert_eq!(
            shown("/* a /* ; */ b */ -- x;\n\\set a 1\n:v ::int $1 ${s}.t {{ u }}"),
            [
                (Class::BlockComment, "/* a /* ; */ b */"),
                (Class::LineComment, "-- x;"),
                (Class::Meta, "\\set a 1"),
                (Class::Placeholder, ":"),
                (Class::Word, "v"),
                (Class::Operator, "::"),
                (Class::Word, "int"),
                (Class::Word, "$1"),
                (Class::Placeholder, "${s}"),
                (Class::Operator, "."),
                (Class::Word, "t"),
                (Class::Placeholder, "{{ u }}"),
            ]
        );
    }

    #[test]
    fn names_are_folded_or_without_their_quotes() {
        let text = r#"Status "My ""Col""" $1 'a' U&"d""#;
        let names: Vec<_> = tokens(text).iter().map(|token| token.name(text)).collect();
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(
            names,
            [name("status"), name("My \"Col\""), None, None, None]
        );
    }

    #[test]
    fn lists_are_split_outside_parentheses_and_quotes() {
        let text = "lower(a, b) , \"c,(d\", E'\\',' -- e, f";
        assert_eq!(
            split_list(text),
            ["lower(a, b) ", " \"c,(d\"", " E'\\',' -- e, f"]
        );
        assert_eq!(
            around_list("KEY (a, \")\", f(b)) REFERENCES t(c)"),
            Some(("KEY ", "a, \")\", f(b)", " REFERENCES t(c)"))
        );
        assert_eq!(around_list("'(a)' (b"), None);
    }

    #[test]
    fn what_is_not_closed_is_told() {
        for (text, class) in [
            ("SELECT 'a", Some(Class::String)),
            ("SELECT E'a\\'", Some(Class::String)),
            ("SELECT 'a\\'", None),
            ("\"a", Some(Class::QuotedName)),
            ("$a$ $b$", Some(Class::DollarString)),
            ("/* /* */", Some(Class::BlockComment)),
            ("a -- b", None),
            ("a;", None),
            ("", None),
        ] {
            assert_eq!(unclosed(text), class, "{text}");
        }
    }

    #[test]
    fn what_is_not_closed_goes_to_the_end() {
        for text in [
            "'a",
            "\"a",
            "$$a",
            "/* a /* b */",
            "E'a\\",
            "E'\\é",
            "${a",
            "{",
        ] {
            assert_eq!(
                tokens(text).last().map(|token| token.range.end),
                Some(text.len()),
                "{text}"
            );
        }
    }
}

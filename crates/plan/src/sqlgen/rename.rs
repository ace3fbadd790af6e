//! Puts another column's name into an expression that the server has written (an index, a CHECK, a default).

use crossfade_model::ident::Ident;
use crossfade_sql::lexer::{Class, Token, significant};

/// Words that an operand may follow. Behind any other word stands no column: `double precision`, `NULLS LAST`,
/// `timestamp without time zone` are made of words that PostgreSQL lets columns have as their names, without quotes.
const BEFORE_OPERANDS: [&str; 38] = [
    "all",
    "and",
    "any",
    "between",
    "both",
    "by",
    "case",
    "check",
    "content",
    "default",
    "distinct",
    "document",
    "else",
    "escape",
    "filter",
    "for",
    "from",
    "having",
    "ilike",
    "in",
    "leading",
    "like",
    "limit",
    "not",
    "offset",
    "on",
    "or",
    "placing",
    "returning",
    "select",
    "set",
    "similar",
    "some",
    "symmetric",
    "then",
    "trailing",
    "when",
    "where",
];

/// SQL text with its tokens.
struct Text<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

impl<'a> Text<'a> {
    fn read(text: &'a str) -> Self {
        let tokens = significant(text);
        Self { text, tokens }
    }

    fn word(&self, at: usize) -> &'a str {
        let token = self.tokens.get(at);
        token.map_or("", |token| token.text(self.text))
    }

    fn before(&self, at: usize) -> Option<usize> {
        at.checked_sub(1)
    }

    fn has_name(&self, at: usize, name: &Ident) -> bool {
        let found = self.tokens[at].name(self.text);
        found.is_some_and(|found| found == name.as_str())
    }

    /// As the server writes it: a name that is a keyword, too, stands in quotes, and the keyword does not.
    fn has_written_name(&self, at: usize, name: &Ident) -> bool {
        let is_quoted = self.tokens[at].class == Class::QuotedName;
        self.has_name(at, name) && (is_quoted || name.to_string() == name.as_str())
    }

    /// The name at this place is a column's, and not that of a type, a function, a collation or a table, or a keyword.
    fn is_column(&self, at: usize) -> bool {
        let is_function_or_qualifier = matches!(self.word(at + 1), "(" | ".");
        let is_argument =
            self.word(at + 1) == "=" && self.word(at + 2) == ">" && self.touch(at + 1);
        !is_function_or_qualifier
            && !is_argument
            && self.may_begin_operand(at)
            && !self.is_word_of_syntax(at)
    }

    /// Nothing stands between this token and the next.
    fn touch(&self, at: usize) -> bool {
        let end = self.tokens.get(at).map(|token| token.range.end);
        let start = self.tokens.get(at + 1).map(|token| token.range.start);
        end.is_some() && end == start
    }

    fn may_begin_operand(&self, at: usize) -> bool {
        let Some(before) = self.before(at) else {
            return true;
        };
        let word = self.word(before);
        match self.tokens[before].class {
            Class::Open | Class::Placeholder => true,
            Class::Operator => word != "." && word != "::",
            // `x AT TIME ZONE y`, and not `time zone` by itself.
            Class::Word if word.eq_ignore_ascii_case("zone") => {
                let time = self.before(before).and_then(|time| self.before(time));
                time.is_some_and(|at| self.word(at).eq_ignore_ascii_case("at"))
            }
            // `a SIMILAR TO b`, and not `interval day to second`.
            Class::Word if word.eq_ignore_ascii_case("to") => {
                let similar = self.before(before);
                similar.is_some_and(|at| self.word(at).eq_ignore_ascii_case("similar"))
            }
            Class::Word => BEFORE_OPERANDS.contains(&word.to_ascii_lowercase().as_str()),
            Class::Close => self.closes_operator(before),
            _ => false,
        }
    }

    /// The end of `OPERATOR(public.<>)`.
    fn closes_operator(&self, close: usize) -> bool {
        let open = (0..close).rev().find(|at| self.word(*at) == "(");
        let name = open.and_then(|open| self.before(open));
        name.is_some_and(|at| self.word(at).eq_ignore_ascii_case("operator"))
    }

    /// `year` of `EXTRACT(year FROM …)`, `fillfactor` of `WITH (fillfactor='70')`.
    fn is_word_of_syntax(&self, at: usize) -> bool {
        let first = self.before(at).filter(|open| self.word(*open) == "(");
        let caller = first.and_then(|open| self.before(open));
        let is_field = caller.is_some_and(|at| self.word(at).eq_ignore_ascii_case("extract"));
        let is_option = self.word(at + 1) == "=" && self.is_within_with(at);
        is_field || is_option
    }

    fn is_within_with(&self, at: usize) -> bool {
        let mut depth = 0;
        for place in (0..at).rev() {
            match self.tokens[place].class {
                Class::Close => depth += 1,
                Class::Open if depth == 0 => {
                    let before = self.before(place);
                    return before.is_some_and(|at| self.word(at).eq_ignore_ascii_case("with"));
                }
                Class::Open => depth -= 1,
                _ => {}
            }
        }
        false
    }

    /// The text with some of its tokens replaced.
    fn with(&self, replacement: impl Fn(usize) -> Option<&'a str>) -> String {
        let mut out = String::with_capacity(self.text.len() + 16);
        let mut from = 0;
        for (at, token) in self.tokens.iter().enumerate() {
            if let Some(replacement) = replacement(at) {
                out.push_str(&self.text[from..token.range.start]);
                out.push_str(replacement);
                from = token.range.end;
            }
        }
        out.push_str(&self.text[from..]);
        out
    }
}

/// `text`, as `pg_get_expr` and its side write it, with every reference to the column `from` made one to `to`.
pub fn rename_column(text: &str, from: &Ident, to: &Ident) -> String {
    substitute_column(text, from, &to.to_string())
}

/// `text` with every reference to the column `from` replaced by `replacement`, which is SQL.
pub fn substitute_column(text: &str, from: &Ident, replacement: &str) -> String {
    let read = Text::read(text);
    let is_column = |at: usize| read.has_written_name(at, from) && read.is_column(at);
    read.with(|at| is_column(at).then_some(replacement))
}

/// `text` with `vehicles.status` made `status`, for the one table that an expression can be over.
pub fn without_qualifier(text: &str, table: &Ident) -> String {
    let read = Text::read(text);
    let qualifies = |at: usize| {
        read.has_name(at, table) && read.word(at + 1) == "." && read.may_begin_operand(at)
    };
    read.with(|at| {
        let is_dot = read.before(at).is_some_and(qualifies);
        (qualifies(at) || is_dot).then_some("")
    })
}

/// The names in a list of columns: `order_id, "line no"`.
pub fn names(text: &str) -> Vec<Ident> {
    let tokens = significant(text).into_iter();
    let names = tokens.filter_map(|token| token.name(text));
    names.map(Ident::from_catalog).collect()
}

/// Whether `text` names the column.
pub fn names_column(text: &str, column: &Ident) -> bool {
    let read = Text::read(text);
    (0..read.tokens.len()).any(|at| read.has_name(at, column) && read.is_column(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_to_the_column_are_renamed() {
        let (from, to) = ("status".parse().unwrap(), "\"State\"".parse().unwrap());
        for (text, renamed) in [
            ("btree (status)", "btree (\"State\")"),
            (
                "btree (lower((status)::text) DESC) INCLUDE (id) WHERE ((status)::text <> 'status'::text)",
                "btree (lower((\"State\")::text) DESC) INCLUDE (id) WHERE ((\"State\")::text <> 'status'::text)",
            ),
            (
                "(status = 'x'::public.status)",
                "(\"State\" = 'x'::public.status)",
            ),
            ("(status = 'x'::status)", "(\"State\" = 'x'::status)"),
            ("status(status)", "status(\"State\")"),
            (
                "(\"status\" COLLATE \"status\")",
                "(\"State\" COLLATE \"status\")",
            ),
            ("order_status <> status_old", "order_status <> status_old"),
            (
                "CHECK ((status ~ 'it''s status'))",
                "CHECK ((\"State\" ~ 'it''s status'))",
            ),
        ] {
            assert_eq!(rename_column(text, &from, &to), renamed);
        }
        let renamed = |name: &str, text: &str| {
            rename_column(text, &name.parse().unwrap(), &"x".parse().unwrap())
        };
        // Keywords that a column may be called by without quotes.
        for (name, text, wanted) in [
            (
                "last",
                "btree (last DESC NULLS LAST)",
                "btree (x DESC NULLS LAST)",
            ),
            (
                "zone",
                "((a)::timestamp without time zone > zone)",
                "((a)::timestamp without time zone > x)",
            ),
            ("zone", "(a AT TIME ZONE zone)", "(a AT TIME ZONE x)"),
            (
                "year",
                "(EXTRACT(year FROM made) > year)",
                "(EXTRACT(year FROM made) > x)",
            ),
            (
                "varying",
                "(varying)::character varying(5)",
                "(x)::character varying(5)",
            ),
            (
                "double",
                "(double)::double precision",
                "(x)::double precision",
            ),
            (
                "unknown",
                "((unknown > 1) IS UNKNOWN)",
                "((x > 1) IS UNKNOWN)",
            ),
            (
                "fillfactor",
                "btree (fillfactor) WITH (fillfactor='70')",
                "btree (x) WITH (fillfactor='70')",
            ),
            (
                "include",
                "btree (a, include) INCLUDE (include)",
                "btree (a, x) INCLUDE (x)",
            ),
            (
                "text_ops",
                "btree (a text_ops, text_ops)",
                "btree (a text_ops, x)",
            ),
            ("n", "a[1:n] || '{n}'", "a[1:x] || '{n}'"),
            ("s", r"E'it\'s s' || s", r"E'it\'s s' || x"),
            (
                "s",
                "CASE s WHEN s THEN s ELSE s END IN (s, s)",
                "CASE x WHEN x THEN x ELSE x END IN (x, x)",
            ),
            (
                "a",
                "(a IS DISTINCT FROM a) OR NOT a",
                "(x IS DISTINCT FROM x) OR NOT x",
            ),
        ] {
            assert_eq!(renamed(name, text), wanted);
        }
        assert_eq!(
            without_qualifier("lower(t.status) || 't.' || u.t", &"t".parse().unwrap()),
            "lower(status) || 't.' || u.t"
        );
        assert!(names_column("lower(status)", &from));
        assert!(!names_column("status(1)", &from));
    }
}

//! Puts another column's name into an expression that the server has written (an index, a CHECK, a default).

use crate::plan::ident::Ident;

/// One word of SQL text, as far as renaming needs to tell words apart.
#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    /// A bare or quoted identifier (or keyword), with the name it stands for.
    Name { text: &'a str, name: String },
    /// Anything that cannot hold a column: strings, numbers, operators, white space, comments.
    Other(&'a str),
}

/// `text`, as `pg_get_expr` and its kin write it, with every reference to the column `from` made one to `to`.
///
/// The server writes column references bare and everything else in a way that can be told apart: types stand behind
/// `::`, functions before `(`, collations behind COLLATE, qualified names around a dot.
pub fn rename_column(text: &str, from: &Ident, to: &Ident) -> String {
    substitute_column(text, from, &to.to_string())
}

/// `text` with every reference to the column `from` replaced by `replacement`, which is SQL.
pub fn substitute_column(text: &str, from: &Ident, replacement: &str) -> String {
    let tokens = tokens(text);
    let mut out = String::with_capacity(text.len() + 16);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Name { name, .. } if name == from.as_str() && is_column(&tokens, at) => {
                out.push_str(replacement);
            }
            Token::Name { text, .. } | Token::Other(text) => out.push_str(text),
        }
    }
    out
}

/// `text` with `vehicles.status` made `status`, for the one table that an expression can be over.
pub fn without_qualifier(text: &str, table: &Ident) -> String {
    let tokens = tokens(text);
    let mut out = String::with_capacity(text.len());
    let mut skip_dot = false;
    for (at, token) in tokens.iter().enumerate() {
        let qualifies = matches!(token, Token::Name { name, .. } if name == table.as_str())
            && matches!(tokens.get(at + 1), Some(Token::Other(".")));
        match token {
            Token::Other(_) if skip_dot => skip_dot = false,
            _ if qualifies => skip_dot = true,
            Token::Name { text, .. } | Token::Other(text) => out.push_str(text),
        }
    }
    out
}

/// The names in a list of columns: `order_id, "line no"`.
pub fn names(text: &str) -> Vec<Ident> {
    tokens(text)
        .into_iter()
        .filter_map(|token| match token {
            Token::Name { name, .. } => Some(Ident::from_catalog(name)),
            Token::Other(_) => None,
        })
        .collect()
}

/// Whether `text` names the column.
pub fn names_column(text: &str, column: &Ident) -> bool {
    let tokens = tokens(text);
    tokens.iter().enumerate().any(|(at, token)| {
        matches!(token, Token::Name { name, .. } if name == column.as_str())
            && is_column(&tokens, at)
    })
}

fn is_column(tokens: &[Token<'_>], at: usize) -> bool {
    let visible =
        |token: &&Token<'_>| !matches!(token, Token::Other(text) if text.trim().is_empty());
    let before = tokens[..at].iter().rev().find(visible);
    let after = tokens[at + 1..].iter().find(visible);
    let names_something_else = match before {
        Some(Token::Other(text)) => text.ends_with('.') || text.ends_with("::"),
        Some(Token::Name { text, .. }) => text.eq_ignore_ascii_case("collate"),
        None => false,
    };
    let is_function_or_qualifier =
        matches!(after, Some(Token::Other(text)) if text.starts_with('(') || text.starts_with('.'));
    !names_something_else && !is_function_or_qualifier
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => quoted_length(rest, '"'),
            '\'' => quoted_length(rest, '\''),
            _ if is_name_start(first) => rest
                .find(|c: char| !is_name_start(c) && !c.is_ascii_digit() && c != '$')
                .unwrap_or(rest.len()),
            _ if first.is_ascii_digit() => rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
                .unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        tokens.push(match first {
            '"' => Token::Name {
                text: word,
                name: word.trim_matches('"').replace("\"\"", "\""),
            },
            _ if is_name_start(first) => Token::Name {
                text: word,
                name: word.to_ascii_lowercase(),
            },
            _ => Token::Other(word),
        });
        rest = after;
    }
    tokens
}

fn is_name_start(letter: char) -> bool {
    letter == '_' || letter.is_ascii_alphabetic() || !letter.is_ascii()
}

/// The length in bytes of a quoted word, a doubled quote being a quote in it; the rest where it is not closed.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            continue;
        }
        match letters.peek() {
            Some((_, next)) if *next == quote => {
                letters.next();
            }
            _ => return at + 1,
        }
    }
    text.len()
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
        assert_eq!(
            without_qualifier("lower(t.status) || 't.' || u.t", &"t".parse().unwrap()),
            "lower(status) || 't.' || u.t"
        );
        assert!(names_column("lower(status)", &from));
        assert!(!names_column("status(1)", &from));
    }
}

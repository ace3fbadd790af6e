//! The author's own SQL, split into its statements as psql splits it: quotes, dollar quotes and comments are seen.

/// A piece of SQL text: code, or what stands in quotes or a comment.
enum Piece<'a> {
    Code(&'a str),
    Quoted(&'a str),
    Comment(&'a str),
}

/// The statements, without their semicolons and without those that are empty; or what is not closed.
pub fn statements(script: &str) -> Result<Vec<String>, &'static str> {
    let mut statements = vec![String::new()];
    let mut has_code = vec![false];
    for piece in pieces(script)? {
        match piece {
            Piece::Quoted(text) | Piece::Comment(text) => {
                if let (Some(last), Some(has_code)) = (statements.last_mut(), has_code.last_mut()) {
                    last.push_str(text);
                    *has_code |= matches!(piece, Piece::Quoted(_));
                }
            }
            Piece::Code(code) => {
                for (number, part) in code.split(';').enumerate() {
                    if number > 0 {
                        statements.push(String::new());
                        has_code.push(false);
                    }
                    if let (Some(last), Some(has_code)) =
                        (statements.last_mut(), has_code.last_mut())
                    {
                        last.push_str(part);
                        *has_code |= !part.trim().is_empty();
                    }
                }
            }
        }
    }
    Ok(statements
        .into_iter()
        .zip(has_code)
        .filter(|(_, has_code)| *has_code)
        .map(|(statement, _)| statement.trim().to_owned())
        .collect())
}

/// Why this cannot stand in parentheses as one query.
pub fn unbalanced(query: &str) -> Option<&'static str> {
    let pieces = match pieces(query) {
        Ok(pieces) => pieces,
        Err(why) => return Some(why),
    };
    let mut depth = 0_i64;
    for piece in pieces {
        let Piece::Code(code) = piece else { continue };
        for letter in code.chars() {
            match letter {
                ';' => return Some("has a `;`: one query or expression is wanted, not statements"),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth < 0 {
                return Some("closes a parenthesis that it has not opened");
            }
        }
    }
    (depth != 0).then_some("has a parenthesis that is not closed")
}

/// The first two words outside quotes and comments, in lower case.
pub fn first_words(statement: &str) -> Vec<String> {
    words(statement).into_iter().take(2).collect()
}

/// Whether this word stands in it, outside quotes and comments.
pub fn has_word(statement: &str, word: &str) -> bool {
    words(statement).iter().any(|found| found == word)
}

fn words(statement: &str) -> Vec<String> {
    let pieces = pieces(statement).unwrap_or_default();
    let code = pieces.iter().filter_map(|piece| match piece {
        Piece::Code(code) => Some(*code),
        Piece::Quoted(_) | Piece::Comment(_) => None,
    });
    code.flat_map(|code| code.split(|c: char| !(c.is_alphanumeric() || c == '_')))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let before = text[..at].chars().next_back();
        let length = match letter {
            '\'' => {
                let escapes = before.is_some_and(|c| c == 'e' || c == 'E');
                Some(quoted(rest, '\'', escapes).ok_or("has a quote that is not closed")?)
            }
            '"' => Some(quoted(rest, '"', false).ok_or("has a quote that is not closed")?),
            '-' if rest.starts_with("--") => Some(rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => {
                Some(block_comment(rest).ok_or("has a comment that is not closed")?)
            }
            '$' if !before.is_some_and(|c| c.is_alphanumeric() || c == '_') => {
                match dollar_tag(rest) {
                    None => None,
                    Some(tag) => {
                        let end = rest[tag.len()..].find(tag);
                        let end = end.ok_or("has a dollar quote that is not closed")?;
                        Some(end + 2 * tag.len())
                    }
                }
            }
            _ => None,
        };
        let Some(length) = length else {
            at += letter.len_utf8();
            continue;
        };
        if from < at {
            pieces.push(Piece::Code(&text[from..at]));
        }
        let piece = &text[at..at + length];
        pieces.push(if matches!(letter, '-' | '/') {
            Piece::Comment(piece)
        } else {
            Piece::Quoted(piece)
        });
        at += length;
        from = at;
    }
    if from < text.len() {
        pieces.push(Piece::Code(&text[from..]));
    }
    Ok(pieces)
}

/// How long the quoted text is that begins here, its quotes included. A doubled quote does not end it.
fn quoted(text: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' && escapes {
            letters.next();
        } else if letter == quote {
            match letters.peek() {
                Some((_, next)) if *next == quote => {
                    letters.next();
                }
                _ => return Some(at + 1),
            }
        }
    }
    None
}

/// Comments nest in PostgreSQL.
fn block_comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

/// `$$` or `$tag$`.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 1;
    let tag = &text[1..end];
    let fits = tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    fits.then(|| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_quotes_or_comments_ends_no_statement() {
        let script = "SELECT 'a;''b'; -- one; two\nDO $x$ BEGIN; END $x$;\n/* ; /* ; */ */ SELECT E'\\';' ;; \"a;b\"";
        let found = statements(script).unwrap();
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[0], "SELECT 'a;''b'");
        assert!(found[1].ends_with("DO $x$ BEGIN; END $x$"), "{found:?}");
        assert_eq!(found[3], "\"a;b\"");
    }

    #[test]
    fn what_is_not_closed_is_told() {
        for script in ["SELECT 'a", "SELECT \"a", "DO $x$ a $y$", "/* /* */"] {
            assert!(statements(script).is_err(), "{script}");
        }
        assert_eq!(statements("SELECT $1; SELECT a$b$c").unwrap().len(), 2);
        assert_eq!(
            statements(" ; -- nothing\n;").unwrap(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn words_are_seen_outside_quotes_only() {
        assert!(has_word(
            "CREATE INDEX CONCURRENTLY a ON b (c)",
            "concurrently"
        ));
        assert!(!has_word(
            "SELECT 'concurrently' /* concurrently */",
            "concurrently"
        ));
        assert_eq!(first_words("-- x\n COMMIT"), ["commit"]);
        assert!(unbalanced("SELECT 1) FROM (SELECT 2").is_some());
        assert!(unbalanced("SELECT ')' = $$;$$").is_none());
    }
}

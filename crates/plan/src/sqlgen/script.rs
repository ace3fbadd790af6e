//! The author's own SQL: its statements, and whether it can stand in parentheses.

use crossfade_sql::lexer::{Class, significant, unclosed};

/// The statements, without their semicolons and without those that are empty; or what is not closed.
pub fn statements(script: &str) -> Result<Vec<String>, &'static str> {
    if let Some(why) = not_closed(script) {
        return Err(why);
    }
    let mut statements = Vec::new();
    let (mut from, mut has_code) = (0, false);
    for token in significant(script) {
        if token.class != Class::Semicolon {
            has_code = true;
            continue;
        }
        if has_code {
            statements.push(script[from..token.range.start].trim().to_owned());
        }
        (from, has_code) = (token.range.end, false);
    }
    if has_code {
        statements.push(script[from..].trim().to_owned());
    }
    Ok(statements)
}

fn not_closed(text: &str) -> Option<&'static str> {
    Some(match unclosed(text)? {
        Class::DollarString => "has a dollar quote that is not closed",
        Class::BlockComment => "has a comment that is not closed",
        _ => "has a quote that is not closed",
    })
}

/// Why this cannot stand in parentheses as one query or expression.
pub fn unbalanced(query: &str) -> Option<&'static str> {
    if let Some(why) = not_closed(query) {
        return Some(why);
    }
    let mut depth = 0_i64;
    for token in significant(query) {
        match token.class {
            Class::Semicolon => {
                return Some("has a `;`: one query or expression is wanted, not statements");
            }
            Class::Open => depth += 1,
            Class::Close => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return Some("closes a parenthesis that it has not opened");
        }
    }
    (depth != 0).then_some("has a parenthesis that is not closed")
}

/// The first two words outside quotes and comments, in lower case.
pub fn first_words(statement: &str) -> Vec<String> {
    words(statement).take(2).collect()
}

/// Whether this word stands in it, outside quotes and comments.
pub fn has_word(statement: &str, word: &str) -> bool {
    words(statement).any(|found| found == word)
}

fn words(statement: &str) -> impl Iterator<Item = String> {
    let tokens = significant(statement).into_iter();
    let words = tokens.filter(|token| token.class == Class::Word);
    words.map(|word| word.text(statement).to_ascii_lowercase())
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

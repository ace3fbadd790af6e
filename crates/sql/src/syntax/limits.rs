//! How large and how deep a statement may be: measured by its tokens, in one pass, before a recursive parser sees it.

use crate::lexer::{Class, Scanner, Token};

/// Parentheses and brackets within each other.
const NESTING_MAX: usize = 60;
/// Blocks of a body within each other: BEGIN, IF, LOOP and CASE that have no END yet. `IF EXISTS` has none either.
const BLOCKS_MAX: usize = 300;
/// Tokens without a comma, a semicolon or a parenthesis between them: `a + b + …` nests as deep as it is long.
const CHAIN_MAX: usize = 1_500;
/// Operators in such a chain, and prefixes (`NOT NOT …`) next to each other.
const OPERATORS_MAX: usize = 400;
const PREFIXES_MAX: usize = 40;
/// Literals within literals.
const BODIES_MAX: usize = 4;
const TOKENS_MAX: usize = 60_000;

pub fn fits(text: &str) -> bool {
    fits_within(text, BODIES_MAX)
}

/// Bodies are parsed with their statement: they are looked at in the same way.
fn fits_within(text: &str, bodies: usize) -> bool {
    let mut counts = Counts::default();
    let mut words = Scanner::new(text).filter(|token| !token.is_comment());
    let holds_bodies = words.next().is_some_and(|first| {
        first.is_word(text, "create") || first.is_word(text, "do") || bodies < BODIES_MAX
    });
    Scanner::new(text).all(|token| {
        let body = match token.class {
            Class::String | Class::DollarString if holds_bodies => inside(token.text(text)),
            _ => "",
        };
        counts.take(&token, text)
            && (body.is_empty() || (bodies > 0 && fits_within(body, bodies - 1)))
    })
}

/// Without its quotes.
fn inside(literal: &str) -> &str {
    let quote = literal.find(['\'', '$']).unwrap_or(0);
    let rest = &literal[quote..];
    let tag = match rest.get(1..).and_then(|rest| rest.find('$')) {
        Some(end) if rest.starts_with('$') => end + 2,
        _ => 1,
    };
    rest.get(tag..rest.len().saturating_sub(tag))
        .unwrap_or_default()
}

#[derive(Default)]
struct Counts {
    tokens: usize,
    nesting: usize,
    blocks: usize,
    chain: usize,
    operators: usize,
    prefixes: usize,
}

impl Counts {
    fn take(&mut self, token: &Token, text: &str) -> bool {
        self.tokens += 1;
        self.chain += 1;
        let mut is_prefix = false;
        match token.class {
            Class::LineComment | Class::BlockComment => return true,
            Class::Open => {
                self.nesting += 1;
                self.link_ends();
            }
            Class::Close => {
                self.nesting = self.nesting.saturating_sub(1);
                self.link_ends();
            }
            Class::Semicolon => self.link_ends(),
            Class::Operator if token.text(text) == "," => self.link_ends(),
            Class::Operator => {
                self.operators += 1;
                is_prefix = true;
            }
            Class::Word => is_prefix = self.word(&token.text(text).to_ascii_lowercase()),
            Class::QuotedName
            | Class::String
            | Class::DollarString
            | Class::Number
            | Class::Meta
            | Class::Placeholder => {}
        }
        self.prefixes = if is_prefix { self.prefixes + 1 } else { 0 };
        self.tokens <= TOKENS_MAX
            && self.nesting <= NESTING_MAX
            && self.blocks <= BLOCKS_MAX
            && self.chain <= CHAIN_MAX
            && self.operators <= OPERATORS_MAX
            && self.prefixes <= PREFIXES_MAX
    }

    /// Whether a word may stand before itself without end.
    fn word(&mut self, word: &str) -> bool {
        match word {
            "begin" | "if" | "loop" | "case" => self.blocks += 1,
            "end" => self.blocks = self.blocks.saturating_sub(1),
            _ => {}
        }
        matches!(
            word,
            "not"
                | "case"
                | "when"
                | "explain"
                | "setof"
                | "begin"
                | "declare"
                | "array"
                | "exists"
                | "interval"
        )
    }

    fn link_ends(&mut self) {
        self.chain = 0;
        self.operators = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn what_nests_without_end_does_not_fit() {
        for piece in [
            "(",
            "[",
            "NOT ",
            "- ",
            "1+",
            "a.",
            "CASE WHEN ",
            "x IS NULL ",
            "IF a THEN ",
        ] {
            assert!(!fits(&piece.repeat(5_000)), "{piece}");
            assert!(fits(&piece.repeat(10)), "{piece}");
        }
        assert!(fits(&"(1, 'a'), ".repeat(5_000)));
        assert!(!fits(&format!("DO $x$ {} $x$", "(".repeat(5_000))));
        assert!(!fits(&format!("DO '{}'", "NOT ".repeat(5_000))));
        assert!(fits(&format!(
            "INSERT INTO t VALUES ('{}')",
            "(".repeat(5_000)
        )));
    }
}

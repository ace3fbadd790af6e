//! Lays generated SQL and PL/pgSQL out for its readers: lines indented by the blocks around them, long ones broken before
//! their clauses and conditions. Only white space between tokens changes.

use crossfade_sql::lexer::{Class, Token, nested, tokens};

const WIDTH: usize = 120;
const STEP: usize = 2;

/// Words that a long line is broken before.
const CLAUSES: [&str; 15] = [
    "AND",
    "CROSS",
    "ELSE",
    "FROM",
    "LEFT",
    "LIMIT",
    "OR",
    "ORDER",
    "RETURNING",
    "SET",
    "THEN",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
];

/// The same code, laid out.
pub fn lay_out(code: &str) -> String {
    let mut out = String::with_capacity(code.len() * 2);
    let mut blocks = Blocks::default();
    for line in lines(code) {
        let indent = blocks.enter(&line);
        let mut parts = Vec::new();
        break_up(line.text, indent, &mut parts);
        for (indent, part) in parts {
            out.push_str(&" ".repeat(indent));
            out.push_str(part);
            out.push('\n');
        }
        blocks.leave(&line);
    }
    // What is run may never depend on how it is laid out.
    match same_tokens(code, &out) {
        true => out,
        false => code.to_owned(),
    }
}

fn same_tokens(one: &str, other: &str) -> bool {
    let (ours, theirs) = (tokens(one), tokens(other));
    let mut pairs = ours.iter().zip(&theirs);
    ours.len() == theirs.len() && pairs.all(|(a, b)| a.text(one) == b.text(other))
}

/// A line of code. What a token has on further lines is part of it.
struct Line<'a> {
    text: &'a str,
    first: String,
    last: String,
    /// The parentheses that it opens, less those that it closes.
    opens: isize,
}

fn lines(code: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut line: Vec<Token> = Vec::new();
    for token in tokens(code) {
        let breaks = line
            .last()
            .is_some_and(|last| code[last.range.end..token.range.start].contains('\n'));
        if breaks {
            lines.extend(Line::of(code, &line));
            line.clear();
        }
        line.push(token);
    }
    lines.extend(Line::of(code, &line));
    lines
}

impl<'a> Line<'a> {
    fn of(code: &'a str, tokens: &[Token]) -> Option<Self> {
        let (first, last) = (tokens.first()?, tokens.last()?);
        let opens = tokens.iter().map(|token| match token.class {
            Class::Open => 1,
            Class::Close => -1,
            _ => 0,
        });
        Some(Self {
            text: &code[first.range.start..last.range.end],
            first: first.text(code).to_ascii_uppercase(),
            last: last.text(code).to_ascii_uppercase(),
            opens: opens.sum(),
        })
    }

    /// The next line begins a statement.
    fn is_complete(&self) -> bool {
        let ends = [";", "THEN", "LOOP", "ELSE", "BEGIN", "DECLARE"];
        let stands_alone = ["<", "#", "--"]
            .iter()
            .any(|mark| self.first.starts_with(mark));
        stands_alone || ends.contains(&self.last.as_str())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Declarations,
    Statements,
}

/// The blocks that are open, and the statement that goes on.
#[derive(Default)]
struct Blocks {
    open: Vec<Block>,
    goes_on: bool,
    parentheses: isize,
}

impl Blocks {
    /// How far a line is indented.
    fn enter(&mut self, line: &Line<'_>) -> usize {
        let closes = usize::from(line.first == ")");
        if self.goes_on {
            let within = self.parentheses.max(0).unsigned_abs();
            return (self.open.len() + (1 + within).saturating_sub(2 * closes)) * STEP;
        }
        match line.first.as_str() {
            "END" => _ = self.open.pop(),
            "BEGIN" if self.open.last() == Some(&Block::Declarations) => _ = self.open.pop(),
            _ => {}
        }
        let opens_again = ["ELSE", "ELSIF", "EXCEPTION"].contains(&line.first.as_str());
        self.open.len().saturating_sub(usize::from(opens_again)) * STEP
    }

    fn leave(&mut self, line: &Line<'_>) {
        if !self.goes_on {
            match (line.first.as_str(), line.last.as_str()) {
                ("DECLARE", _) => self.open.push(Block::Declarations),
                ("BEGIN", _) | ("IF", "THEN") | (_, "LOOP") => self.open.push(Block::Statements),
                _ => {}
            }
        }
        self.goes_on = !line.is_complete();
        self.parentheses = match self.goes_on {
            true => self.parentheses + line.opens,
            false => 0,
        };
    }
}

/// The parts of a line, each with its indentation: what is too long is broken where the fewest parentheses are open.
fn break_up<'a>(line: &'a str, indent: usize, parts: &mut Vec<(usize, &'a str)>) {
    if indent + line.len() <= WIDTH || line.contains('\n') || line.starts_with("--") {
        return parts.push((indent, line));
    }
    let tokens = nested(line);
    let is = |at: usize, word: &str| {
        let token = tokens.get(at);
        token.is_some_and(|(token, _)| token.is_word(line, word))
    };
    let breaks_before = |at: usize| {
        let (token, _) = &tokens[at];
        let word = token.text(line);
        let is_clause = CLAUSES
            .iter()
            .any(|clause| word.eq_ignore_ascii_case(clause));
        let is_other_syntax = at > 0 && is(at, "from") && is(at - 1, "distinct")
            || is(at, "or") && is(at + 1, "replace")
            || is(at, "left") && !is(at + 1, "join");
        // The THEN of an IF ends its line.
        let is_last = at + 1 == tokens.len();
        at > 0 && !is_last && token.class == Class::Word && is_clause && !is_other_syntax
    };
    let places: Vec<usize> = (0..tokens.len()).filter(|at| breaks_before(*at)).collect();
    let Some(depth) = places.iter().map(|at| tokens[*at].1).min() else {
        return parts.push((indent, line));
    };
    let mut starts = vec![0];
    let outer = places.into_iter().filter(|at| tokens[*at].1 == depth);
    starts.extend(outer.map(|at| tokens[at].0.range.start));
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(line.len());
        let further = usize::from(number > 0) * STEP;
        break_up(line[*start..end].trim(), indent + further, parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_indented_by_its_blocks() {
        let code = "\n-- a run\nDECLARE\na text;\nBEGIN\nIF a THEN\n   b := 1;\nELSIF c THEN\nNULL;\nELSE\n<<t>>\nDECLARE\nx int := 1;\nBEGIN\nb := (x\n);\nEXCEPTION WHEN OTHERS THEN\nb := 'a\n  b';\nEND;\nEND IF;\nEND;\n";
        let wanted = "-- a run\nDECLARE\n  a text;\nBEGIN\n  IF a THEN\n    b := 1;\n  ELSIF c THEN\n    NULL;\n  ELSE\n    <<t>>\n    DECLARE\n      x int := 1;\n    BEGIN\n      b := (x\n      );\n    EXCEPTION WHEN OTHERS THEN\n      b := 'a\n  b';\n    END;\n  END IF;\nEND;\n";
        assert_eq!(lay_out(code), wanted);
    }

    #[test]
    fn a_long_line_is_broken_before_its_conditions_the_outer_ones_first() {
        let long = "x".repeat(50);
        let code = format!(
            "IF ({long} OR {long}) AND a IS DISTINCT FROM b AND ({long} OR y) THEN\nNULL;\nEND IF;"
        );
        let wanted = format!(
            "IF ({long} OR {long})\n  AND a IS DISTINCT FROM b\n  AND ({long} OR y) THEN\n  NULL;\nEND IF;\n"
        );
        assert_eq!(lay_out(&code), wanted);
    }

    #[test]
    fn what_is_in_quotes_stays_as_it_is() {
        let code = "a := 'IF x THEN\nEND' || $$\n  b$$;";
        assert_eq!(lay_out(code), format!("{code}\n"));
    }
}

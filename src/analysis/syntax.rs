//! SQL text → statements. The only module that knows the parser, a recursive one: what could exhaust its stack or its
//! time is not given to it.

mod alter_table;
mod body;
mod create;
mod limits;
mod node;
mod other;
mod rows;

use super::{
    lexer::{Class, tokens},
    name::Name,
    script::Script,
    statement::{Filter, Kind, Statement, Unknown, Verb, Write},
};
use node::Place;
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode, ast::AstNode};

/// The statements of a script, in its order.
pub fn read(script: &Script) -> Vec<Statement> {
    script
        .statements
        .iter()
        .map(|range| {
            let text = script.text.get(range.clone()).unwrap_or_default();
            Statement {
                range: range.clone(),
                kind: one(text, &Place::From(range.start)),
            }
        })
        .collect()
}

/// One statement. `place` says where in the file it stands.
fn one(text: &str, place: &Place<'_>) -> Kind {
    if !limits::fits(text) {
        return large_insert(text).unwrap_or(Kind::Unknown(Unknown::TooLarge));
    }
    let parse = SourceFile::parse(text);
    if let Some(error) = parse.errors().first() {
        return Kind::Unknown(Unknown::NotRead(error.message().to_owned()));
    }
    match parse.tree().syntax().children().next() {
        Some(node) => kind(&node, place),
        None => Kind::NoTable,
    }
}

/// An INSERT may have any number of rows.
fn large_insert(text: &str) -> Option<Kind> {
    let mut words = super::lexer::Scanner::new(text).filter(|token| !token.is_comment());
    let begins = words.next()?.is_word(text, "insert") && words.next()?.is_word(text, "into");
    let first = words.next().filter(|_| begins)?;
    let mut end = first.range.end;
    while let Some(dot) = words.next()
        && dot.text(text) == "."
    {
        end = words.next()?.range.end;
    }
    Some(Kind::Write(Write {
        verb: Verb::Insert,
        table: Name::read(text.get(first.range.start..end)?),
        reads: Vec::new(),
        filter: Filter::Some,
    }))
}

fn kind(node: &SyntaxNode, place: &Place<'_>) -> Kind {
    create::kind(node, place)
        .or_else(|| alter_table::kind(node, place))
        .or_else(|| rows::kind(node))
        .or_else(|| body::kind(node, place))
        .or_else(|| other::kind(node))
        .unwrap_or(Kind::Unknown(Unknown::NotClassified))
}

/// The nodes below this one, itself included, in the order of the text.
fn below(node: &SyntaxNode, kind: SyntaxKind) -> impl Iterator<Item = SyntaxNode> {
    node.descendants().filter(move |node| node.kind() == kind)
}

/// A type as people write it.
pub fn type_text(text: &str) -> String {
    let mut text = normalized(text);
    for (spaced, tight) in [
        (" ( ", "("),
        (" )", ")"),
        (" , ", ", "),
        (" [ ", "["),
        (" ]", "]"),
        (" . ", "."),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}

/// The words and signs of an expression in small letters with single spaces, strings and quoted names as they are.
pub fn normalized(text: &str) -> String {
    let words: Vec<String> = tokens(text)
        .iter()
        .filter(|token| !token.is_comment())
        .map(|token| match token.class {
            Class::Word => token.text(text).to_ascii_lowercase(),
            _ => token.text(text).to_owned(),
        })
        .collect();
    words.join(" ")
}

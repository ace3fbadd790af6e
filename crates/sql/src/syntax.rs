//! SQL text → statements. The only module that knows the parser, a recursive one: what could exhaust its stack or its
//! time is not given to it.

mod alter_table;
mod body;
mod bounds;
mod condition;
mod create;
mod functions;
mod limits;
mod node;
mod object;
mod other;
mod rows;

use super::{
    lexer::{Class, tokens},
    name::{Name, fold},
    script::Script,
    statement::{Filter, Kind, Statement, Unknown, Verb, Write},
};
use crossfade_model::ident::Ident;
use node::Place;
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode, ast::AstNode};
use std::ops::Range;

/// The statements of a script, in its order.
pub fn read(script: &Script) -> Vec<Statement> {
    script
        .statements
        .iter()
        .map(|range| {
            let text = script.text.get(range.clone()).unwrap_or_default();
            one(text, range.clone(), &Place::From(range.start))
        })
        .collect()
}

/// One statement. `place` says where in the file its parts stand.
fn one(text: &str, range: Range<usize>, place: &Place<'_>) -> Statement {
    let alone = |kind| Statement {
        range: range.clone(),
        kind,
        calls: Vec::new(),
    };
    if !limits::fits(text) {
        return alone(large_insert(text).unwrap_or(Kind::Unknown(Unknown::TooLarge)));
    }
    let parse = SourceFile::parse(text);
    if let Some(error) = parse.errors().first() {
        let read = set_names(text);
        return alone(
            read.unwrap_or_else(|| Kind::Unknown(Unknown::NotRead(error.message().to_owned()))),
        );
    }
    match parse.tree().syntax().children().next() {
        Some(node) => statement(&node, range, place),
        None => alone(Kind::NoTable),
    }
}

fn statement(node: &SyntaxNode, range: Range<usize>, place: &Place<'_>) -> Statement {
    Statement {
        range,
        kind: kind(node, place),
        calls: rows::calls(node),
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
        by_key: true,
        whole: None,
    }))
}

/// SET NAMES is not read by the parser.
fn set_names(text: &str) -> Option<Kind> {
    let words = normalized(text);
    let is_it = ["set names ", "set session names ", "set local names "]
        .iter()
        .any(|start| words.starts_with(start) && words.split(' ').count() < 6);
    is_it.then_some(Kind::NoTable)
}

fn kind(node: &SyntaxNode, place: &Place<'_>) -> Kind {
    create::kind(node, place)
        .or_else(|| object::kind(node, place))
        .or_else(|| alter_table::kind(node, place))
        .or_else(|| rows::kind(node, place))
        .or_else(|| body::kind(node, place))
        .or_else(|| other::kind(node, place))
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

pub use {
    bounds::{excludes, holds},
    condition::says_not_null,
};

/// An expression with a column renamed in it.
pub fn renamed(expression: &str, from: &str, to: &str) -> String {
    let words: Vec<String> = tokens(expression)
        .iter()
        .map(|token| match token.class {
            Class::Word | Class::QuotedName if fold(token.text(expression)) == from => {
                Ident::from_catalog(to.to_owned()).to_string()
            }
            _ => token.text(expression).to_owned(),
        })
        .collect();
    words.join(" ")
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

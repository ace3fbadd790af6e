//! Reading the parser's tree: children by kind, names, and where they stand in the file.

use crate::name::{Name, fold};
use squawk_syntax::{SyntaxKind, SyntaxNode};
use std::ops::Range;

/// Where in the file the nodes of a parsed text stand.
pub enum Place<'a> {
    /// The text begins at this byte.
    From(usize),
    /// The text is a body, decoded from a literal within another text: that one's place, and the way into it.
    Body(&'a Place<'a>, &'a dyn Fn(&SyntaxNode) -> Range<usize>),
    /// All of it is this range.
    All(Range<usize>),
}

impl<'a> Place<'a> {
    pub fn body(&'a self, within: &'a dyn Fn(&SyntaxNode) -> Range<usize>) -> Place<'a> {
        Place::Body(self, within)
    }

    pub fn of(&self, node: &SyntaxNode) -> Range<usize> {
        match self {
            Place::Body(outer, within) => outer.moved(within(node)),
            Place::From(_) | Place::All(_) => {
                let range = node.text_range();
                self.moved(range.start().into()..range.end().into())
            }
        }
    }

    fn moved(&self, range: Range<usize>) -> Range<usize> {
        match self {
            Place::From(base) => range.start + base..range.end + base,
            // A body within a body: the outer literal is near enough.
            Place::Body(outer, _) => outer.moved(range),
            Place::All(all) => all.clone(),
        }
    }
}

pub fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|child| child.kind() == kind)
}

/// Whether a token or a node of this kind stands right below.
pub fn has(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens()
        .any(|child| child.kind() == kind)
}

/// The name that a child of this kind holds; empty where there is none, which the parser would have refused.
pub fn name(node: &SyntaxNode, kind: SyntaxKind) -> Name {
    Name::read(&text_of(node, kind))
}

pub fn names(node: &SyntaxNode, kind: SyntaxKind) -> Vec<Name> {
    node.children()
        .filter(|child| child.kind() == kind)
        .map(|child| Name::read(&child.text().to_string()))
        .collect()
}

/// A table below this node, with or without ONLY and `*` around it.
pub fn table(node: &SyntaxNode) -> Name {
    tables(node)
        .into_iter()
        .next()
        .unwrap_or_else(|| Name::read(""))
}

/// Every table that is named below this node.
pub fn tables(node: &SyntaxNode) -> Vec<Name> {
    node.descendants()
        .filter(|node| {
            matches!(
                node.kind(),
                SyntaxKind::TABLE_NAME_REF | SyntaxKind::RELATION_NAME_REF
            )
        })
        .map(|node| Name::read(&node.text().to_string()))
        .collect()
}

/// A name of one part.
pub fn word(node: &SyntaxNode, kind: SyntaxKind) -> String {
    fold(&text_of(node, kind))
}

pub fn text_of(node: &SyntaxNode, kind: SyntaxKind) -> String {
    child(node, kind)
        .map(|child| child.text().to_string())
        .unwrap_or_default()
}

/// The first child whose kind is one of a type.
pub fn type_of(node: &SyntaxNode) -> Option<SyntaxNode> {
    node.children().find(|child| {
        matches!(
            child.kind(),
            SyntaxKind::ARRAY_TYPE
                | SyntaxKind::PATH_TYPE
                | SyntaxKind::VARCHAR_TYPE
                | SyntaxKind::CHARACTER_TYPE
                | SyntaxKind::BIT_TYPE
                | SyntaxKind::BIT_VARYING_TYPE
                | SyntaxKind::DOUBLE_TYPE
                | SyntaxKind::TIME_TYPE
                | SyntaxKind::TIMESTAMP_TYPE
                | SyntaxKind::INTERVAL_TYPE
        )
    })
}

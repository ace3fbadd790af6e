//! The syntax tree of some SQL, within bounds that no text can make it leave.

use crossfade_model::ident::Ident;
use squawk_syntax::{
    SourceFile, SyntaxKind, SyntaxNode,
    ast::{self, AstNode},
};

pub type Node = SyntaxNode;
pub type Kind = SyntaxKind;

/// Longer texts are not parsed. A body of a function is seldom a tenth of it.
const BYTES_MAX: usize = 256 * 1024;
/// The parser recurses, and a stack that is used up ends the process: measured to fail at 570 and more.
const NESTING_MAX: usize = 100;
/// CASE and NOT nest without parentheses; measured to fail at 850.
const WORDS_MAX: usize = 400;
/// Each operator of a chain makes the tree deeper by one; measured to fail at 9,600.
const CHAIN_MAX: usize = 3_000;

/// A text's statements, and the bodies of functions and DO blocks within it.
pub struct Tree {
    pub roots: Vec<Node>,
    /// Somewhere a part was not understood; it stands in an ERROR node.
    pub faulty: bool,
    /// The text itself, bodies aside, is not the SQL that is known here.
    pub broken: bool,
}

impl Tree {
    /// `None` where the text is too long or too deep to be parsed safely.
    pub fn parse(sql: &str) -> Option<Self> {
        if !is_safe(sql) {
            return None;
        }
        let parsed = SourceFile::parse(sql);
        let root = parsed.syntax_node();
        let mut roots = vec![root.clone()];
        for node in root.descendants() {
            let body = body_of(&node);
            roots.extend(body);
        }
        let faulty = roots
            .iter()
            .flat_map(Node::descendants)
            .any(|node| node.kind() == Kind::ERROR);
        Some(Self {
            roots,
            faulty,
            broken: !parsed.errors().is_empty(),
        })
    }
}

/// The text of a body in quotes is parsed as the language that its function says.
fn body_of(node: &Node) -> Option<Node> {
    if let Some(function) = ast::CreateFunction::cast(node.clone()) {
        let sql = function.sql_body().map(|body| body.syntax());
        return sql.or_else(|| function.plpgsql().map(|body| body.syntax()));
    }
    if let Some(procedure) = ast::CreateProcedure::cast(node.clone()) {
        let sql = procedure.sql_body().map(|body| body.syntax());
        return sql.or_else(|| procedure.plpgsql().map(|body| body.syntax()));
    }
    let block = ast::Do::cast(node.clone())?;
    block.plpgsql().map(|body| body.syntax())
}

/// A look at the letters, whatever they mean: more than enough for any real text, too little to use up the stack.
fn is_safe(sql: &str) -> bool {
    if sql.len() > BYTES_MAX {
        return false;
    }
    let (mut depth, mut deepest, mut chain) = (0_usize, 0_usize, 0_usize);
    for letter in sql.chars() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '+' | '*' | '/' | '<' | '>' | '=' | '|' | '&' | '#' | '%' | '^' | '!' | '~' | ':' => {
                chain += 1;
            }
            '-' => chain += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let count = |wanted: &[&str]| {
        sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| wanted.iter().any(|one| word.eq_ignore_ascii_case(one)))
            .count()
    };
    deepest <= NESTING_MAX
        && count(&["case", "not", "begin", "if", "loop"]) <= WORDS_MAX
        && chain
            + count(&[
                "and",
                "or",
                "join",
                "union",
                "except",
                "intersect",
                "collate",
                "is",
            ])
            <= CHAIN_MAX
        && longest_path(sql) <= NESTING_MAX
}

/// `a.b.c…`: dots without anything but a name between them.
fn longest_path(sql: &str) -> usize {
    sql.split(|c: char| c.is_whitespace() || c == ',' || c == ';')
        .map(|word| word.matches('.').count())
        .max()
        .unwrap_or(0)
}

/// The child nodes of that kind.
pub fn children(node: &Node, kind: Kind) -> impl Iterator<Item = Node> + use<> {
    node.children().filter(move |child| child.kind() == kind)
}

pub fn child(node: &Node, kind: Kind) -> Option<Node> {
    children(node, kind).next()
}

pub fn has_token(node: &Node, kind: Kind) -> bool {
    node.children_with_tokens()
        .filter_map(|element| element.into_token())
        .any(|token| token.kind() == kind)
}

/// The words of a node, without space and comments, as they are written.
pub fn words(node: &Node) -> Vec<(Kind, String)> {
    node.descendants_with_tokens()
        .filter_map(|element| element.into_token())
        .filter(|token| !matches!(token.kind(), Kind::WHITESPACE | Kind::COMMENT))
        .map(|token| (token.kind(), token.text().to_owned()))
        .collect()
}

/// The names of a dotted path, unquoted and folded as the server does.
pub fn path(node: &Node) -> Vec<String> {
    words(node)
        .into_iter()
        .filter(|(kind, _)| !matches!(kind, Kind::DOT | Kind::STAR | Kind::ONLY_KW))
        .map(|(_, text)| name(&text))
        .collect()
}

/// The name that an identifier means: folded to lower case, or what is in its quotes.
pub fn name(text: &str) -> String {
    match text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// The text of an identifier means this one. An escaped one (`U&"…"`) may mean any.
pub fn is_name(text: &str, ident: &Ident) -> bool {
    let escaped = text
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("u&\""));
    escaped || name(text) == ident.as_str()
}

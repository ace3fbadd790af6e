//! Bodies: DO, functions and procedures, in plpgsql and SQL.

use super::{
    below, kind as kind_of,
    node::{Place, child},
    normalized, one,
};
use crate::analysis::statement::{Body, Kind, Runs, Statement, Unknown};
use squawk_syntax::{
    SyntaxKind as K, SyntaxNode,
    ast::{self, AstNode},
    body::{Body as Parsed, BodyLanguage},
};
use std::ops::Range;

pub fn kind(node: &SyntaxNode, place: &Place<'_>) -> Option<Kind> {
    let body = match node.kind() {
        K::DO => {
            let plpgsql = ast::Do::cast(node.clone()).and_then(|it| it.plpgsql());
            match plpgsql {
                Some(parsed) => read(Runs::AtOnce, &parsed, place),
                // Another language.
                None => return Some(Kind::Unknown(Unknown::Elsewhere)),
            }
        }
        K::CREATE_FUNCTION => {
            let function = ast::CreateFunction::cast(node.clone())?;
            routine(node, function.plpgsql(), function.sql_body(), place)
        }
        K::CREATE_PROCEDURE => {
            let procedure = ast::CreateProcedure::cast(node.clone())?;
            routine(node, procedure.plpgsql(), procedure.sql_body(), place)
        }
        _ => return None,
    };
    Some(Kind::Body(body))
}

/// In other languages there is no SQL to see.
fn routine(
    node: &SyntaxNode,
    plpgsql: Option<Parsed<ast::Plpgsql>>,
    sql: Option<Parsed<ast::SourceFile>>,
    place: &Place<'_>,
) -> Body {
    if let Some(parsed) = plpgsql {
        return read(Runs::WhenCalled, &parsed, place);
    }
    if let Some(parsed) = sql {
        return read(Runs::WhenCalled, &parsed, place);
    }
    let mut body = empty(Runs::WhenCalled);
    if let Some(atomic) = child(node, K::ATOMIC_BODY) {
        collect(&atomic, place, &mut body);
    }
    body
}

fn empty(runs: Runs) -> Body {
    Body {
        runs,
        statements: Vec::new(),
        dynamic: Vec::new(),
        unread: Vec::new(),
    }
}

fn read<T: BodyLanguage>(runs: Runs, parsed: &Parsed<T>, place: &Place<'_>) -> Body {
    let in_statement = |node: &SyntaxNode| -> Range<usize> {
        let range = parsed.source_range(node.text_range());
        range.start().into()..range.end().into()
    };
    let inner = place.body(&in_statement);
    let mut body = empty(runs);
    collect(&parsed.syntax(), &inner, &mut body);
    body
}

/// Statements are looked for where they can stand: below blocks and control structures, not below expressions.
fn collect(node: &SyntaxNode, place: &Place<'_>, body: &mut Body) {
    for part in node.children() {
        match part.kind() {
            K::PLPGSQL_EXPR | K::PLPGSQL_DECLARE_SECTION | K::PLPGSQL_CONDITION => {}
            K::PLPGSQL_DYN_EXECUTE_STMT => execute(&part, place, body),
            K::ERROR => unread(&part, place, body),
            K::PLPGSQL_EXEC_SQL_STMT if below(&part, K::ERROR).next().is_some() => {
                unread(&part, place, body);
            }
            kind if is_control(kind) => collect(&part, place, body),
            _ => match kind_of(&part, place) {
                Kind::Unknown(Unknown::NotClassified) => collect(&part, place, body),
                kind => body.statements.push(Statement {
                    range: place.of(&part),
                    kind,
                }),
            },
        }
    }
}

/// The parser has some fifty kinds for what only plpgsql has, and names them alike.
fn is_control(kind: K) -> bool {
    format!("{kind:?}").starts_with("PLPGSQL_")
}

/// `SELECT … INTO variable` and `RETURNING … INTO variable` are not read by the parser; they read and write rows.
fn unread(node: &SyntaxNode, place: &Place<'_>, body: &mut Body) {
    let text = normalized(&node.text().to_string());
    let over_rows = ["select ", "insert ", "with ", "values "]
        .iter()
        .any(|word| text.starts_with(word));
    if !over_rows {
        body.unread.push(place.of(node));
    }
}

/// EXECUTE of a constant is that statement.
fn execute(node: &SyntaxNode, place: &Place<'_>, body: &mut Body) {
    let range = place.of(node);
    let expression = child(node, K::PLPGSQL_EXPR);
    let constant = expression.as_ref().and_then(|expression| {
        let literal = below(expression, K::LITERAL)
            .next()
            .and_then(ast::Literal::cast)?;
        let alone = expression.text() == literal.syntax().text();
        literal.string_value().filter(|_| alone)
    });
    let Some(sql) = constant else {
        body.dynamic.push(range);
        return;
    };
    let kind = one(&sql, &Place::All(range.clone()));
    body.statements.push(Statement { range, kind });
}

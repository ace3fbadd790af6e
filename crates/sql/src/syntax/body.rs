//! Bodies: DO, functions and procedures, in plpgsql and SQL.

use super::{
    below,
    node::{Place, child, has, name},
    one, rows, statement,
};
use crate::{
    lexer::{Class, Token, tokens},
    statement::{Body, Edge, Kind, Runs, Statement, TransactionControl, Unknown},
};
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
            let body = routine(node, function.plpgsql(), function.sql_body(), place);
            Body {
                routine: Some(name(node, K::FUNCTION_NAME)),
                ..body
            }
        }
        K::CREATE_PROCEDURE => {
            let procedure = ast::CreateProcedure::cast(node.clone())?;
            let body = routine(node, procedure.plpgsql(), procedure.sql_body(), place);
            Body {
                routine: Some(name(node, K::PROCEDURE_NAME)),
                ..body
            }
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
        routine: None,
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
            K::PLPGSQL_DECLARE_SECTION | K::PLPGSQL_CONDITION => {}
            K::PLPGSQL_EXPR => called(&part, place, body),
            // The next transaction begins at once.
            K::PLPGSQL_COMMIT_STMT | K::PLPGSQL_ROLLBACK_STMT => body.statements.push(Statement {
                range: place.of(&part),
                kind: Kind::Transaction(TransactionControl::End {
                    undone: part.kind() == K::PLPGSQL_ROLLBACK_STMT,
                    chained: true,
                }),
                calls: Vec::new(),
            }),
            K::PLPGSQL_DYN_EXECUTE_STMT | K::PLPGSQL_RETURN_QUERY_EXECUTE_STMT => {
                execute(&part, &part, place, body);
            }
            K::PLPGSQL_OPEN_EXECUTE => execute(node, &part, place, body),
            K::PLPGSQL_FOR_DYN_STMT => {
                execute(&part, &part, place, body);
                collect(&part, place, body);
            }
            K::PLPGSQL_BODY if is_branch(&part) => {
                edge(Edge::Begin, &part, place, body);
                collect(&part, place, body);
                edge(Edge::End, &part, place, body);
            }
            K::ERROR => with_variables(&part, place, body),
            K::PLPGSQL_EXEC_SQL_STMT if has_variables(&part) => with_variables(&part, place, body),
            kind if is_control(kind) => collect(&part, place, body),
            _ => {
                let read = statement(&part, place.of(&part), place);
                if read.kind == Kind::Unknown(Unknown::NotClassified) {
                    collect(&part, place, body);
                } else {
                    body.statements.push(read);
                }
            }
        }
    }
}

fn edge(edge: Edge, node: &SyntaxNode, place: &Place<'_>, body: &mut Body) {
    body.statements.push(Statement {
        range: place.of(node),
        kind: Kind::Branch(edge),
        calls: Vec::new(),
    });
}

/// Whether it may be left out, left early or undone: all that does not just stand in a block.
fn is_branch(body: &SyntaxNode) -> bool {
    let Some(block) = body.parent() else {
        return false;
    };
    let is_plain = block.kind() == K::PLPGSQL_BLOCK
        && !has(&block, K::PLPGSQL_EXCEPTION_SECTION)
        && !has(&block, K::PLPGSQL_LABEL);
    // RETURN within a condition leaves out what stands behind it.
    let is_outermost = block
        .ancestors()
        .skip(1)
        .all(|part| part.kind() != K::PLPGSQL_BODY);
    let leaves_early =
        || below(body, K::PLPGSQL_RETURN_STMT).any(|part| part.parent().as_ref() != Some(body));
    !is_plain || (is_outermost && leaves_early())
}

/// The parser has some fifty kinds for what only plpgsql has, and names them alike.
fn is_control(kind: K) -> bool {
    format!("{kind:?}").starts_with("PLPGSQL_")
}

/// An expression reads nothing that would be locked for long, but it may call what does.
fn called(node: &SyntaxNode, place: &Place<'_>, body: &mut Body) {
    let calls = rows::calls_below(node);
    if !calls.is_empty() {
        body.statements.push(Statement {
            range: place.of(node),
            kind: Kind::NoTable,
            calls,
        });
    }
}

/// What the parser has not read, or has taken for SELECT INTO of a new table.
fn has_variables(node: &SyntaxNode) -> bool {
    below(node, K::ERROR).next().is_some() || below(node, K::INTO_CLAUSE).next().is_some()
}

/// `SELECT … INTO variable` and `RETURNING … INTO variable` are not SQL: without it they are.
fn with_variables(node: &SyntaxNode, place: &Place<'_>, body: &mut Body) {
    let text = node.text().to_string();
    let range = place.of(node);
    let read = one(
        &without_variables(&text),
        range.clone(),
        &Place::All(range.clone()),
    );
    match read.kind {
        Kind::Unknown(_) => body.unread.push(range),
        _ => body.statements.push(read),
    }
}

/// Blanks over `INTO [STRICT] name, …`, but for the INTO that a statement begins with.
fn without_variables(text: &str) -> String {
    let tokens: Vec<Token> = tokens(text)
        .into_iter()
        .filter(|token| !token.is_comment())
        .collect();
    let mut depth = 0_usize;
    let mut before: Option<&Token> = None;
    let mut into = None;
    for (at, token) in tokens.iter().enumerate() {
        match token.class {
            Class::Open => depth += 1,
            Class::Close => depth = depth.saturating_sub(1),
            Class::Word if depth == 0 && token.is_word(text, "into") => {
                let of_statement = before.is_some_and(|before| {
                    before.is_word(text, "insert") || before.is_word(text, "merge")
                });
                if !of_statement {
                    into = Some(at);
                    break;
                }
            }
            _ => {}
        }
        before = Some(token);
    }
    let Some(into) = into else {
        return text.to_owned();
    };
    let start = tokens[into].range.start;
    let end = tokens[..=end_of_targets(&tokens, into, text)]
        .last()
        .map_or(start, |token| token.range.end);
    let blanks = " ".repeat(end - start);
    format!(
        "{}{blanks}{}",
        text.get(..start).unwrap_or_default(),
        text.get(end..).unwrap_or_default()
    )
}

/// The last token of `STRICT a.b, c[1]`, as plpgsql reads it: names with commas between them.
fn end_of_targets(tokens: &[Token], into: usize, text: &str) -> usize {
    let word = |at: usize, word: &str| {
        tokens
            .get(at)
            .is_some_and(|token| token.is_word(text, word))
    };
    let sign = |at: usize, sign: &str| tokens.get(at).is_some_and(|token| token.text(text) == sign);
    let mut at = if word(into + 1, "strict") {
        into + 2
    } else {
        into + 1
    };
    loop {
        while sign(at + 1, ".") {
            at += 2;
        }
        if sign(at + 1, "[") {
            while at + 1 < tokens.len() && !sign(at, "]") {
                at += 1;
            }
        }
        if !sign(at + 1, ",") {
            break;
        }
        at += 2;
    }
    at.min(tokens.len().saturating_sub(1))
}

/// EXECUTE of a constant is that statement. The expression is a child of `holder`.
fn execute(node: &SyntaxNode, holder: &SyntaxNode, place: &Place<'_>, body: &mut Body) {
    let range = place.of(node);
    let expression = child(holder, K::PLPGSQL_EXPR);
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
    let read = one(&sql, range.clone(), &Place::All(range.clone()));
    body.statements.push(read);
}

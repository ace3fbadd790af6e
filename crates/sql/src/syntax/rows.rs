//! Statements over rows: reading, writing, COPY.

use super::{
    below,
    condition::{is_always_true, says_key},
    create::new_table,
    functions,
    node::{Place, child, has, name, names, tables, word},
    normalized, statement,
};
use crate::{
    name::{Name, fold},
    statement::{Filter, Kind, Setting, Verb, Write},
};
use crossfade_model::lock::Lock;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

pub fn kind(node: &SyntaxNode, place: &Place<'_>) -> Option<Kind> {
    Some(match node.kind() {
        K::SELECT => configuration(node).unwrap_or_else(|| read(node)),
        K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE => read(node),
        K::SELECT_INTO => Kind::Read {
            tables: tables(node),
            lock: Lock::AccessShareLock,
            filter: reads_of(node),
            into: child(node, K::INTO_CLAUSE).map(|into| new_table(&into, &into)),
            if_not_exists: false,
        },
        K::INSERT | K::UPDATE | K::DELETE | K::MERGE => Kind::Write(write(node)),
        K::EXPLAIN => explain(node, place),
        K::COPY => copy(node),
        K::PREPARE => Kind::Prepare {
            name: word(node, K::PREPARED_STATEMENT),
            statement: Box::new(match node.children().last() {
                Some(prepared) => statement(&prepared, place.of(&prepared), place),
                None => return None,
            }),
        },
        K::EXECUTE => Kind::Execute {
            name: word(node, K::PREPARED_STATEMENT_REF),
        },
        K::CALL => Kind::Call {
            procedure: name(node, K::PROCEDURE_NAME_REF),
        },
        K::DECLARE => Kind::NoTable,
        _ => return None,
    })
}

/// A SELECT may write in its WITH.
fn read(node: &SyntaxNode) -> Kind {
    if let Some(writing) = node
        .descendants()
        .find(|node| matches!(node.kind(), K::INSERT | K::UPDATE | K::DELETE | K::MERGE))
    {
        return Kind::Write(write(&writing));
    }
    let lock = if below(node, K::LOCKING_CLAUSE).next().is_some() {
        Lock::RowShareLock
    } else {
        Lock::AccessShareLock
    };
    let named = below(node, K::WITH_TABLE).map(|with| name(&with, K::CTE_NAME));
    let named: Vec<Name> = named.collect();
    let mut tables = tables(node);
    tables.retain(|table| !named.contains(table));
    Kind::Read {
        tables,
        lock,
        filter: reads_of(node),
        into: None,
        if_not_exists: false,
    }
}

/// Whether a query reads tables from end to end: no WHERE, no LIMIT. A join may be as short as its shortest side.
pub fn reads_of(node: &SyntaxNode) -> Filter {
    let bounded = node.descendants().any(|part| match part.kind() {
        K::WHERE_CLAUSE => !is_always_true(&condition(&part)),
        K::LIMIT_CLAUSE | K::FETCH_CLAUSE => true,
        _ => false,
    });
    if bounded {
        Filter::Some
    } else {
        Filter::EveryRow
    }
}

/// `SELECT set_config('name', 'value', is_local)` is SET.
fn configuration(node: &SyntaxNode) -> Option<Kind> {
    let mut calls = below(node, K::CALL_EXPR);
    let call = calls.next().filter(|_| calls.next().is_none())?;
    let called = child(&call, K::NAME_REF).or_else(|| child(&call, K::FIELD_EXPR))?;
    if Name::read(&called.text().to_string()).name != "set_config" {
        return None;
    }
    let arguments: Vec<String> = child(&call, K::ARG_LIST)?
        .children()
        .map(|argument| argument.text().to_string())
        .collect();
    let [name, value, local] = arguments.as_slice() else {
        return None;
    };
    let name = name.trim().trim_matches('\'').to_ascii_lowercase();
    Some(Kind::Set(setting(
        name,
        value,
        local.trim().eq_ignore_ascii_case("true"),
    )))
}

/// A setting by what is written behind `=` or TO.
pub fn setting(name: String, written: &str, local: bool) -> Setting {
    let inside = written.trim().trim_matches('\'');
    let values: Vec<String> = inside
        .split(',')
        .map(|value| value.trim().trim_matches('\''))
        .filter(|value| !value.is_empty())
        .map(fold)
        .collect();
    let first = values.first().map_or("", String::as_str);
    let number =
        first.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    Setting {
        is_off: first == "default" || number.parse::<f64>().is_ok_and(|number| number == 0.0),
        name,
        values,
        local,
    }
}

/// Functions that a statement over rows calls, but for the server's own.
pub fn calls(node: &SyntaxNode) -> Vec<Name> {
    let runs = matches!(
        node.kind(),
        K::SELECT
            | K::COMPOUND_SELECT
            | K::PAREN_SELECT
            | K::SELECT_INTO
            | K::VALUES
            | K::INSERT
            | K::UPDATE
            | K::DELETE
            | K::MERGE
            | K::CREATE_TABLE_AS
    );
    if runs { calls_below(node) } else { Vec::new() }
}

pub fn calls_below(node: &SyntaxNode) -> Vec<Name> {
    let mut calls: Vec<Name> = Vec::new();
    for call in below(node, K::CALL_EXPR) {
        let called = child(&call, K::NAME_REF).or_else(|| child(&call, K::FIELD_EXPR));
        let Some(called) = called.map(|name| Name::read(&name.text().to_string())) else {
            continue;
        };
        if !functions::is_evaluated_once(&called) && !calls.contains(&called) {
            calls.push(called);
        }
    }
    calls
}

fn write(node: &SyntaxNode) -> Write {
    let (verb, table) = target(node);
    // In a WITH there may be another that has no WHERE.
    let mut written = node.descendants().filter(|part| match part.kind() {
        K::UPDATE | K::DELETE => filter(part) == Filter::EveryRow,
        K::MERGE => joins_every_row(part),
        _ => false,
    });
    let whole = written.next().map(|part| target(&part));
    let mut reads = tables(node);
    reads.retain(|read| *read != table);
    Write {
        verb,
        table,
        reads,
        filter: if whole.is_some() {
            Filter::EveryRow
        } else {
            Filter::Some
        },
        whole,
        by_key: child(node, K::WHERE_CLAUSE).is_some_and(|clause| says_key(&condition(&clause))),
    }
}

/// What is written, and how.
fn target(node: &SyntaxNode) -> (Verb, Name) {
    let verb = match node.kind() {
        K::UPDATE => Verb::Update,
        K::DELETE => Verb::Delete,
        K::MERGE => Verb::Merge,
        _ => Verb::Insert,
    };
    let target = match verb {
        Verb::Insert => names(node, K::RELATION_NAME_REF).into_iter().next(),
        Verb::Update | Verb::Delete | Verb::Merge | Verb::Copy => node
            .children()
            .find(|part| matches!(part.kind(), K::RELATION_NAME | K::TABLE_RELATION_NAME))
            .and_then(|part| tables(&part).into_iter().next()),
    };
    (verb, target.unwrap_or_else(|| Name::read("")))
}

/// `MERGE … ON true`
fn joins_every_row(node: &SyntaxNode) -> bool {
    let on = child(node, K::USING_ON_CLAUSE).and_then(|using| child(&using, K::ON_CLAUSE));
    on.is_some_and(|on| is_always_true(&condition(&on)))
}

/// Behind WHERE or ON.
fn condition(clause: &SyntaxNode) -> String {
    let text = normalized(&clause.text().to_string());
    match text.split_once(' ') {
        Some((_, condition)) => condition.to_owned(),
        None => String::new(),
    }
}

/// `WHERE true` and `WHERE 1 = 1` filter nothing. A join may.
fn filter(node: &SyntaxNode) -> Filter {
    let condition = child(node, K::WHERE_CLAUSE).map(|clause| condition(&clause));
    let joins = has(node, K::FROM_CLAUSE) || has(node, K::USING_CLAUSE);
    let current_of = node.children().any(|part| {
        part.kind() != K::WHERE_CLAUSE
            && part
                .text()
                .to_string()
                .to_ascii_lowercase()
                .starts_with("where")
    });
    match condition.as_deref() {
        Some(condition) if is_always_true(condition) => Filter::EveryRow,
        Some(_) => Filter::Some,
        None if joins || current_of => Filter::Some,
        None => Filter::EveryRow,
    }
}

/// Only EXPLAIN ANALYZE runs its statement.
fn explain(node: &SyntaxNode, place: &Place<'_>) -> Kind {
    let option = below(node, K::EXPLAIN_OPTION)
        .map(|option| normalized(&option.text().to_string()))
        .any(|option| {
            (option.starts_with("analyze") || option.starts_with("analyse")) && !is_off(&option)
        });
    let analyzes = option || has(node, K::EXPLAIN_ANALYZE);
    let Some(statement) = node.children().last().filter(|_| analyzes) else {
        return Kind::NoTable;
    };
    super::kind(&statement, place)
}

fn copy(node: &SyntaxNode) -> Kind {
    match child(node, K::COPY_TABLE) {
        Some(table) if has(node, K::COPY_FROM) || has(&table, K::COPY_FROM) => Kind::Write(Write {
            verb: Verb::Copy,
            table: name(&table, K::TABLE_NAME_REF),
            reads: Vec::new(),
            filter: Filter::Some,
            by_key: false,
            whole: None,
        }),
        _ => Kind::Read {
            tables: tables(node),
            lock: Lock::AccessShareLock,
            filter: reads_of(node),
            into: None,
            if_not_exists: false,
        },
    }
}

/// An option with its value, which is on where there is none.
pub fn is_off(option: &str) -> bool {
    let value = option.rsplit(' ').next().unwrap_or_default();
    ["false", "off", "0", "no"].contains(&value.trim_matches('\''))
}

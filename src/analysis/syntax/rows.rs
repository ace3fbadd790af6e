//! Statements over rows: reading, writing, COPY.

use super::{
    below,
    node::{child, has, name, names, tables},
    normalized,
};
use crate::analysis::{
    name::Name,
    statement::{Filter, Kind, Unknown, Verb, Write},
};
use crate::statement::part::Lock;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

pub fn kind(node: &SyntaxNode) -> Option<Kind> {
    Some(match node.kind() {
        K::SELECT | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE => read(node),
        K::SELECT_INTO => Kind::Read {
            tables: tables(node),
            lock: Lock::AccessShareLock,
            into: child(node, K::INTO_CLAUSE).map(|into| name(&into, K::TABLE_NAME)),
        },
        K::INSERT | K::UPDATE | K::DELETE | K::MERGE => Kind::Write(write(node)),
        K::EXPLAIN => explain(node),
        K::COPY => copy(node),
        K::PREPARE | K::DECLARE => Kind::NoTable,
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
        into: None,
    }
}

fn write(node: &SyntaxNode) -> Write {
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
    // In a WITH there may be another that has no WHERE.
    let every_row = node
        .descendants()
        .filter(|node| matches!(node.kind(), K::UPDATE | K::DELETE))
        .any(|node| filter(&node) == Filter::EveryRow);
    let table = target.unwrap_or_else(|| Name::read(""));
    let mut reads = tables(node);
    reads.retain(|read| *read != table);
    Write {
        verb,
        table,
        reads,
        filter: if every_row {
            Filter::EveryRow
        } else {
            Filter::Some
        },
    }
}

/// `WHERE true` and `WHERE 1 = 1` filter nothing. A join may.
fn filter(node: &SyntaxNode) -> Filter {
    let condition = child(node, K::WHERE_CLAUSE).map(|clause| {
        let text = normalized(&clause.text().to_string());
        text.strip_prefix("where")
            .unwrap_or(&text)
            .replace(['(', ')', ' '], "")
    });
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
        Some("true" | "1=1") => Filter::EveryRow,
        Some(_) => Filter::Some,
        None if joins || current_of => Filter::Some,
        None => Filter::EveryRow,
    }
}

/// Only EXPLAIN ANALYZE runs its statement.
fn explain(node: &SyntaxNode) -> Kind {
    let analyzes = normalized(&node.text().to_string())
        .split(' ')
        .take(8)
        .any(|word| matches!(word, "analyze" | "analyse"));
    let Some(statement) = node.children().last().filter(|_| analyzes) else {
        return Kind::NoTable;
    };
    kind(&statement).unwrap_or(Kind::Unknown(Unknown::NotClassified))
}

fn copy(node: &SyntaxNode) -> Kind {
    match child(node, K::COPY_TABLE) {
        Some(table) if has(node, K::COPY_FROM) || has(&table, K::COPY_FROM) => Kind::Write(Write {
            verb: Verb::Copy,
            table: name(&table, K::TABLE_NAME_REF),
            reads: Vec::new(),
            filter: Filter::Some,
        }),
        _ => Kind::Read {
            tables: tables(node),
            lock: Lock::AccessShareLock,
            into: None,
        },
    }
}

//! Whether columns tell the rows of a table apart at any time, and what comes near to it.

use crate::facts::{ConstraintKind, Index, Table};
use crossfade_model::ident::Ident;
use std::collections::BTreeSet;

/// How a unique index falls short of telling rows apart by columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Short {
    Invalid,
    Partial,
    Expression,
    Deferrable,
}

impl Short {
    fn described(self) -> &'static str {
        match self {
            Self::Invalid => "is INVALID (rebuild_index)",
            Self::Partial => "is over a part of the rows",
            Self::Expression => "is over an expression",
            Self::Deferrable => {
                "is deferrable: within a transaction, rows may be equal, and ON CONFLICT does not go by it"
            }
        }
    }
}

/// No two rows have the same values in these columns, not even within a transaction.
pub(super) fn is_unique(table: &Table, columns: &BTreeSet<&Ident>) -> bool {
    let keys = |index: &Index| -> BTreeSet<Ident> { index.columns.iter().cloned().collect() };
    let wanted: BTreeSet<Ident> = columns.iter().map(|one| (*one).clone()).collect();
    let by_index = table.indexes.iter().any(|index| {
        index.unique
            && short(table, index).is_none()
            && !index.using.contains(" INCLUDE ")
            && keys(index) == wanted
    });
    by_index
        || table.constraints.iter().any(|constraint| {
            let is_key = matches!(
                constraint.kind,
                ConstraintKind::PrimaryKey | ConstraintKind::Unique
            );
            is_key
                && !constraint.definition.contains(" DEFERRABLE")
                && constraint.columns.iter().collect::<BTreeSet<_>>() == *columns
        })
}

fn short(table: &Table, index: &Index) -> Option<Short> {
    let of_constraint = index.constraint.as_ref().and_then(|name| {
        let mut constraints = table.constraints.iter();
        constraints.find(|constraint| constraint.name == *name)
    });
    if !index.valid {
        Some(Short::Invalid)
    } else if index.using.contains(" WHERE ") {
        Some(Short::Partial)
    } else if index.plain_columns != index.columns.len() {
        Some(Short::Expression)
    } else if of_constraint.is_some_and(|one| one.definition.contains(" DEFERRABLE")) {
        Some(Short::Deferrable)
    } else {
        None
    }
}

/// What is there and does not count, to be read after "not unique". Empty where there is nothing.
pub(super) fn falls_short(table: &Table, columns: &BTreeSet<&Ident>) -> String {
    let near = table.indexes.iter().filter_map(|index| {
        let is_near = index.unique && columns.iter().all(|one| index.columns.contains(one));
        let short = short(table, index).filter(|_| is_near)?;
        Some(format!("{} {}", index.name, short.described()))
    });
    let near: Vec<String> = near.collect();
    match near.is_empty() {
        true => String::new(),
        false => format!(" (the unique index {})", near.join("; ")),
    }
}

//! What a change may take for there, as an earlier one of its plan adds it: a column that no trigger keeps in step, and
//! an index that a foreign key's deletes can use.

use crate::{
    facts::{Column, Facts, Index},
    recipes::{Recipe, add_column::AddColumn, add_index::AddIndex},
    types,
};
use std::borrow::Cow;

/// The facts that each change is compiled with.
pub(crate) fn given<'a>(changes: &[Recipe], facts: &'a Facts) -> Vec<Cow<'a, Facts>> {
    let mut given = Vec::new();
    let mut now = Cow::Borrowed(facts);
    for change in changes {
        given.push(now.clone());
        match change {
            _ if changes.len() == 1 => {}
            Recipe::AddColumn(add) if add.forward.is_none() => add_column(add, &mut now),
            Recipe::AddIndex(add) if !add.unique => add_index(add, &mut now),
            _ => {}
        }
    }
    given
}

fn add_column(add: &AddColumn, facts: &mut Cow<'_, Facts>) {
    let is_there = facts
        .table(&add.table)
        .is_none_or(|table| table.column(&add.column).is_some());
    if is_there {
        return;
    }
    let type_name = match facts.types.get(&add.type_name) {
        Some(Ok(canonical)) => canonical.clone(),
        Some(Err(_)) | None => add.type_name.clone(),
    };
    let column = Column {
        name: add.column.clone(),
        exact: types::is_exact(&type_name),
        type_name: type_name.clone(),
        composite: false,
        collation: None,
        not_null: false,
        default: add.default.as_ref().map(ToString::to_string),
        default_type: None,
        generated: false,
        identity: None,
        owned_sequence: None,
        sequences: Vec::new(),
        sequence_dependents: Vec::new(),
        labels: Vec::new(),
        comment: add.comment.clone(),
        statistics: None,
        storage: None,
        compression: None,
        options: Vec::new(),
        grants: Vec::new(),
    };
    let facts = facts.to_mut();
    if let Some(Some(table)) = facts.tables.get_mut(&add.table) {
        table.columns.push(column);
    }
    let foreseen = facts.foreseen.entry(add.table.clone()).or_default();
    foreseen.push((add.column.clone(), type_name));
}

fn add_index(add: &AddIndex, facts: &mut Cow<'_, Facts>) {
    let (Some(columns), None, Some(name)) = (&add.columns, &add.condition, add.name()) else {
        return;
    };
    let index = Index {
        name,
        using: format!("btree ({columns})"),
        unique: false,
        valid: true,
        columns: columns.names().to_vec(),
        plain_columns: columns.names().len(),
        constraint: None,
        primary: false,
        replica_identity: false,
        clustered: false,
        tablespace: None,
        comment: None,
        statistics: Vec::new(),
        extensions: Vec::new(),
        filenode: None,
        of: None,
    };
    if let Some(Some(table)) = facts.to_mut().tables.get_mut(&add.table) {
        table.indexes.push(index);
    }
}

//! The columns that a key takes along: all that refer to it, and all that refer to those.

use crate::sqlgen::foreign_key::ForeignKey;
use crate::{facts::Facts, types};
use crossfade_model::ident::{Ident, TableName};

/// A table and its columns that are widened, the key's own first.
pub(crate) struct Family {
    members: Vec<(TableName, Vec<Ident>)>,
}

impl Family {
    /// As far as the facts are known: where a table's are missing, what refers to it is found in the next look. A table
    /// may refer to itself, and to one that refers to it.
    pub fn of(table: &TableName, column: &Ident, type_name: &str, facts: &Facts) -> Self {
        let mut family = Self {
            members: vec![(table.clone(), vec![column.clone()])],
        };
        let mut next = 0;
        // Bounded: every turn looks at a column that was not looked at before.
        let mut todo = vec![(table.clone(), column.clone())];
        while let Some((referred, key)) = todo.get(next).cloned() {
            next += 1;
            let inbound = facts
                .table(&referred)
                .map(|table| table.referenced_by.as_slice())
                .unwrap_or_default();
            for inbound in inbound {
                let Some(own) = ForeignKey::read(&inbound.definition)
                    .and_then(|foreign_key| foreign_key.referring_to(&key))
                else {
                    continue;
                };
                let is_wide = facts
                    .table(&inbound.table)
                    .and_then(|table| table.column(&own))
                    .is_some_and(|column| {
                        types::same(&column.type_name, type_name)
                            || !types::widens(&column.type_name, type_name)
                    });
                if !is_wide && family.add(&inbound.table, &own) {
                    todo.push((inbound.table.clone(), own));
                }
            }
        }
        family
    }

    /// Each table, with those of its columns that are widened.
    pub fn members(&self) -> &[(TableName, Vec<Ident>)] {
        &self.members
    }

    pub fn tables(&self) -> Vec<TableName> {
        self.members
            .iter()
            .map(|(table, _)| table.clone())
            .collect()
    }

    pub fn working_name(column: &Ident) -> Ident {
        column.with_suffix("_new")
    }

    /// The columns of a table that are widened.
    pub fn columns(&self, table: &TableName) -> &[Ident] {
        self.members
            .iter()
            .find(|(name, _)| name == table)
            .map_or(&[], |(_, columns)| columns)
    }

    /// Whether it is new.
    fn add(&mut self, table: &TableName, column: &Ident) -> bool {
        match self.members.iter_mut().find(|(name, _)| name == table) {
            Some((_, columns)) if columns.contains(column) => false,
            Some((_, columns)) => {
                columns.push(column.clone());
                true
            }
            None => {
                self.members.push((table.clone(), vec![column.clone()]));
                true
            }
        }
    }
}

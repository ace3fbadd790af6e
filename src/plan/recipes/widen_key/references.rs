//! The columns that a key takes along: all that refer to it, and all that refer to those.

use crate::plan::{
    facts::{Facts, Inbound},
    ident::{Ident, TableName},
    types,
};
use crate::statement::foreign_key::ForeignKey;

/// A table and its columns that are widened, the key's own first.
pub(in crate::plan::recipes) struct Family {
    pub members: Vec<(TableName, Vec<Ident>)>,
    /// The foreign keys from one widened column to another, by the table that refers.
    pub links: Vec<(TableName, Ident)>,
}

impl Family {
    /// As far as the facts are known: where a table's are missing, what refers to it is found in the next look.
    pub fn of(table: &TableName, column: &Ident, type_name: &str, facts: &Facts) -> Self {
        let mut family = Self {
            members: vec![(table.clone(), vec![column.clone()])],
            links: Vec::new(),
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
                let Some(own) = referring_column(inbound, &key) else {
                    continue;
                };
                let is_wide = facts
                    .table(&inbound.table)
                    .and_then(|table| table.column(&own))
                    .is_some_and(|column| {
                        types::same(&column.type_name, type_name)
                            || !types::widens(&column.type_name, type_name)
                    });
                if is_wide {
                    continue;
                }
                family.link(&inbound.table, &inbound.name);
                if family.add(&inbound.table, &own) {
                    todo.push((inbound.table.clone(), own));
                }
            }
        }
        family
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

    /// The foreign key's successor is made where it is, both sides renamed.
    pub fn has_link(&self, table: &TableName, name: &Ident) -> bool {
        self.links.iter().any(|(t, n)| t == table && n == name)
    }

    /// The columns of a table that are widened.
    pub fn columns(&self, table: &TableName) -> &[Ident] {
        self.members
            .iter()
            .find(|(name, _)| name == table)
            .map_or(&[], |(_, columns)| columns)
    }

    fn link(&mut self, table: &TableName, name: &Ident) {
        if !self.has_link(table, name) {
            self.links.push((table.clone(), name.clone()));
        }
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

/// The column that refers to `key`.
fn referring_column(inbound: &Inbound, key: &Ident) -> Option<Ident> {
    let pairs = ForeignKey::read(&inbound.definition)?.pairs();
    let own = pairs.into_iter().find(|(_, theirs)| theirs == key);
    own.map(|(own, _)| own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_column_that_refers_is_found_by_its_place() {
        let inbound = Inbound {
            table: "public.lines".parse().unwrap(),
            name: "k".parse().unwrap(),
            definition: r#"FOREIGN KEY ("Order (Id)", line) REFERENCES "odd (table"("Id", n) ON DELETE CASCADE"#.to_owned(),
            columns: Vec::new(),
            owned: true,
            comment: None,
        };
        let found = |key: &str| referring_column(&inbound, &key.parse().unwrap());
        assert_eq!(found("\"Id\""), Some("\"Order (Id)\"".parse().unwrap()));
        assert_eq!(found("n"), Some("line".parse().unwrap()));
        assert_eq!(found("id"), None);
    }
}

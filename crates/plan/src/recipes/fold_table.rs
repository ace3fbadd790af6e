//! `fold_table`: a table whose rows belong to another's becomes columns of that one, and goes.

use super::named::{Named, Naming, What};
use super::{
    Change,
    relation::Errors,
    table_to_table::{End, IntoParent, MovedColumn, lost},
    transform_columns::word_of,
};
use crate::{
    document::{Assignments, Expression, PhaseDocument},
    facts::{Facts, Table},
    steps::{Step, drop_table::DropTable, retire_table::RetireTable},
    table_pair::DeleteAlong,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FoldTable {
    /// The table that is dropped in the end.
    pub table: TableName,
    /// The table that gets its columns, with one row for each key.
    pub into: TableName,
    /// Column of `into`: column of `table` that says which row of `into` a row belongs to.
    pub by: BTreeMap<Ident, Ident>,
    /// The new columns of `into`. By default all columns of `table` except its key, under their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<Ident, MovedColumn>,
    /// New column: expression over `table`, if it is not a copy of the column with the same name. Evaluated with NULLs for a
    /// row of `into` that no row belongs to.
    #[serde(default, skip_serializing_if = "Assignments::is_empty")]
    pub forward: Assignments,
    /// Column of `table`: expression over `into`. By default copies are copied back. `{}` makes the change one-way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backward: Option<Assignments>,
    /// If several rows belong to one row of `into`, the first in this order counts, and the others are lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_by: Vec<Expression>,
    /// Columns, indexes, constraints, triggers, policies, rules and statistics objects of `table` that are dropped with
    /// it, without a successor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Ident>,
}

impl FoldTable {
    fn as_one(&self, table: Option<&Table>) -> IntoParent<'_> {
        let mut columns = self.columns.clone();
        if let (Some(table), true) = (table, columns.is_empty()) {
            let all = table.columns.iter().map(|column| column.name.clone());
            let all = all.filter(|column| !self.is_key(column) && !self.without.contains(column));
            columns.extend(all.map(|column| (column, MovedColumn::default())));
        }
        IntoParent {
            child: &self.table,
            parent: &self.into,
            by: &self.by,
            columns,
            forward: &self.forward,
            backward: self.backward.as_ref(),
            order_by: &self.order_by,
            // The two rows have become one: a new version that deletes it knows of no other.
            delete_along: DeleteAlong::Yes,
        }
    }

    fn is_key(&self, column: &Ident) -> bool {
        self.by.values().any(|key| key == column)
    }

    /// Triggers, policies, rules and statistics objects, which PostgreSQL drops with the table and says nothing of.
    fn hanging(&self, table: &Table, at: &Path) -> Errors {
        let lost = table.hanging.iter();
        lost.filter(|one| !self.without.contains(&one.name))
            .map(|one| {
                PlanError::at(at.clone(), format!("the {} would be lost", one.object)).help(format!(
                    "name it in `without: [{}]`, and give {} what takes its place before `switch_reads`",
                    one.name, self.into
                ))
            })
            .collect()
    }

    /// A column that no expression reads would be lost with the table.
    fn unread(&self, table: &Table, at: &Path) -> Errors {
        let forward = self.as_one(Some(table)).forward();
        let is_read = |column: &Ident| {
            forward
                .values()
                .any(|expression| crate::sqlgen::rename::names_column(expression.as_str(), column))
        };
        table
            .columns
            .iter()
            .map(|column| &column.name)
            .filter(|column| {
                !self.is_key(column) && !self.without.contains(column) && !is_read(column)
            })
            .map(|column| {
                PlanError::at(
                    at.clone(),
                    format!("the column {column} of {} would be lost", self.table),
                )
                .help(format!(
                    "name it in `columns`, or in `without: [{column}]` if it may go"
                ))
            })
            .collect()
    }
}

impl Change for FoldTable {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table, &self.into]
    }

    fn word_of(&self, expression: &Expression) -> Option<&'static str> {
        let nothing = Assignments::new();
        word_of(
            &self.forward,
            self.backward.as_ref().unwrap_or(&nothing),
            expression,
        )
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        self.as_one(None).advice(facts)
    }

    fn contradictions(&self, at: &Path) -> Errors {
        self.as_one(None).contradictions("into", at)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Table, at.key("table"))
            .in_table(&self.into)
            .and(What::Table, at.key("into"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let (_, table) = self.as_one(None).tables(facts, at)?;
        // An index or a constraint of nothing but the key says which row belongs to which: that is said by being one row.
        let others: BTreeSet<Ident> = table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .filter(|column| !self.is_key(column))
            .collect();
        let objects: Vec<Ident> = self
            .without
            .iter()
            .filter(|name| table.column(name).is_none())
            .filter(|name| !table.hanging.iter().any(|one| one.name == **name))
            .cloned()
            .collect();
        let mut errors = lost(&self.table, table, &others, &objects, at);
        errors.extend(self.unread(table, at));
        errors.extend(self.hanging(table, at));
        let inbound = table.referenced_by.iter();
        errors.extend(inbound.filter(|one| one.table != self.table).map(|one| {
            PlanError::at(
                at.key("table"),
                format!(
                    "the foreign key {} of {} refers to {}",
                    one.name, one.table, self.table
                ),
            )
            .help("drop it first: drop_constraint")
        }));
        errors.extend(table.table_dependents.iter().map(|dependent| {
            PlanError::at(
                at.key("table"),
                format!("{dependent} depends on {}", self.table),
            )
            .help("nothing is dropped with the table: change or drop it first")
        }));
        errors.dedup();
        if !errors.is_empty() {
            return Err(errors);
        }
        let references = table.constraints.iter().filter_map(|key| key.references());
        let references: BTreeSet<TableName> =
            references.filter(|other| *other != self.table).collect();
        let end = End {
            retire: vec![Step::from(RetireTable {
                table: self.table.clone(),
            })],
            contract: vec![Step::from(DropTable {
                table: self.table.clone(),
                references: references.into_iter().collect(),
            })],
        };
        self.as_one(Some(table)).phases(facts, at, end)
    }
}

//! `add_unique`: asked first, then a unique index built concurrently, which the constraint takes for its own. On a
//! partitioned table each partition's by itself, all attached to the table's.

use super::named::{Named, Naming, What};
use super::{
    Change,
    add_index::Names,
    relation::{self, Errors, Fit},
};
use crate::{
    columns::Columns,
    document::{Expect, PhaseDocument, PhaseName, Query},
    facts::{Facts, Table},
    steps::{Step, add_constraint::AddConstraint, create_index::CreateIndex},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddUnique {
    pub table: TableName,
    pub columns: Columns,
    /// By default made from the names of the table and the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Ident>,
}

/// A query step that finds two rows with the same values.
pub(super) fn no_duplicates(table: &TableName, columns: &Columns) -> Step {
    let present: Vec<String> = columns
        .names()
        .iter()
        .map(|column| format!("{column} IS NOT NULL"))
        .collect();
    Step::Query(Query {
        name: format!("no two rows have the same {columns}"),
        sql: format!(
            "SELECT {columns} FROM {table} WHERE {} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1",
            present.join(" AND ")
        ),
        expect: Expect::NoRows,
    })
}

pub(super) fn unique_index(
    table: &TableName,
    name: &Ident,
    columns: &Columns,
    partition_of: Option<&TableName>,
) -> Step {
    Step::from(CreateIndex {
        table: table.clone(),
        name: name.clone(),
        unique: true,
        using: format!("btree ({columns})"),
        tablespace: None,
        only: false,
        partition_of: partition_of.cloned(),
    })
}

pub(super) fn over_index(
    table: &TableName,
    name: &Ident,
    kind: &str,
    partition_of: Option<&TableName>,
) -> Step {
    Step::from(AddConstraint {
        table: table.clone(),
        name: name.clone(),
        definition: kind.to_owned(),
        index: Some(name.clone()),
        references: None,
        validate: true,
        partitions: None,
        partition_of: partition_of.cloned(),
    })
}

/// The steps to a UNIQUE or PRIMARY KEY.
pub(super) fn key(
    (table_name, table): (&TableName, &Table),
    name: &Ident,
    columns: &Columns,
    kind: &str,
) -> Vec<Step> {
    if !table.is_partitioned() {
        return vec![
            unique_index(table_name, name, columns, None),
            over_index(table_name, name, kind, None),
        ];
    }
    let names = Names {
        table: table_name,
        name,
        ending: if kind == "PRIMARY KEY" {
            "_pkey"
        } else {
            "_key"
        },
    };
    let whole = |table: &TableName| {
        Step::from(AddConstraint {
            table: table.clone(),
            name: names.of(table),
            definition: format!("{kind} ({columns})"),
            index: None,
            references: None,
            validate: true,
            partitions: Some(Vec::new()),
            partition_of: Some(table_name.clone()).filter(|of| of != table),
        })
    };
    // Those that are to be attached to come first: a partition that is made from now on has its own at once.
    let mut steps = vec![whole(table_name)];
    let divided = table.partitions.iter().filter(|partition| !partition.leaf);
    steps.extend(divided.map(|partition| whole(&partition.table)));
    for leaf in table.partitions.iter().filter(|partition| partition.leaf) {
        let name = names.of(&leaf.table);
        steps.push(unique_index(&leaf.table, &name, columns, Some(table_name)));
        steps.push(over_index(&leaf.table, &name, kind, Some(table_name)));
    }
    steps.extend(names.attached(&table.partitions, true));
    steps.push(relation::index_is_whole(table_name, name));
    steps
}

impl AddUnique {
    fn key_name(&self) -> Ident {
        let name = self.name.clone();
        name.unwrap_or_else(|| relation::name_after(&self.table, self.columns.names(), "_key"))
    }
}

impl Change for AddUnique {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let word = if self.name.is_some() {
            "name"
        } else {
            "columns"
        };
        Naming::of(&self.table)
            .and_all(self.columns.names(), What::Uses, &at.key("columns"))
            .and(What::MakesIndex(self.key_name()), at.key(word))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        relation::no_foreign_partition(table, at)?;
        for column in self.columns.names() {
            relation::column(&self.table, table, column, at.key("columns"))?;
        }
        let name = self.key_name();
        relation::name_is_free(&self.table, table, &name, at)?;
        if table.is_partitioned() {
            let columns = self.columns.names();
            relation::unique_over(&self.table, table, columns, &at.key("columns"))?;
        }
        Ok(vec![
            relation::phase(
                PhaseName::Verify,
                vec![no_duplicates(&self.table, &self.columns)],
            ),
            relation::phase(
                PhaseName::Enforce,
                key((&self.table, table), &name, &self.columns, "UNIQUE"),
            ),
        ])
    }
}

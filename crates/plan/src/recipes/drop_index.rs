//! `drop_index`: concurrently but for partitioned tables, and built again when it is taken back.

use super::named::{Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::{Facts, Index, Partition, Table},
    steps::{
        Step,
        drop_index::{DropIndex as DropIndexStep, IndexShape, PartitionIndex},
    },
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropIndex {
    pub table: TableName,
    pub name: Ident,
}

/// The index of that name, or which there are.
pub(super) fn index<'a>(
    table_name: &TableName,
    table: &'a Table,
    name: &Ident,
    at: &Path,
) -> Result<&'a Index, Errors> {
    match table.indexes.iter().find(|index| index.name == *name) {
        Some(index) => Ok(index),
        None => {
            let names: Vec<&str> = table.index_names().map(Ident::as_str).take(40).collect();
            let message = format!("{table_name} has no index {name}");
            let help = relation::there_are("indexes", &names);
            relation::refuse(&at.key("name"), message, &help)
        }
    }
}

/// How to build it again, with those of the partitions.
pub(super) fn shape(facts: &Facts, table: &Table, index: &Index) -> IndexShape {
    let mut shape = alone(index);
    if !table.is_partitioned() {
        return shape;
    }
    let found: Vec<PartitionIndex> = parts(facts, table, index)
        .map(|(partition, to, own)| PartitionIndex {
            table: partition.table.clone(),
            name: own.name.clone(),
            of: partition.of.clone(),
            to: to.clone(),
            index: IndexShape {
                partitions: (!partition.leaf).then(Vec::new),
                ..alone(own)
            },
        })
        .collect();
    let partitions = table.partitions.iter().map(|partition| &partition.table);
    let without = partitions.filter(|table| !found.iter().any(|own| own.table == **table));
    shape.without = without.cloned().collect();
    shape.partitions = Some(found);
    shape
}

/// The partitions that have a part of this index, that which it is attached to, and theirs; a parent before its own.
pub(super) fn parts<'a>(
    facts: &'a Facts,
    table: &'a Table,
    index: &'a Index,
) -> impl Iterator<Item = (&'a Partition, &'a Ident, &'a Index)> {
    // The names of those found so far, by the table that they are of.
    let mut names: BTreeMap<&TableName, &Ident> = BTreeMap::new();
    relation::partitions(facts, table).filter_map(move |(partition, facts)| {
        let to = names.get(&partition.of).copied().unwrap_or(&index.name);
        let mut own = facts.indexes.iter();
        let own = own.find(|own| own.of.as_ref() == Some(to))?;
        names.insert(&partition.table, &own.name);
        Some((partition, to, own))
    })
}

/// A rollback would make an index that stays when the extension goes.
pub(super) fn keeps_extension(index: &Index, at: &Path) -> Result<(), Errors> {
    let [extension, ..] = index.extensions.as_slice() else {
        return Ok(());
    };
    let name = &index.name;
    let message = format!(
        "{name} depends on the extension {extension}, and a rollback would create one that does not"
    );
    let help = format!(
        "ALTER INDEX {name} NO DEPENDS ON EXTENSION {extension}; says that this may be lost"
    );
    relation::refuse(at, message, &help)
}

fn alone(index: &Index) -> IndexShape {
    IndexShape {
        partitions: None,
        without: Vec::new(),
        unique: index.unique,
        using: index.using.clone(),
        tablespace: index.tablespace.clone(),
        comment: index.comment.clone(),
        clustered: index.clustered,
    }
}

impl Change for DropIndex {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::TakesObject(&self.name), at.key("name"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        relation::no_foreign_partition(table, at)?;
        let index = index(&self.table, table, &self.name, at)?;
        if let Some(constraint) = &index.constraint {
            let message = format!("{} serves the constraint {constraint}", self.name);
            let help = "drop that with drop_constraint: the index goes with it";
            return relation::refuse(&at.key("name"), message, help);
        }
        if index.replica_identity {
            let message = format!("{} is the replica identity of {}", self.name, self.table);
            let help = "choose another one first: set_replica_identity";
            return relation::refuse(&at.key("name"), message, help);
        }
        for index in std::iter::once(index).chain(parts(facts, table, index).map(|(_, _, own)| own))
        {
            keeps_extension(index, &at.key("name"))?;
        }
        let step = DropIndexStep {
            table: self.table.clone(),
            name: self.name.clone(),
            restore: Some(shape(facts, table, index)),
            partitioned: table.is_partitioned(),
            irreversible: false,
        };
        Ok(vec![relation::phase(
            PhaseName::Retire,
            vec![Step::from(step)],
        )])
    }
}

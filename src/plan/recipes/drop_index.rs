//! `drop_index`: concurrently, and built again when it is taken back.

use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::plan::{
    document::{PhaseDocument, PhaseName},
    error::Path,
    facts::{Facts, Index, Table},
    ident::{Ident, TableName},
    steps::{
        Step,
        drop_index::{DropIndex as DropIndexStep, IndexShape},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

pub(super) fn shape(index: &Index) -> IndexShape {
    IndexShape {
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

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
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
        let step = DropIndexStep {
            table: self.table.clone(),
            name: self.name.clone(),
            restore: Some(shape(index)),
            irreversible: false,
        };
        Ok(vec![relation::phase(
            PhaseName::Retire,
            vec![Step::from(step)],
        )])
    }
}

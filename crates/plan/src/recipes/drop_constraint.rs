//! `drop_constraint`: of any kind; it is added again, and proved again, when it is taken back.

use super::named::{Named, Naming, What};
use super::{
    Change, drop_index,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::{Constraint, ConstraintKind, Facts, Table},
    steps::{
        Step,
        drop_constraint::{
            ConstraintShape, DropConstraint as DropConstraintStep, PartitionConstraint,
        },
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
pub struct DropConstraint {
    pub table: TableName,
    pub name: Ident,
    /// Required for an exclusion constraint, which PostgreSQL cannot add again while the table is in use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

/// The constraint of that name, or which there are.
pub(super) fn constraint<'a>(
    table_name: &TableName,
    table: &'a Table,
    name: &Ident,
    place: &Path,
) -> Result<&'a Constraint, Errors> {
    match table.constraints.iter().find(|found| found.name == *name) {
        Some(constraint) => Ok(constraint),
        None => {
            let names = table.constraints.iter().map(|found| found.name.as_str());
            let names: Vec<&str> = names.take(40).collect();
            let message = format!("{table_name} has no constraint {name}");
            let help = relation::there_are("constraints", &names);
            relation::refuse(place, message, &help)
        }
    }
}

/// The leaves, with what the constraint is called there.
fn parts(facts: &Facts, table: &Table, found: &Constraint) -> Vec<PartitionConstraint> {
    // The names of those found so far, by the table that they are of.
    let mut names: BTreeMap<&TableName, &Ident> = BTreeMap::new();
    let mut leaves = Vec::new();
    for (partition, facts) in relation::partitions(facts, table) {
        let to = names.get(&partition.of).copied().unwrap_or(&found.name);
        let mut own = facts.constraints.iter();
        let own = own.find(|own| own.of.as_ref() == Some(to) && own.kind == found.kind);
        let Some(own) = own else { continue };
        names.insert(&partition.table, &own.name);
        if partition.leaf {
            leaves.push(PartitionConstraint {
                table: partition.table.clone(),
                name: own.name.clone(),
            });
        }
    }
    leaves
}

impl DropConstraint {
    fn shape(&self, facts: &Facts, table: &Table, found: &Constraint) -> Option<ConstraintShape> {
        let (definition, validate) = match found.definition.strip_suffix(" NOT VALID") {
            Some(definition) => (definition, false),
            None => (found.definition.as_str(), true),
        };
        let mut index = None;
        let definition = match found.kind {
            ConstraintKind::Check | ConstraintKind::ForeignKey => definition.to_owned(),
            ConstraintKind::PrimaryKey | ConstraintKind::Unique => {
                let own =
                    |index: &&crate::facts::Index| index.constraint.as_ref() == Some(&self.name);
                let own = table.indexes.iter().find(own)?;
                index = Some(drop_index::shape(facts, table, own));
                let kind = match found.kind {
                    ConstraintKind::PrimaryKey => "PRIMARY KEY",
                    _ => "UNIQUE",
                };
                let deferring = definition
                    .find(" DEFERRABLE")
                    .map_or("", |at| &definition[at..]);
                if table.is_partitioned() {
                    definition.to_owned()
                } else {
                    format!("{kind}{deferring}")
                }
            }
            ConstraintKind::Exclusion | ConstraintKind::Other => return None,
        };
        Some(ConstraintShape {
            definition,
            index,
            validate,
            comment: found.comment.clone(),
            partitions: table.is_partitioned().then(|| parts(facts, table, found)),
        })
    }
}

impl Change for DropConstraint {
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
        let found = constraint(&self.table, table, &self.name, &at.key("name"))?;
        let is_key = matches!(
            found.kind,
            ConstraintKind::PrimaryKey | ConstraintKind::Unique
        );
        let relying = table.referenced_by.iter().find(|inbound| {
            is_key
                && inbound
                    .columns
                    .iter()
                    .all(|column| found.columns.contains(column))
                && inbound.columns.len() == found.columns.len()
        });
        if let Some(inbound) = relying {
            let message = format!(
                "the foreign key {} of {} relies on {}",
                inbound.name, inbound.table, self.name
            );
            return relation::refuse(&at.key("name"), message, "drop that one first");
        }
        if let Some(other) = found.references() {
            relation::no_own_foreign_key(facts, table, (&found.columns, &other), at)?;
        }
        let served = |index: &&crate::facts::Index| index.constraint.as_ref() == Some(&self.name);
        if let Some(index) = table.indexes.iter().find(served) {
            drop_index::keeps_extension(index, &at.key("name"))?;
        }
        let references = found.references().filter(|other| *other != self.table);
        let step = DropConstraintStep {
            table: self.table.clone(),
            name: self.name.clone(),
            references,
            restore: self.shape(facts, table, found),
            irreversible: self.irreversible,
        };
        Ok(vec![relation::phase(
            PhaseName::Retire,
            vec![Step::from(step)],
        )])
    }
}

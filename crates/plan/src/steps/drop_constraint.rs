//! `drop_constraint`: of any kind but one that a foreign key relies on. How to add it again is kept where that can be done.

use super::{Ddl, Described, Undo};
use super::{
    add_constraint::{self, AddConstraint},
    drop_index::IndexShape,
};
use crate::sqlgen::cost::{Cost, Obstacle};
use crate::sqlgen::ddl_unit::{Commented, DdlUnit};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops a constraint. The step stores how to add it again, where that is possible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropConstraint {
    pub table: TableName,
    pub name: Ident,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<TableName>,
    /// How to add it again. Without it, the drop cannot be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<ConstraintShape>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

/// The definition of a constraint, without its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintShape {
    /// `CHECK (quantity > 0)`; for a constraint with an index only the text before and after its columns, unless the table is
    /// partitioned.
    pub definition: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<IndexShape>,
    /// `false`: it was NOT VALID.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub validate: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// For a partitioned table: the constraints of its partitions that have rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<PartitionConstraint>>,
}

/// The name of the constraint on a partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionConstraint {
    pub table: TableName,
    pub name: Ident,
}

fn yes() -> bool {
    true
}

impl Described for DropConstraint {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Retire, PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        std::iter::once(&self.table)
            .chain(&self.references)
            .collect()
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }
}

impl Ddl for DropConstraint {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let references = self.references.as_ref();
        vec![add_constraint::drop_constraint(
            &self.table,
            &self.name,
            references,
        )]
    }

    fn undo(&self, plan: &Plan) -> Undo {
        let Some(shape) = &self.restore else {
            return Undo::Irreversible;
        };
        let mut parts = self.again(plan, shape);
        if let Some(comment) = &shape.comment {
            let on = Commented::Constraint(self.table.clone(), self.name.clone());
            parts.push(on.part(Some(comment.clone())));
        }
        Undo::Parts(parts)
    }

    fn irreversible(&self) -> bool {
        self.irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        let obstacle = self.restore.as_ref().and_then(|shape| self.obstacle(shape));
        obstacle.map(Cost::in_the_way).unwrap_or_default()
    }
}

impl DropConstraint {
    /// One that was NOT VALID is so again: rows that are there are not looked at.
    fn obstacle(&self, shape: &ConstraintShape) -> Option<Obstacle> {
        let (table, name) = (&self.table, &self.name);
        if let Some(index) = &shape.index {
            return Obstacle::unique(table, name, &index.using);
        }
        if !shape.validate {
            return None;
        }
        let constraint = self.bare(shape);
        match constraint.condition() {
            Some(condition) => Some(Obstacle::check(table, name, &condition.to_string())),
            None => Obstacle::foreign_key(table, name, &shape.definition),
        }
    }

    fn bare(&self, shape: &ConstraintShape) -> AddConstraint {
        AddConstraint {
            table: self.table.clone(),
            name: self.name.clone(),
            definition: shape.definition.clone(),
            index: None,
            references: self.references.clone(),
            validate: shape.validate,
            partitions: None,
            partition_of: None,
        }
    }

    fn again(&self, plan: &Plan, shape: &ConstraintShape) -> Vec<DdlUnit> {
        let constraint = self.bare(shape);
        match (&shape.partitions, &shape.index) {
            (None, None) => constraint.parts(plan),
            (None, Some(index)) => {
                let over = AddConstraint {
                    index: Some(self.name.clone()),
                    ..constraint
                };
                let mut parts = index.parts(plan, &self.table, &self.name);
                parts.extend(over.parts(plan));
                parts
            }
            (Some(_), Some(index)) => keys(plan, &constraint, index),
            (Some(partitions), None) => on_partitions(plan, constraint, partitions),
        }
    }
}

/// A CHECK, or a FOREIGN KEY, which each partition has first.
fn on_partitions(
    plan: &Plan,
    constraint: AddConstraint,
    partitions: &[PartitionConstraint],
) -> Vec<DdlUnit> {
    let tables = partitions.iter().map(|partition| partition.table.clone());
    let whole = AddConstraint {
        partitions: Some(tables.collect()),
        ..constraint.clone()
    };
    if !constraint.is_foreign_key() {
        return whole.parts(plan);
    }
    let mut parts = Vec::new();
    for partition in partitions {
        let own = AddConstraint {
            table: partition.table.clone(),
            name: partition.name.clone(),
            partition_of: Some(constraint.table.clone()),
            ..constraint.clone()
        };
        parts.extend(own.parts(plan));
    }
    let names = partitions.iter().map(|partition| partition.name.clone());
    parts.extend(whole.on_partitioned(names.collect()));
    parts
}

/// A UNIQUE or PRIMARY KEY: of the partitioned tables alone, of each leaf over an index, and all attached.
fn keys(plan: &Plan, constraint: &AddConstraint, index: &IndexShape) -> Vec<DdlUnit> {
    let divided = AddConstraint {
        partitions: Some(Vec::new()),
        ..constraint.clone()
    };
    let mut parts = divided.parts(plan);
    parts.extend(index.marks(&constraint.table, &constraint.name));
    parts.extend(index.of_partitions(&constraint.table, |own| {
        let of_partition = AddConstraint {
            table: own.table.clone(),
            name: own.name.clone(),
            ..divided.clone()
        };
        if own.index.partitions.is_some() {
            let mut parts = of_partition.parts(plan);
            parts.extend(own.index.marks(&own.table, &own.name));
            return parts;
        }
        let over = AddConstraint {
            definition: of_partition.without_columns(),
            index: Some(own.name.clone()),
            partitions: None,
            ..of_partition
        };
        let mut parts = own.index.alone(plan, &own.table, &own.name);
        parts.extend(over.parts(plan));
        parts
    }));
    parts.extend(index.attached(plan, (&constraint.table, &constraint.name), true));
    parts
}

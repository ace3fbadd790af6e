//! What planning knows of the tables, as the classifier of SQL wants to know it.

use crate::analysis::{
    catalog::{Catalog, KnownColumn, KnownConstraint, KnownIndex, KnownTable},
    name::Name,
    statement::ConstraintKind,
    syntax::normalized,
};
use crate::plan::{
    facts::{self, Facts, Table},
    ident::TableName,
};
use crate::statement::foreign_key::ForeignKey;

pub fn catalog(facts: &Facts) -> Catalog {
    let mut catalog = Catalog::default();
    for (name, table) in &facts.tables {
        if let Some(table) = table {
            catalog.add(known(name, table));
            for partition in &table.partitions {
                if facts.table(&partition.table).is_none() {
                    catalog.add(partition_of(table, &partition.table));
                }
            }
        }
    }
    catalog
}

pub fn name(table: &TableName) -> Name {
    Name {
        schema: Some(table.schema.as_str().to_owned()),
        name: table.name.as_str().to_owned(),
    }
}

/// Of the partitions it is known which they are, and what they are partitions of.
fn partition_of(facts: &Table, partition: &TableName) -> KnownTable {
    let mut known = KnownTable::new(name(partition));
    known.children = children(facts, partition);
    known.partitioned = !known.children.is_empty();
    known
}

fn children(facts: &Table, of: &TableName) -> Vec<Name> {
    let partitions = facts.partitions.iter();
    let children = partitions.filter(|partition| partition.of == *of);
    children.map(|partition| name(&partition.table)).collect()
}

fn known(table: &TableName, facts: &Table) -> KnownTable {
    let mut known = KnownTable::new(name(table));
    known.complete = !facts.has_children;
    known.children = children(facts, table);
    known.partitioned = facts.is_partitioned();
    known.columns = facts
        .columns
        .iter()
        .map(|column| KnownColumn {
            name: column.name.as_str().to_owned(),
            type_name: column.type_name.clone(),
            not_null: column.not_null,
        })
        .collect();
    known.indexes = facts
        .indexes
        .iter()
        .map(|index| KnownIndex {
            name: index.name.as_str().to_owned(),
            columns: index
                .columns
                .iter()
                .map(|column| column.as_str().to_owned())
                .collect(),
        })
        .collect();
    known.constraints = facts.constraints.iter().filter_map(constraint).collect();
    known
}

fn constraint(constraint: &facts::Constraint) -> Option<KnownConstraint> {
    let kind = match constraint.kind {
        facts::ConstraintKind::Check => {
            let inside = constraint.definition.strip_prefix("CHECK (")?;
            let (expression, _) = inside.rsplit_once(')')?;
            ConstraintKind::Check(normalized(expression))
        }
        facts::ConstraintKind::ForeignKey => {
            let key = ForeignKey::read(&constraint.definition)?;
            ConstraintKind::ForeignKey {
                references: Name::read(key.table),
            }
        }
        facts::ConstraintKind::Unique => ConstraintKind::Unique { index: None },
        facts::ConstraintKind::PrimaryKey => ConstraintKind::PrimaryKey {
            columns: Vec::new(),
            index: None,
        },
        facts::ConstraintKind::Exclusion => ConstraintKind::Exclude,
        facts::ConstraintKind::Other => return None,
    };
    Some(KnownConstraint {
        name: constraint.name.as_str().to_owned(),
        kind,
        validated: constraint.validated,
    })
}

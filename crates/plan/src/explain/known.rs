//! What planning knows of the tables, as the classifier of SQL wants to know it.

use crate::facts::{self, Facts, Table};
use crate::sqlgen::foreign_key::ForeignKey;
use crossfade_model::ident::{Ident, TableName};
use crossfade_sql::{
    catalog::{Catalog, KnownColumn, KnownConstraint, KnownIndex, KnownTable},
    name::Name,
    script::Script,
    statement::{ConstraintKind, Kind},
    syntax::{self, normalized},
};

pub fn catalog(facts: &Facts) -> Catalog {
    let mut catalog = Catalog::default();
    if let Some(domains) = &facts.constrained_domains {
        catalog.constrained_domains_are(domains);
    }
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
    for (referred, table) in &facts.tables {
        for inbound in table.iter().flat_map(|table| &table.referenced_by) {
            if facts.table(&inbound.table).is_none() {
                catalog.constrain(&name(&inbound.table), foreign_key(inbound, referred));
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
    known.foreign = facts.kind == facts::TableKind::Foreign;
    let is_policy = |hanging: &facts::Hanging| hanging.object.starts_with("policy ");
    known.has_policy = facts.hanging.iter().any(is_policy);
    known.columns = facts
        .columns
        .iter()
        .map(|column| KnownColumn {
            name: column.name.as_str().to_owned(),
            type_name: column.type_name.clone(),
            collation: column
                .collation
                .as_deref()
                .map(|name| Name::read(name).name),
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
            computed: computed(&index.using),
        })
        .collect();
    known.constraints = facts.constraints.iter().filter_map(constraint).collect();
    known
}

/// The columns of an index that has an expression or a condition; `using` is what follows USING in its definition.
fn computed(using: &str) -> Vec<String> {
    let definition = format!("CREATE INDEX ON t USING {using}");
    let mut statements = syntax::read(&Script::read(&definition)).into_iter();
    match statements.next().map(|statement| statement.kind) {
        Some(Kind::CreateIndex { computed, .. }) => computed,
        _ => Vec::new(),
    }
}

/// Of a table of which nothing else is known.
fn foreign_key(inbound: &facts::Inbound, to: &TableName) -> KnownConstraint {
    let key = ForeignKey::read(&inbound.definition);
    KnownConstraint {
        name: inbound.name.as_str().to_owned(),
        kind: ConstraintKind::ForeignKey {
            references: name(to),
        },
        columns: key
            .as_ref()
            .map_or_else(Vec::new, |key| words(&key.columns())),
        referred: words(&inbound.columns),
        validated: key.is_some_and(|key| key.validated),
    }
}

fn words(names: &[Ident]) -> Vec<String> {
    let names = names.iter();
    names.map(|name| name.as_str().to_owned()).collect()
}

fn constraint(constraint: &facts::Constraint) -> Option<KnownConstraint> {
    let mut referred = Vec::new();
    let kind = match constraint.kind {
        facts::ConstraintKind::Check => {
            let inside = constraint.definition.strip_prefix("CHECK (")?;
            let (expression, _) = inside.rsplit_once(')')?;
            ConstraintKind::Check(normalized(expression))
        }
        facts::ConstraintKind::ForeignKey => {
            let key = ForeignKey::read(&constraint.definition)?;
            referred = words(&key.referred());
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
        columns: words(&constraint.columns),
        referred,
        validated: constraint.validated,
    })
}

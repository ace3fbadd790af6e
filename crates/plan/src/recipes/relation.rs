//! What the recipes ask of the table that they are about, and the small pieces that their phases are made of.

use crate::sqlgen::literal;
use crate::{
    document::{Expect, Gate, PhaseDocument, PhaseName, Query},
    facts::{Column, Facts, Partition, Table, TableKind},
    product::Product,
    steps::Step,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use std::collections::BTreeSet;

pub(super) type Errors = Vec<PlanError>;

/// The kinds of tables that a change can be made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Ordinary tables, without partitions and without tables that inherit.
    Ordinary,
    /// And partitioned ones.
    Partitioned,
}

/// The table, if it is there and of a kind that fits; otherwise why not, by name.
pub(super) fn table<'a>(
    facts: &'a Facts,
    name: &TableName,
    at: &Path,
    fit: Fit,
) -> Result<&'a Table, Errors> {
    let Some(table) = facts.table(name) else {
        return Err(vec![
            PlanError::at(at.key("table"), format!("there is no table {name}"))
                .help("write `schema.table`, quoted as in SQL where needed"),
        ]);
    };
    let why = match table.kind {
        TableKind::Table if table.has_children => "has tables that inherit from it",
        TableKind::Table => return Ok(table),
        TableKind::Partitioned | TableKind::Partition if table.is_partition => {
            "is a partition: what it has is its parent's"
        }
        TableKind::Partitioned if fit == Fit::Partitioned => return Ok(table),
        TableKind::Partitioned => "is partitioned",
        TableKind::Partition => "is a partition",
        TableKind::View | TableKind::MaterializedView => "is a view",
        TableKind::Foreign => "is a foreign table",
        TableKind::Temporary => "is a temporary table",
        TableKind::Other => "is not an ordinary table",
    };
    let help = match fit {
        _ if table.is_partition => "name the table that it is a partition of",
        Fit::Ordinary => "this change can be made to ordinary tables",
        Fit::Partitioned => "this change can be made to ordinary and to partitioned tables",
    };
    if let Some(product) = table.kept_elsewhere() {
        return refuse_product(name, product, at);
    }
    Err(vec![
        PlanError::at(at.key("table"), format!("{name} {why}")).help(help),
    ])
}

/// Such tables look like ones with children, or like views: it is said what they are.
pub(super) fn refuse_product<T>(
    name: &TableName,
    product: &Product,
    at: &Path,
) -> Result<T, Errors> {
    let message = format!("{name} {}", product.sentence());
    Err(vec![
        PlanError::at(at.key("table"), message).help(product.help()),
    ])
}

/// The tables that a change to this one is about: it and its partitions.
pub(super) fn with_partitions(facts: &Facts, name: &TableName) -> Vec<TableName> {
    let partitions = facts.table(name).into_iter();
    let partitions = partitions.flat_map(|table| &table.partitions);
    std::iter::once(name.clone())
        .chain(partitions.map(|partition| partition.table.clone()))
        .collect()
}

/// The partitions, a parent before its own, as far as the facts have been read by now.
pub(super) fn partitions<'a>(
    facts: &'a Facts,
    table: &'a Table,
) -> impl Iterator<Item = (&'a Partition, &'a Table)> {
    let partitions = table.partitions.iter();
    partitions.filter_map(|partition| Some((partition, facts.table(&partition.table)?)))
}

/// The partitions that have rows; `None` for an ordinary table.
pub(super) fn leaves(table: &Table) -> Option<Vec<TableName>> {
    let leaves = table.partitions.iter().filter(|partition| partition.leaf);
    let leaves = leaves.map(|partition| partition.table.clone());
    table.is_partitioned().then(|| leaves.collect())
}

/// What is on a foreign server is not ours to change.
pub(super) fn no_foreign_partition(table: &Table, at: &Path) -> Result<(), Errors> {
    match table.partitions.iter().find(|partition| partition.foreign) {
        Some(foreign) => {
            let message = format!("the partition {} is a foreign table", foreign.table);
            let help = "this change cannot be made to it: detach it first";
            refuse(&at.key("table"), message, help)
        }
        None => Ok(()),
    }
}

/// The table's default goes down to the partitions, and what they had for themselves could not be given back.
pub(super) fn same_default_on_partitions(
    facts: &Facts,
    table: &Table,
    column: &Column,
    at: &Path,
) -> Result<(), Errors> {
    for (partition, facts) in partitions(facts, table) {
        let own = facts.column(&column.name);
        let own = own.and_then(|own| own.default.as_deref());
        if own != column.default.as_deref() {
            let message = format!(
                "the partition {} has another default of {}: {}",
                partition.table,
                column.name,
                own.unwrap_or("none")
            );
            let help = "it would be replaced, and a rollback could not restore it: set it on the whole table first";
            return refuse(&at.key("column"), message, help);
        }
    }
    Ok(())
}

/// PostgreSQL would take a partition's own foreign key for the table's, and it would go with it.
pub(super) fn no_own_foreign_key(
    facts: &Facts,
    table: &Table,
    (columns, references): (&[Ident], &TableName),
    at: &Path,
) -> Result<(), Errors> {
    let wanted: BTreeSet<&Ident> = columns.iter().collect();
    for (partition, facts) in partitions(facts, table) {
        let own = facts.constraints.iter().find(|own| {
            own.of.is_none()
                && own.references().as_ref() == Some(references)
                && own.columns.iter().collect::<BTreeSet<_>>() == wanted
        });
        if let Some(own) = own {
            let message = format!(
                "the partition {} has a foreign key {} over the same columns by itself",
                partition.table, own.name
            );
            let help =
                "PostgreSQL takes it for a part of the table's, with which it goes: drop it first";
            return refuse(&at.key("table"), message, help);
        }
    }
    Ok(())
}

/// Whatever is unique on a partitioned table is so by its partition key. Source: `DefineIndex` of PostgreSQL.
pub(super) fn unique_over(
    name: &TableName,
    table: &Table,
    columns: &[Ident],
    place: &Path,
) -> Result<(), Errors> {
    if table.partition_key_computed {
        let message = format!("the partition key of {name} has an expression");
        let help = "PostgreSQL allows no unique index or constraint on such a table: create one on each partition";
        return refuse(place, message, help);
    }
    let mut missing = table.partition_key.iter();
    if let Some(missing) = missing.find(|column| !columns.contains(column)) {
        let message = format!("{missing} is in the partition key of {name} and not listed");
        let help = "PostgreSQL enforces uniqueness within a partition only, so the partition key has to be part of it: add it to `columns`";
        return refuse(place, message, help);
    }
    Ok(())
}

/// A query step: every partition has its own of a partitioned index, those too that came after the plan was compiled.
pub(super) fn index_is_whole(table: &TableName, index: &Ident) -> Step {
    let whole = TableName {
        schema: table.schema.clone(),
        name: index.clone(),
    };
    let (table_text, index_text) = (
        literal::text(&table.to_string()),
        literal::text(&whole.to_string()),
    );
    Step::Query(Query {
        name: format!("{index} is valid, and every partition of {table} has its part"),
        sql: format!(
            "SELECT pg_catalog.format('%s.%I', p.relnamespace::pg_catalog.regnamespace, p.relname) AS name FROM pg_catalog.pg_partition_tree({table_text}) AS t \
             JOIN pg_catalog.pg_class AS p ON p.oid = t.relid \
             WHERE t.level > 0 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index AS i, pg_catalog.pg_partition_ancestors(i.indexrelid) AS a \
             WHERE i.indrelid = t.relid AND a.relid = {index_text}::pg_catalog.regclass) \
             UNION ALL SELECT pg_catalog.format('%s.%I', p.relnamespace::pg_catalog.regnamespace, p.relname) FROM pg_catalog.pg_index AS i \
             JOIN pg_catalog.pg_class AS p ON p.oid = i.indexrelid WHERE i.indexrelid = {index_text}::pg_catalog.regclass AND NOT i.indisvalid"
        ),
        expect: Expect::NoRows,
    })
}

/// The column of that table, or which there are.
pub(super) fn column<'a>(
    name: &TableName,
    table: &'a Table,
    column: &Ident,
    place: Path,
) -> Result<&'a Column, Errors> {
    table.column(column).ok_or_else(|| {
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        let nearby: Vec<&str> = names.into_iter().take(40).collect();
        vec![
            PlanError::at(place, format!("{name} has no column {column}"))
                .help(format!("its columns are {}", nearby.join(", "))),
        ]
    })
}

/// What a row is told by: its key, or where it stands.
pub(super) fn row_name(table: &Table) -> String {
    if table.key.is_empty() {
        return "ctid".to_owned();
    }
    let names: Vec<String> = table.key.iter().map(Ident::to_string).collect();
    names.join(", ")
}

/// `its indexes are a, b`
pub(super) fn there_are(what: &str, names: &[&str]) -> String {
    if names.is_empty() {
        format!("it has no {what}")
    } else {
        format!("its {what} are {}", names.join(", "))
    }
}

pub(super) fn refuse<T>(at: &Path, message: impl Into<String>, help: &str) -> Result<T, Errors> {
    Err(vec![PlanError::at(at.clone(), message).help(help)])
}

/// Of a change of a name to itself.
pub(super) fn same_name(is_same: bool, at: &Path) -> Errors {
    let error = || {
        PlanError::at(at.key("to"), "the new name is the old one")
            .help("give the new name, or leave the plan out: there is nothing to do")
    };
    is_same.then(error).into_iter().collect()
}

pub(super) fn phase(phase: PhaseName, steps: Vec<Step>) -> PhaseDocument {
    PhaseDocument {
        phase,
        gate: Gate::default(),
        steps,
    }
}

/// Phases without those that have nothing in them.
pub(super) fn filled(phases: Vec<PhaseDocument>) -> Vec<PhaseDocument> {
    phases
        .into_iter()
        .filter(|phase| !phase.steps.is_empty())
        .collect()
}

/// `vehicles_status_idx`, as PostgreSQL would call it.
pub(super) fn name_after(table: &TableName, columns: &[Ident], suffix: &str) -> Ident {
    let names: Vec<&str> = std::iter::once(&table.name)
        .chain(columns)
        .map(Ident::as_str)
        .collect();
    Ident::from_catalog(names.join("_")).with_suffix(suffix)
}

/// Its own and each partition's, to which the table's goes down.
pub(super) fn name_is_free_everywhere(
    facts: &Facts,
    (name, table): (&TableName, &Table),
    constraint: &Ident,
    at: &Path,
) -> Result<(), Errors> {
    name_is_free(name, table, constraint, at)?;
    for (partition, facts) in partitions(facts, table) {
        name_is_free(&partition.table, facts, constraint, at)?;
    }
    Ok(())
}

/// No two relations of a schema, and no two constraints of a table, have one name.
pub(super) fn name_is_free(
    table_name: &TableName,
    table: &Table,
    name: &Ident,
    at: &Path,
) -> Result<(), Errors> {
    let taken = table.index_names().any(|index| index == name)
        || table
            .constraints
            .iter()
            .any(|constraint| constraint.name == *name);
    if taken {
        let message = format!("{table_name} has an index or a constraint {name} already");
        return refuse(&at.key("name"), message, "choose another name");
    }
    Ok(())
}

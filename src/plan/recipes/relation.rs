//! What the recipes ask of the table that they are about, and the small pieces that their phases are made of.

use crate::plan::{
    document::{Gate, PhaseDocument, PhaseName},
    error::{Path, PlanError},
    facts::{Column, Facts, Table, TableKind},
    ident::{Ident, TableName},
    steps::Step,
};

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
        TableKind::Partitioned if fit == Fit::Partitioned => return Ok(table),
        TableKind::Partitioned => "is partitioned",
        TableKind::Partition => "is a partition: what it has is its parent's",
        TableKind::View | TableKind::MaterializedView => "is a view",
        TableKind::Foreign => "is a foreign table",
        TableKind::Temporary => "is a temporary table",
        TableKind::Other => "is not an ordinary table",
    };
    let help = match fit {
        Fit::Ordinary => "this change can be made to ordinary tables",
        Fit::Partitioned => "this change can be made to ordinary and to partitioned tables",
    };
    Err(vec![
        PlanError::at(at.key("table"), format!("{name} {why}")).help(help),
    ])
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

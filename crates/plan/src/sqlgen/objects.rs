//! The objects that a step makes or changes under a name, and those that undoing it drops. By these it is told what somebody has
//! put in their place, or on them, since.

use super::ddl_unit::{Commented, DdlUnit, Goal};
use crossfade_model::ident::{Ident, TableName};
use std::fmt;

/// What a step makes or changes, as far as somebody may put something else in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    Index(TableName, Ident),
    Constraint(TableName, Ident),
    Default(TableName, Ident),
    Comment(Commented),
    ReplicaIdentity(TableName),
    Column(TableName, Ident),
    /// One aspect of the view that has this name, and of the table that it stands in for.
    View(ViewAspect, TableName, Ident),
}

/// What can be set on a view without replacing it, and its query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewAspect {
    Query,
    Owner,
    Privileges,
    Comments,
    Defaults,
}

/// An object, as long as it is on a partition of this table, where it is on one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    pub object: Object,
    /// The partition, and its table.
    pub partition: Option<(TableName, TableName)>,
}

/// An object that an undo drops, by how it is called: `sub` is the column or the constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    pub kind: DroppedKind,
    pub schema: Ident,
    pub name: Ident,
    pub sub: Option<Ident>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DroppedKind {
    Column,
    Table,
    View,
    Index,
    Constraint,
    Type,
}

impl DroppedKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Column => "column",
            Self::Table => "table",
            Self::View => "view",
            Self::Index => "index",
            Self::Constraint => "constraint",
            Self::Type => "type",
        }
    }
}

impl ViewAspect {
    pub const ALL: [Self; 5] = [
        Self::Query,
        Self::Owner,
        Self::Privileges,
        Self::Comments,
        Self::Defaults,
    ];
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(table, name) => write!(f, "the index {}.{name}", table.schema),
            Self::Constraint(table, name) => write!(f, "the constraint {name} of {table}"),
            Self::Default(table, column) => write!(f, "the default of {table}.{column}"),
            Self::Comment(Commented::Table(table)) => write!(f, "the comment on {table}"),
            Self::Comment(Commented::Column(table, column)) => {
                write!(f, "the comment on {table}.{column}")
            }
            Self::Comment(Commented::Index(table, index)) => {
                write!(f, "the comment on the index {}.{index}", table.schema)
            }
            Self::Comment(Commented::Constraint(table, name)) => {
                write!(f, "the comment on the constraint {name} of {table}")
            }
            Self::ReplicaIdentity(table) => write!(f, "the replica identity of {table}"),
            Self::Column(table, column) => write!(f, "the type of {table}.{column}"),
            Self::View(aspect, table, _) => {
                let what = match aspect {
                    ViewAspect::Query => "the query",
                    ViewAspect::Owner => "the owner",
                    ViewAspect::Privileges => "the privileges",
                    ViewAspect::Comments => "the comments",
                    ViewAspect::Defaults => "the defaults",
                };
                write!(f, "{what} of the view {table}")
            }
        }
    }
}

impl Object {
    /// What a person does so that going back neither takes this away nor overwrites it. `made`: how the run has left it.
    pub fn advice(&self, made: Option<&str>) -> String {
        match (self, made) {
            (Self::Index(..) | Self::Constraint(..), _) => {
                "Give it another name, and it is left alone, or drop it".to_owned()
            }
            (Self::Column(..), Some(made)) => format!("Give it the type {made} again"),
            (Self::Column(..), None) => "Give it another name".to_owned(),
            (Self::Default(table, column), Some(made)) => format!(
                "`ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {made}` puts back what this run has set"
            ),
            (Self::Default(table, column), None) => format!(
                "`ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT` puts back what this run has set"
            ),
            (Self::Comment(on), made) => {
                format!(
                    "`{}` puts back what this run has set",
                    on.statement(made).sql
                )
            }
            (Self::ReplicaIdentity(table), Some(made)) => format!(
                "`ALTER TABLE {table} REPLICA IDENTITY {made}` puts back what this run has set"
            ),
            (Self::ReplicaIdentity(_), None) => "Put back what this run has set".to_owned(),
            (Self::View(_, table, base), _) => format!(
                "Set on {}.{base} what is to stay, and put back on the view what this run has set",
                table.schema
            ),
        }
    }
}

/// What these parts make, change, or put back.
pub fn touched(parts: &[DdlUnit]) -> Vec<Touched> {
    let mut all: Vec<Touched> = Vec::new();
    for part in parts {
        let partition = match &part.goal {
            Goal::OfPartition { partition, of, .. } => Some((partition.clone(), of.clone())),
            _ => None,
        };
        for object in objects(part.goal.itself()) {
            if !is_proof(parts, &object) && !all.iter().any(|one| one.object == object) {
                let partition = partition.clone();
                all.push(Touched { object, partition });
            }
        }
    }
    all
}

fn objects(goal: &Goal) -> Vec<Object> {
    match goal {
        Goal::Index { table, name, .. }
        | Goal::PartitionedIndex { table, name }
        | Goal::NoIndex { table, name } => vec![Object::Index(table.clone(), name.clone())],
        Goal::Constraint { table, name, .. }
        | Goal::NoConstraint { table, name }
        | Goal::ConstraintRenamed {
            table, to: name, ..
        } => {
            vec![Object::Constraint(table.clone(), name.clone())]
        }
        Goal::DefaultIs { table, column, .. } | Goal::DefaultIsNot { table, column, .. } => {
            vec![Object::Default(table.clone(), column.clone())]
        }
        Goal::Comment { on, .. } => vec![Object::Comment(on.clone())],
        Goal::ReplicaIdentity { table, .. } => vec![Object::ReplicaIdentity(table.clone())],
        Goal::Column { table, column, .. } | Goal::ColumnType { table, column, .. } => {
            vec![Object::Column(table.clone(), column.clone())]
        }
        Goal::Aliased { table, base } => ViewAspect::ALL
            .into_iter()
            .map(|aspect| Object::View(aspect, table.clone(), base.clone()))
            .collect(),
        Goal::NoColumn { .. }
        | Goal::ColumnRenamed { .. }
        | Goal::Replaced { .. }
        | Goal::Unreplaced { .. }
        | Goal::NotNull { .. }
        | Goal::Nullable { .. }
        | Goal::Sync { .. }
        | Goal::TablesInStep { .. }
        | Goal::Table { .. }
        | Goal::NoTable { .. }
        | Goal::TableRenamed { .. }
        | Goal::IndexRebuilt { .. }
        | Goal::IndexWhole { .. }
        | Goal::PartitionsRefer { .. }
        | Goal::OfPartition { .. }
        | Goal::IndexAttached { .. }
        | Goal::Clustered { .. }
        // Labels may be added to an enum, and it is the same one.
        | Goal::Enum { .. }
        | Goal::EnumValue { .. }
        | Goal::Asked { .. }
        | Goal::TableItself { .. }
        | Goal::NoView { .. }
        | Goal::Functions { .. }
        | Goal::Identity { .. }
        | Goal::SequenceReaches { .. }
        | Goal::SequenceOwned { .. } => Vec::new(),
    }
}

/// A CHECK that is there for a while, under a name of ours.
fn is_proof(parts: &[DdlUnit], object: &Object) -> bool {
    let Object::Constraint(_, name) = object else {
        return false;
    };
    parts.iter().any(|part| match part.goal.itself() {
        Goal::NotNull { proof, .. } | Goal::Nullable { proof, .. } => proof == name,
        _ => false,
    })
}

/// What the parts of an undo drop.
pub fn dropped(undo: &[DdlUnit]) -> Vec<Dropped> {
    let of = |kind, table: &TableName, sub: Option<&Ident>| Dropped {
        kind,
        schema: table.schema.clone(),
        name: table.name.clone(),
        sub: sub.cloned(),
    };
    let goals = undo.iter().map(|part| part.goal.itself());
    goals
        .filter_map(|goal| match goal {
            Goal::NoColumn { table, column } => Some(of(DroppedKind::Column, table, Some(column))),
            Goal::NoTable { table } => Some(of(DroppedKind::Table, table, None)),
            Goal::TableItself { table } => Some(of(DroppedKind::View, table, None)),
            Goal::NoIndex { table, name } => Some(Dropped {
                kind: DroppedKind::Index,
                schema: table.schema.clone(),
                name: name.clone(),
                sub: None,
            }),
            Goal::NoConstraint { table, name } => {
                Some(of(DroppedKind::Constraint, table, Some(name)))
            }
            Goal::Nullable { table, proof, .. } => {
                Some(of(DroppedKind::Constraint, table, Some(proof)))
            }
            Goal::Enum { name, labels: None } => Some(of(DroppedKind::Type, name, None)),
            _ => None,
        })
        .collect()
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            schema,
            name,
            sub,
        } = self;
        match (kind, sub) {
            (DroppedKind::Constraint, Some(sub)) => {
                write!(f, "the constraint {sub} of {schema}.{name}")
            }
            (_, Some(sub)) => write!(f, "{schema}.{name}.{sub}"),
            (DroppedKind::View, None) => write!(f, "the view {schema}.{name}"),
            (DroppedKind::Type, None) => write!(f, "the type {schema}.{name}"),
            (DroppedKind::Index, None) => write!(f, "the index {schema}.{name}"),
            (DroppedKind::Table | DroppedKind::Column | DroppedKind::Constraint, None) => {
                write!(f, "{schema}.{name}")
            }
        }
    }
}

//! What is known of the tables that statements are about: from the database, or from the statements before in the file.

use super::{
    name::Name,
    statement::{
        AlterTable, Bound, Change, ChangeKind, ConstraintKind, CreateTable, Kind, NewColumn,
        NewConstraint, Validation,
    },
    syntax::normalized,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By the last part of their names.
    tables: BTreeMap<String, Vec<KnownTable>>,
    /// Domains with a constraint, and the tables with a column of one.
    constrained_domains: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KnownTable {
    pub name: Name,
    pub columns: Vec<KnownColumn>,
    pub constraints: Vec<KnownConstraint>,
    pub indexes: Vec<KnownIndex>,
    /// Children by inheritance, and partitions.
    pub children: Vec<Name>,
    /// The children are partitions.
    pub partitioned: bool,
    pub default_partition: Option<Name>,
    /// What a view reads.
    pub reads: Vec<Name>,
    /// All of it is known: what is not listed is not there.
    pub complete: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KnownColumn {
    pub name: String,
    pub type_name: String,
    pub not_null: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KnownIndex {
    pub name: String,
    pub columns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct KnownConstraint {
    pub name: String,
    pub kind: ConstraintKind,
    pub validated: bool,
}

impl Catalog {
    pub fn add(&mut self, table: KnownTable) {
        self.remove(&table.name);
        let slot = self.tables.entry(table.name.name.clone()).or_default();
        slot.push(table);
    }

    pub fn table(&self, name: &Name) -> Option<&KnownTable> {
        let slot = self.tables.get(&name.name)?;
        slot.iter().find(|table| table.name.may_be(name))
    }

    pub fn has_constrained_domain(&self, type_name: &str) -> bool {
        self.constrained_domains.contains(type_name)
    }

    /// The tables with a column of this type.
    pub fn tables_with_type(&self, type_name: &str) -> Vec<Name> {
        let tables = self.tables.values().flatten();
        tables
            .filter(|table| {
                table
                    .columns
                    .iter()
                    .any(|column| column.type_name == type_name)
            })
            .map(|table| table.name.clone())
            .collect()
    }

    /// The table of an index.
    pub fn table_of_index(&self, index: &Name) -> Option<&KnownTable> {
        let tables = self.tables.values().flatten();
        tables
            .into_iter()
            .find(|table| table.index(&index.name).is_some())
    }

    /// The tables with a foreign key to this one.
    pub fn referencing(&self, name: &Name) -> Vec<Name> {
        let references = |table: &&KnownTable| {
            table.constraints.iter().any(|constraint| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey { references } if references.may_be(name))
            })
        };
        let tables = self.tables.values().flatten();
        tables
            .filter(references)
            .map(|table| table.name.clone())
            .collect()
    }

    /// The views, materialized or not, that read this table.
    pub fn views_of(&self, name: &Name) -> Vec<Name> {
        let tables = self.tables.values().flatten();
        tables
            .filter(|table| table.reads.iter().any(|read| read.may_be(name)))
            .map(|table| table.name.clone())
            .collect()
    }

    fn table_mut(&mut self, name: &Name) -> Option<&mut KnownTable> {
        let slot = self.tables.get_mut(&name.name)?;
        slot.iter_mut().find(|table| table.name.may_be(name))
    }

    /// The table, which from now on is known in part.
    fn table_or_new(&mut self, name: &Name) -> &mut KnownTable {
        let slot = self.tables.entry(name.name.clone()).or_default();
        let at = slot
            .iter()
            .position(|table| table.name.may_be(name))
            .unwrap_or_else(|| {
                slot.push(KnownTable::new(name.clone()));
                slot.len() - 1
            });
        &mut slot[at]
    }

    fn remove(&mut self, name: &Name) -> Option<KnownTable> {
        let slot = self.tables.get_mut(&name.name)?;
        let at = slot.iter().position(|table| table.name.may_be(name))?;
        Some(slot.remove(at))
    }

    fn drop(&mut self, name: &Name) {
        self.remove(name);
        for table in self.tables.values_mut().flatten() {
            table.children.retain(|child| !child.may_be(name));
            table
                .default_partition
                .take_if(|partition| partition.may_be(name));
        }
    }

    /// Takes in what a statement has done.
    pub fn apply(&mut self, statement: &Kind) {
        match statement {
            Kind::CreateTable(create) => self.create_table(create),
            Kind::AlterTable(alter) => self.alter_table(alter),
            Kind::CreateIndex {
                table,
                index: Some(index),
                columns,
                ..
            } => self.table_or_new(table).indexes.push(KnownIndex {
                name: index.name.clone(),
                columns: columns.clone(),
            }),
            Kind::DropTable { tables, .. } | Kind::DropView { views: tables, .. } => {
                for table in tables {
                    self.drop(table);
                }
            }
            Kind::CreateView { view, reads, .. } | Kind::CreateMaterializedView { view, reads } => {
                self.table_or_new(view).reads.clone_from(reads);
            }
            Kind::CreateDomain {
                domain,
                constrained: true,
            } => {
                self.constrained_domains.insert(domain.name.clone());
            }
            Kind::AddDomainCheck { domain, .. } => {
                self.constrained_domains.insert(domain.name.clone());
            }
            _ => {}
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        let mut table = KnownTable::new(create.table.clone());
        table.complete = true;
        for constraint in &create.constraints {
            table.constrain(constraint);
        }
        for column in &create.columns {
            table.add_column(column);
        }
        self.add(table);
        for parent in &create.inherits {
            self.table_or_new(parent)
                .children
                .push(create.table.clone());
        }
        if let Some((parent, bound)) = &create.partition_of {
            self.attach(parent, &create.table, bound);
        }
    }

    fn attach(&mut self, parent: &Name, partition: &Name, bound: &Bound) {
        let parent = self.table_or_new(parent);
        parent.children.push(partition.clone());
        parent.partitioned = true;
        if *bound == Bound::Default {
            parent.default_partition = Some(partition.clone());
        }
    }

    fn alter_table(&mut self, alter: &AlterTable) {
        for Change { kind, .. } in &alter.changes {
            match kind {
                ChangeKind::RenameTable { to } => {
                    self.rename(&alter.table, alter.table.renamed(to))
                }
                ChangeKind::SetSchema { schema } => {
                    let to = Name {
                        schema: Some(schema.clone()),
                        name: alter.table.name.clone(),
                    };
                    self.rename(&alter.table, to);
                }
                ChangeKind::Attach { partition, bound } => {
                    self.attach(&alter.table, partition, bound)
                }
                ChangeKind::Detach { partition, .. } => {
                    self.table_or_new(&alter.table)
                        .children
                        .retain(|child| !child.may_be(partition));
                }
                ChangeKind::Inherit { parent } => {
                    self.table_or_new(parent).children.push(alter.table.clone());
                }
                ChangeKind::NoInherit { parent } => {
                    if let Some(parent) = self.table_mut(parent) {
                        parent.children.retain(|child| !child.may_be(&alter.table));
                    }
                }
                other => self.table_or_new(&alter.table).change(other),
            }
        }
    }

    fn rename(&mut self, from: &Name, to: Name) {
        if let Some(mut table) = self.remove(from) {
            table.name = to;
            self.add(table);
        }
    }
}

impl KnownTable {
    pub fn new(name: Name) -> Self {
        Self {
            name,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            children: Vec::new(),
            partitioned: false,
            default_partition: None,
            reads: Vec::new(),
            complete: false,
        }
    }

    pub fn column(&self, name: &str) -> Option<&KnownColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn constraint(&self, name: &str) -> Option<&KnownConstraint> {
        self.constraints
            .iter()
            .find(|constraint| constraint.name == name)
    }

    pub fn index(&self, name: &str) -> Option<&KnownIndex> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// Whether a validated constraint says that no value of the column is NULL.
    pub fn proves_not_null(&self, column: &str) -> bool {
        self.column(column).is_some_and(|known| known.not_null)
            || self.constraints.iter().any(|constraint| {
                constraint.validated
                    && match &constraint.kind {
                        ConstraintKind::NotNull { column: proven } => proven == column,
                        ConstraintKind::Check(expression) => says_not_null(expression, column),
                        _ => false,
                    }
            })
    }

    /// Whether a validated CHECK seems to hold all rows within these bounds. The partition key is not known here: a
    /// CHECK that excludes NULL and names every bound is taken for the proof.
    pub fn proves_bounds(&self, values: &[String]) -> bool {
        self.constraints.iter().any(|constraint| {
            constraint.validated
                && matches!(&constraint.kind, ConstraintKind::Check(expression)
                    if expression.contains("is not null")
                        && values.iter().all(|value| expression.split(' ').any(|word| word == value)))
        })
    }

    fn add_column(&mut self, column: &NewColumn) {
        self.columns.push(KnownColumn {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            not_null: column.not_null,
        });
        for constraint in &column.constraints {
            self.constrain(constraint);
        }
    }

    fn constrain(&mut self, constraint: &NewConstraint) {
        if let ConstraintKind::PrimaryKey { columns, .. } = &constraint.kind {
            for column in columns {
                self.set_not_null(column, true);
            }
        }
        self.constraints.push(KnownConstraint {
            name: constraint.name.clone().unwrap_or_default(),
            kind: constraint.kind.clone(),
            validated: constraint.validation == Validation::AtOnce,
        });
    }

    fn set_not_null(&mut self, name: &str, not_null: bool) {
        match self.columns.iter_mut().find(|column| column.name == name) {
            Some(column) => column.not_null = not_null,
            None if not_null => self.constraints.push(KnownConstraint {
                name: String::new(),
                kind: ConstraintKind::NotNull {
                    column: name.to_owned(),
                },
                validated: true,
            }),
            None => self.constraints.retain(
                |constraint| !matches!(&constraint.kind, ConstraintKind::NotNull { column } if column == name),
            ),
        }
    }

    fn change(&mut self, change: &ChangeKind) {
        match change {
            ChangeKind::AddColumn(column) => self.add_column(column),
            ChangeKind::DropColumn { column } => self.columns.retain(|known| known.name != *column),
            ChangeKind::RenameColumn { from, to } => {
                for column in self
                    .columns
                    .iter_mut()
                    .filter(|column| column.name == *from)
                {
                    column.name.clone_from(to);
                }
            }
            ChangeKind::SetNotNull { column } => self.set_not_null(column, true),
            ChangeKind::DropNotNull { column } => self.set_not_null(column, false),
            ChangeKind::SetType(new) => {
                self.columns.retain(|known| known.name != new.column);
                self.columns.push(KnownColumn {
                    name: new.column.clone(),
                    type_name: new.type_name.clone(),
                    not_null: false,
                });
            }
            ChangeKind::AddConstraint(constraint) => self.constrain(constraint),
            ChangeKind::ValidateConstraint { name } => {
                for constraint in self
                    .constraints
                    .iter_mut()
                    .filter(|known| known.name == *name)
                {
                    constraint.validated = true;
                }
            }
            ChangeKind::DropConstraint { name } => {
                self.constraints.retain(|known| known.name != *name)
            }
            _ => {}
        }
    }
}

/// `column IS NOT NULL`, alone or as one of several conditions that must all hold.
fn says_not_null(expression: &str, column: &str) -> bool {
    let padded = format!(" {} ", expression.replace(['(', ')'], " "));
    if padded.contains(" or ") || padded.contains(" case ") {
        return false;
    }
    let wanted = normalized(&format!("{column} is not null"));
    let quoted = format!("\"{column}\" is not null");
    padded
        .split(" and ")
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .any(|part| part == wanted || part == quoted)
}

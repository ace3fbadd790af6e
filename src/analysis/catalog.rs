//! What is known of the tables that statements are about: from the database, or from the statements before in the file.

use super::{
    name::{Name, fold},
    statement::{
        AlterTable, Bound, Change, ChangeKind, ConstraintKind, CreateTable, Kind, NewColumn,
        NewConstraint, Object, Validation,
    },
    syntax::{renamed, says_not_null},
    types::element,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By the last part of their names.
    tables: BTreeMap<String, Vec<KnownTable>>,
    /// Domains with a constraint, and the tables with a column of one.
    constrained_domains: BTreeSet<String>,
    /// Types and domains that the file has made, which are not such domains.
    types: BTreeSet<String>,
    /// What the open transaction has changed, as it was.
    undo: Option<BTreeMap<String, Vec<KnownTable>>>,
}

/// Whether a table was there before the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    There,
    /// The file has made it: it is empty, and known to nobody.
    New,
    /// The file makes it if it is not there (IF NOT EXISTS).
    MayBeNew,
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
    pub origin: Origin,
    /// Columns that the file has added, and whether they have a default.
    pub added: BTreeMap<String, bool>,
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
        self.slot(&table.name.name.clone()).push(table);
    }

    /// Something that the file has made whatever it is like.
    pub fn add_new(&mut self, name: Name) {
        let mut table = KnownTable::new(name);
        table.origin = Origin::New;
        self.add(table);
    }

    /// From now on changes can be undone.
    pub fn begin(&mut self) {
        self.undo = Some(BTreeMap::new());
    }

    pub fn commit(&mut self) {
        self.undo = None;
    }

    /// All tables are what they were at `begin`.
    pub fn roll_back(&mut self) {
        self.tables.extend(self.undo.take().unwrap_or_default());
    }

    /// Every change goes through here.
    fn slot(&mut self, name: &str) -> &mut Vec<KnownTable> {
        let slot = self.tables.entry(name.to_owned()).or_default();
        if let Some(undo) = &mut self.undo
            && !undo.contains_key(name)
        {
            undo.insert(name.to_owned(), slot.clone());
        }
        slot
    }

    pub fn table(&self, name: &Name) -> Option<&KnownTable> {
        let slot = self.tables.get(&name.name)?;
        slot.iter().find(|table| table.name.same(name))
    }

    pub fn origin(&self, name: &Name) -> Origin {
        self.table(name).map_or(Origin::There, |table| table.origin)
    }

    pub fn has_constrained_domain(&self, type_name: &str) -> bool {
        self.constrained_domains.contains(&fold(type_name))
    }

    pub fn has_type(&self, type_name: &str) -> bool {
        self.types.contains(&fold(element(type_name)))
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
                matches!(&constraint.kind, ConstraintKind::ForeignKey { references } if references.same(name))
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
            .filter(|table| table.reads.iter().any(|read| read.same(name)))
            .map(|table| table.name.clone())
            .collect()
    }

    fn table_mut(&mut self, name: &Name) -> Option<&mut KnownTable> {
        self.table(name)?;
        let mut slot = self.slot(&name.name).iter_mut();
        slot.find(|table| table.name.same(name))
    }

    /// The table, which from now on is known in part.
    fn table_or_new(&mut self, name: &Name) -> &mut KnownTable {
        let slot = self.slot(&name.name);
        let at = slot
            .iter()
            .position(|table| table.name.same(name))
            .unwrap_or_else(|| {
                slot.push(KnownTable::new(name.clone()));
                slot.len() - 1
            });
        &mut slot[at]
    }

    fn remove(&mut self, name: &Name) -> Option<KnownTable> {
        self.table(name)?;
        let slot = self.slot(&name.name);
        let at = slot.iter().position(|table| table.name.same(name))?;
        Some(slot.remove(at))
    }

    pub fn drop(&mut self, name: &Name) {
        self.remove(name);
        let parents: Vec<Name> = self
            .tables
            .values()
            .flatten()
            .filter(|table| table.children.iter().any(|child| child.same(name)))
            .map(|table| table.name.clone())
            .collect();
        for parent in parents {
            let table = self.table_or_new(&parent);
            table.children.retain(|child| !child.same(name));
            table
                .default_partition
                .take_if(|partition| partition.same(name));
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
            Kind::CreateView {
                view,
                reads,
                replaces,
            } => self.create_view(view, reads, *replaces),
            Kind::CreateMaterializedView {
                view,
                reads,
                if_not_exists,
            } => self.create_view(view, reads, *if_not_exists),
            Kind::Read {
                into: Some(table),
                if_not_exists,
                ..
            } => self.create_view(table, &[], *if_not_exists),
            Kind::CreateDomain {
                domain,
                constrained,
            } => {
                let known = if *constrained {
                    &mut self.constrained_domains
                } else {
                    &mut self.types
                };
                known.insert(domain.name.clone());
            }
            Kind::CreateObject {
                object: Object::Type,
                name,
            } => {
                self.types.insert(name.name.clone());
            }
            Kind::AddDomainCheck { domain, .. } => {
                self.constrained_domains.insert(domain.name.clone());
            }
            _ => {}
        }
    }

    /// What a query fills.
    fn create_view(&mut self, view: &Name, reads: &[Name], may_be_there: bool) {
        if !may_be_there {
            self.add_new(view.clone());
        }
        reads.clone_into(&mut self.table_or_new(view).reads);
    }

    fn create_table(&mut self, create: &CreateTable) {
        if create.if_not_exists {
            // If it is there, it may be like anything.
            if self.table(&create.table).is_none() {
                self.table_or_new(&create.table).origin = Origin::MayBeNew;
            }
            return;
        }
        let mut table = KnownTable::new(create.table.clone());
        table.complete = true;
        table.origin = Origin::New;
        table.partitioned = create.partitioned;
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
                        .retain(|child| !child.same(partition));
                }
                ChangeKind::Inherit { parent } => {
                    self.table_or_new(parent).children.push(alter.table.clone());
                }
                ChangeKind::NoInherit { parent } => {
                    if let Some(parent) = self.table_mut(parent) {
                        parent.children.retain(|child| !child.same(&alter.table));
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
            origin: Origin::There,
            added: BTreeMap::new(),
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
        if let ConstraintKind::PrimaryKey { columns, index } = &constraint.kind {
            let of_index = index.as_ref().and_then(|index| self.index(index));
            let of_index = of_index.map_or_else(Vec::new, |index| index.columns.clone());
            for column in columns.iter().chain(&of_index) {
                self.set_not_null(column, true);
            }
        }
        self.constraints.push(KnownConstraint {
            name: constraint
                .name
                .clone()
                .unwrap_or_else(|| self.name_for(constraint)),
            kind: constraint.kind.clone(),
            validated: constraint.validation == Validation::AtOnce,
        });
    }

    /// What the server calls a constraint that nobody has named. Source: `ChooseConstraintName`, `ChooseIndexName`.
    fn name_for(&self, constraint: &NewConstraint) -> String {
        let columns = constraint.columns.join("_");
        let (columns, label) = match &constraint.kind {
            ConstraintKind::Check(_) if constraint.columns.len() == 1 => (columns, "check"),
            ConstraintKind::Check(_) => (String::new(), "check"),
            ConstraintKind::NotNull { .. } => (columns, "not_null"),
            ConstraintKind::ForeignKey { .. } => (columns, "fkey"),
            ConstraintKind::Unique { .. } => (columns, "key"),
            ConstraintKind::PrimaryKey { .. } => (String::new(), "pkey"),
            ConstraintKind::Exclude => (columns, "excl"),
        };
        let parts = [self.name.name.as_str(), &columns, label];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let name = parts.join("_");
        let taken = |name: &str| self.constraint(name).is_some();
        (1..=self.constraints.len())
            .map(|number| format!("{name}{number}"))
            .fold(
                name.clone(),
                |chosen, next| {
                    if taken(&chosen) { next } else { chosen }
                },
            )
    }

    fn rename_column(&mut self, from: &str, to: &str) {
        let rename = |name: &mut String| {
            if name == from {
                to.clone_into(name);
            }
        };
        self.columns
            .iter_mut()
            .for_each(|column| rename(&mut column.name));
        for index in &mut self.indexes {
            index.columns.iter_mut().for_each(rename);
        }
        for constraint in &mut self.constraints {
            match &mut constraint.kind {
                ConstraintKind::Check(expression) => *expression = renamed(expression, from, to),
                ConstraintKind::NotNull { column } => rename(column),
                ConstraintKind::PrimaryKey { columns, .. } => columns.iter_mut().for_each(rename),
                ConstraintKind::ForeignKey { .. }
                | ConstraintKind::Unique { .. }
                | ConstraintKind::Exclude => {}
            }
        }
        if let Some(has_default) = self.added.remove(from) {
            self.added.insert(to.to_owned(), has_default);
        }
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
            ChangeKind::AddColumn(column) => {
                self.add_column(column);
                let has_default = column.default.is_some() || column.fill.is_some();
                self.added.insert(column.name.clone(), has_default);
            }
            ChangeKind::DropColumn { column } => self.columns.retain(|known| known.name != *column),
            ChangeKind::RenameColumn { from, to } => {
                self.rename_column(from, to);
            }
            ChangeKind::SetNotNull { column } => self.set_not_null(column, true),
            ChangeKind::DropNotNull { column } => self.set_not_null(column, false),
            ChangeKind::SetType(new) => {
                let not_null = self
                    .column(&new.column)
                    .is_some_and(|column| column.not_null);
                self.columns.retain(|known| known.name != new.column);
                self.columns.push(KnownColumn {
                    name: new.column.clone(),
                    type_name: new.type_name.clone(),
                    not_null,
                });
            }
            ChangeKind::ColumnDefault { column, dropped } => {
                if let Some(has_default) = self.added.get_mut(column) {
                    *has_default = !dropped;
                }
            }
            ChangeKind::RenameConstraint { from, to } => {
                for constraint in self
                    .constraints
                    .iter_mut()
                    .filter(|known| known.name == *from)
                {
                    constraint.name.clone_from(to);
                }
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

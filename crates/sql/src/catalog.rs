//! What is known of the tables that statements are about: from the database, or from the statements before in the file.

mod table;

use super::{
    name::{Name, TEMPORARY, fold},
    statement::{
        AlterTable, Bound, Change, ChangeKind, ConstraintKind, CreateTable, Kind, Object, Renaming,
    },
    types::{element, is_known},
};
use std::collections::{BTreeMap, BTreeSet};
pub use table::{KnownColumn, KnownConstraint, KnownIndex, KnownTable, Origin};

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By the last part of their names.
    tables: BTreeMap<String, Vec<KnownTable>>,
    /// Domains with a constraint, and the tables with a column of one.
    constrained_domains: BTreeSet<String>,
    /// Types and domains that the file has made, which are not such domains.
    types: BTreeSet<String>,
    /// All types of the database are known.
    knows_types: bool,
    /// What may be undone, or may not have been done, from the outermost.
    levels: Vec<Level>,
}

#[derive(Clone, Debug)]
struct Level {
    since: Since,
    /// What has changed within, as it was.
    before: BTreeMap<String, Vec<KnownTable>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Since {
    Transaction,
    Savepoint(String),
    /// What may not be run, or is undone by an exception.
    Branch,
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

    /// All those of the database: every other type is none.
    pub fn constrained_domains_are(&mut self, domains: &[String]) {
        self.constrained_domains.extend(domains.iter().cloned());
        self.knows_types = true;
    }

    /// As the next file of a history finds it: what a file has made is in use, and what was its session's own is gone.
    #[must_use]
    pub fn deployed(mut self) -> Self {
        self.levels.clear();
        for slot in self.tables.values_mut() {
            slot.retain(|table| table.name.schema.as_deref() != Some(TEMPORARY));
            for table in slot {
                table.origin = Origin::There;
                table.added.clear();
            }
        }
        self
    }

    /// Something that is known of a table, of which all else may be unknown.
    pub fn constrain(&mut self, table: &Name, constraint: KnownConstraint) {
        self.table_or_new(table).constraints.push(constraint);
    }

    /// From now on changes can be undone.
    pub fn begin(&mut self) {
        self.commit();
        self.open(Since::Transaction);
    }

    pub fn commit(&mut self) {
        self.keep(0);
    }

    /// All tables are what they were at `begin`.
    pub fn roll_back(&mut self) {
        let is_begin = |level: &Level| level.since == Since::Transaction;
        if let Some(at) = self.levels.iter().rposition(is_begin) {
            self.undo(at);
            self.keep(at);
        }
    }

    pub fn savepoint(&mut self, name: &str) {
        self.open(Since::Savepoint(name.to_owned()));
    }

    pub fn release(&mut self, savepoint: &str) {
        if let Some(at) = self.place_of(savepoint) {
            self.keep(at);
        }
    }

    /// All tables are what they were at this savepoint, which stays.
    pub fn roll_back_to(&mut self, savepoint: &str) {
        if let Some(at) = self.place_of(savepoint) {
            self.undo(at);
            self.keep(at + 1);
        }
    }

    /// What follows may not be run, or may be undone.
    pub fn branch(&mut self) {
        self.open(Since::Branch);
    }

    /// What was made since `branch` is there perhaps, and proves nothing.
    pub fn end_branch(&mut self) {
        let is_branch = |level: &Level| level.since == Since::Branch;
        let Some(at) = self.levels.iter().rposition(is_branch) else {
            return;
        };
        let mut before = BTreeMap::new();
        for level in self.levels[at..].iter().rev() {
            before.extend(level.before.clone());
        }
        for (name, before) in &before {
            for table in self.tables.get_mut(name).into_iter().flatten() {
                let was = before.iter().find(|was| was.name.same(&table.name));
                table.may_be_as(was);
            }
        }
        let ended = self.levels.remove(at);
        self.take_in(at, ended);
    }

    fn open(&mut self, since: Since) {
        self.levels.push(Level {
            since,
            before: BTreeMap::new(),
        });
    }

    fn place_of(&self, savepoint: &str) -> Option<usize> {
        let is_it =
            |level: &Level| matches!(&level.since, Since::Savepoint(name) if name == savepoint);
        self.levels.iter().rposition(is_it)
    }

    /// All tables are what they were as this level began.
    fn undo(&mut self, from: usize) {
        for level in self.levels[from..].iter_mut().rev() {
            self.tables.append(&mut level.before);
        }
    }

    /// The levels from this one on are done with, but for branches, which end by themselves.
    fn keep(&mut self, from: usize) {
        let mut at = self.levels.len();
        while at > from {
            at -= 1;
            if self.levels[at].since != Since::Branch {
                let kept = self.levels.remove(at);
                self.take_in(at, kept);
            }
        }
    }

    /// A level that is no more was a part of the one around it.
    fn take_in(&mut self, at: usize, level: Level) {
        if let Some(outer) = at.checked_sub(1).and_then(|at| self.levels.get_mut(at)) {
            for (name, tables) in level.before {
                outer.before.entry(name).or_insert(tables);
            }
        }
    }

    /// Every change goes through here.
    fn slot(&mut self, name: &str) -> &mut Vec<KnownTable> {
        let slot = self.tables.entry(name.to_owned()).or_default();
        if let Some(level) = self.levels.last_mut()
            && !level.before.contains_key(name)
        {
            level.before.insert(name.to_owned(), slot.clone());
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
        self.knows_types || self.types.contains(&fold(element(type_name)))
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
        self.referencing_by(name, |_| true)
    }

    /// Those with a foreign key to this column of it, as far as that is known.
    pub fn referencing_column(&self, name: &Name, column: &str) -> Vec<Name> {
        self.referencing_by(name, |key| {
            key.referred.is_empty() || key.referred.iter().any(|known| known == column)
        })
    }

    fn referencing_by(&self, name: &Name, is_it: impl Fn(&KnownConstraint) -> bool) -> Vec<Name> {
        let references = |table: &&KnownTable| {
            table.constraints.iter().any(|constraint| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey { references } if references.same(name))
                    && is_it(constraint)
            })
        };
        let tables = self.tables.values().flatten();
        tables
            .filter(references)
            .map(|table| table.name.clone())
            .collect()
    }

    /// The table that this one is a partition of.
    pub fn partitioned_by(&self, partition: &Name) -> Vec<&KnownTable> {
        let tables = self.tables.values().flatten();
        tables
            .filter(|table| {
                let mut children = table.children.iter();
                table.partitioned && children.any(|child| child.same(partition))
            })
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
                computed,
                ..
            } => self.table_or_new(table).indexes.push(KnownIndex {
                name: index.name.clone(),
                columns: columns.clone(),
                computed: computed.clone(),
            }),
            Kind::DropTable { tables, .. } | Kind::DropView { views: tables, .. } => {
                for table in tables {
                    self.drop(table);
                }
            }
            Kind::CreatePolicy { table } => self.table_or_new(table).has_policy = true,
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
            Kind::RenameObject {
                object: Object::View | Object::MaterializedView,
                name,
                renaming,
            } => match renaming {
                Renaming::Name(to) => self.rename(name, name.renamed(to)),
                Renaming::Schema(to) => self.rename(name, name.within(to)),
                Renaming::Part(..) => {}
            },
            Kind::CreateDomain {
                domain,
                over,
                constrained,
            } => {
                // One over such a domain is one too.
                if *constrained || self.has_constrained_domain(over) {
                    self.constrained_domains.insert(domain.name.clone());
                } else if self.has_type(over) || is_known(over) {
                    self.types.insert(domain.name.clone());
                }
            }
            Kind::CreateObject {
                object: Object::Type,
                name,
            } => {
                self.types.insert(name.name.clone());
            }
            // What has labels is an enum, and no domain.
            Kind::AddEnumValue { of, .. } => {
                self.types.insert(of.name.clone());
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
        table.foreign = create.foreign;
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
                    self.rename(&alter.table, alter.table.within(schema));
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

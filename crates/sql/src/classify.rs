//! What a statement does to the tables that are there: locks, rewrites, scans. Source: `tests/facts/pg_locks.json`,
//! measured on PostgreSQL 14 to 18; where the versions differ, the worst of them. What is not known is the worst.

mod alter_table;

use super::{
    catalog::Catalog,
    name::Name,
    statement::{
        Body, Building, CreateTable, Kind, Object, ReindexTarget, Runs, Validation, Verb, Write,
    },
};
use crossfade_model::lock::Lock;
use std::fmt;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    pub locks: Vec<TableLock>,
    /// Every row is written anew while the lock is held.
    pub rewrites: Vec<Target>,
    /// Every row is read while the lock is held.
    pub scans: Vec<Target>,
    pub outside_transaction: bool,
    /// It is not known what the statement does: what is said here is the worst that it could do.
    pub unknown: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TableLock {
    pub target: Target,
    pub lock: Lock,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Table(Name),
    /// A table whose name the statement does not say.
    TableOf(Unnamed),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unnamed {
    Index(Name),
    /// Of a constraint, if it is a foreign key.
    ReferencedBy(String),
    Referencing(Name),
    DefaultPartitionOf(Name),
    Using(Name),
    Depending,
    Anything,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(name) => write!(f, "{name}"),
            Self::TableOf(Unnamed::Index(index)) => write!(f, "the table of the index {index}"),
            Self::TableOf(Unnamed::ReferencedBy(constraint)) => {
                write!(
                    f,
                    "the table that {constraint} references, if it is a foreign key"
                )
            }
            Self::TableOf(Unnamed::Referencing(table)) => {
                write!(f, "each table that references {table}")
            }
            Self::TableOf(Unnamed::DefaultPartitionOf(table)) => {
                write!(f, "the default partition of {table}, if it has one")
            }
            Self::TableOf(Unnamed::Using(name)) => write!(f, "each table that uses {name}"),
            Self::TableOf(Unnamed::Depending) => f.write_str(
                "each table that depends on what is dropped, or that it is a partition of",
            ),
            Self::TableOf(Unnamed::Anything) => f.write_str("any table"),
        }
    }
}

/// What a statement does, as far as it and the catalog say.
pub fn classify(statement: &Kind, catalog: &Catalog) -> Effects {
    let mut effects = Effects::default();
    match statement {
        Kind::AlterTable(alter) => alter_table::classify(alter, catalog, &mut effects),
        Kind::CreateTable(create) => create_table(create, catalog, &mut effects),
        Kind::CreateIndex {
            table, how, only, ..
        } => {
            effects.lock(table, building(*how, Lock::ShareLock));
            if !only || is_plain(table, catalog) {
                effects.scan(table);
            }
            effects.outside_transaction = *how == Building::Concurrently;
        }
        // A statement on the partition looks at each of its indexes.
        Kind::AttachIndex { partition } => {
            effects.add_lock(of_index(partition, catalog), Lock::AccessExclusiveLock);
        }
        Kind::RenameObject {
            object: Object::View | Object::MaterializedView,
            name,
            ..
        } => effects.lock(name, Lock::AccessExclusiveLock),
        Kind::DropIndex { indexes, how } => {
            for index in indexes {
                let lock = building(*how, Lock::AccessExclusiveLock);
                match catalog.table_of_index(index) {
                    Some(table) if table.partitioned => {
                        effects.lock_with_children(&table.name, lock, catalog)
                    }
                    Some(_) | None => effects.add_lock(of_index(index, catalog), lock),
                }
            }
            effects.outside_transaction = *how == Building::Concurrently;
        }
        Kind::Reindex { target, how } => reindex(target, *how, catalog, &mut effects),
        Kind::DropTable {
            tables, cascade, ..
        } => drop_tables(tables, *cascade, catalog, &mut effects),
        Kind::DropView { views, cascade } => {
            effects.lock_all(views, Lock::AccessExclusiveLock);
            if *cascade {
                effects.add_lock(
                    Target::TableOf(Unnamed::Depending),
                    Lock::AccessExclusiveLock,
                );
            }
        }
        Kind::DropOther { .. } => {
            effects.add_lock(
                Target::TableOf(Unnamed::Depending),
                Lock::AccessExclusiveLock,
            );
        }
        Kind::Truncate { tables, cascade } => truncate(tables, *cascade, catalog, &mut effects),
        Kind::LockTable { tables, lock } => {
            for table in tables {
                effects.lock_with_children(table, *lock, catalog);
            }
        }
        Kind::Vacuum { tables, full } => vacuum(tables, *full, &mut effects),
        Kind::Analyze { tables } => {
            for table in tables {
                effects.lock_with_children(table, Lock::ShareUpdateExclusiveLock, catalog);
            }
        }
        Kind::Cluster { table } => {
            let target = table
                .clone()
                .map_or(Target::TableOf(Unnamed::Anything), Target::Table);
            effects.add_lock(target.clone(), Lock::AccessExclusiveLock);
            effects.rewrites.push(target.clone());
            effects.scans.push(target);
            effects.outside_transaction = table.is_none();
        }
        Kind::Refresh { view, how } => refresh(view, *how, catalog, &mut effects),
        Kind::Touch { table, lock } => effects.lock(table, *lock),
        Kind::CreatePolicy { table } => effects.lock(table, Lock::AccessExclusiveLock),
        Kind::TouchTrigger { table, lock } => {
            let known = catalog.table(table);
            if known.is_some_and(|known| known.partitioned) {
                effects.lock_with_children(table, *lock, catalog);
            } else {
                effects.lock(table, *lock);
            }
        }
        Kind::CreateView {
            view,
            replaces,
            reads,
        } => {
            effects.lock_all(reads, Lock::AccessShareLock);
            if *replaces {
                effects.lock(view, Lock::AccessExclusiveLock);
            }
        }
        Kind::CreateMaterializedView { reads, .. } => {
            effects.lock_all(reads, Lock::AccessShareLock);
            effects
                .scans
                .extend(reads.iter().cloned().map(Target::Table));
        }
        Kind::Write(write) => rows_written(write, catalog, &mut effects),
        Kind::Read { tables, lock, .. } => {
            for table in tables {
                effects.lock_with_children(table, *lock, catalog);
            }
        }
        Kind::AddDomainCheck { domain, validation } => {
            domain_check(domain, *validation, catalog, &mut effects)
        }
        Kind::Body(body) => run_body(body, catalog, &mut effects),
        Kind::CreateSchema { elements, .. } => {
            for element in elements {
                effects.join(classify(&element.kind, catalog));
            }
        }
        // What is prepared or called is put in their place where it is known.
        Kind::Execute { .. } | Kind::Call { .. } => effects.the_worst(),
        Kind::OutsideTransaction | Kind::DropDatabase { .. } => effects.outside_transaction = true,
        Kind::Unknown(_) => effects.the_worst(),
        // An index of its own is locked, and its table is not.
        Kind::TouchIndex { .. }
        | Kind::AddEnumValue { .. }
        | Kind::CreateObject { .. }
        | Kind::DropObjects { .. }
        | Kind::RenameObject { .. }
        | Kind::Prepare { .. }
        | Kind::CreateDomain { .. }
        | Kind::Transaction(_)
        | Kind::Branch(_)
        | Kind::Set(_)
        | Kind::NoTable => {}
    }
    effects
}

/// ONLY leaves nothing out where there are no partitions. Without knowing better its author is believed.
fn is_plain(table: &Name, catalog: &Catalog) -> bool {
    let known = catalog.table(table);
    known.is_some_and(|known| known.complete && !known.partitioned)
}

/// The lock of a build that lets the application write, or the one that it takes otherwise.
fn building(how: Building, blocking: Lock) -> Lock {
    match how {
        Building::Concurrently => Lock::ShareUpdateExclusiveLock,
        Building::Blocking => blocking,
    }
}

fn of_index(index: &Name, catalog: &Catalog) -> Target {
    match catalog.table_of_index(index) {
        Some(table) => Target::Table(table.name.clone()),
        None => Target::TableOf(Unnamed::Index(index.clone())),
    }
}

fn create_table(create: &CreateTable, catalog: &Catalog, effects: &mut Effects) {
    let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
    for constraint in create.constraints.iter().chain(of_columns) {
        if let super::statement::ConstraintKind::ForeignKey { references } = &constraint.kind
            && !references.same(&create.table)
        {
            effects.lock(references, Lock::ShareRowExclusiveLock);
        }
    }
    for parent in &create.inherits {
        effects.lock(parent, Lock::ShareUpdateExclusiveLock);
    }
    if let Some((parent, bound)) = &create.partition_of {
        effects.lock(parent, Lock::AccessExclusiveLock);
        for references in alter_table::foreign_keys(catalog.table(parent)) {
            effects.lock(references, Lock::ShareRowExclusiveLock);
        }
        let referencing = catalog.referencing(parent);
        effects.lock_all(&referencing, Lock::ShareRowExclusiveLock);
        alter_table::default_partition(parent, bound, catalog, effects);
    }
}

fn reindex(target: &ReindexTarget, how: Building, catalog: &Catalog, effects: &mut Effects) {
    let table = match target {
        ReindexTarget::Index(index) => of_index(index, catalog),
        ReindexTarget::Table(table) => Target::Table(table.clone()),
        ReindexTarget::All => Target::TableOf(Unnamed::Anything),
    };
    effects.add_lock(table.clone(), building(how, Lock::ShareLock));
    effects.scans.push(table);
    effects.outside_transaction = how == Building::Concurrently || *target == ReindexTarget::All;
}

fn drop_tables(tables: &[Name], cascade: bool, catalog: &Catalog, effects: &mut Effects) {
    for table in tables {
        effects.lock_with_children(table, Lock::AccessExclusiveLock, catalog);
        // Its parent forgets it, and the rows that were its own are the default partition's from then on.
        for parent in catalog.partitioned_by(table) {
            effects.lock(&parent.name, Lock::AccessExclusiveLock);
            let default = parent.default_partition.iter();
            for default in default.filter(|default| !default.same(table)) {
                effects.lock(default, Lock::AccessExclusiveLock);
            }
        }
        let Some(known) = catalog.table(table).filter(|known| known.complete) else {
            // Its own foreign keys go with it.
            effects.add_lock(
                Target::TableOf(Unnamed::Depending),
                Lock::AccessExclusiveLock,
            );
            continue;
        };
        for constraint in &known.constraints {
            if let super::statement::ConstraintKind::ForeignKey { references } = &constraint.kind {
                effects.lock(references, Lock::AccessExclusiveLock);
            }
        }
        if cascade {
            effects.lock_all(&catalog.views_of(table), Lock::AccessExclusiveLock);
            effects.lock_all(&catalog.referencing(table), Lock::AccessExclusiveLock);
        }
    }
}

fn truncate(tables: &[Name], cascade: bool, catalog: &Catalog, effects: &mut Effects) {
    for table in tables {
        effects.lock_with_children(table, Lock::AccessExclusiveLock, catalog);
        if cascade {
            let referencing = catalog.referencing(table);
            if referencing.is_empty() {
                let unnamed = Unnamed::Referencing(table.clone());
                effects.add_lock(Target::TableOf(unnamed), Lock::AccessExclusiveLock);
            }
            effects.lock_all(&referencing, Lock::AccessExclusiveLock);
        }
    }
}

fn vacuum(tables: &[Name], full: bool, effects: &mut Effects) {
    effects.outside_transaction = true;
    let targets: Vec<Target> = match tables {
        [] => vec![Target::TableOf(Unnamed::Anything)],
        tables => tables.iter().cloned().map(Target::Table).collect(),
    };
    for target in targets {
        if full {
            effects.add_lock(target.clone(), Lock::AccessExclusiveLock);
            effects.rewrites.push(target.clone());
        } else {
            effects.add_lock(target.clone(), Lock::ShareUpdateExclusiveLock);
        }
        effects.scans.push(target);
    }
}

fn refresh(view: &Name, how: Building, catalog: &Catalog, effects: &mut Effects) {
    let lock = match how {
        Building::Concurrently => Lock::ExclusiveLock,
        Building::Blocking => Lock::AccessExclusiveLock,
    };
    effects.lock(view, lock);
    effects.scan(view);
    for table in catalog
        .table(view)
        .map(|view| view.reads.clone())
        .unwrap_or_default()
    {
        effects.lock_with_children(&table, Lock::AccessShareLock, catalog);
        effects.scan(&table);
    }
}

fn rows_written(write: &Write, catalog: &Catalog, effects: &mut Effects) {
    match write.verb {
        Verb::Update | Verb::Delete | Verb::Merge => {
            effects.lock_with_children(&write.table, Lock::RowExclusiveLock, catalog);
        }
        Verb::Insert | Verb::Copy => effects.lock(&write.table, Lock::RowExclusiveLock),
    }
    effects.lock_all(&write.reads, Lock::AccessShareLock);
}

fn domain_check(domain: &Name, validation: Validation, catalog: &Catalog, effects: &mut Effects) {
    if validation == Validation::Later {
        return;
    }
    let tables = catalog.tables_with_type(&domain.name);
    let targets: Vec<Target> = if tables.is_empty() {
        vec![Target::TableOf(Unnamed::Using(domain.clone()))]
    } else {
        tables.into_iter().map(Target::Table).collect()
    };
    for target in targets {
        effects.add_lock(target.clone(), Lock::ShareLock);
        effects.scans.push(target);
    }
}

/// A body that runs at once does all that its statements do.
fn run_body(body: &Body, catalog: &Catalog, effects: &mut Effects) {
    match body.runs {
        Runs::WhenCalled => {}
        Runs::AtOnce => {
            for statement in &body.statements {
                effects.join(classify(&statement.kind, catalog));
            }
            effects.with_the_unread(body);
        }
    }
}

impl Effects {
    /// Whether a lock is taken that keeps the application from writing or reading.
    pub fn blocks(&self) -> bool {
        self.locks.iter().any(|taken| taken.lock >= Lock::ShareLock)
    }

    pub fn lock_on(&self, target: &Target) -> Option<Lock> {
        let locks = self.locks.iter().filter(|taken| taken.target == *target);
        locks.map(|taken| taken.lock).max()
    }

    fn add_lock(&mut self, target: Target, lock: Lock) {
        match self.locks.iter_mut().find(|taken| taken.target == target) {
            Some(taken) => taken.lock = taken.lock.max(lock),
            None => self.locks.push(TableLock { target, lock }),
        }
    }

    fn lock(&mut self, table: &Name, lock: Lock) {
        self.add_lock(Target::Table(table.clone()), lock);
    }

    fn lock_all(&mut self, tables: &[Name], lock: Lock) {
        for table in tables {
            self.lock(table, lock);
        }
    }

    fn lock_with_children(&mut self, table: &Name, lock: Lock, catalog: &Catalog) {
        self.lock(table, lock);
        for child in family(table, catalog) {
            self.lock(&child, lock);
        }
    }

    fn scan(&mut self, table: &Name) {
        add(&mut self.scans, Target::Table(table.clone()));
    }

    fn rewrite(&mut self, table: &Name) {
        add(&mut self.rewrites, Target::Table(table.clone()));
        self.scan(table);
    }

    /// What a body puts together as it runs, or what could not be read, may be anything.
    pub fn with_the_unread(&mut self, body: &Body) {
        if !body.dynamic.is_empty() || !body.unread.is_empty() {
            self.the_worst();
        }
    }

    fn the_worst(&mut self) {
        let any = Target::TableOf(Unnamed::Anything);
        self.add_lock(any.clone(), Lock::AccessExclusiveLock);
        add(&mut self.rewrites, any.clone());
        add(&mut self.scans, any);
        self.unknown = true;
    }

    pub fn join(&mut self, other: Self) {
        for taken in other.locks {
            self.add_lock(taken.target, taken.lock);
        }
        for target in other.rewrites {
            add(&mut self.rewrites, target);
        }
        for target in other.scans {
            add(&mut self.scans, target);
        }
        self.outside_transaction |= other.outside_transaction;
        self.unknown |= other.unknown;
    }
}

fn add(targets: &mut Vec<Target>, target: Target) {
    if !targets.contains(&target) {
        targets.push(target);
    }
}

/// The children of a table, and theirs: a bounded walk, as a file may say nonsense.
fn family(table: &Name, catalog: &Catalog) -> Vec<Name> {
    const FAMILY_MAX: usize = 10_000;
    let mut found: Vec<Name> = Vec::new();
    let mut open = vec![table.clone()];
    while let Some(parent) = open.pop()
        && found.len() < FAMILY_MAX
    {
        for child in catalog
            .table(&parent)
            .map(|known| known.children.as_slice())
            .unwrap_or_default()
        {
            if child != table && !found.contains(child) {
                found.push(child.clone());
                open.push(child.clone());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;

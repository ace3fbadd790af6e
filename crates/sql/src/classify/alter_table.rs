//! The changes of ALTER TABLE, one by one.

use super::{Effects, Target, Unnamed, family};
use crate::{
    catalog::{Catalog, KnownConstraint, KnownTable},
    name::Name,
    statement::{
        AlterTable, Alteration, Bound, Building, Change, ChangeKind, ColumnFill, ConstraintKind,
        DefaultValue, NewColumn, NewConstraint, NewType, Validation,
    },
    types::{Cost, cost},
};
use crossfade_model::lock::Lock;
use std::borrow::Cow;

/// Storage parameters that need more than SHARE UPDATE EXCLUSIVE. Source: `reloptions.c`.
const OPTIONS_UNDER_STRONG_LOCK: [&str; 1] = ["user_catalog_table"];

/// A table that is altered, with the children that the change goes down to.
struct Altered<'a> {
    table: &'a Name,
    known: Option<Cow<'a, KnownTable>>,
    children: Vec<Name>,
    catalog: &'a Catalog,
}

pub fn classify(alter: &AlterTable, catalog: &Catalog, effects: &mut Effects) {
    let altered = Altered {
        table: &alter.table,
        known: catalog
            .table(&alter.table)
            .map(|known| left_of(known, &alter.changes)),
        children: if alter.only {
            Vec::new()
        } else {
            family(&alter.table, catalog)
        },
        catalog,
    };
    for change in &alter.changes {
        altered.change(&change.kind, effects);
    }
    if alter.foreign || altered.known().is_some_and(|known| known.foreign) {
        // The server stores none of its rows, so it checks and rewrites none.
        let own = Target::Table(alter.table.clone());
        effects.scans.retain(|target| *target != own);
        effects.rewrites.retain(|target| *target != own);
    }
}

/// What is dropped goes first, wherever in the statement it stands, and proves nothing to the rest. Source: `AlterTablePass`.
/// A foreign key's other table stays known, as dropping it locks that.
fn left_of<'a>(known: &'a KnownTable, changes: &[Change]) -> Cow<'a, KnownTable> {
    let is_dropped = |constraint: &KnownConstraint| {
        let proves = matches!(
            constraint.kind,
            ConstraintKind::Check(_) | ConstraintKind::NotNull { .. }
        );
        proves
            && changes.iter().any(|change| {
                matches!(&change.kind, ChangeKind::DropConstraint { name, .. } if *name == constraint.name)
            })
    };
    if !known.constraints.iter().any(is_dropped) {
        return Cow::Borrowed(known);
    }
    let mut left = known.clone();
    left.constraints
        .retain(|constraint| !is_dropped(constraint));
    Cow::Owned(left)
}

/// The tables that a table refers to.
pub fn foreign_keys(known: Option<&KnownTable>) -> Vec<&Name> {
    let constraints = known.into_iter().flat_map(|known| &known.constraints);
    let keys = constraints.filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { references } => Some(references),
        _ => None,
    });
    keys.collect()
}

/// Where the default partition is and whether it is searched for rows that belong to a new one.
pub fn default_partition(parent: &Name, bound: &Bound, catalog: &Catalog, effects: &mut Effects) {
    match bound {
        // There can be no default partition then.
        Bound::Default | Bound::Hash => return,
        Bound::Range { .. } | Bound::List(_) => {}
    }
    let known = catalog.table(parent);
    match known.and_then(|known| known.default_partition.as_ref()) {
        Some(default) => {
            effects.lock(default, Lock::AccessExclusiveLock);
            if !catalog
                .table(default)
                .is_some_and(|table| table.proves_outside(bound))
            {
                effects.scan(default);
            }
        }
        None if known.is_some_and(|known| known.complete) => {}
        None => {
            let unnamed = Target::TableOf(Unnamed::DefaultPartitionOf(parent.clone()));
            effects.add_lock(unnamed.clone(), Lock::AccessExclusiveLock);
            effects.scans.push(unnamed);
        }
    }
}

impl Altered<'_> {
    fn known(&self) -> Option<&KnownTable> {
        self.known.as_deref()
    }

    fn change(&self, change: &ChangeKind, effects: &mut Effects) {
        use Lock::{AccessExclusiveLock, ShareRowExclusiveLock, ShareUpdateExclusiveLock};
        match change {
            ChangeKind::AddColumn(column) => self.add_column(column, effects),
            ChangeKind::DropColumn { cascade, .. } => {
                self.lock_all(AccessExclusiveLock, effects);
                self.foreign_keys_go(effects);
                if *cascade {
                    effects.add_lock(Target::TableOf(Unnamed::Depending), AccessExclusiveLock);
                }
            }
            ChangeKind::RenameColumn { .. }
            | ChangeKind::ColumnDefault { .. }
            | ChangeKind::DropNotNull { .. }
            | ChangeKind::ColumnStorage
            | ChangeKind::DropExpression => self.lock_all(AccessExclusiveLock, effects),
            ChangeKind::RenameTable { .. }
            | ChangeKind::SetSchema { .. }
            | ChangeKind::ColumnCompression
            | ChangeKind::AddIdentity
            | ChangeKind::IdentityAlways { .. }
            | ChangeKind::DropIdentity { .. }
            | ChangeKind::OtherIdentity
            | ChangeKind::Rules
            | ChangeKind::EnableRowSecurity { .. }
            | ChangeKind::OtherRowSecurity
            | ChangeKind::ReplicaIdentity { .. }
            | ChangeKind::Owner
            | ChangeKind::OfType => effects.lock(self.table, AccessExclusiveLock),
            ChangeKind::AlterConstraint { name, change } => {
                self.alter_constraint(name, *change, effects);
            }
            ChangeKind::RenameConstraint { from, .. } => self.rename_constraint(from, effects),
            ChangeKind::SetNotNull { column } => self.set_not_null(column, effects),
            ChangeKind::SetType(new) => self.set_type(new, effects),
            ChangeKind::AddConstraint(constraint) => self.add_constraint(constraint, effects),
            ChangeKind::ValidateConstraint { name } => self.validate(name, effects),
            ChangeKind::DropConstraint { name, cascade } => {
                self.drop_constraint(name, effects);
                effects.unknown |= *cascade;
            }
            ChangeKind::ColumnStatistics => self.lock_all(ShareUpdateExclusiveLock, effects),
            ChangeKind::ColumnOptions | ChangeKind::ClusterMark => {
                effects.lock(self.table, ShareUpdateExclusiveLock)
            }
            ChangeKind::Options { names } => {
                let strong = names
                    .iter()
                    .any(|name| OPTIONS_UNDER_STRONG_LOCK.contains(&name.as_str()));
                let lock = if strong {
                    AccessExclusiveLock
                } else {
                    ShareUpdateExclusiveLock
                };
                effects.lock(self.table, lock);
            }
            ChangeKind::Persistence | ChangeKind::Tablespace | ChangeKind::AccessMethod => {
                effects.lock(self.table, AccessExclusiveLock);
                effects.rewrite(self.table);
            }
            ChangeKind::SetExpression => self.rewrite_all(effects),
            ChangeKind::Triggers => effects.lock(self.table, ShareRowExclusiveLock),
            ChangeKind::Inherit { parent } => {
                effects.lock(self.table, AccessExclusiveLock);
                effects.lock(parent, ShareUpdateExclusiveLock);
            }
            ChangeKind::NoInherit { parent } => {
                effects.lock(self.table, AccessExclusiveLock);
                effects.lock(parent, Lock::AccessShareLock);
            }
            ChangeKind::Attach { partition, bound } => self.attach(partition, bound, effects),
            ChangeKind::Detach { partition, how } => self.detach(partition, *how, effects),
            ChangeKind::Other(_) => {
                effects.lock(self.table, AccessExclusiveLock);
                effects.rewrite(self.table);
                effects.unknown = true;
            }
        }
    }

    fn lock_all(&self, lock: Lock, effects: &mut Effects) {
        effects.lock(self.table, lock);
        effects.lock_all(&self.children, lock);
    }

    fn scan_all(&self, effects: &mut Effects) {
        effects.scan(self.table);
        for child in &self.children {
            effects.scan(child);
        }
    }

    fn rewrite_all(&self, effects: &mut Effects) {
        self.lock_all(Lock::AccessExclusiveLock, effects);
        effects.rewrite(self.table);
        for child in &self.children {
            effects.rewrite(child);
        }
    }

    fn add_column(&self, column: &NewColumn, effects: &mut Effects) {
        self.lock_all(Lock::AccessExclusiveLock, effects);
        let filled = match column.fill {
            Some(ColumnFill::Serial | ColumnFill::Identity | ColumnFill::GeneratedStored) => true,
            Some(ColumnFill::GeneratedVirtual) | None => false,
        };
        let each_row = matches!(column.default, Some(DefaultValue::EveryRow(_)));
        // The value must be checked against the domain, row by row.
        let checked = self.catalog.has_constrained_domain(&column.type_name);
        if filled || each_row || checked {
            self.rewrite_all(effects);
        } else if column.not_null && column.fill == Some(ColumnFill::GeneratedVirtual) {
            self.scan_all(effects);
        }
        for constraint in &column.constraints {
            match &constraint.kind {
                ConstraintKind::ForeignKey { references } => {
                    effects.lock(references, Lock::ShareRowExclusiveLock);
                    if column.default.is_some() {
                        self.scan_all(effects);
                        effects.scan(references);
                    }
                }
                _ if constraint.validation == Validation::AtOnce => self.scan_all(effects),
                _ => {}
            }
        }
    }

    fn set_not_null(&self, column: &str, effects: &mut Effects) {
        self.lock_all(Lock::AccessExclusiveLock, effects);
        if !self
            .known()
            .is_some_and(|known| known.proves_not_null(column))
        {
            self.scan_all(effects);
        }
    }

    fn set_type(&self, new: &NewType, effects: &mut Effects) {
        self.lock_all(Lock::AccessExclusiveLock, effects);
        match self.cost_of(new) {
            Cost::Catalog => {}
            Cost::Indexes => self.scan_all(effects),
            Cost::Rewrite => self.rewrite_all(effects),
        }
        // Foreign keys on the column are made anew, whatever its type was.
        let keys = self.known().map(|known| known.constraints.as_slice());
        for key in keys.unwrap_or_default() {
            if let ConstraintKind::ForeignKey { references } = &key.kind
                && (key.columns.is_empty() || key.columns.contains(&new.column))
            {
                effects.lock_with_children(references, Lock::AccessExclusiveLock, self.catalog);
            }
        }
        for other in self.catalog.referencing_column(self.table, &new.column) {
            effects.lock_with_children(&other, Lock::AccessExclusiveLock, self.catalog);
        }
    }

    fn cost_of(&self, new: &NewType) -> Cost {
        if new.computed || self.catalog.has_constrained_domain(&new.type_name) {
            return Cost::Rewrite;
        }
        let column = self.known().and_then(|known| known.column(&new.column));
        let types = cost(
            column.map(|column| column.type_name.as_str()),
            &new.type_name,
        );
        // A CHECK over the column is looked at again, row by row, where the type is another.
        let changes = column.is_none_or(|column| column.type_name != new.type_name);
        let is_checked = self.known().is_some_and(|known| {
            let mut constraints = known.constraints.iter();
            constraints.any(|constraint| {
                matches!(&constraint.kind, ConstraintKind::Check(expression) if names(expression, &new.column))
            })
        });
        // Where it is not repeated it is the type's own again.
        let ordered = match column {
            Some(column) => column.collation != new.collation,
            None => new.collation.is_some(),
        };
        // An index with an expression or a condition is built anew even where a plain one stays.
        let is_computed = self.known().is_some_and(|known| {
            let mut indexes = known.indexes.iter();
            indexes.any(|index| index.computed.contains(&new.column))
        });
        if ordered || is_computed || changes && is_checked {
            types.max(Cost::Indexes)
        } else {
            types
        }
    }

    fn add_constraint(&self, constraint: &NewConstraint, effects: &mut Effects) {
        let at_once = constraint.validation == Validation::AtOnce;
        match &constraint.kind {
            ConstraintKind::ForeignKey { references } => {
                self.lock_all(Lock::ShareRowExclusiveLock, effects);
                effects.lock_with_children(references, Lock::ShareRowExclusiveLock, self.catalog);
                if at_once {
                    effects.scan(references);
                }
            }
            _ => self.lock_all(Lock::AccessExclusiveLock, effects),
        }
        let scans = match &constraint.kind {
            ConstraintKind::Unique { index } => index.is_none(),
            ConstraintKind::PrimaryKey { index: None, .. } => true,
            ConstraintKind::PrimaryKey {
                index: Some(index), ..
            } => !self.is_over_not_null(index),
            ConstraintKind::NotNull { column } => at_once && !self.proves(column),
            ConstraintKind::Check(_)
            | ConstraintKind::ForeignKey { .. }
            | ConstraintKind::Exclude => at_once,
        };
        if scans {
            self.scan_all(effects);
        }
    }

    fn is_over_not_null(&self, index: &str) -> bool {
        let known = self.known().and_then(|known| known.index(index));
        known.is_some_and(|index| {
            !index.columns.is_empty() && index.columns.iter().all(|column| self.proves(column))
        })
    }

    fn proves(&self, column: &str) -> bool {
        self.known()
            .is_some_and(|known| known.proves_not_null(column))
    }

    fn validate(&self, name: &str, effects: &mut Effects) {
        effects.lock(self.table, Lock::ShareUpdateExclusiveLock);
        effects.scan(self.table);
        let constraint = self.known().and_then(|known| known.constraint(name));
        match constraint.map(|known| &known.kind) {
            Some(ConstraintKind::ForeignKey { references }) => {
                effects.lock(references, Lock::RowShareLock);
                effects.scan(references);
                return;
            }
            Some(_) => {}
            None => effects.add_lock(
                Target::TableOf(Unnamed::ReferencedBy(name.to_owned())),
                Lock::RowShareLock,
            ),
        }
        effects.lock_all(&self.children, Lock::ShareUpdateExclusiveLock);
        self.scan_all(effects);
    }

    fn drop_constraint(&self, name: &str, effects: &mut Effects) {
        effects.lock(self.table, Lock::AccessExclusiveLock);
        // As it was before the statement.
        let known = self.catalog.table(self.table);
        match known
            .and_then(|known| known.constraint(name))
            .map(|known| &known.kind)
        {
            Some(ConstraintKind::ForeignKey { references }) => {
                effects.lock_with_children(references, Lock::AccessExclusiveLock, self.catalog);
                if self.known().is_some_and(|known| known.partitioned) {
                    effects.lock_all(&self.children, Lock::AccessExclusiveLock);
                }
            }
            Some(_) => effects.lock_all(&self.children, Lock::AccessExclusiveLock),
            None => {
                let other = Target::TableOf(Unnamed::ReferencedBy(name.to_owned()));
                effects.add_lock(other, Lock::AccessExclusiveLock);
                effects.lock_all(&self.children, Lock::AccessExclusiveLock);
            }
        }
    }

    /// Enforced again, a constraint is checked for every row at once. Source: `ATExecAlterConstrEnforceability`.
    fn alter_constraint(&self, name: &str, change: Alteration, effects: &mut Effects) {
        effects.lock(self.table, Lock::AccessExclusiveLock);
        match change {
            Alteration::Otherwise => return,
            Alteration::Inherited => {
                effects.lock_all(&self.children, Lock::AccessExclusiveLock);
                for child in &self.children {
                    effects.scan(child);
                }
                return;
            }
            Alteration::Enforced | Alteration::NotEnforced => {}
        }
        effects.lock_all(&self.children, Lock::AccessExclusiveLock);
        let constraint = self.known().and_then(|known| known.constraint(name));
        let other = match constraint.map(|known| &known.kind) {
            Some(ConstraintKind::ForeignKey { references }) => {
                Some(Target::Table(references.clone()))
            }
            Some(_) => None,
            None => Some(Target::TableOf(Unnamed::ReferencedBy(name.to_owned()))),
        };
        if change == Alteration::Enforced {
            self.scan_all(effects);
            effects.scans.extend(other.clone());
        }
        if let Some(other) = other {
            effects.add_lock(other, Lock::AccessExclusiveLock);
        }
    }

    /// What has an index of its own, or refers to a table, is another's on each partition.
    fn rename_constraint(&self, name: &str, effects: &mut Effects) {
        let constraint = self.known().and_then(|known| known.constraint(name));
        match constraint.map(|known| &known.kind) {
            Some(ConstraintKind::Check(_) | ConstraintKind::NotNull { .. }) | None => {
                self.lock_all(Lock::AccessExclusiveLock, effects)
            }
            Some(
                ConstraintKind::ForeignKey { .. }
                | ConstraintKind::Unique { .. }
                | ConstraintKind::PrimaryKey { .. }
                | ConstraintKind::Exclude,
            ) => effects.lock(self.table, Lock::AccessExclusiveLock),
        }
    }

    /// With a column goes its foreign key, for which the referenced table is locked too.
    fn foreign_keys_go(&self, effects: &mut Effects) {
        for constraint in self
            .known()
            .map(|known| known.constraints.as_slice())
            .unwrap_or_default()
        {
            if let ConstraintKind::ForeignKey { references } = &constraint.kind {
                effects.lock(references, Lock::AccessExclusiveLock);
            }
        }
    }

    fn attach(&self, partition: &Name, bound: &Bound, effects: &mut Effects) {
        effects.lock(self.table, Lock::ShareUpdateExclusiveLock);
        effects.lock(partition, Lock::AccessExclusiveLock);
        let known = self.catalog.table(partition);
        let proven = known.is_some_and(|known| known.proves_bounds(bound));
        // A foreign key of the parent is checked for every row, whatever a CHECK proves.
        let keys = foreign_keys(self.catalog.table(self.table));
        if !proven || !keys.is_empty() {
            effects.scan(partition);
        }
        for references in keys {
            let own = foreign_keys(self.catalog.table(partition));
            let lock = if own.contains(&references) {
                // The partition's own goes into the parent's.
                Lock::AccessExclusiveLock
            } else {
                Lock::ShareRowExclusiveLock
            };
            effects.lock(references, lock);
        }
        let referencing = self.catalog.referencing(self.table);
        effects.lock_all(&referencing, Lock::ShareRowExclusiveLock);
        default_partition(self.table, bound, self.catalog, effects);
    }

    fn detach(&self, partition: &Name, how: Building, effects: &mut Effects) {
        for references in foreign_keys(self.catalog.table(self.table)) {
            effects.lock(references, Lock::ShareRowExclusiveLock);
        }
        // Their foreign keys to the partition go, once no row refers to it.
        for referencing in self.catalog.referencing(self.table) {
            effects.lock(&referencing, Lock::AccessExclusiveLock);
            effects.scan(&referencing);
        }
        match how {
            Building::Concurrently => {
                effects.lock(self.table, Lock::ShareUpdateExclusiveLock);
                effects.lock(partition, Lock::AccessExclusiveLock);
                effects.outside_transaction = true;
            }
            Building::Blocking => {
                effects.lock(self.table, Lock::AccessExclusiveLock);
                effects.lock(partition, Lock::AccessExclusiveLock);
                if let Some(default) = self
                    .known()
                    .and_then(|known| known.default_partition.as_ref())
                {
                    effects.lock(default, Lock::AccessExclusiveLock);
                }
            }
        }
    }
}

/// The column's name is a word of this text.
fn names(text: &str, column: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    text.split(|letter| !is_part(letter))
        .any(|word| word.eq_ignore_ascii_case(column))
        || text.contains(&format!("\"{column}\""))
}

//! The indexes and constraints that are built on the new columns in place of those on the old ones.

use super::{Family, Keys, Pair, Replacement, relation};
use crate::sqlgen::foreign_key::{Checked, ForeignKey, Renamed};
use crate::{
    facts::{Constraint, ConstraintKind, Index},
    steps::{
        Step,
        add_constraint::AddConstraint,
        create_index::CreateIndex,
        rename_object::{KeyStatistics, ObjectKind, RenameObject},
        set_not_null::SetNotNull,
        swap_primary_key::SwapPrimaryKey,
    },
};
use crossfade_model::ident::{Ident, TableName};

/// What is built on the new columns, by when it may be.
#[derive(Default)]
pub(in crate::recipes) struct Successors {
    pub enforce: Vec<Step>,
    /// While the old version writes, what its values convert to may break them: then its write would fail.
    pub retire: Vec<Step>,
    /// In `contract`: the unique indexes that become primary keys.
    pub swaps: Vec<Step>,
    /// In `contract`: they take the names of what went with the old columns.
    pub renames: Vec<Step>,
}

/// When something may be built on new columns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Enforce,
    Retire,
}

/// A foreign key from or to an old column.
struct Foreign<'a> {
    table: &'a TableName,
    name: &'a Ident,
    definition: &'a str,
    comment: Option<&'a String>,
}

impl Successors {
    fn push(&mut self, when: When, step: Step) {
        match when {
            When::Enforce => self.enforce.push(step),
            When::Retire => self.retire.push(step),
        }
    }

    fn add(&mut self, when: When, constraint: AddConstraint, rename: RenameObject) {
        self.renames.push(Step::RenameObject(rename));
        self.push(when, Step::AddConstraint(constraint));
    }
}

/// The constraint takes the name of its predecessor, and its comment.
fn takes_name(constraint: &AddConstraint, to: &Ident, comment: Option<&String>) -> RenameObject {
    RenameObject {
        table: constraint.table.clone(),
        kind: ObjectKind::Constraint,
        from: constraint.name.clone(),
        to: to.clone(),
        comment: comment.cloned(),
        index_comment: None,
        clustered: false,
        statistics: Vec::new(),
        checked: None,
    }
}

impl<'a> Replacement<'a> {
    pub(in crate::recipes) fn successors(&self) -> Successors {
        let mut successors = Successors::default();
        let (harmless, unique): (Vec<&Index>, Vec<&Index>) = self
            .table
            .indexes
            .iter()
            .filter(|index| self.is_carried(&index.columns))
            .partition(|index| !index.unique);
        for index in harmless.into_iter().chain(unique) {
            self.succeed_index(index, &mut successors);
        }
        for constraint in self.constraints() {
            match constraint.kind {
                ConstraintKind::Check if self.is_carried(&constraint.columns) => {
                    self.succeed_check(constraint, &mut successors);
                }
                ConstraintKind::ForeignKey => {
                    let old = Foreign {
                        table: self.table_name,
                        name: &constraint.name,
                        definition: &constraint.definition,
                        comment: constraint.comment.as_ref(),
                    };
                    self.succeed_foreign_key(&old, &mut successors);
                }
                // They come with their indexes, are refused, or are warned of.
                ConstraintKind::Check
                | ConstraintKind::PrimaryKey
                | ConstraintKind::Unique
                | ConstraintKind::Exclusion
                | ConstraintKind::Other => {}
            }
        }
        for inbound in self.inbound() {
            let old = Foreign {
                table: &inbound.table,
                name: &inbound.name,
                definition: &inbound.definition,
                comment: inbound.comment.as_ref(),
            };
            self.succeed_foreign_key(&old, &mut successors);
        }
        for pair in self.pairs.iter().filter(|pair| pair.old.not_null) {
            let when = self.when(std::slice::from_ref(&pair.old.name));
            let step = SetNotNull {
                table: self.table_name.clone(),
                column: self.name(when, pair).clone(),
                partitions: relation::leaves(self.table).unwrap_or_default(),
            };
            successors.push(when, Step::SetNotNull(step));
        }
        successors
    }

    /// It names a column that is replaced, and none that goes without a single successor.
    pub(super) fn is_carried(&self, columns: &[Ident]) -> bool {
        let goes = |column: &Ident| self.gone.iter().any(|gone| gone.name == *column);
        self.touched(columns).next().is_some() && !columns.iter().any(goes)
    }

    fn when(&self, columns: &[Ident]) -> When {
        if self.touched(columns).any(|pair| pair.conversion_can_fail) {
            When::Retire
        } else {
            When::Enforce
        }
    }

    /// After `retire` with `keep_name` the new column has the old name already, and definitions fit as they are.
    pub(super) fn name<'b>(&self, when: When, pair: &'b Pair<'a>) -> &'b Ident {
        match when {
            When::Retire if pair.keeps_name => &pair.old.name,
            When::Retire | When::Enforce => &pair.new,
        }
    }

    fn succeed_index(&self, index: &Index, successors: &mut Successors) {
        let index_name = index.name.with_suffix("_crossfade");
        let when = if index.unique {
            self.when(&index.columns)
        } else {
            When::Enforce
        };
        let create = Step::CreateIndex(CreateIndex {
            table: self.table_name.clone(),
            name: index_name.clone(),
            unique: index.unique,
            using: self.renamed(&index.using, |pair| self.name(when, pair)),
            tablespace: index.tablespace.clone(),
            only: false,
            partition_of: None,
        });
        successors.push(when, create);
        let constraint = index.constraint.as_ref().and_then(|name| {
            self.table
                .constraints
                .iter()
                .find(|constraint| constraint.name == *name)
        });
        match constraint {
            Some(constraint) if index.primary => {
                let deferring = constraint.definition.find("DEFERRABLE");
                successors.swaps.push(Step::SwapPrimaryKey(SwapPrimaryKey {
                    table: self.table_name.clone(),
                    name: constraint.name.clone(),
                    index: index_name,
                    deferring: deferring.map(|at| constraint.definition[at..].to_owned()),
                    comment: constraint.comment.clone(),
                    index_comment: index.comment.clone(),
                    clustered: index.clustered,
                }));
            }
            Some(constraint) => {
                let deferring = constraint
                    .definition
                    .find(" DEFERRABLE")
                    .map_or("", |at| &constraint.definition[at..]);
                let add = AddConstraint {
                    table: self.table_name.clone(),
                    name: index_name.clone(),
                    definition: format!("UNIQUE{deferring}"),
                    index: Some(index_name),
                    references: None,
                    validate: true,
                    partitions: None,
                    partition_of: None,
                };
                let comment = constraint.comment.as_ref();
                let rename = RenameObject {
                    index_comment: index.comment.clone(),
                    clustered: index.clustered,
                    ..takes_name(&add, &constraint.name, comment)
                };
                successors.add(when, add, rename);
            }
            None => successors.renames.push(Step::RenameObject(RenameObject {
                table: self.table_name.clone(),
                kind: ObjectKind::Index,
                from: index_name,
                to: index.name.clone(),
                comment: index.comment.clone(),
                index_comment: None,
                clustered: index.clustered,
                statistics: index
                    .statistics
                    .iter()
                    .map(|(key, target)| KeyStatistics {
                        key: *key,
                        target: *target,
                    })
                    .collect(),
                checked: None,
            })),
        }
    }

    fn succeed_check(&self, constraint: &Constraint, successors: &mut Successors) {
        let when = self.when(&constraint.columns);
        let (definition, validate) = match constraint.definition.strip_suffix(" NOT VALID") {
            Some(definition) => (definition, false),
            None => (constraint.definition.as_str(), true),
        };
        let add = AddConstraint {
            table: self.table_name.clone(),
            name: constraint.name.with_suffix("_crossfade"),
            definition: self.renamed(definition, |pair| self.name(when, pair)),
            index: None,
            references: None,
            validate,
            partitions: relation::leaves(self.table),
            partition_of: None,
        };
        let rename = takes_name(&add, &constraint.name, constraint.comment.as_ref());
        successors.add(when, add, rename);
    }

    /// Another foreign key between these tables changes or deletes rows. Which of them comes first is a matter of chance
    /// while there are successors, and a check that comes before would find rows that are as good as gone.
    fn acts_beside(&self, old: &Foreign<'_>, referred: &TableName) -> bool {
        let own = self.table.constraints.iter();
        let own = own
            .filter(|_| old.table == self.table_name)
            .map(|one| (&one.name, &one.definition));
        let inbound = self.table.referenced_by.iter();
        let inbound = inbound
            .filter(|inbound| inbound.table == *old.table)
            .map(|one| (&one.name, &one.definition));
        own.chain(inbound)
            .filter(|(name, _)| *name != old.name)
            .filter_map(|(_, definition)| ForeignKey::read(definition))
            .any(|key| key.acts() && key.table().as_ref() == Some(referred))
    }

    /// Whichever of its sides is replaced, or both: the other table's columns may have working names too, and the other
    /// table may be this one.
    fn succeed_foreign_key(&self, old: &Foreign<'_>, successors: &mut Successors) {
        let Some(key) = ForeignKey::read(old.definition) else {
            return;
        };
        let Some(referred) = key.table() else {
            return;
        };
        let mut columns = Vec::new();
        if old.table == self.table_name {
            columns.extend(key.columns());
        }
        if referred == *self.table_name {
            columns.extend(key.referred());
        }
        let when = self.when(&columns);
        let validate = key.validated;
        let checked = key.checked();
        // A transaction that puts off the one that it knows by its name does not know of this one.
        let is_deferred = checked == Checked::InitiallyImmediate
            || checked == Checked::NotDeferrable && self.acts_beside(old, &referred);
        let key = if is_deferred { key.deferred() } else { key };
        let definition = key.renamed(&self.names(when, old.table), &self.names(when, &referred));
        let add = AddConstraint {
            table: old.table.clone(),
            name: old.name.with_suffix("_crossfade"),
            definition,
            index: None,
            references: Some(referred).filter(|referred| referred != old.table),
            validate,
            partitions: relation::leaves(self.table).filter(|_| old.table == self.table_name),
            partition_of: None,
        };
        let rename = RenameObject {
            checked: is_deferred.then_some(checked),
            ..takes_name(&add, old.name, old.comment)
        };
        successors.add(when, add, rename);
    }

    /// The names that a table's columns have then.
    fn names(&self, when: When, table: &TableName) -> Renamed {
        if table == self.table_name {
            let names = |pair: &Pair<'a>| (pair.old.name.clone(), self.name(when, pair).clone());
            return self.pairs.iter().map(names).collect();
        }
        let working = |column: &Ident| (column.clone(), Family::working_name(column));
        match &self.keys {
            Keys::Refused => Vec::new(),
            Keys::Swapped(family) => family.columns(table).iter().map(working).collect(),
        }
    }
}

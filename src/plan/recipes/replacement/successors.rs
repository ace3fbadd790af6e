//! The indexes and constraints that are built on the new columns in place of those on the old ones.

use super::{Family, Keys, Pair, Replacement, relation};
use crate::plan::{
    facts::{Constraint, ConstraintKind, Inbound, Index},
    ident::Ident,
    steps::{
        Step,
        add_constraint::AddConstraint,
        create_index::CreateIndex,
        rename_object::{KeyStatistics, ObjectKind, RenameObject},
        set_not_null::SetNotNull,
        swap_primary_key::SwapPrimaryKey,
    },
};
use crate::statement::{foreign_key::ForeignKey, rename::rename_column};

/// What is built on the new columns, by when it may be.
#[derive(Default)]
pub(in crate::plan::recipes) struct Successors {
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
enum When {
    Enforce,
    Retire,
}

impl Successors {
    fn push(&mut self, when: When, step: Step) {
        match when {
            When::Enforce => self.enforce.push(step),
            When::Retire => self.retire.push(step),
        }
    }

    fn add(
        &mut self,
        when: When,
        constraint: AddConstraint,
        name: &Ident,
        comment: Option<&String>,
        index: Option<&Index>,
    ) {
        self.renames.push(Step::RenameObject(RenameObject {
            table: constraint.table.clone(),
            kind: ObjectKind::Constraint,
            from: constraint.name.clone(),
            to: name.clone(),
            comment: comment.cloned(),
            index_comment: index.and_then(|index| index.comment.clone()),
            clustered: index.is_some_and(|index| index.clustered),
            statistics: Vec::new(),
        }));
        self.push(when, Step::AddConstraint(constraint));
    }
}

impl<'a> Replacement<'a> {
    pub(in crate::plan::recipes) fn successors(&self) -> Successors {
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
            if matches!(
                constraint.kind,
                ConstraintKind::Check | ConstraintKind::ForeignKey
            ) && self.is_carried(&self.columns_of(constraint))
            {
                self.succeed_constraint(constraint, &mut successors);
            }
        }
        for inbound in self.inbound() {
            self.succeed_inbound(inbound, &mut successors);
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
    fn name<'b>(&self, when: When, pair: &'b Pair<'a>) -> &'b Ident {
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
                successors.add(when, add, &constraint.name, comment, Some(index));
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
            })),
        }
    }

    fn succeed_constraint(&self, constraint: &Constraint, successors: &mut Successors) {
        let when = self.when(&self.columns_of(constraint));
        let (definition, validate) = without_not_valid(&constraint.definition);
        let renamed = |text: &str| self.renamed(text, |pair| self.name(when, pair));
        let parts = match constraint.kind {
            ConstraintKind::ForeignKey => ForeignKey::read(definition),
            _ => None,
        };
        let (definition, references) = match parts {
            Some(key) => {
                let theirs = self.referenced(constraint, key.theirs, when);
                (
                    format!(
                        "{} REFERENCES {}{theirs}{}",
                        renamed(key.own),
                        key.table,
                        rename_set_columns(key.actions, renamed)
                    ),
                    constraint.references(),
                )
            }
            None => (renamed(definition), None),
        };
        let add = AddConstraint {
            table: self.table_name.clone(),
            name: constraint.name.with_suffix("_crossfade"),
            definition,
            index: None,
            references,
            validate,
            partitions: relation::leaves(self.table),
            partition_of: None,
        };
        let comment = constraint.comment.as_ref();
        successors.add(when, add, &constraint.name, comment, None);
    }

    /// Where the table that is referred to is this one, or changes with it, its columns have other names too.
    fn referenced(&self, constraint: &Constraint, theirs: &str, when: When) -> String {
        match (&self.keys, constraint.references()) {
            (_, Some(table)) if table == *self.table_name => {
                self.renamed(theirs, |pair| self.name(when, pair))
            }
            (Keys::Swapped(family), Some(table))
                if family.has_link(self.table_name, &constraint.name) =>
            {
                let columns = family.columns(&table).iter();
                columns.fold(theirs.to_owned(), |text, column| {
                    rename_column(&text, column, &Family::working_name(column))
                })
            }
            _ => theirs.to_owned(),
        }
    }

    fn succeed_inbound(&self, inbound: &Inbound, successors: &mut Successors) {
        let when = self.when(&inbound.columns);
        let (definition, validate) = without_not_valid(&inbound.definition);
        let definition = match ForeignKey::read(definition) {
            Some(key) => format!(
                "{} REFERENCES {}{}{}",
                key.own,
                key.table,
                self.renamed(key.theirs, |pair| self.name(when, pair)),
                key.actions
            ),
            None => definition.to_owned(),
        };
        let add = AddConstraint {
            table: inbound.table.clone(),
            name: inbound.name.with_suffix("_crossfade"),
            definition,
            index: None,
            references: Some(self.table_name.clone()),
            validate,
            partitions: None,
            partition_of: None,
        };
        let comment = inbound.comment.as_ref();
        successors.add(when, add, &inbound.name, comment, None);
    }
}

fn without_not_valid(definition: &str) -> (&str, bool) {
    match definition.strip_suffix(" NOT VALID") {
        Some(definition) => (definition, false),
        None => (definition, true),
    }
}

/// `… ON DELETE SET NULL (status)`: the columns that are set are the constraint's own. No other word of what follows
/// REFERENCES is: a column may be called `cascade`.
fn rename_set_columns(text: &str, renamed: impl Fn(&str) -> String) -> String {
    let set = [" SET NULL (", " SET DEFAULT ("]
        .into_iter()
        .find_map(|words| {
            let at = text.find(words)? + words.len();
            let (columns, tail) = text[at..].split_once(')')?;
            Some(format!("{}{}){tail}", &text[..at], renamed(columns)))
        });
    set.unwrap_or_else(|| text.to_owned())
}
